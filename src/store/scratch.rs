//! A database of one's own for a while, on the server of another: for measurements, which must not touch
//! what is there.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use url::Url;

use super::{StoreError, without_password};

/// How long the server may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// An empty PostgreSQL database, until [`Scratch::remove`].
#[derive(Debug)]
pub struct Scratch {
    connection: PgConnection,
    name: String,
    url: String,
    process: u32,
}

impl Scratch {
    /// Makes a database `name` (letters, digits, underscores) on the server that `url` leads to.
    ///
    /// # Errors
    /// When the address is none, the server does not answer, or does not let us make a database.
    pub async fn make(url: &str, name: &str) -> Result<Self, StoreError> {
        let not_an_address = |reason: &str| StoreError::NotAnAddress { url: without_password(url), reason: reason.to_owned() };
        let server: Url = url.parse().map_err(|_| not_an_address("it cannot be read"))?;
        if !matches!(server.scheme(), "postgres" | "postgresql") {
            return Err(not_an_address("a PostgreSQL server is expected"));
        }
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(not_an_address("the name of the new database has other characters than letters, digits and `_`"));
        }
        let unreachable = |reason: String| StoreError::Unreachable { at: without_password(url), reason };
        let connecting = tokio::time::timeout(PATIENCE, PgConnection::connect(server.as_str())).await;
        let connected = connecting.map_err(|_| unreachable("no answer within 10 s".to_owned()))?;
        let mut connection = connected.map_err(|error| unreachable(error.to_string()))?;
        let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await?;
        // The name is made of letters, digits and underscores.
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await?;
        let mut own = server;
        own.set_path(name);
        Ok(Self { connection, name: name.to_owned(), url: own.to_string(), process: u32::try_from(pid).unwrap_or(0) })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process of the server that serves this handle, for whoever measures on the same machine.
    #[must_use]
    pub const fn process(&self) -> u32 {
        self.process
    }

    /// Lets the server do now what it owes for all that was written, and would do whenever it pleases: a
    /// measurement that follows is not charged for it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn settle(&self) -> Result<(), StoreError> {
        // It takes as long as it takes, which is nothing to warn of.
        let options: PgConnectOptions = self.url.parse()?;
        let mut own = options.disable_statement_logging().connect().await?;
        sqlx::query("VACUUM (ANALYZE)").execute(&mut own).await?;
        // Not everybody may ask for one; it comes by itself then, within minutes.
        if let Err(error) = sqlx::query("CHECKPOINT").execute(&mut own).await {
            tracing::debug!(%error, "no checkpoint was made");
        }
        Ok(own.close().await?)
    }

    /// Drops it, whoever still uses it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn remove(mut self) -> Result<(), StoreError> {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        sqlx::query(AssertSqlSafe(statement)).execute(&mut self.connection).await?;
        Ok(self.connection.close().await?)
    }
}
