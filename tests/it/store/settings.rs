//! What makes a commit durable, read back from connections that are in use (REL-007), and how SQLite was built.

use passerelle::store::Store;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

use crate::store_tests;

async fn pragma(pool: &SqlitePool, name: &'static str) -> anyhow::Result<String> {
    let statement = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
    Ok(sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(pool).await?)
}

async fn shown(pool: &PgPool, name: &'static str) -> anyhow::Result<String> {
    Ok(sqlx::query_scalar(AssertSqlSafe(format!("SHOW {name}"))).fetch_one(pool).await?)
}

store_tests! {
    async fn a_commit_is_durable_on_every_connection(store: Store) {
        match &store {
            Store::Sqlite(store) => {
                let (writer, readers) = store.pools();
                for pool in [writer, readers] {
                    assert_eq!(pragma(pool, "journal_mode").await?, "wal");
                    // 2 is FULL: the log is synced before a commit returns.
                    assert_eq!(pragma(pool, "synchronous").await?, "2");
                    assert_eq!(pragma(pool, "secure_delete").await?, "1");
                    assert_eq!(pragma(pool, "foreign_keys").await?, "1");
                    assert_eq!(pragma(pool, "trusted_schema").await?, "0");
                }
                assert_eq!((pragma(writer, "query_only").await?, pragma(readers, "query_only").await?), ("0".into(), "1".into()));
            }
            Store::Postgres(pool) => {
                // Two at once, so that it is not one connection that is asked twice.
                let mut held = pool.acquire().await?;
                let first: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&mut *held).await?;
                assert_eq!((first.as_str(), shown(pool, "synchronous_commit").await?.as_str()), ("on", "on"));
                assert_eq!((shown(pool, "fsync").await?, shown(pool, "full_page_writes").await?), ("on".into(), "on".into()));
            }
        }
    }

    async fn sqlite_is_built_without_locks_for_statistics(store: Store) {
        let Store::Sqlite(store) = &store else { return Ok(()) };
        let options: Vec<String> = sqlx::query_scalar("PRAGMA compile_options").fetch_all(store.pools().0).await?;
        let has = |option: &str| options.iter().any(|one| one == option);
        assert!(has("DEFAULT_MEMSTATUS=0") && !has("ENABLE_MEMORY_MANAGEMENT"), "see .cargo/config.toml: {options:?}");
    }
}
