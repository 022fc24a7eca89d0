//! Delivery to a server of the Fediverse: one row of the ledger, as many inboxes as its followers need (one
//! where they share it), and no receipts.
//!
//! Which inbox took what is written down, so that a repetition goes only where something is missing, and
//! so that whoever got a record is told when it is deleted, hidden or withdrawn, follower or not.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;

use crate::domain::Timestamp;
use crate::domain::change::ChangeKind;
use crate::domain::partner::Partner;
use crate::domain::{Record, Revision};
use crate::store::claims::Claimed;
use crate::store::disclosures::{DisclosureResult, DisclosureState};
use crate::store::{AuditEntry, ReaderInbox, Standing, StoreError, StoredRecord, Tx};
use crate::telemetry::kill_point;

use super::attempt::Prepared;
use super::outcome::{Health, Verdict, Written};
use super::worker::{Carried, Shared};

/// The status by which an inbox says that it is gone for good.
const GONE: u16 = 410;

/// One inbox and what became of the attempt.
struct Tried {
    inbox: ReaderInbox,
    prepared: Prepared,
    written: Written,
}

impl Tried {
    /// The inbox has it, or will never take this revision: it is not asked again.
    fn settled(&self) -> bool {
        matches!(self.written.verdict, Verdict::Reached | Verdict::Rejected)
    }

    /// An account's own inbox is gone, and the account with it.
    fn gone(&self) -> bool {
        !self.inbox.shared && self.written.status == Some(GONE)
    }
}

impl Shared {
    /// Sends a record to the inboxes of a reader server that lack its present revision.
    pub(super) async fn deliver_to_reader(
        &self,
        claimed: &Claimed,
        partner: &Partner,
        record: &StoredRecord,
        began: Timestamp,
    ) -> Result<(), StoreError> {
        let carried = Carried::of(claimed, record);
        let mut tx = self.federation.store.read().await?;
        let (wanted, had_any) = wanted(&mut tx, partner, record).await?;
        drop(tx);
        let mut missing: Vec<ReaderInbox> = wanted
            .into_iter()
            .filter(|(_, revision)| revision.is_none_or(|revision| revision < carried.revision))
            .map(|(inbox, _)| inbox)
            .collect();
        if missing.is_empty() && !had_any {
            // Nobody there follows it any more, or none ever took it.
            let mut tx = self.federation.store.write().await?;
            tx.settle_unwanted(claimed).await?;
            return tx.save().await;
        }
        // All attempts of a claim run at once, so that they end within its lease.
        let at_once = usize::try_from(self.settings.per_partner.max(1)).unwrap_or(1);
        let more = missing.len() > at_once;
        if more {
            // Those that fail do not keep the others from their turn.
            let turn = (claimed.attempts.saturating_sub(1) as usize).wrapping_mul(at_once) % missing.len();
            missing.rotate_left(turn);
            missing.truncate(at_once);
        }
        let tried = join_all(missing.into_iter().map(|inbox| self.try_inbox(claimed, partner, record, &carried, inbox, began)));
        let tried = tried.await.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.finish_reader(claimed, &carried, &tried, more).await
    }

    async fn try_inbox(
        &self,
        claimed: &Claimed,
        partner: &Partner,
        record: &StoredRecord,
        carried: &Carried,
        inbox: ReaderInbox,
        began: Timestamp,
    ) -> Result<Tried, StoreError> {
        let prepared = self.prepare(partner, record, carried, &inbox.address, began);
        let attempted = self.attempt(&prepared).await;
        // A recall is never given up, at a reader either.
        let may_park = !taken_back(record);
        let before = self.before(&prepared, claimed.attempts, claimed.planned_at, may_park).await?;
        let mut written = self.weigh(&attempted, before);
        if !inbox.shared {
            written.health = written.health.of_an_account();
        }
        Ok(Tried { inbox, prepared, written })
    }

    async fn finish_reader(&self, claimed: &Claimed, carried: &Carried, tried: &[Tried], more: bool) -> Result<(), StoreError> {
        let now = self.federation.now();
        let (state, wait) = outcome(tried, more);
        let mut tx = self.federation.store.write().await?;
        for one in tried {
            if one.settled() {
                tx.note_reached(&claimed.partner, &carried.record, &one.inbox.address, carried.revision).await?;
            } else if one.gone() {
                self.forget(&mut tx, claimed, &one.inbox, now).await?;
            }
        }
        let last = tried.iter().find(|one| one.written.verdict != Verdict::Reached).or_else(|| tried.last());
        let result = DisclosureResult {
            state,
            revision: carried.revision,
            digest: carried.digest.clone(),
            at: now,
            next_at: now.plus(wait),
            status: last.and_then(|one| one.written.status),
            answer: last.and_then(|one| one.written.words.clone()),
            receipt: None,
        };
        if tx.finish_disclosure(claimed, &result).await? {
            if state == DisclosureState::Acknowledged && carried.kind == ChangeKind::Deleted {
                tx.forget_reached(&claimed.partner, &carried.record).await?;
            }
            // One inbox that answers well speaks for its server; else the first that does not.
            let well = tried.iter().any(|one| one.written.health == Health::Good);
            for one in tried {
                let health =
                    if well && one.written.health != Health::Good { Health::Unchanged } else { one.written.health.clone() };
                let alert = one.written.alert.filter(|_| !one.gone());
                let written = Written { health, alert, ..one.written.clone() };
                self.note(&mut tx, &one.prepared, Some(carried), &written, now).await?;
            }
        } else {
            tracing::warn!(partner = %claimed.partner, record = %claimed.record, "a result came after its lease; it is dropped");
        }
        tx.save().await?;
        kill_point("delivery.after-commit");
        Ok(())
    }

    async fn forget(&self, tx: &mut Tx, claimed: &Claimed, inbox: &ReaderInbox, now: Timestamp) -> Result<(), StoreError> {
        let accounts = tx.forget_inbox(&claimed.partner, &inbox.address).await?;
        let entry = AuditEntry {
            at: now,
            who: "gateway".to_owned(),
            action: "follower-gone".to_owned(),
            subject: claimed.partner.to_string(),
            detail: format!("an inbox answered 410: {accounts} accounts follow us no more"),
        };
        tx.append_audit(&[entry]).await
    }
}

/// The inboxes that are to have the present state of a record, with the revision each has; and whether any
/// has any.
async fn wanted(
    tx: &mut Tx,
    partner: &Partner,
    record: &StoredRecord,
) -> Result<(BTreeMap<ReaderInbox, Option<Revision>>, bool), StoreError> {
    let reached: BTreeMap<String, Revision> = tx.reached(&partner.domain, &record.id).await?.into_iter().collect();
    let following = tx.reader_inboxes(&partner.domain, &record.process).await?;
    let mut wanted = BTreeMap::new();
    if record.standing == Standing::Live {
        for inbox in &following {
            wanted.insert(inbox.clone(), reached.get(&inbox.address).copied());
        }
    }
    if taken_back(record) {
        for (address, revision) in &reached {
            let known = following.iter().find(|inbox| inbox.address == *address).cloned();
            let inbox = known.unwrap_or_else(|| ReaderInbox { address: address.clone(), shared: false });
            wanted.insert(inbox, Some(*revision));
        }
    }
    let any = wanted.values().any(Option::is_some);
    Ok((wanted, any))
}

/// Whether whoever has the record is to lose it, or its words.
fn taken_back(record: &StoredRecord) -> bool {
    record.standing == Standing::Deleted || record.record.as_ref().is_some_and(Record::takes_words_back)
}

/// Where the row stands after these attempts, and how long it waits.
fn outcome(tried: &[Tried], more: bool) -> (DisclosureState, Duration) {
    let mut waits = tried.iter().filter(|one| !one.gone()).filter_map(|one| match one.written.verdict {
        Verdict::OnceMore(wait) | Verdict::AskThere(wait) | Verdict::Again(wait) => Some(wait),
        Verdict::Reached | Verdict::Rejected | Verdict::Parked => None,
    });
    if more && tried.iter().any(|one| one.settled() || one.gone()) {
        return (DisclosureState::Due, Duration::ZERO);
    }
    if let Some(first) = waits.next() {
        return (DisclosureState::Due, waits.fold(first, Duration::min));
    }
    let ended = |verdict: Verdict| tried.iter().any(|one| !one.gone() && one.written.verdict == verdict);
    let state = if ended(Verdict::Parked) {
        DisclosureState::Parked
    } else if ended(Verdict::Rejected) && !ended(Verdict::Reached) {
        DisclosureState::Rejected
    } else {
        DisclosureState::Acknowledged
    };
    (state, Duration::ZERO)
}
