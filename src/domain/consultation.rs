//! A bounded participation process run by an authority, with its phases and topics.

use serde::{Deserialize, Serialize};

use super::text::{Localized, PlainText, SafeHtml};
use super::time::Timestamp;
use crate::words;

words! {
    /// What sort of process it is (scheme `pv:kind-*`).
    ProcessKind {
        Consultation = "consultation",
        ParticipatoryBudget = "participatory-budget",
        Petition = "petition",
        Assembly = "assembly",
        Survey = "survey",
        Hearing = "hearing",
        StatutoryInquiry = "statutory-inquiry",
        CallForIdeas = "call-for-ideas",
    }
}

words! {
    /// Where the process stands (participation.md §4.6). `draft` never leaves the gateway.
    LifecycleState {
        Draft = "draft",
        Scheduled = "scheduled",
        Open = "open",
        Paused = "paused",
        Closed = "closed",
        Deciding = "deciding",
        Decided = "decided",
        Implementing = "implementing",
        Implemented = "implemented",
        Evaluated = "evaluated",
        Cancelled = "cancelled",
        Archived = "archived",
    }
}

impl LifecycleState {
    /// Whether *we* may move a process of ours from here to `next`. States that a platform shows are
    /// recorded even when they jump: the guards bind only our own acts (architecture §4.7).
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use LifecycleState as S;
        if next == S::Cancelled {
            return matches!(self, S::Draft | S::Scheduled | S::Open | S::Paused | S::Closed | S::Deciding);
        }
        matches!(
            (self, next),
            (S::Draft, S::Scheduled)
                | (S::Scheduled | S::Paused | S::Closed, S::Open)
                | (S::Open, S::Paused | S::Closed)
                | (S::Closed, S::Deciding)
                | (S::Deciding, S::Decided)
                | (S::Decided | S::Evaluated, S::Implementing)
                | (S::Implementing, S::Implemented)
                | (S::Decided | S::Implementing | S::Implemented, S::Evaluated)
                | (S::Evaluated, S::Archived)
        )
    }
}

words! {
    /// What a phase is for.
    PhaseKind {
        Inform = "inform",
        Collect = "collect",
        Debate = "debate",
        Analysis = "analysis",
        Vote = "vote",
        Decide = "decide",
        Implement = "implement",
        Evaluate = "evaluate",
    }
}

words! {
    /// Where a phase stands.
    PhaseState {
        Planned = "planned",
        Open = "open",
        Closed = "closed",
        Cancelled = "cancelled",
    }
}

/// One step of a process, embedded in it under a fragment id (participation.md §4.3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// The fragment, for example `phase-12`; unique within its process.
    pub fragment: String,
    /// Its label.
    pub name: Localized<PlainText>,
    /// What it is for, when the platform says.
    pub kind: Option<PhaseKind>,
    /// Where it stands.
    pub state: Option<PhaseState>,
    /// When it begins.
    pub starts: Option<Timestamp>,
    /// When it ends.
    pub ends: Option<Timestamp>,
}

/// A question or section put to discussion, embedded under a fragment id (participation.md §4.3.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// The fragment, for example `topic-3`.
    pub fragment: String,
    /// The question.
    pub name: Localized<PlainText>,
    /// A few words about it.
    pub summary: Option<Localized<SafeHtml>>,
}

/// The body of a consultation record (participation.md §4.3.2). What the platform does not say is
/// absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Consultation {
    /// What sort of process it is.
    pub kind: Option<ProcessKind>,
    /// Where it stands.
    pub lifecycle: Option<LifecycleState>,
    /// What is decided with it (`advisory`, `binding` …), in the platform's words mapped by the profile.
    pub decision_scope: Option<Localized<PlainText>>,
    /// Public opening.
    pub starts: Option<Timestamp>,
    /// Public closing.
    pub ends: Option<Timestamp>,
    /// Steps, in order.
    pub phases: Vec<Phase>,
    /// The fragment of the active phase.
    pub current_phase: Option<String>,
    /// Questions put to discussion.
    pub topics: Vec<Topic>,
}

impl Consultation {
    /// Where it stands at `now`: what its authority states; else what its public opening and closing say,
    /// or a phase that is open. `None` where none of them is known. For readers only: a record never
    /// carries what was worked out (architecture §4.7).
    #[must_use]
    pub fn lifecycle_at(&self, now: Timestamp) -> Option<LifecycleState> {
        if self.lifecycle.is_some() {
            return self.lifecycle;
        }
        let phase_is_open = self.phases.iter().any(|phase| phase.state == Some(PhaseState::Open));
        match (self.starts, self.ends) {
            (_, Some(ends)) if ends <= now => Some(LifecycleState::Closed),
            (Some(starts), _) if starts > now => Some(LifecycleState::Scheduled),
            (Some(_), Some(_)) => Some(LifecycleState::Open),
            _ => phase_is_open.then_some(LifecycleState::Open),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LifecycleState as S;
    use super::{Consultation, Localized, Phase, PhaseState, PlainText, Timestamp};

    fn day(day: &str) -> Timestamp {
        format!("{day}T08:00:00Z").parse().expect("a time")
    }

    #[test]
    fn where_it_stands_is_stated_or_follows_from_its_public_dates() {
        let mut process = Consultation {
            kind: None,
            lifecycle: None,
            decision_scope: None,
            starts: Some(day("2026-09-15")),
            ends: Some(day("2027-06-30")),
            phases: Vec::new(),
            current_phase: None,
            topics: Vec::new(),
        };
        assert_eq!(process.lifecycle_at(day("2026-09-14")), Some(S::Scheduled));
        assert_eq!(process.lifecycle_at(day("2026-09-15")), Some(S::Open));
        assert_eq!(process.lifecycle_at(day("2027-06-30")), Some(S::Closed));
        process.ends = None;
        assert_eq!(process.lifecycle_at(day("2026-11-24")), None, "no closing is stated: it may be long over");
        process.starts = None;
        process.phases.push(Phase {
            fragment: "phase-1".to_owned(),
            name: Localized::one("fr".parse().expect("a tag"), PlainText::new("Dépôt").expect("words")),
            kind: None,
            state: Some(PhaseState::Open),
            starts: None,
            ends: None,
        });
        assert_eq!(process.lifecycle_at(day("2026-11-24")), Some(S::Open));
        process.lifecycle = Some(S::Paused);
        assert_eq!(process.lifecycle_at(day("2026-11-24")), Some(S::Paused), "what is stated stands");
    }

    #[test]
    fn our_own_acts_follow_the_lifecycle() {
        let path = [
            S::Draft,
            S::Scheduled,
            S::Open,
            S::Closed,
            S::Deciding,
            S::Decided,
            S::Implementing,
            S::Implemented,
            S::Evaluated,
            S::Archived,
        ];
        for pair in path.windows(2) {
            assert!(pair[0].may_become(pair[1]), "{} to {}", pair[0], pair[1]);
            let reopened = pair == [S::Open, S::Closed];
            assert_eq!(pair[1].may_become(pair[0]), reopened, "{} back to {}", pair[1], pair[0]);
        }
        assert!(S::Open.may_become(S::Paused) && S::Paused.may_become(S::Open) && S::Closed.may_become(S::Open));
        assert!(S::Deciding.may_become(S::Cancelled) && !S::Decided.may_become(S::Cancelled));
        assert!(S::Evaluated.may_become(S::Implementing) && S::Decided.may_become(S::Evaluated));
    }
}
