//! Signed reads from partners: one GET, signed as that partner expects it, within limits.

use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_TYPE};
use serde_json::Value;
use url::Url;

use super::Federation;
use super::knock::{self, KnockError};
use super::signature::SignError;
use super::strict_json::{self, StrictJsonError};
use crate::domain::PartnerDomain;
use crate::domain::partner::PartnerKind;
use crate::outbound::{Limits, OutboundError, Request, Response};

/// What we ask other servers for.
pub const ACTIVITY_JSON: &str = "application/activity+json";

/// Why a document could not be read from a partner.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No answer.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// We could not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// It made us fetch too much already.
    #[error("{host} made us fetch more than {most} documents in an hour; it is asked again later")]
    Budget {
        /// Who.
        host: PartnerDomain,
        /// How many.
        most: u32,
    },
    /// An answer, but not a good one.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked.
        url: Url,
        /// The status.
        status: u16,
    },
    /// A good answer that is not an ActivityPub document.
    #[error("{url} answered with {found} instead of an ActivityPub document")]
    MediaType {
        /// What was asked.
        url: Url,
        /// The media type that came.
        found: String,
    },
    /// Not JSON as we take it.
    #[error("the document at {url} is not acceptable: {reason}")]
    Json {
        /// What was asked.
        url: Url,
        /// What is wrong.
        reason: StrictJsonError,
    },
}

impl From<KnockError> for FetchError {
    fn from(error: KnockError) -> Self {
        match error {
            KnockError::Outbound(error) => Self::Outbound(error),
            KnockError::Sign(error) => Self::Sign(error),
        }
    }
}

impl FetchError {
    /// The status of the answer, when there was one that was not good.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// A GET that something from that server makes us do, within its budget (SEC-135): an activity with an unknown
/// key, an answer without a receipt. What we do of our own accord needs none.
///
/// # Errors
/// As for [`signed_get`], and [`FetchError::Budget`].
pub async fn caused_get(federation: &Federation, kind: PartnerKind, url: &Url) -> Result<Response, FetchError> {
    let host = PartnerDomain::of(url);
    if federation.0.fetches.draw(&host, federation.now()).is_err() {
        return Err(FetchError::Budget { host, most: federation.0.fetches.each() });
    }
    signed_get(federation, kind, url).await
}

/// A GET signed for a server of this kind; any status is an answer.
///
/// # Errors
/// When it cannot be signed, or there is no answer.
pub async fn signed_get(federation: &Federation, kind: PartnerKind, url: &Url) -> Result<Response, FetchError> {
    let request = Request::get(url.clone()).within(Limits::OBJECT);
    Ok(knock::send(federation, kind, request.header(ACCEPT, HeaderValue::from_static(ACTIVITY_JSON))).await?)
}

/// Whether an answer says that it is a document.
///
/// # Errors
/// [`FetchError`] says what it is instead.
pub fn is_document(response: &Response) -> Result<(), FetchError> {
    let url = response.url.clone();
    if response.status.as_u16() != 200 {
        return Err(FetchError::Status { url, status: response.status.as_u16() });
    }
    let found = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("no media type");
    if !is_activity(found) {
        return Err(FetchError::MediaType { url, found: found.chars().filter(|c| !c.is_control()).take(80).collect() });
    }
    Ok(())
}

/// The document of a good answer.
///
/// # Errors
/// [`FetchError`] says what is wrong with it.
pub fn document(response: &Response) -> Result<Value, FetchError> {
    is_document(response)?;
    strict_json::parse(&response.body).map_err(|reason| FetchError::Json { url: response.url.clone(), reason })
}

/// Whether a media type is one of the two that ActivityPub documents have (anything else may be a file
/// that a visitor uploaded: CVE-2024-23832).
#[must_use]
pub fn is_activity(media_type: &str) -> bool {
    let Ok(parsed) = media_type.parse::<mime::Mime>() else { return false };
    match parsed.essence_str() {
        ACTIVITY_JSON => true,
        "application/ld+json" => parsed.get_param("profile").is_some_and(|profile| {
            profile.as_str().split_ascii_whitespace().any(|one| one == "https://www.w3.org/ns/activitystreams")
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_activity;

    #[test]
    fn only_the_two_media_types_of_activitypub_are_documents() {
        for (media_type, good) in [
            ("application/activity+json", true),
            ("application/activity+json; charset=utf-8", true),
            ("application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"", true),
            ("application/ld+json", false),
            ("application/json", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("multipart/form-data; boundary=x", false),
            ("text/html", false),
            ("", false),
        ] {
            assert_eq!(is_activity(media_type), good, "{media_type}");
        }
    }
}
