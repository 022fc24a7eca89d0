//! Runs and leases, letters, exchanges, keys, audit.

use passerelle::store::{AuditEntry, Exchange, LetterResult, LetterState, RunOutcome, Store};
use serde_json::json;

use super::examples::*;
use crate::store_tests;

store_tests! {
    async fn rel_060_two_pollers_never_run_one_platform(store: Store) {
        let tasks = (0..6).map(|n| {
            let store = store.clone();
            async move {
                let mut tx = store.write().await?;
                let run = tx.start_run(&platform(), &format!("process {n}"), second(1), second(61)).await?;
                tx.save().await?;
                anyhow::Ok(run)
            }
        });
        let mut runs: Vec<_> = futures_util::future::try_join_all(tasks).await?.into_iter().flatten().collect();
        assert_eq!(runs.len(), 1);
        let run = runs.remove(0);
        let mut tx = store.write().await?;
        let other = "bordeaux".parse()?;
        assert!(tx.start_run(&other, "process 1", second(2), second(62)).await?.is_some(), "another platform is free");
        assert!(tx.hold_run(&run, second(120)).await?);
        assert!(tx.start_run(&platform(), "process 2", second(100), second(200)).await?.is_none());
        tx.save().await?;
        // The holder dies; its time runs out.
        let mut tx = store.write().await?;
        let second_run = tx.start_run(&platform(), "process 2", second(120), second(200)).await?.expect("the lease ran out");
        tx.save().await?;
        let mut tx = store.write().await?;
        assert!(!tx.hold_run(&run, second(300)).await?, "the first one is fenced off");
        assert!(!tx.finish_run(&run, RunOutcome::Complete, &json!({}), None, second(130)).await?);
        assert!(tx.finish_run(&second_run, RunOutcome::Partial, &json!({"proposal": {"seen": 3}}), Some("page 2 failed"), second(140)).await?);
        assert!(tx.start_run(&platform(), "process 3", second(141), second(200)).await?.is_some(), "free again at once");
        let runs = tx.last_runs(&platform(), 10).await?;
        let outcomes: Vec<_> = runs.iter().map(|run| run.outcome).collect();
        assert_eq!(outcomes, [RunOutcome::Running, RunOutcome::Partial, RunOutcome::Failed]);
        assert_eq!(runs[1].counts, json!({"proposal": {"seen": 3}}));
        assert_eq!((runs[1].finished, runs[1].message.as_deref()), (Some(second(140)), Some("page 2 failed")));
        assert!(runs[0].number > runs[1].number);
    }

    async fn a_lease_has_one_holder_at_a_time(store: Store) {
        let mut tx = store.write().await?;
        let lease = tx.take_lease("planner", "one", second(1), second(10)).await?.expect("free");
        assert_eq!(tx.take_lease("planner", "two", second(9), second(20)).await?, None);
        assert_eq!(tx.lease_holder("planner", second(9)).await?.as_deref(), Some("one"));
        assert!(tx.hold_lease(&lease, second(15)).await?);
        tx.release_lease(&lease, second(12)).await?;
        assert_eq!(tx.lease_holder("planner", second(12)).await?, None);
        let next = tx.take_lease("planner", "two", second(12), second(20)).await?.expect("free");
        assert!(next.fence > lease.fence);
        assert!(!tx.hold_lease(&lease, second(30)).await?);
    }

    async fn letters_go_in_order_one_at_a_time_per_partner(store: Store) {
        let (b, n) = (domain("bordeaux.example"), domain("nantes.example"));
        let mut tx = store.write().await?;
        tx.put_partner(&partner(b.as_str())).await?;
        tx.put_partner(&partner(n.as_str())).await?;
        assert!(tx.put_letter(&b, "https://lyon.example/activities/1", "{\"type\":\"Follow\"}", second(1)).await?);
        assert!(tx.put_letter(&b, "https://lyon.example/activities/2", "{\"type\":\"Undo\"}", second(1)).await?);
        assert!(!tx.put_letter(&b, "https://lyon.example/activities/1", "{}", second(1)).await?, "posted once");
        assert!(tx.put_letter(&n, "https://lyon.example/activities/3", "{}", second(1)).await?);
        let claimed = tx.claim_letters(second(2), 10, second(60)).await?;
        assert_eq!(claimed.iter().map(|letter| letter.body.as_str()).collect::<Vec<_>>(), ["{\"type\":\"Follow\"}", "{}"]);
        assert!(tx.claim_letters(second(3), 10, second(60)).await?.is_empty(), "the second waits for the first");
        let again = LetterResult { state: LetterState::Due, next_at: second(13), status: Some(503), answer: Some("busy".to_owned()) };
        assert!(tx.finish_letter(&claimed[0], &again).await?);
        assert!(!tx.finish_letter(&claimed[0], &again).await?);
        assert!(tx.claim_letters(second(12), 10, second(60)).await?.is_empty());
        let late = tx.claim_letters(second(13), 10, second(100)).await?;
        assert_eq!((late.len(), late[0].attempts, late[0].last_status), (1, 2, Some(503)));
        let done = LetterResult { state: LetterState::Answered, next_at: second(14), status: Some(202), answer: None };
        assert!(tx.finish_letter(&late[0], &done).await?);
        let second_letter = tx.claim_letters(second(15), 10, second(70)).await?;
        assert_eq!(second_letter[0].activity_id, "https://lyon.example/activities/2");
        // Its worker dies; when the lease ends, another one takes it, and the first is fenced off.
        let taken = tx.claim_letters(second(70), 10, second(200)).await?;
        assert!(taken.iter().any(|letter| letter.activity_id == second_letter[0].activity_id));
        assert!(!tx.finish_letter(&second_letter[0], &done).await?);
        assert_eq!(tx.letters_of(&b, 10).await?.len(), 2);
        let found = tx.find_letter("https://lyon.example/activities/1").await?.expect("it was posted");
        assert_eq!((found.state, found.partner), (LetterState::Answered, b));
    }

    async fn letters_wait_for_a_partner_that_fails_but_not_for_one_that_is_blocked(store: Store) {
        let b = domain("bordeaux.example");
        let mut tx = store.write().await?;
        tx.put_partner(&partner(b.as_str())).await?;
        tx.put_letter(&b, "https://lyon.example/activities/1", "{}", second(1)).await?;
        tx.note_failure(&b, second(1), second(100), None).await?;
        assert!(tx.claim_letters(second(2), 10, second(60)).await?.is_empty());
        tx.note_failure(&b, second(1), second(100), Some("401")).await?;
        assert_eq!(tx.claim_letters(second(2), 10, second(60)).await?.len(), 1);
    }

    async fn the_exchange_log_only_grows(store: Store) {
        let b = domain("bordeaux.example");
        let write = created(consultation("p"), second(1));
        let exchange = Exchange {
            partner: b.clone(),
            record: Some(write.record.id.clone()),
            revision: Some(1),
            digest: Some(write.sealed.digest.clone()),
            activity: "https://lyon.example/activities/1".to_owned(),
            at: second(2),
            status: Some(202),
            answer: Some("received".to_owned()),
        };
        let silent = Exchange { record: None, revision: None, digest: None, status: None, answer: None, ..exchange.clone() };
        let mut tx = store.write().await?;
        tx.append_exchanges(&[exchange.clone(), silent.clone()]).await?;
        tx.append_exchanges(&vec![silent.clone(); 700]).await?;
        tx.save().await?;
        let mut tx = store.read().await?;
        let of_record = tx.exchanges_of(&write.record.id).await?;
        assert_eq!(of_record.iter().map(|row| &row.exchange).collect::<Vec<_>>(), [&exchange]);
        assert_eq!(tx.exchanges_of_activity(&exchange.activity).await?.len(), 702);
        let last = tx.list_exchanges(&b, None, 2).await?;
        let before = tx.list_exchanges(&b, Some(last[1].number), 1000).await?;
        assert_eq!((last.len(), before.len()), (2, 700));
        assert_eq!(last[0].exchange, silent);
        drop(tx);
        // Not even the owner of the database changes it by accident.
        for statement in ["UPDATE exchange SET status = 500", "DELETE FROM exchange", "UPDATE audit SET who = 'x'", "DELETE FROM audit"] {
            let mut tx = store.write().await?;
            tx.append_audit(&[audit("someone", "partner-accepted")]).await?;
            let refused = match &mut tx {
                passerelle::store::Tx::Sqlite(tx) => sqlx::query(statement).execute(tx.connection()).await.map(|_| ()),
                passerelle::store::Tx::Postgres(tx) => sqlx::query(statement).execute(&mut **tx).await.map(|_| ()),
            };
            assert!(refused.is_err_and(|error| error.to_string().contains("only grows")), "{statement}");
        }
    }

    async fn audit_rows_are_read_latest_first(store: Store) {
        let mut tx = store.write().await?;
        tx.append_audit(&[audit("anna", "partner-accepted"), audit("gateway", "copy-frozen")]).await?;
        tx.append_audit(&[]).await?;
        let rows = tx.list_audit(None, 10).await?;
        assert_eq!(rows.iter().map(|row| row.action.as_str()).collect::<Vec<_>>(), ["copy-frozen", "partner-accepted"]);
        assert_eq!(tx.list_audit(Some(rows[0].number), 10).await?.len(), 1);
        assert_eq!(tx.audit_of("bordeaux.example", 1).await?, rows[..1]);
        assert_eq!(tx.audit_of("nantes.example", 1).await?, []);
    }

    async fn of_two_first_keys_one_is_kept(store: Store) {
        let tasks = (0..4_u8).map(|n| {
            let store = store.clone();
            async move {
                let mut tx = store.write().await?;
                let key = tx.keep_key("ed25519", &[n; 40], second(1)).await?;
                tx.save().await?;
                anyhow::Ok(key)
            }
        });
        let kept = futures_util::future::try_join_all(tasks).await?;
        assert!(kept.windows(2).all(|pair| pair[0] == pair[1]));
        let mut tx = store.write().await?;
        tx.put_key("ed25519", b"rotated", second(2)).await?;
        tx.put_key("city-secret", b"secret", second(2)).await?;
        assert_eq!(tx.lookup_key("ed25519").await?.map(|key| key.sealed), Some(b"rotated".to_vec()));
        assert_eq!(tx.list_keys().await?.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["city-secret", "ed25519"]);
        assert!(!format!("{:?}", tx.list_keys().await?).contains("115"), "bytes are never printed");
        assert!(tx.forget_key("ed25519").await?);
        assert!(!tx.forget_key("ed25519").await?);
        assert_eq!(tx.lookup_key("ed25519").await?, None);
    }
}

fn audit(who: &str, action: &str) -> AuditEntry {
    AuditEntry {
        at: second(1),
        who: who.to_owned(),
        action: action.to_owned(),
        subject: "bordeaux.example".to_owned(),
        detail: "A sentence.".to_owned(),
    }
}
