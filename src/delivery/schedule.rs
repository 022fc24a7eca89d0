//! When to try again (security.md §3.2): at once; after 10 s, 30 s, 2 min, 10 min, 30 min; then hourly
//! until an item is 7 days old, six-hourly until it is 30 days old; then it is parked for a person.
//! Recalls (Deletes, what is hidden) and purge requests never park. Pure: what the time is, and chance, are arguments.

use std::time::Duration;

use rand::{Rng, RngExt};

use crate::outbound::MAX_RETRY_AFTER;

/// The waits after the first failures.
const FIRST_WAITS: [Duration; 5] = [secs(10), secs(30), mins(2), mins(10), mins(30)];
/// How often while an item is younger than [`HOURLY_UNTIL`].
const HOURLY: Duration = hours(1);
/// How often after that.
const SIX_HOURLY: Duration = hours(6);
/// The age at which the pace slackens.
pub const HOURLY_UNTIL: Duration = hours(7 * 24);
/// Full jitter draws from here on, so that a retry is never a busy loop.
const SHORTEST_WAIT: Duration = secs(1);

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
const fn mins(n: u64) -> Duration {
    secs(60 * n)
}
const fn hours(n: u64) -> Duration {
    mins(60 * n)
}

/// What decides the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// How often it has failed so far; at least 1.
    pub failures: u32,
    /// How long it has been due.
    pub age: Duration,
    /// The age at which it is parked (`[delivery] park_after`, 30 days); none for a Delete or a purge
    /// request, which wait for a person at most in the sense that one is told.
    pub parks_after: Option<Duration>,
    /// How fast it may be tried again.
    pub pace: Pace,
    /// What the partner asked for (`Retry-After`); outbound caps it at 24 hours.
    pub retry_after: Option<Duration>,
}

/// How fast a failed delivery is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// The whole schedule, for what may pass by itself.
    Schedule,
    /// Hourly from the start, for what a person has to put right (401, 404, 405, 3xx, 501).
    Hourly,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again after this long.
    Wait(Duration),
    /// Stop, and show it to a person.
    Park,
}

/// The next try of something that failed, with full jitter: drawn evenly between one second and the
/// wait of the schedule. Retry-After is a lower bound.
pub fn next_try(failing: Failing, rng: &mut (impl Rng + ?Sized)) -> Next {
    let wait = match failing.pace {
        _ if failing.parks_after.is_some_and(|limit| failing.age >= limit) => return Next::Park,
        _ if failing.age >= HOURLY_UNTIL => SIX_HOURLY,
        Pace::Hourly => HOURLY,
        Pace::Schedule => {
            let nth = usize::try_from(failing.failures.saturating_sub(1)).unwrap_or(usize::MAX);
            FIRST_WAITS.get(nth).copied().unwrap_or(HOURLY)
        }
    };
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let drawn = Duration::from_millis(rng.random_range(millis(SHORTEST_WAIT)..=millis(wait)));
    Next::Wait(failing.retry_after.map_or(drawn, |asked| drawn.max(asked.min(MAX_RETRY_AFTER))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const PARKED_AFTER: Duration = hours(30 * 24);

    fn failing(failures: u32, age: Duration) -> Failing {
        Failing { failures, age, parks_after: Some(PARKED_AFTER), pace: Pace::Schedule, retry_after: None }
    }

    /// The longest wait that jitter reached in many draws.
    fn longest(failing: Failing) -> Duration {
        let mut rng = StdRng::seed_from_u64(1);
        (0..4_000)
            .map(|_| match next_try(failing, &mut rng) {
                Next::Wait(wait) => wait,
                Next::Park => panic!("parked"),
            })
            .max()
            .unwrap_or_default()
    }

    #[test]
    fn the_waits_are_those_of_the_schedule() {
        let expected = [secs(10), secs(30), mins(2), mins(10), mins(30), hours(1), hours(1)];
        for (n, wait) in (1..).zip(expected) {
            let reached = longest(failing(n, secs(60)));
            assert!(reached <= wait && reached > wait.mul_f64(0.95), "failure {n}: {reached:?} of {wait:?}");
        }
        let old = longest(failing(400, HOURLY_UNTIL));
        assert!(old <= hours(6) && old > hours(5), "{old:?}");
    }

    #[test]
    fn rel_028_after_thirty_days_an_item_parks_and_a_delete_does_not() {
        let mut rng = StdRng::seed_from_u64(1);
        let parked = failing(9, PARKED_AFTER);
        assert_eq!(next_try(parked, &mut rng), Next::Park);
        let delete = Failing { parks_after: None, ..parked };
        assert!(matches!(next_try(delete, &mut rng), Next::Wait(wait) if wait <= hours(6)));
        let hourly = Failing { pace: Pace::Hourly, ..failing(1, secs(0)) };
        assert!(longest(hourly) > mins(55));
    }

    #[test]
    fn retry_after_is_a_lower_bound() {
        let mut rng = StdRng::seed_from_u64(1);
        let asked = Failing { retry_after: Some(secs(600)), ..failing(1, secs(0)) };
        assert_eq!(next_try(asked, &mut rng), Next::Wait(secs(600)));
        let long = Failing { retry_after: Some(hours(999)), ..failing(1, secs(0)) };
        assert_eq!(next_try(long, &mut rng), Next::Wait(hours(24)));
    }

    proptest! {
        #[test]
        fn every_wait_lies_between_a_second_and_a_day(
            failures in 0_u32..,
            age in 0_u64..(400 * 24 * 3600),
            never_parks: bool,
            hourly: bool,
            asked in proptest::option::of(any::<u64>()),
            seed: u64,
        ) {
            let pace = if hourly { Pace::Hourly } else { Pace::Schedule };
            let failing = Failing { failures, age: secs(age), parks_after: (!never_parks).then_some(PARKED_AFTER), pace, retry_after: asked.map(secs) };
            match next_try(failing, &mut StdRng::seed_from_u64(seed)) {
                Next::Park => prop_assert!(!never_parks && secs(age) >= PARKED_AFTER),
                Next::Wait(wait) => {
                    prop_assert!(wait >= SHORTEST_WAIT && wait <= MAX_RETRY_AFTER);
                    prop_assert!(never_parks || secs(age) < PARKED_AFTER);
                    if asked.is_none() { prop_assert!(wait <= SIX_HOURLY); }
                    if let Some(asked) = asked { prop_assert!(wait >= secs(asked).min(MAX_RETRY_AFTER)); }
                }
            }
        }
    }
}
