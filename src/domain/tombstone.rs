//! What is left of a deleted record: no content, no author (R11).

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::id::{ActorId, Class, RecordId, Revision};
use super::record::ReasonCode;
use super::time::Timestamp;

/// The last revision of a deleted record. It beats every revision up to its own for ever; one without
/// a `revision` beats all (I6, architecture §4.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The address of the record that was.
    pub id: RecordId,
    /// Who owned it.
    pub authority: ActorId,
    /// What it was.
    pub former_class: Class,
    /// When it was deleted.
    pub deleted: Timestamp,
    /// Last revision + 1.
    pub revision: Option<Revision>,
    /// Digest of the last revision.
    pub previous_digest: Option<Digest>,
    /// Why.
    pub reason: Option<ReasonCode>,
}
