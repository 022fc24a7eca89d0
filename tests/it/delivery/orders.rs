//! The same news in every order, and again and again: one end state, one effect, one receipt.

use bytes::Bytes;
use passerelle::domain::change::ChangeKind;
use passerelle::domain::partner::FollowState;
use passerelle::domain::{Class, RecordId};
use passerelle::federation::dispatch;
use passerelle::store::{CopyStanding, StoredCopy};

use crate::store_tests;
use crate::support::content::{consultation, contribution, id, text};
use crate::support::gateway::{TestGateway, morning, post_as, settle};
use crate::support::stores::Databases;

/// Two gateways that list each other; nothing flows by itself between them.
async fn two(databases: &Databases) -> anyhow::Result<(TestGateway, TestGateway)> {
    let clock = morning();
    let (lyon, bordeaux) = TestGateway::two(databases, &clock).await;
    bordeaux.list(&lyon.as_partner(FollowState::None, FollowState::Pending)).await?;
    lyon.list(&bordeaux.as_partner(FollowState::None, FollowState::None)).await?;
    lyon.publish(&[consultation(&lyon.url, 1)]).await?;
    Ok((lyon, bordeaux))
}

/// The activity that carries the present form of a record.
async fn activity(lyon: &TestGateway, bordeaux: &TestGateway, record: &RecordId, kind: ChangeKind) -> anyhow::Result<Bytes> {
    let stored = lyon.record(record).await?;
    let partner = bordeaux.as_partner(FollowState::Accepted, FollowState::None);
    Ok(dispatch::carrying(&lyon.federation, &partner, kind, (record, stored.revision), Some(&stored.process), &stored.sealed)
        .body)
}

/// Create, Update, Update, Delete of contribution `n`.
async fn life(lyon: &TestGateway, bordeaux: &TestGateway, n: u32) -> anyhow::Result<(RecordId, [Bytes; 4])> {
    let record = contribution(&lyon.url, n);
    let id = record.id.clone();
    lyon.publish(&[record]).await?;
    let create = activity(lyon, bordeaux, &id, ChangeKind::Created).await?;
    lyon.edit(&id, |record| record.content = text("Deuxième version.")).await?;
    let first = activity(lyon, bordeaux, &id, ChangeKind::Updated).await?;
    lyon.edit(&id, |record| record.content = text("Troisième version.")).await?;
    let second = activity(lyon, bordeaux, &id, ChangeKind::Updated).await?;
    lyon.delete(&id).await?;
    let delete = activity(lyon, bordeaux, &id, ChangeKind::Deleted).await?;
    Ok((id, [create, first, second, delete]))
}

fn orders(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(of - 1);
    shorter
        .iter()
        .flat_map(|order| {
            (0..=order.len()).map(move |place| {
                let mut longer = order.clone();
                longer.insert(place, of - 1);
                longer
            })
        })
        .collect()
}

/// What of a copy must not depend on the order.
fn end_state(copy: &StoredCopy) -> (u64, CopyStanding, bool, String) {
    (copy.revision, copy.standing, copy.record.is_some(), copy.digest.to_string())
}

store_tests! {
    async fn rel_041_and_rel_042_all_24_orders_end_in_the_same_state(databases: Databases) {
        let (lyon, bordeaux) = two(&databases).await?;
        let all = orders(4);
        assert_eq!(all.len(), 24);
        for (n, order) in (1..).zip(&all) {
            // An effect after each activity, or only after all four: both must converge.
            for (m, each) in [(n, true), (n + 100, false)] {
                let (id, life) = life(&lyon, &bordeaux, m).await?;
                for step in order {
                    assert_eq!(post_as(&lyon, &bordeaux, &life[*step]).await?.status, 202, "{order:?}");
                    if each {
                        settle(&[&bordeaux]).await?;
                    }
                }
                settle(&[&bordeaux]).await?;
                let copy = bordeaux.copy(&id).await?.expect("its tombstone");
                let expected = (4, CopyStanding::Deleted, false, lyon.record(&id).await?.digest.to_string());
                assert_eq!(end_state(&copy), expected, "{order:?}");
                assert!(!String::from_utf8_lossy(&copy.sealed).contains("version"), "{order:?}");
            }
        }
    }

    async fn rel_041_the_newest_version_stays_whatever_came_first(databases: Databases) {
        let (lyon, bordeaux) = two(&databases).await?;
        for (n, order) in (1..).zip(orders(3)) {
            let (id, life) = life(&lyon, &bordeaux, n).await?;
            for step in &order {
                assert_eq!(post_as(&lyon, &bordeaux, &life[*step]).await?.status, 202, "{order:?}");
                settle(&[&bordeaux]).await?;
            }
            let copy = bordeaux.copy(&id).await?.expect("it is held");
            assert_eq!((copy.revision, copy.standing), (3, CopyStanding::Live), "{order:?}");
            assert!(String::from_utf8_lossy(&copy.sealed).contains("Troisième"), "{order:?}");
        }
    }

    async fn rel_042_after_a_delete_nothing_older_comes_back(databases: Databases) {
        let (lyon, bordeaux) = two(&databases).await?;
        let (id, [create, first, second, delete]) = life(&lyon, &bordeaux, 1).await?;
        for body in [&delete, &create, &second, &first, &create, &delete] {
            assert_eq!(post_as(&lyon, &bordeaux, body).await?.status, 202);
            settle(&[&bordeaux]).await?;
            let copy = bordeaux.copy(&id).await?.expect("its tombstone");
            assert_eq!((copy.standing, copy.revision), (CopyStanding::Deleted, 4));
        }
    }

    async fn rel_040_a_hundred_repetitions_have_one_effect_and_one_receipt(databases: Databases) {
        let (lyon, bordeaux) = two(&databases).await?;
        let record = contribution(&lyon.url, 1);
        lyon.publish(std::slice::from_ref(&record)).await?;
        let body = activity(&lyon, &bordeaux, &record.id, ChangeKind::Created).await?;
        let first = post_as(&lyon, &bordeaux, &body).await?;
        assert_eq!(first.status, 202);
        for n in 0..100 {
            let again = post_as(&lyon, &bordeaux, &body).await?;
            assert_eq!((again.status, &again.body), (202, &first.body), "repetition {n}");
            if n == 50 {
                settle(&[&bordeaux]).await?;
            }
        }
        let parallel = futures_util::future::join_all((0..100).map(|_| post_as(&lyon, &bordeaux, &body))).await;
        for again in parallel {
            let again = again?;
            assert_eq!((again.status, &again.body), (202, &first.body));
        }
        settle(&[&bordeaux]).await?;
        let journal = bordeaux.federation.store.read().await?.list_journal(&lyon.domain, None, 10).await?;
        assert_eq!(journal.len(), 1);
        let copy = bordeaux.copy(&record.id).await?.expect("it is held");
        assert_eq!((copy.revision, copy.digest), (1, lyon.record(&record.id).await?.digest));
    }

    async fn rel_040_a_repetition_in_parallel_before_anything_is_known_is_kept_once(databases: Databases) {
        let (lyon, bordeaux) = two(&databases).await?;
        let record = contribution(&lyon.url, 1);
        lyon.publish(std::slice::from_ref(&record)).await?;
        let body = activity(&lyon, &bordeaux, &record.id, ChangeKind::Created).await?;
        let answers = futures_util::future::join_all((0..100).map(|_| post_as(&lyon, &bordeaux, &body))).await;
        let mut receipts = std::collections::HashSet::new();
        for answer in answers {
            let answer = answer?;
            assert_eq!(answer.status, 202);
            receipts.insert(answer.body);
        }
        assert_eq!(receipts.len(), 1, "the same receipt for all");
        settle(&[&bordeaux]).await?;
        assert_eq!(bordeaux.federation.store.read().await?.list_journal(&lyon.domain, None, 10).await?.len(), 1);
        assert!(bordeaux.copy(&id(&lyon.url, Class::Contribution, 1)).await?.is_some());
    }

    async fn gdpr_19_hidden_reaches_whoever_holds_it(databases: Databases) {
        let clock = morning();
        let (lyon, bordeaux) = TestGateway::two_paired(&databases, &clock).await?;
        lyon.publish(&crate::delivery::journeys::small_city(&lyon)).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let mut tx = lyon.federation.store.write().await?;
        tx.set_follows_us(&bordeaux.domain, FollowState::None).await?;
        tx.save().await?;
        let [hidden, withdrawn, edited] = [1, 2, 3].map(|n| id(&lyon.url, Class::Contribution, n));
        lyon.edit(&hidden, |record| *record = record.clone().hidden()).await?;
        lyon.edit(&withdrawn, |record| *record = record.clone().withdrawn()).await?;
        lyon.edit(&edited, |record| record.content = text("Deuxième version.")).await?;
        settle(&[&lyon, &bordeaux]).await?;
        assert_eq!(bordeaux.copy(&hidden).await?.expect("its place").standing, CopyStanding::Hidden);
        let copy = bordeaux.copy(&withdrawn).await?.expect("it is held");
        assert_eq!((copy.revision, copy.record.and_then(|record| record.content)), (2, None));
        assert_eq!(bordeaux.copy(&edited).await?.expect("it is held").revision, 1, "news are for followers");
    }
}
