//! States as a word and a tint; the word alone is enough (UI-17).

use crate::domain::calendar::Day;
use crate::domain::commitment::Commitment;
use crate::domain::consultation::{LifecycleState, PhaseState};
use crate::domain::disposition::{Disposition, DispositionState};
use crate::domain::meeting::Meeting;
use crate::domain::poll::Poll;
use crate::domain::progress::CommitmentState;
use crate::domain::project::ProjectState;
use crate::domain::response::Outcome;
use crate::domain::time::Timestamp;
use crate::web::i18n::{Arg, Texts};

/// A state as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The word.
    pub word: String,
    /// The class of the style sheet: `good`, `wait`, `attention`, `bad` or `copy`.
    pub tint: &'static str,
}

impl Tag {
    fn new(texts: &Texts, kind: &str, word: &str, tint: &'static str) -> Self {
        Self { word: texts.say(&format!("{kind}-{word}")), tint }
    }

    /// Where a consultation stands.
    #[must_use]
    pub fn lifecycle(texts: &Texts, state: LifecycleState) -> Self {
        use LifecycleState as S;
        let tint = match state {
            S::Open | S::Decided | S::Implementing | S::Implemented | S::Evaluated => "good",
            S::Draft | S::Scheduled | S::Closed | S::Archived => "wait",
            S::Paused | S::Deciding => "attention",
            S::Cancelled => "bad",
        };
        Self::new(texts, "lifecycle", state.word(), tint)
    }

    /// Where a phase stands.
    #[must_use]
    pub fn phase(texts: &Texts, state: PhaseState) -> Self {
        let tint = match state {
            PhaseState::Open => "good",
            PhaseState::Planned | PhaseState::Closed => "wait",
            PhaseState::Cancelled => "bad",
        };
        Self::new(texts, "phase-state", state.word(), tint)
    }

    /// How the host treats a contribution; a state that nobody mapped shows its raw word (UI-37).
    #[must_use]
    pub fn disposition(texts: &Texts, disposition: &Disposition) -> Self {
        use DispositionState as S;
        if let (S::Pending, Some(raw)) = (disposition.state, &disposition.raw_state) {
            let word = texts.plain("status-unmapped", &[("raw", Arg::Text(raw))]);
            return Self { word, tint: "wait" };
        }
        let tint = match disposition.state {
            S::Accepted | S::PartiallyAccepted | S::Admissible => "good",
            S::Pending | S::Merged => "wait",
            S::UnderEvaluation => "attention",
            S::Rejected | S::Inadmissible => "bad",
        };
        Self::new(texts, "disposition", disposition.state.word(), tint)
    }

    /// What an official answer says.
    #[must_use]
    pub fn outcome(texts: &Texts, outcome: Outcome) -> Self {
        let tint = match outcome {
            Outcome::Accepted | Outcome::PartiallyAccepted => "good",
            Outcome::Merged | Outcome::Noted => "wait",
            Outcome::Rejected | Outcome::Inadmissible => "bad",
        };
        Self::new(texts, "outcome", outcome.word(), tint)
    }

    /// Where a promise or a work stands; what nobody mapped shows its raw word (UI-37).
    #[must_use]
    pub fn commitment(texts: &Texts, state: Option<CommitmentState>, raw: Option<&str>) -> Option<Self> {
        use CommitmentState as S;
        let Some(state) = state else {
            return raw.map(|raw| Self { word: super::words::shorten(raw, 60), tint: "wait" });
        };
        let tint = match state {
            S::Done | S::Underway => "good",
            S::Planned => "wait",
            S::Delayed | S::Revised => "attention",
            S::Abandoned => "bad",
        };
        Some(Self::new(texts, "commitment", state.word(), tint))
    }

    /// Where a promise stands on a day: past its own day it is overdue, whatever else is said of it.
    #[must_use]
    pub fn promise(texts: &Texts, promise: &Commitment, today: Option<Day>) -> Option<Self> {
        if today.is_some_and(|today| promise.is_overdue(today)) {
            return Some(Self { word: texts.say("commitment-overdue"), tint: "bad" });
        }
        Self::commitment(texts, Some(promise.state), None)
    }

    /// Whether a poll is open, as far as its dates say.
    #[must_use]
    pub fn poll(texts: &Texts, poll: &Poll, now: Timestamp) -> Option<Self> {
        let end = poll.closed.or(poll.ends)?;
        let (word, tint) = if end <= now { ("closed", "wait") } else { ("open", "good") };
        Some(Self::new(texts, "poll", word, tint))
    }

    /// What became of a project.
    #[must_use]
    pub fn project(texts: &Texts, state: ProjectState) -> Self {
        use ProjectState as S;
        let tint = match state {
            S::Feasible | S::OnBallot | S::Selected | S::Realised => "good",
            S::Submitted | S::NotSelected => "wait",
            S::Unfeasible | S::Abandoned => "bad",
        };
        Self::new(texts, "project", state.word(), tint)
    }

    /// Whether a meeting takes place; what is not stated follows from its dates.
    #[must_use]
    pub fn meeting(texts: &Texts, meeting: &Meeting, now: Timestamp) -> Option<Self> {
        let (word, tint) = match meeting.state {
            Some(LifecycleState::Cancelled) => ("cancelled", "bad"),
            Some(LifecycleState::Paused) => ("postponed", "attention"),
            _ if meeting.is_over(now) => ("over", "wait"),
            _ if meeting.starts.is_some_and(|starts| starts > now) => ("upcoming", "good"),
            _ => return None,
        };
        Some(Self::new(texts, "meeting", word, tint))
    }

    /// Taken back by its author.
    #[must_use]
    pub fn withdrawn(texts: &Texts) -> Self {
        Self { word: texts.say("withdrawn"), tint: "wait" }
    }

    /// A copy of another city's record.
    #[must_use]
    pub fn copy(texts: &Texts, city: &str) -> Self {
        Self { word: texts.plain("badge-copy", &[("city", Arg::Name(city))]), tint: "copy" }
    }
}
