//! Delivery to a server of the Fediverse: one row of the ledger, as many inboxes as its followers need (one
//! where they share it), and no receipts.
//!
//! Which inbox took what is written down, so that a repetition goes only where something is missing, and
//! so that whoever got a record is told when it is deleted, hidden or withdrawn, follower or not. All three are
//! a `Delete` there, after which the inbox has nothing: a record that is shown again is a `Create`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;

use crate::domain::change::ChangeKind;
use crate::domain::partner::Partner;
use crate::domain::{PartnerDomain, RecordId, Revision, Timestamp};
use crate::federation::knock;
use crate::store::claims::Claimed;
use crate::store::disclosures::{DisclosureResult, DisclosureState};
use crate::store::reached::UNCERTAIN;
use crate::store::{Preference, ReaderInbox, StoreError, StoredRecord};

use super::attempt::Prepared;
use super::courier::{Carried, Courier, Departure};
use super::ledger::{Delivered, Ended, Note, Told};
use super::outcome::{Health, Verdict, Written};

/// The status by which an inbox says that it is gone for good.
const GONE: u16 = 410;

/// One inbox and what became of the attempt.
struct Tried {
    inbox: ReaderInbox,
    carried: Carried,
    prepared: Prepared,
    written: Written,
}

impl Tried {
    /// The inbox has it, or will never take this revision: it is not asked again.
    fn settled(&self) -> bool {
        matches!(self.written.verdict, Verdict::Reached | Verdict::Rejected)
    }

    /// It may have it all the same: it did not answer, or fell over what it was sent.
    fn uncertain(&self) -> bool {
        self.written.status.is_none_or(|status| status >= 500)
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
        let Wanted { missing, more, had_any } = wanted;
        // Whoever was told of the end has nothing any more; that it had something is in the ledger.
        let ever_had = had_any || (record.takes_back() && claimed.acked_revision.is_some());
        if missing.is_empty() && !ever_had {
            // Nobody there follows it any more, or none ever took it.
            return Ok(Ended::Unwanted(claimed));
        }
        // All attempts of a claim run at once, so that they end within its lease.
        let attempts = missing.into_iter().map(|to| self.try_inbox(&claimed, &partner, &record, to, began));
        let tried = join_all(attempts).await;
        let tried = tried.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(self.delivered_to_reader(claimed, &record, tried, more))
    }

    async fn try_inbox(
        &self,
        claimed: &Claimed,
        partner: &Partner,
        record: &StoredRecord,
        Missing { inbox, kind, known }: Missing,
        began: Timestamp,
    ) -> Result<Tried, StoreError> {
        let carried = Carried::of(record, kind);
        let prepared = Prepared { known, ..self.prepare(partner, record, &carried, &inbox.address, began) };
        let attempted = self.attempt(&prepared).await;
        // A recall is never given up, at a reader either.
        let may_park = !record.takes_back();
        let before = self.before(&prepared, &attempted, claimed.attempts, claimed.planned_at, may_park).await?;
        let mut written = self.weigh(&attempted, before);
        if !inbox.shared {
            written.health = written.health.of_an_account();
        }
        Ok(Tried { inbox, carried, prepared, written })
    }

    fn delivered_to_reader(&self, claimed: Claimed, record: &StoredRecord, tried: Vec<Tried>, more: bool) -> Ended {
        let now = self.federation.now();
        let (state, wait) = outcome(&tried, more);
        let last = tried.iter().find(|one| one.written.verdict != Verdict::Reached).or_else(|| tried.last());
        let result = DisclosureResult {
            state,
            revision: record.revision,
            digest: record.digest.clone(),
            at: now,
            next_at: now.plus(wait),
            status: last.and_then(|one| one.written.status),
            answer: last.and_then(|one| one.written.words.clone()),
            receipt: None,
        };
        let mut told = Told { deleted: record.takes_back(), ..Told::default() };
        // One inbox that answers well speaks for its server; else the first that does not.
        let well = tried.iter().any(|one| one.written.health == Health::Good);
        let mut notes = Vec::with_capacity(tried.len());
        for one in tried {
            let (settled, gone, uncertain) = (one.settled(), one.gone(), one.uncertain());
            let Tried { inbox, carried, prepared, mut written } = one;
            if well && written.health != Health::Good {
                written.health = Health::Unchanged;
            }
            if gone {
                written.alert = None;
            }
            notes.push(Note::of(&prepared, Some(&carried), written, now));
            if settled {
                told.settled.push(inbox.address);
            } else if gone {
                told.gone.push(inbox);
            } else if uncertain {
                told.uncertain.push(inbox.address);
            }
        }
        Ended::Disclosure(Box::new(Delivered { claimed, result, notes, told }))
    }
}

/// What a reader server wants of a record.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// The inboxes that lack its present revision, as many as may be told at once.
    missing: Vec<Missing>,
    /// There are more of them.
    more: bool,
    /// Any inbox that counts has any revision.
    had_any: bool,
}

/// An inbox that lacks the present revision of a record.
#[derive(Debug, Clone)]
struct Missing {
    inbox: ReaderInbox,
    /// How it is told: it is offered a text that it does not have, and told to delete one that is taken back.
    kind: ChangeKind,
    /// What its host showed of the signatures it reads.
    known: Option<Preference>,
}

impl Courier {
    /// What each of these reader servers wants of each of these records, by partner and record. Read beside the
    /// writer, because how much it is depends on how many follow.
    pub(super) async fn wanted<'d>(
        &self,
        due: &[(&'d Claimed, &'d Partner, &'d StoredRecord)],
        now: Timestamp,
    ) -> Result<BTreeMap<(&'d PartnerDomain, &'d RecordId), Wanted>, StoreError> {
        let mut all = BTreeMap::new();
        if due.is_empty() {
            return Ok(all);
        }
        let at_once = usize::try_from(self.settings.per_partner.max(1)).unwrap_or(1);
        let mut tx = self.federation.store.read().await?;
        let reached: Vec<_> = due.iter().map(|(_, partner, record)| (&partner.domain, &record.id)).collect();
        let reached = tx.reached(&reached).await?;
        let following: Vec<_> = due.iter().map(|(_, partner, record)| (&partner.domain, &record.process)).collect();
        let following = tx.reader_inboxes(&following).await?;
        for (claimed, partner, record) in due {
            let reached = reached.get(&(partner.domain.clone(), record.id.clone()));
            let following = following.get(&(partner.domain.clone(), record.process.clone()));
            // Those that fail do not keep the others from their turn.
            let turn = (claimed.attempts.saturating_sub(1) as usize).wrapping_mul(at_once);
            all.insert((&claimed.partner, &claimed.record), Wanted::of(claimed, record, reached, following, turn, at_once));
        }
        let host = |missing: &Missing| missing.inbox.address.parse().map(|url| PartnerDomain::of(&url)).ok();
        let missing = all.values_mut().flat_map(|wanted: &mut Wanted| &mut wanted.missing);
        let mut missing: Vec<_> = missing.filter_map(|missing| Some((host(missing)?, missing))).collect();
        let hosts: BTreeSet<&PartnerDomain> = missing.iter().map(|(host, _)| host).collect();
        let known = knock::shown(&mut tx, &hosts.into_iter().collect::<Vec<_>>(), now).await;
        for (host, missing) in &mut missing {
            missing.known = known.get(host).copied();
        }
        Ok(all)
    }
}

impl Wanted {
    fn of(
        claimed: &Claimed,
        record: &StoredRecord,
        reached: Option<&BTreeMap<String, Revision>>,
        following: Option<&BTreeMap<String, bool>>,
        turn: usize,
        at_once: usize,
    ) -> Self {
        let taken_back = record.takes_back();
        let has = |address: &String| reached.and_then(|reached| reached.get(address)).copied();
        let shared = |address: &String| following.and_then(|following| following.get(address)).copied().unwrap_or(false);
        // What is taken back concerns whoever has it, follower or not; of an attempt that nobody wrote down
        // the followers may have it.
        let holding = reached.into_iter().flat_map(BTreeMap::keys).filter(|_| taken_back);
        let asked = !taken_back || claimed.before == DisclosureState::Sending;
        let asked = following.into_iter().flat_map(BTreeMap::keys).filter(|_| asked);
        let inboxes: BTreeSet<&String> = holding.chain(asked).collect();
        let had_any = inboxes.iter().any(|address| has(address).is_some());
        let mut lacking: Vec<&String> =
            inboxes.into_iter().filter(|address| taken_back || has(address).is_none_or(|has| has < record.revision)).collect();
        let more = lacking.len() > at_once;
        if more {
            let turn = turn % lacking.len();
            lacking.rotate_left(turn);
            lacking.truncate(at_once);
        }
        let missing = lacking.into_iter().map(|address| Missing {
            inbox: ReaderInbox { address: address.clone(), shared: shared(address) },
            kind: match has(address) {
                _ if taken_back => ChangeKind::Deleted,
                None | Some(UNCERTAIN) => ChangeKind::Created,
                Some(_) => ChangeKind::Updated,
            },
            known: None,
        });
        Self { missing: missing.collect(), more, had_any }
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
