//! What a handler answers: bytes with what they are. [`super::deliver`] turns it into HTTP, once for
//! all: conditional requests, `Vary`, languages, the cache.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::negotiate::ACTIVITY_JSON;
use crate::domain::digest::Digest;
use crate::domain::id::Key;

/// Who may be given the bytes of an answer, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Anybody, for ever: they never change.
    Forever,
    /// Anybody, after asking whether they changed.
    Everybody,
    /// The same, but they depend on more of the query than the parameters of lists: not kept in memory.
    ByQuery,
    /// Only who asked.
    OneReader,
}

/// An answer that is the same for everybody who asks for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The media type.
    pub content_type: &'static str,
    /// The bytes.
    pub body: Bytes,
    /// The entity tag, quoted.
    pub etag: String,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// Whether it depends on the language of the interface.
    pub translated: bool,
    /// Whether search engines are asked to stay away, for answers that hold no `<meta>`.
    pub noindex: bool,
    /// Who else may be given the same bytes.
    pub sharing: Sharing,
    /// Whether pages of other sites may read it (`Access-Control-Allow-Origin: *`).
    pub open: bool,
}

impl Answer {
    /// A page. Its tag is weak: compression changes its bytes, not its meaning.
    #[must_use]
    pub fn page(status: StatusCode, html: String) -> Self {
        let etag = format!("W/\"{}\"", Key::digest_of(html.as_bytes()));
        Self {
            status,
            content_type: "text/html; charset=utf-8",
            body: Bytes::from(html),
            etag,
            location: None,
            translated: true,
            noindex: false,
            sharing: Sharing::Everybody,
            open: false,
        }
    }

    /// Sealed bytes, untouched; their tag is their digest.
    #[must_use]
    pub fn sealed(status: StatusCode, bytes: Bytes, digest: &Digest) -> Self {
        Self { etag: format!("\"{digest}\""), ..Self::bytes(status, ACTIVITY_JSON, bytes) }
    }

    /// ActivityPub JSON that we write at the moment.
    #[must_use]
    pub fn activity(json: &serde_json::Value) -> Self {
        Self::activity_text(json.to_string())
    }

    /// The same, written already.
    #[must_use]
    pub fn activity_text(json: String) -> Self {
        Self::bytes(StatusCode::OK, ACTIVITY_JSON, Bytes::from(json))
    }

    /// Some bytes of a media type.
    #[must_use]
    pub fn bytes(status: StatusCode, content_type: &'static str, body: Bytes) -> Self {
        let etag = format!("W/\"{}\"", Key::digest_of(&body));
        Self {
            status,
            content_type,
            body,
            etag,
            location: None,
            translated: false,
            noindex: false,
            sharing: Sharing::Everybody,
            open: false,
        }
    }

    /// "Gone", for a program that asked for what is erased (RFC 9457); `left` is an object of what is still
    /// known, beside the words in the reader's language.
    #[must_use]
    pub fn gone(title: &str, detail: &str, mut left: serde_json::Value) -> Self {
        left["type"] = "about:blank".into();
        left["title"] = title.into();
        left["status"] = StatusCode::GONE.as_u16().into();
        left["detail"] = detail.into();
        let answer = Self::bytes(StatusCode::GONE, "application/problem+json", Bytes::from(left.to_string()));
        Self { translated: true, noindex: true, ..answer }
    }

    /// "See other": where the asked form really is.
    #[must_use]
    pub fn see_other(location: String) -> Self {
        let mut answer = Self::bytes(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Bytes::from(location.clone()));
        answer.location = Some(location);
        answer
    }

    /// An answer that belongs to one reader only.
    #[must_use]
    pub const fn private(mut self) -> Self {
        self.sharing = Sharing::OneReader;
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
