//! Readers: accounts, what they follow, which inbox took what, and how a host is signed for.

use std::collections::BTreeMap;

use passerelle::domain::account::Account;
use passerelle::domain::partner::{FollowState, PartnerKind};
use passerelle::domain::{PartnerDomain, RecordId, Timestamp};
use passerelle::store::schemes::REMEMBERED;
use passerelle::store::{Evidence, Preference, Reached, Scheme, Store, StoreError, Tx};

use super::examples::*;
use crate::store_tests;

const SOCIAL: &str = "social.example";

async fn listed(store: &Store) -> Result<(), StoreError> {
    let mut reader = partner(SOCIAL);
    (reader.kind, reader.key, reader.key_id, reader.records) = (PartnerKind::Reader, None, None, None);
    reader.follows_us = FollowState::None;
    let mut tx = store.write().await?;
    tx.put_partner(&reader).await?;
    tx.put_partner(&partner("bordeaux.example")).await?;
    tx.save().await
}

async fn preferred(tx: &mut Tx, host: &PartnerDomain, at: Timestamp) -> Result<Option<Preference>, StoreError> {
    Ok(tx.preferred_schemes(&[host], at).await?.remove(host))
}

fn account(name: &str, shared: bool) -> Account {
    Account {
        actor: format!("https://{SOCIAL}/users/{name}").parse().expect("an address"),
        partner: domain(SOCIAL),
        inbox: format!("https://{SOCIAL}/users/{name}/inbox"),
        shared_inbox: shared.then(|| format!("https://{SOCIAL}/inbox")),
        key_id: format!("https://{SOCIAL}/users/{name}#main-key"),
        key: "-----BEGIN PUBLIC KEY-----".to_owned(),
        seen_at: second(1),
    }
}

async fn state(tx: &mut Tx) -> Result<FollowState, StoreError> {
    Ok(tx.lookup_partner(&domain(SOCIAL)).await?.expect("it is listed").follows_us)
}

store_tests! {
    async fn followers_come_and_go_and_their_server_with_them(store: Store) {
        listed(&store).await?;
        let (p, q) = (record_id("consultations/p"), record_id("consultations/q"));
        let (ana, bo, cem) = (account("ana", true), account("bo", true), account("cem", false));
        let mut tx = store.write().await?;
        for one in [&ana, &bo, &cem] {
            tx.put_account(one).await?;
            assert_eq!(tx.lookup_account(&one.actor).await?.as_ref(), Some(one));
        }
        assert_eq!(state(&mut tx).await?, FollowState::None);
        tx.put_follower(&ana, None, "f1", second(1)).await?;
        tx.put_follower(&ana, Some(&p), "f2", second(1)).await?;
        tx.put_follower(&bo, Some(&p), "f3", second(1)).await?;
        tx.put_follower(&cem, Some(&q), "f4", second(1)).await?;
        tx.put_follower(&cem, Some(&q), "f5", second(2)).await?;
        assert_eq!(state(&mut tx).await?, FollowState::Accepted);
        let (social, nobody) = (domain(SOCIAL), domain("other.example"));
        let inboxes = tx.reader_inboxes(&[(&social, &p), (&social, &q), (&nobody, &p)]).await?;
        assert_eq!(inboxes.len(), 2, "of whom nobody follows there is none");
        let of = |process: &RecordId| inboxes[&(social.clone(), process.clone())].clone();
        let shared = (format!("https://{SOCIAL}/inbox"), true);
        assert_eq!(of(&p), BTreeMap::from([shared.clone()]), "one address, however many follow");
        assert_eq!(of(&q), BTreeMap::from([shared.clone(), (cem.inbox.clone(), false)]));
        // Whoever calls its own what others share adds no second entry.
        let own = Account { inbox: shared.0.clone(), ..account("dan", false) };
        tx.put_account(&own).await?;
        tx.put_follower(&own, Some(&q), "f6", second(2)).await?;
        let again = tx.reader_inboxes(&[(&social, &q)]).await?;
        assert_eq!(again[&(social.clone(), q.clone())], of(&q));
        assert!(tx.remove_follower(&social, &own.actor, Some(&q)).await?);
        assert_eq!(tx.follower_counts().await?.get(&domain(SOCIAL)), Some(&3));
        assert_eq!((tx.count_followers(None).await?, tx.count_followers(Some(&p)).await?), (1, 2));

        assert!(!tx.undo_follow(&domain(SOCIAL), &cem.actor, "f4").await?, "a newer Follow took its place");
        assert!(!tx.undo_follow(&domain(SOCIAL), &bo.actor, "f5").await?, "another's");
        assert!(tx.undo_follow(&domain(SOCIAL), &cem.actor, "f5").await?);
        assert!(tx.remove_follower(&domain(SOCIAL), &ana.actor, Some(&p)).await?);
        assert!(!tx.remove_follower(&domain(SOCIAL), &ana.actor, Some(&p)).await?);
        assert!(tx.forget_account(&domain(SOCIAL), &ana.actor).await?);
        assert_eq!((state(&mut tx).await?, tx.lookup_account(&ana.actor).await?), (FollowState::Accepted, None));
        assert!(tx.remove_follower(&domain(SOCIAL), &bo.actor, Some(&p)).await?);
        assert_eq!(state(&mut tx).await?, FollowState::None);
        assert_eq!(tx.lookup_partner(&domain("bordeaux.example")).await?.expect("listed").follows_us, partner("x").follows_us);
    }

    async fn accounts_that_follow_nothing_are_forgotten_beyond_a_thousand(store: Store) {
        listed(&store).await?;
        let mut tx = store.write().await?;
        let ana = account("ana", true);
        tx.put_account(&ana).await?;
        tx.put_follower(&ana, None, "f1", second(1)).await?;
        for n in 0..1010 {
            tx.put_account(&Account { seen_at: second(n + 2), ..account(&format!("x{n}"), true) }).await?;
        }
        assert!(tx.lookup_account(&ana.actor).await?.is_some(), "who follows stays");
        assert!(tx.lookup_account(&account("x0", true).actor).await?.is_none());
        assert!(tx.lookup_account(&account("x1009", true).actor).await?.is_some());
    }

    async fn a_change_is_due_where_its_consultation_is_followed(store: Store) {
        listed(&store).await?;
        let (p, q) = (consultation("p"), consultation("q"));
        let mut tx = store.write().await?;
        tx.set_follows_us(&domain("bordeaux.example"), FollowState::None).await?;
        let ana = account("ana", true);
        tx.put_account(&ana).await?;
        tx.put_follower(&ana, Some(&p.id), "f1", second(1)).await?;
        tx.save().await?;
        let records = [p.clone(), q.clone(), contribution("a", &p.id), contribution("b", &q.id)];
        put(&store, &records.clone().map(|record| created(record, second(1)))).await?;
        let mut tx = store.write().await?;
        let changes = tx.claim_unplanned(100).await?;
        tx.plan(&changes, second(2)).await?;
        let mut due = Vec::new();
        for record in &records {
            due.push(tx.lookup_disclosure(&domain(SOCIAL), &record.id).await?.is_some());
        }
        assert_eq!(due, [true, false, true, false]);
    }

    async fn an_inbox_remembers_the_newest_revision_it_took(store: Store) {
        listed(&store).await?;
        let record = record_id("contributions/a");
        let social = domain(SOCIAL);
        let mut tx = store.write().await?;
        let took = |inbox: &str, revision| Reached {
            partner: social.clone(),
            record: record.clone(),
            inbox: inbox.to_owned(),
            revision,
        };
        tx.note_reached(&[took("i1", 1), took("i1", 2), took("i1", 1), took("i2", 1)]).await?;
        tx.note_reached(&[took("i1", 1)]).await?;
        let (other, pair) = (record_id("contributions/b"), (social.clone(), record.clone()));
        let reached = tx.reached(&[(&social, &record), (&social, &other)]).await?;
        assert_eq!(reached, BTreeMap::from([(pair, BTreeMap::from([("i1".to_owned(), 2), ("i2".to_owned(), 1)]))]));
        assert_eq!(tx.forget_inbox(&social, "i2").await?, 0);
        assert_eq!(tx.reached(&[(&social, &record)]).await?.values().map(BTreeMap::len).sum::<usize>(), 1);
        // Who was told of an end before that has it again.
        tx.forget_reached(&[took("i1", 1)]).await?;
        assert_eq!(tx.reached(&[(&social, &record)]).await?.len(), 1);
        tx.forget_reached(&[took("i1", 3)]).await?;
        assert!(tx.reached(&[(&social, &record)]).await?.is_empty());
    }

    async fn what_a_host_showed_counts_for_a_while(store: Store) {
        let social = domain(SOCIAL);
        let mut tx = store.write().await?;
        assert_eq!(preferred(&mut tx, &social, second(1)).await?, None);
        tx.put_scheme(&social, Scheme::Rfc9421, Evidence::Asked, second(1)).await?;
        tx.put_scheme(&social, Scheme::Cavage, Evidence::Taken, second(2)).await?;
        let kept = preferred(&mut tx, &social, second(3)).await?.expect("it is remembered");
        assert_eq!((kept.scheme, kept.evidence, kept.valid_until), (Scheme::Cavage, Evidence::Taken, second(2).plus(REMEMBERED)));
        assert!(preferred(&mut tx, &social, second(1).plus(REMEMBERED)).await?.is_some());
        assert_eq!(preferred(&mut tx, &social, second(2).plus(REMEMBERED)).await?, None);
        assert_eq!(preferred(&mut tx, &domain("other.example"), second(3)).await?, None);
    }

    async fn letters_keep_their_order_per_inbox(store: Store) {
        listed(&store).await?;
        let social = domain(SOCIAL);
        let mut tx = store.write().await?;
        for (n, inbox) in [Some("i1"), Some("i1"), Some("i2"), None].into_iter().enumerate() {
            assert!(tx.put_letter_to(&social, inbox, &format!("l{n}"), "{}", second(1)).await?);
        }
        let claimed = tx.claim_letters(second(2), 10, second(60)).await?;
        let names: Vec<_> = claimed.iter().map(|letter| (letter.activity_id.as_str(), letter.inbox.as_deref())).collect();
        assert_eq!(names, [("l0", Some("i1")), ("l2", Some("i2")), ("l3", None)]);
    }
}
