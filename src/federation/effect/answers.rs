//! Answers of partners to what we sent: our Follow, our deliveries, our deletions.
//!
//! An answer counts only if it answers something that went to exactly this partner; a receipt only if its
//! signature and the ledger agree. Everything else leaves open what is open (GDPR-05).

use serde_json::Value;

use crate::domain::change::ChangeKind;
use crate::domain::partner::FollowState;
use crate::domain::receipt::{DeliveryReceipt, DeliveryState, PurgeCause, PurgeReceipt};
use crate::domain::{RecordId, Revision};
use crate::store::{Standing, StoreError, Tx};

use super::super::dispatch;
use super::super::incoming::Answer;
use super::super::receipts::{self, Delivered, Pinned};
use super::super::signature::window::MAX_AHEAD;
use super::super::verify::{proof_key, proof_keys};
use super::{Ending, Work};

impl Work<'_> {
    /// `Accept` of something of ours.
    pub(super) async fn accepted(&self, tx: &mut Tx, answer: &Answer) -> Result<Ending, StoreError> {
        match &answer.result {
            Some(document) if receipts::is_purge(document) => self.purge_confirmed(tx, answer, document).await,
            _ if self.is_our_follow(tx, &answer.object).await? => {
                tx.set_followed(&self.row.partner, FollowState::Accepted).await?;
                Ok(Ending::applied())
            }
            _ => Ok(Ending::ignored("it accepts nothing that we asked of this partner")),
        }
    }

    /// `Reject` of something of ours.
    pub(super) async fn rejected(&self, tx: &mut Tx, answer: &Answer) -> Result<Ending, StoreError> {
        match &answer.result {
            Some(document) if receipts::is_delivery(document) => self.delivery_refused(tx, answer, document).await,
            _ if self.is_our_follow(tx, &answer.object).await? => {
                tx.set_followed(&self.row.partner, FollowState::Rejected).await?;
                Ok(Ending::applied())
            }
            _ => Ok(Ending::ignored("it rejects nothing that we asked of this partner")),
        }
    }

    /// Whether an activity is a Follow that went to this partner (SEC-065).
    async fn is_our_follow(&self, tx: &mut Tx, activity: &str) -> Result<bool, StoreError> {
        let letter = tx.find_letter(activity).await?.filter(|letter| letter.partner == self.row.partner);
        let body = letter.and_then(|letter| serde_json::from_str::<Value>(&letter.body).ok());
        Ok(body.is_some_and(|body| body.get("type").and_then(Value::as_str) == Some("Follow")))
    }

    /// The pinned key that a receipt names.
    async fn pinned(&self, tx: &mut Tx, document: &Value) -> Result<Option<Pinned>, StoreError> {
        let keys = proof_keys(tx, self.partner).await?;
        let key = proof_key(&keys, document).filter(|(.., until)| until.is_none_or(|until| until > self.now));
        Ok(key.map(|(key_id, key, _)| Pinned { actor: self.partner.actor.clone(), key: key.clone(), key_id: key_id.clone() }))
    }

    async fn purge_confirmed(&self, tx: &mut Tx, answer: &Answer, document: &Value) -> Result<Ending, StoreError> {
        let Some(pinned) = self.pinned(tx, document).await? else {
            return self.open(tx, answer, "the receipt is not signed with a pinned key").await;
        };
        let receipt = match receipts::read_purge(document, &pinned, self.now) {
            Ok(receipt) => receipt,
            Err(error) => return self.open(tx, answer, &error.to_string()).await,
        };
        if receipt.cause == PurgeCause::CacheExpiry {
            return self.expired(tx, answer, &receipt, document).await;
        }
        let record = match self.agrees(tx, answer, &receipt).await? {
            Ok(record) => record,
            Err(problem) => return self.open(tx, answer, problem).await,
        };
        if tx.note_purge(&self.row.partner, &record, &document.to_string(), self.now).await? {
            Ok(Ending::applied())
        } else {
            Ok(Ending::ignored("nothing was to be purged, or its purge is proven already"))
        }
    }

    /// The partner erased its copy by itself because nobody renewed it (R7).
    async fn expired(
        &self,
        tx: &mut Tx,
        answer: &Answer,
        receipt: &PurgeReceipt,
        document: &Value,
    ) -> Result<Ending, StoreError> {
        let record = receipt.receipt_for.parse::<RecordId>().ok().filter(|id| self.federation.actor().owns(id));
        let Some(record) = record.filter(|record| record.as_str() == answer.object) else {
            return self.open(tx, answer, "the receipt is about another record").await;
        };
        let Some(held) = &receipt.subject_digest else {
            return self.open(tx, answer, "the receipt does not say which revision was erased").await;
        };
        if tx.note_expiry(&self.row.partner, &record, (held, receipt.purged_at), &document.to_string(), self.now).await? {
            Ok(Ending::applied())
        } else {
            Ok(Ending::ignored("the ledger does not say that this partner held exactly that, and nothing newer"))
        }
    }

    /// Whether a signed purge receipt says what the ledger asks for.
    async fn agrees(
        &self,
        tx: &mut Tx,
        answer: &Answer,
        receipt: &PurgeReceipt,
    ) -> Result<Result<RecordId, &'static str>, StoreError> {
        if receipt.request_activity.as_deref() != Some(answer.object.as_str()) {
            return Ok(Err("the receipt answers another activity"));
        }
        if receipt.cause != PurgeCause::Delete {
            return Ok(Err("the receipt names another cause than our deletion"));
        }
        let Some(record) = receipt.receipt_for.parse::<RecordId>().ok().filter(|id| self.federation.actor().owns(id)) else {
            return Ok(Err("the receipt is about a record that is not ours"));
        };
        let stored = tx.lookup_record(&record).await?.filter(|stored| stored.standing == Standing::Deleted);
        let Some(stored) = stored else { return Ok(Err("the record it is about is not deleted")) };
        // Of several deletions of one record the last one counts; its address is known without its answer.
        let asked = dispatch::carrying_id(self.federation, &self.row.partner, ChangeKind::Deleted, &record, stored.revision);
        if answer.object != asked {
            return Ok(Err("the receipt answers another activity than our last deletion of this record"));
        }
        if receipt.purged_at.plus(MAX_AHEAD) < stored.changed_at {
            return Ok(Err("the receipt is of a time before the deletion"));
        }
        let Some(row) = tx.lookup_disclosure(&self.row.partner, &record).await? else {
            return Ok(Err("this record never went to this partner"));
        };
        let sent = tx.revisions_of(&record).await?;
        Ok(match &receipt.subject_digest {
            Some(digest) if !sent.iter().any(|revision| revision.digest == *digest) => {
                Err("the receipt is about a revision that never was")
            }
            None if row.acked_digest.is_some() => Err("the partner confirmed a revision before, but says it held none"),
            _ => Ok(record),
        })
    }

    /// The purge stays open; a person sees why.
    async fn open(&self, tx: &mut Tx, answer: &Answer, problem: &str) -> Result<Ending, StoreError> {
        self.audit(tx, "purge-receipt-refused", &answer.object, problem).await?;
        Ok(Ending::rejected(problem))
    }

    /// The partner's worker refused what its inbox had received.
    async fn delivery_refused(&self, tx: &mut Tx, answer: &Answer, document: &Value) -> Result<Ending, StoreError> {
        let Some(pinned) = self.pinned(tx, document).await? else {
            return Ok(Ending::rejected("the receipt is not signed with a pinned key"));
        };
        let receipt = match read_refused(document, &pinned, answer, self.now) {
            Ok(receipt) => receipt,
            Err(problem) => return Ok(Ending::rejected(problem)),
        };
        let Some(record) = receipt.receipt_for.parse::<RecordId>().ok().filter(|id| self.federation.actor().owns(id)) else {
            return Ok(Ending::ignored("it is about no record of ours"));
        };
        let revisions = tx.revisions_of(&record).await?;
        let refused: Option<Revision> =
            revisions.iter().find(|revision| revision.digest == receipt.subject_digest).map(|revision| revision.revision);
        let Some(revision) = refused else { return Ok(Ending::ignored("it is about a revision that never was")) };
        let problems = receipt.problems.join(", ");
        tx.note_refusal(&self.row.partner, &record, revision, &problems).await?;
        self.audit(tx, "delivery-refused", record.as_str(), &problems).await?;
        Ok(Ending::applied())
    }
}

/// Reads a signed refusal of the delivery that `answer` names.
fn read_refused(
    document: &Value,
    pinned: &Pinned,
    answer: &Answer,
    now: crate::domain::Timestamp,
) -> Result<DeliveryReceipt, String> {
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    let digest = text("subjectDigest").parse().map_err(|_| "the receipt names no digest".to_owned())?;
    // What was sent is looked up by what the receipt says; its signature is what is verified here.
    let sent = Delivered { activity: &answer.object, subject: text("receiptFor"), digest: &digest };
    let receipt = receipts::read_delivery(document, pinned, &sent, now).map_err(|error| error.to_string())?;
    if receipt.state == DeliveryState::Refused { Ok(receipt) } else { Err("the receipt does not refuse".to_owned()) }
}
