//! What can go wrong between us and the database, in words an operator can act on.
//!
//! Absence is not an error (`lookup_…` returns `Option`), and neither is a row that somebody else was
//! faster with where the caller can decide (`PutCopy`, `Appended`).

use crate::domain::{RecordId, Revision};

/// Why the store could not do it. Messages name what, where and what to do; never a password, never a
/// text that a citizen wrote.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The configured address is not one of a database.
    #[error(
        "`{url}` is not a database address ({reason}); use sqlite:///var/lib/passerelle/passerelle.db or postgres://user@host/name"
    )]
    NotAnAddress {
        /// What was configured, without a password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answers, or we are not let in.
    #[error("cannot open the database {at}: {reason}; check that it runs, that the address is right and that access is granted")]
    Unreachable {
        /// Which database, without a password.
        at: String,
        /// What the driver says.
        reason: String,
    },
    /// The file is not a sound SQLite database.
    #[error(
        "the database file {at} is damaged or not a database ({reason}); stop the gateway and put back the last copy of that file"
    )]
    Corrupt {
        /// Which file.
        at: String,
        /// What the check found first.
        reason: String,
    },
    /// A newer program has already migrated this database.
    #[error(
        "the database {at} has schema version {found}, this program knows up to {known}; start the newer passerelle, or restore the backup made before the upgrade"
    )]
    NewerSchema {
        /// Which database.
        at: String,
        /// The version in the database.
        found: i64,
        /// The newest version of this program.
        known: i64,
    },
    /// A migration did not go through.
    #[error("cannot bring the database {at} to this program's schema: {reason}")]
    Migration {
        /// Which database.
        at: String,
        /// What failed.
        reason: String,
    },
    /// The database would not keep what it confirms, or is too old to be trusted.
    #[error("the database {at} is not safe to use: {setting} is `{found}`, needed is {needed}")]
    Unsafe {
        /// Which database.
        at: String,
        /// The setting or version.
        setting: &'static str,
        /// What was read back.
        found: String,
        /// What is needed.
        needed: &'static str,
    },
    /// The database belongs to another gateway.
    #[error(
        "this database belongs to {theirs}, but public_url is {ours}; set public_url back, or give each gateway its own database"
    )]
    Foreign {
        /// The configured address.
        ours: String,
        /// The address the database was made for.
        theirs: String,
    },
    /// There is nothing to look at.
    #[error("there is no gateway's database at {at}; correct the address, or start the gateway there first")]
    Unused {
        /// Which database, without a password.
        at: String,
    },
    /// Another writer held the database longer than the busy timeout; trying again later may succeed.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The stored revision is not the one this write follows.
    #[error("{id} has revision {stored}, so revision {offered} cannot follow; read it again")]
    Superseded {
        /// The record.
        id: RecordId,
        /// The revision that is stored (0: none).
        stored: Revision,
        /// The revision that was to be written.
        offered: Revision,
    },
    /// A copy of one authority cannot be replaced by another authority's record (R1).
    #[error("{id} belongs to another authority than the one that offers it")]
    NotTheirs {
        /// The record.
        id: RecordId,
    },
    /// A statement touched fewer or more rows than it must.
    #[error("{what}: {actual} rows instead of {expected}")]
    Affected {
        /// Which step.
        what: &'static str,
        /// How many rows it must touch.
        expected: u64,
        /// How many it touched.
        actual: u64,
    },
    /// A value in the database is not what its column promises.
    #[error("table {table}, column {column}, row {id}: {reason}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// Text with a NUL character, which PostgreSQL cannot hold; refused on both databases.
    #[error("{what} holds a NUL character")]
    Nul {
        /// Which value.
        what: &'static str,
    },
    /// A value cannot be written as JSON.
    #[error("cannot write {what} as JSON: {source}")]
    Json {
        /// Which value.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// Anything else the driver reports.
    #[error("the database failed: {0}")]
    Driver(#[source] sqlx::Error),
}

impl StoreError {
    /// Whether the same call may succeed a little later (the caller answers 503).
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Busy(_) | Self::Unreachable { .. } => true,
            Self::Driver(error) => matches!(
                error,
                sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed
            ),
            _ => false,
        }
    }

    pub(super) fn affected(what: &'static str, expected: usize, actual: u64) -> Result<(), Self> {
        let expected = u64::try_from(expected).unwrap_or(u64::MAX);
        if expected == actual { Ok(()) } else { Err(Self::Affected { what, expected, actual }) }
    }
}

/// SQLite: BUSY, LOCKED and their extended codes. PostgreSQL: serialization failure, deadlock, lock
/// timeout, statement timeout, too many connections, shutting down.
const BUSY_CODES: [&str; 13] =
    ["5", "6", "261", "262", "517", "773", "40001", "40P01", "55P03", "57014", "53300", "57P01", "57P03"];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|e| e.code().map(std::borrow::Cow::into_owned));
        match code {
            Some(code) if BUSY_CODES.contains(&code.as_str()) => Self::Busy(error.to_string()),
            _ if matches!(error, sqlx::Error::PoolTimedOut) => Self::Busy(error.to_string()),
            _ => Self::Driver(error),
        }
    }
}
