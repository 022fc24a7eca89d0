//! Whether anything was committed since one last asked: what caches of pages go by.

use super::{Store, StoreError};

impl Store {
    /// A number that differs from an earlier one if anybody, this process or another, committed a change
    /// in between. It may also differ without one. Costs microseconds on SQLite, one short exchange on
    /// PostgreSQL.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn change_stamp(&self) -> Result<u64, StoreError> {
        let stamp: i64 = match self {
            // Only values of one and the same connection may be compared, hence the pool of one.
            Self::Sqlite(store) => sqlx::query_scalar("PRAGMA data_version").fetch_one(&store.watcher).await?,
            // The snapshot names the next transaction and those under way: it changes with every commit.
            Self::Postgres(pool) => {
                sqlx::query_scalar("SELECT hashtextextended(pg_current_snapshot()::text, 0)").fetch_one(pool).await?
            }
        };
        Ok(stamp.cast_unsigned())
    }
}
