//! From what became of an attempt to what is written down: where the row stands, when it is tried again,
//! what it says of the partner, and what a person must know. Pure.

use std::time::Duration;

use rand::Rng;

use super::answer::AnswerClass;
use super::attempt::Attempted;
use super::schedule::{Failing, Next, Pace, next_try};

/// The partner has answered 410 for this long, at least [`GONE_TIMES`] times: a person is asked.
const GONE_FOR: Duration = Duration::from_hours(72);
/// See [`GONE_FOR`].
const GONE_TIMES: u32 = 3;
/// How often a Delete that was received is asked for again while its purge receipt is missing.
pub(super) const PURGE_AGAIN: Duration = Duration::from_hours(24);

/// What is known of an item and its partner when an attempt ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    /// How often the item was tried, this time included.
    pub attempts: u32,
    /// How long it has been due.
    pub age: Duration,
    /// When it parks; a Delete does not.
    pub parks_after: Option<Duration>,
    /// How often the partner failed in a row before this.
    pub failures: u32,
    /// For how long the partner has been failing.
    pub failing_for: Duration,
}

/// Where the item stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The partner has it.
    Reached,
    /// It said so without proof: once more after this long.
    OnceMore(Duration),
    /// It said so without proof, twice: ask what it holds; if that does not settle it, try again after
    /// this long.
    AskThere(Duration),
    /// Again after this long.
    Again(Duration),
    /// Never again, by itself.
    Rejected,
    /// Not until a person says so.
    Parked,
}

/// What it says of the partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    /// It answers as it should.
    Good,
    /// Nothing is known.
    Unchanged,
    /// It fails; the next probe comes after `wait`. `blocked` says why all but Deletes waits.
    Failing {
        /// Until the next probe.
        wait: Duration,
        /// Why everything but Deletes waits.
        blocked: Option<String>,
    },
}

impl Health {
    /// What an answer of one account's own inbox says of its server: that it is well, or that it is away;
    /// that it does not want this concerns the account alone.
    pub(super) fn of_an_account(self) -> Self {
        match self {
            Self::Failing { blocked: Some(_), .. } => Self::Unchanged,
            other => other,
        }
    }
}

/// What is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub verdict: Verdict,
    pub health: Health,
    /// The answer's status, when there was one.
    pub status: Option<u16>,
    /// What was answered, or why nothing was.
    pub words: Option<String>,
    /// The receipt, as received.
    pub receipt: Option<String>,
    /// A stable word for what a person must know.
    pub alert: Option<&'static str>,
}

/// Weighs an attempt.
pub(super) fn weigh(attempted: &Attempted, before: Before, rng: &mut (impl Rng + ?Sized)) -> Written {
    let mut draw = |failures: u32, pace: Pace, retry_after: Option<Duration>, parks_after: Option<Duration>| {
        next_try(Failing { failures, age: before.age, parks_after, pace, retry_after }, rng)
    };
    let mut again = |pace, retry_after| match draw(before.attempts, pace, retry_after, before.parks_after) {
        Next::Wait(wait) => Verdict::Again(wait),
        Next::Park => Verdict::Parked,
    };
    match attempted {
        Attempted::Sent(sent) => {
            let (verdict, health) = match (&sent.unconfirmed, again(Pace::Schedule, None)) {
                (None, _) => (Verdict::Reached, Health::Good),
                (Some(_), Verdict::Again(wait)) if before.attempts < 2 => (Verdict::OnceMore(wait), Health::Unchanged),
                (Some(_), Verdict::Again(wait)) => (Verdict::AskThere(wait), Health::Unchanged),
                (Some(_), other) => (other, Health::Unchanged),
            };
            let alert = (verdict == Verdict::Parked).then_some("delivery-parked");
            let words = sent.unconfirmed.as_ref().map(|doubt| format!("unconfirmed: {doubt}"));
            Written { verdict, health, status: Some(sent.status), words, receipt: sent.receipt.clone(), alert }
        }
        Attempted::Refused(refused) => {
            let words = Some(refused.words.clone()).filter(|words| !words.is_empty());
            let (status, receipt) = (Some(refused.status), None);
            let told = || format!("{} {}", refused.status, refused.code.as_deref().unwrap_or_default()).trim().to_owned();
            if refused.class == AnswerClass::ItemRefused {
                // A Delete is never given up: somebody holds what must be erased (GDPR-04).
                let verdict = if before.parks_after.is_none() { again(Pace::Hourly, None) } else { Verdict::Rejected };
                return Written { verdict, health: Health::Good, status, words, receipt, alert: Some("delivery-rejected") };
            }
            let (verdict, blocked, alert) = match refused.class {
                AnswerClass::Transient { retry_after } => (again(Pace::Schedule, retry_after), None, None),
                AnswerClass::PeerRefuses => (again(Pace::Hourly, None), Some(told()), Some("partner-refuses-us")),
                AnswerClass::Gone if before.failures + 1 >= GONE_TIMES && before.failing_for >= GONE_FOR => {
                    (again(Pace::Hourly, None), Some(format!("{}: is it gone for good?", told())), Some("partner-gone"))
                }
                _ => (again(Pace::Hourly, None), Some(told()), Some("partner-misconfigured")),
            };
            let asked = if let AnswerClass::Transient { retry_after } = refused.class { retry_after } else { None };
            let pace = if blocked.is_some() { Pace::Hourly } else { Pace::Schedule };
            let health = Health::Failing { wait: probe(before, pace, asked, rng), blocked };
            let alert = if verdict == Verdict::Parked { Some("delivery-parked") } else { alert };
            Written { verdict, health, status, words, receipt, alert }
        }
        Attempted::Unreachable(unreachable) => {
            let verdict = again(Pace::Schedule, None);
            let health = Health::Failing { wait: probe(before, Pace::Schedule, None, rng), blocked: None };
            let alert = (verdict == Verdict::Parked).then_some("delivery-parked");
            Written { verdict, health, status: None, words: Some(unreachable.reason.clone()), receipt: None, alert }
        }
    }
}

/// When the partner is probed next. A partner never parks: one probe every six hours costs nothing.
fn probe(before: Before, pace: Pace, retry_after: Option<Duration>, rng: &mut (impl Rng + ?Sized)) -> Duration {
    let failing = Failing { failures: before.failures + 1, age: before.failing_for, parks_after: None, pace, retry_after };
    match next_try(failing, rng) {
        Next::Wait(wait) => wait,
        Next::Park => Duration::from_hours(6),
    }
}
