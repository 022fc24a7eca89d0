//! The letters an effect causes. Their ids are functions of what they answer, so that doing an effect
//! again writes the same letter, and the store keeps it once.

use serde_json::{Value, json};

use crate::domain::digest::Digest;
use crate::domain::receipt::{DeliveryReceipt, DeliveryState, PurgeReceipt};
use crate::domain::{Key, RecordId};
use crate::store::{StoreError, Tx};

use super::super::{receipts, wire};
use super::Work;

/// What the address of a purge receipt is made from, beside the deletion that it answers.
pub(super) const PURGED: &str = "purged";
/// How many activities about a record are looked through for an earlier answer.
const EARLIER: u32 = 50;

impl Work<'_> {
    /// Accepts what the activity asked for.
    pub(super) async fn accept(&self, tx: &mut Tx, object: Value, result: Option<Value>) -> Result<(), StoreError> {
        self.answer(tx, "Accept", object, result).await
    }

    /// Accepts what an account of a reader server asked for.
    pub(super) async fn accept_at(&self, tx: &mut Tx, inbox: &str, object: Value) -> Result<(), StoreError> {
        self.answer_at(tx, Some(inbox), "Accept", object, None).await
    }

    /// Tells the sender that what it was given a receipt for is refused, and why (architecture §3).
    pub(super) async fn refuse(&self, tx: &mut Tx, subject: &str, digest: &Digest, problem: &str) -> Result<(), StoreError> {
        let id = self.address("receipts", "refused");
        let receipt = DeliveryReceipt {
            id,
            receiver: self.federation.actor().clone(),
            request_activity: self.incoming.id.to_string(),
            receipt_for: subject.to_owned(),
            subject_digest: digest.clone(),
            received_at: self.row.received_at,
            state: DeliveryState::Refused,
            problems: vec![problem.to_owned()],
        };
        let signed = receipts::sign_delivery(&receipt, &self.federation.keys, self.now);
        // Without a signature there is nothing that proves the refusal; the sender's retry asks again.
        let Ok(signed) = signed else { return Ok(()) };
        self.answer(tx, "Reject", json!(self.incoming.id), Some(signed.document)).await
    }

    /// Answers a deletion with the signed receipt of the purge (R10).
    pub(super) async fn purged(&self, tx: &mut Tx, receipt: &PurgeReceipt) -> Result<bool, StoreError> {
        let signed = receipts::sign_purge(receipt, &self.federation.keys, self.now);
        let Ok(signed) = signed else { return Ok(false) };
        self.accept(tx, json!(self.incoming.id), Some(signed.document)).await?;
        Ok(true)
    }

    /// What we said we held of a record when we answered an earlier deletion of it; none when we answered none.
    pub(super) async fn attested(&self, tx: &mut Tx, record: &RecordId) -> Result<Option<PurgeReceipt>, StoreError> {
        for activity in tx.activities_about(&self.row.partner, record, EARLIER).await? {
            let given = tx.find_receipt(&self.address_about("receipts", PURGED, &activity)).await?;
            if let Some(receipt) = given.and_then(|text| receipts::given_purge(&text)) {
                return Ok(Some(receipt));
            }
        }
        Ok(None)
    }

    /// An address of ours that belongs to this activity and to nothing else.
    pub(super) fn address(&self, folder: &str, purpose: &str) -> String {
        self.address_about(folder, purpose, self.incoming.id.as_str())
    }

    fn address_about(&self, folder: &str, purpose: &str, activity: &str) -> String {
        let key = Key::digest_of(format!("{purpose} {} {activity}", self.row.partner).as_bytes());
        self.federation.address(folder, &key).map_or_else(|_| String::new(), |url| url.to_string())
    }

    async fn answer(&self, tx: &mut Tx, kind: &str, object: Value, result: Option<Value>) -> Result<(), StoreError> {
        self.answer_at(tx, None, kind, object, result).await
    }

    /// The same to an account of a reader server, at its inbox.
    async fn answer_at(
        &self,
        tx: &mut Tx,
        inbox: Option<&str>,
        kind: &str,
        object: Value,
        result: Option<Value>,
    ) -> Result<(), StoreError> {
        let id = self.address("activities", kind);
        let mut body = json!({
            "@context": wire::AS2,
            "id": id,
            "type": kind,
            "actor": self.federation.actor(),
            "to": [self.speaker],
            "object": object,
        });
        if let Some(result) = result {
            body["result"] = result;
        }
        tx.put_letter_to(&self.row.partner, inbox, &id, &body.to_string(), self.now).await?;
        Ok(())
    }
}
