//! Signed answers between gateways: "we have it", "we erased it".

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::id::ActorId;
use super::time::Timestamp;
use crate::words;

words! {
    /// What became of a delivery.
    DeliveryState {
        Received = "received",
        Stored = "stored",
        Refused = "refused",
    }
}

words! {
    /// Why a copy was erased.
    PurgeCause {
        Delete = "delete",
        Remove = "remove",
        AgreementEnd = "agreement-end",
        CacheExpiry = "cache-expiry",
        ErasureRequest = "erasure-request",
    }
}

words! {
    /// Where a copy was erased.
    Erased {
        Store = "store",
        Index = "index",
        Media = "media",
        Exports = "exports",
    }
}

words! {
    /// What remains after an erasure.
    Residual {
        Tombstone = "tombstone",
        AuditHash = "audit-hash",
        Backup = "backup",
    }
}

/// "We have received this revision": the body of a partner's 202 (architecture §3, receipts).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryReceipt {
    /// Its address at the receiver.
    pub id: String,
    /// Who received.
    pub receiver: ActorId,
    /// The activity answered.
    pub request_activity: String,
    /// The record carried, or the activity itself where it carries none.
    pub receipt_for: String,
    /// Digest of exactly what was received.
    pub subject_digest: Digest,
    /// When.
    pub received_at: Timestamp,
    /// What became of it.
    pub state: DeliveryState,
    /// Codes that say why it was refused.
    pub problems: Vec<String>,
}

/// "We have erased it": what answers a Delete (R10). No receipt means not purged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeReceipt {
    /// Its address at the holder.
    pub id: String,
    /// Who erased.
    pub holder: ActorId,
    /// The `Delete` answered.
    pub request_activity: Option<String>,
    /// The record erased.
    pub receipt_for: String,
    /// Digest of the revision that was held; absent when none was.
    pub subject_digest: Option<Digest>,
    /// Why.
    pub cause: PurgeCause,
    /// When.
    pub purged_at: Timestamp,
    /// Where it was erased.
    pub erased: Vec<Erased>,
    /// What remains.
    pub residual: Vec<Residual>,
    /// Until when backups hold it.
    pub backups_until: Option<Timestamp>,
}
