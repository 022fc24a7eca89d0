//! A request as a text that people and mutators can both write: `POST /inbox`, header lines, an empty
//! line, the body. In header values `$256` and `$512` stand for the digest of the body in base64.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use url::Url;

use passerelle::federation::signature::Head;

/// What a request says.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// The headers, in order.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Reads the text; none when an HTTP server would not even have handed it on.
    #[must_use]
    pub fn read(data: &[u8]) -> Option<Self> {
        let end = data.windows(2).position(|two| two == b"\n\n");
        let (head, body) = end.map_or((data, &[][..]), |at| (&data[..at], &data[at + 2..]));
        let mut lines = head.split(|byte| *byte == b'\n');
        let first = lines.next()?;
        let space = first.iter().position(|byte| *byte == b' ')?;
        let method = Method::from_bytes(&first[..space]).ok()?;
        let uri = Uri::try_from(&first[space + 1..]).ok()?;
        let target = uri.path_and_query()?.as_str().to_owned();
        let (short, long) = (STANDARD.encode(digest(&SHA256, body)), STANDARD.encode(digest(&SHA512, body)));
        let mut headers = HeaderMap::new();
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            let value = replace(&replace(&line[colon + 1..], b"$256", short.as_bytes()), b"$512", long.as_bytes());
            headers.try_append(name, HeaderValue::from_bytes(value.trim_ascii()).ok()?).ok()?;
        }
        Some(Self { method, target, headers, body: body.to_vec() })
    }

    /// Its head, as received by the gateway at `origin`.
    #[must_use]
    pub fn head<'a>(&'a self, origin: &'a Url) -> Head<'a> {
        Head { method: &self.method, origin, target: &self.target, headers: &self.headers }
    }

    /// The one value of a header as text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The same request with another value of a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("what was read from a header fits into one");
        self.headers.insert(name, value);
        self
    }

    /// Whether it has a body that a signature must cover.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.method != Method::GET && self.method != Method::HEAD
    }
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}
