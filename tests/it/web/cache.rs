//! When the cache looks whether anything changed.

use std::time::Duration;

use futures_util::FutureExt as _;
use passerelle::store::Store;
use passerelle::web::cache::Cache;

use crate::store_tests;

store_tests! {
    async fn a_look_that_its_reader_does_not_wait_for_is_made_by_the_next_one(store: Store) {
        let cache = Cache::new(1024, Duration::from_hours(1));
        assert!(cache.stamp(&store).now_or_never().is_none(), "it waits for the database, and is dropped");
        assert_ne!(cache.stamp(&store).await?, 0, "the database was asked");
    }
}
