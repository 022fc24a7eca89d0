//! One answer that is kept, in every coding that somebody asked for: packed once, not for each reader.
//!
//! Pages and records hold nothing that belongs to one reader and repeat nothing that a request sends, so their
//! packed size tells nothing (BREACH).

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use tokio::sync::OnceCell;

use super::answer::Answer;
use super::coding::Coding;
use super::deliver::{Asked, head};
use super::headers;
use super::language::Language;

/// What an entry costs beside its bytes, roughly.
const OVERHEAD: usize = 600;

/// A kept answer.
#[derive(Debug)]
pub struct Kept {
    answer: Arc<Answer>,
    language: Language,
    gzip: OnceCell<Option<Bytes>>,
    brotli: OnceCell<Option<Bytes>>,
}

impl Kept {
    /// Keeps an answer that was made for a reader of `language`.
    #[must_use]
    pub fn new(answer: Arc<Answer>, language: Language) -> Self {
        Self { answer, language, gzip: OnceCell::new(), brotli: OnceCell::new() }
    }

    /// What it takes up in memory, in bytes. Packed copies are counted before they are made: both together
    /// are about as large as the text itself.
    #[must_use]
    pub fn weight(&self) -> usize {
        2 * self.answer.body.len() + self.answer.etag.len() + OVERHEAD
    }

    /// The answer as it leaves for one request, with every header.
    pub async fn respond(&self, coding: Coding, asked: &Asked) -> Response {
        let answer = &self.answer;
        let packed = match coding {
            Coding::Plain => None,
            Coding::Gzip => self.packed(&self.gzip, coding).await,
            Coding::Brotli => self.packed(&self.brotli, coding).await,
        };
        let mut headers = head(answer, self.language);
        headers::harden_all(&mut headers);
        if packed.is_some() && !answer.etag.starts_with("W/") {
            // Other bytes of the same meaning.
            if let Ok(weak) = HeaderValue::try_from(format!("W/{}", answer.etag)) {
                headers.insert(ETAG, weak);
            }
        }
        let mut response = Response::new(Body::empty());
        if asked.has_unchanged(answer) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            *response.status_mut() = answer.status;
            let bytes = packed.unwrap_or(&answer.body);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            if packed.is_some() {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
            }
            if !asked.head {
                *response.body_mut() = Body::from(bytes.clone());
            }
        }
        *response.headers_mut() = headers;
        response
    }

    async fn packed<'k>(&'k self, place: &'k OnceCell<Option<Bytes>>, coding: Coding) -> Option<&'k Bytes> {
        // Who asks at the same time waits: it is made once.
        place.get_or_init(|| coding.pack(self.answer.content_type, &self.answer.body)).await.as_ref()
    }
}
