//! Instants with microsecond precision, and the clock everybody is handed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant in UTC, in microseconds since 1970. Years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// Not a date and time with a zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date and time with a zone (such as 2026-09-15T06:30:00Z)")]
pub struct NotATime(String);

impl Timestamp {
    /// The first representable instant.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// The last representable instant.
    pub const MAX: Self = Self(253_402_207_199_999_999);

    /// From microseconds since 1970, if the year is between 1 and 9999.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        let inside = (-62_135_596_800_000_000..253_402_207_200_000_000).contains(&micros);
        inside.then_some(Self(micros))
    }

    /// From whole seconds since 1970.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        seconds.checked_mul(1_000_000).and_then(Self::from_micros)
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant without its fraction of a second, as proofs and wire dates carry it.
    #[must_use]
    pub const fn whole_second(self) -> Self {
        Self(self.seconds() * 1_000_000)
    }

    /// `duration` later; stays at the last representable instant when that is too far.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(micros)).unwrap_or(Self::MAX)
    }

    /// `duration` earlier; stays at the first representable instant when that is too far.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_sub(micros)).unwrap_or(Self::MIN)
    }

    /// How long after `earlier` this is; zero when it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let refused = || NotATime(text.chars().take(60).collect());
        let parsed: jiff::Timestamp = text.parse().map_err(|_| refused())?;
        Self::from_micros(parsed.as_microsecond()).ok_or_else(refused)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC; the fraction only when there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = jiff::Timestamp::from_microsecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{instant}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Where "now" comes from. Everything that waits, expires or dates takes one as an argument.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_microsecond())
    }
}

/// A clock that stands still until it is moved; clones share the hand. For tests and rehearsals.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.micros())))
    }

    /// Moves the hand forward.
    pub fn advance(&self, by: Duration) {
        let next = self.now().plus(by);
        self.0.store(next.micros(), Ordering::SeqCst);
    }

    /// Puts the hand anywhere, backwards too.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_as_they_were_read() {
        for text in ["2026-09-15T06:30:00Z", "2026-09-15T06:30:00.25Z", "0001-01-01T00:00:00Z"] {
            assert_eq!(text.parse::<Timestamp>().map(|t| t.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(
            "2026-09-15T08:30:00+02:00".parse::<Timestamp>().map(|t| t.to_string()).as_deref(),
            Ok("2026-09-15T06:30:00Z")
        );
    }

    #[test]
    fn sec_133_impossible_times_are_refused() {
        for text in [
            "-000001-01-01T00:00:00Z",
            "+010000-01-01T00:00:00Z",
            "2026-09-15",
            "2026-09-15T25:00:00Z",
            "2026-09-15T06:30:00",
            "",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text} was taken");
        }
    }
}
