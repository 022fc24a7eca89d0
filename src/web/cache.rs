//! Answers kept in memory: bounded in bytes, dropped when the database changes.
//!
//! Every kept answer remembers the database's change stamp of the moment before it was made. The stamp
//! is read again at most once per [`Cache::check_every`]; when it differs, everything kept before it is
//! stale. So what one process changes, another shows at the latest after that interval (architecture §3:
//! 2 s), and an unchanged city is served from memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::kept::Kept;
use crate::store::{Store, StoreError};

/// A page also ages by itself: "open until" passes without any change in the database.
const LIVES_AT_MOST: Duration = Duration::from_mins(1);
/// The cache.
#[derive(Debug)]
pub struct Cache {
    kept: moka::sync::Cache<String, Entry>,
    check_every: Duration,
    born: Instant,
    /// Milliseconds since `born` of the last look at the stamp.
    checked: AtomicU64,
    stamp: AtomicU64,
}

/// A look at the stamp. Where the reader goes away in the middle of it, whoever comes next looks.
struct Look<'a> {
    checked: &'a AtomicU64,
    before: u64,
    at: u64,
    over: bool,
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        if !self.over {
            // Whoever looked meanwhile has written another instant.
            self.checked.compare_exchange(self.at, self.before, Ordering::AcqRel, Ordering::Acquire).ok();
        }
    }
}

#[derive(Debug, Clone)]
struct Entry {
    kept: Arc<Kept>,
    stamp: u64,
}

impl Cache {
    /// A cache of at most `bytes` that looks for changes at most once per `check_every`.
    #[must_use]
    pub fn new(bytes: u64, check_every: Duration) -> Self {
        let weigh = |key: &String, entry: &Entry| u32::try_from(key.len() + entry.kept.weight()).unwrap_or(u32::MAX);
        Self {
            kept: moka::sync::Cache::builder().max_capacity(bytes).weigher(weigh).time_to_live(LIVES_AT_MOST).build(),
            check_every,
            born: Instant::now(),
            checked: AtomicU64::new(u64::MAX),
            stamp: AtomicU64::new(0),
        }
    }

    /// The stamp that answers made from now on are kept under.
    ///
    /// # Errors
    /// When the database does not answer; then nothing kept may be used.
    pub async fn stamp(&self, store: &Store) -> Result<u64, StoreError> {
        let now = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        let checked = self.checked.load(Ordering::Acquire);
        let due = checked == u64::MAX || u128::from(now.saturating_sub(checked)) >= self.check_every.as_millis();
        // One of the readers that come at the same time looks; the others go on with what is known,
        // except before the very first look.
        if due
            && (self.checked.compare_exchange(checked, now, Ordering::AcqRel, Ordering::Acquire).is_ok() || checked == u64::MAX)
        {
            let mut look = Look { checked: &self.checked, before: checked, at: now, over: false };
            let answer = store.change_stamp().await;
            look.over = true;
            match answer {
                Ok(stamp) => self.stamp.store(stamp, Ordering::Release),
                Err(error) => {
                    self.checked.store(u64::MAX, Ordering::Release);
                    return Err(error);
                }
            }
        }
        Ok(self.stamp.load(Ordering::Acquire))
    }

    /// What is kept for `key` and still stands under `stamp`.
    #[must_use]
    pub fn get(&self, key: &str, stamp: u64) -> Option<Arc<Kept>> {
        self.kept.get(key).filter(|entry| entry.stamp == stamp).map(|entry| entry.kept)
    }

    /// Keeps an answer that was made after `stamp` was read.
    pub fn put(&self, key: String, stamp: u64, kept: Arc<Kept>) {
        self.kept.insert(key, Entry { kept, stamp });
    }
}
