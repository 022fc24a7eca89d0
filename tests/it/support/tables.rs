//! Everything that a database holds, as text: to see that nothing changed, or that something is nowhere.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

/// Every row of every table, sorted.
pub async fn rows(url: &str) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // All statements are made of names that the database itself gives.
    if url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(url).await?;
        let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        let names: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut connection).await?;
        for name in names {
            let columns = "SELECT group_concat('quote(\"' || name || '\")', '||''|''||') FROM pragma_table_info($1)";
            let row: String = sqlx::query_scalar(columns).bind(&name).fetch_one(&mut connection).await?;
            let rows = AssertSqlSafe(format!("SELECT {row} FROM \"{name}\""));
            tables.insert(name, sqlx::query_scalar(rows).fetch_all(&mut connection).await?);
        }
    } else {
        let mut connection = PgConnection::connect(url).await?;
        let names = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
        let names: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut connection).await?;
        for name in names {
            let rows = AssertSqlSafe(format!("SELECT t::text FROM \"{name}\" AS t"));
            tables.insert(name, sqlx::query_scalar(rows).fetch_all(&mut connection).await?);
        }
    }
    for rows in tables.values_mut() {
        rows.sort();
    }
    anyhow::ensure!(tables.contains_key("record") && tables.contains_key("copy"), "these are not our tables");
    Ok(tables)
}
