//! The doors that a signature opens: the inbox for activities, `/actor/records` for reading in bulk, and
//! the status query at `/from/{domain}`. Raw headers and raw bytes go to the verifier as they came.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded;

use crate::federation::inbox::InboxAnswer;
use crate::federation::records::{self, RecordsError};
use crate::federation::refusal::{Code, Refusal};
use crate::federation::strict_json::MAX_BYTES;
use crate::web::negotiate::ACTIVITY_JSON;
use crate::web::state::WebState;

/// `POST /actor/inbox`.
pub async fn inbox(State(web): State<WebState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BYTES).await else {
        return refused(&Refusal::new(Code::TooLarge, format!("an activity has at most {MAX_BYTES} bytes")));
    };
    answer(web.inbox().receive(&parts, &bytes).await)
}

/// `GET /actor/records`: a page of what this partner may have, signed requests only (architecture §1).
pub async fn records(State(web): State<WebState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let reader = match web.inbox().verifier().get(&parts).await {
        Ok(reader) => reader,
        Err(refusal) => return refused(&refusal),
    };
    match records::page(web.federation(), reader.partner(), after(&parts).as_deref()).await {
        Ok(page) => ([(header::CONTENT_TYPE, ACTIVITY_JSON), (header::CACHE_CONTROL, "private, no-store")], page).into_response(),
        Err(error @ RecordsError::NotFollowing(_)) => refused(&Refusal::new(Code::Unsigned, error)),
        Err(error @ RecordsError::Cursor(_)) => refused(&Refusal::new(Code::InvalidId, error)),
        Err(RecordsError::Store(error)) => {
            tracing::error!(%error, "a page of records cannot be written");
            refused(&Refusal::new(Code::Busy, "the database does not answer; come again"))
        }
    }
}

/// The cursor of a page.
fn after(parts: &Parts) -> Option<String> {
    let query = parts.uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "after").map(|(_, value)| value.into_owned())
}

/// Whether a request carries a signature, so that it may be entitled to more than a stranger.
#[must_use]
pub fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key("signature")
}

/// A refusal as problem+json.
pub fn refused(refusal: &Refusal) -> Response {
    answer(InboxAnswer::refused(refusal))
}

fn answer(answer: InboxAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    debug_assert!(response.status() != StatusCode::OK, "the inbox never answers 200");
    response
}
