//! What an accepted activity does: the worker behind the journal.
//!
//! [`step`] claims rows (the claim is saved first, so that an attempt that kills the process counts), then
//! does each row's effect, its journal state and the letters it causes in one transaction (I2). It asks
//! again whether the sender may say this, because the store has moved on since the 202. A row that does
//! not come to an end is set aside after five attempts while those behind it go on (SEC-153).

mod answers;
mod letters;
mod records;
mod relations;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::Value;

use crate::domain::partner::{Partner, PartnerKind};
use crate::domain::{ActorId, Timestamp};
use crate::store::{JournalRow, JournalState, StoreError, Tx};
use crate::telemetry::kill_point;

use super::incoming::{Asked, Incoming};
use super::verify::one_id;
use super::{Federation, Outcome, strict_json};

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

/// Does what is due: claims rows and applies them one by one, in the order they came.
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
    for row in &rows {
        let attempt = AssertUnwindSafe(apply(federation, row)).catch_unwind().await;
        let problem = match attempt {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the worker panicked".to_owned(),
        };
        fail(federation, row, &problem).await?;
    }
    Ok(if rows.is_empty() { Outcome::Idle } else { Outcome::Worked(rows.len()) })
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

/// Effect, journal state and letters of one row in one transaction.
async fn apply(federation: &Federation, row: &JournalRow) -> Result<(), StoreError> {
    let now = federation.now();
    let mut tx = federation.store.write().await?;
    let ending = decide(federation, row, &mut tx, now).await?;
    if !tx.finish_journal(row, ending.state, ending.problem.as_deref(), now).await? {
        // Another worker has it: our transaction is forgotten with everything in it.
        return Ok(());
    }
    // Whoever speaks is there: what waits for this partner is tried again now.
    tx.wake_partner(&row.partner, now).await?;
    kill_point("effect.before-commit");
    tx.save().await?;
    kill_point("effect.after-commit");
    let problem = ending.problem.as_deref().unwrap_or("-");
    tracing::info!(partner = %row.partner, activity = row.activity_id, state = ending.state.word(), problem, "an activity ended");
    Ok(())
}

async fn decide(federation: &Federation, row: &JournalRow, tx: &mut Tx, now: Timestamp) -> Result<Ending, StoreError> {
    let Some(partner) = tx.lookup_partner(&row.partner).await? else {
        return Ok(Ending::rejected("its sender is no longer on the list"));
    };
    let Some(body) = &row.body else { return Ok(Ending::ignored("its words were erased before it was applied")) };
    // Both were asked before the 202; asking again costs little and trusts nothing that lay in a table.
    let activity = match strict_json::parse(body.as_bytes()) {
        Ok(activity) => activity,
        Err(error) => return Ok(Ending::quarantined(error)),
    };
    let Some(speaker) = speaker(&activity, &partner) else {
        return Ok(Ending::rejected("its actor is not on its sender's host"));
    };
    let incoming = match Incoming::read(&activity, &speaker, partner.kind, federation.actor()) {
        Ok(incoming) => incoming,
        Err(refusal) => return Ok(Ending::rejected(refusal)),
    };
    let work = Work { federation, row, partner: &partner, speaker: &speaker, incoming: &incoming, now };
    match &incoming.asked {
        Asked::Hold(offered) => work.hold(tx, offered).await,
        Asked::Erase(erasure) => work.erase(tx, erasure).await,
        Asked::Leave => work.leave(tx).await,
        Asked::ActorChanged => work.actor_changed(tx).await,
        Asked::Follow(followed) => work.follow(tx, followed).await,
        Asked::Unfollow(unfollowed) => work.unfollow(tx, unfollowed).await,
        Asked::Accept(answer) => work.accepted(tx, answer).await,
        Asked::Reject(answer) => work.rejected(tx, answer).await,
        Asked::Nothing => Ok(Ending::ignored("nothing that this gateway does")),
    }
}

/// Who speaks: a partner's one actor, or any account on a reader's host.
fn speaker(activity: &Value, partner: &Partner) -> Option<ActorId> {
    if partner.kind == PartnerKind::Partner {
        return Some(partner.actor.clone());
    }
    let actor: ActorId = activity.get("actor").and_then(one_id)?.parse().ok()?;
    (actor.domain() == partner.domain).then_some(actor)
}
