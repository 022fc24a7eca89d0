//! The exchange log as evidence (I10): what was changed, taken out or moved in it is found, by the store and
//! by `passerelle verify-log`; two writers do not fork a chain.

use anyhow::Context as _;
use passerelle::domain::PartnerDomain;
use passerelle::domain::digest::Digest;
use passerelle::store::{Chain, Exchange, Store};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::examples::*;
use crate::store_tests;
use crate::support::program::{Installation, text};
use crate::support::stores::Databases;

const A: &str = "bordeaux.example";
const B: &str = "rennes.example";

fn exchange(partner: &str, n: i64) -> Exchange {
    Exchange {
        partner: domain(partner),
        record: Some(record_id(&format!("contributions/{n}"))),
        revision: Some(1),
        digest: Some(Digest::of(b"carried")),
        activity: format!("https://lyon.example/activities/{n}"),
        at: second(1),
        status: Some(202),
        answer: Some("é".repeat(300)),
    }
}

/// Lists two partners and logs ten exchanges, of the first partner those with odd numbers.
async fn logged(url: &str) -> anyhow::Result<Store> {
    let store = Store::open(url).await?;
    let mut tx = store.write().await?;
    for name in [A, B] {
        tx.put_partner(&partner(name)).await?;
    }
    for n in 1..=10 {
        tx.append_exchanges(&[exchange(if n % 2 == 1 { A } else { B }, n)]).await?;
    }
    tx.save().await?;
    Ok(store)
}

async fn chain_of(store: &Store, partner: &PartnerDomain) -> anyhow::Result<Chain> {
    let chains = store.read().await?.verify_exchanges().await?;
    chains.into_iter().find(|chain| chain.partner == *partner).context("the partner has a chain")
}

/// What somebody does with a shell on the database's machine.
async fn tamper(url: &str, statements: &str) -> anyhow::Result<()> {
    let free = if url.starts_with("sqlite") {
        "DROP TRIGGER IF EXISTS exchange_is_never_changed; DROP TRIGGER IF EXISTS exchange_is_never_removed;"
    } else {
        "DROP TRIGGER IF EXISTS exchange_only_grows ON exchange;"
    };
    run(url, &format!("{free} {statements}")).await
}

async fn run(url: &str, statements: &str) -> anyhow::Result<()> {
    // Made of literals of this file.
    let statements = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
    if url.starts_with("sqlite") {
        statements.execute(&mut SqliteConnection::connect(url).await?).await?;
    } else {
        statements.execute(&mut PgConnection::connect(url).await?).await?;
    }
    Ok(())
}

store_tests! {
    async fn i10_each_partner_has_a_chain_of_its_own_that_holds(databases: Databases) {
        let url = databases.url().await;
        let store = logged(&url).await?;
        let chains = store.read().await?.verify_exchanges().await?;
        assert_eq!(chains.len(), 2);
        for chain in &chains {
            assert_eq!((chain.rows, chain.before, &chain.broken), (5, 0, &None), "{chain:?}");
        }
        let ends: Vec<i64> = chains.iter().filter_map(|chain| chain.end.as_ref()).map(|end| end.row).collect();
        assert_eq!(ends.iter().max(), Some(&10));
        // Several of several partners at once, and none.
        let mut tx = store.write().await?;
        tx.append_exchanges(&[exchange(B, 11), exchange(A, 12), exchange(B, 13)]).await?;
        tx.append_exchanges(&[]).await?;
        tx.save().await?;
        assert_eq!((chain_of(&store, &domain(A)).await?.rows, chain_of(&store, &domain(B)).await?.rows), (6, 7));
        assert_eq!(chain_of(&store, &domain(B)).await?.broken, None);
        // Nobody logs what went to somebody who is not listed.
        let mut tx = store.write().await?;
        assert!(tx.append_exchanges(&[exchange("nobody.example", 1)]).await.is_err());
    }

    async fn i10_the_database_itself_refuses_to_change_the_log(databases: Databases) {
        let url = databases.url().await;
        let store = logged(&url).await?;
        assert!(run(&url, "UPDATE exchange SET status = 500 WHERE number = 3").await.is_err());
        assert!(run(&url, "DELETE FROM exchange WHERE number = 3").await.is_err());
        assert_eq!(chain_of(&store, &domain(A)).await?.broken, None);
    }

    async fn i10_a_changed_row_is_found(databases: Databases) {
        let changes = [
            "status = 500", "answer = 'x'", "activity = 'https://lyon.example/activities/x'", "revision = 2", "revision = NULL",
            "record = 'https://lyon.example/contributions/x'", "digest = 'x'", "digest = NULL", "chain = NULL", "chain = 'x'",
        ];
        for change in changes {
            let url = databases.url().await;
            let store = logged(&url).await?;
            tamper(&url, &format!("UPDATE exchange SET {change} WHERE number = 5")).await?;
            let broken = chain_of(&store, &domain(A)).await?.broken.with_context(|| format!("{change} was not found"))?;
            assert_eq!(broken.row, 5, "{change}: {broken:?}");
            assert_eq!(chain_of(&store, &domain(B)).await?.broken, None, "another partner's chain holds");
        }
    }

    async fn i10_a_removed_row_is_found(databases: Databases) {
        // The first, one in the middle, the last, all: where it is noticed.
        for (removed, noticed) in [("number = 1", 3), ("number = 5", 7), ("number = 9", 7), ("number % 2 = 1", 0)] {
            let url = databases.url().await;
            let store = logged(&url).await?;
            tamper(&url, &format!("DELETE FROM exchange WHERE {removed}")).await?;
            let broken = chain_of(&store, &domain(A)).await?.broken.with_context(|| format!("{removed} was not missed"))?;
            assert_eq!(broken.row, noticed, "{removed}: {broken:?}");
        }
    }

    async fn i10_a_swapped_pair_is_found(databases: Databases) {
        let url = databases.url().await;
        let store = logged(&url).await?;
        let mut tx = store.read().await?;
        let (third, fifth) = (tx.exchange_digest(3).await?.context("a digest")?, tx.exchange_digest(5).await?.context("a digest")?);
        drop(tx);
        let put = |row: i64, n: i64, chain: &str| format!(
            "UPDATE exchange SET record = 'https://lyon.example/contributions/{n}', \
             activity = 'https://lyon.example/activities/{n}', chain = '{chain}' WHERE number = {row};"
        );
        tamper(&url, &format!("{}{}", put(3, 5, &fifth), put(5, 3, &third))).await?;
        let broken = chain_of(&store, &domain(A)).await?.broken.context("it was not found")?;
        assert_eq!(broken.row, 3, "{broken:?}");
    }

    async fn i10_rows_from_before_the_chain_are_counted_and_not_covered(databases: Databases) {
        let url = databases.url().await;
        let store = logged(&url).await?;
        let unchained = "INSERT INTO exchange (partner, activity, at) SELECT 'nantes.example', activity, at FROM exchange WHERE number < 3";
        run(&url, unchained).await?;
        let chain = chain_of(&store, &domain("nantes.example")).await?;
        assert_eq!((chain.rows, chain.before, chain.end, chain.broken), (0, 2, None, None));
    }

    async fn i10_two_writers_do_not_fork_a_chain(databases: Databases) {
        let url = databases.url().await;
        drop(logged(&url).await?);
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..4_i64 {
            // As in two processes: each has a store of its own.
            let store = Store::open(&url).await?;
            writers.spawn(async move {
                for n in 0..15 {
                    let mut tx = store.write().await?;
                    tx.append_exchanges(&[exchange(A, 100 + writer * 100 + n), exchange(B, 100 + writer * 100 + n)]).await?;
                    tx.save().await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = writers.join_next().await {
            ended??;
        }
        let store = Store::open(&url).await?;
        for partner in [A, B] {
            let chain = chain_of(&store, &domain(partner)).await?;
            assert_eq!((chain.rows, chain.broken), (65, None), "{partner}");
        }
    }

    async fn i10_the_command_verifies_offline_and_compares_with_what_was_noted(databases: Databases) {
        let url = databases.url().await;
        let city = Installation::new("lyon", &url, None);
        // Nothing is made where nothing is: a mistyped address must not look like a log without a fault.
        let output = city.run(&["verify-log"]).await;
        assert!(output.status.code() == Some(2) && text(&output).contains("error[config.no-database]"), "{}", text(&output));
        assert!(url.strip_prefix("sqlite://").is_none_or(|path| !std::path::Path::new(path).exists()), "a file was made");
        assert!(city.run(&["partner", "list"]).await.status.success(), "which is a gateway's first look at its database");
        let output = city.run(&["verify-log"]).await;
        assert!(output.status.success() && text(&output).contains("nothing is logged yet"), "{}", text(&output));
        let store = logged(&url).await?;
        let end = chain_of(&store, &domain(A)).await?.end.context("a chain has an end")?;
        let noted = format!("{}:{}", end.row, end.digest);
        let verify = async |arguments: &[&str]| -> anyhow::Result<(Option<i32>, Value)> {
            let output = city.run(&[&["verify-log", "--json"][..], arguments].concat()).await;
            Ok((output.status.code(), serde_json::from_slice(&output.stdout).with_context(|| text(&output))?))
        };
        let (code, found) = verify(&["--pinned", &noted]).await?;
        assert_eq!((code, &found["holds"], &found["pinned"][0]["holds"]), (Some(0), &Value::from(true), &Value::from(true)), "{found}");
        assert_eq!((&found["schema"], &found["partners"][0]["rows"]), (&Value::from("passerelle.verify-log/1"), &Value::from(5)));
        let plain = city.run(&["verify-log"]).await;
        assert!(text(&plain).contains(&noted) && text(&plain).contains("5 rows"), "{}", text(&plain));
        // Another digest than that row has; a row that is not there; and no digest at all.
        for wrong in [format!("1:{}", end.digest), format!("999:{}", end.digest)] {
            let (code, found) = verify(&["--pinned", &wrong]).await?;
            assert_eq!((code, &found["pinned"][0]["holds"]), (Some(1), &Value::from(false)), "{found}");
        }
        assert_eq!(city.run(&["verify-log", "--pinned", "nine"]).await.status.code(), Some(2));
        // One row is changed while the program is not looking.
        tamper(&url, "UPDATE exchange SET status = 500 WHERE number = 7").await?;
        let (code, found) = verify(&[]).await?;
        let chains = found["partners"].as_array().context("a list")?;
        let broken: Vec<&Value> = chains.iter().map(|chain| &chain["broken"]["row"]).filter(|row| !row.is_null()).collect();
        assert_eq!((code, broken), (Some(1), vec![&Value::from(7)]), "{found}");
        let plain = city.run(&["verify-log"]).await;
        assert!(plain.status.code() == Some(1) && text(&plain).contains("row 7:"), "{}", text(&plain));
    }
}
