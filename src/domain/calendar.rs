//! A day of the calendar: what a promise is dated with, where an instant would say too much.

use std::fmt;
use std::str::FromStr;

use jiff::civil;
use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// A calendar day without a time and without a zone, written `2026-11-30`. Years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(civil::Date);

/// Not a day of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date (such as 2026-11-30)")]
pub struct NotADay(String);

impl Day {
    /// The civil date.
    #[must_use]
    pub const fn date(self) -> civil::Date {
        self.0
    }

    /// The day that an instant falls into in a zone.
    #[must_use]
    pub fn of(at: Timestamp, zone: &jiff::tz::TimeZone) -> Option<Self> {
        let instant = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
        Some(Self(instant.to_zoned_datetime(zone.clone()).date()))
    }
}

impl FromStr for Day {
    type Err = NotADay;
    fn from_str(text: &str) -> Result<Self, NotADay> {
        let refused = || NotADay(text.chars().take(40).collect());
        let plain = text.len() == 10 && text.bytes().enumerate().all(|(at, b)| matches!(at, 4 | 7) == (b == b'-'));
        let date: civil::Date = text.parse().map_err(|_| refused())?;
        if plain && date.year() >= 1 { Ok(Self(date)) } else { Err(refused()) }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl TryFrom<String> for Day {
    type Error = NotADay;
    fn try_from(text: String) -> Result<Self, NotADay> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_reads_back_and_what_is_none_is_refused() {
        for text in ["2026-11-30", "2028-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(text.parse::<Day>().map(|day| day.to_string()).as_deref(), Ok(text));
        }
        for text in ["2026-02-30", "2026-1-1", "20261130", "2026-11-30T00:00:00Z", "-000001-01-01", "0000-01-01", "", "demain"] {
            assert!(text.parse::<Day>().is_err(), "{text} was taken");
        }
    }

    #[test]
    fn an_instant_falls_into_the_day_of_the_place() {
        let zone = jiff::tz::TimeZone::get("Europe/Paris").expect("the zone database is bundled");
        let late: Timestamp = "2026-11-30T23:30:00Z".parse().expect("a time");
        assert_eq!(Day::of(late, &zone).map(|day| day.to_string()).as_deref(), Some("2026-12-01"));
    }
}
