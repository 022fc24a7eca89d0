//! The change log: what happened to our records, and what of it is not planned for partners yet.
//!
//! Claimed *by state*, never "after n": a transaction that took an earlier number may commit later
//! (REL-022). Claim, plan and mark in one transaction.

use sqlx::{FromRow, QueryBuilder};

use super::columns::unsigned;
use super::{CHUNK, StoreError, Tx, on_backend, skip_locked};
use crate::domain::change::{Change, ChangeKind};
use crate::domain::{Class, RecordId, Timestamp};

#[derive(FromRow)]
struct Row {
    number: i64,
    record: RecordId,
    class: Class,
    revision: i64,
    kind: ChangeKind,
    at: Timestamp,
}

impl From<Row> for Change {
    fn from(row: Row) -> Self {
        Self {
            number: row.number,
            record: row.record,
            class: row.class,
            revision: unsigned(row.revision),
            kind: row.kind,
            at: row.at,
        }
    }
}

impl Tx {
    /// The first unplanned changes; on PostgreSQL they stay locked for this transaction and another
    /// planner passes over them.
    pub async fn claim_unplanned(&mut self, limit: u32) -> Result<Vec<Change>, StoreError> {
        let text = skip_locked!(
            self,
            "SELECT number, record, class, revision, kind, at
               FROM change
              WHERE NOT planned
              ORDER BY number
              LIMIT $1",
            ""
        );
        let rows: Vec<Row> = on_backend!(self, conn => {
            sqlx::query_as(text).bind(i64::from(limit)).fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(Change::from).collect())
    }

    /// Marks changes as planned.
    pub async fn mark_planned(&mut self, numbers: &[i64]) -> Result<(), StoreError> {
        for chunk in numbers.chunks(CHUNK) {
            let done = on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("UPDATE change SET planned = TRUE WHERE NOT planned AND number IN (");
                let mut list = query.separated(", ");
                for number in chunk {
                    list.push_bind(*number);
                }
                query.push(")");
                query.build().execute(conn).await?.rows_affected()
            });
            StoreError::affected("marking changes as planned", chunk.len(), done)?;
        }
        Ok(())
    }

    /// How many changes wait for the planner, and since when the oldest of them does.
    pub async fn unplanned_changes(&mut self) -> Result<(u64, Option<Timestamp>), StoreError> {
        let (count, oldest): (i64, Option<Timestamp>) = on_backend!(self, conn => {
            sqlx::query_as("SELECT COUNT(*), MIN(at) FROM change WHERE NOT planned").fetch_one(conn).await?
        });
        Ok((unsigned(count), oldest))
    }
}
