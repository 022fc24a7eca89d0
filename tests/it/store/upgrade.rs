//! A database that an earlier release filled, opened by this one: nothing in it is lost.

use std::path::Path;

use passerelle::store::{DisclosureState, Store};
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

use crate::store_tests;
use crate::support::stores::Databases;

/// The last step of the schema that the earlier release had.
const EARLIER: i64 = 10;

enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    async fn of(url: &str) -> anyhow::Result<Self> {
        Ok(match url.strip_prefix("sqlite://") {
            Some(path) => {
                Self::Sqlite(SqlitePool::connect_with(SqliteConnectOptions::new().filename(path).create_if_missing(true)).await?)
            }
            None => Self::Postgres(PgPool::connect(url).await?),
        })
    }

    async fn migrate(&self) -> anyhow::Result<()> {
        let backend = if matches!(self, Self::Sqlite(_)) { "sqlite" } else { "postgres" };
        let steps = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend);
        let earlier = tempfile::tempdir()?;
        for step in std::fs::read_dir(steps)? {
            let step = step?;
            let number: i64 = step.file_name().to_string_lossy()[..4].parse()?;
            if number <= EARLIER {
                std::fs::copy(step.path(), earlier.path().join(step.file_name()))?;
            }
        }
        let migrator = Migrator::new(earlier.path()).await?;
        match self {
            Self::Sqlite(pool) => migrator.run(pool).await?,
            Self::Postgres(pool) => migrator.run(pool).await?,
        }
        Ok(())
    }

    async fn run(&self, statement: &str) -> anyhow::Result<()> {
        // Written differently by the two: instants and truth.
        let (yes, at) = match self {
            Self::Sqlite(_) => ("1", "1790000000000000"),
            Self::Postgres(_) => ("TRUE", "to_timestamp(1790000000)"),
        };
        let statement = AssertSqlSafe(statement.replace("YES", yes).replace("NOW", at));
        match self {
            Self::Sqlite(pool) => sqlx::query(statement).execute(pool).await.map(|_| ())?,
            Self::Postgres(pool) => sqlx::query(statement).execute(pool).await.map(|_| ())?,
        }
        Ok(())
    }

    async fn close(self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

store_tests! {
    async fn what_partners_proved_and_readers_follow_outlives_an_upgrade(databases: Databases) {
        let url = databases.url().await;
        let pool = Pool::of(&url).await?;
        pool.migrate().await?;
        for (domain, kind) in [("b.example", "partner"), ("r.example", "reader")] {
            pool.run(&format!(
                "INSERT INTO partner (domain, kind, actor, name, inbox, rsa, rsa_id, follows_us, followed, since)
                 VALUES ('{domain}', '{kind}', 'https://{domain}/actor', 'B', 'https://{domain}/inbox', 'pem', 'https://{domain}/actor#key',
                         'accepted', 'none', NOW)"
            )).await?;
        }
        for (partner, record, state, receipt, purge_receipt) in [
            ("b.example", "held", "acknowledged", "'{\"delivered\":1}'", "NULL"),
            ("b.example", "gone", "purged", "'{\"delivered\":2}'", "'{\"purged\":2}'"),
            ("b.example", "due", "due", "NULL", "NULL"),
            ("r.example", "held", "acknowledged", "NULL", "NULL"),
        ] {
            pool.run(&format!(
                "INSERT INTO disclosure (partner, record, class, due_revision, due_kind, priority, state, offered, acked_revision,
                                         planned_at, next_at, receipt, purge_receipt)
                 VALUES ('{partner}', 'https://a.example/contributions/{record}', 'Contribution', 3, 'created', 2, '{state}', YES, 3,
                         NOW, NOW, {receipt}, {purge_receipt})"
            )).await?;
        }
        pool.close().await;

        let store = Store::open(&url).await?;
        let mut tx = store.read().await?;
        let partner = "b.example".parse()?;
        for (record, state, receipt, purge_receipt) in [
            ("held", DisclosureState::Acknowledged, Some("{\"delivered\":1}"), None),
            ("gone", DisclosureState::Purged, Some("{\"delivered\":2}"), Some("{\"purged\":2}")),
            ("due", DisclosureState::Due, None, None),
        ] {
            let record = format!("https://a.example/contributions/{record}").parse()?;
            let row = tx.lookup_disclosure(&partner, &record).await?.expect("it is there");
            assert_eq!((row.state, row.acked_revision), (state, Some(3)), "{record}");
            assert_eq!((row.receipt.as_deref(), row.purge_receipt.as_deref()), (receipt, purge_receipt), "{record}");
        }
        let about = ("r.example".parse()?, "https://a.example/contributions/held".parse()?);
        let reached = tx.reached(&[(&about.0, &about.1)]).await?;
        assert_eq!(reached, [(about, [("https://r.example/inbox".to_owned(), 3)].into())].into());
    }
}
