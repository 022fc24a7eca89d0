//! PostgreSQL: how the server is reached, what is asked of it, and how a transaction begins.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool, Postgres, Transaction};

use super::{StoreError, without_password};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Connections of one process; a server's default of 100 carries six processes.
const CONNECTIONS: u32 = 16;
/// How long a task waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Set on every connection. A statement is given up after a minute, a lock after 5 s (as on SQLite),
/// a transaction that somebody forgot after a minute. What is confirmed is on the disk.
/// Compiling a statement costs more than running it here (measured: 200 ms for a plan of 5 ms).
const SETTINGS: &str = "SET statement_timeout = '60s'; SET lock_timeout = '5s'; \
     SET idle_in_transaction_session_timeout = '60s'; SET synchronous_commit = on; SET jit = off; SET client_min_messages = warning";
/// The oldest server we run on (architecture §3).
const OLDEST: i64 = 150_000;

pub(super) async fn open(url: &str) -> Result<PgPool, StoreError> {
    let at = without_password(url);
    let options: PgConnectOptions =
        url.parse().map_err(|error: sqlx::Error| StoreError::NotAnAddress { url: at.clone(), reason: error.to_string() })?;
    let options = options.application_name("passerelle").disable_statement_logging();
    migrate(&options, &at).await?;
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(|connection, _| Box::pin(async move { set(connection).await }))
        .connect_with(options)
        .await
        .map_err(|error| opening(&at, &error))
}

/// On a connection of its own: a migration may take longer than any statement of the service.
async fn migrate(options: &PgConnectOptions, at: &str) -> Result<(), StoreError> {
    let mut connection = tokio::time::timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(options))
        .await
        .map_err(|_| StoreError::Unreachable { at: at.to_owned(), reason: "no answer within 10 s".to_owned() })?
        .map_err(|error| opening(at, &error))?;
    refuse_unsafe(&mut connection, at).await?;
    let newest = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
    let migrated = MIGRATIONS.run_direct(None, &mut connection, false).await;
    migrated.map_err(|error| migrating(at.to_owned(), newest, &error))?;
    // The connection is done with; how it ends changes nothing.
    let _ = connection.close().await;
    Ok(())
}

async fn refuse_unsafe(connection: &mut PgConnection, at: &str) -> Result<(), StoreError> {
    let failed = |error: sqlx::Error| opening(at, &error);
    let refused = |setting, found: String, needed| StoreError::Unsafe { at: at.to_owned(), setting, found, needed };
    let version: String = sqlx::query_scalar("SHOW server_version_num").fetch_one(&mut *connection).await.map_err(failed)?;
    if version.parse::<i64>().unwrap_or(0) < OLDEST {
        return Err(refused("the PostgreSQL version", version, "15 or newer"));
    }
    let encoding: String = sqlx::query_scalar("SHOW server_encoding").fetch_one(&mut *connection).await.map_err(failed)?;
    if encoding != "UTF8" {
        return Err(refused("server_encoding", encoding, "UTF8"));
    }
    for (setting, text) in [("fsync", "SHOW fsync"), ("full_page_writes", "SHOW full_page_writes")] {
        let found: String = sqlx::query_scalar(text).fetch_one(&mut *connection).await.map_err(failed)?;
        if found != "on" {
            return Err(refused(setting, found, "on (a power cut would lose what was confirmed)"));
        }
    }
    Ok(())
}

async fn set(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SETTINGS).execute(&mut *connection).await?;
    let confirmed: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&mut *connection).await?;
    if confirmed == "on" { Ok(()) } else { Err(sqlx::Error::Configuration("synchronous_commit is not on".into())) }
}

pub(super) async fn read(pool: &PgPool) -> Result<Transaction<'static, Postgres>, StoreError> {
    Ok(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
}

pub(super) async fn write(pool: &PgPool) -> Result<Transaction<'static, Postgres>, StoreError> {
    Ok(pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await?)
}

pub(super) async fn check(pool: &PgPool) -> Result<(), StoreError> {
    sqlx::query("SELECT 1").execute(pool).await?;
    Ok(())
}

fn opening(at: &str, error: &sqlx::Error) -> StoreError {
    let reason = error.as_database_error().map_or_else(|| error.to_string(), |e| e.message().to_owned());
    StoreError::Unreachable { at: at.to_owned(), reason }
}

/// What a failed migration means, for either database.
pub(super) fn migrating(at: String, known: i64, error: &MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(found) if *found > known => StoreError::NewerSchema { at, found: *found, known },
        MigrateError::VersionMismatch(number) => StoreError::Migration {
            at,
            reason: format!(
                "migration {number} was applied in another wording: this program is not the one that made the database"
            ),
        },
        other => StoreError::Migration { at, reason: other.to_string() },
    }
}
