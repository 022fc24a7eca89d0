//! What became of a record: the fact that others may want to know.

use serde::{Deserialize, Serialize};

use super::id::{Class, RecordId, Revision};
use super::time::Timestamp;
use crate::words;

words! {
    /// What happened to a record of ours.
    ChangeKind {
        Created = "created",
        Updated = "updated",
        Deleted = "deleted",
    }
}

/// One row of the change log, written in the same transaction as the record (architecture §1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its number; commit order is not number order, so nobody reads "after n".
    pub number: i64,
    /// The record.
    pub record: RecordId,
    /// Its class.
    pub class: Class,
    /// The revision this change made.
    pub revision: Revision,
    /// What happened.
    pub kind: ChangeKind,
    /// When.
    pub at: Timestamp,
}
