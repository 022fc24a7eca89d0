//! One delivery, from what was claimed to what is written down of it: is it still to leave, what does it
//! carry, what was answered, what does that mean. Between the two transactions of the worker, with none open.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::domain::change::ChangeKind;
use crate::domain::digest::Digest;
use crate::domain::partner::{FollowState, Partner, PartnerKind};
use crate::domain::{PartnerDomain, RecordId, Revision, Timestamp};
use crate::federation::{Federation, dispatch, held, knock, proof};
use crate::store::claims::Claimed;
use crate::store::disclosures::{DisclosureResult, DisclosureState};
use crate::store::letters::{Letter, LetterResult, LetterState};
use crate::store::{Standing, StoreError, StoredRecord};
use crate::telemetry::kill_point;

use super::Settings;
use super::attempt::{Attempted, Prepared};
use super::ledger::{Delivered, Ended, Note, Told};
use super::outcome::{Before, Health, PURGE_AGAIN, Verdict, Written, weigh};
use super::readers::Wanted;

/// When what was claimed and not sent is looked at again.
const LEFT_AGAIN: Duration = Duration::from_hours(1);

/// Who carries out deliveries.
pub(super) struct Courier {
    pub(super) federation: Federation,
    pub(super) settings: Settings,
}

/// What leaves: to whom, and the record as it is now.
pub(super) struct Departure {
    pub(super) claimed: Claimed,
    pub(super) partner: Partner,
    pub(super) record: Arc<StoredRecord>,
    pub(super) wanted: Wanted,
}

impl Courier {
    /// What of this may leave now, and with what; what may not is given back. One that cannot be read takes no
    /// other with it.
    ///
    /// # Errors
    /// When the database cannot be asked just now.
    pub(super) async fn ready(&self, leaving: &[Claimed], now: Timestamp) -> Result<Vec<Result<Departure, Ended>>, StoreError> {
        match self.read(leaving, now).await {
            Err(error) if !error.is_passing() => {}
            ready => return ready,
        }
        let mut ready = Vec::with_capacity(leaving.len());
        for one in leaving {
            match self.read(std::slice::from_ref(one), now).await {
                Ok(alone) => ready.extend(alone),
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => {
                    tracing::error!(%error, partner = %one.partner, record = %one.record, "what is due cannot be read");
                    ready.push(Err(self.left(one.clone(), DisclosureState::Due, "it cannot be read from the database")));
                }
            }
        }
        Ok(ready)
    }

    async fn read(&self, leaving: &[Claimed], now: Timestamp) -> Result<Vec<Result<Departure, Ended>>, StoreError> {
        let mut domains: Vec<PartnerDomain> = leaving.iter().map(|one| one.partner.clone()).collect();
        domains.sort();
        domains.dedup();
        let mut ids: Vec<RecordId> = leaving.iter().map(|one| one.record.clone()).collect();
        ids.sort();
        ids.dedup();
        let mut tx = self.federation.store.read_back().await?;
        let gates = tx.gates(&domains, now).await?;
        let partners = tx.lookup_partners(&domains.iter().collect::<Vec<_>>()).await?;
        let records = tx.lookup_records(&ids).await?;
        drop(tx);
        let partners: BTreeMap<&PartnerDomain, &Partner> = partners.iter().map(|partner| (&partner.domain, partner)).collect();
        let records: HashMap<RecordId, Arc<StoredRecord>> =
            records.into_iter().map(|record| (record.id.clone(), Arc::new(record))).collect();
        let due: Vec<_> = leaving
            .iter()
            .filter_map(|one| Some((one, *partners.get(&one.partner)?, &**records.get(&one.record)?)))
            .filter(|(_, partner, _)| partner.kind == PartnerKind::Reader)
            .collect();
        let wanted = self.wanted(&due, now).await?;
        let mut ready = Vec::with_capacity(leaving.len());
        for claimed in leaving {
            let (Some(partner), Some(record)) = (partners.get(&claimed.partner), records.get(&claimed.record)) else {
                let why = "the record or the partner is not there any more";
                ready.push(Err(self.left(claimed.clone(), DisclosureState::Parked, why)));
                continue;
            };
            let recall = claimed.recall && record.takes_back();
            let may_leave = gates.get(&claimed.partner).is_some_and(|gate| gate.lets_out(claimed, recall));
            // Who was never offered a record is not told that it is gone.
            let unheard_of = !claimed.offered && record.standing != Standing::Live;
            ready.push(if may_leave && !unheard_of {
                let wanted = wanted.get(&(&claimed.partner, &claimed.record)).cloned().unwrap_or_default();
                Ok(Departure { claimed: claimed.clone(), partner: (*partner).clone(), record: Arc::clone(record), wanted })
            } else {
                Err(Ended::NotSent(claimed.clone()))
            });
        }
        Ok(ready)
    }

    pub(super) async fn deliver_disclosure(self: Arc<Self>, departure: Departure, began: Timestamp) -> Result<Ended, StoreError> {
        if departure.partner.kind == PartnerKind::Reader {
            return self.deliver_to_reader(departure, began).await;
        }
        let Departure { claimed, partner, record, wanted: _ } = departure;
        let taken_back = record.takes_back();
        if !taken_back && partner.follows_us != FollowState::Accepted {
            return Ok(self.left(claimed, DisclosureState::Due, "the partner does not follow us any more"));
        }
        let carried = Carried::to_partner(&claimed, &record);
        let prepared = self.prepare(&partner, &record, &carried, &partner.inbox, began);
        let attempted = self.attempt(&prepared).await;
        let before = self.before(&prepared, &attempted, claimed.attempts, claimed.planned_at, !taken_back).await?;
        let mut written = self.weigh(&attempted, before);
        if let Verdict::AskThere(wait) = written.verdict {
            written = self.settle(&prepared.partner, &carried, written, wait).await;
        }
        Ok(self.delivered(claimed, &carried, &prepared, written))
    }

    pub(super) async fn deliver_letter(self: Arc<Self>, letter: Letter, began: Timestamp) -> Result<Ended, StoreError> {
        let mut tx = self.federation.store.read().await?;
        let partner = tx.lookup_partner(&letter.partner).await?;
        let digest = serde_json::from_str(&letter.body).ok().and_then(|activity| proof::digest(&activity).ok());
        let (Some(partner), Some(digest)) = (partner, digest) else {
            let result = LetterResult {
                state: LetterState::Parked,
                next_at: letter.next_at,
                status: None,
                answer: Some("the letter or its partner cannot be read".to_owned()),
            };
            return Ok(Ended::Letter { letter: Box::new(letter), result, note: None });
        };
        let (activity, subject) = (letter.activity_id.clone(), letter.activity_id.clone());
        let inbox = letter.inbox.clone().unwrap_or_else(|| partner.inbox.clone());
        let known = match inbox.parse() {
            Ok(url) if partner.kind == PartnerKind::Reader => {
                let host = PartnerDomain::of(&url);
                knock::shown(&mut tx, &[&host], began).await.remove(&host)
            }
            _ => None,
        };
        drop(tx);
        let prepared = Prepared { partner, inbox, began, activity, subject, digest, body: letter.body.clone().into(), known };
        let attempted = self.attempt(&prepared).await;
        // A purge receipt is owed until it is delivered.
        let may_park = !letter.body.contains("\"PurgeReceipt\"");
        let before = self.before(&prepared, &attempted, letter.attempts, letter.written_at, may_park).await?;
        let mut written = self.weigh(&attempted, before);
        if letter.inbox.is_some() {
            // One account's inbox does not speak for its server.
            written.health = written.health.of_an_account();
        }
        let now = self.federation.now();
        let (state, next_at) = match written.verdict {
            // What a letter asks for is answered by a letter; no collection shows whether it arrived.
            Verdict::Reached | Verdict::AskThere(_) => (LetterState::Answered, now),
            Verdict::OnceMore(wait) | Verdict::Again(wait) => (LetterState::Due, now.plus(wait)),
            Verdict::Rejected => (LetterState::Rejected, now),
            Verdict::Parked => (LetterState::Parked, now),
        };
        let result = LetterResult { state, next_at, status: written.status, answer: written.words.clone() };
        let note = Some(Box::new(Note::of(&prepared, None, written, now)));
        Ok(Ended::Letter { letter: Box::new(letter), result, note })
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
            known: None,
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
        attempted: &Attempted,
        attempts: u32,
        due_since: Timestamp,
        may_park: bool,
    ) -> Result<Before, StoreError> {
        let now = self.federation.now();
        // What arrived says by itself what follows.
        let health = if attempted.arrived() {
            None
        } else {
            self.federation.store.read().await?.partner_health(prepared.domain()).await?
        };
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

    /// What is written down of a delivery to a partner.
    fn delivered(&self, claimed: Claimed, carried: &Carried, prepared: &Prepared, written: Written) -> Ended {
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
        let notes = vec![Note::of(prepared, Some(carried), written, now)];
        Ended::Disclosure(Box::new(Delivered { claimed, result, notes, told: Told::default() }))
    }

    /// A claimed row from which nothing was sent; it is looked at again in a while.
    fn left(&self, claimed: Claimed, state: DisclosureState, why: &str) -> Ended {
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
        Ended::Disclosure(Box::new(Delivered { claimed, result, notes: Vec::new(), told: Told::default() }))
    }
}

/// What an activity carries: the record as it is now, not as it was when it became due.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) record: RecordId,
    pub(super) revision: Revision,
    pub(super) digest: Digest,
    pub(super) kind: ChangeKind,
}

impl Carried {
    /// What a partner is told.
    fn to_partner(claimed: &Claimed, record: &StoredRecord) -> Self {
        let kind = match (record.standing, claimed.acked_revision) {
            (Standing::Deleted, _) => ChangeKind::Deleted,
            (_, None) => ChangeKind::Created,
            (_, Some(_)) => ChangeKind::Updated,
        };
        Self::of(record, kind)
    }

    pub(super) fn of(record: &StoredRecord, kind: ChangeKind) -> Self {
        Self { record: record.id.clone(), revision: record.revision, digest: record.digest.clone(), kind }
    }
}
