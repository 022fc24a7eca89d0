//! The step of delivery: claim what is due, send it, write down what became of it.
//!
//! A step claims as much as there is room for, starts it, and waits a moment for what ends first; so one
//! partner that answers after half a minute holds up nobody else. A claim is a lease with a fence: whoever
//! is killed loses nothing, and a result that comes too late is dropped. Claiming and writing down are two
//! short transactions; none is open while a socket is.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::domain::change::ChangeKind;
use crate::domain::digest::Digest;
use crate::domain::partner::{FollowState, Partner, PartnerKind};
use crate::domain::{PartnerDomain, Record, RecordId, Revision, Timestamp};
use crate::federation::{Federation, Outcome, dispatch, held, proof};
use crate::store::claims::{ClaimRequest, Claimed};
use crate::store::disclosures::{DisclosureResult, DisclosureState};
use crate::store::letters::{Letter, LetterResult, LetterState};
use crate::store::{AuditEntry, Exchange, Standing, StoreError, StoredRecord, Tx};
use crate::telemetry::kill_point;

use super::Settings;
use super::attempt::{Attempted, Prepared};
use super::outcome::{Before, Health, PURGE_AGAIN, Verdict, Written, weigh};
use super::overdue::Overdue;

/// How much longer a lease is than the deadline of its request: for preparing and writing down.
const LEASE_MARGIN: Duration = Duration::from_mins(1);

/// How long a step waits for what is under way before it looks for what became due.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// When what was claimed and not sent is looked at again.
const LEFT_AGAIN: Duration = Duration::from_hours(1);

/// Delivers what is due, a step at a time. Cloning shares it.
#[derive(Clone)]
pub struct Worker(Arc<Shared>);

pub(super) struct Shared {
    pub(super) federation: Federation,
    pub(super) settings: Settings,
    under_way: Mutex<JoinSet<()>>,
    overdue: Overdue,
}

/// Something that was claimed.
enum Item {
    Disclosure(Claimed),
    Letter(Letter),
}

impl Worker {
    /// A worker; it does nothing until [`Worker::step`] is called.
    #[must_use]
    pub fn new(federation: Federation, settings: Settings) -> Self {
        Self(Arc::new(Shared { federation, settings, under_way: Mutex::new(JoinSet::new()), overdue: Overdue::default() }))
    }

    /// Starts what is due and waits a moment for something to end. `Idle` when nothing is due and nothing under way.
    ///
    /// # Errors
    /// When the database fails at claiming; what is under way goes on.
    pub async fn step(&self) -> Result<Outcome, StoreError> {
        let mut under_way = self.0.under_way.lock().await;
        let mut ended = 0;
        while let Some(result) = under_way.try_join_next() {
            ended += note_end(result);
        }
        let busy = u32::try_from(under_way.len()).unwrap_or(u32::MAX);
        let room = self.0.settings.concurrency.saturating_sub(busy);
        self.0.overdue.look(&self.0.federation, &self.0.settings).await?;
        let began = self.0.federation.now();
        // Looked at first, so that an idle worker does not hold the writer.
        let due = room > 0 && self.0.federation.store.read().await?.delivery_is_due(began).await?;
        let items = if due { self.0.claim(room, began).await? } else { Vec::new() };
        for item in items {
            let shared = Arc::clone(&self.0);
            under_way.spawn(async move {
                if let Err(error) = shared.deliver(item, began).await {
                    tracing::error!(%error, "a delivery could not be written down; it is repeated when its lease ends");
                }
            });
        }
        match tokio::time::timeout(LOOK_AGAIN, under_way.join_next()).await {
            Ok(Some(result)) => Ok(Outcome::Worked(ended + note_end(result))),
            Ok(None) if ended == 0 => Ok(Outcome::Idle),
            // What became due meanwhile does not wait for the slowest.
            Ok(None) | Err(_) => Ok(Outcome::Worked(ended)),
        }
    }

    /// Waits for what is under way and starts nothing new: the end of a process.
    pub async fn drain(&self) {
        while self.0.under_way.lock().await.join_next().await.is_some() {}
    }
}

fn note_end(result: Result<(), tokio::task::JoinError>) -> usize {
    if let Err(error) = result {
        tracing::error!(%error, "a delivery ended abnormally; it is repeated when its lease ends");
    }
    1
}

impl Shared {
    async fn claim(&self, room: u32, now: Timestamp) -> Result<Vec<Item>, StoreError> {
        let lease_until = now.plus(self.settings.limits.deadline).plus(LEASE_MARGIN);
        let mut tx = self.federation.store.write().await?;
        let letters = tx.claim_letters(now, room, lease_until).await?;
        let left = room.saturating_sub(u32::try_from(letters.len()).unwrap_or(u32::MAX));
        let disclosures = if left == 0 {
            Vec::new()
        } else {
            let (per_partner, holder) = (self.settings.per_partner, self.settings.holder.as_str());
            tx.claim_disclosures(&ClaimRequest { now, limit: left, per_partner, lease_until, holder }).await?
        };
        tx.save().await?;
        Ok(letters.into_iter().map(Item::Letter).chain(disclosures.into_iter().map(Item::Disclosure)).collect())
    }

    async fn deliver(&self, item: Item, began: Timestamp) -> Result<(), StoreError> {
        match item {
            Item::Letter(letter) => self.deliver_letter(letter, began).await,
            Item::Disclosure(claimed) => self.deliver_disclosure(claimed, began).await,
        }
    }

    async fn deliver_disclosure(&self, claimed: Claimed, began: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.federation.store.read().await?;
        let partner = tx.lookup_partner(&claimed.partner).await?;
        let record = tx.lookup_record(&claimed.record).await?;
        drop(tx);
        let (Some(partner), Some(record)) = (partner, record) else {
            return self.leave(&claimed, DisclosureState::Parked, "the record or the partner is not there any more").await;
        };
        if partner.kind == PartnerKind::Reader {
            return self.deliver_to_reader(&claimed, &partner, &record, began).await;
        }
        let deleted = record.standing == Standing::Deleted;
        let taken_back = deleted || record.record.as_ref().is_some_and(Record::takes_words_back);
        if !taken_back && partner.follows_us != FollowState::Accepted {
            return self.leave(&claimed, DisclosureState::Due, "the partner does not follow us any more").await;
        }
        let carried = Carried::of(&claimed, &record);
        let prepared = self.prepare(&partner, &record, &carried, &partner.inbox, began);
        let attempted = self.attempt(&prepared).await;
        let before = self.before(&prepared, claimed.attempts, claimed.planned_at, !taken_back).await?;
        let mut written = self.weigh(&attempted, before);
        if let Verdict::AskThere(wait) = written.verdict {
            written = self.settle(&prepared.partner, &carried, written, wait).await;
        }
        self.finish_disclosure(&claimed, &carried, &prepared, &written).await
    }

    async fn deliver_letter(&self, letter: Letter, began: Timestamp) -> Result<(), StoreError> {
        let partner = self.federation.store.read().await?.lookup_partner(&letter.partner).await?;
        let digest = serde_json::from_str(&letter.body).ok().and_then(|activity| proof::digest(&activity).ok());
        let (Some(partner), Some(digest)) = (partner, digest) else {
            let result = LetterResult {
                state: LetterState::Parked,
                next_at: letter.next_at,
                status: None,
                answer: Some("the letter or its partner cannot be read".to_owned()),
            };
            let mut tx = self.federation.store.write().await?;
            tx.finish_letter(&letter, &result).await?;
            return tx.save().await;
        };
        let (activity, subject) = (letter.activity_id.clone(), letter.activity_id.clone());
        let inbox = letter.inbox.clone().unwrap_or_else(|| partner.inbox.clone());
        let prepared = Prepared { partner, inbox, began, activity, subject, digest, body: letter.body.clone().into() };
        let attempted = self.attempt(&prepared).await;
        // A purge receipt is owed until it is delivered.
        let may_park = !letter.body.contains("\"PurgeReceipt\"");
        let before = self.before(&prepared, letter.attempts, letter.written_at, may_park).await?;
        let mut written = self.weigh(&attempted, before);
        if letter.inbox.is_some() {
            // One account's inbox does not speak for its server.
            written.health = written.health.of_an_account();
        }
        self.finish_letter(&letter, &prepared, &written).await
    }

    /// The activity that carries a record as it is now, on its way to an inbox.
    pub(super) fn prepare(
        &self,
        partner: &Partner,
        record: &StoredRecord,
        carried: &Carried,
        inbox: &str,
        began: Timestamp,
    ) -> Prepared {
        let (revision, process) = ((&record.id, carried.revision), Some(&record.process));
        let activity = dispatch::carrying(&self.federation, partner, carried.kind, revision, process, &record.sealed);
        Prepared {
            partner: partner.clone(),
            inbox: inbox.to_owned(),
            began,
            activity: activity.id,
            subject: record.id.to_string(),
            digest: carried.digest.clone(),
            body: activity.body,
        }
    }

    pub(super) async fn attempt(&self, prepared: &Prepared) -> Attempted {
        kill_point("delivery.before-send");
        let attempted = prepared.send(&self.federation, self.settings.limits).await;
        kill_point("delivery.after-send");
        attempted
    }

    pub(super) async fn before(
        &self,
        prepared: &Prepared,
        attempts: u32,
        due_since: Timestamp,
        may_park: bool,
    ) -> Result<Before, StoreError> {
        let now = self.federation.now();
        let health = self.federation.store.read().await?.partner_health(prepared.domain()).await?;
        let failing_since = health.as_ref().and_then(|health| health.failing_since);
        // Under way already when the partner began to fail: the same failure, not the next one.
        let with_others = failing_since.is_some_and(|since| since >= prepared.began);
        Ok(Before {
            attempts,
            age: now.since(due_since),
            parks_after: may_park.then_some(self.settings.park_after),
            failures: if with_others { 0 } else { health.map_or(0, |health| health.failures.0) },
            failing_for: failing_since.map_or(Duration::ZERO, |since| now.since(since)),
        })
    }

    pub(super) fn weigh(&self, attempted: &Attempted, before: Before) -> Written {
        let mut rng = self.federation.rng.lock().unwrap_or_else(PoisonError::into_inner);
        weigh(attempted, before, rng.as_mut())
    }

    /// The status query: twice the partner said yes without proof; what does it hold?
    async fn settle(&self, partner: &Partner, carried: &Carried, written: Written, wait: Duration) -> Written {
        let there = match held::ask(&self.federation, partner, &carried.record).await {
            Ok(there) => there,
            Err(error) => {
                let words = Some(format!("unconfirmed, and it does not say what it holds: {error}"));
                let health = Health::Failing { wait, blocked: None };
                return Written { verdict: Verdict::Again(wait), health, words, ..written };
            }
        };
        let has_it = match &there {
            Some(there) if carried.kind == ChangeKind::Deleted => there.deleted,
            Some(there) => there.revision > carried.revision || there.digest == carried.digest,
            None => carried.kind == ChangeKind::Deleted,
        };
        if has_it {
            let words = Some("confirmed by what it says it holds".to_owned());
            Written { verdict: Verdict::Reached, health: Health::Good, words, ..written }
        } else {
            let words = Some("unconfirmed, and not among what it says it holds".to_owned());
            let health = Health::Failing { wait, blocked: None };
            Written { verdict: Verdict::Again(wait), health, words, ..written }
        }
    }

    async fn finish_disclosure(
        &self,
        claimed: &Claimed,
        carried: &Carried,
        prepared: &Prepared,
        written: &Written,
    ) -> Result<(), StoreError> {
        let now = self.federation.now();
        let owes_purge = carried.kind == ChangeKind::Deleted && prepared.partner.kind == PartnerKind::Partner;
        let (state, next_at) = match written.verdict {
            Verdict::Reached if owes_purge => (DisclosureState::PurgeAsked, now.plus(PURGE_AGAIN)),
            Verdict::Reached => (DisclosureState::Acknowledged, now),
            Verdict::OnceMore(wait) => (DisclosureState::Unconfirmed, now.plus(wait)),
            Verdict::AskThere(wait) | Verdict::Again(wait) => (DisclosureState::Due, now.plus(wait)),
            Verdict::Rejected => (DisclosureState::Rejected, now),
            Verdict::Parked => (DisclosureState::Parked, now),
        };
        let result = DisclosureResult {
            state,
            revision: carried.revision,
            digest: carried.digest.clone(),
            at: now,
            next_at,
            status: written.status,
            answer: written.words.clone(),
            receipt: written.receipt.clone(),
        };
        let mut tx = self.federation.store.write().await?;
        if tx.finish_disclosure(claimed, &result).await? {
            self.note(&mut tx, prepared, Some(carried), written, now).await?;
        } else {
            tracing::warn!(partner = %claimed.partner, record = %claimed.record, "a result came after its lease; it is dropped");
        }
        tx.save().await?;
        kill_point("delivery.after-commit");
        Ok(())
    }

    async fn finish_letter(&self, letter: &Letter, prepared: &Prepared, written: &Written) -> Result<(), StoreError> {
        let now = self.federation.now();
        let (state, next_at) = match written.verdict {
            // What a letter asks for is answered by a letter; no collection shows whether it arrived.
            Verdict::Reached | Verdict::AskThere(_) => (LetterState::Answered, now),
            Verdict::OnceMore(wait) | Verdict::Again(wait) => (LetterState::Due, now.plus(wait)),
            Verdict::Rejected => (LetterState::Rejected, now),
            Verdict::Parked => (LetterState::Parked, now),
        };
        let result = LetterResult { state, next_at, status: written.status, answer: written.words.clone() };
        let mut tx = self.federation.store.write().await?;
        if tx.finish_letter(letter, &result).await? {
            self.note(&mut tx, prepared, None, written, now).await?;
        }
        tx.save().await?;
        kill_point("delivery.after-commit");
        Ok(())
    }

    /// The exchange log, the partner's health, and what a person must know.
    pub(super) async fn note(
        &self,
        tx: &mut Tx,
        prepared: &Prepared,
        carried: Option<&Carried>,
        written: &Written,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let domain = prepared.domain();
        if written.status.is_some() {
            let exchange = Exchange {
                partner: domain.clone(),
                record: carried.map(|carried| carried.record.clone()),
                revision: carried.map(|carried| carried.revision),
                digest: Some(prepared.digest.clone()),
                activity: prepared.activity.clone(),
                at: now,
                status: written.status,
                answer: written.words.clone(),
            };
            tx.append_exchanges(&[exchange]).await?;
        }
        match &written.health {
            Health::Good => tx.note_success(domain, now).await?,
            Health::Unchanged => {}
            Health::Failing { wait, blocked } => {
                tx.note_failure(domain, prepared.began, now, now.plus(*wait), blocked.as_deref()).await?;
            }
        }
        let Some(action) = written.alert else { return Ok(()) };
        let of_partner = matches!(&written.health, Health::Failing { blocked, .. } if blocked.is_some());
        // A recall that is refused is tried again for ever; it is told of once.
        let again = matches!(written.verdict, Verdict::Again(_));
        let news = match (of_partner, again) {
            (true, _) => self.is_new(tx, domain, action, None).await?,
            (false, true) => self.is_new(tx, domain, action, Some(&prepared.subject)).await?,
            (false, false) => true,
        };
        if news {
            let entry = AuditEntry {
                at: now,
                who: "gateway".to_owned(),
                action: action.to_owned(),
                subject: domain.to_string(),
                detail: format!(
                    "{}: {} {}",
                    prepared.subject,
                    written.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string()),
                    written.words.as_deref().unwrap_or_default()
                ),
            };
            tracing::warn!(partner = %domain, subject = prepared.subject, action, status = written.status, "a delivery needs a look");
            tx.append_audit(&[entry]).await?;
        }
        Ok(())
    }

    /// Whether nobody was told yet since this partner began to fail. Its row is locked by what was just
    /// written, so that of two deliveries that fail at once one tells.
    async fn is_new(&self, tx: &mut Tx, partner: &PartnerDomain, action: &str, about: Option<&str>) -> Result<bool, StoreError> {
        let since = tx.partner_health(partner).await?.and_then(|health| health.failing_since);
        let told = tx.audit_of(partner.as_str(), 50).await?;
        let said = |detail: &str| about.is_none_or(|about| detail.strip_prefix(about).is_some_and(|rest| rest.starts_with(':')));
        Ok(!told.iter().any(|entry| entry.action == action && said(&entry.detail) && since.is_none_or(|since| entry.at >= since)))
    }

    /// Gives a claimed row back without having sent anything; it is looked at again in a while.
    async fn leave(&self, claimed: &Claimed, state: DisclosureState, why: &str) -> Result<(), StoreError> {
        let now = self.federation.now();
        let result = DisclosureResult {
            state,
            revision: claimed.acked_revision.unwrap_or_default(),
            digest: claimed.acked_digest.clone().unwrap_or_else(|| Digest::of(b"")),
            at: now,
            next_at: now.plus(LEFT_AGAIN),
            status: None,
            answer: Some(why.to_owned()),
            receipt: None,
        };
        let mut tx = self.federation.store.write().await?;
        tx.finish_disclosure(claimed, &result).await?;
        tx.save().await
    }
}

/// What an activity carries: the record as it is now, not as it was when it became due.
pub(super) struct Carried {
    pub(super) record: RecordId,
    pub(super) revision: Revision,
    pub(super) digest: Digest,
    pub(super) kind: ChangeKind,
}

impl Carried {
    pub(super) fn of(claimed: &Claimed, record: &StoredRecord) -> Self {
        let kind = match (record.standing, claimed.acked_revision) {
            (Standing::Deleted, _) => ChangeKind::Deleted,
            (_, None) => ChangeKind::Created,
            (_, Some(_)) => ChangeKind::Updated,
        };
        Self { record: record.id.clone(), revision: record.revision, digest: record.digest.clone(), kind }
    }
}
