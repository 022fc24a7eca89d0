//! What operators and machines ask about the installation itself: health, readiness, where to report
//! a security hole.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::web::error::WebError;
use crate::web::state::WebState;
use crate::web::urls::Address;

/// How long a `security.txt` says it is good for: less than a year (RFC 9116 §2.5.5).
const GOOD_FOR: std::time::Duration = std::time::Duration::from_hours(180 * 24);

/// `GET /healthz`: the process answers.
pub async fn health() -> Response {
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], "ok\n").into_response()
}

/// `GET /readyz`: the database answers too.
pub async fn ready(State(web): State<WebState>) -> Response {
    let answers = web.store().read().await.is_ok();
    let (status, text) =
        if answers { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n") };
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// `GET /.well-known/security.txt` (RFC 9116).
pub async fn security(State(web): State<WebState>) -> Result<Response, WebError> {
    let legal = &web.site().legal;
    let contact = legal.security_contact.as_ref().or(legal.contact.as_ref()).map_or_else(
        || Address::fixed("/contact").absolute(web.public_url(), None),
        |contact| if contact.contains(':') { contact.clone() } else { format!("mailto:{contact}") },
    );
    let expires = web.clock().now().whole_second().plus(GOOD_FOR);
    let canonical = Address::fixed("/.well-known/security.txt").absolute(web.public_url(), None);
    let contact = contact.replace(['\r', '\n'], " ");
    let languages = web.site().languages.iter().map(|language| language.tag()).collect::<Vec<_>>().join(", ");
    let text = format!("Contact: {contact}\nExpires: {expires}\nPreferred-Languages: {languages}\nCanonical: {canonical}\n");
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}
