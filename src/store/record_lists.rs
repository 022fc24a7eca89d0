//! Reading records: by address, by list, and their chain of revisions.

use bytes::Bytes;
use sqlx::{FromRow, QueryBuilder};

use super::columns::unsigned;
use super::paging::{push_conditions, push_page};
use super::records::{Row, Standing, StoredRecord};
use super::{CHUNK, Cursor, Order, Page, StoreError, Tx, on_backend, rounded};
use crate::domain::calendar::Day;
use crate::domain::digest::Digest;
use crate::domain::{Class, RecordId, Revision, Timestamp};

/// Which records a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordQuery {
    /// Of these classes; empty means every class.
    pub classes: Vec<Class>,
    /// Of this consultation.
    pub process: Option<RecordId>,
    /// Replies to, judgements of or answers to this record.
    pub parent: Option<RecordId>,
    /// That say something of this record anywhere in their body: as their root, their subject, a part.
    pub naming: Option<RecordId>,
    /// That promise or report something for this day or an earlier one, and are not finished.
    pub due_by: Option<Day>,
    /// Without those that are hidden or gone.
    pub visible_only: bool,
    /// In which order.
    pub order: Order,
    /// Where the page begins.
    pub after: Option<Cursor>,
    /// How many at most.
    pub limit: u32,
}

impl Default for RecordQuery {
    fn default() -> Self {
        Self {
            classes: Vec::new(),
            process: None,
            parent: None,
            naming: None,
            due_by: None,
            visible_only: true,
            order: Order::Newest,
            after: None,
            limit: 50,
        }
    }
}

/// What a machine is given at a record's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRecord {
    /// What we do with the record.
    pub standing: Standing,
    /// The digest of the bytes.
    pub digest: Digest,
    /// Its sealed bytes, or those of its tombstone.
    pub bytes: Bytes,
}

/// One link of a record's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionRow {
    /// Its number, from 1.
    pub revision: Revision,
    /// Its digest.
    pub digest: Digest,
    /// The digest of the revision before it.
    pub previous: Option<Digest>,
    /// When we wrote it.
    pub at: Timestamp,
    /// Whether a reader would see the difference.
    pub material: bool,
}

#[derive(FromRow)]
struct Link {
    revision: i64,
    digest: Digest,
    previous: Option<Digest>,
    at: Timestamp,
    material: bool,
}

/// The columns of a record, in one place for the statements below.
macro_rules! select_records {
    ($rest:literal) => {
        concat!(
            "SELECT id, class, process, parent, revision, version, standing, record, sealed, digest, dated_at, changed_at,
                    platform, entity, local_id, local_class
               FROM record ",
            $rest
        )
    };
}

impl Tx {
    /// A record by its address.
    pub async fn lookup_record(&mut self, id: &RecordId) -> Result<Option<StoredRecord>, StoreError> {
        let row: Option<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_records!("WHERE id = $1")).bind(id).fetch_optional(conn).await?
        });
        Ok(row.map(StoredRecord::from))
    }

    /// What a machine is given of a record: what it says is neither read nor taken apart.
    pub async fn lookup_sealed(&mut self, id: &RecordId) -> Result<Option<SealedRecord>, StoreError> {
        let row: Option<(Standing, Digest, Vec<u8>)> = on_backend!(self, conn => {
            sqlx::query_as("SELECT standing, digest, sealed FROM record WHERE id = $1").bind(id).fetch_optional(conn).await?
        });
        Ok(row.map(|(standing, digest, sealed)| SealedRecord { standing, digest, bytes: sealed.into() }))
    }

    /// Those of these records that exist, in no particular order.
    pub async fn lookup_records(&mut self, ids: &[RecordId]) -> Result<Vec<StoredRecord>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let rows: Vec<Row> = on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(select_records!("WHERE id IN ("));
                let mut list = query.separated(", ");
                for id in rounded(&chunk.iter().collect::<Vec<_>>()) {
                    list.push_bind(id);
                }
                query.push(")");
                query.build_query_as().fetch_all(conn).await?
            });
            found.extend(rows.into_iter().map(StoredRecord::from));
        }
        Ok(found)
    }

    /// One page of a list of records.
    pub async fn list_records(&mut self, query: &RecordQuery) -> Result<Page<StoredRecord>, StoreError> {
        let rows: Vec<Row> = on_backend!(self, conn: Db => {
            let mut text = QueryBuilder::<Db>::new(select_records!("WHERE TRUE"));
            push_conditions!(text, query);
            push_page!(text, query.order, &query.after, query.limit);
            text.build_query_as().fetch_all(conn).await?
        });
        let rows = rows.into_iter().map(|row| {
            let at = row.dated_at;
            let record = StoredRecord::from(row);
            (at, record.id.to_string(), record)
        });
        Ok(Page::cut(rows.collect(), query.limit))
    }

    /// How many records a list has on all its pages.
    pub async fn count_records(&mut self, query: &RecordQuery) -> Result<u64, StoreError> {
        let count: i64 = on_backend!(self, conn: Db => {
            let mut text = QueryBuilder::<Db>::new("SELECT COUNT(*) FROM record WHERE TRUE");
            push_conditions!(text, query);
            text.build_query_scalar().fetch_one(conn).await?
        });
        Ok(unsigned(count))
    }

    /// The chain of a record, oldest link first.
    pub async fn revisions_of(&mut self, id: &RecordId) -> Result<Vec<RevisionRow>, StoreError> {
        let links: Vec<Link> = on_backend!(self, conn => {
            sqlx::query_as(
                "SELECT revision, digest, previous, at, material
                   FROM record_revision
                  WHERE record = $1
                  ORDER BY revision",
            )
            .bind(id)
            .fetch_all(conn)
            .await?
        });
        Ok(links
            .into_iter()
            .map(|link| RevisionRow {
                revision: unsigned(link.revision),
                digest: link.digest,
                previous: link.previous,
                at: link.at,
                material: link.material,
            })
            .collect())
    }

    /// The sealed bytes of one revision: of the present one always, of an earlier one until its words
    /// were erased.
    pub async fn sealed_revision(&mut self, id: &RecordId, revision: Revision) -> Result<Option<Bytes>, StoreError> {
        let bytes: Option<Option<Vec<u8>>> = on_backend!(self, conn => {
            sqlx::query_scalar(
                "SELECT CASE WHEN record.revision = record_revision.revision THEN record.sealed ELSE record_revision.sealed END
                   FROM record_revision
                   JOIN record ON record.id = record_revision.record
                  WHERE record_revision.record = $1 AND record_revision.revision = $2",
            )
            .bind(id)
            .bind(super::columns::number(revision))
            .fetch_optional(conn)
            .await?
        });
        Ok(bytes.flatten().map(Bytes::from))
    }
}
