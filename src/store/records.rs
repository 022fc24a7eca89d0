//! Records of this authority: the present state, the chain of revisions, and the change that each
//! revision is, written together.
//!
//! A revision is accepted only if it is the stored one plus one and names the stored digest as its
//! previous one; so two writers can never both win.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use sqlx::types::Json;
use sqlx::{FromRow, QueryBuilder};

use super::columns::{json, number, small, text_column, unsigned, whole};
use super::{CHUNK, StoreError, Tx, comes_again, on_backend};
use crate::domain::change::ChangeKind;
use crate::domain::digest::Digest;
use crate::domain::seal::Sealed;
use crate::domain::tombstone::Tombstone;
use crate::domain::{Body, Class, LocalId, PlatformName, Record, RecordId, Revision, Timestamp};
use crate::words;

words! {
    /// What visitors get of a record: its page, a page that says it is hidden, or "gone".
    Standing {
        Live = "live",
        Hidden = "hidden",
        Deleted = "deleted",
    }
}
text_column!(Standing);

/// A record of ours as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRecord {
    /// Its address.
    pub id: RecordId,
    /// Its class.
    pub class: Class,
    /// The consultation it belongs to.
    pub process: RecordId,
    /// What it replies to, judges or answers.
    pub parent: Option<RecordId>,
    /// The present revision.
    pub revision: Revision,
    /// How many revisions moved `updated`: the "version n" that people read (architecture §4.9).
    pub version: u32,
    /// What visitors get of it.
    pub standing: Standing,
    /// What it says; none once deleted.
    pub record: Option<Record>,
    /// The canonical signed bytes of the present revision, or of the tombstone.
    pub sealed: Bytes,
    /// The digest of the present revision.
    pub digest: Digest,
    /// When we wrote the present revision.
    pub changed_at: Timestamp,
    /// The item it was made from.
    pub local: Option<LocalId>,
}

impl StoredRecord {
    /// Whether whoever has the record is to lose it, or its words.
    #[must_use]
    pub fn takes_back(&self) -> bool {
        self.standing == Standing::Deleted || self.record.as_ref().is_some_and(Record::takes_words_back)
    }
}

/// One new revision of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordWrite {
    /// The item it was made from.
    pub local: Option<LocalId>,
    /// What it says; its `revision` is the stored one plus one.
    pub record: Record,
    /// Its canonical signed bytes.
    pub sealed: Sealed,
    /// The digest of the stored revision.
    pub previous: Option<Digest>,
    /// What happened: `Created` or `Updated`.
    pub kind: ChangeKind,
    /// Whether a reader would see the difference.
    pub material: bool,
    /// When we write it.
    pub at: Timestamp,
}

/// The end of a record: its words are erased everywhere, a signed tombstone stays.
#[derive(Debug, Clone, PartialEq)]
pub struct Burial {
    /// What is left of it; its revision is the stored one plus one.
    pub tombstone: Tombstone,
    /// Its canonical signed bytes.
    pub sealed: Sealed,
    /// When.
    pub at: Timestamp,
}

#[derive(FromRow)]
pub(super) struct Row {
    id: RecordId,
    class: Class,
    process: RecordId,
    parent: Option<RecordId>,
    revision: i64,
    version: i64,
    standing: Standing,
    record: Option<Json<Record>>,
    sealed: Vec<u8>,
    digest: Digest,
    pub(super) dated_at: Timestamp,
    changed_at: Timestamp,
    platform: Option<PlatformName>,
    entity: Option<String>,
    local_id: Option<String>,
    local_class: Option<Class>,
}

impl From<Row> for StoredRecord {
    fn from(row: Row) -> Self {
        let local = match (row.platform, row.entity, row.local_id, row.local_class) {
            (Some(platform), Some(entity), Some(id), Some(class)) => Some(LocalId { platform, entity, id, class }),
            _ => None,
        };
        Self {
            id: row.id,
            class: row.class,
            process: row.process,
            parent: row.parent,
            revision: unsigned(row.revision),
            version: small(row.version),
            standing: row.standing,
            record: row.record.map(|json| json.0),
            sealed: row.sealed.into(),
            digest: row.digest,
            changed_at: row.changed_at,
            local,
        }
    }
}

/// What the next revision of a record has to know about the stored one.
#[derive(FromRow)]
struct Head {
    id: RecordId,
    revision: i64,
    version: i64,
    digest: Digest,
    depth: i64,
    dated_at: Timestamp,
}

impl RecordWrite {
    fn standing(&self) -> Standing {
        if self.record.is_visible() { Standing::Live } else { Standing::Hidden }
    }
}

/// How far a class is from its consultation: whoever reads by depth meets a parent before its child.
const fn depth_of(class: Class) -> i64 {
    match class {
        Class::Consultation => 0,
        Class::Contribution | Class::Meeting | Class::BudgetProject | Class::Poll => 1,
        Class::Disposition | Class::OfficialResponse | Class::Decision | Class::Commitment | Class::Result => 2,
        Class::Argument | Class::Comment | Class::ProgressUpdate | Class::Document => 3,
    }
}

/// Whether a record may hang on one of its own class, or on one whose depth its class does not tell.
const fn hangs_anywhere(record: &Record) -> bool {
    matches!(record.body, Body::Comment(_) | Body::Result(_) | Body::ProgressUpdate(_) | Body::Document(_))
}

impl Tx {
    /// Writes new revisions: record, link of the chain and change together. One call may write several
    /// revisions of one record, in their order.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when a revision does not follow the stored one: nothing may be saved.
    pub async fn put_records(&mut self, writes: &[RecordWrite]) -> Result<(), StoreError> {
        let mut rest = writes;
        while !rest.is_empty() {
            // One statement cannot touch a row twice.
            let mut seen = HashSet::new();
            let fits = rest.iter().take(CHUNK).take_while(|write| seen.insert(&write.record.id)).count();
            let (chunk, after) = rest.split_at(fits);
            self.put_chunk(chunk).await?;
            rest = after;
        }
        Ok(())
    }

    async fn put_chunk(&mut self, writes: &[RecordWrite]) -> Result<(), StoreError> {
        let ids: Vec<&RecordId> = writes.iter().map(|write| &write.record.id).collect();
        let heads = self.heads(&ids).await?;
        for write in writes {
            let stored = heads.get(&write.record.id);
            follows(&write.record.id, stored, write.record.revision, write.previous.as_ref())?;
        }
        let (erased, kept): (Vec<_>, Vec<_>) =
            writes.iter().filter(|write| heads.contains_key(&write.record.id)).partition(|write| write.record.takes_words_back());
        self.archive(&kept.iter().map(|write| &write.record.id).collect::<Vec<_>>()).await?;
        self.erase_history(&erased.iter().map(|write| &write.record.id).collect::<Vec<_>>()).await?;
        let depths = self.depths(writes, &heads).await?;
        self.put_present(writes, &heads, &depths).await?;
        let links: Vec<Link<'_>> = writes
            .iter()
            .map(|write| Link {
                record: &write.record.id,
                class: write.record.class(),
                revision: write.record.revision,
                sealed: &write.sealed,
                previous: write.previous.as_ref(),
                at: write.at,
                kind: write.kind,
                material: write.material || write.record.revision == 1,
            })
            .collect();
        self.put_links(&links).await
    }

    async fn put_present(
        &mut self,
        writes: &[RecordWrite],
        heads: &HashMap<RecordId, Head>,
        depths: &HashMap<&RecordId, i64>,
    ) -> Result<(), StoreError> {
        let mut documents = Vec::with_capacity(writes.len());
        for write in writes {
            if let Some(local) = &write.local {
                whole("a platform's id", &local.id)?;
                whole("a platform's type", &local.entity)?;
            }
            documents.push((write, json("a record", &write.record)?));
        }
        let done = on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "INSERT INTO record (id, class, process, parent, depth, revision, version, standing, record, sealed, digest,
                                     dated_at, changed_at, platform, entity, local_id, local_class) ",
            );
            query.push_values(documents, |mut row, (write, document)| {
                let record = &write.record;
                let head = heads.get(&record.id);
                let version = head.map_or(1, |head| head.version + i64::from(write.material));
                let dated = record.published.unwrap_or_else(|| head.map_or(write.at, |head| head.dated_at));
                row.push_bind(&record.id)
                    .push_bind(record.class())
                    .push_bind(record.process())
                    .push_bind(record.parent())
                    .push_bind(depths.get(&record.id).copied().unwrap_or_else(|| depth_of(record.class())))
                    .push_bind(number(record.revision))
                    .push_bind(version)
                    .push_bind(write.standing())
                    .push_bind(document)
                    .push_bind(write.sealed.bytes.as_ref())
                    .push_bind(&write.sealed.digest)
                    .push_bind(dated)
                    .push_bind(write.at)
                    .push_bind(write.local.as_ref().map(|local| &local.platform))
                    .push_bind(write.local.as_ref().map(|local| &local.entity))
                    .push_bind(write.local.as_ref().map(|local| &local.id))
                    .push_bind(write.local.as_ref().map(|local| local.class));
            });
            query.push(
                " ON CONFLICT (id) DO UPDATE
                     SET class = excluded.class, process = excluded.process, parent = excluded.parent, depth = excluded.depth,
                         revision = excluded.revision, version = excluded.version, standing = excluded.standing,
                         record = excluded.record, sealed = excluded.sealed, digest = excluded.digest,
                         dated_at = excluded.dated_at, changed_at = excluded.changed_at, platform = excluded.platform,
                         entity = excluded.entity, local_id = excluded.local_id, local_class = excluded.local_class
                   WHERE record.revision = excluded.revision - 1",
            );
            query.build().persistent(comes_again(writes.len())).execute(conn).await?.rows_affected()
        });
        StoreError::affected("writing records", writes.len(), done)
    }

    /// Ends records: words leave the record and every earlier revision, the tombstone is the last link.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when a tombstone does not follow the stored revision.
    pub async fn bury_records(&mut self, burials: &[Burial]) -> Result<(), StoreError> {
        for chunk in burials.chunks(CHUNK) {
            let ids: Vec<&RecordId> = chunk.iter().map(|burial| &burial.tombstone.id).collect();
            let heads = self.heads(&ids).await?;
            let mut links = Vec::with_capacity(chunk.len());
            for burial in chunk {
                let id = &burial.tombstone.id;
                let head = heads.get(id);
                let next = head.map_or(1, |head| unsigned(head.revision) + 1);
                let revision = burial.tombstone.revision.unwrap_or(next);
                let previous = burial.tombstone.previous_digest.as_ref().or_else(|| head.map(|head| &head.digest));
                if head.is_none() {
                    return Err(StoreError::Superseded { id: id.clone(), stored: 0, offered: revision });
                }
                follows(id, head, revision, previous)?;
                links.push(Link {
                    record: id,
                    class: burial.tombstone.former_class,
                    revision,
                    sealed: &burial.sealed,
                    previous,
                    at: burial.at,
                    kind: ChangeKind::Deleted,
                    material: true,
                });
            }
            self.erase_history(&ids).await?;
            self.put_tombstones(&links).await?;
            self.put_links(&links).await?;
        }
        Ok(())
    }

    async fn put_tombstones(&mut self, links: &[Link<'_>]) -> Result<(), StoreError> {
        for link in links {
            let done = on_backend!(&mut *self, conn => {
                sqlx::query(
                    "UPDATE record
                        SET standing = 'deleted', record = NULL, revision = $2, sealed = $3, digest = $4, changed_at = $5
                      WHERE id = $1 AND revision = $2 - 1",
                )
                .bind(link.record)
                .bind(number(link.revision))
                .bind(link.sealed.bytes.as_ref())
                .bind(&link.sealed.digest)
                .bind(link.at)
                .execute(conn)
                .await?
                .rows_affected()
            });
            StoreError::affected("burying a record", 1, done)?;
        }
        Ok(())
    }

    /// Keeps the sealed bytes of the present revision beside its link before the next one replaces them.
    async fn archive(&mut self, ids: &[&RecordId]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "UPDATE record_revision
                    SET sealed = (SELECT record.sealed FROM record WHERE record.id = record_revision.record)
                  WHERE revision = (SELECT record.revision FROM record WHERE record.id = record_revision.record)
                    AND record IN (",
            );
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            query.push(")");
            query.build().execute(conn).await?;
        });
        Ok(())
    }

    async fn erase_history(&mut self, ids: &[&RecordId]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        on_backend!(&mut *self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("UPDATE record_revision SET sealed = NULL WHERE sealed IS NOT NULL AND record IN (");
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            query.push(")");
            query.build().execute(conn).await?;
        });
        self.words_were_erased();
        Ok(())
    }

    async fn put_links(&mut self, links: &[Link<'_>]) -> Result<(), StoreError> {
        on_backend!(&mut *self, conn: Db => {
            let mut query =
                QueryBuilder::<Db>::new("INSERT INTO record_revision (record, revision, digest, previous, at, material) ");
            query.push_values(links, |mut row, link| {
                row.push_bind(link.record)
                    .push_bind(number(link.revision))
                    .push_bind(&link.sealed.digest)
                    .push_bind(link.previous)
                    .push_bind(link.at)
                    .push_bind(link.material);
            });
            query.build().persistent(comes_again(links.len())).execute(conn).await?;
        });
        on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("INSERT INTO change (record, class, revision, kind, at) ");
            query.push_values(links, |mut row, link| {
                row.push_bind(link.record)
                    .push_bind(link.class)
                    .push_bind(number(link.revision))
                    .push_bind(link.kind)
                    .push_bind(link.at);
            });
            query.build().persistent(comes_again(links.len())).execute(conn).await?;
        });
        Ok(())
    }

    async fn heads(&mut self, ids: &[&RecordId]) -> Result<HashMap<RecordId, Head>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<Head> = on_backend!(self, conn: Db => {
            let mut query =
                QueryBuilder::<Db>::new("SELECT id, revision, version, digest, depth, dated_at FROM record WHERE id IN (");
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            query.push(")");
            query.build_query_as().persistent(comes_again(ids.len())).fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(|head| (head.id.clone(), head)).collect())
    }

    /// The depth of each write: a reply to a comment is one deeper than that comment, a part of a result
    /// than that result.
    async fn depths<'w>(
        &mut self,
        writes: &'w [RecordWrite],
        heads: &HashMap<RecordId, Head>,
    ) -> Result<HashMap<&'w RecordId, i64>, StoreError> {
        let beside: HashMap<&RecordId, &RecordWrite> = writes.iter().map(|write| (&write.record.id, write)).collect();
        let is_reply = |write: &RecordWrite| hangs_anywhere(&write.record);
        let outside: Vec<&RecordId> = writes
            .iter()
            .filter(|write| is_reply(write))
            .filter_map(|write| write.record.parent())
            .filter(|parent| !beside.contains_key(parent) && !heads.contains_key(*parent))
            .collect();
        let parents = self.heads(&outside).await?;
        let mut depths: HashMap<&RecordId, i64> = HashMap::with_capacity(writes.len());
        for write in writes {
            // Climbs to the first ancestor whose depth is known; a loop of parents ends at its start.
            let mut path = Vec::new();
            let mut next = Some(write);
            let mut base = 0;
            while let Some(step) = next.take() {
                if let Some(known) = depths.get(&step.record.id) {
                    base = *known;
                    break;
                }
                if path.iter().any(|passed: &&RecordWrite| passed.record.id == step.record.id) {
                    break;
                }
                path.push(step);
                if let (true, Some(parent)) = (is_reply(step), step.record.parent()) {
                    base = parents.get(parent).or_else(|| heads.get(parent)).map_or(0, |head| head.depth);
                    next = beside.get(parent).copied();
                }
            }
            for step in path.into_iter().rev() {
                let depth = depth_of(step.record.class()).max(if is_reply(step) { base + 1 } else { 0 });
                depths.insert(&step.record.id, depth);
                base = depth;
            }
        }
        Ok(depths)
    }
}

/// One link of a record's chain, with the change it is.
struct Link<'w> {
    record: &'w RecordId,
    class: Class,
    revision: Revision,
    sealed: &'w Sealed,
    previous: Option<&'w Digest>,
    at: Timestamp,
    kind: ChangeKind,
    material: bool,
}

fn follows(id: &RecordId, stored: Option<&Head>, offered: Revision, previous: Option<&Digest>) -> Result<(), StoreError> {
    let revision = stored.map_or(0, |head| unsigned(head.revision));
    if offered == revision + 1 && previous == stored.map(|head| &head.digest) {
        Ok(())
    } else {
        Err(StoreError::Superseded { id: id.clone(), stored: revision, offered })
    }
}
