//! What hangs on many records at once: a discussion is read level by level, one statement a level.

use sqlx::QueryBuilder;

use super::copies::{Row as CopyRow, StoredCopy};
use super::records::{Row, StoredRecord};
use super::{CHUNK, StoreError, Tx, on_backend};
use crate::domain::{Class, PartnerDomain, RecordId};

/// Replies read at most per statement: a level of a discussion on one page.
const MOST: i64 = 2_000;

/// Binds the parents and classes of the statements below.
macro_rules! push_parents {
    ($query:expr, $parents:expr, $classes:expr) => {{
        let mut list = $query.separated(", ");
        for parent in $parents {
            list.push_bind(parent);
        }
        $query.push(") AND class IN (");
        let mut list = $query.separated(", ");
        for class in $classes {
            list.push_bind(*class);
        }
        $query.push(") ORDER BY dated_at, id LIMIT ").push_bind(MOST);
    }};
}

impl Tx {
    /// The records of `classes` that reply to, judge or answer one of `parents`, oldest first; hidden and
    /// deleted ones too, because they keep their place.
    pub async fn replies_to(&mut self, parents: &[RecordId], classes: &[Class]) -> Result<Vec<StoredRecord>, StoreError> {
        let mut found = Vec::new();
        for chunk in parents.chunks(CHUNK).filter(|_| !classes.is_empty()) {
            let rows: Vec<Row> = on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "SELECT id, class, process, parent, revision, version, standing, record, sealed, digest, dated_at,
                            changed_at, platform, entity, local_id, local_class
                       FROM record
                      WHERE parent IN (",
                );
                push_parents!(query, chunk, classes);
                query.build_query_as().fetch_all(conn).await?
            });
            found.extend(rows.into_iter().map(StoredRecord::from));
        }
        Ok(found)
    }

    /// The same of one partner's copies: what others say about its records is not its word (SEC-057).
    pub async fn copied_replies_to(
        &mut self,
        domain: &PartnerDomain,
        parents: &[RecordId],
        classes: &[Class],
    ) -> Result<Vec<StoredCopy>, StoreError> {
        let mut found = Vec::new();
        for chunk in parents.chunks(CHUNK).filter(|_| !classes.is_empty()) {
            let rows: Vec<CopyRow> = on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "SELECT id, authority, domain, class, process, parent, revision, standing, record, sealed, digest,
                            rival_digest, dated_at, received_at, confirmed_at, key
                       FROM copy
                      WHERE domain = ",
                );
                query.push_bind(domain).push(" AND parent IN (");
                push_parents!(query, chunk, classes);
                query.build_query_as().fetch_all(conn).await?
            });
            found.extend(rows.into_iter().map(StoredCopy::from));
        }
        Ok(found)
    }
}
