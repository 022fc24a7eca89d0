//! Who serves this database, so that a restart goes on at once with what a killed process had in hand
//! instead of waiting for its leases to end.

use sqlx::PgConnection;

use super::{Store, StoreError, Tx, on_backend};
use crate::domain::Timestamp;

/// The advisory lock that every serving process shares ("PASSEREL"); whoever gets it alone is alone.
const SERVING: i64 = 0x5041_5353_4552_454C;

/// Kept while a process serves. On PostgreSQL it holds the connection whose end, however the process
/// ends, tells the server that this process is gone.
#[derive(Debug)]
pub struct Presence {
    _connection: Option<PgConnection>,
    /// How many pieces of work were taken back; none where another process serves too.
    pub taken_back: u64,
}

impl Store {
    /// Begins to serve. Where nobody else does, whatever is still claimed belonged to a process that is
    /// dead: it is due again at once. Where others do, claims are left to their leases. Should a process
    /// be taken for dead that is not (its connection was cut), work is done twice and its late results
    /// are fenced off. A SQLite file is served by one process at a time; its caller holds that guard.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_to_serve(&self, now: Timestamp) -> Result<Presence, StoreError> {
        let Self::Postgres(pool) = self else {
            return Ok(Presence { _connection: None, taken_back: self.take_back_claims(now).await? });
        };
        let mut connection = pool.acquire().await?.detach();
        let alone: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(SERVING).fetch_one(&mut connection).await?;
        let taken_back = if alone { self.take_back_claims(now).await? } else { 0 };
        // Whoever else starts now waits here until the work is taken back, and only then claims any.
        sqlx::query("SELECT pg_advisory_lock_shared($1)").bind(SERVING).execute(&mut connection).await?;
        if alone {
            sqlx::query("SELECT pg_advisory_unlock($1)").bind(SERVING).execute(&mut connection).await?;
        }
        Ok(Presence { _connection: Some(connection), taken_back })
    }

    async fn take_back_claims(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let count = tx.take_back_claims(now).await?;
        tx.save().await?;
        Ok(count)
    }
}

impl Tx {
    /// Ends every claim of deliveries, letters and effects. Attempts stay counted: what killed the process
    /// five times is set aside all the same.
    async fn take_back_claims(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        on_backend!(self, conn => {
            let deliveries =
                sqlx::query("UPDATE disclosure SET next_at = $1, lease_until = $1 WHERE state = 'sending' AND lease_until > $1")
                    .bind(now)
                    .execute(&mut *conn)
                    .await?
                    .rows_affected();
            let letters = sqlx::query("UPDATE letter SET next_at = $1, lease_until = $1 WHERE state = 'sending' AND lease_until > $1")
                .bind(now)
                .execute(&mut *conn)
                .await?
                .rows_affected();
            // Before what came after them.
            let effects = sqlx::query("UPDATE journal SET next_at = received_at WHERE state = 'working' AND next_at > $1")
                .bind(now)
                .execute(&mut *conn)
                .await?
                .rows_affected();
            // A stream that was being read is nobody's.
            sqlx::query("UPDATE lease SET until = $1 WHERE name LIKE 'backfill:%' AND until > $1")
                .bind(now)
                .execute(conn)
                .await?;
            Ok(deliveries + letters + effects)
        })
    }
}
