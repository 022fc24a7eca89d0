//! The doors that a signature opens: the inbox for activities, `/actor/records` for reading in bulk, and
//! the status query at `/from/{domain}`. Raw headers and raw bytes go to the verifier as they came.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;
use url::form_urlencoded;

use crate::federation::inbox::InboxAnswer;
use crate::federation::records::{self, RecordsError};
use crate::federation::refusal::{Code, Refusal};
use crate::federation::strict_json::MAX_BYTES;
use crate::web::negotiate::ACTIVITY_JSON;
use crate::web::state::WebState;

/// A body that has not arrived by then is not waited for (HRD 4.1).
const BODY_DEADLINE: Duration = Duration::from_secs(15);
/// An answer that has not been found by then is asked for again later.
const ANSWER_DEADLINE: Duration = Duration::from_secs(12);

/// `POST /actor/inbox`.
pub async fn inbox(State(web): State<WebState>, request: Request) -> Response {
    let Ok(_room) = web.inbox_room().try_acquire() else {
        return busy("many activities are arriving at once");
    };
    let (parts, body) = request.into_parts();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: usize| bytes > MAX_BYTES) {
        return too_large();
    }
    let bytes = match timeout(BODY_DEADLINE, to_bytes(body, MAX_BYTES)).await {
        Ok(Ok(bytes)) => bytes,
        // The limit, or a connection that broke: then nobody reads the answer.
        Ok(Err(_)) => return too_large(),
        Err(_) => return busy("the body did not arrive in time"),
    };
    match timeout(ANSWER_DEADLINE, web.inbox().receive(&parts, &bytes)).await {
        Ok(found) => answer(found),
        Err(_) => busy("the answer took too long"),
    }
}

fn too_large() -> Response {
    refused(&Refusal::new(Code::TooLarge, format!("an activity has at most {MAX_BYTES} bytes")))
}

fn busy(why: &str) -> Response {
    refused(&Refusal::new(Code::Busy, format!("{why}; send it again")))
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
#[must_use]
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
