//! Delivery to a server of the Fediverse: one row of the ledger, as many inboxes as its followers need (one
//! where they share it), and no receipts.
//!
//! Which inbox took what is written down, so that a repetition goes only where something is missing, and
//! so that whoever got a record is told when it is deleted, hidden or withdrawn, follower or not.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;

use crate::domain::Revision;
use crate::domain::Timestamp;
use crate::domain::change::ChangeKind;
use crate::domain::partner::{Partner, PartnerKind};
use crate::store::claims::Claimed;
use crate::store::disclosures::{DisclosureResult, DisclosureState};
use crate::store::{ReaderInbox, Standing, StoreError, StoredRecord, Tx};

use super::attempt::Prepared;
use super::courier::{Carried, Courier, Departure, takes_back};
use super::ledger::{Delivered, Ended, Note, Told};
use super::outcome::{Health, Verdict, Written};

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

impl Courier {
    /// Sends a record to the inboxes of a reader server that lack its present revision.
    pub(super) async fn deliver_to_reader(&self, departure: Departure, began: Timestamp) -> Result<Ended, StoreError> {
        let Departure { claimed, partner, record, wanted } = departure;
        let carried = Carried::of(&claimed, &record);
        let Wanted { inboxes, had_any } = wanted;
        let mut missing: Vec<ReaderInbox> = inboxes
            .into_iter()
            .filter(|(_, revision)| revision.is_none_or(|revision| revision < carried.revision))
            .map(|(inbox, _)| inbox)
            .collect();
        if missing.is_empty() && !had_any {
            // Nobody there follows it any more, or none ever took it.
            return Ok(Ended::Unwanted(claimed));
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
        let tried =
            join_all(missing.into_iter().map(|inbox| self.try_inbox(&claimed, &partner, &record, &carried, inbox, began))).await;
        let tried = tried.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(self.delivered_to_reader(claimed, &carried, tried, more))
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
        let may_park = !takes_back(record);
        let before = self.before(&prepared, &attempted, claimed.attempts, claimed.planned_at, may_park).await?;
        let mut written = self.weigh(&attempted, before);
        if !inbox.shared {
            written.health = written.health.of_an_account();
        }
        Ok(Tried { inbox, prepared, written })
    }

    fn delivered_to_reader(&self, claimed: Claimed, carried: &Carried, tried: Vec<Tried>, more: bool) -> Ended {
        let now = self.federation.now();
        let (state, wait) = outcome(&tried, more);
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
        let mut told =
            Told { deleted: state == DisclosureState::Acknowledged && carried.kind == ChangeKind::Deleted, ..Told::default() };
        // One inbox that answers well speaks for its server; else the first that does not.
        let well = tried.iter().any(|one| one.written.health == Health::Good);
        let mut notes = Vec::with_capacity(tried.len());
        for one in tried {
            let (settled, gone) = (one.settled(), one.gone());
            let Tried { inbox, prepared, mut written } = one;
            if well && written.health != Health::Good {
                written.health = Health::Unchanged;
            }
            if gone {
                written.alert = None;
            }
            notes.push(Note::of(&prepared, Some(carried), written, now));
            if settled {
                told.settled.push(inbox.address);
            } else if gone {
                told.gone.push(inbox);
            }
        }
        Ended::Disclosure(Box::new(Delivered { claimed, result, notes, told }))
    }
}

/// The inboxes that are to have the present state of a record, with the revision each has.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    inboxes: BTreeMap<ReaderInbox, Option<Revision>>,
    /// Any of them has any revision.
    had_any: bool,
}

impl Wanted {
    /// What a partner that is a reader server wants of a record; of another partner, nothing of the kind.
    pub(super) async fn by(tx: &mut Tx, partner: &Partner, record: &StoredRecord) -> Result<Self, StoreError> {
        if partner.kind != PartnerKind::Reader {
            return Ok(Self::default());
        }
        let reached: BTreeMap<String, Revision> = tx.reached(&partner.domain, &record.id).await?.into_iter().collect();
        let following = tx.reader_inboxes(&partner.domain, &record.process).await?;
        let mut inboxes = BTreeMap::new();
        if record.standing == Standing::Live {
            for inbox in &following {
                inboxes.insert(inbox.clone(), reached.get(&inbox.address).copied());
            }
        }
        if takes_back(record) {
            for (address, revision) in &reached {
                let known = following.iter().find(|inbox| inbox.address == *address).cloned();
                let inbox = known.unwrap_or_else(|| ReaderInbox { address: address.clone(), shared: false });
                inboxes.insert(inbox, Some(*revision));
            }
        }
        let had_any = inboxes.values().any(Option::is_some);
        Ok(Self { inboxes, had_any })
    }
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
