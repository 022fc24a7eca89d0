//! Reading copies: by address, by their name here, by list, and what is held of a partner at all.

use sqlx::{FromRow, QueryBuilder};

use super::columns::unsigned;
use super::copies::{CopyStanding, Row, StoredCopy};
use super::paging::{push_conditions, push_page};
use super::{Page, RecordQuery, StoreError, Tx, on_backend, rounded};
use crate::domain::digest::Digest;
use crate::domain::{Class, Key, PartnerDomain, RecordId, Revision, Timestamp};

/// Addresses in one statement: a power of two, as the statement is prepared for.
const LOOKED_UP: usize = 128;

/// Which copies a list shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CopyQuery {
    /// Of this partner.
    pub domain: Option<PartnerDomain>,
    /// As for our own records.
    pub filter: RecordQuery,
}

/// The name, revision and digest of a copy: what two gateways compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyHead {
    /// Its address at its origin.
    pub id: RecordId,
    /// Its class.
    pub class: Class,
    /// The revision held, or that of the tombstone.
    pub revision: Revision,
    /// Its digest.
    pub digest: Digest,
    /// What we do with it.
    pub standing: CopyStanding,
    /// When its origin last confirmed it.
    pub confirmed_at: Timestamp,
}

#[derive(FromRow)]
struct Head {
    id: RecordId,
    class: Class,
    revision: i64,
    digest: Digest,
    standing: CopyStanding,
    confirmed_at: Timestamp,
}

impl From<Head> for CopyHead {
    fn from(row: Head) -> Self {
        Self {
            id: row.id,
            class: row.class,
            revision: unsigned(row.revision),
            digest: row.digest,
            standing: row.standing,
            confirmed_at: row.confirmed_at,
        }
    }
}

/// The columns of a copy, in one place for the statements below.
macro_rules! select_copies {
    ($rest:literal) => {
        concat!(
            "SELECT id, authority, domain, class, process, parent, revision, standing, record, sealed, digest, rival_digest,
                    dated_at, received_at, confirmed_at, key
               FROM copy ",
            $rest
        )
    };
}

/// Some of what is held of a partner, by address.
macro_rules! select_heads {
    ($condition:literal) => {
        concat!(
            "SELECT id, class, revision, digest, standing, confirmed_at
               FROM copy
              WHERE domain = $1 AND id > $2 ",
            $condition,
            " ORDER BY id LIMIT $3"
        )
    };
}

impl Tx {
    /// A copy by its address at its origin.
    pub async fn lookup_copy(&mut self, id: &RecordId) -> Result<Option<StoredCopy>, StoreError> {
        let row: Option<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_copies!("WHERE id = $1")).bind(id).fetch_optional(conn).await?
        });
        Ok(row.map(StoredCopy::from))
    }

    /// Those of these copies that we hold (tombstones too), in no particular order.
    pub async fn lookup_copies(&mut self, ids: &[RecordId]) -> Result<Vec<StoredCopy>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(LOOKED_UP) {
            let rows: Vec<Row> = on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(select_copies!("WHERE id IN ("));
                let mut list = query.separated(", ");
                for id in rounded(&chunk.iter().collect::<Vec<_>>()) {
                    list.push_bind(id);
                }
                query.push(")");
                query.build_query_as().fetch_all(conn).await?
            });
            found.extend(rows.into_iter().map(StoredCopy::from));
        }
        Ok(found)
    }

    /// A copy by its name in `/from/{domain}/{segment}/{key}`.
    pub async fn copy_by_key(
        &mut self,
        domain: &PartnerDomain,
        segment: &str,
        key: &Key,
    ) -> Result<Option<StoredCopy>, StoreError> {
        let row: Option<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_copies!("WHERE domain = $1 AND segment = $2 AND key = $3"))
                .bind(domain)
                .bind(segment)
                .bind(key)
                .fetch_optional(conn)
                .await?
        });
        Ok(row.map(StoredCopy::from))
    }

    /// One page of a list of copies.
    pub async fn list_copies(&mut self, query: &CopyQuery) -> Result<Page<StoredCopy>, StoreError> {
        let filter = &query.filter;
        let rows: Vec<Row> = on_backend!(self, conn: Db => {
            let mut text = QueryBuilder::<Db>::new(select_copies!("WHERE TRUE"));
            if let Some(domain) = &query.domain {
                text.push(" AND domain = ").push_bind(domain);
            }
            push_conditions!(text, filter);
            push_page!(text, filter.order, &filter.after, filter.limit);
            text.build_query_as().fetch_all(conn).await?
        });
        let rows = rows.into_iter().map(|row| {
            let at = row.dated_at;
            let copy = StoredCopy::from(row);
            (at, copy.id.to_string(), copy)
        });
        Ok(Page::cut(rows.collect(), filter.limit))
    }

    /// How many copies a list has on all its pages.
    pub async fn count_copies(&mut self, query: &CopyQuery) -> Result<u64, StoreError> {
        let count: i64 = on_backend!(self, conn: Db => {
            let mut text = QueryBuilder::<Db>::new("SELECT COUNT(*) FROM copy WHERE TRUE");
            if let Some(domain) = &query.domain {
                text.push(" AND domain = ").push_bind(domain);
            }
            push_conditions!(text, query.filter);
            text.build_query_scalar().fetch_one(conn).await?
        });
        Ok(unsigned(count))
    }

    /// What is held of a partner, by address, beginning after `after`: names and digests only, tombstones
    /// included.
    pub async fn copy_heads(
        &mut self,
        domain: &PartnerDomain,
        after: Option<&RecordId>,
        limit: u32,
    ) -> Result<Vec<CopyHead>, StoreError> {
        self.some_heads(select_heads!(""), domain, after, limit).await
    }

    /// The same of what is shown to everybody: no tombstones, nothing frozen or set aside.
    pub async fn shown_copy_heads(
        &mut self,
        domain: &PartnerDomain,
        after: Option<&RecordId>,
        limit: u32,
    ) -> Result<Vec<CopyHead>, StoreError> {
        self.some_heads(select_heads!("AND standing IN ('live', 'hidden')"), domain, after, limit).await
    }

    async fn some_heads(
        &mut self,
        text: &'static str,
        domain: &PartnerDomain,
        after: Option<&RecordId>,
        limit: u32,
    ) -> Result<Vec<CopyHead>, StoreError> {
        let rows: Vec<Head> = on_backend!(self, conn => {
            sqlx::query_as(text)
                .bind(domain)
                .bind(after.map_or("", RecordId::as_str))
                .bind(i64::from(limit))
                .fetch_all(conn)
                .await?
        });
        Ok(rows.into_iter().map(CopyHead::from).collect())
    }

    /// How many copies of a partner stand where.
    pub async fn copy_counts(&mut self, domain: &PartnerDomain) -> Result<Vec<(CopyStanding, u64)>, StoreError> {
        let rows: Vec<(CopyStanding, i64)> = on_backend!(self, conn => {
            sqlx::query_as("SELECT standing, COUNT(*) FROM copy WHERE domain = $1 GROUP BY standing ORDER BY standing")
                .bind(domain)
                .fetch_all(conn)
                .await?
        });
        Ok(rows.into_iter().map(|(standing, count)| (standing, unsigned(count))).collect())
    }
}
