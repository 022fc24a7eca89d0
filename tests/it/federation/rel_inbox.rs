//! REL-040 … REL-043 and SEC-153 at the inbox: repetition, order, poison (security.md §3.4).

use std::time::Duration;

use http::StatusCode;
use passerelle::domain::Record;
use passerelle::domain::partner::{FollowState, PartnerKind};
use passerelle::domain::record::ModerationState;
use passerelle::federation::inbox::Inbox;
use passerelle::federation::receipts::{self, Pinned};
use passerelle::federation::{Outcome, effect, retention, retry};
use passerelle::store::{CopyStanding, JournalState};
use serde_json::{Value, json};

use super::rig::{Rig, text};
use crate::store_tests;
use crate::support::content;
use crate::support::stores::Databases;

/// Create, two Updates and a Delete of B's `n`th contribution.
fn life(rig: &Rig, n: u32) -> (Record, [Value; 4]) {
    let mut record = content::contribution(&rig.b.url, n);
    let first = rig.b.sealed(&record, None, rig.now());
    record.revision = 2;
    record.content = content::text("Deuxième version.");
    let second = rig.b.sealed(&record, Some(&first), rig.now());
    record.revision = 3;
    record.content = content::text("Troisième version.");
    let third = rig.b.sealed(&record, Some(&second), rig.now());
    let tombstone = rig.b.tombstone(&record, &third, rig.now());
    let activity = |key: &str, kind: &str, object: &Value| rig.b.activity(&format!("{key}-{n}"), kind, object);
    let activities = [
        activity("create", "Create", &first),
        activity("update-a", "Update", &second),
        activity("update-b", "Update", &third),
        activity("delete", "Delete", &tombstone),
    ];
    (record, activities)
}

/// Every order of `items`.
fn orders(items: &[usize]) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(place);
        for mut order in orders(&rest) {
            order.insert(0, *item);
            all.push(order);
        }
    }
    all
}

store_tests! {
    async fn gdpr_14_bodies_leave_the_journal_after_90_days_and_what_proves_stays(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let old = rig.create();
        rig.apply(&old).await?;
        let first = rig.post(&old).await.body;
        rig.clock.advance(Duration::from_hours(89 * 24));
        let record = crate::support::content::contribution(&rig.b.url, 2);
        let young = rig.b.activity("create-2", "Create", &rig.b.sealed(&record, None, rig.now()));
        rig.apply(&young).await?;
        let waiting = rig.b.activity("create-3", "Create", &rig.b.sealed(&crate::support::content::contribution(&rig.b.url, 3), None, rig.now()));
        anyhow::ensure!(rig.post(&waiting).await.status.is_success());
        rig.clock.advance(Duration::from_hours(24));
        assert_eq!(retention::step(&rig.federation).await?, Outcome::Idle, "90 days are not over");
        rig.clock.advance(Duration::from_secs(1));
        assert_eq!(retention::step(&rig.federation).await?, Outcome::Worked(1));
        assert_eq!(retention::step(&rig.federation).await?, Outcome::Idle);
        let row = rig.journal(&old).await?.expect("its row stays");
        assert!(row.body.is_none() && row.receipt.as_bytes() == first && row.state == JournalState::Applied);
        assert!(rig.journal(&young).await?.expect("it is kept").body.is_some());
        // What waits for its effect keeps its words however long it waits.
        rig.clock.advance(Duration::from_hours(365 * 24));
        retention::step(&rig.federation).await?;
        assert!(rig.journal(&young).await?.expect("it is kept").body.is_none());
        assert!(rig.journal(&waiting).await?.expect("it is kept").body.is_some());
        // The copy made from it is another matter, with a time of its own.
        assert!(rig.copy(&rig.contribution().id).await?.is_some());
    }

    async fn rel_040_an_activity_a_hundred_times_has_one_effect(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let follow = rig.b.activity("f", "Follow", &json!("https://a.example/actor"));
        let first = rig.post(&follow).await;
        assert_eq!(first.status, StatusCode::ACCEPTED);
        for _ in 0..50 {
            let again = rig.post(&follow).await;
            assert_eq!((again.status, text(&again.body)), (StatusCode::ACCEPTED, text(&first.body)));
        }
        let knock = rig.b.post(&follow, rig.now());
        let parallel = futures_util::future::join_all((0..100).map(|_| rig.knock(&knock))).await;
        assert!(parallel.iter().all(|answer| answer.status == StatusCode::ACCEPTED));
        // Two workers at once.
        let (left, right) = tokio::join!(effect::step(&rig.federation), effect::step(&rig.federation));
        left?;
        right?;
        // Another process on the same database.
        let other = Inbox::start(rig.federation.clone());
        let (parts, body) = knock.parts();
        assert_eq!(other.receive(&parts, &body).await.status, StatusCode::ACCEPTED);
        rig.work().await?;
        // A month later, signed anew.
        rig.clock.advance(Duration::from_hours(31 * 24));
        assert_eq!(rig.post(&follow).await.status, StatusCode::ACCEPTED);
        rig.work().await?;
        assert_eq!((rig.rows("journal").await?, rig.rows("letter").await?), (1, 1));
    }

    async fn rel_041_rel_042_all_24_orders_of_a_life_end_in_the_same_tombstone(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let orders = orders(&[0, 1, 2, 3]);
        assert_eq!(orders.len(), 24);
        for (n, order) in (1..).zip(&orders) {
            let (record, activities) = life(&rig, n);
            for place in order {
                rig.apply(&activities[*place]).await?;
            }
            let copy = rig.copy(&record.id).await?.expect("a tombstone");
            assert_eq!((copy.standing, copy.revision, &copy.record), (CopyStanding::Deleted, 4, &None), "{order:?}");
            assert_eq!(copy.digest, passerelle::federation::proof::digest(&activities[3]["object"])?);
            for activity in &activities {
                let row = rig.journal(activity).await?.expect("a row");
                assert!(matches!(row.state, JournalState::Applied), "{order:?}: {row:?}");
                assert_eq!(row.body, None, "words of {} stay in the journal", row.activity_id);
            }
            // I6: for ever.
            rig.apply(&rig.b.activity(&format!("late-{n}"), "Create", &activities[0]["object"])).await?;
            assert_eq!(rig.copy(&record.id).await?.map(|copy| copy.standing), Some(CopyStanding::Deleted));
        }
        assert_eq!(rig.letters().await?.len(), 24);
    }

    async fn rel_041_what_is_applied_together_ends_as_what_is_applied_one_by_one(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut all = Vec::new();
        for (n, order) in (1..).zip(orders(&[0, 1, 2, 3])) {
            let (record, activities) = life(&rig, n);
            for place in &order {
                assert_eq!(rig.post(&activities[*place]).await.status, StatusCode::ACCEPTED);
            }
            all.push((record, activities, order));
        }
        rig.work().await?;
        for (record, activities, order) in all {
            let copy = rig.copy(&record.id).await?.expect("a tombstone");
            assert_eq!((copy.standing, copy.revision, &copy.record), (CopyStanding::Deleted, 4, &None), "{order:?}");
            for activity in &activities {
                let row = rig.journal(activity).await?.expect("a row");
                assert_eq!((row.state, row.attempts), (JournalState::Applied, 1), "{order:?}: {row:?}");
                assert_eq!(row.body, None, "words of {} stay in the journal", row.activity_id);
            }
        }
        assert_eq!(rig.letters().await?.len(), 24);
    }

    async fn rel_041_a_follow_and_its_undo_together_leave_nobody_following(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut partner = rig.b.partner(PartnerKind::Partner);
        partner.follows_us = FollowState::None;
        rig.list(&partner).await?;
        let follow = rig.b.activity("f", "Follow", &json!("https://a.example/actor"));
        let undo = rig.b.activity("u", "Undo", &follow);
        for activity in [&follow, &undo] {
            assert_eq!(rig.post(activity).await.status, StatusCode::ACCEPTED);
        }
        assert_eq!(effect::step(&rig.federation).await?, Outcome::Worked(2));
        let partner = rig.federation.store.read().await?.lookup_partner(&partner.domain).await?.expect("it is listed");
        assert_eq!(partner.follows_us, FollowState::None);
        assert_eq!(rig.letters().await?.len(), 1, "the Follow was accepted");
    }

    async fn gdpr_03_words_that_were_taken_back_in_the_same_breath_leave_the_journal(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut record = content::contribution(&rig.b.url, 1);
        let shown = rig.b.sealed(&record, None, rig.now());
        (record.revision, record.moderation) = (2, ModerationState::Hidden);
        let hidden = rig.b.sealed(&record, Some(&shown), rig.now());
        (record.revision, record.moderation) = (3, ModerationState::Visible);
        let again = rig.b.sealed(&record, Some(&hidden), rig.now());
        let activities = [("create", "Create", shown), ("hide", "Update", hidden), ("show", "Update", again)]
            .map(|(key, kind, object)| rig.b.activity(key, kind, &object));
        for activity in &activities {
            assert_eq!(rig.post(activity).await.status, StatusCode::ACCEPTED);
        }
        assert_eq!(effect::step(&rig.federation).await?, Outcome::Worked(3));
        assert_eq!(rig.copy(&record.id).await?.map(|copy| (copy.standing, copy.revision)), Some((CopyStanding::Live, 3)));
        for (activity, kept) in activities.iter().zip([false, false, true]) {
            let row = rig.journal(activity).await?.expect("a row");
            assert_eq!((row.state, row.body.is_some()), (JournalState::Applied, kept), "{row:?}");
        }
    }

    async fn sec_153_one_effect_that_fails_takes_nobody_along(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let activities: Vec<Value> = (1..=8).map(|n| {
            let record = content::contribution(&rig.b.url, n);
            rig.b.activity(&format!("create-{n}"), "Create", &rig.b.sealed(&record, None, rig.now()))
        }).collect();
        for activity in &activities {
            assert_eq!(rig.post(activity).await.status, StatusCode::ACCEPTED);
        }
        rig.refuse_copy(&content::contribution(&rig.b.url, 5).id).await?;
        assert_eq!(effect::step(&rig.federation).await?, Outcome::Worked(8));
        for (n, activity) in (1..).zip(&activities) {
            let row = rig.journal(activity).await?.expect("a row");
            let expected = if n == 5 { JournalState::Pending } else { JournalState::Applied };
            assert_eq!((row.state, row.attempts), (expected, 1), "{n}: {:?}", row.problem);
            assert_eq!(rig.copy(&content::contribution(&rig.b.url, n).id).await?.is_some(), n != 5, "{n}");
        }
    }

    async fn rel_041_all_orders_of_three_revisions_end_in_the_newest(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        for (n, order) in (1..).zip(orders(&[0, 1, 2])) {
            let (record, activities) = life(&rig, n);
            for place in &order {
                rig.apply(&activities[*place]).await?;
            }
            let copy = rig.copy(&record.id).await?.expect("a copy");
            assert_eq!((copy.standing, copy.revision, copy.record), (CopyStanding::Live, 3, Some(record)), "{order:?}");
        }
        assert_eq!(rig.letters().await?.len(), 0);
    }

    async fn rel_041_a_comment_before_what_it_comments_is_kept(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let comment = content::comment(&rig.b.url, 1);
        rig.apply(&rig.b.activity("m", "Create", &rig.b.sealed(&comment, None, rig.now()))).await?;
        let copy = rig.copy(&comment.id).await?.expect("a copy");
        assert_eq!(copy.parent, Some(rig.contribution().id));
        rig.apply(&rig.create()).await?;
        assert_eq!(rig.rows("copy").await?, 2);
    }

    async fn rel_043_answers_and_undos_before_their_cause_are_neutral(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let follow = rig.b.activity("f", "Follow", &json!("https://a.example/actor"));
        let undo = rig.b.activity("u", "Undo", &follow);
        rig.apply(&undo).await?;
        assert_eq!(rig.journal(&undo).await?.map(|row| row.state), Some(JournalState::Ignored));
        rig.apply(&follow).await?;
        let accept = rig.b.activity("a", "Accept", &json!("https://a.example/activities/not-yet"));
        rig.apply(&accept).await?;
        assert_eq!(rig.journal(&accept).await?.map(|row| row.state), Some(JournalState::Ignored));
    }

    async fn sec_153_a_poison_activity_is_set_aside_alone_and_its_neighbours_are_applied(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        // The poison lies in the midst of a full batch.
        let activities: Vec<Value> = (1..=64).map(|n| {
            let record = content::contribution(&rig.b.url, n);
            rig.b.activity(&format!("create-{n}"), "Create", &rig.b.sealed(&record, None, rig.now()))
        }).collect();
        for activity in &activities {
            assert_eq!(rig.post(activity).await.status, StatusCode::ACCEPTED);
        }
        let poison = &activities[10];
        let id = poison["id"].as_str().expect("an id");
        let mut deaths = 0;
        while deaths < 20 && rig.federation.store.read().await?.effect_is_due(rig.now()).await? {
            let mut tx = rig.federation.store.write().await?;
            let claimed = tx.claim_journal(rig.now(), 64, rig.now().plus(Duration::from_mins(2))).await?;
            if claimed.iter().any(|row| row.activity_id == id) {
                // It dies with all of these in its hands.
                tx.save().await?;
                deaths += 1;
                rig.clock.advance(Duration::from_mins(3));
                continue;
            }
            // This claim is forgotten; a real worker makes it.
            drop(tx);
            effect::step(&rig.federation).await?;
        }
        assert_eq!(deaths, 5);
        let row = rig.journal(poison).await?.expect("it is kept");
        assert_eq!((row.state, row.attempts), (JournalState::Quarantined, 5));
        for activity in activities.iter().filter(|activity| *activity != poison) {
            let row = rig.journal(activity).await?.expect("it is kept");
            assert_eq!(row.state, JournalState::Applied, "{} is innocent", row.activity_id);
            assert!(row.attempts <= 2, "{} was tried {} times", row.activity_id, row.attempts);
        }
        // Once the program is repaired, an operator lets it be tried again; until then it stays where it is.
        rig.work().await?;
        assert_eq!(rig.journal(poison).await?.map(|row| row.state), Some(JournalState::Quarantined));
        let partner = rig.b.keys.actor().domain();
        let retried = retry::retry(&rig.federation, &partner).await?.expect("it is listed");
        assert_eq!(retried.activities, 1);
        rig.work().await?;
        assert_eq!(rig.journal(poison).await?.map(|row| row.state), Some(JournalState::Applied));
        assert_eq!(rig.audit("partner-retried").await?.len(), 1);
        assert_eq!(retry::retry(&rig.federation, &"nobody.example".parse()?).await?, None);
    }

    async fn gdpr_05_a_deletion_that_comes_twice_is_answered_twice_and_the_same(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let document = rig.create()["object"].clone();
        rig.apply(&rig.create()).await?;
        let held = passerelle::federation::proof::digest(&document)?;
        let tombstone = rig.b.tombstone(&rig.contribution(), &document, rig.now());
        let first = rig.b.activity("d1", "Delete", &tombstone);
        let before = rig.post(&first).await;
        rig.work().await?;
        rig.clock.advance(Duration::from_hours(1));
        // The very same one, after its copy is gone: the very same receipt, and nothing is done again.
        let again = rig.knock(&rig.b.post(&first, rig.now())).await;
        assert_eq!((again.status, &again.body), (StatusCode::ACCEPTED, &before.body));
        assert_eq!((rig.work().await?, rig.letters().await?.len()), ((), 1));
        // In other words: the tombstone under another address, a bare id, and the tombstone once more.
        let others = [tombstone.clone(), json!(rig.contribution().id), tombstone];
        for (n, object) in others.iter().enumerate() {
            let delete = rig.b.activity(&format!("again-{n}"), "Delete", object);
            rig.apply(&delete).await?;
            let row = rig.journal(&delete).await?.expect("it is kept");
            assert_eq!((row.state, row.problem), (JournalState::Applied, None), "{n}");
            let letters = rig.letters().await?;
            let letter: Value = serde_json::from_str(&letters.last().expect("a letter").body)?;
            assert_eq!((letters.len(), &letter["type"], &letter["object"]), (n + 2, &json!("Accept"), &delete["id"]));
            let keys = &rig.federation.keys;
            let pinned = Pinned { actor: keys.actor().clone(), key: keys.multikey().clone(), key_id: keys.ed25519_id() };
            let receipt = receipts::read_purge(&letter["result"], &pinned, rig.now())?;
            assert_eq!((receipt.subject_digest.as_ref(), receipt.receipt_for.as_str()), (Some(&held), rig.contribution().id.as_str()));
        }
        assert_eq!(rig.copy(&rig.contribution().id).await?.map(|copy| copy.standing), Some(CopyStanding::Deleted));
    }
}
