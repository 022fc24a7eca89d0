//! The HTTP face of a simulated Decidim: `POST /api`, the public pages of processes and their things, the open-data download
//! with its two redirects, the throttle. Markup is not the platform's; status codes are.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State as Extract;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

use super::faults::{Distortion, Fault};
use super::graphql::{self, Answered, Asked};
use super::things::On;
use super::{City, Download, bend, open_data};

pub(super) fn router(city: Arc<City>) -> Router {
    Router::new().fallback(serve).with_state(city)
}

async fn serve(Extract(city): Extract<Arc<City>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let serial = city.requests.fetch_add(1, Ordering::Relaxed);
    if city.faults.is_too_many(city.clock.now()) {
        return too_many();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost").to_owned();
    let base = format!("http://{host}");
    let path = uri.path().trim_end_matches('/');
    match (&method, path) {
        (&Method::POST, "/api") => api(&city, &uri, &headers, &body, base, serial).await,
        (&Method::GET | &Method::HEAD, "/api") => moved(StatusCode::MOVED_PERMANENTLY, &format!("{base}/api/docs")),
        (&Method::GET | &Method::HEAD, _) => page(&city, path, &host, &base, serial),
        _ => html(StatusCode::NOT_FOUND, "404"),
    }
}

fn too_many() -> Response {
    (StatusCode::TOO_MANY_REQUESTS, [(header::CONTENT_TYPE, "text/plain"), (header::CACHE_CONTROL, "no-cache")], "Retry later\n")
        .into_response()
}

fn moved(status: StatusCode, to: &str) -> Response {
    (status, [(header::LOCATION, to)]).into_response()
}

fn html(status: StatusCode, text: &str) -> Response {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"fr\"><head><title>{escaped}</title></head><body><h1>{escaped}</h1></body></html>\n"
    );
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

async fn api(city: &City, uri: &Uri, headers: &HeaderMap, body: &[u8], base: String, serial: u64) -> Response {
    let asked = match parse(uri, headers, body) {
        Ok(asked) => asked,
        Err(answered) => return sent(&answered),
    };
    let fault = city.faults.next(&asked.query);
    match fault {
        Some(Fault::ServerError) => return sent(&Answered::crash()),
        Some(Fault::TooManyRequests) => return too_many(),
        Some(Fault::LoginPage) => return html(StatusCode::OK, "Connexion"),
        Some(Fault::HangUp) => {
            let broken = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("hung up")) });
            return Body::from_stream(broken).into_response();
        }
        Some(Fault::Slow(delay)) => tokio::time::sleep(delay).await,
        _ => {}
    }
    let asked = Asked { base, serial, distortion: Distortion::from(fault), ..asked };
    let mut answered = city.read(|state| graphql::answer(state, &asked));
    {
        let mut state = city.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = super::written(city.clock.now());
        city.faults.act(&mut state, &asked.query);
    }
    if let Some(fault) = fault {
        bend::bend(fault, &mut answered.body);
    }
    if fault == Some(Fault::Flood)
        && let Some(text) = bend::flood(&answered.body)
    {
        return ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], text).into_response();
    }
    if fault == Some(Fault::TruncatedJson) {
        let whole = answered.body.to_string();
        let half: String = whole.chars().take(whole.chars().count() / 2).collect();
        return ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], half).into_response();
    }
    sent(&answered)
}

fn sent(answered: &Answered) -> Response {
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = answered.body.to_string();
    let etag = format!("W/\"{}\"", &HEXLOWER.encode(digest(&SHA256, body.as_bytes()).as_ref())[..32]);
    let mut response =
        (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8"), (header::VARY, "Accept, Origin")], body)
            .into_response();
    let cache = if status.is_success() { "max-age=0, private, must-revalidate" } else { "no-cache" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if status.is_success()
        && let Ok(etag) = etag.parse()
    {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// The query of a request, wherever the platform looks for it.
fn parse(uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Asked, Answered> {
    let missing = || Answered::refused(&[json!({ "message": "No query string was present" })]);
    let mut parameters: BTreeMap<String, String> = pairs(uri.query().unwrap_or_default().as_bytes());
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") {
        let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(body) else { return Err(Answered::crash()) };
        let query = match fields.remove("query") {
            Some(Value::String(query)) => Some(query),
            _ => parameters.remove("query"),
        };
        let Some(query) = query else { return Err(Answered::crash()) };
        let operation = fields.remove("operationName").and_then(|name| name.as_str().map(str::to_owned));
        let variables = match fields.remove("variables") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(variables)) => variables,
            Some(Value::String(text)) if text.is_empty() => Map::new(),
            Some(Value::String(text)) => serde_json::from_str(&text).map_err(|_| Answered::crash())?,
            Some(_) => return Err(Answered::crash()),
        };
        return Ok(Asked { query, operation, variables, ..Asked::default() });
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        parameters.extend(pairs(body));
    } else if parameters.is_empty() && body.is_empty() {
        return Err(Answered::crash());
    }
    let query = parameters.remove("query").ok_or_else(missing)?;
    let variables = parameters.remove("variables").and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    Ok(Asked { query, operation: parameters.remove("operationName"), variables, ..Asked::default() })
}

fn pairs(encoded: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(encoded).into_owned().collect()
}

/// A public page, a download, or what the platform answers instead.
fn page(city: &City, path: &str, host: &str, base: &str, serial: u64) -> Response {
    let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
    match steps.as_slice() {
        [] | ["processes" | "open-data"] => html(StatusCode::OK, "Participer"),
        ["open-data", "download"] => download(city, host, base, serial),
        ["rails", "active_storage", "blobs", "redirect", signature, file] => {
            moved(StatusCode::FOUND, &format!("{base}/rails/active_storage/disk/{signature}/{file}"))
        }
        ["rails", "active_storage", "disk", _, file] if file.ends_with("-open-data.zip") => archive(city, base),
        ["rails", "active_storage", "disk", _, _] => (StatusCode::OK, "an attachment").into_response(),
        ["processes", slug, rest @ ..] => process_page(city, slug, rest, base),
        _ => html(StatusCode::NOT_FOUND, "404"),
    }
}

fn process_page(city: &City, slug: &str, rest: &[&str], base: &str) -> Response {
    let not_found = || html(StatusCode::NOT_FOUND, "404");
    let sign_in = || moved(StatusCode::FOUND, &format!("{base}/users/sign_in"));
    city.read(|state| {
        let Some(process) = state.processes.iter().find(|p| p.slug() == slug && !p.trashed) else { return not_found() };
        if !process.is_public() {
            return sign_in();
        }
        let component = match rest {
            [] => return html(StatusCode::OK, slug),
            ["f", number, ..] => number.parse().ok().and_then(|id| state.component(id)),
            _ => return not_found(),
        };
        let Some(component) = component.filter(|c| c.process == process.id && !c.trashed) else { return not_found() };
        if component.unpublished {
            return sign_in();
        }
        let (on, id) = match rest {
            ["f", _] | ["f", _, "proposals" | "meetings" | "results" | "budgets"] | ["f", _, "budgets", _] => {
                return html(StatusCode::OK, slug);
            }
            ["f", _, "proposals", id] => (On::Proposal, id),
            ["f", _, "meetings", id] => (On::Meeting, id),
            ["f", _, "results", id] => (On::Result, id),
            ["f", _, "budgets", _, "projects", id] => (On::Project, id),
            _ => return not_found(),
        };
        let asked = format!("/processes/{slug}/{}", rest.join("/"));
        let is_its_page = |id: u64| state.path_of(on, id).as_deref() == Some(asked.as_str()) && state.is_shown(on, id);
        if id.parse().is_ok_and(is_its_page) { html(StatusCode::OK, &format!("{slug} {id}")) } else { not_found() }
    })
}

/// 302 to a signed address that differs at every request, or to the page about open data when there is no file.
fn download(city: &City, host: &str, base: &str, serial: u64) -> Response {
    if matches!(*city.download.lock().unwrap_or_else(PoisonError::into_inner), Download::Missing) {
        return moved(StatusCode::FOUND, &format!("{base}/open-data"));
    }
    let name = host.split(':').next().unwrap_or(host);
    moved(StatusCode::FOUND, &format!("{base}/rails/active_storage/blobs/redirect/eyJzaW0{serial:08x}/{name}-open-data.zip"))
}

fn archive(city: &City, base: &str) -> Response {
    let download = city.download.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let files = match download {
        Download::Live => city.read(|state| open_data::files(state, base)),
        Download::Frozen(files) => files,
        Download::Missing => return html(StatusCode::NOT_FOUND, "404"),
    };
    let name = base.trim_start_matches("http://").split(':').next().unwrap_or("localhost").to_owned();
    match open_data::archive(&name, &files) {
        Ok(zip) => ([(header::CONTENT_TYPE, "application/zip")], zip).into_response(),
        Err(_) => html(StatusCode::INTERNAL_SERVER_ERROR, "500"),
    }
}
