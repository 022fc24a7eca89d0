//! Runs of the reading of a platform, one at a time per platform.

use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;

use super::columns::{json, remark, text_column};
use super::leases::Lease;
use super::{StoreError, Tx, on_backend};
use crate::domain::{PlatformName, Timestamp};
use crate::words;

words! {
    /// How a run ended.
    RunOutcome {
        Running = "running",
        Complete = "complete",
        Partial = "partial",
        Held = "held",
        Failed = "failed",
    }
}
text_column!(RunOutcome);

/// Longest message kept, in characters.
const MESSAGE: usize = 1000;

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncRun {
    /// Its number; grows.
    pub number: i64,
    /// Which platform.
    pub platform: PlatformName,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// What it counted, per entity.
    pub counts: Value,
    /// A sentence for people.
    pub message: Option<String>,
}

/// A run that we may write for, as long as its lease is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRun {
    /// Its number.
    pub number: i64,
    /// Which platform.
    pub platform: PlatformName,
    lease: Lease,
}

#[derive(FromRow)]
struct Row {
    number: i64,
    platform: PlatformName,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    outcome: RunOutcome,
    counts: Json<Value>,
    message: Option<String>,
}

impl From<Row> for SyncRun {
    fn from(row: Row) -> Self {
        Self {
            number: row.number,
            platform: row.platform,
            started: row.started_at,
            finished: row.finished_at,
            outcome: row.outcome,
            counts: row.counts.0,
            message: row.message,
        }
    }
}

impl Tx {
    /// Begins a run; none while another one of this platform is held. A run whose holder died is ended
    /// as failed.
    pub async fn start_run(
        &mut self,
        platform: &PlatformName,
        holder: &str,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Option<HeldRun>, StoreError> {
        let Some(lease) = self.take_lease(&format!("run:{platform}"), holder, at, until).await? else { return Ok(None) };
        let counts = json("the counts of a run", &Value::Object(serde_json::Map::new()))?;
        let number = on_backend!(self, conn => {
            sqlx::query(
                "UPDATE run
                    SET outcome = 'failed', finished_at = $2, message = 'it was interrupted'
                  WHERE platform = $1 AND outcome = 'running'",
            )
            .bind(platform)
            .bind(at)
            .execute(&mut *conn)
            .await?;
            sqlx::query_scalar(
                "INSERT INTO run (platform, started_at, outcome, counts)
                 VALUES ($1, $2, 'running', $3)
                 RETURNING number",
            )
            .bind(platform)
            .bind(at)
            .bind(counts)
            .fetch_one(conn)
            .await?
        });
        Ok(Some(HeldRun { number, platform: platform.clone(), lease }))
    }

    /// Holds the run longer; part of every transaction that writes what the run found. `false` when
    /// another poller took over: forget the transaction and stop.
    pub async fn hold_run(&mut self, run: &HeldRun, until: Timestamp) -> Result<bool, StoreError> {
        self.hold_lease(&run.lease, until).await
    }

    /// Ends a run. `false` when another poller took over and ended it already.
    pub async fn finish_run(
        &mut self,
        run: &HeldRun,
        outcome: RunOutcome,
        counts: &Value,
        message: Option<&str>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        if !self.hold_lease(&run.lease, at).await? {
            return Ok(false);
        }
        let counts = json("the counts of a run", counts)?;
        let done = on_backend!(self, conn => {
            sqlx::query("UPDATE run SET outcome = $2, finished_at = $3, counts = $4, message = $5 WHERE number = $1")
                .bind(run.number)
                .bind(outcome)
                .bind(at)
                .bind(counts)
                .bind(message.map(|message| remark(message, MESSAGE)))
                .execute(conn)
                .await?
                .rows_affected()
        });
        StoreError::affected("ending a run", 1, done)?;
        Ok(true)
    }

    /// The last `limit` runs of a platform, latest first.
    pub async fn last_runs(&mut self, platform: &PlatformName, limit: u32) -> Result<Vec<SyncRun>, StoreError> {
        let rows: Vec<Row> = on_backend!(self, conn => {
            sqlx::query_as(
                "SELECT number, platform, started_at, finished_at, outcome, counts, message
                   FROM run
                  WHERE platform = $1
                  ORDER BY number DESC
                  LIMIT $2",
            )
            .bind(platform)
            .bind(i64::from(limit))
            .fetch_all(conn)
            .await?
        });
        Ok(rows.into_iter().map(SyncRun::from).collect())
    }
}
