//! Databases for tests: a SQLite file in a temporary folder, or a PostgreSQL database of its own.
//!
//! `store_tests!` runs the same test on both. PostgreSQL is the server that TEST_POSTGRES_URL names
//! (`tests/postgres.sh COMMAND` starts one); without it those variants are skipped on a developer's
//! machine and fail where CI=true.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use passerelle::store::Store;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use url::Url;

/// What a test returns; `?` works on every error.
pub type TestResult = anyhow::Result<()>;

/// Runs each test on SQLite and on PostgreSQL: `async fn a_sentence(store: Store) { … }`. A test that
/// needs several databases (two gateways), or their addresses, asks for `databases: Databases`.
#[macro_export]
macro_rules! store_tests {
    ($($(#[$meta:meta])* async fn $name:ident($value:ident: $kind:ident) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn body($value: $kind) -> $crate::support::stores::TestResult {
                let () = $body;
                Ok(())
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                $crate::support::stores::on_sqlite(body).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                $crate::support::stores::on_postgres(body).await;
            }
        }
    )+};
}

/// Makes databases of one kind, and removes them when the test is over.
#[derive(Clone)]
pub struct Databases(Arc<Inner>);

struct Inner {
    folder: tempfile::TempDir,
    server: Option<Url>,
    made: Mutex<Vec<String>>,
}

/// Tells databases of one process apart.
static NUMBER: AtomicU64 = AtomicU64::new(1);

impl Databases {
    fn new(server: Option<Url>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self(Arc::new(Inner { folder, server, made: Mutex::new(Vec::new()) }))
    }

    /// The address of a new, empty database.
    pub async fn url(&self) -> String {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let Some(server) = &self.0.server else {
            return format!("sqlite://{}", self.0.folder.path().join(format!("{number}.db")).display());
        };
        let name = format!("passerelle_test_{}_{number}", std::process::id());
        let mut connection = PgConnection::connect(server.as_str()).await.expect("the server of TEST_POSTGRES_URL answers");
        // `name` is made of letters and numbers of ours.
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .expect("the server lets us make a database");
        self.0.made.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        let mut url = server.clone();
        url.set_path(&name);
        url.to_string()
    }

    /// A new, empty store.
    pub async fn store(&self) -> Store {
        Store::open(&self.url().await).await.expect("a new database opens")
    }

    async fn remove(&self) {
        let Some(server) = &self.0.server else { return };
        let names = std::mem::take(&mut *self.0.made.lock().unwrap_or_else(PoisonError::into_inner));
        let mut connection = PgConnection::connect(server.as_str()).await.expect("the server of TEST_POSTGRES_URL answers");
        for name in names {
            sqlx::query(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))
                .execute(&mut connection)
                .await
                .expect("the server lets us drop our database");
        }
    }
}

/// What a test may ask for.
pub trait Given {
    /// Made from the databases of the test.
    fn given(databases: &Databases) -> impl Future<Output = Self>;
}

impl Given for Store {
    async fn given(databases: &Databases) -> Self {
        databases.store().await
    }
}

impl Given for Databases {
    async fn given(databases: &Databases) -> Self {
        databases.clone()
    }
}

/// Runs a test on SQLite.
pub async fn on_sqlite<G: Given, F: Future<Output = TestResult>>(test: impl FnOnce(G) -> F) {
    run(Databases::new(None), test).await;
}

/// Runs a test on PostgreSQL, or says why it does not.
pub async fn on_postgres<G: Given, F: Future<Output = TestResult>>(test: impl FnOnce(G) -> F) {
    if let Some(server) = postgres_server() {
        run(Databases::new(Some(server)), test).await;
    }
}

/// The server of TEST_POSTGRES_URL; none where a developer may go without.
///
/// # Panics
/// Where CI=true and there is none: a run without PostgreSQL is a failed run.
pub fn postgres_server() -> Option<Url> {
    if let Ok(url) = std::env::var("TEST_POSTGRES_URL") {
        return Some(url.parse().expect("TEST_POSTGRES_URL is an address"));
    }
    let wanted = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!wanted, "TEST_POSTGRES_URL is not set: run `tests/postgres.sh COMMAND`");
    eprintln!("skipped: no PostgreSQL (run `tests/postgres.sh COMMAND`)");
    None
}

async fn run<G: Given, F: Future<Output = TestResult>>(databases: Databases, test: impl FnOnce(G) -> F) {
    let outcome = AssertUnwindSafe(async { test(G::given(&databases).await).await }).catch_unwind().await;
    databases.remove().await;
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("{error:?}"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
