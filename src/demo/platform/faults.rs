//! How a simulated platform misbehaves on demand: refuse, lie, loop, stall. Nothing of it happens unless it was armed.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::time::Timestamp;

/// Requests per minute of the clock that the real platforms accept from one address.
pub const REAL_THROTTLE: u32 = 100;

/// One way to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 500 with the platform's own "Internal Server error".
    ServerError,
    /// 429 "Retry later" without any header that says when.
    TooManyRequests,
    /// 200 with half of the JSON.
    TruncatedJson,
    /// 200 with an HTML page that asks to sign in.
    LoginPage,
    /// The right answer, this much later.
    Slow(Duration),
    /// Every page of a list is the first one and says there is more.
    CursorLoop,
    /// Every list is empty, without an error.
    EmptyLists,
    /// The first page of every list says it is the last.
    EarlyEnd,
    /// The connection is closed without an answer.
    HangUp,
}

/// Which requests to `/api` are hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// All of them.
    Always,
    /// The n-th and later ones, counted from 1 when the fault was armed.
    From(u32),
    /// Only the n-th one.
    Only(u32),
    /// Those whose query contains this text.
    Containing(String),
}

/// What changes inside an answer instead of replacing it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Distortion {
    pub(super) cursor_loop: bool,
    pub(super) empty_lists: bool,
    pub(super) early_end: bool,
}

impl From<Option<Fault>> for Distortion {
    fn from(fault: Option<Fault>) -> Self {
        Self {
            cursor_loop: fault == Some(Fault::CursorLoop),
            empty_lists: fault == Some(Fault::EmptyLists),
            early_end: fault == Some(Fault::EarlyEnd),
        }
    }
}

#[derive(Debug, Default)]
struct Armed {
    fault: Option<(Fault, When)>,
    seen: u32,
    throttle: Option<u32>,
    minute: i64,
    in_minute: u32,
}

/// The armed fault and the throttle, shared by the handlers.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Armed>);

impl Faults {
    fn with<T>(&self, act: impl FnOnce(&mut Armed) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn arm(&self, fault: Option<(Fault, When)>) {
        self.with(|armed| (armed.fault, armed.seen) = (fault, 0));
    }

    pub(super) fn throttle(&self, per_minute: Option<u32>) {
        self.with(|armed| (armed.throttle, armed.in_minute) = (per_minute, 0));
    }

    /// Counts one request to the site; says whether it is one too many. The window is the minute of the clock.
    pub(super) fn is_too_many(&self, now: Timestamp) -> bool {
        self.with(|armed| {
            let minute = now.seconds().div_euclid(60);
            if armed.minute != minute {
                (armed.minute, armed.in_minute) = (minute, 0);
            }
            armed.in_minute += 1;
            armed.throttle.is_some_and(|limit| armed.in_minute > limit)
        })
    }

    /// Counts one request to `/api`; says what happens to it.
    pub(super) fn next(&self, query: &str) -> Option<Fault> {
        self.with(|armed| {
            armed.seen += 1;
            let (fault, when) = armed.fault.as_ref()?;
            let hit = match when {
                When::Always => true,
                When::From(n) => armed.seen >= *n,
                When::Only(n) => armed.seen == *n,
                When::Containing(text) => query.contains(text.as_str()),
            };
            hit.then_some(*fault)
        })
    }
}
