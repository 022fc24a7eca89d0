//! One request, one answer, within its limits.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::header::LOCATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::redirect;
use url::Url;

use super::error::OutboundError;
use super::flights::Flights;
use super::gate::{Policy, Way, admit, authority_of};
use super::lookup::Lookups;
use super::resolver::{Guard, Refusal};

const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(30);
const MAX_IDLE_PER_HOST: usize = 4;
const MAX_HEADERS: usize = 100;
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// How long and how much one exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For everything from the name look-up to the last byte, redirects included.
    pub deadline: Duration,
    /// Bytes of body, counted after decompression.
    pub body: usize,
}

impl Limits {
    /// A document of a partner: 1 MiB, 10 s.
    pub const OBJECT: Self = Self { deadline: Duration::from_secs(10), body: 1 << 20 };
    /// The answer to a delivery: 64 KiB, 30 s.
    pub const DELIVERY: Self = Self { deadline: Duration::from_secs(30), body: 64 << 10 };
    /// A page of a platform's API or of a partner's collection: 16 MiB, 60 s.
    pub const PAGE: Self = Self { deadline: Duration::from_mins(1), body: 16 << 20 };
    /// A download of a platform: 64 MiB, 180 s.
    pub const DOWNLOAD: Self = Self { deadline: Duration::from_mins(3), body: 64 << 20 };
}

/// What to do with a 301, 302, 303, 307 or 308.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// It is the answer.
    Keep,
    /// Ask there instead, at most this many times, as long as scheme, host and port stay the same. GET and HEAD only.
    SameOrigin(u8),
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// Headers beside `User-Agent` and what transport needs.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// The limits of the exchange.
    pub limits: Limits,
    /// What to do with redirects.
    pub redirects: Redirects,
}

impl Request {
    /// A GET with [`Limits::OBJECT`] that follows no redirect.
    #[must_use]
    pub fn get(url: Url) -> Self {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        Self { method: Method::GET, url, headers, body, limits: Limits::OBJECT, redirects: Redirects::Keep }
    }

    /// A POST with [`Limits::DELIVERY`] that follows no redirect.
    #[must_use]
    pub fn post(url: Url, body: impl Into<Bytes>) -> Self {
        Self { method: Method::POST, body: body.into(), limits: Limits::DELIVERY, ..Self::get(url) }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The same within other limits.
    #[must_use]
    pub const fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same, following redirects as said.
    #[must_use]
    pub const fn redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = redirects;
        self
    }
}

/// What was answered, whatever its status.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, decompressed.
    pub body: Bytes,
    /// The address that answered: after redirects the last one.
    pub url: Url,
}

/// The only thing that opens a connection to another machine. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    policy: Arc<Policy>,
    flights: Arc<Flights>,
    secure: reqwest::Client,
    plain: reqwest::Client,
}

impl Client {
    /// A client under `policy`.
    ///
    /// # Errors
    /// [`OutboundError::Setup`] when an extra certificate cannot be read or TLS does not start.
    pub fn new(policy: Policy) -> Result<Self, OutboundError> {
        let policy = Arc::new(policy);
        let lookups = Arc::default();
        let (secure, plain) = (build(&policy, &lookups, Way::Secure)?, build(&policy, &lookups, Way::Plain)?);
        Ok(Self { policy, flights: Arc::default(), secure, plain })
    }

    /// The policy it works under.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Sends one request and reads the whole answer. Any status is an answer.
    ///
    /// # Errors
    /// [`OutboundError`] when there is no complete answer within the limits, or the address is not allowed.
    pub async fn send(&self, request: Request) -> Result<Response, OutboundError> {
        let (host, after) = (authority_of(&request.url), request.limits.deadline);
        let exchange = tokio::time::timeout(after, self.follow(request));
        exchange.await.unwrap_or(Err(OutboundError::Timeout { host, after }))
    }

    async fn follow(&self, mut request: Request) -> Result<Response, OutboundError> {
        let mut left = match request.redirects {
            Redirects::SameOrigin(hops) if matches!(request.method, Method::GET | Method::HEAD) => hops,
            _ => return self.exchange(request).await,
        };
        loop {
            let response = self.exchange(request.clone()).await?;
            if !matches!(response.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            request.url = next_hop(&response, left)?;
            left -= 1;
        }
    }

    async fn exchange(&self, request: Request) -> Result<Response, OutboundError> {
        let way = admit(&self.policy, &request.url)?;
        let host = authority_of(&request.url);
        let client = if way == Way::Secure { &self.secure } else { &self.plain };
        let mut outgoing = reqwest::Request::new(request.method, request.url.clone());
        *outgoing.headers_mut() = request.headers;
        if !request.body.is_empty() {
            *outgoing.body_mut() = Some(request.body.into());
        }
        let _flight = self.flights.begin(&host).await;
        let answer = client.execute(outgoing).await.map_err(|error| classify(&host, &error))?;
        // What was checked is what was connected to; should that ever fail, nothing of the answer is used.
        if answer.remote_addr().is_some_and(|remote| !self.policy.expects(remote, way)) {
            return Err(OutboundError::Denied { host, reason: "the connection went elsewhere".to_owned() });
        }
        let (status, headers) = (answer.status(), answer.headers().clone());
        let header_bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if headers.len() > MAX_HEADERS || header_bytes > MAX_HEADER_BYTES {
            return Err(OutboundError::TooManyHeaders { host });
        }
        let body = read_capped(&host, answer, request.limits.body).await?;
        Ok(Response { status, headers, body, url: request.url })
    }
}

/// Where a redirect leads, if it may be followed.
fn next_hop(response: &Response, left: u8) -> Result<Url, OutboundError> {
    let refused = |to: String| Err(OutboundError::Redirect { host: authority_of(&response.url), to });
    let Some(location) = response.headers.get(LOCATION).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty())
    else {
        return refused("nowhere (no Location)".to_owned());
    };
    if left == 0 {
        return refused("too often".to_owned());
    }
    match response.url.join(location) {
        Ok(next) if next.origin() == response.url.origin() && next != response.url => Ok(next),
        Ok(next) if next == response.url => refused("to itself".to_owned()),
        Ok(next) => refused(format!("to {}://{}", next.scheme(), authority_of(&next))),
        Err(_) => refused("to something that is not an address".to_owned()),
    }
}

async fn read_capped(host: &str, answer: reqwest::Response, limit: usize) -> Result<Bytes, OutboundError> {
    let too_large = || OutboundError::TooLarge { host: host.to_owned(), limit };
    if answer.content_length().is_some_and(|length| usize::try_from(length).is_ok_and(|length| length > limit)) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    let mut stream = answer.bytes_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| classify(host, &error))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Puts reqwest's error into our words; its own text can hold the whole address.
fn classify(host: &str, error: &reqwest::Error) -> OutboundError {
    let host = host.to_owned();
    let mut deepest: &(dyn std::error::Error + 'static) = error;
    while let Some(source) = deepest.source() {
        deepest = source;
        match deepest.downcast_ref::<Refusal>() {
            Some(Refusal::Denied(reason)) => return OutboundError::Denied { host, reason: reason.clone() },
            Some(Refusal::Unresolved(reason)) => return OutboundError::Unresolved { host, reason: reason.clone() },
            None => {}
        }
    }
    let reason = if error.source().is_some() { deepest.to_string() } else { "no further detail".to_owned() };
    let reason = reason.chars().take(160).collect();
    if error.is_timeout() {
        OutboundError::Timeout { host, after: CONNECT_DEADLINE }
    } else if error.is_connect() {
        OutboundError::Unreachable { host, reason }
    } else {
        OutboundError::Broken { host, reason }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that builds clients")]
fn build(policy: &Arc<Policy>, lookups: &Arc<Lookups>, way: Way) -> Result<reqwest::Client, OutboundError> {
    let setup = |error: reqwest::Error| OutboundError::Setup(error.to_string());
    let mut roots = Vec::new();
    for pem in &policy.extra_roots {
        roots.extend(reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(setup)?);
    }
    let named = !policy.user_agent.is_empty();
    let user_agent = if named { &policy.user_agent } else { concat!("Passerelle/", env!("CARGO_PKG_VERSION")) };
    let mut builder = reqwest::Client::builder()
        .user_agent(user_agent)
        .no_proxy()
        .referer(false)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .https_only(way == Way::Secure)
        .dns_resolver(Guard { policy: Arc::clone(policy), lookups: Arc::clone(lookups), way })
        .connect_timeout(CONNECT_DEADLINE)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
        .http1_max_headers(MAX_HEADERS)
        .http2_max_header_list_size(u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX));
    if !roots.is_empty() {
        builder = builder.tls_certs_merge(roots);
    }
    builder.build().map_err(setup)
}
