//! The inbound journal and its writer.

use std::sync::Arc;
use std::time::Duration;

use passerelle::domain::RecordId;
use passerelle::domain::digest::sha256;
use passerelle::store::{Append, AppendError, Appended, Backend, JournalEntry, JournalState, JournalWriter, Kept, Store};
use sqlx::Connection;

use super::examples::*;
use crate::store_tests;
use crate::support::stores::Databases;

/// A receipt as the inbox writes it: a JSON document with an address.
fn receipt(name: &str) -> String {
    serde_json::json!({ "id": format!("https://a.example/receipts/{name}") }).to_string()
}

pub fn entry(name: &str) -> JournalEntry {
    let body = format!("{{\"id\":\"https://lyon.example/activities/{name}\"}}");
    JournalEntry {
        partner: domain("lyon.example"),
        activity_id: format!("https://lyon.example/activities/{name}"),
        body_hash: sha256(body.as_bytes()),
        body,
        object: Some(format!("https://lyon.example/contributions/{name}")),
        received_at: second(1),
        receipt: receipt(name),
    }
}

fn append(name: &str) -> Append<&'static str> {
    Append { entry: Arc::new(entry(name)), copies: Vec::new(), records: Vec::new(), check: Box::new(|_| Ok(())) }
}

async fn keep(store: &Store, entries: &[JournalEntry]) -> anyhow::Result<Vec<Appended>> {
    let mut tx = store.write().await?;
    let answers = tx.append_journal(entries).await?;
    tx.save().await?;
    Ok(answers)
}

async fn state(store: &Store, name: &str) -> anyhow::Result<(JournalState, u32, bool)> {
    let mut tx = store.read().await?;
    let row = tx.lookup_journal(&domain("lyon.example"), &entry(name).activity_id).await?.expect("it is kept");
    Ok((row.state, row.attempts, row.body.is_some()))
}

/// Runs the task of a writer until the writer is dropped.
fn started(store: &Store) -> (JournalWriter<&'static str>, tokio::task::JoinHandle<()>) {
    let (writer, task) = JournalWriter::new(store.clone());
    (writer, tokio::spawn(task.run()))
}

store_tests! {
    async fn rel_040_an_activity_is_kept_once(store: Store) {
        let batch = [entry("a"), entry("b"), entry("a")];
        let answers = keep(&store, &batch).await?;
        assert_eq!(answers, [Appended::New, Appended::New, Appended::Duplicate(receipt("a"))]);
        let again = JournalEntry { receipt: receipt("another"), ..entry("a") };
        let mut other = entry("b");
        other.body_hash = [0; 32];
        let mut elsewhere = entry("a");
        elsewhere.partner = domain("nantes.example");
        let answers = keep(&store, &[again, other.clone(), elsewhere]).await?;
        assert_eq!(answers, [Appended::Duplicate(receipt("a")), Appended::Equivocation, Appended::New]);
        let mut tx = store.read().await?;
        assert_eq!(tx.journal_counts().await?, [(JournalState::Pending, 3)]);
        let weighed = tx.weigh_journal(&[&entry("a"), &other, &entry("c")]).await?;
        assert_eq!(weighed, [Some(Appended::Duplicate(receipt("a"))), Some(Appended::Equivocation), None]);
    }

    async fn an_activity_is_claimed_by_one_worker_and_ends_once(store: Store) {
        let entries: Vec<_> = (0..6).map(|n| entry(&format!("a{n}"))).collect();
        keep(&store, &entries).await?;
        let mut tx = store.write().await?;
        let first = tx.claim_journal(second(2), 4, second(60)).await?;
        tx.save().await?;
        let mut tx = store.write().await?;
        let rest = tx.claim_journal(second(2), 10, second(60)).await?;
        assert_eq!((first.len(), rest.len()), (4, 2));
        assert!(tx.finish_journal(&first[0], JournalState::Applied, None, second(3)).await?);
        assert!(!tx.finish_journal(&first[0], JournalState::Rejected, None, second(3)).await?, "it has ended");
        assert!(tx.finish_journal(&first[1], JournalState::Rejected, Some("not-owner"), second(3)).await?);
        tx.save().await?;
        assert_eq!(state(&store, "a0").await?, (JournalState::Applied, 1, true));
        assert_eq!(state(&store, "a1").await?, (JournalState::Rejected, 1, false), "what is refused is not kept");
        let mut tx = store.write().await?;
        // Leases that ran out: each of these may have taken its worker with it.
        let late = tx.claim_journal(second(61), 10, second(120)).await?;
        assert_eq!(late.iter().map(|row| row.number).collect::<Vec<_>>(), [first[2].number]);
        assert!(!tx.finish_journal(&first[2], JournalState::Applied, None, second(62)).await?, "the old lease is fenced off");
        assert!(tx.finish_journal(&late[0], JournalState::Applied, None, second(62)).await?);
        for left in [first[3].number, rest[0].number, rest[1].number] {
            let next = tx.claim_journal(second(61), 10, second(120)).await?;
            assert_eq!(next.iter().map(|row| row.number).collect::<Vec<_>>(), [left]);
        }
        assert_eq!(tx.list_journal(&domain("lyon.example"), None, 3).await?.len(), 3);
    }

    async fn sec_105_what_never_ends_is_quarantined_after_five_attempts(store: Store) {
        keep(&store, &[entry("dies"), entry("fails")]).await?;
        for attempt in 1..=5_i64 {
            let mut claimed = Vec::new();
            for _ in 0..if attempt == 1 { 1 } else { 2 } {
                let mut tx = store.write().await?;
                claimed.extend(tx.claim_journal(second(attempt * 100), 10, second(attempt * 100 + 50)).await?);
                tx.save().await?;
            }
            assert_eq!(claimed.len(), 2, "attempt {attempt}");
            // "dies" takes the process with it; "fails" comes back with an error.
            let failing = claimed.iter().find(|row| row.activity_id.ends_with("fails")).expect("claimed");
            let mut tx = store.write().await?;
            let then = tx.fail_journal(failing, "it fails", second(attempt * 100), second(attempt * 100 + 10)).await?;
            tx.save().await?;
            assert_eq!(then, Some(if attempt < 5 { JournalState::Pending } else { JournalState::Quarantined }));
        }
        let mut tx = store.write().await?;
        assert!(tx.claim_journal(second(1000), 10, second(1050)).await?.is_empty());
        tx.save().await?;
        assert_eq!(state(&store, "dies").await?, (JournalState::Quarantined, 5, true), "a person may look at it");
        assert_eq!(state(&store, "fails").await?, (JournalState::Quarantined, 5, true));
        // A person says "try again": both begin anew, together.
        let mut tx = store.write().await?;
        assert_eq!(tx.retry_journal(&domain("nantes.example"), second(1100)).await?, 0, "of that partner only");
        assert_eq!(tx.retry_journal(&domain("lyon.example"), second(1100)).await?, 2);
        let again = tx.claim_journal(second(1100), 10, second(1150)).await?;
        assert_eq!(again.iter().map(|row| row.attempts).collect::<Vec<_>>(), [1, 1]);
    }

    async fn burying_a_copy_erases_its_words_from_the_journal(store: Store) {
        keep(&store, &[entry("a"), entry("b"), entry("late")]).await?;
        let mut tx = store.write().await?;
        let claimed = tx.claim_journal(second(2), 2, second(60)).await?;
        for row in &claimed {
            tx.finish_journal(row, JournalState::Applied, None, second(3)).await?;
        }
        let first = created(contribution("a", &record_id("consultations/p")), second(1));
        tx.put_copy(&copy_of(&first, second(3))).await?;
        tx.save().await?;
        assert_eq!(state(&store, "a").await?, (JournalState::Applied, 1, true));
        let grave = burial(&first, second(4));
        let mut tx = store.write().await?;
        tx.bury_copy(&domain("lyon.example"), &grave.tombstone, &grave.sealed, second(4)).await?;
        let mut late = entry("x");
        late.object = Some(first.record.id.to_string());
        tx.append_journal(&[late]).await?;
        tx.save().await?;
        assert_eq!(state(&store, "a").await?, (JournalState::Applied, 1, false));
        assert_eq!(state(&store, "b").await?, (JournalState::Applied, 1, true), "another record's words stay");
        let mut tx = store.write().await?;
        for row in tx.claim_journal(second(5), 10, second(60)).await? {
            tx.finish_journal(&row, JournalState::Applied, None, second(6)).await?;
        }
        tx.save().await?;
        assert_eq!(state(&store, "x").await?, (JournalState::Applied, 1, false), "what comes late is not kept either");
    }

    async fn hiding_a_copy_erases_its_words_from_the_journal(store: Store) {
        keep(&store, &[entry("a")]).await?;
        let mut tx = store.write().await?;
        let row = tx.claim_journal(second(2), 2, second(60)).await?.pop().expect("one is due");
        tx.finish_journal(&row, JournalState::Applied, None, second(3)).await?;
        let first = created(contribution("a", &record_id("consultations/p")), second(1));
        tx.put_copy(&copy_of(&first, second(3))).await?;
        let withdrawn = next(&first, first.record.clone().withdrawn(), second(4));
        tx.put_copy(&copy_of(&withdrawn, second(4))).await?;
        tx.save().await?;
        assert_eq!(state(&store, "a").await?, (JournalState::Applied, 1, false));
    }

    async fn the_writer_keeps_what_passes_its_check(store: Store) {
        let held = created(contribution("held", &record_id("consultations/p")), second(1));
        let mine = created(consultation("mine"), second(1));
        let mut tx = store.write().await?;
        tx.put_copy(&copy_of(&held, second(1))).await?;
        tx.put_records(std::slice::from_ref(&mine)).await?;
        tx.save().await?;
        let (writer, task) = started(&store);
        let looked_up = |name: &str, ids: &[&RecordId]| {
            let ids: Vec<RecordId> = ids.iter().map(|id| (*id).clone()).collect();
            let (copy, record) = (held.record.id.clone(), mine.record.id.clone());
            Append {
                entry: Arc::new(entry(name)),
                copies: ids.clone(),
                records: ids,
                check: Box::new(move |held: &passerelle::store::Held| {
                    if held.copies.contains_key(&copy) && held.records.contains_key(&record) { Ok(()) } else { Err("not-owner") }
                }),
            }
        };
        let both = [&held.record.id, &mine.record.id];
        assert_eq!(writer.append(looked_up("a", &both)).await?, Kept::New);
        assert_eq!(writer.append(looked_up("b", &[])).await?, Kept::Refused("not-owner"));
        assert_eq!(writer.append(looked_up("a", &[])).await?, Kept::Duplicate(receipt("a")), "kept is kept");
        let mut other = append("a");
        Arc::make_mut(&mut other.entry).body_hash = [1; 32];
        assert_eq!(writer.append(other).await?, Kept::Equivocation);
        let mut broken = append("nul");
        Arc::make_mut(&mut broken.entry).body.push('\0');
        assert!(matches!(writer.append(broken).await, Err(AppendError::Store(_))));
        let mut tx = store.read().await?;
        assert_eq!(tx.journal_counts().await?, [(JournalState::Pending, 1)]);
        drop(writer);
        task.await?;
    }

    async fn many_activities_share_a_commit(store: Store) {
        let (writer, task) = started(&store);
        let all = (0..600).map(|n| {
            let writer = writer.clone();
            // Each is sent three times at once.
            async move { writer.append(append(&format!("a{}", n % 200))).await }
        });
        let answers = futures_util::future::join_all(all).await;
        let new = answers.iter().filter(|answer| matches!(answer, Ok(Kept::New))).count();
        let duplicates = answers.iter().filter(|answer| matches!(answer, Ok(Kept::Duplicate(_)))).count();
        assert_eq!((new, duplicates), (200, 400));
        drop(writer);
        task.await?;
        let mut tx = store.read().await?;
        assert_eq!(tx.journal_counts().await?, [(JournalState::Pending, 200)]);
    }

    async fn rel_002_no_answer_precedes_the_commit(databases: Databases) {
        let url = databases.url().await;
        let store = Store::open(&url).await?;
        let (writer, task) = started(&store);
        // A commit that fails at its very end: a constraint that is only looked at by COMMIT.
        let refuse = match store.backend() {
            Backend::Sqlite => {
                "CREATE TABLE absent (id INTEGER PRIMARY KEY) STRICT;
                 CREATE TABLE refusal (id INTEGER REFERENCES absent (id) DEFERRABLE INITIALLY DEFERRED) STRICT;
                 CREATE TRIGGER refuse AFTER INSERT ON journal BEGIN INSERT INTO refusal VALUES (1); END"
            }
            Backend::Postgres => {
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
                 CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON journal DEFERRABLE INITIALLY DEFERRED
                     FOR EACH ROW EXECUTE FUNCTION refuse()"
            }
        };
        let allow = match store.backend() {
            Backend::Sqlite => "DROP TRIGGER refuse",
            Backend::Postgres => "DROP TRIGGER refuse ON journal",
        };
        run(&url, refuse).await?;
        assert!(matches!(writer.append(append("a")).await, Err(AppendError::Store(_))), "the commit failed, so must the answer");
        assert_eq!(store.read().await?.journal_counts().await?, []);
        run(&url, allow).await?;
        // A commit that takes its time: whoever is answered finds the row, whoever waits does not.
        let held_up = hold_up_commits(&url).await?;
        let waiting = tokio::spawn({
            let writer = writer.clone();
            async move { writer.append(append("b")).await }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!waiting.is_finished(), "answered before the commit");
        assert_eq!(store.read().await?.journal_counts().await?, []);
        held_up.release().await?;
        assert_eq!(waiting.await??, Kept::New);
        assert_eq!(store.read().await?.journal_counts().await?, [(JournalState::Pending, 1)]);
        drop(writer);
        task.await?;
    }
}

/// Runs statements beside the store, as an operator would.
async fn run(url: &str, statements: &'static str) -> anyhow::Result<()> {
    if url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(url).await?;
        sqlx::raw_sql(statements).execute(&mut connection).await?;
        connection.close().await?;
    } else {
        let mut connection = sqlx::PgConnection::connect(url).await?;
        sqlx::raw_sql(statements).execute(&mut connection).await?;
        connection.close().await?;
    }
    Ok(())
}

/// What keeps a commit waiting: on SQLite another process with the write lock, on PostgreSQL a trigger
/// that COMMIT itself runs and that wants a lock we hold.
enum HeldUp {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

async fn hold_up_commits(url: &str) -> anyhow::Result<HeldUp> {
    if url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(url).await?;
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await?;
        return Ok(HeldUp::Sqlite(connection));
    }
    let mut connection = sqlx::PgConnection::connect(url).await?;
    sqlx::raw_sql(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$;
         CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON journal DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION wait();
         SELECT pg_advisory_lock(7)",
    )
    .execute(&mut connection)
    .await?;
    Ok(HeldUp::Postgres(connection))
}

impl HeldUp {
    async fn release(self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(connection) => connection.close().await?,
            Self::Postgres(connection) => connection.close().await?,
        }
        Ok(())
    }
}
