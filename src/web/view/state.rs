//! States as a word and a tint; the word alone is enough (UI-17).

use crate::domain::consultation::{LifecycleState, PhaseState};
use crate::domain::disposition::{Disposition, DispositionState};
use crate::domain::response::Outcome;
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
