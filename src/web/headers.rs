//! The security headers that every answer carries, errors included (HRD 4.1, SEC-171, SEC-172).

use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

/// Nothing is allowed but our own style sheet and images: no script, no frame, no other host.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
                          form-action 'self'; frame-ancestors 'none'";

/// When to come back if nobody said it, in seconds.
const COME_BACK: HeaderValue = HeaderValue::from_static("10");

/// Adds the headers where an answer does not already carry its own; what may succeed later says when.
#[must_use]
pub fn harden(mut response: Response) -> Response {
    let passing = matches!(
        response.status(),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    let headers = response.headers_mut();
    if passing {
        headers.entry(RETRY_AFTER).or_insert(COME_BACK);
    }
    harden_all(headers);
    response
}

/// Adds those that do not depend on the status.
pub fn harden_all(headers: &mut HeaderMap) {
    const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
    const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (OPENER, "same-origin"),
        (PERMISSIONS, "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        (X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    #[test]
    fn what_may_succeed_later_says_when_and_what_may_not_does_not() {
        for (status, says) in [(408, true), (429, true), (503, true), (200, false), (404, false), (413, false), (500, false)] {
            // As the layer for time-outs answers: a bare status.
            let answer = harden(StatusCode::from_u16(status).unwrap().into_response());
            assert_eq!(answer.headers().contains_key(RETRY_AFTER), says, "{status}");
        }
        let own = (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "300")]).into_response();
        assert_eq!(harden(own).headers()[RETRY_AFTER], "300");
    }
}
