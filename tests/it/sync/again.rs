//! Readings after the first: most items say what they said, and are not looked at again. What they depend on beside
//! themselves may have changed all the same.

use std::sync::Arc;
use std::time::Duration;

use passerelle::domain::source::SourceRecord;
use passerelle::domain::{Body, Class, Record};
use passerelle::mapping::Profile;
use passerelle::store::{Item, Standing, Store};
use serde_json::json;

use super::{Lyon, PROPOSAL, complete, process, proposal, retitled};
use crate::mapping::works::{WORKS, item};
use crate::store_tests;

/// Lyon in front of a platform whose ideas name others that they come from.
fn lyon(store: Store) -> Lyon {
    let mut lyon = Lyon::new(store);
    lyon.sync.profile = Arc::new(Profile::parse(WORKS).expect("it is good"));
    lyon
}

fn project() -> SourceRecord {
    item("project", "1", json!({ "title": "Rues aux écoles" }))
}

fn idea(id: &str, from: &[&str]) -> SourceRecord {
    item("idea", id, json!({ "project": "1", "title": format!("Idée {id}"), "proposals": from }))
}

/// The revision of an idea, and whether it names where it comes from.
async fn comes_from(lyon: &Lyon, id: &str, from: &str) -> (u64, bool) {
    let stored = lyon.record("idea", id, Class::BudgetProject).await.expect("it is there");
    assert_eq!(stored.standing, Standing::Live);
    let from = lyon.id("idea", from, Class::BudgetProject).await.expect("it has a name");
    (stored.revision, String::from_utf8_lossy(&stored.sealed).contains(from.as_str()))
}

/// What is remembered of an item is changed behind the back of the reading.
async fn remember(lyon: &Lyon, item: Item) -> anyhow::Result<()> {
    let mut tx = lyon.store.write().await?;
    tx.put_items(&[item]).await?;
    Ok(tx.save().await?)
}

store_tests! {
    async fn what_an_item_points_to_is_named_once_it_is_there(store: Store) {
        let mut lyon = lyon(store);
        lyon.platform.now(|script| script.items = vec![project(), idea("2", &["3"])]);
        complete(&lyon.run().await);
        complete(&lyon.run().await);
        assert_eq!(comes_from(&lyon, "2", "3").await, (1, false));
        // It comes after the one that names it, so that this reading cannot name it yet.
        lyon.platform.now(|script| script.items.push(idea("3", &[])));
        complete(&lyon.run().await);
        let summary = lyon.run().await;
        assert_eq!(comes_from(&lyon, "2", "3").await, (2, true), "it says what it said");
        assert_eq!((summary.entities["idea"].revised, summary.entities["idea"].unchanged), (1, 1));
    }

    async fn what_vanishes_is_named_no_more_by_what_says_the_same(store: Store) {
        let mut lyon = lyon(store);
        let all = || vec![project(), idea("3", &[]), idea("2", &["3"]), idea("4", &[])];
        lyon.platform.now(|script| script.items = all());
        complete(&lyon.run().await);
        complete(&lyon.run().await);
        assert_eq!(comes_from(&lyon, "2", "3").await, (1, true));
        // Held back by name: told before the items, and noticed by the same reading.
        lyon.platform.now(|script| {
            script.items.remove(1);
            script.withheld = vec![("idea", "3".to_owned())];
        });
        complete(&lyon.run().await);
        assert_eq!(comes_from(&lyon, "2", "3").await, (2, false));
        // Shown again.
        lyon.platform.now(|script| {
            script.items = all();
            script.withheld.clear();
        });
        complete(&lyon.run().await);
        complete(&lyon.run().await);
        assert_eq!(comes_from(&lyon, "2", "3").await, (3, true));
        // Absent: concluded at the end of a reading, so that the next one notices.
        lyon.platform.now(|script| {
            script.items.remove(1);
            script.pages.insert("https://works.lyon.example/idea/3".to_owned(), 404);
        });
        complete(&lyon.run().await);
        complete(&lyon.run().await);
        assert_eq!(comes_from(&lyon, "2", "3").await, (4, false));
        let summary = lyon.run().await;
        assert_eq!(summary.entities["idea"].unchanged, 2, "and it is quiet again");
        assert_eq!(comes_from(&lyon, "4", "3").await, (1, false));
    }

    async fn an_item_that_comes_twice_is_whole_each_time(store: Store) {
        let mut lyon = lyon(store);
        let all = || vec![project(), idea("3", &[]), idea("2", &["3"])];
        lyon.platform.now(|script| script.items = all());
        complete(&lyon.run().await);
        // Another version of it before the one that is known: it names less, and the last one stands.
        lyon.platform.now(|script| script.items.insert(2, item("idea", "2", json!({ "project": "1", "title": "Sans source" }))));
        for revision in [3, 5] {
            complete(&lyon.run().await);
            assert_eq!(comes_from(&lyon, "2", "3").await, (revision, true));
        }
        // Held back by name, and shown in the same reading.
        lyon.platform.now(|script| {
            script.items = all();
            script.withheld = vec![("idea", "2".to_owned())];
        });
        for revision in [7, 9] {
            complete(&lyon.run().await);
            assert_eq!(comes_from(&lyon, "2", "3").await, (revision, true));
        }
    }

    async fn what_says_the_same_is_believed_for_a_day(store: Store) {
        let mut lyon = Lyon::new(store);
        let show = |lyon: &Lyon, item: SourceRecord| lyon.platform.now(|script| script.items = vec![process("1"), item]);
        let title = async |lyon: &Lyon| {
            let record = lyon.contribution("1").await.record.expect("its words");
            format!("{:?}", record.title)
        };
        show(&lyon, retitled("1", "Un autre titre"));
        complete(&lyon.run().await);
        let other = lyon.item(PROPOSAL, "1").await.expect("it is remembered");
        show(&lyon, proposal("1"));
        complete(&lyon.run().await);
        let before = lyon.item(PROPOSAL, "1").await.expect("it is remembered");
        assert_ne!(before.fingerprint, other.fingerprint);
        // We come to believe that it said the other title the last time.
        remember(&lyon, Item { fingerprint: other.fingerprint, ..before.clone() }).await?;
        show(&lyon, retitled("1", "Un autre titre"));
        let summary = lyon.run().await;
        assert_eq!((summary.entities[PROPOSAL].unchanged, lyon.contribution("1").await.revision), (1, 2), "nobody looked");
        let seen = lyon.item(PROPOSAL, "1").await.expect("it is remembered");
        assert_eq!(seen, Item { fingerprint: other.fingerprint, seen_run: summary.run, ..before });
        assert!(!title(&lyon).await.contains("Un autre titre"));
        lyon.clock.advance(Duration::from_hours(24));
        let summary = lyon.run().await;
        assert_eq!((summary.entities[PROPOSAL].revised, lyon.contribution("1").await.revision), (1, 3));
        assert!(title(&lyon).await.contains("Un autre titre"));
    }

    async fn what_passes_is_taken_up_once_a_day(store: Store) {
        let mut lyon = lyon(store);
        let passing = WORKS.replace("[entity.file]\n", "[entity.file]\npassing = [\"url\"]\n");
        lyon.sync.profile = Arc::new(Profile::parse(&passing)?);
        let show = |lyon: &Lyon, place: &str, size: u64| {
            let file = json!({ "project": "1", "title": "L'ordre du jour", "type": "application/pdf", "url": place, "size": size });
            lyon.platform.now(|script| script.items = vec![project(), item("file", "6", file)]);
        };
        let place = async |lyon: &Lyon| match lyon.record("file", "6", Class::Document).await.and_then(|stored| stored.record) {
            Some(Record { body: Body::Document(document), .. }) => document.file.map(String::from).unwrap_or_default(),
            other => panic!("{other:?}"),
        };
        show(&lyon, "https://works.lyon.example/a", 1);
        complete(&lyon.run().await);
        show(&lyon, "https://works.lyon.example/b", 1);
        complete(&lyon.run().await);
        assert_eq!(place(&lyon).await, "https://works.lyon.example/a");
        // With anything else that changes it comes along.
        show(&lyon, "https://works.lyon.example/c", 2);
        complete(&lyon.run().await);
        assert_eq!(place(&lyon).await, "https://works.lyon.example/c");
        show(&lyon, "https://works.lyon.example/d", 2);
        lyon.clock.advance(Duration::from_hours(24));
        let summary = lyon.run().await;
        assert_eq!((place(&lyon).await.as_str(), summary.entities["file"].revised), ("https://works.lyon.example/d", 0));
    }

    async fn another_profile_looks_at_everything_again(store: Store) {
        let mut lyon = lyon(store);
        lyon.platform.now(|script| script.items = vec![project(), item("idea", "2", json!({ "project": "1", "title": "Idée 2", "cost": 5000 }))]);
        complete(&lyon.run().await);
        assert_eq!(lyon.run().await.entities["idea"].unchanged, 1);
        let profile = WORKS.replace(r#"value = "selected""#, r#"value = "not-selected""#);
        let cost = r#"estimatedCost = { amount = { from = "$.cost", as = "money" }, currency = "EUR" }"#;
        let other = WORKS.replace(cost, &cost.replace("EUR", "CHF"));
        assert_ne!((profile.as_str(), other.as_str()), (WORKS, WORKS));
        // One that makes the same of it changes nothing, one that does not does, although no item changed.
        lyon.sync.profile = Arc::new(Profile::parse(&profile)?);
        assert_eq!(lyon.run().await.entities["idea"].unchanged, 1);
        lyon.sync.profile = Arc::new(Profile::parse(&other)?);
        assert_eq!(lyon.run().await.entities["idea"].revised, 1);
    }

    async fn an_item_that_was_missed_is_as_it_was_when_it_is_back(store: Store) {
        let mut lyon = Lyon::new(store);
        // So many that a person has to decide, and none is hidden.
        lyon.show_proposals(1..=20);
        complete(&lyon.run().await);
        lyon.show_proposals(6..=20);
        lyon.run().await;
        let missed = lyon.item(PROPOSAL, "3").await.expect("it is remembered");
        assert!(missed.missing_scans == 1 && missed.reason.is_some(), "{missed:?}");
        lyon.show_proposals(1..=20);
        let summary = lyon.run().await;
        assert_eq!(summary.entities[PROPOSAL].unchanged, 20);
        let back = lyon.item(PROPOSAL, "3").await.expect("it is remembered");
        assert_eq!(back, Item { missing_scans: 0, reason: None, seen_run: summary.run, ..missed });
    }
}
