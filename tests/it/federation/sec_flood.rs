//! SEC-140 and SEC-150: one partner's flood is that partner's, and what everybody asks for costs no database.

use std::time::{Duration, Instant};

use http::StatusCode;
use passerelle::domain::partner::PartnerKind;
use passerelle::federation::quota::Quota;
use passerelle::federation::refusal::Code;
use passerelle::federation::{Outcome, effect};
use passerelle::store::JournalEntry;
use serde_json::json;

use super::rig::Rig;
use crate::store_tests;
use crate::support::content;
use crate::support::peer::{Knock, Peer};
use crate::support::stores::Databases;

/// An activity of a peer that is kept and ignored.
fn like(peer: &Peer, n: usize) -> serde_json::Value {
    peer.activity(&format!("like-{n:05}"), "Like", &json!("https://a.example/x"))
}

/// Activities of a peer as if they had been accepted.
fn accepted(rig: &Rig, peer: &Peer, n: usize) -> Vec<JournalEntry> {
    (0..n)
        .map(|n| {
            let body = like(peer, n).to_string();
            JournalEntry {
                partner: peer.keys.actor().domain(),
                activity_id: format!("{}activities/like-{n:05}", peer.url),
                body_hash: passerelle::domain::digest::sha256(body.as_bytes()),
                body,
                object: None,
                received_at: rig.now(),
                receipt: String::new(),
            }
        })
        .collect()
}

store_tests! {
    async fn sec_140_beyond_its_share_a_partner_is_told_to_come_later_and_no_other_is(databases: Databases) {
        let rig = Rig::with_quota(&databases, Quota::per_hour(60)).await?;
        for n in 0..60 {
            assert_eq!(rig.post(&like(&rig.b, n)).await.status, StatusCode::ACCEPTED, "{n}");
        }
        let before = rig.state().await?;
        for n in 60..400 {
            let answer = rig.post(&like(&rig.b, n)).await;
            assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
            let problem: serde_json::Value = serde_json::from_slice(&answer.body)?;
            assert_eq!(problem["code"], "too_many");
            let wait: u64 = answer.headers["retry-after"].to_str()?.parse()?;
            assert!((60..=3600).contains(&wait), "{wait}");
        }
        assert_eq!(rig.state().await?, before, "State 0");
        assert_eq!(rig.federation.refusals.of(Code::TooMany), 340);
        // Nobody else notices.
        let begun = Instant::now();
        assert_eq!(rig.knock(&rig.c.post(&like(&rig.c, 1), rig.now())).await.status, StatusCode::ACCEPTED);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        // Nobody but B spends what is B's: what is not signed by it is refused as such.
        let mut forged = rig.c.post(&like(&rig.b, 500), rig.now());
        assert_eq!(rig.knock(&forged).await.status, StatusCode::UNAUTHORIZED);
        forged.drop("signature");
        forged.drop("signature-input");
        assert_eq!(rig.knock(&forged).await.status, StatusCode::UNAUTHORIZED);
        // Words can be taken back all the same.
        let gone = json!({"id": "https://b.example/comments/1", "type": "Tombstone"});
        let recall = rig.post(&rig.b.activity("delete-1", "Delete", &gone)).await;
        assert_ne!(recall.status, StatusCode::TOO_MANY_REQUESTS);
        // Who waits as long as it was told is heard.
        rig.clock.advance(Duration::from_secs(61));
        assert_eq!(rig.post(&like(&rig.b, 401)).await.status, StatusCode::ACCEPTED);
    }

    async fn sec_140_the_journal_takes_no_more_than_can_be_applied(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let flood = accepted(&rig, &rig.b, 50_001);
        let mut tx = rig.federation.store.write().await?;
        tx.append_journal(&flood).await?;
        tx.save().await?;
        let late = rig.post(&like(&rig.b, 60_000)).await;
        assert_eq!(late.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(late.headers.contains_key("retry-after"));
        assert_eq!(rig.knock(&rig.c.post(&like(&rig.c, 1), rig.now())).await.status, StatusCode::ACCEPTED);
        assert_eq!(rig.rows("journal").await?, 50_002);
        // A flood of this size costs a claim of others no more than their own rows do.
        let begun = Instant::now();
        let mut tx = rig.federation.store.write().await?;
        let claimed = tx.claim_journal(rig.now(), 64, rig.now().plus(Duration::from_mins(2))).await?;
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert!(claimed.iter().any(|row| row.partner.as_str() == "c.example"));
    }

    async fn sec_140_partners_take_turns_in_the_effects(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        rig.list(&Peer::at("reader.example").partner(PartnerKind::Reader)).await?;
        let mut tx = rig.federation.store.write().await?;
        tx.append_journal(&accepted(&rig, &rig.b, 500)).await?;
        tx.save().await?;
        rig.clock.advance(Duration::from_secs(1));
        let record = content::contribution(&rig.c.url, 1);
        let create = rig.c.activity("create-1", "Create", &rig.c.sealed(&record, None, rig.now()));
        assert_eq!(rig.knock(&rig.c.post(&create, rig.now())).await.status, StatusCode::ACCEPTED);
        let reader = Peer::at("reader.example");
        assert_eq!(rig.knock(&reader.post_cavage(&like(&reader, 1), rig.now())).await.status, StatusCode::ACCEPTED);
        // One step behind 500 older activities of another, and it is done.
        assert!(matches!(effect::step(&rig.federation).await?, Outcome::Worked(64)));
        assert!(rig.copy(&record.id).await?.is_some(), "C's record waits behind B's flood");
        rig.work().await?;
        let mut tx = rig.federation.store.read().await?;
        assert_eq!(tx.waiting_of(&rig.b.keys.actor().domain(), 1000).await?, 0, "and the flood is applied as well");
    }

    async fn sec_140_a_claim_is_shared_and_nothing_of_it_is_left_over(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let mut tx = rig.federation.store.write().await?;
        for (peer, n) in [(&rig.b, 100), (&rig.c, 3)] {
            tx.append_journal(&accepted(&rig, peer, n)).await?;
        }
        // A sender that is no longer listed has its turn too, to be rejected.
        tx.append_journal(&accepted(&rig, &Peer::at("m.example"), 100)).await?;
        tx.save().await?;
        let mut tx = rig.federation.store.write().await?;
        let claimed = tx.claim_journal(rig.now(), 64, rig.now().plus(Duration::from_mins(2))).await?;
        let of = |domain: &str| claimed.iter().filter(|row| row.partner.as_str() == domain).count();
        assert_eq!(claimed.len(), 64);
        assert_eq!(of("c.example"), 3);
        assert!(of("b.example") >= 22 && of("m.example") >= 22, "{} {}", of("b.example"), of("m.example"));
        // In the order in which each partner sent them.
        let of_b: Vec<&str> = claimed.iter().filter(|row| row.partner.as_str() == "b.example").map(|row| row.activity_id.as_str()).collect();
        assert_eq!(of_b[..3], [0, 1, 2].map(|n| format!("https://b.example/activities/like-{n:05}")));
        // What is claimed is nobody else's.
        let again = tx.claim_journal(rig.now(), 64, rig.now().plus(Duration::from_mins(2))).await?;
        assert!(again.iter().all(|row| claimed.iter().all(|first| first.number != row.number)));
    }

    async fn sec_150_discovery_is_answered_without_the_database(databases: Databases) {
        let rig = Rig::new(&databases).await?;
        let targets = ["/.well-known/webfinger?resource=acct:a@a.example", "/.well-known/nodeinfo", "/nodeinfo/2.1"];
        rig.federation.store.close().await;
        let begun = Instant::now();
        for n in 0..1500 {
            let answer = rig.knock(&Knock::get(targets[n % 3], rig.now())).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", targets[n % 3]);
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}
