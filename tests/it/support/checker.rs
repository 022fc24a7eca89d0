//! Compares what a city says it sent with what its partner holds, and names every promise that is broken:
//! lost, doubled, out of order, resurrected, undelivered, unproven (security.md §3.2 and §3.3, point 5).
//!
//! It reads the two databases and nothing else, so it can look at the remains of a killed process. What
//! it cannot see is what nobody wrote down. `tests/it/delivery/checker.rs` plants faults that it must find.

use std::collections::{HashMap, HashSet};
use std::fmt;

use passerelle::domain::digest::Digest;
use passerelle::domain::partner::{FollowState, Partner};
use passerelle::domain::{PartnerDomain, RecordId, Revision, Timestamp};
use passerelle::federation::receipts::{self, Pinned};
use passerelle::store::disclosures::{Disclosure, DisclosureState};
use passerelle::store::journal::JournalState;
use passerelle::store::{CopyHead, CopyStanding, Order, RecordQuery, Standing, Store, StoredRecord, Tx};

/// A promise that is broken, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Finding {
    /// The partner acknowledged it and does not hold it.
    Lost(RecordId),
    /// The partner holds it twice.
    Doubled(RecordId),
    /// The partner holds an older revision than it acknowledged, or they were sent in another order.
    OutOfOrder(RecordId),
    /// The partner holds what it was told to erase.
    Resurrected(RecordId),
    /// The partner is due something that it never acknowledged.
    Undelivered(RecordId),
    /// It counts as acknowledged or purged without a proof that holds.
    Unproven(RecordId),
    /// The partner holds something that was never sent, or other bytes than were sent.
    Invented(RecordId),
    /// Something the partner received has had no effect yet.
    Unfinished(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(id) => write!(f, "lost: {id} was acknowledged and is not held"),
            Self::Doubled(id) => write!(f, "doubled: {id} is held twice"),
            Self::OutOfOrder(id) => write!(f, "out of order: of {id} an older revision stands where a newer one was"),
            Self::Resurrected(id) => write!(f, "resurrected: {id} is held although it was deleted"),
            Self::Undelivered(id) => write!(f, "undelivered: {id} is due and not acknowledged"),
            Self::Unproven(id) => write!(f, "unproven: {id} counts as settled without a proof"),
            Self::Invented(id) => write!(f, "invented: {id} is held as its origin never sent it"),
            Self::Unfinished(id) => write!(f, "unfinished: {id} was received and had no effect"),
        }
    }
}

/// One city's side.
pub struct Side<'s> {
    /// Its database.
    pub store: &'s Store,
    /// Its domain.
    pub domain: PartnerDomain,
}

/// Everything that is wrong between a city and the partner that follows it, once both have come to rest.
pub async fn check(origin: &Side<'_>, holder: &Side<'_>, now: Timestamp) -> anyhow::Result<Vec<Finding>> {
    let mut tx = origin.store.read().await?;
    let partner = tx.lookup_partner(&holder.domain).await?.ok_or_else(|| anyhow::anyhow!("{} is not listed", holder.domain))?;
    let mut ledger = Vec::new();
    while let chunk = tx.list_disclosures(&holder.domain, ledger.last().map(|row: &Disclosure| &row.record), 500).await?
        && !chunk.is_empty()
    {
        ledger.extend(chunk);
    }
    let mut heads = Vec::new();
    let mut there = holder.store.read().await?;
    while let chunk = there.copy_heads(&origin.domain, heads.last().map(|head: &CopyHead| &head.id), 500).await?
        && !chunk.is_empty()
    {
        heads.extend(chunk);
    }
    let ids: Vec<RecordId> =
        ledger.iter().map(|row| row.record.clone()).chain(heads.iter().map(|head| head.id.clone())).collect();
    let records: HashMap<RecordId, StoredRecord> =
        tx.lookup_records(&ids).await?.into_iter().map(|record| (record.id.clone(), record)).collect();

    let held: HashMap<&RecordId, &CopyHead> = heads.iter().map(|head| (&head.id, head)).collect();
    let listed: HashSet<&RecordId> = ledger.iter().map(|row| &row.record).collect();
    let mut findings = Vec::new();
    for row in &ledger {
        of_ledger(row, held.get(&row.record).copied(), &partner, now, &mut findings);
        let log = tx.exchanges_of(&row.record).await?;
        let log: Vec<_> = log.iter().map(|row| &row.exchange).filter(|exchange| exchange.partner == holder.domain).collect();
        let sent: Vec<Revision> = log.iter().filter_map(|exchange| exchange.revision).collect();
        if !sent.is_sorted() {
            findings.push(Finding::OutOfOrder(row.record.clone()));
        }
        let answered = |revision: Option<Revision>, digest: Option<&Digest>| {
            log.iter().any(|exchange| {
                exchange.revision == revision
                    && exchange.digest.as_ref() == digest
                    && exchange.status.is_some_and(|status| (200..300).contains(&status))
            })
        };
        let acknowledged = matches!(row.state, DisclosureState::Acknowledged | DisclosureState::PurgeAsked);
        if acknowledged && !answered(row.acked_revision, row.acked_digest.as_ref()) {
            findings.push(Finding::Unproven(row.record.clone()));
        }
    }
    let mut contents: HashMap<&Digest, &RecordId> = HashMap::new();
    for head in &heads {
        if head.standing != CopyStanding::Deleted && contents.insert(&head.digest, &head.id).is_some() {
            findings.push(Finding::Doubled(head.id.clone()));
            continue;
        }
        of_copy(head, records.get(&head.id), listed.contains(&head.id), &mut findings);
    }
    // What the planner has not come to yet is in no ledger, and must not pass for told (I3).
    if partner.follows_us == FollowState::Accepted {
        for id in published(&mut tx).await? {
            if !listed.contains(&id) && !held.contains_key(&id) {
                findings.push(Finding::Undelivered(id));
            }
        }
    }
    for row in there.list_journal(&origin.domain, None, 10_000).await? {
        if matches!(row.state, JournalState::Pending | JournalState::Working | JournalState::Quarantined) {
            findings.push(Finding::Unfinished(row.activity_id));
        }
    }
    findings.dedup();
    Ok(findings)
}

/// Every record that a city shows.
async fn published(tx: &mut Tx) -> anyhow::Result<Vec<RecordId>> {
    let mut query = RecordQuery { order: Order::ById, limit: 500, visible_only: true, ..RecordQuery::default() };
    let mut ids = Vec::new();
    loop {
        let page = tx.list_records(&query).await?;
        ids.extend(page.items.into_iter().map(|record| record.id));
        let Some(next) = page.next else { return Ok(ids) };
        query.after = Some(next);
    }
}

/// What a line of the ledger promises.
fn of_ledger(row: &Disclosure, held: Option<&CopyHead>, partner: &Partner, now: Timestamp, findings: &mut Vec<Finding>) {
    let id = || row.record.clone();
    match row.state {
        DisclosureState::Acknowledged => match held {
            None => findings.push(Finding::Lost(id())),
            Some(copy) => {
                if row.acked_revision.is_some_and(|acked| copy.revision < acked) {
                    findings.push(Finding::OutOfOrder(id()));
                } else if row.acked_revision == Some(copy.revision) && row.acked_digest.as_ref() != Some(&copy.digest) {
                    findings.push(Finding::Invented(id()));
                }
            }
        },
        DisclosureState::Purged => {
            let document = row.purge_receipt.as_deref().and_then(|text| serde_json::from_str(text).ok());
            let receipt = document
                .zip(Pinned::of(partner).ok())
                .and_then(|(document, pinned): (serde_json::Value, _)| receipts::read_purge(&document, &pinned, now).ok());
            if receipt.is_none_or(|receipt| receipt.receipt_for != row.record.as_str()) {
                findings.push(Finding::Unproven(id()));
            }
        }
        DisclosureState::Rejected => {}
        DisclosureState::Due
        | DisclosureState::Sending
        | DisclosureState::Unconfirmed
        | DisclosureState::Parked
        | DisclosureState::PurgeAsked => findings.push(Finding::Undelivered(id())),
    }
}

/// What a copy shows of its origin.
fn of_copy(head: &CopyHead, record: Option<&StoredRecord>, listed: bool, findings: &mut Vec<Finding>) {
    let id = || head.id.clone();
    let Some(record) = record.filter(|_| listed) else {
        findings.push(Finding::Invented(id()));
        return;
    };
    let alive = head.standing != CopyStanding::Deleted;
    if record.standing == Standing::Deleted && alive {
        findings.push(Finding::Resurrected(id()));
    } else if head.revision > record.revision || (head.revision == record.revision && head.digest != record.digest) {
        findings.push(Finding::Invented(id()));
    }
}

/// Fails with every finding, one a line.
pub async fn expect_sound(origin: &Side<'_>, holder: &Side<'_>, now: Timestamp) -> anyhow::Result<()> {
    let findings = check(origin, holder, now).await?;
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    anyhow::ensure!(lines.is_empty(), "{} at {}:\n{}", origin.domain, holder.domain, lines.join("\n"));
    Ok(())
}
