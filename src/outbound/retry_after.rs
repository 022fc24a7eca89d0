//! `Retry-After` as servers really write it (RFC 9110 §10.2.3): seconds, a date, or rubbish.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;

use crate::domain::Timestamp;

/// The longest wait that a server can impose on us.
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// How long the server asks us to wait, at most [`MAX_RETRY_AFTER`]. What cannot be read is ignored;
/// a date in the past means "now".
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are still "very long".
        text.parse().map_or(MAX_RETRY_AFTER, Duration::from_secs)
    } else {
        let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Timestamp::from_micros(date.as_microsecond())?.since(now)
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        retry_after(&headers, "2026-11-24T10:00:00Z".parse().unwrap()).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_understood_and_capped_at_a_day() {
        assert_eq!(asked("120"), Some(120));
        assert_eq!(asked("0"), Some(0));
        assert_eq!(asked("Tue, 24 Nov 2026 10:05:00 GMT"), Some(300));
        assert_eq!(asked("Mon, 23 Nov 2026 10:05:00 GMT"), Some(0));
        assert_eq!(asked("172800"), Some(86_400));
        assert_eq!(asked("99999999999999999999999"), Some(86_400));
        assert_eq!(asked("Wed, 24 Nov 2026 10:05:00 GMT"), None, "a wrong weekday is not a date");
    }

    #[test]
    fn rubbish_is_ignored() {
        for text in ["", "soon", "-1", "1.5", "12 minutes", "2026-11-24T10:05:00Z"] {
            assert_eq!(asked(text), None, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), "2026-11-24T10:00:00Z".parse().unwrap()), None);
    }
}
