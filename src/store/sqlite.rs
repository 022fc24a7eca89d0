//! SQLite: how the file is opened, what is asked of it, and how a transaction begins.
//!
//! One connection writes (`synchronous = FULL`, BEGIN IMMEDIATE), a few read (`query_only`). Another
//! process (a command beside the server) may do the same: writers wait up to 5 s for each other.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Sqlite, SqlitePool, Transaction};

use super::{StoreError, postgres};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a writer of one process waits for a writer of another.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a task waits for the writing connection of its own process.
const WRITER_TIMEOUT: Duration = Duration::from_secs(10);
/// How many rows a statement may be ahead of whoever takes them: waiting for each other costs both threads more than
/// a row does.
const ROWS_AHEAD: usize = 512;
/// Reading connections.
const READERS: u32 = 4;
/// The first release without the WAL-reset bug that loses confirmed data (architecture §3).
const OLDEST: (u32, u32, u32) = (3, 51, 3);
/// Up to this size every page is checked whenever the file is opened (it takes milliseconds).
const CHECKED_AT_OPEN: u64 = 64 * 1024 * 1024;

/// An open file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    /// One connection that only asks whether the file changed (`stamp.rs`).
    pub(super) watcher: SqlitePool,
    path: Arc<PathBuf>,
}

/// A transaction on the file.
#[derive(Debug)]
pub struct SqliteTx {
    pub(crate) transaction: Transaction<'static, Sqlite>,
    pub(crate) erased: bool,
    writer: SqlitePool,
}

impl SqliteStore {
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        let path = path_of(url)?;
        make_private(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .auto_vacuum(SqliteAutoVacuum::None)
            .pragma("secure_delete", "ON")
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON")
            .pragma("mmap_size", "0")
            .pragma("temp_store", "MEMORY")
            .pragma("journal_size_limit", "16777216")
            .pragma("cache_size", "-32000")
            .row_buffer_size(ROWS_AHEAD)
            .disable_statement_logging();
        let at = path.display().to_string();
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(WRITER_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await
            .map_err(|error| opening(&at, &error))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(WRITER_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options.clone().pragma("query_only", "ON"));
        let watcher = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(WRITER_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options.pragma("query_only", "ON"));
        let store = Self { writer, readers, watcher, path: Arc::new(path) };
        match store.prepare().await {
            Ok(()) => Ok(store),
            Err(error) => {
                store.close().await;
                Err(error)
            }
        }
    }

    async fn prepare(&self) -> Result<(), StoreError> {
        let at = self.path.display().to_string();
        let version: String =
            sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&self.writer).await.map_err(|e| opening(&at, &e))?;
        if parse_version(&version) < OLDEST {
            return Err(StoreError::Unsafe { at, setting: "the SQLite version", found: version, needed: "3.51.3 or newer" });
        }
        let mode: String =
            sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&self.writer).await.map_err(|e| opening(&at, &e))?;
        if mode != "wal" {
            return Err(StoreError::Unsafe {
                at,
                setting: "journal_mode",
                found: mode,
                needed: "wal (a local disk, not a network one)",
            });
        }
        if std::fs::metadata(&*self.path).is_ok_and(|file| file.len() <= CHECKED_AT_OPEN) {
            self.check().await?;
        }
        let newest = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
        // Two processes that open a new file at once race for the same migration; the second finds it done.
        if MIGRATIONS.run(&self.writer).await.is_err() {
            MIGRATIONS.run(&self.writer).await.map_err(|error| postgres::migrating(at, newest, &error))?;
        }
        Ok(())
    }

    pub(super) async fn check(&self) -> Result<(), StoreError> {
        let at = self.path.display().to_string();
        // A connection of its own: it is busy for as long as this takes, and nobody waits for it to be given back.
        let options = SqliteConnectOptions::new().filename(&*self.path).read_only(true).disable_statement_logging();
        let mut own = options.connect().await.map_err(|e| opening(&at, &e))?;
        let found: String =
            sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut own).await.map_err(|e| opening(&at, &e))?;
        if found == "ok" { Ok(()) } else { Err(StoreError::Corrupt { at, reason: found.replace('\n', " ") }) }
    }

    pub(super) async fn read(&self) -> Result<SqliteTx, StoreError> {
        let transaction = self.readers.begin_with("BEGIN").await?;
        Ok(SqliteTx { transaction, erased: false, writer: self.writer.clone() })
    }

    pub(super) async fn write(&self) -> Result<SqliteTx, StoreError> {
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(SqliteTx { transaction, erased: false, writer: self.writer.clone() })
    }

    pub(super) async fn close(&self) {
        self.watcher.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }

    /// The two kinds of connections, for a test that reads their settings back.
    #[must_use]
    pub const fn pools(&self) -> (&SqlitePool, &SqlitePool) {
        (&self.writer, &self.readers)
    }
}

impl SqliteTx {
    pub(super) async fn save(self) -> Result<(), StoreError> {
        self.transaction.commit().await?;
        if self.erased {
            truncate_log(&self.writer).await;
        }
        Ok(())
    }
}

/// Empties the write-ahead log, where erased words would stay for a while. Does not wait for readers:
/// what it cannot do now, the next erasure or the closing of the file does.
async fn truncate_log(writer: &SqlitePool) {
    let emptied = async {
        let mut connection = writer.acquire().await?;
        sqlx::query("PRAGMA busy_timeout = 50").execute(&mut *connection).await?;
        let outcome = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut *connection).await;
        sqlx::query("PRAGMA busy_timeout = 5000").execute(&mut *connection).await?;
        outcome
    };
    if let Err(error) = emptied.await {
        tracing::debug!(%error, "the write-ahead log was not truncated after an erasure");
    }
}

fn path_of(url: &str) -> Result<PathBuf, StoreError> {
    let refused = |reason: &str| StoreError::NotAnAddress { url: url.to_owned(), reason: reason.to_owned() };
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.contains(":memory:") {
        return Err(refused("it names no file"));
    }
    if path.contains(['?', '#', '\0']) {
        return Err(refused("a file name without `?` and `#` is expected; settings are not part of it"));
    }
    Ok(PathBuf::from(path))
}

/// Whether the file of an address is there.
pub(super) fn is_there(url: &str) -> Result<bool, StoreError> {
    Ok(path_of(url)?.exists())
}

/// Makes the file where it lacks, readable by its owner only.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let failed = |reason: String| StoreError::Unreachable { at: path.display().to_string(), reason };
    if path.is_dir() {
        return Err(failed("it is a folder".to_owned()));
    }
    match OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// SQLITE_CORRUPT and SQLITE_NOTADB, with their extended forms.
fn opening(at: &str, error: &sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).and_then(|code| code.parse::<u32>().ok());
    let reason = error.as_database_error().map_or_else(|| error.to_string(), |e| e.message().to_owned());
    match code.map(|code| code & 0xff) {
        Some(11 | 26) => StoreError::Corrupt { at: at.to_owned(), reason },
        Some(5 | 6) => StoreError::Busy(reason),
        _ => StoreError::Unreachable { at: at.to_owned(), reason },
    }
}

fn parse_version(text: &str) -> (u32, u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}
