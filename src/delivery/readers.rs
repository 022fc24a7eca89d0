//! Delivery to a server of the Fediverse: one row of the ledger, as many inboxes as its followers need (one
//! where they share it), and no receipts.
//!
//! Which inbox took what is written down, so that a repetition goes only where something is missing, and
//! so that whoever got a record is told when it is deleted, hidden or withdrawn, follower or not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;

use crate::domain::change::ChangeKind;
use crate::domain::partner::{Partner, PartnerKind};
use crate::domain::{PartnerDomain, RecordId, Revision, Timestamp};
use crate::store::claims::Claimed;
use crate::store::disclosures::{DisclosureResult, DisclosureState};
use crate::store::{Preference, ReaderInbox, Standing, StoreError, StoredRecord, Tx};

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
        let mut missing: Vec<(ReaderInbox, Option<Preference>)> = inboxes
            .into_iter()
            .filter(|(_, side)| side.has.is_none_or(|revision| revision < carried.revision))
            .map(|(inbox, side)| (inbox, side.known))
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
        let attempts = missing.into_iter().map(|to| self.try_inbox(&claimed, &partner, &record, &carried, to, began));
        let tried = join_all(attempts).await;
        let tried = tried.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(self.delivered_to_reader(claimed, &carried, tried, more))
    }

    async fn try_inbox(
        &self,
        claimed: &Claimed,
        partner: &Partner,
        record: &StoredRecord,
        carried: &Carried,
        (inbox, known): (ReaderInbox, Option<Preference>),
        began: Timestamp,
    ) -> Result<Tried, StoreError> {
        let prepared = Prepared { known, ..self.prepare(partner, record, carried, &inbox.address, began) };
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

/// The inboxes that are to have the present state of a record.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    inboxes: BTreeMap<ReaderInbox, Inbox>,
    /// Any of them has any revision.
    had_any: bool,
}

/// What is known of an inbox.
#[derive(Debug, Default)]
struct Inbox {
    /// The revision it has.
    has: Option<Revision>,
    /// What its host showed of the signatures it reads.
    known: Option<Preference>,
}

impl Wanted {
    /// What each of these reader servers wants of each of these records, by partner and record.
    pub(super) async fn by(
        tx: &mut Tx,
        due: &[(&Partner, &StoredRecord)],
        now: Timestamp,
    ) -> Result<BTreeMap<(PartnerDomain, RecordId), Self>, StoreError> {
        let due: Vec<_> = due.iter().filter(|(partner, _)| partner.kind == PartnerKind::Reader).collect();
        if due.is_empty() {
            return Ok(BTreeMap::new());
        }
        let reached = tx.reached(&due.iter().map(|(partner, record)| (&partner.domain, &record.id)).collect::<Vec<_>>()).await?;
        let following = tx
            .reader_inboxes(&due.iter().map(|(partner, record)| (&partner.domain, &record.process)).collect::<Vec<_>>())
            .await?;
        let mut all = BTreeMap::new();
        for (partner, record) in due {
            let pair = (partner.domain.clone(), record.id.clone());
            let reached = reached.get(&pair);
            let following = following.get(&(partner.domain.clone(), record.process.clone()));
            all.insert(pair, Self::of(record, reached, following));
        }
        let hosts: BTreeMap<&str, PartnerDomain> = all
            .values()
            .flat_map(|wanted: &Self| wanted.inboxes.keys())
            .filter_map(|inbox| Some((inbox.address.as_str(), PartnerDomain::of(&inbox.address.parse().ok()?))))
            .collect();
        let known = tx.preferred_schemes(&hosts.values().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(), now).await?;
        let known: BTreeMap<String, Preference> =
            hosts.into_iter().filter_map(|(address, host)| Some((address.to_owned(), *known.get(&host)?))).collect();
        for (inbox, side) in all.values_mut().flat_map(|wanted| &mut wanted.inboxes) {
            side.known = known.get(&inbox.address).copied();
        }
        Ok(all)
    }

    fn of(
        record: &StoredRecord,
        reached: Option<&BTreeMap<String, Revision>>,
        following: Option<&BTreeSet<ReaderInbox>>,
    ) -> Self {
        let following = || following.into_iter().flatten();
        let mut inboxes = BTreeMap::new();
        if record.standing == Standing::Live {
            for inbox in following() {
                let has = reached.and_then(|reached| reached.get(&inbox.address)).copied();
                inboxes.insert(inbox.clone(), Inbox { has, known: None });
            }
        }
        if takes_back(record) {
            for (address, revision) in reached.into_iter().flatten() {
                let known = following().find(|inbox| inbox.address == *address).cloned();
                let inbox = known.unwrap_or_else(|| ReaderInbox { address: address.clone(), shared: false });
                inboxes.insert(inbox, Inbox { has: Some(*revision), known: None });
            }
        }
        let had_any = inboxes.values().any(|side: &Inbox| side.has.is_some());
        Self { inboxes, had_any }
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
