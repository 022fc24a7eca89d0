//! What has waited too long: a recall is told of and goes on being tried, everything else is set aside for a
//! person (security.md §3.2, GDPR-03).

use std::time::Duration;

use tokio::sync::Mutex;

use super::Settings;
use crate::domain::Timestamp;
use crate::federation::Federation;
use crate::store::{AuditEntry, OpenRecalls, StoreError, Tx};

/// How often it is looked.
const EVERY: Duration = Duration::from_hours(1);

/// After how long an open recall is told of, in words, and the oldest last.
const DEADLINES: [(Duration, &str); 3] = [
    (Duration::from_hours(24), "24 hours"),
    (Duration::from_hours(7 * 24), "7 days"),
    (Duration::from_hours(25 * 24), "25 days"),
];

/// The word in the audit for recalls that are open for too long.
pub const RECALL_OVERDUE: &str = "recall-overdue";

/// Until when recalls were looked at, as a fact of the database: no process tells again what another told.
const LOOKED_UNTIL: &str = "recalls_looked_until";

/// Looks now and then.
#[derive(Debug, Default)]
pub(super) struct Overdue(Mutex<Option<Timestamp>>);

impl Overdue {
    /// Looks, unless that was done a short while ago.
    pub(super) async fn look(&self, federation: &Federation, settings: &Settings) -> Result<(), StoreError> {
        let now = federation.now();
        let mut looked = self.0.lock().await;
        if looked.is_some_and(|last| now.since(last) < EVERY) {
            return Ok(());
        }
        let mut tx = federation.store.write().await?;
        let parked = tx.park_overdue(now.minus(settings.park_after)).await?;
        let mut entries: Vec<AuditEntry> = parked
            .into_iter()
            .map(|(partner, count)| AuditEntry {
                at: now,
                who: "gateway".to_owned(),
                action: "delivery-parked".to_owned(),
                subject: partner.to_string(),
                detail: format!("{count} records could not be delivered for too long and wait for a person"),
            })
            .collect();
        // Two processes that look at once: the second one waits here, and finds nothing new.
        if let Some(lease) = tx.take_lease(LOOKED_UNTIL, &settings.holder, now, now).await? {
            entries.extend(overdue(&mut tx, now).await?);
            tx.hold_lease(&lease, now).await?;
        }
        tx.append_audit(&entries).await?;
        tx.save().await?;
        *looked = Some(now);
        Ok(())
    }
}

/// Recalls that passed a deadline since they were looked at last, each under the last deadline it passed.
async fn overdue(tx: &mut Tx, now: Timestamp) -> Result<Vec<AuditEntry>, StoreError> {
    let looked: Option<Timestamp> = tx.fact(LOOKED_UNTIL).await?.and_then(|at| at.parse().ok());
    let mut entries = Vec::new();
    for (n, (age, words)) in DEADLINES.iter().enumerate() {
        let told = looked.map_or(Timestamp::MIN, |looked| looked.minus(*age));
        let later = DEADLINES.get(n + 1).map_or(Timestamp::MIN, |(age, _)| now.minus(*age));
        for recalls in tx.recalls_between(told.max(later), now.minus(*age)).await? {
            entries.push(alert(&recalls, words, now));
        }
    }
    // A clock that went back tells nothing twice.
    tx.put_fact(LOOKED_UNTIL, &looked.map_or(now, |looked| looked.max(now)).to_string()).await?;
    Ok(entries)
}

fn alert(recalls: &OpenRecalls, words: &str, now: Timestamp) -> AuditEntry {
    let OpenRecalls { partner, open, oldest } = recalls;
    tracing::error!(target: "delivery", %partner, open, %oldest, "recalled {words} ago and not proven erased");
    AuditEntry {
        at: now,
        who: "gateway".to_owned(),
        action: RECALL_OVERDUE.to_owned(),
        subject: partner.to_string(),
        detail: format!(
            "recalled more than {words} ago and not proven erased: {open}, the oldest on {oldest}; it is asked for until it is proven"
        ),
    }
}
