//! What happens between two cities when everything works.

use std::time::Duration;

use passerelle::domain::partner::{FollowState, Multikey};
use passerelle::domain::{Class, Record, Timestamp};
use passerelle::federation::pairing::{self, Introduction, PairingError};
use passerelle::federation::receipts::{self, Delivered, Pinned};
use passerelle::store::{CopyStanding, DisclosureState};
use serde_json::Value;

use crate::store_tests;
use crate::support::checker::{Side, expect_sound};
use crate::support::content::{comment, consultation, contribution, id, text};
use crate::support::gateway::{TestGateway, morning, settle};
use crate::support::stores::Databases;

/// A consultation with three contributions, each with a comment.
pub fn small_city(lyon: &TestGateway) -> Vec<Record> {
    let mut records = vec![consultation(&lyon.url, 1)];
    records.extend((1..=3).map(|n| contribution(&lyon.url, n)));
    records.extend((1..=3).map(|n| comment(&lyon.url, n)));
    records
}

pub async fn sound(origin: &TestGateway, holder: &TestGateway) -> anyhow::Result<()> {
    let side = |gateway: &'_ TestGateway| (gateway.federation.store.clone(), gateway.domain.clone());
    let ((a, a_domain), (b, b_domain)) = (side(origin), side(holder));
    let (origin, holder) = (Side { store: &a, domain: a_domain }, Side { store: &b, domain: b_domain });
    expect_sound(&origin, &holder, origin_now()).await
}

fn origin_now() -> Timestamp {
    "2027-12-31T00:00:00Z".parse().expect("a date")
}

store_tests! {
    async fn two_cities_follow_each_other_once_both_have_listed_the_other(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two(&databases, &clock).await;
        lyon.accept(&bordeaux).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let mut tx = lyon.federation.store.read().await?;
        let listed = tx.lookup_partner(&bordeaux.domain).await?.expect("it is listed");
        assert_eq!((listed.followed, listed.follows_us), (FollowState::Pending, FollowState::None));
        let health = tx.partner_health(&bordeaux.domain).await?.expect("it is listed");
        assert!(health.blocked.expect("it refuses us").starts_with("403"));
        drop(tx);

        // Bordeaux lists Lyon; its Follow wakes what Lyon had in its queue, without the clock moving.
        bordeaux.accept(&lyon).await?;
        settle(&[&lyon, &bordeaux]).await?;
        for (here, there) in [(&lyon, &bordeaux), (&bordeaux, &lyon)] {
            let listed = here.federation.store.read().await?.lookup_partner(&there.domain).await?.expect("it is listed");
            assert_eq!((listed.followed, listed.follows_us), (FollowState::Accepted, FollowState::Accepted), "{}", here.domain);
        }
    }

    async fn a_wrong_fingerprint_lists_nobody(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two(&databases, &clock).await;
        let wrong = Multikey::new([9; 32]).fingerprint().digits();
        let refused = pairing::accept(&lyon.federation, &bordeaux.domain, &Introduction::Fingerprint(wrong)).await;
        assert!(matches!(refused, Err(PairingError::Fingerprint { .. })), "{refused:?}");
        let unreadable = Introduction::Fingerprint("bonjour".to_owned());
        let refused = pairing::accept(&lyon.federation, &bordeaux.domain, &unreadable).await;
        assert!(refused.expect_err("it is unreadable").to_string().contains("8 words, 16 digits"));
        let ourselves = pairing::accept(&lyon.federation, &lyon.domain, &unreadable).await;
        assert!(matches!(ourselves, Err(PairingError::Ourselves(_))));
        let nobody = pairing::accept(&lyon.federation, &"localhost:1".parse()?, &unreadable).await;
        assert!(matches!(nobody, Err(PairingError::Unreachable { .. })), "{nobody:?}");
        bordeaux.disturb(|parts, _| (parts.uri.path() == "/actor").then(|| {
            let mut page = crate::support::gateway::plain(axum::http::StatusCode::OK);
            page.headers_mut().insert("content-type", axum::http::HeaderValue::from_static("text/html"));
            page
        }));
        let html = pairing::accept(&lyon.federation, &bordeaux.domain, &unreadable).await;
        assert!(matches!(html, Err(PairingError::NotAGateway { .. })), "{html:?}");
        assert_eq!(lyon.federation.store.read().await?.count_partners().await?, 0);
        let listing = pairing::list(&lyon.federation).await?;
        assert_eq!((listing.domain.clone(), listing.fingerprint), (lyon.domain.clone(), lyon.federation.keys.multikey().fingerprint()));
    }

    async fn a_new_follower_reads_what_exists_and_is_pushed_what_is_new(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two(&databases, &clock).await;
        let records = small_city(&lyon);
        lyon.publish(&records).await?;
        lyon.accept(&bordeaux).await?;
        bordeaux.accept(&lyon).await?;
        settle(&[&lyon, &bordeaux]).await?;
        for record in &records {
            let copy = bordeaux.copy(&record.id).await?.expect("it was read");
            assert_eq!(copy.sealed, lyon.record(&record.id).await?.sealed, "byte for byte");
        }
        // Bulk goes by pull: no record was posted.
        let posted = bordeaux.posts();
        assert!(posted.iter().all(|post| !String::from_utf8_lossy(&post.body).contains("\"Create\"")), "{posted:?}");

        lyon.publish(&[contribution(&lyon.url, 4)]).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let news = id(&lyon.url, Class::Contribution, 4);
        assert!(bordeaux.copy(&news).await?.is_some());
        assert_eq!(bordeaux.posts().len(), 1);
        let row = lyon.ledger(&bordeaux, &news).await?.expect("it is in the ledger");
        assert_eq!((row.state, row.acked_revision, row.last_status), (DisclosureState::Acknowledged, Some(1), Some(202)));
        let receipt = serde_json::from_str(row.receipt.as_deref().expect("a receipt"))?;
        let exchanges = lyon.federation.store.read().await?.exchanges_of(&news).await?;
        let sent = Delivered {
            activity: &exchanges[0].exchange.activity,
            subject: news.as_str(),
            digest: &lyon.record(&news).await?.digest,
        };
        let pinned = Pinned::of(&bordeaux.as_partner(FollowState::Accepted, FollowState::Accepted))?;
        receipts::read_delivery(&receipt, &pinned, &sent, clock_now(&lyon))?;
        sound(&lyon, &bordeaux).await?;
        sound(&bordeaux, &lyon).await?;
    }

    async fn an_edit_arrives_once_and_what_was_superseded_is_not_sent(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &clock).await?;
        lyon.publish(&[consultation(&lyon.url, 1), contribution(&lyon.url, 1)]).await?;
        settle(&[&lyon, &bordeaux]).await?;
        bordeaux.posts();
        let edited = id(&lyon.url, Class::Contribution, 1);
        for n in 2..=5 {
            lyon.edit(&edited, |record| record.content = text(&format!("Version {n}"))).await?;
        }
        settle(&[&lyon, &bordeaux]).await?;
        let posts = bordeaux.posts();
        assert_eq!(posts.len(), 1, "{posts:?}");
        assert!(String::from_utf8_lossy(&posts[0].body).contains("\"Update\""));
        let copy = bordeaux.copy(&edited).await?.expect("it is held");
        assert_eq!((copy.revision, copy.digest), (5, lyon.record(&edited).await?.digest));
        sound(&lyon, &bordeaux).await?;
    }

    async fn gdpr_01_a_deletion_reaches_exactly_those_who_hold_it_and_is_proven(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &clock).await?;
        let nantes = TestGateway::start(&databases, "nantes", &clock).await;
        lyon.publish(&[consultation(&lyon.url, 1), contribution(&lyon.url, 1)]).await?;
        settle(&[&lyon, &bordeaux]).await?;
        // Nantes is listed and follows, but has read nothing yet.
        lyon.list(&nantes.as_partner(FollowState::Accepted, FollowState::None)).await?;
        let erased = id(&lyon.url, Class::Contribution, 1);
        lyon.delete(&erased).await?;
        settle(&[&lyon, &bordeaux]).await?;

        let copy = bordeaux.copy(&erased).await?.expect("its tombstone stays");
        assert_eq!((copy.standing, copy.record), (CopyStanding::Deleted, None));
        assert!(!String::from_utf8_lossy(&copy.sealed).contains("habitant"));
        let row = lyon.ledger(&bordeaux, &erased).await?.expect("it is in the ledger");
        assert_eq!(row.state, DisclosureState::Purged);
        let receipt = serde_json::from_str(row.purge_receipt.as_deref().expect("a receipt"))?;
        let pinned = Pinned::of(&bordeaux.as_partner(FollowState::Accepted, FollowState::Accepted))?;
        let receipt = receipts::read_purge(&receipt, &pinned, clock_now(&lyon))?;
        assert_eq!(receipt.receipt_for, erased.as_str());
        // GDPR-02: who never received it is told nothing, not even that it existed.
        assert_eq!(lyon.ledger(&nantes, &erased).await?, None);
        assert_eq!(nantes.posts().len(), 0);
        sound(&lyon, &bordeaux).await?;
    }

    async fn gdpr_02_a_partner_that_reads_later_never_hears_of_what_is_gone(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two(&databases, &clock).await;
        lyon.publish(&small_city(&lyon)).await?;
        let erased = id(&lyon.url, Class::Contribution, 1);
        lyon.delete(&erased).await?;
        lyon.accept(&bordeaux).await?;
        bordeaux.accept(&lyon).await?;
        settle(&[&lyon, &bordeaux]).await?;
        assert_eq!(bordeaux.copy(&erased).await?, None);
        assert_eq!(lyon.ledger(&bordeaux, &erased).await?, None);
        assert!(bordeaux.copy(&id(&lyon.url, Class::Comment, 1)).await?.is_some(), "a comment without its parent is kept");
    }

    async fn gdpr_18_what_is_sent_carries_no_field_that_the_vocabulary_lacks(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &clock).await?;
        let mut record = contribution(&lyon.url, 1);
        record.content = text("Un texte.");
        lyon.publish(&[consultation(&lyon.url, 1), record]).await?;
        settle(&[&lyon, &bordeaux]).await?;
        for post in bordeaux.posts() {
            let body = String::from_utf8_lossy(&post.body).into_owned();
            for canary in ["email", "e-mail", "telephone", "phone", "birth", "\"ip\"", "documentNumber", "localId"] {
                assert!(!body.contains(canary), "{canary} in {body}");
            }
        }
    }

    async fn a_hidden_record_loses_its_words_at_the_partner_too(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &clock).await?;
        lyon.publish(&[consultation(&lyon.url, 1), contribution(&lyon.url, 1)]).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let hidden = id(&lyon.url, Class::Contribution, 1);
        lyon.edit(&hidden, |record| *record = record.clone().hidden()).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let copy = bordeaux.copy(&hidden).await?.expect("its shell stays");
        assert_eq!(copy.standing, CopyStanding::Hidden);
        assert!(!String::from_utf8_lossy(&copy.sealed).contains("habitant"));
        lyon.edit(&hidden, |record| {
            record.moderation = passerelle::domain::record::ModerationState::Visible;
            record.content = text("De nouveau visible.");
        }).await?;
        settle(&[&lyon, &bordeaux]).await?;
        assert_eq!(bordeaux.copy(&hidden).await?.expect("it is held").standing, CopyStanding::Live);
        sound(&lyon, &bordeaux).await?;
    }

    async fn sec_059_what_is_hidden_stays_what_it_is_and_where_it_is(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &clock).await?;
        let mut argument = crate::support::content::comment(&lyon.url, 1);
        if let passerelle::domain::Body::Comment(body) = &mut argument.body {
            body.stance = Some(passerelle::domain::comment::Stance::Against);
        }
        let mut untitled = contribution(&lyon.url, 2);
        untitled.title = None;
        let all = [contribution(&lyon.url, 1), untitled, argument];
        lyon.publish(&[consultation(&lyon.url, 1)]).await?;
        lyon.publish(&all).await?;
        settle(&[&lyon, &bordeaux]).await?;
        for record in &all {
            let words = |copy: &passerelle::store::StoredCopy| -> anyhow::Result<(Value, Value)> {
                let document: Value = serde_json::from_slice(&copy.sealed)?;
                Ok((document["type"].clone(), document["recordType"].clone()))
            };
            let before = bordeaux.copy(&record.id).await?.expect("it is held");
            lyon.edit(&record.id, |record| *record = record.clone().hidden()).await?;
            settle(&[&lyon, &bordeaux]).await?;
            let hidden = bordeaux.copy(&record.id).await?.expect("its shell stays");
            assert_eq!((hidden.standing, hidden.revision), (CopyStanding::Hidden, 2), "{}", record.id);
            lyon.edit(&record.id, |now| {
                now.moderation = passerelle::domain::record::ModerationState::Visible;
                (now.title, now.content) = (record.title.clone(), record.content.clone());
            }).await?;
            settle(&[&lyon, &bordeaux]).await?;
            let restored = bordeaux.copy(&record.id).await?.expect("it is held");
            assert_eq!((restored.standing, restored.revision), (CopyStanding::Live, 3), "{}", record.id);
            for later in [&hidden, &restored] {
                assert_eq!(words(later)?, words(&before)?, "{}", record.id);
                assert_eq!((later.class, &later.process, &later.parent, &later.key), (before.class, &before.process, &before.parent, &before.key));
            }
        }
        sound(&lyon, &bordeaux).await?;
    }

    async fn gdpr_06_a_deletion_that_is_repeated_gets_the_same_receipt(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &clock).await?;
        lyon.publish(&[consultation(&lyon.url, 1)]).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let erased = id(&lyon.url, Class::Consultation, 1);
        bordeaux.posts();
        lyon.delete(&erased).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let delete = bordeaux.posts().into_iter().find(|post| String::from_utf8_lossy(&post.body).contains("\"Delete\"")).expect("it was sent");
        let first = lyon.ledger(&bordeaux, &erased).await?.expect("it is in the ledger").purge_receipt;
        lyon.posts();
        let again = crate::support::gateway::post_as(&lyon, &bordeaux, &delete.body).await?;
        assert_eq!(again.status, 202);
        settle(&[&lyon, &bordeaux]).await?;
        assert!(lyon.posts().iter().all(|post| !String::from_utf8_lossy(&post.body).contains("PurgeReceipt")), "no second receipt");
        assert_eq!(lyon.ledger(&bordeaux, &erased).await?.expect("it is in the ledger").purge_receipt, first);
    }

    async fn a_record_that_changes_while_its_page_is_read_arrives_in_its_last_form(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two(&databases, &clock).await;
        lyon.publish(&small_city(&lyon)).await?;
        lyon.accept(&bordeaux).await?;
        bordeaux.accept(&lyon).await?;
        let edited = id(&lyon.url, Class::Contribution, 2);
        // Half a handshake later the record changes: planned for a partner that has not read it yet.
        for _ in 0..3 {
            lyon.step().await?;
            bordeaux.step().await?;
        }
        lyon.edit(&edited, |record| record.content = text("Changé.")).await?;
        settle(&[&lyon, &bordeaux]).await?;
        clock.advance(Duration::from_hours(1));
        settle(&[&lyon, &bordeaux]).await?;
        assert_eq!(bordeaux.copy(&edited).await?.expect("it is held").revision, 2);
        sound(&lyon, &bordeaux).await?;
    }
}

fn clock_now(gateway: &TestGateway) -> Timestamp {
    gateway.federation.now()
}
