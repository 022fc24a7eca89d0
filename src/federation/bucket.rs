//! Shares of an hour: a bucket for each of many, which holds an hour's worth and fills evenly.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::Timestamp;

/// What a bucket holds.
const HOUR: Duration = Duration::from_hours(1);
/// Buckets remembered; those that are full are forgotten first.
const MAX_REMEMBERED: usize = 2000;

/// The buckets of all who have one. Kept in memory by each process.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    per_hour: u32,
    full_at: Mutex<HashMap<K, Timestamp>>,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// So much an hour for each, at least one.
    pub(super) fn per_hour(each: u32) -> Self {
        Self { per_hour: each.max(1), full_at: Mutex::default() }
    }

    /// How much each has in an hour.
    pub(super) const fn each(&self) -> u32 {
        self.per_hour
    }

    /// How many buckets are remembered (bounded, SEC-141).
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Takes one, or says after how long there is one again. What is refused costs nothing.
    pub(super) fn draw(&self, key: &K, now: Timestamp) -> Result<(), Duration> {
        let mut all = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_REMEMBERED && !all.contains_key(key) {
            all.retain(|_, full_at| *full_at > now);
        }
        // Further away than an hour it is only when our clock was set back.
        let filling = all.get(key).copied().filter(|at| *at > now && at.since(now) <= HOUR);
        let full_at = filling.unwrap_or(now).plus(HOUR / self.per_hour);
        if let Some(wait) = full_at.since(now).checked_sub(HOUR).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        all.insert(key.clone(), full_at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_790_000_000 + seconds).expect("a time")
    }

    #[test]
    fn a_bucket_holds_an_hour_and_fills_evenly() {
        let buckets = Buckets::per_hour(60);
        for n in 0..60 {
            assert_eq!(buckets.draw(&"b", at(0)), Ok(()), "{n}");
        }
        assert_eq!(buckets.draw(&"b", at(0)), Err(Duration::from_mins(1)));
        assert_eq!(buckets.draw(&"c", at(0)), Ok(()), "everybody has one");
        assert_eq!(buckets.draw(&"b", at(59)), Err(Duration::from_secs(1)));
        assert_eq!(buckets.draw(&"b", at(60)), Ok(()));
        assert!(buckets.draw(&"b", at(60)).is_err());
        for n in 0..60 {
            assert_eq!(buckets.draw(&"b", at(10_000)), Ok(()), "{n}");
        }
        assert!(buckets.draw(&"b", at(10_000)).is_err(), "an idle day saves up no more than an hour");
    }

    #[test]
    fn what_is_refused_costs_nothing_and_a_clock_that_was_set_back_locks_nobody_out() {
        let buckets = Buckets::per_hour(1);
        assert_eq!(buckets.draw(&"b", at(0)), Ok(()));
        for _ in 0..1000 {
            assert!(buckets.draw(&"b", at(10)).is_err());
        }
        assert_eq!(buckets.draw(&"b", at(3600)), Ok(()));
        assert_eq!(buckets.draw(&"b", at(-3600)), Ok(()));
    }

    #[test]
    fn the_memory_is_bounded() {
        let buckets = Buckets::per_hour(3600);
        for n in 0..5000 {
            assert_eq!(buckets.draw(&n, at(n * 2)), Ok(()));
        }
        assert!(buckets.remembered() <= MAX_REMEMBERED, "{}", buckets.remembered());
    }
}
