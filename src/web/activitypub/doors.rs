//! The doors that a signature opens: the inbox for activities, `/actor/records` for reading in bulk, and
//! the status query at `/from/{domain}`. Raw headers and raw bytes go to the verifier as they came.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::time::timeout;
use tower_http::timeout::TimeoutError;
use url::form_urlencoded;

use crate::federation::inbox::InboxAnswer;
use crate::federation::records::{self, RecordsError};
use crate::federation::refusal::{Code, Refusal};
use crate::federation::strict_json::MAX_BYTES;
use crate::web::negotiate::ACTIVITY_JSON;
use crate::web::state::WebState;

/// Bodies up to this many bytes are gathered for everybody who has a connection; what is longer shares
/// [`WebState::inbox_bytes`].
const SMALL_BODY: usize = 64 * 1024;
/// An answer that has not been found by then is asked for again later.
const ANSWER_DEADLINE: Duration = Duration::from_secs(12);

/// Beside an answer, for whoever keeps the connections: the request was signed by a server on our list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognised;

/// `POST /actor/inbox`.
pub async fn inbox(State(web): State<WebState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: usize| bytes > MAX_BYTES) {
        return refused(&too_large());
    }
    let bytes = match gather(&web, body).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refused(&refusal),
    };
    // Only now: who sends slowly takes nobody's turn.
    let Ok(_room) = web.inbox_room().try_acquire() else {
        return refused(&busy("many activities are arriving at once"));
    };
    match timeout(ANSWER_DEADLINE, web.inbox().receive(&parts, &bytes)).await {
        Ok(found) => {
            let known = found.sender.is_some();
            let mut response = answer(found);
            if known {
                response.extensions_mut().insert(Recognised);
            }
            response
        }
        Err(_) => refused(&busy("the answer took too long")),
    }
}

/// Reads a whole body. How long that may take is the listener's matter.
async fn gather(web: &WebState, body: Body) -> Result<Bytes, Refusal> {
    let (mut bytes, mut shared) = (BytesMut::new(), Vec::new());
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| unfinished(&error))?;
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(too_large());
        }
        let beyond = (bytes.len() + chunk.len()).saturating_sub(SMALL_BODY.max(bytes.len()));
        if beyond > 0 {
            let wanted = u32::try_from(beyond).unwrap_or(u32::MAX);
            let granted = web.inbox_bytes().try_acquire_many(wanted);
            shared.push(granted.map_err(|_| busy("many long activities are arriving at once"))?);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// A body that did not come to its end: too slow (may be sent again), or other than its head announced.
fn unfinished(error: &axum::Error) -> Refusal {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(found) = cause {
        if found.is::<TimeoutError>() {
            return Refusal::new(Code::SlowBody, "the body did not arrive in time; send it again");
        }
        cause = found.source();
    }
    Refusal::new(Code::BrokenBody, "the body ended before its announced end")
}

fn too_large() -> Refusal {
    Refusal::new(Code::TooLarge, format!("an activity has at most {MAX_BYTES} bytes"))
}

fn busy(why: &str) -> Refusal {
    Refusal::new(Code::Busy, format!("{why}; send it again"))
}

/// `GET /actor/records`: a page of what this partner may have, signed requests only (architecture §1).
pub async fn records(State(web): State<WebState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let reader = match web.inbox().verifier().get(&parts).await {
        Ok(reader) => reader,
        Err(refusal) => return refused(&refusal),
    };
    let query = parts.uri.query().unwrap_or_default();
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    match records::page(web.federation(), reader.partner(), records::Asked::of(&pairs)).await {
        Ok(page) => {
            let headers = [(header::CONTENT_TYPE, ACTIVITY_JSON), (header::CACHE_CONTROL, "private, no-store")];
            let mut response = (headers, page).into_response();
            response.extensions_mut().insert(Recognised);
            response
        }
        Err(error @ RecordsError::NotFollowing(_)) => refused(&Refusal::new(Code::Unsigned, error)),
        Err(error @ RecordsError::Cursor(_)) => refused(&Refusal::new(Code::InvalidId, error)),
        Err(RecordsError::Store(error)) => {
            tracing::error!(%error, "a page of records cannot be written");
            refused(&Refusal::new(Code::Busy, "the database does not answer; come again"))
        }
    }
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
