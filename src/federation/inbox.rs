//! The inbox: what a verified partner says is checked, kept durably, and answered; then it is done by
//! `effect`.
//!
//! The store's journal writer asks, in the transaction that keeps an activity, whether its sender may
//! say it; the answer leaves after the commit (I1). Before that, each partner has its [`Quota`]. The answer to a
//! partner gateway is its signed DeliveryReceipt; a duplicate gets the very same one again (I2).

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderName, StatusCode};
use serde_json::Value;

use crate::domain::digest::{Digest, sha256};
use crate::domain::partner::PartnerKind;
use crate::domain::receipt::{DeliveryReceipt, DeliveryState};
use crate::domain::{Class, Key, PartnerDomain, Record, RecordId};
use crate::store::{self, Append, AppendError, AuditEntry, Held, JournalEntry, JournalTask, JournalWriter, Kept, StoreError};

use super::incoming::{Asked, Incoming};
use super::ownership::{self, Standing};
use super::quota::Quota;
use super::refusal::{Code, Refusal};
use super::verify::{Verified, Verifier, busy};
use super::{Federation, knock, proof, receipts, wire};

/// The word in the audit for a revision that would make another record of the one that is held.
const IMMUTABLE: &str = "record-would-change";

/// What to answer.
#[derive(Debug, Clone)]
pub struct InboxAnswer {
    /// The status.
    pub status: StatusCode,
    /// `Content-Type`, and `Retry-After` where it helps.
    pub headers: HeaderMap,
    /// A receipt, a problem document, or nothing.
    pub body: Bytes,
    /// Who signed it, once that is known.
    pub sender: Option<PartnerDomain>,
}

impl InboxAnswer {
    fn new(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))]);
        Self { status, headers, body: body.into(), sender: None }
    }

    /// A refusal as a problem document (RFC 9457).
    #[must_use]
    pub fn refused(refusal: &Refusal) -> Self {
        let mut answer = Self::new(refusal.status(), "application/problem+json", refusal.problem_json());
        if let Some(seconds) = refusal.retry_after_seconds() {
            answer.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if refusal.status() == StatusCode::UNAUTHORIZED {
            // Tells a sender that knocks with the other scheme what we read (RFC 9421 §5).
            let wanted = r#"sig1=("@method" "@target-uri" "content-digest");created;keyid"#;
            answer.headers.insert(HeaderName::from_static("accept-signature"), HeaderValue::from_static(wanted));
        }
        answer
    }
}

/// The door. Cloning shares it.
#[derive(Clone)]
pub struct Inbox {
    federation: Federation,
    verifier: Arc<Verifier>,
    journal: JournalWriter<Refusal>,
    quota: Arc<Quota>,
}

impl Inbox {
    /// An inbox, and the journal task that must run for it.
    #[must_use]
    pub fn new(federation: Federation) -> (Self, JournalTask<Refusal>) {
        let (journal, task) = JournalWriter::new(federation.store.clone());
        let verifier = Arc::new(Verifier::new(federation.clone()));
        (Self { federation, verifier, journal, quota: Arc::default() }, task)
    }

    /// The same with another share for each partner.
    #[must_use]
    pub fn with_quota(mut self, quota: Quota) -> Self {
        self.quota = Arc::new(quota);
        self
    }

    /// An inbox whose journal task runs already; call it inside a tokio runtime. The task ends with the
    /// last clone of the inbox.
    #[must_use]
    pub fn start(federation: Federation) -> Self {
        let (inbox, task) = Self::new(federation);
        tokio::spawn(task.run());
        inbox
    }

    /// The verifier, for signed reads.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Takes one POST to the inbox.
    pub async fn receive(&self, parts: &Parts, body: &Bytes) -> InboxAnswer {
        let verified = match self.verifier.post(parts, body).await {
            Ok(verified) => verified,
            Err(refusal) => return InboxAnswer::refused(&refusal),
        };
        let partner = verified.partner().domain.clone();
        let showed = (verified.partner().kind == PartnerKind::Reader).then_some(verified.scheme());
        let answer = match self.accept(verified).await {
            // A server of the Fediverse expects no body.
            Ok(receipt) if receipt.is_empty() => {
                if let Some(scheme) = showed {
                    knock::signed_so(&self.federation, &partner, scheme).await;
                }
                InboxAnswer { status: StatusCode::ACCEPTED, headers: HeaderMap::new(), body: Bytes::new(), sender: None }
            }
            Ok(receipt) => InboxAnswer::new(StatusCode::ACCEPTED, "application/activity+json", receipt),
            Err(refusal) => {
                self.federation.refusals.record(&refusal, Some(partner.as_str()));
                InboxAnswer::refused(&refusal)
            }
        };
        InboxAnswer { sender: Some(partner), ..answer }
    }

    /// Nothing comes this far but through the verifier: a [`Verified`] cannot be made elsewhere.
    async fn accept(&self, mut verified: Verified) -> Result<String, Refusal> {
        let mut activity = verified.take_activity();
        let recall = activity.get("type").and_then(Value::as_str) == Some("Delete");
        let (store, partner) = (&self.federation.store, &verified.partner().domain);
        self.quota.take(store, partner, recall, verified.received_at()).await?;
        let speaker = verified.partner().kind;
        let incoming = Incoming::read(&mut activity, verified.actor(), speaker, self.federation.actor())?;
        let offer = Arc::new(Offer::read(incoming)?);
        let entry = Arc::new(self.entry(&mut verified, &activity, &offer.incoming)?);
        let append = Append {
            entry: Arc::clone(&entry),
            copies: offer.incoming.record().cloned().into_iter().collect(),
            records: offer.incoming.consultation().cloned().into_iter().collect(),
            check: Box::new({
                let (offer, partner) = (Arc::clone(&offer), verified.partner().clone());
                move |held| {
                    if let Some(process) = offer.incoming.consultation() {
                        return followable(process, held);
                    }
                    let copy = offer.incoming.record().and_then(|id| held.copies.get(id));
                    match ownership::check(&offer.incoming, offer.record.as_ref(), &partner, copy) {
                        Standing::May => Ok(()),
                        Standing::MayNot(refusal) | Standing::Contradicts(refusal) => Err(refusal),
                    }
                }
            }),
        };
        match self.journal.append(append).await.map_err(|error| not_kept(&error))? {
            Kept::New => Ok(entry.receipt.clone()),
            Kept::Duplicate(receipt) => {
                tracing::info!(partner = %entry.partner, activity = entry.activity_id, "an activity arrived again");
                Ok(receipt)
            }
            Kept::Refused(refusal) => {
                match refusal.code() {
                    Code::Equivocation => self.freeze(&entry, &offer, &refusal).await.map_err(busy)?,
                    Code::Immutable => self.tell_once(&entry, &offer, &refusal).await.map_err(busy)?,
                    _ => {}
                }
                Err(refusal)
            }
            Kept::Equivocation => {
                self.two_bodies(&entry).await.map_err(busy)?;
                Err(Refusal::new(Code::Equivocation, "another activity arrived under this id before; it stays"))
            }
        }
    }

    fn entry(&self, verified: &mut Verified, activity: &Value, incoming: &Incoming) -> Result<JournalEntry, Refusal> {
        let receipt = match verified.partner().kind {
            PartnerKind::Partner => self.receipt(verified, activity, incoming)?,
            PartnerKind::Reader => String::new(),
        };
        Ok(JournalEntry {
            partner: verified.partner().domain.clone(),
            activity_id: incoming.id.to_string(),
            body_hash: sha256(verified.body().as_bytes()),
            body: verified.take_body(),
            object: incoming.record().map(ToString::to_string),
            received_at: verified.received_at(),
            receipt,
        })
    }

    /// "We have received exactly this": signed before the commit, so that it is kept with the row.
    fn receipt(&self, verified: &Verified, activity: &Value, incoming: &Incoming) -> Result<String, Refusal> {
        let failed = |error: &dyn std::fmt::Display| Refusal::new(Code::Busy, error);
        let (subject, digest) = subject(activity, incoming).map_err(|error| failed(&error))?;
        let name = format!("received {} {}", verified.partner().domain, incoming.id);
        // Receipts of one second lie together in the index that finds them: the next one touches no page of a million others.
        let second = verified.received_at().micros() / 1_000_000;
        let key = Key::beginning_with(second.to_be_bytes(), name.as_bytes());
        let id = self.federation.address("receipts", &key).map_err(|error| failed(&error))?;
        let receipt = DeliveryReceipt {
            id: id.to_string(),
            receiver: self.federation.actor().clone(),
            request_activity: incoming.id.to_string(),
            receipt_for: subject,
            subject_digest: digest,
            received_at: verified.received_at(),
            state: DeliveryState::Received,
            problems: Vec::new(),
        };
        let signed =
            receipts::sign_delivery(&receipt, &self.federation.keys, verified.received_at()).map_err(|error| failed(&error))?;
        String::from_utf8(signed.bytes.to_vec()).map_err(|error| failed(&error))
    }

    /// Two contents under one revision: what is held of it is frozen, both digests stay, somebody is told
    /// (R5). Nothing else is written: the new content was not proven.
    async fn freeze(&self, entry: &JournalEntry, offer: &Offer, refusal: &Refusal) -> Result<(), StoreError> {
        let Asked::Hold(offered) = &offer.incoming.asked else { return Ok(()) };
        let mut tx = self.federation.store.write().await?;
        if let Some(revision) = offered.revision {
            tx.freeze_copy(&offered.id, revision, &offered.written.digest()).await?;
        }
        tx.append_audit(&[alert(entry, offered.id.as_str(), refusal.detail())]).await?;
        tx.save().await
    }

    /// A record that would become another one: what is held stays, and a person is told once (SEC-059).
    async fn tell_once(&self, entry: &JournalEntry, offer: &Offer, refusal: &Refusal) -> Result<(), StoreError> {
        let Some(record) = offer.incoming.record() else { return Ok(()) };
        let mut tx = self.federation.store.write().await?;
        let told = tx.audit_of(record.as_str(), 50).await?;
        if told.iter().any(|row| row.action == IMMUTABLE && row.detail == refusal.detail()) {
            return Ok(());
        }
        tx.append_audit(&[AuditEntry {
            at: entry.received_at,
            who: entry.partner.to_string(),
            action: IMMUTABLE.to_owned(),
            subject: record.to_string(),
            detail: refusal.detail().to_owned(),
        }])
        .await?;
        tx.save().await
    }

    /// Two bodies under one activity id: the first stays (SEC-026).
    async fn two_bodies(&self, entry: &JournalEntry) -> Result<(), StoreError> {
        let mut tx = self.federation.store.write().await?;
        let first = tx.lookup_journal(&entry.partner, &entry.activity_id).await?;
        // The first body may have been erased since; its receipt names its digest.
        let first = first.and_then(|row| row.body).map_or_else(|| "erased".to_owned(), |body| hex(&sha256(body.as_bytes())));
        let both = format!("SHA-256 of the first body: {first}; of the second: {}", hex(&entry.body_hash));
        tx.append_audit(&[alert(entry, &entry.activity_id, &both)]).await?;
        tx.save().await
    }
}

/// An activity with the record it carries, once read.
struct Offer {
    incoming: Incoming,
    record: Option<Record>,
}

impl Offer {
    /// Reads the record, so that what can never be kept is refused at once.
    fn read(incoming: Incoming) -> Result<Self, Refusal> {
        let record = match &incoming.asked {
            // A class that we do not know is kept in the journal and ignored, not guessed.
            Asked::Hold(offered) if wire::class_of(offered.written.document()).is_ok() => {
                let read = wire::record_from_json(offered.written.document());
                let (record, _) = read.map_err(|error| Refusal::new(Code::InvalidRecord, error))?;
                Some(record)
            }
            _ => None,
        };
        Ok(Self { incoming, record })
    }
}

/// Only a consultation that visitors see is followed.
fn followable(process: &RecordId, held: &Held) -> Result<(), Refusal> {
    let there = held.records.get(process);
    if there.is_some_and(|record| record.class == Class::Consultation && record.standing == store::Standing::Live) {
        return Ok(());
    }
    Err(Refusal::new(Code::NotFound, format_args!("there is no consultation {process}")))
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn not_kept(error: &AppendError) -> Refusal {
    Refusal::new(Code::Busy, format_args!("it was not kept ({error}); send it again"))
}

fn alert(entry: &JournalEntry, subject: &str, detail: &str) -> AuditEntry {
    tracing::error!(target: "security", partner = %entry.partner, subject, detail, "equivocation");
    AuditEntry {
        at: entry.received_at,
        who: entry.partner.to_string(),
        action: "equivocation".to_owned(),
        subject: subject.to_owned(),
        detail: detail.to_owned(),
    }
}

/// What a receipt confirms: the record and the digest of the revision carried, or the activity itself, of
/// which nothing was taken then.
fn subject(activity: &Value, incoming: &Incoming) -> Result<(String, Digest), proof::ProofError> {
    let carried = match &incoming.asked {
        Asked::Hold(offered) => Some((&offered.id, Some(offered.written.digest()))),
        Asked::Erase(erasure) => Some((&erasure.id, erasure.digest.clone())),
        _ => None,
    };
    let whole = || proof::digest(activity);
    Ok(match carried {
        Some((id, Some(digest))) => (id.to_string(), digest),
        Some((id, None)) => (id.to_string(), whole()?),
        None => (incoming.id.to_string(), whole()?),
    })
}
