//! When a signature is fresh: not older than 65 minutes, not more than 5 minutes ahead, not valid for
//! longer than 12 hours (security.md §0.3 step 4). All arithmetic is checked; a time that cannot be
//! represented is refused, never wrapped (SEC-023).

use std::time::Duration;

use crate::domain::Timestamp;

use super::super::refusal::{Code, Refusal};

/// Oldest signature: one hour, and five minutes for clocks that differ.
pub const MAX_AGE: Duration = Duration::from_mins(65);
/// How far a sender's clock may be ahead.
pub const MAX_AHEAD: Duration = Duration::from_mins(5);
/// Longest time between creation and expiry.
pub const MAX_LIFETIME: Duration = Duration::from_hours(12);

/// The signed times of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// `created` of the signature.
    pub created: Option<Timestamp>,
    /// The signed `Date` header.
    pub date: Option<Timestamp>,
    /// `expires` of the signature.
    pub expires: Option<Timestamp>,
}

impl Times {
    /// Checks all of them against the clock.
    ///
    /// # Errors
    /// `stale`, `future`, `lifetime`; `weak_signature` when neither `created` nor `Date` is there.
    pub fn check(&self, now: Timestamp) -> Result<(), Refusal> {
        let Some(start) = self.created.or(self.date) else {
            return Err(Refusal::new(Code::WeakSignature, "neither Date nor created is signed"));
        };
        for time in [self.created, self.date].into_iter().flatten() {
            if time.plus(MAX_AGE) < now {
                return Err(Refusal::new(Code::Stale, format_args!("signed at {time}, more than 65 minutes before {now}")));
            }
            if time > now.plus(MAX_AHEAD) {
                let ahead = format_args!("signed at {time}, more than 5 minutes after {now}: compare the clocks");
                return Err(Refusal::new(Code::Future, ahead));
            }
        }
        if let Some(expires) = self.expires {
            if expires <= start || expires > start.plus(MAX_LIFETIME) {
                return Err(Refusal::new(Code::Lifetime, "the signature expires before it begins, or after 12 hours"));
            }
            if expires.plus(MAX_AHEAD) < now {
                return Err(Refusal::new(Code::Stale, format_args!("the signature expired at {expires}")));
            }
        }
        Ok(())
    }
}

/// Reads seconds since 1970 from a signature parameter.
///
/// # Errors
/// `bad_time` for everything that is no whole number of a representable instant.
pub fn seconds(text: &str) -> Result<Timestamp, Refusal> {
    let digits = !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit());
    digits
        .then(|| text.parse::<i64>().ok())
        .flatten()
        .and_then(Timestamp::from_seconds)
        .ok_or_else(|| Refusal::new(Code::BadTime, "created and expires are whole seconds since 1970"))
}

/// Reads an HTTP date in the one form that may be sent today (IMF-fixdate, RFC 9110 §5.6.7).
///
/// # Errors
/// `bad_time` for everything else, the two obsolete forms included (SEC-022).
pub fn http_date(text: &str) -> Result<Timestamp, Refusal> {
    let refused = || Refusal::new(Code::BadTime, "the Date header is not a date such as `Tue, 15 Sep 2026 06:30:00 GMT`");
    if text.len() != 29 {
        return Err(refused());
    }
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).map_err(|_| refused())?;
    let time = Timestamp::from_micros(parsed.as_microsecond()).ok_or_else(refused)?;
    if write_http_date(time).as_deref() == Some(text) { Ok(time) } else { Err(refused()) }
}

/// Writes an HTTP date; `None` for years that have no four digits.
#[must_use]
pub fn write_http_date(time: Timestamp) -> Option<String> {
    let instant = jiff::Timestamp::from_microsecond(time.whole_second().micros()).ok()?;
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&instant).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn code(times: Times) -> Option<Code> {
        times.check(at("2026-09-15T12:00:00Z")).err().map(|refusal| refusal.code())
    }

    fn created(text: &str) -> Times {
        Times { created: Some(at(text)), ..Times::default() }
    }

    #[test]
    fn the_window_is_65_minutes_back_and_5_minutes_ahead() {
        assert_eq!(code(created("2026-09-15T10:55:00Z")), None);
        assert_eq!(code(created("2026-09-15T10:54:59Z")), Some(Code::Stale));
        assert_eq!(code(created("2026-09-15T12:05:00Z")), None);
        assert_eq!(code(created("2026-09-15T12:05:01Z")), Some(Code::Future));
        assert_eq!(code(Times::default()), Some(Code::WeakSignature));
    }

    #[test]
    fn each_signed_time_counts() {
        let both = Times { date: Some(at("2026-09-15T10:00:00Z")), ..created("2026-09-15T12:00:00Z") };
        assert_eq!(code(both), Some(Code::Stale));
    }

    #[test]
    fn a_signature_lives_twelve_hours_at_most() {
        let until = |text: &str| Times { expires: Some(at(text)), ..created("2026-09-15T11:50:00Z") };
        assert_eq!(code(until("2026-09-15T12:05:00Z")), None);
        assert_eq!(code(until("2026-09-15T11:54:59Z")), Some(Code::Stale));
        assert_eq!(code(until("2026-09-15T11:49:00Z")), Some(Code::Lifetime));
        assert_eq!(code(until("2036-09-15T11:49:00Z")), Some(Code::Lifetime));
    }

    #[test]
    fn sec_023_numbers_that_are_no_time_are_refused() {
        for text in ["18446744073709551615", "9223372036854775807", "-1", "1e9", "abc", "", "+1", "1.5", " 1"] {
            assert_eq!(seconds(text).map_err(|r| r.code()), Err(Code::BadTime), "{text}");
        }
        assert_eq!(seconds("1789473600"), Ok(at("2026-09-15T12:00:00Z")));
    }

    #[test]
    fn sec_022_only_the_current_form_of_a_date_is_read() {
        assert_eq!(http_date("Tue, 15 Sep 2026 12:00:00 GMT"), Ok(at("2026-09-15T12:00:00Z")));
        let spaces = " ".repeat(64 * 1024);
        for text in [
            "yesterday",
            "",
            "Tuesday, 15-Sep-26 12:00:00 GMT",
            "Tue Sep 15 12:00:00 2026",
            "Mon, 15 Sep 2026 12:00:00 GMT",
            "Tue, 15 Sep 2026 12:00:00 UTC",
            "Tue, 15 Sep 2026 12:00:00 +00",
            "Fri, 01 Jan 10000 00:00:00 GM",
            spaces.as_str(),
        ] {
            assert_eq!(http_date(text).map_err(|r| r.code()), Err(Code::BadTime), "{:?}", &text[..text.len().min(40)]);
        }
    }
}
