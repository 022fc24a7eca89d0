//! A copy lives as long as its origin stands by it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use passerelle::domain::Class;
use passerelle::domain::partner::FollowState;
use passerelle::domain::time::ManualClock;
use passerelle::federation::{Outcome, freshness};
use passerelle::store::{CopyStanding, DisclosureState};

use super::journeys::{small_city, sound};
use crate::store_tests;
use crate::support::content::{contribution, id};
use crate::support::gateway::{TestGateway, json, morning, plain, settle};
use crate::support::stores::Databases;

const DAY: Duration = Duration::from_hours(24);

/// Bordeaux holds Lyon's records and does not read its stream any more, which would renew them.
async fn two(databases: &Databases) -> anyhow::Result<(ManualClock, TestGateway, TestGateway)> {
    let clock = morning();
    let (lyon, bordeaux) = TestGateway::two_paired(databases, &clock).await?;
    lyon.publish(&small_city(&lyon)).await?;
    settle(&[&lyon, &bordeaux]).await?;
    let mut tx = bordeaux.federation.store.write().await?;
    tx.set_followed(&lyon.domain, FollowState::None).await?;
    tx.save().await?;
    Ok((clock, lyon, bordeaux))
}

/// Looks until there is nothing left to ask.
async fn look(holder: &TestGateway) -> anyhow::Result<()> {
    for _ in 0..100 {
        if freshness::step(&holder.federation).await? == Outcome::Idle {
            return Ok(());
        }
    }
    anyhow::bail!("the look does not end")
}

store_tests! {
    async fn at_half_time_a_copy_is_renewed_at_its_origin(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        clock.advance(44 * DAY);
        assert_eq!(freshness::step(&bordeaux.federation).await?, Outcome::Idle);
        clock.advance(2 * DAY);
        assert_eq!(freshness::step(&bordeaux.federation).await?, Outcome::Worked(7));
        assert_eq!(freshness::step(&bordeaux.federation).await?, Outcome::Idle);
        clock.advance(50 * DAY);
        assert_eq!(freshness::step(&bordeaux.federation).await?, Outcome::Worked(7));
        let copy = bordeaux.copy(&id(&lyon.url, Class::Contribution, 1)).await?.expect("it is held");
        assert_eq!((copy.standing, copy.confirmed_at), (CopyStanding::Live, bordeaux.federation.now()));
    }

    async fn what_changed_or_went_at_the_origin_is_learned_by_renewing(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        let (edited, erased) = (id(&lyon.url, Class::Contribution, 1), id(&lyon.url, Class::Contribution, 2));
        lyon.edit(&edited, |record| record.title = None).await?;
        lyon.delete(&erased).await?;
        clock.advance(46 * DAY);
        freshness::step(&bordeaux.federation).await?;
        assert_eq!(bordeaux.copy(&edited).await?.expect("it is held").revision, 2);
        assert_eq!(bordeaux.copy(&erased).await?.expect("its tombstone").standing, CopyStanding::Deleted);
    }

    async fn a_copy_that_nobody_confirms_expires_with_a_receipt(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        lyon.disturb(|parts, _| (parts.method == "GET").then(|| plain(StatusCode::NOT_FOUND)));
        for _ in 0..12 {
            clock.advance(7 * DAY);
            freshness::step(&bordeaux.federation).await?;
        }
        let record = id(&lyon.url, Class::Contribution, 1);
        assert!(bordeaux.copy(&record).await?.is_some(), "84 days: it lives");
        clock.advance(7 * DAY);
        freshness::step(&bordeaux.federation).await?;
        assert_eq!(bordeaux.copy(&record).await?, None, "91 days: it is gone");
        assert_eq!(bordeaux.federation.store.read().await?.copy_counts(&lyon.domain).await?, []);
        lyon.heal();
        settle(&[&bordeaux, &lyon]).await?;
        let row = lyon.ledger(&bordeaux, &record).await?.expect("it is in the ledger");
        assert_eq!((row.state, row.offered), (DisclosureState::Purged, false));
        assert!(row.purge_receipt.expect("a receipt").contains("cache-expiry"));
        sound(&lyon, &bordeaux).await?;
        // It may come again: expiry is no deletion.
        lyon.edit(&record, |record| record.title = None).await?;
        settle(&[&lyon, &bordeaux]).await?;
        assert_eq!(bordeaux.copy(&record).await?.expect("it is held again").revision, 2);
    }

    async fn one_record_that_its_origin_refuses_keeps_no_other_from_being_renewed(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        let refused = id(&lyon.url, Class::Comment, 1);
        let path = refused.path().to_owned();
        lyon.disturb(move |parts, _| (parts.uri.path() == path).then(|| plain(StatusCode::NOT_FOUND)));
        clock.advance(46 * DAY);
        look(&bordeaux).await?;
        let now = bordeaux.federation.now();
        for record in small_city(&lyon) {
            let confirmed = bordeaux.copy(&record.id).await?.expect("it is held").confirmed_at;
            assert_eq!(confirmed == now, record.id != refused, "{}", record.id);
        }
    }

    async fn an_origin_that_does_not_answer_is_left_alone_and_no_copy_expires_unasked(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        let asked = Arc::new(Mutex::new(BTreeSet::new()));
        let seen = Arc::clone(&asked);
        lyon.disturb(move |parts, _| {
            seen.lock().expect("no panic").insert(parts.uri.path().to_owned());
            Some(plain(StatusCode::SERVICE_UNAVAILABLE))
        });
        let asked = || std::mem::take(&mut *asked.lock().expect("no panic"));
        clock.advance(46 * DAY);
        look(&bordeaux).await?;
        assert_eq!(asked().len(), 1, "one answer is enough");
        clock.advance(45 * DAY);
        look(&bordeaux).await?;
        let expected: BTreeSet<String> = small_city(&lyon).iter().map(|record| record.id.path().to_owned()).collect();
        assert_eq!(asked(), expected, "each was asked for before it was erased");
        assert_eq!(bordeaux.federation.store.read().await?.copy_counts(&lyon.domain).await?, []);
    }

    async fn an_origin_that_serves_an_older_revision_does_not_renew(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        let record = id(&lyon.url, Class::Contribution, 1);
        let older = lyon.record(&record).await?.sealed;
        lyon.edit(&record, |record| record.title = None).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let held = bordeaux.copy(&record).await?.expect("it is held");
        assert_eq!(held.revision, 2);
        let path = record.path().to_owned();
        lyon.disturb(move |parts, _| (parts.uri.path() == path).then(|| json(older.clone())));
        clock.advance(46 * DAY);
        look(&bordeaux).await?;
        assert_eq!(bordeaux.copy(&record).await?.expect("it is held").confirmed_at, held.confirmed_at);
        clock.advance(45 * DAY);
        look(&bordeaux).await?;
        assert_eq!(bordeaux.copy(&record).await?, None, "nobody confirmed it for 91 days");
    }

    async fn copies_that_are_never_renewed_do_not_starve_others(databases: Databases) {
        let (clock, lyon, bordeaux) = two(&databases).await?;
        let more: Vec<_> = (4..=60).map(|n| contribution(&lyon.url, n)).collect();
        lyon.publish(&more).await?;
        settle(&[&lyon, &bordeaux]).await?;
        let last = id(&lyon.url, Class::Contribution, 9);
        let path = last.path().to_owned();
        lyon.disturb(move |parts, _| (parts.uri.path() != path).then(|| plain(StatusCode::NOT_FOUND)));
        clock.advance(46 * DAY);
        look(&bordeaux).await?;
        assert_eq!(bordeaux.copy(&last).await?.expect("it is held").confirmed_at, bordeaux.federation.now());
    }
}
