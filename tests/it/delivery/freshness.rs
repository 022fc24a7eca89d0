//! A copy lives as long as its origin stands by it.

use std::time::Duration;

use axum::http::StatusCode;
use passerelle::domain::Class;
use passerelle::domain::partner::FollowState;
use passerelle::domain::time::ManualClock;
use passerelle::federation::{Outcome, freshness};
use passerelle::store::{CopyStanding, DisclosureState};

use super::journeys::{small_city, sound};
use crate::store_tests;
use crate::support::content::id;
use crate::support::gateway::{TestGateway, morning, plain, settle};
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
}
