//! HTTP message signatures, both schemes, exactly as far as security.md §0.3 allows them.
//!
//! [`cavage`] is draft-cavage-12, which the Fediverse speaks; [`rfc9421`] is what gateways speak among
//! themselves. Reading a signature ([`read`]) looks at headers only and touches neither keys nor
//! network; the result is then checked against the pinned key. The digest over the body is
//! [`digest_header`]'s, the clock rules are [`window`]'s.

pub mod cavage;
mod dictionary;
pub mod digest_header;
pub mod rfc9421;
pub mod window;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, HeaderName, TRANSFER_ENCODING};
use http::{HeaderMap, Method};
use url::Url;

pub use cavage::sign_cavage;
pub use rfc9421::{sign_rfc9421, sign_rfc9421_rsa};

use super::keys::PublicKey;
use super::refusal::{Code, Refusal};
use crate::domain::Timestamp;
use crate::store::Scheme;

/// `Digest` (RFC 3230).
pub const DIGEST: HeaderName = HeaderName::from_static("digest");
/// `Content-Digest` (RFC 9530).
pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
/// `Signature` of either scheme.
pub const SIGNATURE: HeaderName = HeaderName::from_static("signature");
/// `Signature-Input` (RFC 9421).
pub const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");

/// Headers of which a request has one at most (step 3; SEC-004, SEC-005).
const SINGLE: [HeaderName; 9] =
    [HOST, DATE, DIGEST, CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT, CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING];

/// The head of a request, as it was received or as it will be sent.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a Method,
    /// Scheme and host of the receiver, as its `public_url` says.
    pub origin: &'a Url,
    /// Path and query, untouched.
    pub target: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// A signature that was read and is strong enough; not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The key that is said to have made it, as written.
    pub key_id: String,
    /// Which of the two schemes it is.
    pub scheme: Scheme,
    /// The algorithm that the label demands, if it demands one.
    label: Label,
    /// The bytes that were signed.
    base: String,
    /// The signature.
    signature: Vec<u8>,
}

/// What a label says about the algorithm. The key decides; the label must not contradict it (SEC-036).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    /// Absent, or `hs2019`.
    FromKey,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rsa,
    /// Ed25519.
    Ed25519,
}

impl Candidate {
    /// Verifies the signature with the pinned key.
    ///
    /// # Errors
    /// When the label belongs to another sort of key, or the signature does not verify.
    pub fn verify(&self, key: &PublicKey) -> Result<(), Refusal> {
        match (key, self.label) {
            (_, Label::FromKey) | (PublicKey::Rsa(_), Label::Rsa) | (PublicKey::Ed25519(_), Label::Ed25519) => {}
            _ => return Err(Refusal::new(Code::UnsupportedAlgorithm, "the algorithm does not belong to this key")),
        }
        key.verify(self.base.as_bytes(), &self.signature)
            .map_err(|_| Refusal::new(Code::BadSignature, "the signature does not verify with the key it names"))
    }
}

/// Step 3: every security header once, and none in a place where another reader might look.
///
/// # Errors
/// `duplicate_header`, `malformed_header` or `authorization_signature`.
pub fn single_valued(headers: &HeaderMap) -> Result<(), Refusal> {
    for name in &SINGLE {
        let mut values = headers.get_all(name).iter();
        let first = values.next();
        if values.next().is_some() {
            return Err(Refusal::new(Code::DuplicateHeader, format_args!("the header {name} is repeated")));
        }
        if first.is_some_and(|value| value.to_str().is_err()) {
            return Err(Refusal::new(Code::MalformedHeader, format_args!("the header {name} is not plain text")));
        }
    }
    let in_authorization = headers.get_all(http::header::AUTHORIZATION).iter().any(|value| {
        let scheme = value.as_bytes().trim_ascii_start();
        scheme.len() >= 9 && scheme[..9].eq_ignore_ascii_case(b"signature")
    });
    if in_authorization {
        return Err(Refusal::new(Code::AuthorizationSignature, "send the signature in the Signature header only"));
    }
    Ok(())
}

/// Step 4: reads the signature, asks that it covers what it must, and that its time is right.
///
/// # Errors
/// 401 with the reason, or 400 for a header that cannot be read.
pub fn read(head: &Head<'_>, now: Timestamp) -> Result<Candidate, Refusal> {
    if head.headers.contains_key(SIGNATURE_INPUT) {
        return rfc9421::read(head, now);
    }
    match one(head.headers, &SIGNATURE)? {
        Some(value) => cavage::read(head, value, now),
        None => Err(Refusal::new(Code::Unsigned, "the request carries no Signature header")),
    }
}

/// The one value of a header, as text.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    headers
        .get(name)
        .map(|value| value.to_str())
        .transpose()
        .map_err(|_| Refusal::new(Code::MalformedHeader, format_args!("the header {name} is not plain text")))
}

/// All values of a header as one line, as both schemes sign it; `None` when the request lacks it.
fn combined(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(name).iter().map(|value| value.to_str().map(str::trim));
    let mut line = values.next()?.ok()?.to_owned();
    for value in values {
        line.push_str(", ");
        line.push_str(value.ok()?);
    }
    Some(line)
}

/// Whether the request carries a body that the signature must cover.
fn has_body(head: &Head<'_>) -> bool {
    !matches!(*head.method, Method::GET | Method::HEAD)
}

/// The host of a URL as it stands in `Host`.
fn host_of(url: &Url) -> String {
    crate::domain::PartnerDomain::of(url).as_str().to_owned()
}

/// Path and query of a URL.
fn target_of(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// Why a request could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// A value does not fit into a header.
    #[error("a value cannot be written into a header")]
    Header(#[from] http::header::InvalidHeaderValue),
    /// The time cannot be written as an HTTP date.
    #[error("the time cannot be written as an HTTP date")]
    Date,
    /// The key does not sign.
    #[error(transparent)]
    Key(#[from] super::keys::KeyError),
}
