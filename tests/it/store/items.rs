//! The memory of scans.

use passerelle::store::{Item, ItemState, Store};

use super::examples::*;
use crate::store_tests;

fn item(n: u32, run: i64) -> Item {
    Item {
        platform: platform(),
        entity: "proposal".to_owned(),
        local_id: format!("{n:05}"),
        fingerprint: [u8::try_from(n % 256).expect("small"); 32],
        state: ItemState::Public,
        reason: None,
        missing_scans: 0,
        seen_run: run,
        url: Some("https://participer.lyon.example/proposals/1".parse().expect("an address")),
    }
}

store_tests! {
    async fn items_read_back_in_pages(store: Store) {
        let all: Vec<_> = (0..1100).map(|n| item(n, 1)).collect();
        let mut tx = store.write().await?;
        tx.put_items(&all).await?;
        tx.save().await?;
        let mut tx = store.read().await?;
        let mut seen: Vec<Item> = Vec::new();
        loop {
            let after = seen.last().map(|item| item.local_id.clone());
            let page = tx.items(&platform(), "proposal", after.as_deref(), 300).await?;
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        assert_eq!(seen, all);
        let wanted: Vec<String> = (0..700).map(|n| format!("{:05}", n * 2)).collect();
        assert_eq!(tx.items_by_id(&platform(), "proposal", &wanted).await?.len(), 550);
        assert!(tx.items(&platform(), "comment", None, 10).await?.is_empty());
        assert_eq!(tx.item_counts(&platform(), "proposal").await?, [(ItemState::Public, 1100)]);
    }

    async fn what_a_run_did_not_see_is_found(store: Store) {
        let mut tx = store.write().await?;
        tx.put_items(&[item(1, 1), item(2, 1), item(3, 1)]).await?;
        let mut held = item(2, 2);
        held.state = ItemState::Held;
        held.reason = Some("no second\0 source shows it".to_owned());
        let mut gone = item(3, 1);
        gone.state = ItemState::Gone;
        tx.put_items(&[held, gone]).await?;
        let missing = tx.items_not_seen_in(&platform(), "proposal", 2).await?;
        assert_eq!(missing.iter().map(|item| item.local_id.as_str()).collect::<Vec<_>>(), ["00001"]);
        let held = tx.items_by_id(&platform(), "proposal", &["00002".to_owned()]).await?;
        assert_eq!(held[0].reason.as_deref(), Some("no second source shows it"));
    }

    async fn seeing_items_again_changes_nothing_else_and_adds_none(store: Store) {
        let mut tx = store.write().await?;
        let (mut first, other) = (item(1, 1), item(3, 1));
        first.reason = Some("a person has to decide".to_owned());
        tx.put_items(&[first.clone(), item(2, 1), other.clone()]).await?;
        let numbers: Vec<String> = (1..=700).filter(|n| *n != 3).map(|n| format!("{n:05}")).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        tx.see_items(&platform(), "proposal", &numbers, 2).await?;
        tx.see_items(&platform(), "comment", &numbers, 3).await?;
        tx.see_items(&platform(), "proposal", &[], 3).await?;
        first.seen_run = 2;
        assert_eq!(tx.items(&platform(), "proposal", None, 10).await?, [first, item(2, 2), other]);
        assert_eq!(tx.items(&platform(), "comment", None, 10).await?, []);
    }
}
