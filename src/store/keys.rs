//! Private keys and the city secret, sealed before they come here: the store sees opaque bytes.

use sqlx::FromRow;

use super::{StoreError, Tx, on_backend};
use crate::domain::Timestamp;

/// A sealed secret.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct SealedKey {
    /// What it is, for example `ed25519`.
    pub name: String,
    /// Its sealed bytes.
    pub sealed: Vec<u8>,
    /// Since when it is kept.
    pub kept_at: Timestamp,
}

impl std::fmt::Debug for SealedKey {
    /// Without the bytes: even sealed they belong into no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedKey").field("name", &self.name).field("kept_at", &self.kept_at).finish_non_exhaustive()
    }
}

impl Tx {
    /// Keeps a secret under a name that is free, and returns what is kept under it: of two processes
    /// that start at once, both get the first one's.
    pub async fn keep_key(&mut self, name: &str, sealed: &[u8], at: Timestamp) -> Result<SealedKey, StoreError> {
        on_backend!(self, conn => {
            sqlx::query(
                "INSERT INTO secret (name, sealed, kept_at)
                 VALUES ($1, $2, $3)
                 ON CONFLICT (name) DO NOTHING",
            )
            .bind(name)
            .bind(sealed)
            .bind(at)
            .execute(&mut *conn)
            .await?;
            Ok(sqlx::query_as("SELECT name, sealed, kept_at FROM secret WHERE name = $1").bind(name).fetch_one(conn).await?)
        })
    }

    /// The secret kept under a name.
    pub async fn lookup_key(&mut self, name: &str) -> Result<Option<SealedKey>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_as("SELECT name, sealed, kept_at FROM secret WHERE name = $1").bind(name).fetch_optional(conn).await?)
        })
    }
}
