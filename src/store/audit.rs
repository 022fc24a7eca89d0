//! Who did what, and what went wrong that a person must know. Rows are added, never changed, never
//! removed; they hold no text that a citizen wrote.

use sqlx::{FromRow, QueryBuilder};

use super::columns::remark;
use super::{CHUNK, StoreError, Tx, on_backend};
use crate::domain::Timestamp;

/// Longest detail kept, in characters.
const DETAIL: usize = 1000;

/// Something to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: a person's account, a command, `gateway`, or a partner's domain.
    pub who: String,
    /// What, as a stable word: `partner-accepted`, `copy-frozen` …
    pub action: String,
    /// To what: a record, a partner, a key.
    pub subject: String,
    /// A sentence for people.
    pub detail: String,
}

/// An entry with its number.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct AuditRow {
    /// Its number; grows.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// A sentence for people.
    pub detail: String,
}

impl Tx {
    /// Adds entries.
    pub async fn append_audit(&mut self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        for chunk in entries.chunks(CHUNK) {
            on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("INSERT INTO audit (at, who, action, subject, detail) ");
                query.push_values(chunk, |mut row, entry| {
                    row.push_bind(entry.at)
                        .push_bind(remark(&entry.who, DETAIL))
                        .push_bind(remark(&entry.action, DETAIL))
                        .push_bind(remark(&entry.subject, 2048))
                        .push_bind(remark(&entry.detail, DETAIL));
                });
                query.build().execute(conn).await?;
            });
        }
        Ok(())
    }

    /// The last entries before number `before`, latest first.
    pub async fn list_audit(&mut self, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_as(
                "SELECT number, at, who, action, subject, detail
                   FROM audit
                  WHERE number < $1
                  ORDER BY number DESC
                  LIMIT $2",
            )
            .bind(before.unwrap_or(i64::MAX))
            .bind(i64::from(limit))
            .fetch_all(conn)
            .await?)
        })
    }

    /// The last entries about one subject, latest first.
    pub async fn audit_of(&mut self, subject: &str, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_as(
                "SELECT number, at, who, action, subject, detail
                   FROM audit
                  WHERE subject = $1
                  ORDER BY number DESC
                  LIMIT $2",
            )
            .bind(subject)
            .bind(i64::from(limit))
            .fetch_all(conn)
            .await?)
        })
    }
}
