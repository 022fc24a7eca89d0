//! From changes to disclosures: which partner is due what.
//!
//! A change row was written with its record; the planner claims what is not planned yet, *by state*, never
//! "after the last number" (a transaction that took an earlier number may commit later, REL-022), writes a
//! disclosure per entitled partner and marks the changes, all in one transaction. Killed anywhere, it has
//! done all of a batch or nothing (REL-004).

use super::{Federation, Outcome};
use crate::store::StoreError;
use crate::telemetry::kill_point;

/// Changes in one transaction.
const BATCH: u32 = 500;

/// Plans one batch of changes.
///
/// # Errors
/// When the database fails; then nothing was planned.
pub async fn step(federation: &Federation) -> Result<Outcome, StoreError> {
    let (waiting, _) = federation.store.read().await?.unplanned_changes().await?;
    if waiting == 0 {
        return Ok(Outcome::Idle);
    }
    let mut tx = federation.store.write().await?;
    let changes = tx.claim_unplanned(BATCH).await?;
    if changes.is_empty() {
        return Ok(Outcome::Idle);
    }
    let disclosures = tx.plan(&changes, federation.now()).await?;
    let numbers: Vec<i64> = changes.iter().map(|change| change.number).collect();
    tx.mark_planned(&numbers).await?;
    kill_point("planner.before-commit");
    tx.save().await?;
    kill_point("planner.after-commit");
    tracing::debug!(changes = changes.len(), disclosures, "changes were planned for partners");
    Ok(Outcome::Worked(changes.len()))
}
