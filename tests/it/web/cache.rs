//! When the cache looks whether anything changed.

use std::time::Duration;

use anyhow::Context as _;
use futures_util::FutureExt as _;
use passerelle::store::Store;
use passerelle::web::cache::Cache;

use crate::store_tests;

/// A database on a busy machine may have answered before it is asked whether it did; not every time.
const TRIES: usize = 100;

/// A cache whose only reader began to look and went away before the database answered.
fn left_while_looking(store: &Store) -> Option<Cache> {
    let cache = Cache::new(1024, Duration::from_hours(1));
    cache.stamp(store).now_or_never().is_none().then_some(cache)
}

store_tests! {
    async fn a_look_that_its_reader_does_not_wait_for_is_made_by_the_next_one(store: Store) {
        let cache = (0..TRIES).find_map(|_| left_while_looking(&store)).context("nobody ever had to wait")?;
        assert_ne!(cache.stamp(&store).await?, 0, "the database was asked");
    }
}
