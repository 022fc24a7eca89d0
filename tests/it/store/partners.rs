//! Partners, their health, and our place in their records.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use passerelle::domain::account::Account;
use passerelle::domain::partner::{FollowState, PartnerKind};
use passerelle::store::{Found, Roll, Sought, Store};

use super::examples::*;
use crate::store_tests;

/// An account of the `n`th server.
fn account(n: u32) -> Account {
    let at = |path: &str| format!("https://p{n}.example/{path}");
    Account {
        actor: at("ada").parse().expect("an address"),
        partner: domain(&format!("p{n}.example")),
        inbox: at("ada/inbox"),
        shared_inbox: None,
        key_id: at("ada#key"),
        key: "a key".to_owned(),
        seen_at: second(n.into()),
    }
}

store_tests! {
    async fn a_partner_reads_back_as_it_was_listed(store: Store) {
        let bordeaux = partner("bordeaux.example");
        let mut reader = partner("social.example");
        reader.key = None;
        reader.key_id = None;
        reader.rsa = None;
        reader.records = None;
        let mut tx = store.write().await?;
        tx.put_partner(&bordeaux).await?;
        tx.put_partner(&reader).await?;
        assert_eq!(tx.lookup_partner(&bordeaux.domain).await?.as_ref(), Some(&bordeaux));
        assert_eq!(tx.find_partner_by_actor(&reader.actor).await?.as_ref(), Some(&reader));
        assert_eq!(tx.lookup_partner(&domain("unknown.example")).await?, None);
        assert_eq!(tx.list_partners().await?, [bordeaux.clone(), reader]);
        assert_eq!(tx.count_partners().await?, 2);
        tx.set_follows_us(&bordeaux.domain, FollowState::Rejected).await?;
        tx.set_followed(&bordeaux.domain, FollowState::Pending).await?;
        let now = tx.lookup_partner(&bordeaux.domain).await?.expect("it is listed");
        assert_eq!((now.follows_us, now.followed), (FollowState::Rejected, FollowState::Pending));
        assert!(tx.set_followed(&domain("unknown.example"), FollowState::Pending).await.is_err());
    }

    async fn health_counts_failures_until_the_partner_answers(store: Store) {
        let bordeaux = partner("bordeaux.example");
        let mut tx = store.write().await?;
        tx.put_partner(&bordeaux).await?;
        tx.note_failure(&bordeaux.domain, second(1), second(1), second(11), None).await?;
        tx.note_failure(&bordeaux.domain, second(11), second(11), second(41), Some("401: our key is unknown there")).await?;
        tx.put_partner(&bordeaux).await?;
        let health = tx.partner_health(&bordeaux.domain).await?.expect("it is listed");
        assert_eq!(health.failures.0, 2);
        assert_eq!(health.failing_since, Some(second(1)));
        assert_eq!(health.next_probe, Some(second(41)));
        assert_eq!(health.blocked.as_deref(), Some("401: our key is unknown there"));
        assert!(tx.wake_partner(&bordeaux.domain, second(20)).await?);
        assert!(!tx.wake_partner(&bordeaux.domain, second(20)).await?);
        tx.note_success(&[bordeaux.domain.clone()].into(), second(21)).await?;
        let health = tx.partner_health(&bordeaux.domain).await?.expect("it is listed");
        assert_eq!((health.failures.0, health.failing_since, health.blocked), (0, None, None));
        assert_eq!((health.next_probe, health.last_success), (None, Some(second(21))));
    }

    async fn attempts_that_fail_together_are_one_failure(store: Store) {
        let bordeaux = partner("bordeaux.example");
        let mut tx = store.write().await?;
        tx.put_partner(&bordeaux).await?;
        // Four were under way since second 1 when the partner went away.
        for (at, next_probe) in [(2, 9), (2, 12), (3, 4), (3, 7)] {
            tx.note_failure(&bordeaux.domain, second(1), second(at), second(next_probe), None).await?;
        }
        let health = tx.partner_health(&bordeaux.domain).await?.expect("it is listed");
        assert_eq!((health.failures.0, health.failing_since, health.next_probe), (1, Some(second(2)), Some(second(12))));
        // The probe is an attempt of its own.
        tx.note_failure(&bordeaux.domain, second(12), second(13), second(40), None).await?;
        let health = tx.partner_health(&bordeaux.domain).await?.expect("it is listed");
        assert_eq!((health.failures.0, health.failing_since, health.next_probe), (2, Some(second(2)), Some(second(40))));
    }

    async fn our_place_in_a_partners_records_is_kept(store: Store) {
        let bordeaux = partner("bordeaux.example");
        let mut tx = store.write().await?;
        tx.put_partner(&bordeaux).await?;
        assert_eq!(tx.backfill_cursor(&bordeaux.domain).await?, (None, None));
        let next = "https://bordeaux.example/actor/records?after=x";
        tx.set_backfill_cursor(&bordeaux.domain, Some(next), second(5)).await?;
        assert_eq!(tx.backfill_cursor(&bordeaux.domain).await?, (Some(next.to_owned()), Some(second(5))));
    }

    async fn many_who_ask_at_once_get_each_their_own_answer(store: Store) {
        let mut tx = store.write().await?;
        for n in 0..20 {
            let mut listed = partner(&format!("p{n}.example"));
            listed.kind = if n % 2 == 0 { PartnerKind::Reader } else { PartnerKind::Partner };
            tx.put_partner(&listed).await?;
            // A gateway has one actor; what is kept under its domain all the same says nothing.
            tx.put_account(&account(n)).await?;
        }
        tx.save().await?;
        let roll = Roll::new(store.clone());
        let ask = |n: u32| {
            let Account { actor, partner: domain, .. } = account(n);
            roll.find(Sought { domain, actor })
        };
        let found = futures_util::future::join_all((0..30).chain(0..30).map(ask)).await;
        for (n, found) in (0..30).chain(0..30).zip(found) {
            let Found { partner, account } = found?;
            assert_eq!(partner.is_some(), n < 20, "{n}");
            assert!(partner.is_none_or(|partner| partner.domain == domain(&format!("p{n}.example"))), "{n}");
            assert_eq!(account, (n < 20 && n % 2 == 0).then(|| self::account(n)), "{n}");
        }
    }

    async fn nobody_is_answered_from_before_they_asked(store: Store) {
        let (roll, mut listed) = (Roll::new(store.clone()), partner("bordeaux.example"));
        "0".clone_into(&mut listed.name);
        let mut tx = store.write().await?;
        tx.put_partner(&listed).await?;
        tx.save().await?;
        let written = Arc::new(AtomicU64::new(0));
        let ask = || {
            let (roll, written, domain) = (roll.clone(), Arc::clone(&written), listed.domain.clone());
            let actor = listed.actor.clone();
            tokio::spawn(async move {
                let mut asked = 0;
                while written.load(Ordering::SeqCst) < 100 {
                    let before = written.load(Ordering::SeqCst);
                    let found = roll.find(Sought { domain: domain.clone(), actor: actor.clone() }).await?;
                    let seen: u64 = found.partner.expect("it is listed").name.parse()?;
                    anyhow::ensure!(seen >= before, "{before} was committed, {seen} was answered");
                    asked += 1;
                }
                anyhow::Ok(asked)
            })
        };
        let asking: Vec<_> = (0..8).map(|_| ask()).collect();
        for n in 1..=100 {
            listed.name = n.to_string();
            let mut tx = store.write().await?;
            tx.put_partner(&listed).await?;
            tx.save().await?;
            written.store(n, Ordering::SeqCst);
        }
        for asked in asking {
            asked.await??;
        }
    }
}
