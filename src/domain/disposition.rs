//! How the hosting authority treats one contribution: its own statement, apart from the contribution.

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::id::RecordId;
use crate::words;

words! {
    /// Where the treatment stands (participation.md §4.3.12).
    DispositionState {
        Pending = "pending",
        Admissible = "admissible",
        Inadmissible = "inadmissible",
        UnderEvaluation = "under-evaluation",
        Accepted = "accepted",
        PartiallyAccepted = "partially-accepted",
        Rejected = "rejected",
        Merged = "merged",
    }
}

impl DispositionState {
    /// Whether *we* may move a treatment of ours from here to `next` (participation.md §4.6).
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use DispositionState as S;
        match self {
            S::Pending => matches!(next, S::Admissible | S::Inadmissible),
            S::UnderEvaluation => matches!(next, S::Accepted | S::PartiallyAccepted | S::Rejected | S::Merged),
            S::Admissible | S::Inadmissible | S::Accepted | S::PartiallyAccepted | S::Rejected | S::Merged => {
                next == S::UnderEvaluation
            }
        }
    }
}

/// The body of a disposition record. The worded reason is the record's `content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// The contribution that is treated.
    pub subject: RecordId,
    /// The consultation in which it is treated.
    pub process: RecordId,
    /// The revision that was judged; absent when that is not known (architecture §4.9).
    pub subject_digest: Option<Digest>,
    /// Where the treatment stands.
    pub state: DispositionState,
    /// The platform's own word when no table maps it: shown beside `pending` (architecture §4.8).
    pub raw_state: Option<String>,
    /// The contribution it was merged into.
    pub merged_into: Option<RecordId>,
}

#[cfg(test)]
mod tests {
    use super::DispositionState as S;

    #[test]
    fn our_own_judgements_follow_the_order_and_may_be_appealed() {
        assert!(S::Pending.may_become(S::Admissible) && !S::Pending.may_become(S::Accepted));
        for end in [S::Accepted, S::PartiallyAccepted, S::Rejected, S::Merged] {
            assert!(S::UnderEvaluation.may_become(end) && end.may_become(S::UnderEvaluation));
            assert!(!end.may_become(S::Pending));
        }
    }
}
