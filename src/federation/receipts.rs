//! Signed answers between gateways, written and read: "we have received exactly this" and "we have
//! erased it" (participation.md §4.3.24, R10; architecture §3, receipts).
//!
//! A receipt proves only what its signature covers, so reading one takes the key that was pinned for the
//! partner, and the caller says what the receipt must speak of. Nobody here decides what to do when it
//! does not hold: no receipt means not delivered, not purged.

use serde_json::{Map, Value, json};
use url::Url;

use super::Federation;
use super::keys::Keys;
use super::proof::{self, ProofError, Signed};
use crate::domain::digest::Digest;
use crate::domain::partner::{Multikey, Partner};
use crate::domain::receipt::{DeliveryReceipt, DeliveryState, Erased, PurgeCause, PurgeReceipt, Residual};
use crate::domain::{ActorId, RecordId, Timestamp};

/// Most codes, places or residues that a receipt may list.
const MAX_LIST: usize = 32;
/// Longest address or code in a receipt, in bytes.
const MAX_TEXT: usize = 2048;

/// Why a receipt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not a receipt of this kind.
    #[error("the answer is not a {0}")]
    NotAReceipt(&'static str),
    /// A property is missing or is not what it has to be.
    #[error("`{0}` of the receipt is missing or not readable")]
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

/// The `@context` of a receipt of the gateway under `public_url` (architecture §3).
fn context(public_url: &Url) -> Value {
    let own = public_url.join("/ns/v1").map_or_else(|_| String::new(), |url| url.to_string());
    json!(["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2", own])
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
/// When the key does not sign.
pub fn sign_delivery(receipt: &DeliveryReceipt, public_url: &Url, keys: &Keys, now: Timestamp) -> Result<Signed, ProofError> {
    let mut document = json!({
        "@context": context(public_url),
        "id": receipt.id,
        "type": "Document",
        "recordType": "DeliveryReceipt",
        "attributedTo": receipt.receiver,
        "requestActivity": receipt.request_activity,
        "receiptFor": receipt.receipt_for,
        "subjectDigest": receipt.subject_digest,
        "receivedAt": receipt.received_at.whole_second(),
        "deliveryState": receipt.state,
    });
    if !receipt.problems.is_empty() {
        document["problems"] = json!(receipt.problems);
    }
    proof::sign(document, keys, now)
}

/// Signs a PurgeReceipt.
///
/// # Errors
/// When the key does not sign.
pub fn sign_purge(receipt: &PurgeReceipt, public_url: &Url, keys: &Keys, now: Timestamp) -> Result<Signed, ProofError> {
    let mut document = json!({
        "@context": context(public_url),
        "id": receipt.id,
        "type": "Document",
        "recordType": "PurgeReceipt",
        "attributedTo": receipt.holder,
        "receiptFor": receipt.receipt_for,
        "cause": receipt.cause,
        "purgedAt": receipt.purged_at.whole_second(),
        "erased": receipt.erased,
        "residual": receipt.residual,
        "notified": [],
    });
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            document[name] = value;
        }
    };
    set("requestActivity", receipt.request_activity.as_ref().map(|id| json!(id)));
    set("subjectDigest", receipt.subject_digest.as_ref().map(|digest| json!(digest)));
    set("backupsUntil", receipt.backups_until.map(|at| json!(at.whole_second())));
    proof::sign(document, keys, now)
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
    let fields = Fields::open(document, "DeliveryReceipt", pinned, now)?;
    let receipt = DeliveryReceipt {
        id: fields.own_address("id", &pinned.actor)?,
        receiver: pinned.actor.clone(),
        request_activity: fields.text("requestActivity")?,
        receipt_for: fields.text("receiptFor")?,
        subject_digest: fields.parsed("subjectDigest")?,
        received_at: fields.parsed("receivedAt")?,
        state: fields.parsed::<DeliveryState>("deliveryState")?,
        problems: fields.list("problems")?,
    };
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
    let fields = Fields::open(document, "PurgeReceipt", pinned, now)?;
    let receipt = PurgeReceipt {
        id: fields.own_address("id", &pinned.actor)?,
        holder: pinned.actor.clone(),
        request_activity: fields.optional("requestActivity")?,
        receipt_for: fields.text("receiptFor")?,
        subject_digest: fields.optional_parsed("subjectDigest")?,
        cause: fields.parsed::<PurgeCause>("cause")?,
        purged_at: fields.parsed("purgedAt")?,
        erased: fields.words::<Erased>("erased")?,
        residual: fields.words::<Residual>("residual")?,
        backups_until: fields.optional_parsed("backupsUntil")?,
    };
    // A receipt that does not say that the store was emptied leaves the purge open (GDPR-05).
    if !receipt.erased.contains(&Erased::Store) {
        return Err(ReceiptError::Property("erased"));
    }
    Ok(receipt)
}

/// The properties of a receipt whose signature holds.
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn open(document: &'a Value, kind: &'static str, pinned: &Pinned, now: Timestamp) -> Result<Self, ReceiptError> {
        let object = document.as_object().ok_or(ReceiptError::NotAReceipt(kind))?;
        let is = |name: &str, word: &str| object.get(name).and_then(Value::as_str) == Some(word);
        if !is("type", "Document") || !is("recordType", kind) {
            return Err(ReceiptError::NotAReceipt(kind));
        }
        if !is("attributedTo", pinned.actor.as_str()) {
            return Err(ReceiptError::OtherAuthority);
        }
        proof::verify(document, &pinned.key, &pinned.key_id, now)?;
        Ok(Self(object))
    }

    fn optional(&self, name: &'static str) -> Result<Option<String>, ReceiptError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= MAX_TEXT => Ok(Some(text.clone())),
            Some(_) => Err(ReceiptError::Property(name)),
        }
    }

    fn text(&self, name: &'static str) -> Result<String, ReceiptError> {
        self.optional(name)?.ok_or(ReceiptError::Property(name))
    }

    fn optional_parsed<T: std::str::FromStr>(&self, name: &'static str) -> Result<Option<T>, ReceiptError> {
        self.optional(name)?.map(|text| text.parse().map_err(|_| ReceiptError::Property(name))).transpose()
    }

    fn parsed<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, ReceiptError> {
        self.optional_parsed(name)?.ok_or(ReceiptError::Property(name))
    }

    fn own_address(&self, name: &'static str, actor: &ActorId) -> Result<String, ReceiptError> {
        let address: crate::domain::RecordId = self.parsed(name)?;
        if actor.owns(&address) { Ok(address.to_string()) } else { Err(ReceiptError::OtherAuthority) }
    }

    fn list(&self, name: &'static str) -> Result<Vec<String>, ReceiptError> {
        let refused = || ReceiptError::Property(name);
        match self.0.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) if items.len() <= MAX_LIST => items
                .iter()
                .map(|item| item.as_str().filter(|text| text.len() <= MAX_TEXT).map(str::to_owned).ok_or_else(refused))
                .collect(),
            Some(_) => Err(refused()),
        }
    }

    fn words<T: std::str::FromStr>(&self, name: &'static str) -> Result<Vec<T>, ReceiptError> {
        self.list(name)?.iter().map(|word| word.parse().map_err(|_| ReceiptError::Property(name))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public_url() -> Url {
        "https://b.example".parse().expect("an address")
    }

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
        let signed = sign_delivery(&receipt, &public_url(), &keys, now()).expect("a proof").document;
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
        let whole = sign_purge(&purge(), &public_url(), &keys, now()).expect("a proof").document;
        assert_eq!(read_purge(&whole, &pinned(&keys), now()), Ok(purge()));
        let partial = PurgeReceipt { erased: vec![Erased::Index], ..purge() };
        let partial = sign_purge(&partial, &public_url(), &keys, now()).expect("a proof").document;
        assert_eq!(read_purge(&partial, &pinned(&keys), now()), Err(ReceiptError::Property("erased")));
    }
}
