//! The only place with SQL: what this gateway remembers, in SQLite or PostgreSQL.
//!
//! [`Store::read`] and [`Store::write`] are the only ways in; each gives a [`Tx`], whose methods are
//! found in one file per noun. Nothing written is kept before [`Tx::save`]; a dropped transaction leaves
//! no trace. Every statement is written once and runs on both databases (`on_backend!`); the few that
//! differ have their two texts side by side.
//!
//! The store decides what one row may become (a register only grows, a lease is fenced, a log is never
//! changed). It does not decide what is public, who may speak, or when to try again.

pub mod accounts;
pub mod audit;
pub mod changes;
pub mod claims;
mod columns;
pub mod copies;
pub mod copy_lists;
pub mod disclosures;
mod error;
pub mod evidence;
pub mod exchanges;
pub mod files;
pub mod followers;
pub mod freshness;
pub mod identifiers;
pub mod items;
pub mod journal;
mod journal_claims;
pub mod journal_writer;
pub mod keys;
pub mod leases;
pub mod letters;
pub mod meta;
pub mod paging;
mod partner_receipts;
pub mod partners;
mod peek;
pub mod plan;
mod postgres;
pub mod presence;
pub mod reached;
pub mod recalls;
pub mod receipts;
pub mod record_lists;
pub mod records;
pub mod replies;
pub mod retention;
pub mod roll;
pub mod runs;
pub mod schemes;
pub mod scratch;
mod sqlite;
mod stamp;
pub mod stream;

use sqlx::{PgPool, Postgres, Transaction};

pub use audit::{AuditEntry, AuditRow};
pub use claims::{ClaimRequest, Claimed};
pub use copies::{CopyStanding, CopyWrite, PutCopy, StoredCopy};
pub use copy_lists::{CopyHead, CopyQuery};
pub use disclosures::{Disclosure, DisclosureResult, DisclosureState};
pub use error::StoreError;
pub use evidence::{Broken, Chain, ChainEnd};
pub use exchanges::{Exchange, ExchangeRow};
pub use followers::ReaderInbox;
pub use items::{Item, ItemState};
pub use journal::{Appended, JournalEntry, JournalRow, JournalState};
pub use journal_writer::{Append, AppendError, Held, JournalTask, JournalWriter, Kept};
pub use keys::SealedKey;
pub use leases::Lease;
pub use letters::{Letter, LetterResult, LetterState};
pub use paging::{Cursor, Order, Page};
pub use partners::PartnerHealth;
pub use presence::Presence;
pub use reached::Reached;
pub use recalls::OpenRecalls;
pub use record_lists::{RecordQuery, RevisionRow, SealedRecord};
pub use records::{Burial, RecordWrite, Standing, StoredRecord};
pub use roll::{Found, Roll, RollError, Sought};
pub use runs::{HeldRun, RunOutcome, SyncRun};
pub use schemes::{Evidence, Preference, Scheme};
pub use sqlite::{SqliteStore, SqliteTx};
pub use stream::{StreamCursor, StreamItem, StreamPage, StreamRequest};

/// Rows per statement: 500 rows of 20 values stay below SQLite's limit of 32 766 parameters.
pub(crate) const CHUNK: usize = 500;

/// Whether a statement over so many rows is worth being kept prepared. It is another text for each number of
/// rows: a small one comes again, a large one hardly ever does, and a connection remembers a hundred of them.
pub(crate) const fn comes_again(rows: usize) -> bool {
    rows <= 16
}

/// A list whose length is a power of two: its last item is repeated. Statements over lists are prepared once
/// for each length, and so for a few lengths only.
pub(crate) fn rounded<T: Copy>(items: &[T]) -> impl Iterator<Item = T> {
    let length = if items.is_empty() { 0 } else { items.len().next_power_of_two() };
    items.iter().chain(std::iter::repeat_n(items.last(), length.saturating_sub(items.len())).flatten()).copied()
}

/// Which of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file beside the program.
    Sqlite,
    /// A server, shared by any number of processes.
    Postgres,
}

/// The handle everybody clones.
#[derive(Debug, Clone)]
pub enum Store {
    /// A file: one writing connection, a few reading ones.
    Sqlite(SqliteStore),
    /// A server.
    Postgres(PgPool),
}

/// One transaction. Its methods are in the file of the noun they are about.
#[derive(Debug)]
pub enum Tx {
    /// On the file.
    Sqlite(SqliteTx),
    /// On the server.
    Postgres(Transaction<'static, Postgres>),
}

/// Runs the same body on whichever backend the transaction belongs to. The second form names the
/// driver's type, for a `QueryBuilder` that has to say it.
macro_rules! on_backend {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(tx) => {
                let $conn = &mut *tx.transaction;
                $body
            }
            $crate::store::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
    ($tx:expr, $conn:ident: $db:ident => $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(tx) => {
                type $db = sqlx::Sqlite;
                let $conn = &mut *tx.transaction;
                $body
            }
            $crate::store::Tx::Postgres(tx) => {
                type $db = sqlx::Postgres;
                let $conn = &mut **tx;
                $body
            }
        }
    };
}
pub(crate) use on_backend;

/// A statement whose rows PostgreSQL locks, passing over those that another worker holds. SQLite has
/// one writer and needs no lock.
macro_rules! skip_locked {
    ($tx:expr, $before:expr, $after:literal) => {
        match $tx.backend() {
            $crate::store::Backend::Sqlite => concat!($before, $after),
            $crate::store::Backend::Postgres => concat!($before, " FOR UPDATE SKIP LOCKED ", $after),
        }
    };
}
pub(crate) use skip_locked;

/// Whether a row of `partner` may be asked at `$1`: one that fails is left alone until its next probe; one that
/// blocks us is not, because Deletes and purge receipts go on.
macro_rules! partner_may_be_asked {
    () => {
        "(partner.next_probe IS NULL OR partner.next_probe <= $1 OR partner.blocked IS NOT NULL)"
    };
}
pub(crate) use partner_may_be_asked;

impl Store {
    /// Opens the database at `url` (`sqlite:///path/to/file`, `postgres://user:password@host/name`),
    /// makes it where it lacks (SQLite), and brings it to this program's schema.
    ///
    /// # Errors
    /// One [`StoreError`] that says what is wrong, where, and what to do: a wrong address, an
    /// unreachable server, a damaged file, a newer schema, settings that would lose confirmed data.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => SqliteStore::open(url).await.map(Self::Sqlite),
            Some("postgres" | "postgresql") => postgres::open(url).await.map(Self::Postgres),
            _ => Err(StoreError::NotAnAddress {
                url: without_password(url),
                reason: "it begins with neither `sqlite:` nor `postgres:`".to_owned(),
            }),
        }
    }

    /// Opens the database of the gateway at `public_url`, for who only looks: one that is not there, or that no
    /// gateway has used yet, is not made, because an empty one would look as if all were well.
    ///
    /// # Errors
    /// As for [`Store::open`]; [`StoreError::Unused`] and [`StoreError::Foreign`].
    pub async fn open_used(url: &str, public_url: &url::Url) -> Result<Self, StoreError> {
        let unused = || StoreError::Unused { at: without_password(url) };
        if url.starts_with("sqlite:") && !sqlite::is_there(url)? {
            return Err(unused());
        }
        let store = Self::open(url).await?;
        let owner = store.read().await?.owner().await?;
        let refused = match owner {
            Some(theirs) if theirs == public_url.as_str() => return Ok(store),
            Some(theirs) => StoreError::Foreign { ours: public_url.to_string(), theirs },
            None => unused(),
        };
        store.close().await;
        Err(refused)
    }

    /// A snapshot to read from; writing through it fails.
    ///
    /// # Errors
    /// When no connection is free in time or the database fails.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite(store) => store.read().await.map(Tx::Sqlite),
            Self::Postgres(pool) => postgres::read(pool).await.map(Tx::Postgres),
        }
    }

    /// To read what this process wrote a moment ago: on SQLite by the connection that wrote it. The others forget
    /// every page they know at each commit of another connection. Be short, and write nothing.
    ///
    /// # Errors
    /// As for [`Store::write`].
    pub async fn read_back(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite(store) => store.write().await.map(Tx::Sqlite),
            Self::Postgres(pool) => postgres::read(pool).await.map(Tx::Postgres),
        }
    }

    /// A transaction to write in. On SQLite it holds the only write lock: be short, and never wait for
    /// a socket while holding it.
    ///
    /// # Errors
    /// When the database is busy longer than 5 s or fails.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite(store) => store.write().await.map(Tx::Sqlite),
            Self::Postgres(pool) => postgres::write(pool).await.map(Tx::Postgres),
        }
    }

    /// Which database this is.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        match self {
            Self::Sqlite(_) => Backend::Sqlite,
            Self::Postgres(_) => Backend::Postgres,
        }
    }

    /// Reads every page of the database and reports the first fault. Takes a minute or more on gigabytes: `serve`
    /// does it while it serves, `open` only for small files.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the first fault found.
    pub async fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.check().await,
            // A server checks its pages as it reads them; being answered is what can be asked here.
            Self::Postgres(pool) => postgres::check(pool).await,
        }
    }

    /// Closes every connection; waits for those that are in use.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Keeps what was written. Returns after the database has confirmed it durably.
    ///
    /// # Errors
    /// When the database does not confirm; then nothing was written, unless the connection broke while
    /// it did (every caller repeats idempotently).
    pub async fn save(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.save().await,
            Self::Postgres(tx) => Ok(tx.commit().await?),
        }
    }

    /// Undoes what was written, now. (A dropped transaction does the same a moment later.)
    ///
    /// # Errors
    /// When the connection is gone; the database undoes it then.
    pub async fn forget(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => Ok(tx.transaction.rollback().await?),
            Self::Postgres(tx) => Ok(tx.rollback().await?),
        }
    }

    /// Which database this is.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        match self {
            Self::Sqlite(_) => Backend::Sqlite,
            Self::Postgres(_) => Backend::Postgres,
        }
    }

    /// Words were erased: after the commit, SQLite's log file is truncated too, so that they are gone
    /// from the disk. (PostgreSQL: they go with the next vacuum and the end of its WAL retention.)
    pub(crate) const fn words_were_erased(&mut self) {
        if let Self::Sqlite(tx) = self {
            tx.erased = true;
        }
    }
}

/// An address as it may be shown.
fn without_password(url: &str) -> String {
    let mut shown = match url::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            // Fails only for addresses that cannot hold a password, which have none.
            let _ = parsed.set_password(Some("…"));
            parsed.to_string()
        }
        _ => url.to_owned(),
    };
    if shown.len() > 200 {
        shown = shown.chars().take(200).collect();
    }
    shown
}
