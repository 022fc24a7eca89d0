//! From [`Answer`] and [`WebError`] to HTTP, once for all addresses: what is kept is answered from
//! memory, conditional requests get 304, errors get a page in the reader's language.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, LOCATION, RETRY_AFTER, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::answer::{Answer, Sharing};
use super::coding::Coding;
use super::error::WebError;
use super::frame::Frame;
use super::headers::harden;
use super::kept::Kept;
use super::language::Language;
use super::negotiate::Form;
use super::state::WebState;
use super::urls::Address;
use super::visit::Visit;

/// What of a request an answer depends on.
const VARIES: HeaderValue = HeaderValue::from_static("Accept, Accept-Language, Accept-Encoding");

/// The page of a failure.
#[derive(Debug, Template)]
#[template(path = "problem.html", config = "src/web/askama.toml")]
pub struct ProblemPage {
    /// The frame.
    pub f: Frame,
    /// What happened and what to do.
    pub sentence: String,
    /// What to quote.
    pub number: Option<String>,
}

/// Where an answer is to be kept, decided before it is made.
#[derive(Debug, Clone)]
struct Place {
    key: String,
    stamp: u64,
}

/// The outermost layer: what is kept is answered from memory before anything else is done, and nothing leaves
/// without the security headers.
pub async fn recall(State(web): State<WebState>, mut request: Request, next: Next) -> Response {
    let visit = Visit::read(request.uri(), request.headers(), &web.site().languages);
    let asked = Asked::of(&request);
    // A signature may entitle its owner to more: such answers are never kept nor taken from memory. Nor is
    // anything for who refuses every coding: the layer that packs answers that.
    if let Some(coding) = asked.coding.filter(|_| asked.reads && !asked.signed)
        && let Ok(stamp) = web.cache().stamp(web.store()).await
    {
        let key = visit.cache_key();
        if let Some(kept) = web.cache().get(&key, stamp) {
            return kept.respond(coding, &asked).await;
        }
        request.extensions_mut().insert(Place { key, stamp });
    }
    request.extensions_mut().insert(visit);
    harden(next.run(request).await)
}

/// The layer around every address whose answer is to be made.
pub async fn deliver(State(web): State<WebState>, mut request: Request, next: Next) -> Response {
    let known = request.extensions().get::<Visit>().cloned();
    let visit = known.unwrap_or_else(|| Visit::read(request.uri(), request.headers(), &web.site().languages));
    let asked = Asked::of(&request);
    let place = request.extensions_mut().remove::<Place>();
    let mut response = next.run(request).await;
    let answer = response.extensions_mut().remove::<Arc<Answer>>();
    let failure = response.extensions_mut().remove::<WebError>();
    match (answer, failure.or_else(|| unframed(&response))) {
        (Some(answer), _) => {
            let may_keep = matches!(answer.sharing, Sharing::Forever | Sharing::Everybody);
            match (place.filter(|_| may_keep), asked.coding) {
                (Some(Place { key, stamp }), Some(coding)) => {
                    let kept = Arc::new(Kept::new(answer, visit.language));
                    web.cache().put(key, stamp, Arc::clone(&kept));
                    kept.respond(coding, &asked).await
                }
                _ => write(&answer, &visit, &asked),
            }
        }
        (None, Some(error)) => problem(&web, &visit, &asked, &error, response.headers()),
        (None, None) => response,
    }
}

/// What of a request decides about the form of its answer.
#[derive(Debug)]
pub struct Asked {
    /// Whether only the head is wanted.
    pub head: bool,
    reads: bool,
    signed: bool,
    coding: Option<Coding>,
    if_none_match: Option<String>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let headers = request.headers();
        let tags: Vec<&str> = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
        Self {
            head: request.method() == Method::HEAD,
            reads: matches!(*request.method(), Method::GET | Method::HEAD),
            signed: headers.contains_key("signature") || headers.contains_key(AUTHORIZATION),
            coding: Coding::of(headers),
            if_none_match: (!tags.is_empty()).then(|| tags.join(",")),
        }
    }

    /// Whether who asks has this answer already, in whatever coding.
    #[must_use]
    pub fn has_unchanged(&self, answer: &Answer) -> bool {
        let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let names = |tag: &str| tag.trim() == "*" || bare(tag) == bare(&answer.etag);
        answer.status == StatusCode::OK
            && self.reads
            && self.if_none_match.as_deref().is_some_and(|tags| tags.split(',').any(names))
    }
}

/// The headers of an answer that do not depend on its coding, and that "not modified" repeats.
#[must_use]
pub fn head(answer: &Answer, language: Language) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(24);
    set(&mut headers, ETAG, &answer.etag);
    headers.insert(VARY, VARIES);
    let caching = match answer.sharing {
        Sharing::Forever => "public, max-age=31536000, immutable",
        Sharing::Everybody | Sharing::ByQuery => "public, no-cache",
        Sharing::OneReader => "private, no-store",
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if answer.open {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    if answer.translated {
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    }
    if let Some(location) = &answer.location {
        set(&mut headers, LOCATION, location);
    }
    if answer.noindex {
        headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    }
    headers
}

/// An answer that is not kept; the layer outside packs it.
fn write(answer: &Answer, visit: &Visit, asked: &Asked) -> Response {
    let mut headers = head(answer, visit.language);
    if asked.has_unchanged(answer) {
        return respond(StatusCode::NOT_MODIFIED, headers, Body::empty());
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(answer.body.len()));
    let body = if asked.head { Body::empty() } else { Body::from(answer.body.clone()) };
    respond(answer.status, headers, body)
}

fn problem(web: &WebState, visit: &Visit, asked: &Asked, error: &WebError, made_below: &HeaderMap) -> Response {
    let (title, sentence) = match error {
        WebError::NotFound => ("error-404-title", "error-404"),
        WebError::MethodNotAllowed => ("error-405-title", "error-405"),
        WebError::TooLarge => ("error-413-title", "error-413"),
        WebError::TimedOut => ("error-503-title", "error-503"),
        WebError::Internal { .. } => ("error-500-title", "error-500"),
    };
    let number = if let WebError::Internal { number } = error { Some(number.clone()) } else { None };
    let texts = web.texts(visit.language);
    let (content_type, body) = if visit.form == Form::Machine || !asked.reads {
        let problem = serde_json::json!({
            "type": "about:blank", "title": texts.say(title), "status": error.status().as_u16(),
            "detail": texts.say(sentence), "instance": number,
        });
        ("application/problem+json", problem.to_string())
    } else {
        let here = Address::fixed(visit.path.as_str());
        let mut frame = web.frame(visit, texts.say(title), here);
        frame.error = true;
        frame.noindex = true;
        let sentence = frame.say(sentence);
        let page = ProblemPage { f: frame, sentence, number };
        // Writing to a string fails only when a template does; then the bare title has to do.
        ("text/html; charset=utf-8", page.render().unwrap_or_else(|_| page.f.title.clone()))
    };
    let mut headers = HeaderMap::new();
    set(&mut headers, CONTENT_TYPE, content_type);
    set(&mut headers, CONTENT_LANGUAGE, visit.language.tag());
    set(&mut headers, CONTENT_LENGTH, &body.len().to_string());
    headers.insert(VARY, VARIES);
    set(&mut headers, CACHE_CONTROL, "no-store");
    for name in [ALLOW, RETRY_AFTER] {
        if let Some(value) = made_below.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    if *error == WebError::TimedOut {
        set(&mut headers, RETRY_AFTER, "10");
    }
    respond(error.status(), headers, if asked.head { Body::empty() } else { Body::from(body) })
}

/// The error that a bare status of a layer below stands for.
fn unframed(response: &Response) -> Option<WebError> {
    if response.headers().contains_key(CONTENT_TYPE) { None } else { WebError::of_status(response.status()) }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Values are ours, or addresses that were parsed: a header can always hold them.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn respond(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
