//! The words that partners sent leave the journal after 90 days; hash, receipt and outcome stay, so that an
//! activity that comes again is still known (GDPR-14). Those of records that were deleted, withdrawn or
//! hidden leave at once, in the transaction that does it (`store::copies`).

use std::time::Duration;

use super::{Federation, Outcome};
use crate::store::StoreError;

/// How long the body of an activity is kept once it is done.
pub const BODIES: Duration = Duration::from_hours(90 * 24);
/// Bodies in one step, so that no writer waits long.
const BATCH: u32 = 500;

/// Erases bodies that are past their time.
///
/// # Errors
/// Of the database.
pub async fn step(federation: &Federation) -> Result<Outcome, StoreError> {
    let before = federation.now().minus(BODIES);
    // Looked at first, so that the writer is not held for nothing.
    if !federation.store.read().await?.has_bodies_before(before).await? {
        return Ok(Outcome::Idle);
    }
    let mut tx = federation.store.write().await?;
    let erased = tx.erase_bodies_before(before, BATCH).await?;
    tx.save().await?;
    tracing::info!(erased, "bodies left the journal, their time was over");
    Ok(if erased == 0 { Outcome::Idle } else { Outcome::Worked(usize::try_from(erased).unwrap_or(usize::MAX)) })
}
