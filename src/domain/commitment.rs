//! A dated, owned promise of an authority.

use serde::{Deserialize, Serialize};

use super::calendar::Day;
use super::id::RecordId;
use super::money::Money;
use super::progress::{CommitmentState, Completion};
use super::text::PlainText;

/// The body of a commitment record (participation.md §4.3.15). The promise is the record's title, its
/// details and the reason of a change its `content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// The consultation that is behind it.
    pub process: Option<RecordId>,
    /// Where it stands.
    pub state: CommitmentState,
    /// How much is done, as its authority declares; absent is not zero.
    pub completion: Option<Completion>,
    /// The department or role that answers for it.
    pub responsible: Option<PlainText>,
    /// The promised day. A change is a revision of its own, and the earlier day stays in the chain.
    pub due: Option<Day>,
    /// The answers, decisions and contributions at its root; at least one.
    pub arises_from: Vec<RecordId>,
    /// What it may cost.
    pub budget: Option<Money>,
    /// What is measured.
    pub indicator: Option<PlainText>,
    /// The figure to be reached.
    pub target: Option<u64>,
    /// While it is hidden: whether it had no title either before
    /// ([`Contribution::untitled`](super::contribution::Contribution::untitled)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untitled: bool,
}

impl Commitment {
    /// Whether it is past its day and not finished: computed for readers, never stored
    /// (participation.md §4.6).
    #[must_use]
    pub fn is_overdue(&self, today: Day) -> bool {
        self.is_open() && self.due.is_some_and(|due| due < today)
    }

    /// Whether it is neither done nor abandoned.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !matches!(self.state, CommitmentState::Done | CommitmentState::Abandoned)
    }
}

impl CommitmentState {
    /// Whether *we* may move a promise of ours from here to `next` (participation.md §4.6). What is done or
    /// abandoned is not taken up again under the same promise; anything else may be revised or abandoned.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use CommitmentState as S;
        match (self, next) {
            (S::Done | S::Abandoned, _) => false,
            (_, S::Abandoned | S::Revised) => self != next,
            // After a revision it goes on where it stood.
            _ => matches!(
                (self, next),
                (S::Planned | S::Delayed | S::Revised, S::Underway)
                    | (S::Planned | S::Underway | S::Revised, S::Delayed)
                    | (S::Revised, S::Planned)
                    | (S::Underway, S::Done)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(state: CommitmentState, due: Option<&str>) -> Commitment {
        Commitment {
            process: None,
            state,
            completion: None,
            responsible: None,
            due: due.map(|day| day.parse().expect("a day")),
            arises_from: Vec::new(),
            budget: None,
            indicator: None,
            target: None,
            untitled: false,
        }
    }

    #[test]
    fn a_promise_is_overdue_the_day_after_and_until_it_is_finished() {
        let today = |day: &str| day.parse::<Day>().expect("a day");
        let open = promise(CommitmentState::Underway, Some("2027-06-30"));
        assert!(!open.is_overdue(today("2027-06-30")) && open.is_overdue(today("2027-07-01")));
        for finished in [CommitmentState::Done, CommitmentState::Abandoned] {
            assert!(!promise(finished, Some("2027-06-30")).is_overdue(today("2028-01-01")));
        }
        assert!(!promise(CommitmentState::Planned, None).is_overdue(today("2028-01-01")), "no day was promised");
    }

    #[test]
    fn our_own_promises_follow_their_states() {
        use CommitmentState as S;
        assert!(S::Planned.may_become(S::Underway) && S::Underway.may_become(S::Done));
        assert!(S::Underway.may_become(S::Delayed) && S::Delayed.may_become(S::Underway));
        assert!(!S::Planned.may_become(S::Done) && !S::Done.may_become(S::Underway) && !S::Abandoned.may_become(S::Revised));
        for state in [S::Planned, S::Underway, S::Delayed] {
            assert!(state.may_become(S::Revised) && state.may_become(S::Abandoned) && S::Revised.may_become(state));
        }
    }
}
