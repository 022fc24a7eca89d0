//! Opening a database: what is refused, in which words, and with which settings it works.

use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use passerelle::store::{Backend, Store, StoreError};
use sqlx::Connection;

use super::examples::*;
use crate::store_tests;
use crate::support::stores::Databases;

fn file_of(url: &str) -> PathBuf {
    url.trim_start_matches("sqlite://").into()
}

/// Opens what must not open, and checks that one line says what, where and what to do.
async fn refused(url: &str, words: &[&str]) -> StoreError {
    let error = Store::open(url).await.err().unwrap_or_else(|| panic!("{url} was opened"));
    let text = error.to_string();
    assert!(!text.contains('\n'), "one line: {text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
    error
}

async fn execute(url: &str, statement: &'static str) -> anyhow::Result<()> {
    if url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(&format!("{url}?mode=rwc")).await?;
        sqlx::raw_sql(statement).execute(&mut connection).await?;
        connection.close().await?;
    } else {
        let mut connection = sqlx::PgConnection::connect(url).await?;
        sqlx::raw_sql(statement).execute(&mut connection).await?;
        connection.close().await?;
    }
    Ok(())
}

store_tests! {
    async fn a_database_is_made_once_and_opened_again(databases: Databases) {
        let url = databases.url().await;
        let store = Store::open(&url).await?;
        put(&store, &[created(consultation("p"), second(1))]).await?;
        store.check().await?;
        store.close().await;
        let store = Store::open(&url).await?;
        assert_eq!(store.read().await?.count_records(&passerelle::store::RecordQuery::default()).await?, 1);
    }

    async fn two_processes_may_open_a_new_database_at_once(databases: Databases) {
        let url = databases.url().await;
        let opened = futures_util::future::join_all((0..4).map(|_| Store::open(&url))).await;
        for store in opened {
            store?;
        }
    }

    async fn a_database_belongs_to_one_public_url(store: Store) {
        let mut tx = store.write().await?;
        assert_eq!(tx.owner().await?, None);
        tx.belong_to(&"https://lyon.example/".parse()?).await?;
        tx.save().await?;
        let mut tx = store.write().await?;
        tx.belong_to(&"https://lyon.example/".parse()?).await?;
        let other = tx.belong_to(&"https://bordeaux.example/".parse()?).await;
        let text = other.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains("belongs to https://lyon.example/, but public_url is https://bordeaux.example/"), "{text}");
        assert_eq!(tx.owner().await?.as_deref(), Some("https://lyon.example/"));
        tx.put_fact("colour", "green").await?;
        tx.put_fact("colour", "blue").await?;
        assert_eq!(tx.fact("colour").await?.as_deref(), Some("blue"));
        assert!(matches!(tx.put_fact("colour", "a\0b").await, Err(StoreError::Nul { .. })));
    }

    async fn a_newer_schema_is_left_alone(databases: Databases) {
        let url = databases.url().await;
        Store::open(&url).await?.close().await;
        let newer = if url.starts_with("sqlite") {
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', TRUE, x'00', 0)"
        } else {
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', TRUE, '\\x00', 0)"
        };
        execute(&url, newer).await?;
        let error = refused(&url, &["schema version 9999", "start the newer passerelle"]).await;
        assert!(matches!(error, StoreError::NewerSchema { found: 9999, .. }));
    }

    async fn a_database_of_another_program_is_left_alone(databases: Databases) {
        let url = databases.url().await;
        execute(&url, "CREATE TABLE record (id INTEGER PRIMARY KEY)").await?;
        assert!(matches!(refused(&url, &["record"]).await, StoreError::Migration { .. }));
    }

    // What is confirmed is on the disk: read back from the very connections that write.
    async fn durability_is_read_back_from_live_connections(store: Store) {
        match &store {
            Store::Sqlite(file) => {
                let (writer, readers) = file.pools();
                for (pool, query_only) in [(writer, 0_i64), (readers, 1)] {
                    let mut connection = pool.acquire().await?;
                    macro_rules! pragma {
                        ($name:literal) => {
                            sqlx::query_scalar::<_, i64>(concat!("PRAGMA ", $name)).fetch_one(&mut *connection).await?
                        };
                    }
                    assert_eq!(pragma!("synchronous"), 2, "FULL");
                    assert_eq!(pragma!("foreign_keys"), 1);
                    assert_eq!(pragma!("busy_timeout"), 5000);
                    assert_eq!(pragma!("secure_delete"), 1);
                    assert_eq!(pragma!("trusted_schema"), 0);
                    assert_eq!(pragma!("cell_size_check"), 1);
                    assert_eq!(pragma!("query_only"), query_only);
                    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
                    assert_eq!(mode, "wal");
                    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut *connection).await?;
                    let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap_or(0)).collect();
                    assert!(parts >= vec![3, 51, 3], "{version}");
                }
                assert_eq!(writer.options().get_max_connections(), 1, "one writer");
            }
            Store::Postgres(pool) => {
                let mut all = Vec::new();
                for _ in 0..4 {
                    all.push(pool.acquire().await?);
                }
                for connection in &mut all {
                    macro_rules! setting {
                        ($name:literal) => {
                            sqlx::query_scalar::<_, String>(concat!("SHOW ", $name)).fetch_one(&mut **connection).await?
                        };
                    }
                    assert_eq!(setting!("synchronous_commit"), "on");
                    assert_eq!(setting!("fsync"), "on");
                    assert_eq!(setting!("full_page_writes"), "on");
                    assert_eq!(setting!("statement_timeout"), "1min");
                    assert_eq!(setting!("lock_timeout"), "5s");
                    assert_eq!(setting!("idle_in_transaction_session_timeout"), "1min");
                }
            }
        }
    }

    async fn an_erased_word_is_not_in_the_files_any_more(databases: Databases) {
        let url = databases.url().await;
        let store = Store::open(&url).await?;
        if store.backend() == Backend::Postgres {
            // There the words go with the next vacuum and the end of the log's retention.
            return Ok(());
        }
        let canary = "canary-Zoe-Exemple-0612345678";
        let first = created(contribution("a", &record_id("consultations/p")), second(1));
        let long = edited(&first, &format!("{canary} {}", "x".repeat(20_000)), second(2));
        put(&store, &[first, long.clone()]).await?;
        let elsewhere = created(contribution("b", &record_id("consultations/p")), second(1));
        let spoken = edited(&elsewhere, canary, second(2));
        let mut tx = store.write().await?;
        tx.put_copy(&copy_of(&spoken, second(3))).await?;
        tx.save().await?;
        let holds = || {
            ["", "-wal", "-shm"].iter().any(|suffix| {
                let name = format!("{}{suffix}", file_of(&url).display());
                std::fs::read(name).is_ok_and(|bytes| bytes.windows(canary.len()).any(|window| window == canary.as_bytes()))
            })
        };
        assert!(holds(), "the canary is written at first");
        let mut tx = store.write().await?;
        tx.bury_records(&[burial(&long, second(4))]).await?;
        let grave = burial(&spoken, second(4));
        tx.bury_copy(&domain("lyon.example"), &grave.tombstone, &grave.sealed, second(4)).await?;
        tx.save().await?;
        assert!(!holds(), "the canary is still in the files");
    }
}

#[tokio::test]
async fn a_wrong_address_is_one_clear_line() {
    refused("mysql://host/db", &["`mysql://host/db` is not a database address", "sqlite:///"]).await;
    refused("passerelle.db", &["is not a database address"]).await;
    refused("sqlite::memory:", &["names no file"]).await;
    refused("sqlite://", &["names no file"]).await;
    refused("sqlite:///tmp/x.db?mode=ro", &["settings are not part of it"]).await;
    let error = refused("mysql://user:geheim@host/db", &[]).await;
    assert!(!error.to_string().contains("geheim"), "{error}");
}

#[tokio::test]
async fn an_unreachable_database_is_one_clear_line() -> anyhow::Result<()> {
    refused("sqlite:///nowhere/at/all/passerelle.db", &["cannot open the database /nowhere/at/all/passerelle.db", "check that"])
        .await;
    let folder = tempfile::tempdir()?;
    refused(&format!("sqlite://{}", folder.path().display()), &["it is a folder"]).await;
    // A port that nobody listens on: bound, and let go.
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let error =
        refused(&format!("postgres://user:geheim@127.0.0.1:{port}/db"), &["cannot open the database postgres://user:"]).await;
    assert!(!error.to_string().contains("geheim"), "{error}");
    assert!(error.is_passing());
    Ok(())
}

#[tokio::test]
async fn a_damaged_file_is_one_clear_line() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let text = folder.path().join("text.db");
    std::fs::write(&text, "this is not a database, it is a letter to the mayor\n".repeat(200))?;
    let error =
        refused(&format!("sqlite://{}", text.display()), &["is damaged or not a database", "restore the last backup"]).await;
    assert!(matches!(error, StoreError::Corrupt { .. }));

    let torn = folder.path().join("torn.db");
    let url = format!("sqlite://{}", torn.display());
    let store = Store::open(&url).await?;
    let writes: Vec<_> =
        (0..500).map(|n| created(contribution(&format!("c{n}"), &record_id("consultations/p")), second(1))).collect();
    put(&store, &writes).await?;
    store.close().await;
    let length = std::fs::metadata(&torn)?.len();
    assert_eq!(std::fs::metadata(&torn)?.permissions().mode() & 0o777, 0o600, "nobody else reads it");
    let mut file = std::fs::OpenOptions::new().write(true).open(&torn)?;
    for page in 20..40 {
        file.seek(SeekFrom::Start(page * 4096))?;
        file.write_all(&[0xAB; 4096])?;
    }
    drop(file);
    assert!(length > 41 * 4096);
    let error = refused(&url, &["is damaged"]).await;
    assert!(matches!(error, StoreError::Corrupt { .. }));
    Ok(())
}

#[tokio::test]
async fn a_writer_waits_for_another_process_and_then_says_busy() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("x.db").display());
    let store = Store::open(&url).await?;
    let mut other = sqlx::SqliteConnection::connect(&url).await?;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await?;
    let refused = store.write().await;
    assert!(matches!(&refused, Err(error @ StoreError::Busy(_)) if error.is_passing()), "{refused:?}");
    // Readers do not wait for it.
    store.read().await?.owner().await?;
    other.close().await?;
    store.write().await?.forget().await?;
    Ok(())
}
