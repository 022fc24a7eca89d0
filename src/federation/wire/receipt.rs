//! `DeliveryReceipt` and `PurgeReceipt`, a `Document` of ActivityStreams (participation.md §4.3.24,
//! architecture §3 "receipts").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contexts;
use super::proof::DataIntegrityProof;
use super::scalar::{Address, Contexts, Instant, Multihash, Token, constant};
use crate::domain::digest::Digest;
use crate::domain::receipt::{
    DeliveryReceipt as DomainDelivery, DeliveryState, Erased, PurgeCause, PurgeReceipt as DomainPurge, Residual,
};
use crate::domain::{ActorId, RecordId, Timestamp};

constant!(
    /// The AS2 type of a receipt.
    DocumentType = "Document"
);
constant!(
    /// The class of a receipt for a delivery.
    DeliveryReceiptClass = "DeliveryReceipt"
);
constant!(
    /// The class of a receipt for an erasure.
    PurgeReceiptClass = "PurgeReceipt"
);

/// "We have received this revision."
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryReceipt {
    /// ActivityStreams, Data Integrity, and the receiver's own copy of our context.
    #[schemars(with = "Contexts")]
    #[serde(rename = "@context")]
    pub context: Vec<String>,
    /// Its address at the receiver.
    #[schemars(with = "Address")]
    pub id: RecordId,
    /// Always `Document`.
    #[serde(rename = "type")]
    pub node_type: DocumentType,
    /// Always `DeliveryReceipt`.
    pub record_type: DeliveryReceiptClass,
    /// Who received; signs the receipt.
    #[schemars(with = "Address")]
    pub attributed_to: ActorId,
    /// The activity answered.
    #[schemars(with = "Address")]
    pub request_activity: RecordId,
    /// The record carried, or the activity itself where it carries none.
    #[schemars(with = "Address")]
    pub receipt_for: RecordId,
    /// Digest of exactly what was received.
    #[schemars(with = "Multihash")]
    pub subject_digest: Digest,
    /// When.
    #[schemars(with = "Instant")]
    pub received_at: Timestamp,
    /// What became of it.
    pub delivery_state: DeliveryState,
    /// Codes that say why it was refused.
    #[schemars(with = "Vec<Token>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// The signature of the receiver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<DataIntegrityProof>,
}

impl DeliveryReceipt {
    /// The document of a receipt, not yet signed; `None` when an address in it is none.
    #[must_use]
    pub fn of(receipt: &DomainDelivery) -> Option<Self> {
        Some(Self {
            context: contexts(&receipt.receiver),
            id: receipt.id.parse().ok()?,
            node_type: DocumentType::Value,
            record_type: DeliveryReceiptClass::Value,
            attributed_to: receipt.receiver.clone(),
            request_activity: receipt.request_activity.parse().ok()?,
            receipt_for: receipt.receipt_for.parse().ok()?,
            subject_digest: receipt.subject_digest.clone(),
            received_at: receipt.received_at.whole_second(),
            delivery_state: receipt.state,
            problems: receipt.problems.clone(),
            proof: None,
        })
    }

    /// The receipt that this document describes.
    #[must_use]
    pub fn read(self) -> DomainDelivery {
        DomainDelivery {
            id: self.id.to_string(),
            receiver: self.attributed_to,
            request_activity: self.request_activity.to_string(),
            receipt_for: self.receipt_for.to_string(),
            subject_digest: self.subject_digest,
            received_at: self.received_at,
            state: self.delivery_state,
            problems: self.problems,
        }
    }
}

/// "We have erased it."
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PurgeReceipt {
    /// ActivityStreams, Data Integrity, and the holder's own copy of our context.
    #[schemars(with = "Contexts")]
    #[serde(rename = "@context")]
    pub context: Vec<String>,
    /// Its address at the holder.
    #[schemars(with = "Address")]
    pub id: RecordId,
    /// Always `Document`.
    #[serde(rename = "type")]
    pub node_type: DocumentType,
    /// Always `PurgeReceipt`.
    pub record_type: PurgeReceiptClass,
    /// Who erased; signs the receipt.
    #[schemars(with = "Address")]
    pub attributed_to: ActorId,
    /// The `Delete` answered.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_activity: Option<RecordId>,
    /// The record erased.
    #[schemars(with = "Address")]
    pub receipt_for: RecordId,
    /// Digest of the revision that was held; absent when none was.
    #[schemars(with = "Option<Multihash>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_digest: Option<Digest>,
    /// Why.
    pub cause: PurgeCause,
    /// When.
    #[schemars(with = "Instant")]
    pub purged_at: Timestamp,
    /// Where it was erased.
    pub erased: Vec<Erased>,
    /// What remains.
    #[serde(default)]
    pub residual: Vec<Residual>,
    /// Until when backups hold it.
    #[schemars(with = "Option<Instant>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backups_until: Option<Timestamp>,
    /// Recipients further on that were told; there are none, because nothing is shared onward (R14).
    #[schemars(with = "Vec<Address>")]
    #[serde(default)]
    pub notified: Vec<ActorId>,
    /// The signature of the holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<DataIntegrityProof>,
}

impl PurgeReceipt {
    /// The document of a receipt, not yet signed; `None` when an address in it is none.
    #[must_use]
    pub fn of(receipt: &DomainPurge) -> Option<Self> {
        Some(Self {
            context: contexts(&receipt.holder),
            id: receipt.id.parse().ok()?,
            node_type: DocumentType::Value,
            record_type: PurgeReceiptClass::Value,
            attributed_to: receipt.holder.clone(),
            request_activity: match &receipt.request_activity {
                Some(activity) => Some(activity.parse().ok()?),
                None => None,
            },
            receipt_for: receipt.receipt_for.parse().ok()?,
            subject_digest: receipt.subject_digest.clone(),
            cause: receipt.cause,
            purged_at: receipt.purged_at.whole_second(),
            erased: receipt.erased.clone(),
            residual: receipt.residual.clone(),
            backups_until: receipt.backups_until.map(Timestamp::whole_second),
            notified: Vec::new(),
            proof: None,
        })
    }

    /// The receipt that this document describes.
    #[must_use]
    pub fn read(self) -> DomainPurge {
        DomainPurge {
            id: self.id.to_string(),
            holder: self.attributed_to,
            request_activity: self.request_activity.map(|activity| activity.to_string()),
            receipt_for: self.receipt_for.to_string(),
            subject_digest: self.subject_digest,
            cause: self.cause,
            purged_at: self.purged_at,
            erased: self.erased,
            residual: self.residual,
            backups_until: self.backups_until,
        }
    }
}
