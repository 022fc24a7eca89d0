//! The rows of one claim: read on all cores before the transaction, applied in their order inside it.
//!
//! Revisions are most of what comes, and are offered to their registers together; whatever else comes does
//! its effect where its turn is, after those before it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::super::incoming::{Asked, Incoming};
use super::super::object::{self, Objection, ProofKey, Revision};
use super::super::verify::proof_keys;
use super::super::{Federation, cores, strict_json};
use super::{Ending, Work, speaker};
use crate::domain::partner::Partner;
use crate::domain::{ActorId, PartnerDomain, RecordId, Timestamp};
use crate::store::{CopyWrite, JournalRow, PutCopy, StoreError, StoredCopy, Tx};
use crate::telemetry::kill_point;

/// The senders of some rows, with the keys that prove their records.
type Senders = BTreeMap<PartnerDomain, (Partner, Vec<ProofKey>)>;

/// Effects, journal states and letters of some rows in one transaction. `false` when another worker has one
/// of them: nothing is written then.
pub(super) async fn apply(federation: &Federation, rows: &[Arc<JournalRow>]) -> Result<bool, StoreError> {
    let now = federation.now();
    let known = Arc::new(senders(&mut federation.store.read().await?, rows).await?);
    let mut understood = {
        let (known, own) = (Arc::clone(&known), federation.actor().clone());
        cores::each(rows.to_vec(), move |row| understand(&row, &known, &own, now)).await
    };
    let mut tx = federation.store.write().await?;
    let senders = senders(&mut tx, rows).await?;
    if senders != *known {
        // Somebody was taken off the list, or has another key, since a moment ago.
        understood = rows.iter().map(|row| understand(row, &senders, federation.actor(), now)).collect();
    }
    let records: Vec<RecordId> =
        understood.iter().flatten().filter_map(|understood| understood.incoming.record().cloned()).collect();
    let copies = tx.lookup_copies(&records).await?.into_iter().map(|copy| (copy.id.clone(), copy)).collect();
    let mut batch = Batch {
        federation,
        now,
        rows,
        senders: &senders,
        copies,
        seen: HashSet::new(),
        writes: Vec::new(),
        endings: Vec::new(),
        finished: Vec::new(),
    };
    for (place, understood) in understood.into_iter().enumerate() {
        let theirs = match understood {
            Ok(understood) => batch.take(&mut tx, place, understood).await?,
            Err(ending) => {
                batch.endings.push((place, ending));
                true
            }
        };
        if !theirs {
            return Ok(false);
        }
    }
    if !batch.finish(&mut tx).await? {
        return Ok(false);
    }
    let finished = batch.finished;
    for domain in senders.keys() {
        // Whoever speaks is there: what waits for this partner is tried again now.
        tx.wake_partner(domain, now).await?;
    }
    kill_point("effect.before-commit");
    tx.save().await?;
    kill_point("effect.after-commit");
    for (place, ending) in finished {
        let (row, problem) = (&rows[place], ending.problem.as_deref().unwrap_or("-"));
        tracing::info!(
            partner = %row.partner, activity = row.activity_id, state = ending.state.word(), problem, "an activity ended"
        );
    }
    Ok(true)
}

async fn senders(tx: &mut Tx, rows: &[Arc<JournalRow>]) -> Result<Senders, StoreError> {
    let mut domains: Vec<&PartnerDomain> = rows.iter().map(|row| &row.partner).collect();
    domains.sort();
    domains.dedup();
    let mut senders = Senders::new();
    for partner in tx.lookup_partners(&domains).await? {
        let keys = proof_keys(tx, &partner).await?;
        senders.insert(partner.domain.clone(), (partner, keys));
    }
    Ok(senders)
}

/// An activity, read as far as it can be without what is held.
struct Understood {
    speaker: ActorId,
    incoming: Incoming,
    /// The revision it carries, where it carries one.
    revision: Option<Result<Revision, Objection>>,
}

/// Reads an activity. Its sender and its shape were asked about before the 202 too; asking again costs little
/// and trusts nothing that lay in a table.
fn understand(row: &JournalRow, senders: &Senders, own: &ActorId, now: Timestamp) -> Result<Understood, Ending> {
    let Some((partner, keys)) = senders.get(&row.partner) else {
        return Err(Ending::rejected("its sender is no longer on the list"));
    };
    let Some(body) = &row.body else { return Err(Ending::ignored("its words were erased before it was applied")) };
    let mut activity = strict_json::parse(body.as_bytes()).map_err(Ending::quarantined)?;
    let speaker = speaker(&activity, partner).ok_or_else(|| Ending::rejected("its actor is not on its sender's host"))?;
    let incoming = Incoming::read(&mut activity, &speaker, partner.kind, own).map_err(Ending::rejected)?;
    let revision = match &incoming.asked {
        Asked::Hold(offered) => Some(object::revision(offered, partner, keys, now)),
        _ => None,
    };
    Ok(Understood { speaker, incoming, revision })
}

/// A revision on its way into its register.
struct Pending {
    place: usize,
    speaker: ActorId,
    incoming: Incoming,
    write: CopyWrite,
}

/// Rows on their way through one transaction.
struct Batch<'a> {
    federation: &'a Federation,
    now: Timestamp,
    rows: &'a [Arc<JournalRow>],
    senders: &'a Senders,
    /// What was held of the records before the first row.
    copies: HashMap<RecordId, StoredCopy>,
    /// The records that a row was about.
    seen: HashSet<RecordId>,
    /// Judged good, not yet written; no record twice.
    writes: Vec<Pending>,
    /// How rows ended that are not finished in the journal yet, each with its place.
    endings: Vec<(usize, Ending)>,
    /// The same of those that are.
    finished: Vec<(usize, Ending)>,
}

impl Batch<'_> {
    /// Does the effect of one row, or gathers it. `false` when another worker has a row before it.
    async fn take(&mut self, tx: &mut Tx, place: usize, understood: Understood) -> Result<bool, StoreError> {
        let Understood { speaker, incoming, revision } = understood;
        let row = &self.rows[place];
        let Some((partner, _)) = self.senders.get(&row.partner) else { return Ok(true) };
        if let Some(record) = incoming.record()
            && !self.seen.insert(record.clone())
        {
            // What came before about it is held first, and ended: this row may take its words back.
            if !self.finish(tx).await? {
                return Ok(false);
            }
            match tx.lookup_copy(record).await? {
                Some(copy) => self.copies.insert(record.clone(), copy),
                None => self.copies.remove(record),
            };
        }
        let judged = match (revision, incoming.record()) {
            (Some(revision), Some(record)) => {
                match revision.and_then(|revision| revision.against(partner, self.copies.get(record), self.now)) {
                    Ok(write) => {
                        self.writes.push(Pending { place, speaker, incoming, write });
                        return Ok(true);
                    }
                    Err(objection) => Some(objection),
                }
            }
            _ => None,
        };
        self.put(tx).await?;
        // What is no record changes what is known of its sender, and goes by it.
        let now_known = if incoming.record().is_none() { tx.lookup_partner(&row.partner).await? } else { None };
        let partner = now_known.as_ref().unwrap_or(partner);
        let work = Work { federation: self.federation, row, partner, speaker: &speaker, incoming: &incoming, now: self.now };
        let ending = match (&incoming.asked, judged) {
            (Asked::Hold(offered), Some(objection)) => work.objected(tx, offered, objection).await?,
            (Asked::Erase(erasure), _) => work.erase(tx, erasure).await?,
            (Asked::Leave, _) => work.leave(tx).await?,
            (Asked::ActorChanged, _) => work.actor_changed(tx).await?,
            (Asked::Follow(followed), _) => work.follow(tx, followed).await?,
            (Asked::Unfollow(unfollowed), _) => work.unfollow(tx, unfollowed).await?,
            (Asked::Accept(answer), _) => work.accepted(tx, answer).await?,
            (Asked::Reject(answer), _) => work.rejected(tx, answer).await?,
            (Asked::Nothing | Asked::Hold(_), _) => Ending::ignored("nothing that this gateway does"),
        };
        self.endings.push((place, ending));
        Ok(true)
    }

    /// Offers the gathered revisions to their registers.
    async fn put(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        if self.writes.is_empty() {
            return Ok(());
        }
        let (pending, writes): (Vec<_>, Vec<_>) = std::mem::take(&mut self.writes)
            .into_iter()
            .map(|Pending { place, speaker, incoming, write }| ((place, speaker, incoming), write))
            .unzip();
        let answers = tx.put_copies(&writes).await?;
        for ((place, speaker, incoming), answer) in pending.into_iter().zip(answers) {
            let row = &self.rows[place];
            let (Some((partner, _)), Asked::Hold(offered)) = (self.senders.get(&row.partner), &incoming.asked) else { continue };
            let ending = match answer {
                PutCopy::Applied | PutCopy::Same => Ending::applied(),
                PutCopy::AlreadyNewer => Ending { problem: Some("what is held is newer".to_owned()), ..Ending::applied() },
                PutCopy::Equivocation => {
                    let (federation, now) = (self.federation, self.now);
                    let work = Work { federation, row, partner, speaker: &speaker, incoming: &incoming, now };
                    work.contradicted(tx, offered, "two contents under one revision").await?
                }
            };
            self.endings.push((place, ending));
        }
        Ok(())
    }

    /// Writes down how the rows so far ended; `false` when another worker has one of them.
    async fn finish(&mut self, tx: &mut Tx) -> Result<bool, StoreError> {
        self.put(tx).await?;
        let endings = std::mem::take(&mut self.endings);
        let plain: Vec<&JournalRow> =
            endings.iter().filter(|(_, ending)| *ending == Ending::applied()).map(|(place, _)| &*self.rows[*place]).collect();
        if !tx.finish_applied(&plain, self.now).await? {
            return Ok(false);
        }
        for (place, ending) in endings.iter().filter(|(_, ending)| *ending != Ending::applied()) {
            if !tx.finish_journal(&self.rows[*place], ending.state, ending.problem.as_deref(), self.now).await? {
                return Ok(false);
            }
        }
        self.finished.extend(endings);
        Ok(true)
    }
}
