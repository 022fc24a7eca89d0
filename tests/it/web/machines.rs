//! What servers of the federation ask: actor, collections, discovery, context, receipts.

use axum::http::StatusCode;
use passerelle::domain::receipt::{DeliveryReceipt, DeliveryState};
use passerelle::store::{JournalEntry, Store};
use serde_json::Value;

use super::city::{Gateway, LYON, at, fill, neighbour};
use crate::store_tests;

fn json(text: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(text)?)
}

store_tests! {
    async fn the_actor_is_signed_once_and_found_by_name(store: Store) {
        let site = Gateway::over(store)?;
        let actor = site.machine("/actor").await;
        assert_eq!(actor.status, StatusCode::OK);
        assert_eq!(actor.header("content-type"), "application/activity+json");
        let document = json(actor.text())?;
        assert_eq!(document["recordType"], "PublicAuthority");
        assert_eq!(document["proof"]["cryptosuite"], "eddsa-jcs-2022");
        assert_eq!(site.machine("/actor").await.body, actor.body);
        let people = site.get("/actor").await;
        assert_eq!((people.status, people.header("location")), (StatusCode::SEE_OTHER, "/"));
        let found = site.get("/.well-known/webfinger?resource=acct:lyon@passerelle.lyon.example").await;
        assert_eq!((found.status, found.header("content-type")), (StatusCode::OK, "application/jrd+json"));
        assert_eq!(found.header("access-control-allow-origin"), "*");
        assert!(found.text().contains(&format!("{LYON}/actor")));
        assert_eq!(site.get("/.well-known/webfinger?resource=acct:paris@passerelle.lyon.example").await.status, StatusCode::NOT_FOUND);
        assert_eq!(site.get("/.well-known/webfinger").await.status, StatusCode::BAD_REQUEST);
        assert!(site.get("/.well-known/nodeinfo").await.text().contains("/nodeinfo/2.1"));
        assert!(site.get("/nodeinfo/2.1").await.text().contains("\"passerelle\""));
        let context = site.get("/ns/v1").await;
        assert_eq!(context.text(), passerelle::federation::context::CONTEXT);
        assert!(context.header("cache-control").contains("immutable"));
    }

    async fn the_outbox_shows_what_is_public_newest_first(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let outbox = json(site.machine("/actor/outbox").await.text())?;
        assert_eq!(outbox["type"], "OrderedCollection");
        let total = outbox["totalItems"].as_u64().expect("a number");
        let mut at = outbox["first"].as_str().expect("a first page").to_owned();
        let (mut seen, mut last) = (0, String::from("9999"));
        loop {
            let page = site.machine(at.strip_prefix(LYON).expect("an address of ours")).await;
            let page = json(page.text())?;
            for item in page["orderedItems"].as_array().expect("items") {
                let published = item["published"].as_str().expect("a time").to_owned();
                assert!(published <= last, "{published} after {last}");
                last = published;
                assert_eq!(item["type"], "Create");
                assert!(!item.to_string().contains("secret"), "{item}");
                seen += 1;
            }
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut at),
                None => break,
            }
        }
        assert_eq!(seen, total);
    }

    async fn followers_are_counted_and_never_named(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        // How many, never who.
        let followers = json(site.machine("/actor/followers").await.text())?;
        assert_eq!((&followers["totalItems"], followers.get("orderedItems")), (&serde_json::json!(1), None));
        let account = passerelle::domain::account::Account {
            actor: "https://social.example/users/ana".parse()?,
            partner: neighbour().domain,
            inbox: "https://social.example/inbox".to_owned(),
            shared_inbox: None,
            key_id: "k".to_owned(),
            key: "k".to_owned(),
            seen_at: at("2026-11-24T10:00:00Z"),
        };
        let process = format!("{LYON}/consultations/rues").parse()?;
        for (n, expected, words) in [(0, 0, "Aucun compte"), (1, 1, "1 compte du Fediverse suit")] {
            if n == 1 {
                let mut tx = site.store.write().await?;
                tx.put_account(&account).await?;
                tx.put_follower(&account, Some(&process), "f", at("2026-11-24T10:00:00Z")).await?;
                tx.save().await?;
            }
            let answer = json(site.machine("/consultations/rues/followers").await.text())?;
            assert_eq!((&answer["type"], &answer["totalItems"]), (&serde_json::json!("OrderedCollection"), &serde_json::json!(expected)));
            assert_eq!(answer["id"], format!("{LYON}/consultations/rues/followers"));
            let page = site.get("/consultations/rues/followers").await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(page.text().contains(words), "{}", page.text());
            assert!(!page.text().contains("social.example") && !answer.to_string().contains("social.example"));
        }
    }

    async fn a_receipt_is_found_at_its_address(store: Store) {
        let site = Gateway::over(store)?;
        fill(&site.store).await?;
        let receipt = DeliveryReceipt {
            id: format!("{LYON}/receipts/abc"),
            receiver: format!("{LYON}/actor").parse()?,
            request_activity: "https://passerelle.bordeaux.example/activities/1".to_owned(),
            receipt_for: "https://passerelle.bordeaux.example/contributions/1".to_owned(),
            subject_digest: passerelle::domain::digest::Digest::of(b"x"),
            received_at: at("2026-11-24T10:00:00Z"),
            state: DeliveryState::Received,
            problems: Vec::new(),
        };
        let text = serde_json::to_string(&receipt)?;
        let mut tx = site.store.write().await?;
        tx.append_journal(&[JournalEntry {
            partner: neighbour().domain,
            activity_id: receipt.request_activity.clone(),
            body_hash: [0; 32],
            body: "{}".to_owned(),
            object: None,
            received_at: receipt.received_at,
            receipt: text.clone(),
        }])
        .await?;
        let carried = format!("{{\"type\":\"Accept\",\"result\":{{\"id\":\"{LYON}/receipts/purge\",\"type\":\"Document\"}}}}");
        tx.put_letter(&neighbour().domain, &format!("{LYON}/activities/accept"), &carried, at("2026-11-24T10:00:00Z")).await?;
        tx.save().await?;
        assert_eq!(site.machine("/receipts/abc").await.text(), text);
        let purge = site.machine("/receipts/purge").await;
        assert_eq!(json(purge.text())?["type"], "Document");
        let page = site.get("/receipts/abc").await;
        assert!(page.text().contains("<h1>Accusé signé</h1>") && page.text().contains("&#34;state&#34;"), "{}", page.text());
        assert_eq!(site.machine("/activities/accept").await.text(), carried);
        assert_eq!(site.machine("/receipts/none").await.status, StatusCode::NOT_FOUND);
        assert_eq!(site.machine("/activities/none").await.status, StatusCode::NOT_FOUND);
    }
}
