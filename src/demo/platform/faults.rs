//! How a simulated platform misbehaves on demand: refuse, lie, loop, leak, stall. Nothing of it happens unless it
//! was armed.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::state::State;
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
    /// Every list, that of processes too, is empty, without an error.
    NothingLeft,
    /// Every other entry of each list is null, and the answer says that something went wrong.
    ErrorsBeside,
    /// Ids are numbers, as after an upgrade that changed their type.
    NumbersForIds,
    /// What was a list is an object.
    ObjectsForLists,
    /// Every entry of a list comes twice.
    TwiceEach,
    /// A million entries in one page.
    Flood,
    /// What is hidden, unpublished, private or a draft is listed with the rest (as CVE-2026-40870 did).
    Leaks,
}

/// What people do on the platform between two questions of a reader; it is told the question just answered.
pub(super) type Act = Box<dyn FnMut(&mut State, &str) + Send>;

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
    /// The n-th and later ones of those whose query contains this text.
    FromNthOf(u32, String),
    /// Only the n-th one of those.
    OnlyNthOf(u32, String),
}

/// What changes inside an answer instead of replacing it.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one way to lie, asked in another place")]
pub(super) struct Distortion {
    pub(super) cursor_loop: bool,
    pub(super) empty_lists: bool,
    pub(super) early_end: bool,
    pub(super) leaks: bool,
}

impl From<Option<Fault>> for Distortion {
    fn from(fault: Option<Fault>) -> Self {
        Self {
            cursor_loop: fault == Some(Fault::CursorLoop),
            empty_lists: matches!(fault, Some(Fault::EmptyLists | Fault::NothingLeft)),
            early_end: fault == Some(Fault::EarlyEnd),
            leaks: fault == Some(Fault::Leaks),
        }
    }
}

#[derive(Default)]
struct Armed {
    fault: Option<(Fault, When)>,
    act: Option<Act>,
    seen: u32,
    matched: u32,
    throttle: Option<u32>,
    minute: i64,
    in_minute: u32,
}

/// The armed fault and the throttle, shared by the handlers.
#[derive(Default)]
pub(super) struct Faults(Mutex<Armed>);

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|armed| write!(f, "{:?}, seen {}", armed.fault, armed.seen))
    }
}

impl Faults {
    fn with<T>(&self, act: impl FnOnce(&mut Armed) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn arm(&self, fault: Option<(Fault, When)>) {
        self.with(|armed| (armed.fault, armed.seen, armed.matched) = (fault, 0, 0));
    }

    pub(super) fn meanwhile(&self, act: Option<Act>) {
        self.with(|armed| armed.act = act);
    }

    /// What people do now that `query` was answered.
    pub(super) fn act(&self, state: &mut State, query: &str) {
        // Taken out meanwhile: what is done may arm another fault.
        let Some(mut act) = self.with(|armed| armed.act.take()) else { return };
        act(state, query);
        self.with(|armed| armed.act = armed.act.take().or(Some(act)));
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
                When::FromNthOf(n, text) | When::OnlyNthOf(n, text) => {
                    armed.matched += u32::from(query.contains(text.as_str()));
                    let only = matches!(when, When::OnlyNthOf(..));
                    query.contains(text.as_str()) && armed.matched >= *n && (!only || armed.matched == *n)
                }
            };
            hit.then_some(*fault)
        })
    }
}
