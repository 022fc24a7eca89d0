//! What a consultation or a project led to, and how far it has come.

use serde::{Deserialize, Serialize};

use super::calendar::Day;
use super::id::RecordId;
use super::money::Money;
use super::progress::{CommitmentState, Completion};
use super::time::Timestamp;

/// The body of a result record (participation.md §4.3.16). Results form a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkResult {
    /// The consultation that is behind it.
    pub process: RecordId,
    /// What it comes from: consultation, projects; at least one.
    pub result_of: Vec<RecordId>,
    /// The result of which it is a part.
    pub part_of: Option<RecordId>,
    /// The contributions at its root.
    pub arises_from: Vec<RecordId>,
    /// The commitments that it completes.
    pub fulfils: Vec<RecordId>,
    /// Where the work stands.
    pub state: Option<CommitmentState>,
    /// The platform's own word for it when no table maps it.
    pub raw_state: Option<String>,
    /// How much of it is done; absent is not zero.
    pub completion: Option<Completion>,
    /// When the work began.
    pub starts: Option<Timestamp>,
    /// When it is to be done.
    pub due: Option<Day>,
    /// What it cost in the end.
    pub final_cost: Option<Money>,
    /// What shows it: documents, contracts.
    pub evidence: Vec<RecordId>,
    /// How many comments the platform counts, when it says.
    pub comment_count: Option<u64>,
}
