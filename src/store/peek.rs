//! Whether there is anything to claim, asked by reading: workers look twice a second, and only who finds
//! something asks for the writer.

use super::letters::may_leave;
use super::{StoreError, Tx, on_backend};
use crate::domain::Timestamp;

impl Tx {
    /// Whether a letter or a disclosure may be claimed at `now`.
    pub async fn delivery_is_due(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        if self.disclosure_is_due(now).await? {
            return Ok(true);
        }
        on_backend!(self, conn => {
            Ok(sqlx::query_scalar(concat!("SELECT EXISTS (SELECT 1 FROM letter WHERE ", may_leave!(), ")"))
                .bind(now)
                .fetch_one(conn)
                .await?)
        })
    }

    /// Whether the effect of an activity may be claimed at `now`.
    pub async fn effect_is_due(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM journal WHERE state IN ('pending', 'working') AND next_at <= $1)",
            )
            .bind(now)
            .fetch_one(conn)
            .await?)
        })
    }
}
