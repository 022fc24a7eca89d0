//! One question at a time, politely: pace, patience, and what the platform's refusals mean.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::queries::Field;
use crate::connectors::{ConnectorError, Courtesy};
use crate::domain::Clock;
use crate::outbound::{Client, Limits, OutboundError, Redirects, Request, Response, retry_after};

const SYSTEM: &str = "Decidim";
/// How many bytes of an answer are looked at to tell a web page from data.
const SNIFFED: usize = 256;

/// What a question brought: `data`, and what went wrong on the way.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) data: Value,
    pub(super) errors: Vec<Complaint>,
}

/// One entry of `errors`. Its message is in the platform's language; only codes are compared.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Complaint {
    #[serde(default)]
    message: Value,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Extensions {
    code: Option<String>,
    type_name: Option<String>,
    field_name: Option<String>,
}

impl Complaint {
    /// The code of the complaint, or the beginning of its message.
    pub(super) fn reason(&self) -> String {
        let message = || self.message.as_str().map(|text| text.chars().take(120).collect());
        self.extensions.code.clone().or_else(message).unwrap_or_else(|| "no reason given".to_owned())
    }

    /// The field that does not exist, when that is the complaint.
    pub(super) fn missing_field(&self) -> Option<Field> {
        let Extensions { code, type_name, field_name } = &self.extensions;
        match (code.as_deref(), type_name, field_name) {
            (Some("undefinedField"), Some(on), Some(name)) => Some(Field::new(on, name)),
            _ => None,
        }
    }
}

/// Asks one installation, and never two things at once.
pub(super) struct Polite {
    client: Client,
    clock: Arc<dyn Clock>,
    base: Url,
    courtesy: Courtesy,
    /// When the next request may start. Held while a request runs.
    turn: Mutex<Option<Instant>>,
    requests: AtomicU64,
}

impl Polite {
    pub(super) fn new(client: Client, clock: Arc<dyn Clock>, base: Url, courtesy: Courtesy) -> Self {
        Self { client, clock, base, courtesy, turn: Mutex::new(None), requests: AtomicU64::new(0) }
    }

    pub(super) const fn base(&self) -> &Url {
        &self.base
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// An address of the installation.
    pub(super) fn address(&self, path: &str) -> Url {
        self.base.join(path).unwrap_or_else(|_| self.base.clone())
    }

    /// Asks the GraphQL API; data with complaints is an answer, complaints alone too.
    pub(super) async fn ask(&self, query: &str, variables: Value) -> Result<Answer, ConnectorError> {
        self.ask_trying(query, variables, self.courtesy.retries).await
    }

    /// As [`Polite::ask`], for a question that may itself be what the platform stumbles over.
    pub(super) async fn ask_trying(&self, query: &str, variables: Value, retries: u32) -> Result<Answer, ConnectorError> {
        let url = self.address("/api");
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::post(url.clone(), body)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .within(Limits::PAGE);
        let mut left = retries;
        loop {
            let response = self.send(&request, &mut left).await?;
            match read_answer(&url, &response) {
                Err(error) if error.is_transient() && left > 0 => self.rest(retries, &mut left).await,
                answer => return answer,
            }
        }
    }

    /// Fetches a page or a file of the installation.
    pub(super) async fn fetch(&self, path: &str, limits: Limits, redirects: Redirects) -> Result<Response, ConnectorError> {
        let request = Request::get(self.address(path)).within(limits).redirects(redirects);
        let mut left = self.courtesy.retries;
        self.send(&request, &mut left).await
    }

    /// Sends a request until it is answered by something else than "too many" or "broken".
    async fn send(&self, request: &Request, left: &mut u32) -> Result<Response, ConnectorError> {
        let mut waits = self.courtesy.waits;
        let retries = *left;
        loop {
            let outcome = self.in_turn(request.clone()).await;
            let failing = |status: StatusCode| ConnectorError::Failing { url: plain(&request.url), status: status.as_u16() };
            let error = match outcome {
                Ok(response) if response.status == StatusCode::TOO_MANY_REQUESTS => {
                    if waits == 0 {
                        return Err(failing(response.status));
                    }
                    waits -= 1;
                    self.wait_out(&response).await;
                    continue;
                }
                Ok(response) if response.status.is_server_error() => failing(response.status),
                Ok(response) => return Ok(response),
                Err(source) if !source.is_transient() => return Err(unreachable(&request.url, source)),
                Err(source) => unreachable(&request.url, source),
            };
            if *left == 0 {
                return Err(error);
            }
            tracing::debug!(%error, "asking again");
            self.rest(retries, left).await;
        }
    }

    /// Sends one request when it is its turn.
    async fn in_turn(&self, request: Request) -> Result<Response, OutboundError> {
        let mut turn = self.turn.lock().await;
        if let Some(at) = *turn {
            tokio::time::sleep_until(at).await;
        }
        *turn = Some(Instant::now() + self.courtesy.between);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.client.send(request).await
    }

    /// Waits as long as the platform says; when it says nothing, until its minute is over: Decidim counts
    /// requests per minute of the clock and answers 429 without `Retry-After`.
    async fn wait_out(&self, response: &Response) {
        let now = self.clock.now();
        let to_next_minute = || {
            let into = u64::try_from(now.micros().rem_euclid(60_000_000)).unwrap_or_default();
            Duration::from_micros(60_000_000 - into) + Duration::from_millis(100)
        };
        let wait = retry_after(&response.headers, now).unwrap_or_else(to_next_minute);
        tracing::info!(seconds = wait.as_secs(), "the platform asks us to wait");
        tokio::time::sleep(wait).await;
    }

    /// Pauses before another attempt: longer each time.
    async fn rest(&self, retries: u32, left: &mut u32) {
        let attempt = retries.saturating_sub(*left).min(8);
        *left = left.saturating_sub(1);
        tokio::time::sleep(self.courtesy.back_off * 2_u32.pow(attempt)).await;
    }
}

/// An address without query, for messages.
pub(super) fn plain(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

fn unreachable(url: &Url, source: OutboundError) -> ConnectorError {
    ConnectorError::Unreachable { url: plain(url), source }
}

/// Whether a redirect leads to the login page.
pub(super) fn leads_to_login(location: &str) -> bool {
    location.contains("/users/sign_in") || location.contains("/users/auth")
}

fn read_answer(url: &Url, response: &Response) -> Result<Answer, ConnectorError> {
    let url_text = plain(url);
    let status = response.status.as_u16();
    let location = response.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match status {
        200 => {}
        401 | 403 => return Err(ConnectorError::LoginWanted { url: url_text, status }),
        300..=399 if leads_to_login(location) => return Err(ConnectorError::LoginWanted { url: url_text, status }),
        300..=399 => {
            let target = url.join(location).map_or_else(|_| "another address".to_owned(), |to| to.origin().ascii_serialization());
            let lost = location.ends_with("/system/") || location.ends_with("/system");
            let found = "it knows no platform under this host name".to_owned();
            return Err(if lost {
                ConnectorError::NotThisPlatform { url: url_text, system: SYSTEM, found }
            } else {
                ConnectorError::Moved { url: url_text, to: target }
            });
        }
        _ => return Err(ConnectorError::NotThisPlatform { url: url_text, system: SYSTEM, found: format!("status {status}") }),
    }
    let start = response.body.iter().take(SNIFFED).find(|byte| !byte.is_ascii_whitespace());
    if start == Some(&b'<') {
        return Err(ConnectorError::NotThisPlatform { url: url_text, system: SYSTEM, found: "a web page".to_owned() });
    }
    let broken = |reason: &str| ConnectorError::Broken { url: url_text.clone(), reason: reason.to_owned() };
    let value: Value = serde_json::from_slice(&response.body)
        .map_err(|error| broken(if error.is_eof() { "JSON that ends in the middle" } else { "not JSON" }))?;
    let Value::Object(mut object) = value else { return Err(broken("JSON, but not an object")) };
    let data = object.remove("data").unwrap_or_default();
    // An entry we cannot read is still an entry: it must not look like an answer without errors.
    let errors = match object.remove("errors") {
        Some(Value::Array(entries)) => entries.into_iter().map(|e| serde_json::from_value(e).unwrap_or_default()).collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(_) => vec![Complaint::default()],
    };
    if !(data.is_object() || data.is_null() && !errors.is_empty()) {
        let found = "JSON of another kind".to_owned();
        return Err(ConnectorError::NotThisPlatform { url: url_text, system: SYSTEM, found });
    }
    Ok(Answer { data, errors })
}
