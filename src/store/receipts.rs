//! Receipts that we gave, by their address: a delivery's stands in the journal, an erasure's in the
//! letter that carried it.

use super::{Backend, StoreError, Tx, on_backend};

impl Tx {
    /// The signed receipt at `id`, as it was given.
    pub async fn find_receipt(&mut self, id: &str) -> Result<Option<String>, StoreError> {
        // The conditions repeat the expressions of the indexes, which each database writes its own way.
        let (delivery, erasure) = match self.backend() {
            Backend::Sqlite => (
                "SELECT receipt FROM journal WHERE receipt <> '' AND json_extract(receipt, '$.id') = $1 LIMIT 1",
                "SELECT json_extract(body, '$.result') FROM letter WHERE json_extract(body, '$.result.id') = $1 LIMIT 1",
            ),
            Backend::Postgres => (
                "SELECT receipt FROM journal WHERE receipt <> '' AND receipt::jsonb ->> 'id' = $1 LIMIT 1",
                "SELECT (body::json -> 'result')::text FROM letter WHERE body::jsonb -> 'result' ->> 'id' = $1 LIMIT 1",
            ),
        };
        let found: Option<String> =
            on_backend!(&mut *self, conn => sqlx::query_scalar(delivery).bind(id).fetch_optional(conn).await?);
        if found.is_some() {
            return Ok(found);
        }
        on_backend!(self, conn => Ok(sqlx::query_scalar(erasure).bind(id).fetch_optional(conn).await?))
    }
}
