//! The authority's official answer to one or more contributions.

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::id::RecordId;
use super::text::PlainText;
use crate::words;

words! {
    /// What the answer says.
    Outcome {
        Accepted = "accepted",
        PartiallyAccepted = "partially-accepted",
        Rejected = "rejected",
        Merged = "merged",
        Inadmissible = "inadmissible",
        Noted = "noted",
    }
}

/// The body of an official response record (participation.md §4.3.13). Its text is the record's `content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficialResponse {
    /// What it answers; at least one.
    pub responds_to: Vec<RecordId>,
    /// The consultation.
    pub process: RecordId,
    /// The revision that was answered; absent when the answer was first seen together with its
    /// contribution (architecture §4.9).
    pub subject_digest: Option<Digest>,
    /// What the answer says; absent when the platform does not say.
    pub outcome: Option<Outcome>,
    /// The role that signs, not necessarily a name.
    pub signatory_role: Option<PlainText>,
}
