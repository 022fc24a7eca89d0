//! What an accepted activity does: the worker behind the journal.
//!
//! [`step`] claims rows (the claim is saved first, so that an attempt that kills the process counts), then
//! does each row's effect, its journal state and the letters it causes in one transaction (I2), which those
//! of one claim share. It asks again whether the sender may say this, because the store has moved on since
//! the 202. One that fails takes nobody along: each is tried by itself then. A row that does not come to an
//! end is set aside after five attempts while those behind it go on (SEC-153).

mod answers;
mod batch;
mod letters;
mod records;
mod relations;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::Value;

use crate::domain::partner::{Partner, PartnerKind};
use crate::domain::{ActorId, Timestamp};
use crate::store::{JournalRow, JournalState, StoreError};

use super::incoming::Incoming;
use super::verify::one_id;
use super::{Federation, Outcome};

/// Rows of one claim.
const BATCH: u32 = 64;
/// How long a claim lasts.
const LEASE: Duration = Duration::from_mins(2);
/// When a failed row is tried again, by attempt.
const AGAIN: [Duration; 4] = [Duration::from_secs(10), Duration::from_secs(30), Duration::from_mins(2), Duration::from_mins(10)];

/// How an activity ended.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ending {
    state: JournalState,
    problem: Option<String>,
}

impl Ending {
    const fn applied() -> Self {
        Self { state: JournalState::Applied, problem: None }
    }

    fn ignored(why: &str) -> Self {
        Self { state: JournalState::Ignored, problem: Some(why.to_owned()) }
    }

    fn rejected(why: impl std::fmt::Display) -> Self {
        Self { state: JournalState::Rejected, problem: Some(why.to_string()) }
    }

    fn quarantined(why: impl std::fmt::Display) -> Self {
        Self { state: JournalState::Quarantined, problem: Some(why.to_string()) }
    }
}

/// One activity at work.
struct Work<'a> {
    federation: &'a Federation,
    row: &'a JournalRow,
    partner: &'a Partner,
    /// The partner itself, or the account of that reader server.
    speaker: &'a ActorId,
    incoming: &'a Incoming,
    now: Timestamp,
}

/// Does what is due: claims rows and applies them in the order they came, together; where that cannot be,
/// each by itself.
///
/// # Errors
/// When the store cannot even be asked; what happens to single rows is written down with them.
pub async fn step(federation: &Federation) -> Result<Outcome, StoreError> {
    let now = federation.now();
    if !federation.store.read().await?.effect_is_due(now).await? {
        return Ok(Outcome::Idle);
    }
    let mut tx = federation.store.write().await?;
    let rows = tx.claim_journal(now, BATCH, now.plus(LEASE)).await?;
    tx.save().await?;
    let rows: Vec<Arc<JournalRow>> = rows.into_iter().map(Arc::new).collect();
    match rows.len() {
        0 => return Ok(Outcome::Idle),
        1 => {}
        rows_together => match attempt(federation, &rows).await {
            Ok(true) => return Ok(Outcome::Worked(rows_together)),
            Ok(false) => tracing::info!(rows_together, "another worker has some of these; each is applied by itself"),
            Err(problem) => tracing::warn!(rows_together, problem, "these were not applied together; each is by itself"),
        },
    }
    for row in &rows {
        if let Err(problem) = attempt(federation, std::slice::from_ref(row)).await {
            fail(federation, row, &problem).await?;
        }
    }
    Ok(Outcome::Worked(rows.len()))
}

/// `false` when another worker has one of the rows; then, and with a problem, nothing was written.
async fn attempt(federation: &Federation, rows: &[Arc<JournalRow>]) -> Result<bool, String> {
    match AssertUnwindSafe(batch::apply(federation, rows)).catch_unwind().await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the worker panicked".to_owned()),
    }
}

async fn fail(federation: &Federation, row: &JournalRow, problem: &str) -> Result<(), StoreError> {
    let now = federation.now();
    let wait = AGAIN.get(row.attempts.saturating_sub(1) as usize).copied().unwrap_or(AGAIN[3]);
    let mut tx = federation.store.write().await?;
    let state = tx.fail_journal(row, problem, now, now.plus(wait)).await?;
    tx.save().await?;
    tracing::error!(
        partner = %row.partner, activity = row.activity_id, attempts = row.attempts, ?state, problem,
        "the effect of an activity failed"
    );
    Ok(())
}

/// Who speaks: a partner's one actor, or any account on a reader's host.
fn speaker(activity: &Value, partner: &Partner) -> Option<ActorId> {
    if partner.kind == PartnerKind::Partner {
        return Some(partner.actor.clone());
    }
    let actor: ActorId = activity.get("actor").and_then(one_id)?.parse().ok()?;
    (actor.domain() == partner.domain).then_some(actor)
}
