//! Copies of partners' records: one grow-only register per record.
//!
//! The highest revision wins; a tombstone of revision r beats every revision up to r for ever, one
//! without a revision beats all. So every order of the same activities ends in the same row, and an
//! Update before its Create is simply the first thing known. Two different contents under one revision
//! are an equivocation: the row freezes with both digests. Whether a record may come from *this* partner
//! is checked before (federation); here only the authority of an id can never change.

use std::collections::HashSet;

use bytes::Bytes;
use sqlx::types::Json;
use sqlx::{FromRow, QueryBuilder};

use super::columns::{json, number, text_column, unsigned};
use super::{StoreError, Tx, comes_again, on_backend};
use crate::domain::digest::Digest;
use crate::domain::seal::Sealed;
use crate::domain::tombstone::Tombstone;
use crate::domain::{ActorId, Class, Key, PartnerDomain, Record, RecordId, Revision, Timestamp};
use crate::words;

words! {
    /// What we do with a copy.
    CopyStanding {
        Live = "live",
        Hidden = "hidden",
        Deleted = "deleted",
        Frozen = "frozen",
        Quarantined = "quarantined",
    }
}
text_column!(CopyStanding);

/// Copies that one statement writes: as many as a page of a partner's stream has.
const ROWS: usize = 100;

/// A tombstone without a revision is kept under this one: it beats all.
pub const ALL_REVISIONS: Revision = i64::MAX.unsigned_abs();

/// A partner's record as we hold it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredCopy {
    /// Its address at its origin.
    pub id: RecordId,
    /// Who owns it.
    pub authority: ActorId,
    /// The partner it came from.
    pub domain: PartnerDomain,
    /// Its class.
    pub class: Class,
    /// The consultation it belongs to; unknown while only its tombstone arrived.
    pub process: Option<RecordId>,
    /// What it replies to, judges or answers.
    pub parent: Option<RecordId>,
    /// The revision held, or that of the tombstone ([`ALL_REVISIONS`] when it has none).
    pub revision: Revision,
    /// What we do with it.
    pub standing: CopyStanding,
    /// What it says; none once deleted.
    pub record: Option<Record>,
    /// The canonical signed bytes as they were received.
    pub sealed: Bytes,
    /// Their digest.
    pub digest: Digest,
    /// The digest of the other content of the same revision, once frozen.
    pub rival_digest: Option<Digest>,
    /// When the first revision came.
    pub received_at: Timestamp,
    /// When its origin last confirmed it (push, page, or fetch with the same digest).
    pub confirmed_at: Timestamp,
    /// Its name in `/from/{domain}/{class}/{key}`.
    pub key: Key,
}

/// A revision that a partner sent.
#[derive(Debug, Clone, PartialEq)]
pub struct CopyWrite {
    /// The partner it came from.
    pub domain: PartnerDomain,
    /// What it says.
    pub record: Record,
    /// Its bytes as received, and their digest.
    pub sealed: Sealed,
    /// When it came.
    pub at: Timestamp,
}

/// What became of a revision that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutCopy {
    /// It is what we hold now.
    Applied,
    /// What we hold is newer, or a tombstone that beats it.
    AlreadyNewer,
    /// It is what we held already; its confirmation is renewed.
    Same,
    /// It contradicts what we hold under the same revision: the row is frozen.
    Equivocation,
}

#[derive(FromRow)]
pub(super) struct Row {
    id: RecordId,
    authority: ActorId,
    domain: PartnerDomain,
    class: Class,
    process: Option<RecordId>,
    parent: Option<RecordId>,
    revision: i64,
    standing: CopyStanding,
    record: Option<Json<Record>>,
    sealed: Vec<u8>,
    digest: Digest,
    rival_digest: Option<Digest>,
    pub(super) dated_at: Timestamp,
    received_at: Timestamp,
    confirmed_at: Timestamp,
    key: Key,
}

impl From<Row> for StoredCopy {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            authority: row.authority,
            domain: row.domain,
            class: row.class,
            process: row.process,
            parent: row.parent,
            revision: unsigned(row.revision),
            standing: row.standing,
            record: row.record.map(|json| json.0),
            sealed: row.sealed.into(),
            digest: row.digest,
            rival_digest: row.rival_digest,
            received_at: row.received_at,
            confirmed_at: row.confirmed_at,
            key: row.key,
        }
    }
}

/// What decides about a revision that was not simply newer.
#[derive(FromRow)]
struct Held {
    id: RecordId,
    authority: ActorId,
    revision: i64,
    standing: CopyStanding,
    digest: Digest,
    rival_digest: Option<Digest>,
}

impl Tx {
    /// Offers one revision to the register of its record.
    ///
    /// # Errors
    /// [`StoreError::NotTheirs`] when the id is held as another authority's.
    pub async fn put_copy(&mut self, write: &CopyWrite) -> Result<PutCopy, StoreError> {
        let answers = self.put_copies(std::slice::from_ref(write)).await?;
        Ok(answers.into_iter().next().unwrap_or(PutCopy::AlreadyNewer))
    }

    /// Offers revisions to the registers of their records, in their order; the answers are in that
    /// order too.
    ///
    /// # Errors
    /// [`StoreError::NotTheirs`] when an id is held as another authority's.
    pub async fn put_copies(&mut self, writes: &[CopyWrite]) -> Result<Vec<PutCopy>, StoreError> {
        let mut answers = Vec::with_capacity(writes.len());
        let mut rest = writes;
        while !rest.is_empty() {
            let mut seen = HashSet::new();
            let fits = rest.iter().take(ROWS).take_while(|write| seen.insert(&write.record.id)).count();
            let (chunk, after) = rest.split_at(fits);
            let applied = self.put_newer(chunk).await?;
            for write in chunk {
                answers.push(if applied.contains(&write.record.id) {
                    if write.record.takes_words_back() {
                        self.erase_bodies(&write.record.id).await?;
                    }
                    PutCopy::Applied
                } else {
                    self.weigh(write).await?
                });
            }
            rest = after;
        }
        Ok(answers)
    }

    /// Writes every revision that is newer than what is held; returns the ids of those.
    async fn put_newer(&mut self, writes: &[CopyWrite]) -> Result<HashSet<RecordId>, StoreError> {
        // In the order of their ids, so that two who write at once do not wait for each other in a circle.
        let mut writes: Vec<&CopyWrite> = writes.iter().collect();
        writes.sort_by(|a, b| a.record.id.cmp(&b.record.id));
        let count = writes.len();
        let mut documents = Vec::with_capacity(count);
        for write in writes {
            documents.push((write, json("a copy", &write.record)?));
        }
        let rows: Vec<(RecordId,)> = on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "INSERT INTO copy (id, domain, authority, class, segment, key, process, parent, revision, standing, record, sealed,
                                   digest, dated_at, received_at, confirmed_at) ",
            );
            query.push_values(documents, |mut row, (write, document)| {
                let record = &write.record;
                let standing = if record.is_visible() { CopyStanding::Live } else { CopyStanding::Hidden };
                row.push_bind(&record.id)
                    .push_bind(&write.domain)
                    .push_bind(&record.authority)
                    .push_bind(record.class())
                    .push_bind(record.class().segment())
                    .push_bind(record.id.copy_key())
                    .push_bind(record.process())
                    .push_bind(record.parent())
                    .push_bind(number(record.revision))
                    .push_bind(standing)
                    .push_bind(document)
                    .push_bind(write.sealed.bytes.as_ref())
                    .push_bind(&write.sealed.digest)
                    .push_bind(record.published.unwrap_or(write.at))
                    .push_bind(write.at)
                    .push_bind(write.at);
            });
            // A quarantined copy takes newer revisions and stays quarantined; a frozen one takes and stays the
            // same, but only of those that take words back (`Record::takes_words_back`).
            query.push(
                " ON CONFLICT (id) DO UPDATE
                     SET domain = excluded.domain, class = excluded.class, segment = excluded.segment, process = excluded.process,
                         parent = excluded.parent, revision = excluded.revision,
                         standing = CASE WHEN copy.standing IN ('quarantined', 'frozen') THEN copy.standing ELSE excluded.standing END,
                         record = excluded.record, sealed = excluded.sealed, digest = excluded.digest,
                         dated_at = excluded.dated_at, confirmed_at = excluded.confirmed_at
                   WHERE copy.revision < excluded.revision
                     AND copy.authority = excluded.authority
                     AND (copy.standing <> 'frozen' OR excluded.standing = 'hidden'
                          OR excluded.record -> 'body' ->> 'author_state' = 'withdrawn')
               RETURNING id",
            );
            // A full one comes again too; who sends some of each length is not to drive out what is prepared.
            query.build_query_as().persistent(comes_again(count) || count == ROWS).fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// What to say of a revision that is not newer than what is held.
    async fn weigh(&mut self, write: &CopyWrite) -> Result<PutCopy, StoreError> {
        let record = &write.record;
        let Some(held) = self.held(&record.id).await? else {
            return Err(StoreError::Affected { what: "offering a copy", expected: 1, actual: 0 });
        };
        if held.authority != record.authority {
            return Err(StoreError::NotTheirs { id: record.id.clone() });
        }
        if held.standing == CopyStanding::Deleted || unsigned(held.revision) > record.revision {
            return Ok(PutCopy::AlreadyNewer);
        }
        if unsigned(held.revision) == record.revision && held.digest == write.sealed.digest {
            self.confirm_copy(&held.id, write.at).await?;
            return Ok(PutCopy::Same);
        }
        if held.standing != CopyStanding::Frozen || held.rival_digest.is_none() {
            on_backend!(self, conn => {
                sqlx::query("UPDATE copy SET standing = 'frozen', rival_digest = $2 WHERE id = $1")
                    .bind(&held.id)
                    .bind(&write.sealed.digest)
                    .execute(conn)
                    .await?;
            });
        }
        Ok(PutCopy::Equivocation)
    }

    /// Freezes a copy whose origin said something else, with the digest `rival`, under the revision that is
    /// held. `false` when that revision is not held any more; then nothing is written.
    pub async fn freeze_copy(&mut self, id: &RecordId, revision: Revision, rival: &Digest) -> Result<bool, StoreError> {
        let done = on_backend!(self, conn => {
            sqlx::query(
                "UPDATE copy
                    SET standing = 'frozen', rival_digest = $3
                  WHERE id = $1 AND revision = $2 AND digest <> $3 AND standing IN ('live', 'hidden')",
            )
            .bind(id)
            .bind(number(revision))
            .bind(rival)
            .execute(conn)
            .await?
            .rows_affected()
        });
        Ok(done == 1)
    }

    async fn held(&mut self, id: &RecordId) -> Result<Option<Held>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_as("SELECT id, authority, revision, standing, digest, rival_digest FROM copy WHERE id = $1")
                .bind(id)
                .fetch_optional(conn)
                .await?)
        })
    }

    /// Buries a copy: its words are erased (here and in the journal), its tombstone stays. A burial
    /// before anything else arrived is kept too. `Same` when it was buried already.
    ///
    /// # Errors
    /// [`StoreError::NotTheirs`] when the id is held as another authority's.
    pub async fn bury_copy(
        &mut self,
        domain: &PartnerDomain,
        tombstone: &Tombstone,
        sealed: &Sealed,
        at: Timestamp,
    ) -> Result<PutCopy, StoreError> {
        let revision = tombstone.revision.unwrap_or(ALL_REVISIONS).min(ALL_REVISIONS);
        let done = on_backend!(&mut *self, conn => {
            sqlx::query(
                "INSERT INTO copy (id, domain, authority, class, segment, key, revision, standing, sealed, digest,
                                   dated_at, received_at, confirmed_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'deleted', $8, $9, $10, $10, $10)
                 ON CONFLICT (id) DO UPDATE
                    SET standing = 'deleted', revision = excluded.revision, record = NULL, sealed = excluded.sealed,
                        digest = excluded.digest, rival_digest = NULL, confirmed_at = excluded.confirmed_at
                  WHERE copy.authority = excluded.authority
                    AND (copy.revision < excluded.revision
                         OR (copy.revision = excluded.revision AND copy.standing <> 'deleted'))",
            )
            .bind(&tombstone.id)
            .bind(domain)
            .bind(&tombstone.authority)
            .bind(tombstone.former_class)
            .bind(tombstone.former_class.segment())
            .bind(tombstone.id.copy_key())
            .bind(number(revision))
            .bind(sealed.bytes.as_ref())
            .bind(&sealed.digest)
            .bind(at)
            .execute(conn)
            .await?
            .rows_affected()
        });
        if done > 0 {
            self.erase_bodies(&tombstone.id).await?;
            return Ok(PutCopy::Applied);
        }
        match self.held(&tombstone.id).await? {
            Some(held) if held.authority != tombstone.authority => Err(StoreError::NotTheirs { id: held.id }),
            Some(held) if held.standing == CopyStanding::Deleted && unsigned(held.revision) == revision => Ok(PutCopy::Same),
            _ => Ok(PutCopy::AlreadyNewer),
        }
    }

    /// Its origin confirmed what we hold: the copy lives on from here.
    pub async fn confirm_copy(&mut self, id: &RecordId, at: Timestamp) -> Result<(), StoreError> {
        on_backend!(self, conn => {
            sqlx::query("UPDATE copy SET confirmed_at = $2 WHERE id = $1 AND confirmed_at < $2")
                .bind(id)
                .bind(at)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Puts a copy into quarantine or takes it out again (an operator's decision).
    pub async fn set_copy_standing(&mut self, id: &RecordId, standing: CopyStanding) -> Result<(), StoreError> {
        let done = on_backend!(self, conn => {
            sqlx::query("UPDATE copy SET standing = $2 WHERE id = $1 AND standing <> 'deleted'")
                .bind(id)
                .bind(standing)
                .execute(conn)
                .await?
                .rows_affected()
        });
        StoreError::affected("changing the standing of a copy", 1, done)
    }

    /// The journal forgets what it was sent of this record, apart from what is still to be applied.
    pub(super) async fn erase_bodies(&mut self, id: &RecordId) -> Result<(), StoreError> {
        on_backend!(&mut *self, conn => {
            sqlx::query(
                "UPDATE journal
                    SET body = NULL
                  WHERE object = $1 AND body IS NOT NULL AND state NOT IN ('pending', 'working')",
            )
            .bind(id)
            .execute(conn)
            .await?;
        });
        self.words_were_erased();
        Ok(())
    }
}
