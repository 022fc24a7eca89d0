//! How long the journal keeps the words that partners sent (GDPR-14); what proves that they came stays.

use super::{StoreError, Tx, on_backend};
use crate::domain::Timestamp;

/// Words that came before `$1` and that nothing has still to be made of, in one place for the statements below.
macro_rules! where_over {
    ($before:literal, $after:literal) => {
        concat!($before, " WHERE body IS NOT NULL AND received_at < $1 AND state NOT IN ('pending', 'working') ", $after)
    };
}

impl Tx {
    /// Whether the journal holds words that came before `before` and are no longer needed.
    pub async fn has_bodies_before(&mut self, before: Timestamp) -> Result<bool, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_scalar(where_over!("SELECT EXISTS (SELECT 1 FROM journal", ")")).bind(before).fetch_one(conn).await?)
        })
    }

    /// The journal forgets the words of at most `limit` activities that came before `before`, oldest
    /// first; what is still to be applied keeps them. Returns how many.
    pub async fn erase_bodies_before(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let done = on_backend!(&mut *self, conn => {
            sqlx::query(where_over!(
                "UPDATE journal SET body = NULL WHERE number IN (SELECT number FROM journal",
                "ORDER BY received_at, number LIMIT $2)"
            ))
            .bind(before)
            .bind(i64::from(limit))
            .execute(conn)
            .await?
            .rows_affected()
        });
        self.words_were_erased();
        Ok(done)
    }
}
