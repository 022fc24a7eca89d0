//! Why a request of another server is not accepted: one list of codes, each with its HTTP status.
//!
//! A code is stable and machine readable; the sentence beside it is for the other administrator. What
//! a sender does with each is fixed in security.md §3.2: a 4xx is final, apart from 408 and 429, so everything
//! that may pass later is one of these or a 503. Nothing here carries a body of a request: it would end up in a log (F9).

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use crate::words;

words! {
    /// Every reason for which the inbox and signed reads say no.
    Code {
        MethodNotAllowed = "method_not_allowed",
        UnsupportedMediaType = "unsupported_media_type",
        TooLarge = "too_large",
        SlowBody = "slow_body",
        BrokenBody = "broken_body",
        EarlyData = "early_data",
        DuplicateHeader = "duplicate_header",
        MalformedHeader = "malformed_header",
        AuthorizationSignature = "authorization_signature",
        WrongHost = "wrong_host",
        CrossRecipientReplay = "cross_recipient_replay",
        Unsigned = "unsigned",
        MalformedSignature = "malformed_signature",
        MalformedSignatureInput = "malformed_signature_input",
        WeakSignature = "weak_signature",
        UnsupportedAlgorithm = "unsupported_algorithm",
        DigestMissing = "digest_missing",
        DigestUnsigned = "digest_unsigned",
        DigestUnsupported = "digest_unsupported",
        DigestMismatch = "digest_mismatch",
        BadTime = "bad_time",
        Stale = "stale",
        Future = "future",
        Lifetime = "lifetime",
        MalformedKeyId = "malformed_key_id",
        ActorMismatch = "actor_mismatch",
        NotListed = "not_listed",
        Suspended = "suspended",
        UnknownKey = "unknown_key",
        KeyOwner = "key_owner",
        ActorGone = "actor_gone",
        KeyUnavailable = "key_unavailable",
        BadSignature = "bad_signature",
        InvalidJson = "invalid_json",
        InvalidActivity = "invalid_activity",
        InvalidId = "invalid_id",
        Unsupported = "unsupported",
        Origin = "origin",
        NotOwner = "not-owner",
        NotCovered = "not-covered",
        NotFound = "not_found",
        Equivocation = "equivocation",
        Immutable = "immutable",
        InvalidRecord = "invalid_record",
        TooMany = "too_many",
        Busy = "busy",
    }
}

impl Code {
    /// The status this reason is answered with.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::EarlyData => StatusCode::TOO_EARLY,
            Self::WrongHost | Self::CrossRecipientReplay => StatusCode::MISDIRECTED_REQUEST,
            Self::BrokenBody
            | Self::DuplicateHeader
            | Self::MalformedHeader
            | Self::AuthorizationSignature
            | Self::MalformedSignature
            | Self::InvalidJson
            | Self::InvalidActivity
            | Self::InvalidId
            | Self::Unsupported => StatusCode::BAD_REQUEST,
            Self::Unsigned
            | Self::MalformedSignatureInput
            | Self::WeakSignature
            | Self::UnsupportedAlgorithm
            | Self::DigestMissing
            | Self::DigestUnsigned
            | Self::DigestUnsupported
            | Self::DigestMismatch
            | Self::BadTime
            | Self::Stale
            | Self::Future
            | Self::Lifetime
            | Self::MalformedKeyId
            | Self::ActorMismatch
            | Self::UnknownKey
            | Self::KeyOwner
            | Self::BadSignature => StatusCode::UNAUTHORIZED,
            // A 401 is tried again by servers that tell everybody of an account's end; nothing is known of it here.
            Self::NotListed | Self::Suspended | Self::ActorGone | Self::Origin | Self::NotOwner | Self::NotCovered => {
                StatusCode::FORBIDDEN
            }
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Equivocation => StatusCode::CONFLICT,
            Self::Immutable | Self::InvalidRecord => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::KeyUnavailable | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// A refusal: its code, a sentence, and when to come back if that may help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    code: Code,
    detail: String,
    retry_after: Option<Duration>,
}

/// Longest sentence we send or log, in characters; names of others inside it are cut by this.
const MAX_DETAIL: usize = 300;

impl Refusal {
    /// A refusal with a sentence for the other administrator.
    #[must_use]
    pub fn new(code: Code, detail: impl fmt::Display) -> Self {
        let detail = detail.to_string().chars().filter(|c| !c.is_control()).take(MAX_DETAIL).collect();
        let passing = matches!(code.status().as_u16(), 408 | 429 | 503);
        let retry_after = passing.then_some(Duration::from_secs(30));
        Self { code, detail, retry_after }
    }

    /// The same, with the time after which a new attempt makes sense.
    #[must_use]
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// Seconds for `Retry-After`, when there is one.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(|wait| wait.as_secs().max(1))
    }

    /// The body of the answer, RFC 9457 (`application/problem+json`; FEP-c180).
    #[must_use]
    pub fn problem_json(&self) -> String {
        json!({
            "type": format!("https://w3id.org/participation-vocab/ns#problem-{}", self.code),
            "title": self.status().canonical_reason().unwrap_or("Refused"),
            "status": self.status().as_u16(),
            "code": self.code.word(),
            "detail": self.detail,
        })
        .to_string()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Refusal {}

/// How often each code was answered since the start; what `/metrics` shows (I9).
#[derive(Debug)]
pub struct Counters([AtomicU64; Code::ALL.len()]);

impl Default for Counters {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Counters {
    /// Counts one refusal and writes the bounded security log line.
    pub fn record(&self, refusal: &Refusal, peer: Option<&str>) {
        if let Some(counter) = self.0.get(refusal.code as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let peer: String = peer.unwrap_or("-").chars().filter(|c| !c.is_control()).take(120).collect();
        tracing::warn!(target: "security", code = refusal.code.word(), peer, detail = refusal.detail(), "request refused");
    }

    /// How often `code` was answered.
    #[must_use]
    pub fn of(&self, code: Code) -> u64 {
        self.0.get(code as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// All codes that were answered at least once.
    pub fn iter(&self) -> impl Iterator<Item = (Code, u64)> + '_ {
        Code::ALL.iter().map(|code| (*code, self.of(*code))).filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_later_is_a_503_408_or_429_and_says_when() {
        for code in [Code::KeyUnavailable, Code::Busy, Code::SlowBody, Code::TooMany] {
            assert!(matches!(code.status().as_u16(), 408 | 429 | 503), "{code}");
            assert!(Refusal::new(code, "x").retry_after_seconds().is_some());
        }
    }

    #[test]
    fn a_refusal_is_a_problem_document_without_control_characters() {
        let refusal = Refusal::new(Code::DigestMismatch, "the body\r\nis another");
        let problem: serde_json::Value = serde_json::from_str(&refusal.problem_json()).expect("JSON");
        assert_eq!(problem["status"], 401);
        assert_eq!(problem["code"], "digest_mismatch");
        assert_eq!(problem["detail"], "the bodyis another");
    }

    #[test]
    fn each_refusal_is_counted_under_its_code() {
        let counters = Counters::default();
        counters.record(&Refusal::new(Code::Stale, "old"), Some("b.example"));
        counters.record(&Refusal::new(Code::Stale, "old"), None);
        assert_eq!(counters.of(Code::Stale), 2);
        assert_eq!(counters.iter().collect::<Vec<_>>(), [(Code::Stale, 2)]);
    }
}
