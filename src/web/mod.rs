//! What people and machines see of the gateway: every public address, in one router.
//!
//! One address has two forms: a page for people, ActivityPub JSON for machines ([`negotiate`]). Pages
//! are made of [`view`] values (domain values as one reader sees them) and templates; machines get the
//! sealed bytes untouched. [`deliver`] is the one place that turns answers into HTTP. Rules of who may
//! do what stay below, in `federation`; the console has its own listener and is not here.

pub mod activitypub;
pub mod answer;
pub mod assets;
pub mod cache;
pub mod coding;
pub mod deliver;
pub mod error;
pub mod frame;
pub mod headers;
pub mod html;
pub mod i18n;
pub mod kept;
pub mod language;
mod names;
pub mod negotiate;
pub mod pages;
pub mod reading;
pub mod site;
pub mod state;
pub mod urls;
pub mod view;
pub mod visit;

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

pub use activitypub::doors::Recognised;
pub use error::WebError;
pub use site::Site;
pub use state::WebState;

/// A page that takes longer is given up (HRD 4.1).
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);
/// Pages take no body; what is sent is not read beyond this.
const PAGE_BODY: usize = 64 * 1024;

/// Every public address of the gateway.
pub fn router(web: WebState) -> Router {
    use activitypub::{activities, actor, collections, doors, held, receipts};
    use pages::{commitments, consultations, copies, discovery, home, notices, partners, records, revisions, theme};
    let mut pages = Router::new()
        .route("/", get(home::home))
        .route("/consultations", get(consultations::list))
        .route("/consultations/{key}", get(records::consultation))
        .route("/consultations/{key}/{list}", get(consultations::below))
        .route("/contributions/{key}", get(records::contribution))
        .route("/contributions/{key}/revisions", get(revisions::list))
        .route("/contributions/{key}/revisions/{n}", get(revisions::revision))
        .route("/comments/{key}", get(records::comment))
        .route("/responses/{key}", get(records::response))
        .route("/dispositions/{key}", get(records::disposition))
        .route("/meetings/{key}", get(records::meeting))
        .route("/projects/{key}", get(records::project))
        .route("/polls/{key}", get(records::poll))
        .route("/decisions/{key}", get(records::decision))
        .route("/commitments", get(commitments::list))
        .route("/commitments/{key}", get(records::commitment))
        .route("/commitments/{key}/progress", get(collections::progress))
        .route("/results/{key}", get(records::result))
        .route("/documents/{key}", get(records::document))
        .route("/themes/{key}", get(theme::theme))
        .route("/from/{domain}", get(held::held))
        .route("/from/{domain}/{class}/{key}", get(copies::copy))
        .route("/from/{domain}/{class}/{key}/{list}", get(copies::list))
        .route("/partners", get(partners::list))
        .route("/partners/{domain}", get(partners::partner))
        .route("/accessibilite", get(notices::accessibility))
        .route("/mentions-legales", get(notices::legal))
        .route("/donnees-personnelles", get(notices::privacy))
        .route("/plan-du-site", get(notices::sitemap))
        .route("/aide", get(notices::help))
        .route("/contact", get(notices::contact))
        .route("/eco-conception", get(notices::eco))
        .route("/source", get(notices::source))
        .route(notices::SOURCE_ARCHIVE, get(notices::source_archive))
        .route("/ns", get(notices::vocabulary))
        .route("/ns/v1", get(actor::context))
        .route("/actor", get(actor::actor))
        .route("/actor/outbox", get(collections::outbox))
        .route("/actor/followers", get(collections::followers))
        .route("/consultations/{key}/followers", get(collections::consultation_followers))
        .route("/activities/{key}", get(activities::activity))
        .route("/receipts/{key}", get(receipts::receipt))
        .route("/.well-known/webfinger", get(activitypub::discovery::webfinger))
        .route("/.well-known/nodeinfo", get(activitypub::discovery::nodeinfo_links))
        .route("/nodeinfo/2.1", get(activitypub::discovery::nodeinfo))
        .route("/assets/{name}", get(assets::get))
        .route("/healthz", get(discovery::health))
        .route("/readyz", get(discovery::ready))
        .route("/.well-known/security.txt", get(discovery::security));
    for (alias, _) in notices::ALIASES {
        pages = pages.route(alias, get(notices::alias));
    }
    // Behind the doors raw headers and bytes count: no form, no cache, no page in case of an error.
    let doors = Router::new()
        .route("/actor/inbox", post(doors::inbox))
        .route("/actor/records", get(doors::records))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, PAGE_TIMEOUT))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(map_response(async |response: Response| headers::harden(response)));
    // One layer of several, the outermost first: each `Router::layer` would be a box to clone for every request.
    let around = ServiceBuilder::new()
        .layer(from_fn_with_state(web.clone(), deliver::recall))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(web.clone(), deliver::deliver))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, PAGE_TIMEOUT))
        .layer(RequestBodyLimitLayer::new(PAGE_BODY));
    pages
        .fallback(async || WebError::NotFound)
        .method_not_allowed_fallback(async || WebError::MethodNotAllowed)
        .layer(around)
        .merge(doors)
        .with_state(web)
}

/// A handler panicked: the reader gets a number, the log the message.
#[expect(clippy::needless_pass_by_value, reason = "the form that tower-http asks for")]
fn after_panic(cause: Box<dyn std::any::Any + Send>) -> Response {
    let message = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    WebError::internal("a handler panicked", &message.unwrap_or("no message")).into_response()
}
