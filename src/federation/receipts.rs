//! Signed answers between gateways, written and read: "we have received exactly this" and "we have
//! erased it" (participation.md §4.3.24, R10; architecture §3, receipts).
//!
//! A receipt proves only what its signature covers, so reading one takes the key that was pinned for the
//! partner, and the caller says what the receipt must speak of. Nobody here decides what to do when it
//! does not hold: no receipt means not delivered, not purged. Their shape is `wire::receipt`'s.

use serde_json::Value;

use super::Federation;
use super::keys::Keys;
use super::proof::{self, ProofError, Signed};
use super::wire::{self, WireError};
use crate::domain::digest::Digest;
use crate::domain::partner::{Multikey, Partner};
use crate::domain::receipt::{DeliveryReceipt, Erased, PurgeCause, PurgeReceipt, Residual};
use crate::domain::{ActorId, RecordId, Timestamp};

/// Most codes that a receipt may list.
const MAX_LIST: usize = 32;
/// Longest code in a receipt, in bytes.
const MAX_TEXT: usize = 2048;
/// The class of a receipt for a delivery.
const DELIVERY: &str = "DeliveryReceipt";
/// The class of a receipt for an erasure.
const PURGE: &str = "PurgeReceipt";

/// Why a receipt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not a receipt of this kind.
    #[error("the answer is not a {0}")]
    NotAReceipt(&'static str),
    /// It has not the shape of one, or an address in it is none.
    #[error("the receipt cannot be read: {0}")]
    Shape(#[from] WireError),
    /// A property says too little, or too much.
    #[error("`{0}` of the receipt does not say what it has to")]
    Property(&'static str),
    /// Signed by somebody, about somebody else.
    #[error("the receipt is by another authority than the partner that was asked")]
    OtherAuthority,
    /// It speaks of another activity, record or revision.
    #[error("the receipt speaks of another {0}")]
    OtherSubject(&'static str),
    /// The partner has no pinned key.
    #[error("there is no pinned key to check the receipt with")]
    NoKey,
    /// The signature does not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// The key that was pinned for an authority, which its receipts and records are checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// Whose key.
    pub actor: ActorId,
    /// The key.
    pub key: Multikey,
    /// Its name, as proofs state it.
    pub key_id: String,
}

impl Pinned {
    /// The key pinned at pairing.
    ///
    /// # Errors
    /// [`ReceiptError::NoKey`] for a reader, which has none.
    pub fn of(partner: &Partner) -> Result<Self, ReceiptError> {
        match (&partner.key, &partner.key_id) {
            (Some(key), Some(key_id)) => Ok(Self { actor: partner.actor.clone(), key: key.clone(), key_id: key_id.clone() }),
            _ => Err(ReceiptError::NoKey),
        }
    }
}

/// What a DeliveryReceipt has to speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered<'a> {
    /// The activity that was sent.
    pub activity: &'a str,
    /// The record it carried, or the activity itself.
    pub subject: &'a str,
    /// The digest of what was carried.
    pub digest: &'a Digest,
}

/// What we say under the address `id` when a copy was erased: from where, and what stays how long.
#[must_use]
pub fn erased(federation: &Federation, id: String, record: &RecordId, cause: PurgeCause, now: Timestamp) -> PurgeReceipt {
    let keep = federation.backup_keep;
    let tombstone = (cause == PurgeCause::Delete).then_some(Residual::Tombstone);
    let backup = (!keep.is_zero()).then_some(Residual::Backup);
    PurgeReceipt {
        id,
        holder: federation.actor().clone(),
        request_activity: None,
        receipt_for: record.to_string(),
        subject_digest: None,
        cause,
        purged_at: now,
        // One table holds a copy; pages, search, exports and caches are computed from it.
        erased: Erased::ALL.to_vec(),
        residual: tombstone.into_iter().chain([Residual::AuditHash]).chain(backup).collect(),
        backups_until: backup.map(|_| now.plus(keep)),
    }
}

/// Signs a DeliveryReceipt.
///
/// # Errors
/// When the key does not sign, or an address in the receipt is none.
pub fn sign_delivery(receipt: &DeliveryReceipt, keys: &Keys, now: Timestamp) -> Result<Signed, ReceiptError> {
    Ok(proof::sign(wire::delivery_receipt_to_json(receipt)?, keys, now)?)
}

/// Signs a PurgeReceipt.
///
/// # Errors
/// When the key does not sign, or an address in the receipt is none.
pub fn sign_purge(receipt: &PurgeReceipt, keys: &Keys, now: Timestamp) -> Result<Signed, ReceiptError> {
    Ok(proof::sign(wire::purge_receipt_to_json(receipt)?, keys, now)?)
}

/// Reads and verifies a DeliveryReceipt by `pinned`, and asks that it speaks of `sent`.
///
/// # Errors
/// [`ReceiptError`] says why it proves nothing.
pub fn read_delivery(
    document: &Value,
    pinned: &Pinned,
    sent: &Delivered<'_>,
    now: Timestamp,
) -> Result<DeliveryReceipt, ReceiptError> {
    proven(document, DELIVERY, pinned, now)?;
    let receipt = wire::delivery_receipt_from_json(document)?;
    signed_by_its_author(&receipt.receiver, &receipt.id, pinned)?;
    if receipt.problems.len() > MAX_LIST || receipt.problems.iter().any(|problem| problem.len() > MAX_TEXT) {
        return Err(ReceiptError::Property("problems"));
    }
    if receipt.request_activity != sent.activity {
        return Err(ReceiptError::OtherSubject("activity"));
    }
    if receipt.receipt_for != sent.subject {
        return Err(ReceiptError::OtherSubject("record"));
    }
    if &receipt.subject_digest != sent.digest {
        return Err(ReceiptError::OtherSubject("revision"));
    }
    Ok(receipt)
}

/// Reads and verifies a PurgeReceipt by `pinned`. Whether it answers what was asked is [`PurgeReceipt`]'s
/// reader's question: compare `receipt_for`, `request_activity` and `subject_digest` with the ledger.
///
/// # Errors
/// [`ReceiptError`] says why it proves nothing.
pub fn read_purge(document: &Value, pinned: &Pinned, now: Timestamp) -> Result<PurgeReceipt, ReceiptError> {
    proven(document, PURGE, pinned, now)?;
    let receipt = wire::purge_receipt_from_json(document)?;
    signed_by_its_author(&receipt.holder, &receipt.id, pinned)?;
    // A receipt that does not say that the store was emptied leaves the purge open (GDPR-05).
    if !receipt.erased.contains(&Erased::Store) {
        return Err(ReceiptError::Property("erased"));
    }
    Ok(receipt)
}

/// Whether a document says that it is a receipt for an erasure.
#[must_use]
pub fn is_purge(document: &Value) -> bool {
    is_a(document, PURGE)
}

/// Whether a document says that it is a receipt for a delivery.
#[must_use]
pub fn is_delivery(document: &Value) -> bool {
    is_a(document, DELIVERY)
}

/// A PurgeReceipt of our own, as it was kept; it needs no proof here, because it never left.
#[must_use]
pub fn given_purge(text: &str) -> Option<PurgeReceipt> {
    let document: Value = serde_json::from_str(text).ok()?;
    wire::purge_receipt_from_json(&document).ok()
}

fn is_a(document: &Value, kind: &str) -> bool {
    document.get("recordType").and_then(Value::as_str) == Some(kind)
}

/// A document of this kind whose signature holds.
fn proven(document: &Value, kind: &'static str, pinned: &Pinned, now: Timestamp) -> Result<(), ReceiptError> {
    if !is_a(document, kind) {
        return Err(ReceiptError::NotAReceipt(kind));
    }
    if document.get("attributedTo").and_then(Value::as_str) != Some(pinned.actor.as_str()) {
        return Err(ReceiptError::OtherAuthority);
    }
    proof::verify(document, &pinned.key, &pinned.key_id, now)?;
    Ok(())
}

/// Who signed it speaks for itself, under an address of its own.
fn signed_by_its_author(author: &ActorId, id: &str, pinned: &Pinned) -> Result<(), ReceiptError> {
    let own = *author == pinned.actor && id.parse::<RecordId>().is_ok_and(|id| pinned.actor.owns(&id));
    if own { Ok(()) } else { Err(ReceiptError::OtherAuthority) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::receipt::DeliveryState;

    fn keys(seed: u8) -> Keys {
        Keys::from_seed("https://b.example/actor".parse().expect("an address"), &[seed; 32]).expect("keys")
    }

    fn pinned(keys: &Keys) -> Pinned {
        Pinned { actor: keys.actor().clone(), key: keys.multikey().clone(), key_id: keys.ed25519_id() }
    }

    fn now() -> Timestamp {
        "2026-09-15T06:30:00Z".parse().expect("a date")
    }

    fn delivery() -> DeliveryReceipt {
        DeliveryReceipt {
            id: "https://b.example/receipts/r1".to_owned(),
            receiver: "https://b.example/actor".parse().expect("an address"),
            request_activity: "https://a.example/activities/1".to_owned(),
            receipt_for: "https://a.example/contributions/1".to_owned(),
            subject_digest: Digest::of(b"revision 1"),
            received_at: now(),
            state: DeliveryState::Received,
            problems: Vec::new(),
        }
    }

    fn purge() -> PurgeReceipt {
        PurgeReceipt {
            id: "https://b.example/receipts/p1".to_owned(),
            holder: "https://b.example/actor".parse().expect("an address"),
            request_activity: Some("https://a.example/activities/2".to_owned()),
            receipt_for: "https://a.example/contributions/1".to_owned(),
            subject_digest: Some(Digest::of(b"revision 1")),
            cause: PurgeCause::Delete,
            purged_at: now(),
            erased: Erased::ALL.to_vec(),
            residual: vec![Residual::Tombstone],
            backups_until: None,
        }
    }

    #[test]
    fn gdpr_05_what_was_signed_is_read_back_and_nothing_else_is() {
        let keys = keys(1);
        let receipt = delivery();
        let signed = sign_delivery(&receipt, &keys, now()).expect("a proof").document;
        let sent =
            Delivered { activity: &receipt.request_activity, subject: &receipt.receipt_for, digest: &receipt.subject_digest };
        assert_eq!(read_delivery(&signed, &pinned(&keys), &sent, now()).as_ref(), Ok(&receipt));

        let other_digest = Digest::of(b"revision 2");
        let other = |sent: Delivered<'_>| read_delivery(&signed, &pinned(&keys), &sent, now());
        assert_eq!(other(Delivered { digest: &other_digest, ..sent.clone() }), Err(ReceiptError::OtherSubject("revision")));
        assert_eq!(
            other(Delivered { activity: "https://a.example/x", ..sent.clone() }),
            Err(ReceiptError::OtherSubject("activity"))
        );
        assert_eq!(
            other(Delivered { subject: "https://a.example/x", ..sent.clone() }),
            Err(ReceiptError::OtherSubject("record"))
        );

        let mut flipped = signed.clone();
        flipped["deliveryState"] = json!("stored");
        assert_eq!(read_delivery(&flipped, &pinned(&keys), &sent, now()), Err(ReceiptError::Proof(ProofError::Broken)));
        let strange = pinned(&self::keys(2));
        assert_eq!(read_delivery(&signed, &strange, &sent, now()), Err(ReceiptError::Proof(ProofError::Broken)));
        let mut elsewhere = pinned(&keys);
        elsewhere.actor = "https://c.example/actor".parse().expect("an address");
        assert_eq!(read_delivery(&signed, &elsewhere, &sent, now()), Err(ReceiptError::OtherAuthority));
        assert_eq!(read_purge(&signed, &pinned(&keys), now()), Err(ReceiptError::NotAReceipt("PurgeReceipt")));
        assert_eq!(read_purge(&json!("words"), &pinned(&keys), now()), Err(ReceiptError::NotAReceipt("PurgeReceipt")));
    }

    #[test]
    fn gdpr_05_a_purge_receipt_that_leaves_the_store_full_is_none() {
        let keys = keys(1);
        let whole = sign_purge(&purge(), &keys, now()).expect("a proof").document;
        assert_eq!(read_purge(&whole, &pinned(&keys), now()), Ok(purge()));
        let partial = PurgeReceipt { erased: vec![Erased::Index], ..purge() };
        let partial = sign_purge(&partial, &keys, now()).expect("a proof").document;
        assert_eq!(read_purge(&partial, &pinned(&keys), now()), Err(ReceiptError::Property("erased")));
    }
}
