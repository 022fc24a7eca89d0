//! "Try again", said by an operator: what was set aside of a partner or parked for it begins anew. Nothing
//! else frees it (SEC-153, I1): a machine that tried five times, or for 30 days, does not know better the next time.

use crate::domain::PartnerDomain;
use crate::store::{AuditEntry, StoreError};

use super::Federation;

/// What is tried again now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retried {
    /// Activities of the partner that were set aside.
    pub activities: u64,
    /// Deliveries to it that were parked or rejected.
    pub deliveries: u64,
    /// Letters to it that were parked.
    pub letters: u64,
}

/// Tries again whatever waits for a person; `None` when nobody of this name is listed.
///
/// # Errors
/// Of the database; then nothing was changed.
pub async fn retry(federation: &Federation, domain: &PartnerDomain) -> Result<Option<Retried>, StoreError> {
    let now = federation.now();
    let mut tx = federation.store.write().await?;
    if tx.lookup_partner(domain).await?.is_none() {
        return Ok(None);
    }
    let retried = Retried {
        activities: tx.retry_journal(domain, now).await?,
        deliveries: tx.retry_disclosures(domain, now).await?,
        letters: tx.retry_letters(domain, now).await?,
    };
    tx.wake_partner(domain, now).await?;
    let Retried { activities, deliveries, letters } = retried;
    let entry = AuditEntry {
        at: now,
        who: "operator".to_owned(),
        action: "partner-retried".to_owned(),
        subject: domain.to_string(),
        detail: format!("{activities} activities, {deliveries} deliveries, {letters} letters"),
    };
    tx.append_audit(&[entry]).await?;
    tx.save().await?;
    Ok(Some(retried))
}
