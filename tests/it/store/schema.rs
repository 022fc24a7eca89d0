//! The two schemas are one: same migrations, same tables, same columns; and rules for the next ones.

use std::collections::BTreeMap;
use std::path::Path;

use passerelle::store::Store;

use crate::store_tests;
use crate::support::stores::{Databases, postgres_server};

fn files(backend: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of migrations")
        .map(|entry| entry.expect("a file").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).expect("a text"))
        })
        .collect();
    files.sort();
    files
}

/// Table, column, nullable, kind: one line each.
async fn shape(store: &Store) -> anyhow::Result<Vec<String>> {
    let rows: Vec<(String, String, bool, String)> = match store {
        Store::Sqlite(file) => {
            sqlx::query_as(
                "SELECT sqlite_master.name, info.name, info.\"notnull\" = 0, lower(info.type)
                   FROM sqlite_master
                   JOIN pragma_table_info(sqlite_master.name) AS info
                  WHERE sqlite_master.type = 'table' AND sqlite_master.name NOT LIKE '\\_%' ESCAPE '\\'
                    AND sqlite_master.name NOT LIKE 'sqlite%'",
            )
            .fetch_all(file.pools().0)
            .await?
        }
        Store::Postgres(pool) => {
            sqlx::query_as(
                "SELECT table_name::text, column_name::text, is_nullable = 'YES', data_type::text
                   FROM information_schema.columns
                  WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'",
            )
            .fetch_all(pool)
            .await?
        }
    };
    let kinds = BTreeMap::from([
        ("bigint", "integer"),
        ("boolean", "integer"),
        ("timestamp with time zone", "integer"),
        ("bytea", "blob"),
        ("jsonb", "text"),
    ]);
    let mut lines: Vec<String> = rows
        .into_iter()
        .map(|(table, column, nullable, kind)| {
            let kind = kinds.get(kind.as_str()).map_or(kind.as_str(), |kind| *kind);
            format!("{table}.{column}: {kind}{}", if nullable { "?" } else { "" })
        })
        .collect();
    lines.sort();
    Ok(lines)
}

async fn indexes(store: &Store) -> anyhow::Result<Vec<String>> {
    let mut names: Vec<String> = match store {
        Store::Sqlite(file) => {
            sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
                .fetch_all(file.pools().0)
                .await?
        }
        Store::Postgres(pool) => {
            sqlx::query_scalar(
                "SELECT indexname::text FROM pg_indexes
                  WHERE schemaname = 'public' AND indexname NOT LIKE '%\\_pkey' AND indexname NOT LIKE '%\\_key'
                    AND indexname NOT LIKE '\\_sqlx%'
                 UNION ALL
                 SELECT indexname::text FROM pg_indexes WHERE indexname IN ('identifier_by_key', 'copy_by_key')",
            )
            .fetch_all(pool)
            .await?
        }
    };
    names.sort();
    Ok(names)
}

#[test]
fn both_folders_hold_the_same_migrations() {
    let names = |backend| files(backend).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names("sqlite"), names("postgres"));
    for (n, name) in names("sqlite").iter().enumerate() {
        assert!(name.starts_with(&format!("{:04}_", n + 1)), "{name}: numbers without a gap");
    }
}

#[tokio::test]
async fn both_schemas_have_the_same_tables_columns_and_indexes() -> anyhow::Result<()> {
    let Some(server) = postgres_server() else { return Ok(()) };
    let (sqlite, postgres) = (Databases::new(None), Databases::new(Some(server)));
    let (file, database) = (sqlite.store().await, postgres.store().await);
    let shapes = (shape(&file).await?, shape(&database).await?);
    let names = (indexes(&file).await?, indexes(&database).await?);
    database.close().await;
    postgres.remove().await;
    assert_eq!(shapes.0, shapes.1);
    assert_eq!(names.0, names.1);
    assert!(shapes.0.len() > 100, "{} columns", shapes.0.len());
    Ok(())
}

store_tests! {
    async fn text_is_ordered_by_bytes(store: Store) {
        let Store::Postgres(pool) = &store else { return Ok(()) };
        let others: Vec<(String, String)> = sqlx::query_as(
            "SELECT index.relname::text, pg_attribute.attname::text
               FROM pg_class AS index
               JOIN pg_namespace ON pg_namespace.oid = index.relnamespace AND pg_namespace.nspname = 'public'
               JOIN pg_attribute ON pg_attribute.attrelid = index.oid
               JOIN pg_collation ON pg_collation.oid = pg_attribute.attcollation
              WHERE index.relkind = 'i' AND pg_collation.collname <> 'C'",
        )
        .fetch_all(pool)
        .await?;
        assert_eq!(others, [], "index columns without COLLATE \"C\"");
    }
}

/// Statements that would fail or lock on a table with rows.
fn complaints(text: &str) -> Vec<String> {
    let code: String = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    code.split(';')
        .map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase())
        .filter(|statement| {
            let adds = statement.starts_with("ALTER TABLE") && statement.contains(" ADD ");
            let tightens = statement.contains("SET NOT NULL");
            (adds && statement.contains("NOT NULL") && !statement.contains("DEFAULT"))
                || tightens
                || statement.starts_with("DROP TABLE")
        })
        .collect()
}

#[test]
fn a_new_column_that_must_not_be_null_has_a_default() {
    for backend in ["sqlite", "postgres"] {
        for (name, text) in files(backend) {
            assert_eq!(complaints(&text), [] as [String; 0], "{backend}/{name}");
        }
    }
    assert_eq!(complaints("-- why\nALTER TABLE copy\n ADD COLUMN x TEXT NOT NULL;").len(), 1, "the lint sees it");
    assert!(complaints("ALTER TABLE copy ADD COLUMN x TEXT NOT NULL DEFAULT '';").is_empty());
}

#[test]
fn every_function_of_the_store_is_called_by_a_test_on_both_databases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |folder: &str| -> Vec<(String, String)> {
        std::fs::read_dir(root.join(folder))
            .expect("a folder")
            .map(|entry| entry.expect("a file").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).expect("a text")))
            .collect()
    };
    let tests: String = read("tests/it/store").into_iter().map(|(_, text)| text).collect();
    let mut called = 0;
    for (path, text) in read("src/store") {
        for line in text.lines() {
            let Some(rest) = line.trim_start().strip_prefix("pub async fn ") else { continue };
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            assert!(
                tests.contains(&format!(".{name}(")) || tests.contains(&format!("::{name}(")),
                "{path}: `{name}` is called by no test"
            );
            called += 1;
        }
    }
    assert!(called > 80, "{called} functions");
}
