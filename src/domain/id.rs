//! Names of things: records, authorities, partners, platforms. Parsed once, compared as values.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::words;

/// Longest address we accept from anybody, in bytes (SEC-055, SEC-087).
const MAX_URL_BYTES: usize = 2048;
/// Longest name of a host, in bytes, as DNS has it.
const MAX_HOST_BYTES: usize = 253;

/// Why an address or a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not an absolute http(s) URL in canonical spelling.
    #[error("`{0}` is not an absolute http or https address")]
    NotAnAddress(String),
    /// User information, control characters, backslashes: things an identifier never holds.
    #[error("`{0}` holds characters that an identifier may not hold")]
    Unsafe(String),
    /// Longer than 2048 bytes.
    #[error("an address of {0} bytes is longer than 2048")]
    TooLong(usize),
    /// Not a host name with an optional port.
    #[error("`{0}` is not a host name (such as `participation.example` or `lyon.localhost:8080`)")]
    NotADomain(String),
    /// Not a short lower-case name.
    #[error("`{0}` is not a name: use 1 to 40 of a-z, 0-9 and `-`, beginning with a letter")]
    NotAName(String),
}

fn excerpt(text: &str) -> String {
    text.chars().take(120).collect()
}

fn is_host(host: Option<&str>) -> bool {
    host.is_some_and(|host| (1..=MAX_HOST_BYTES).contains(&host.len()))
}

fn parse_address(text: &str) -> Result<Url, IdError> {
    if text.len() > MAX_URL_BYTES {
        return Err(IdError::TooLong(text.len()));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(IdError::Unsafe(excerpt(text)));
    }
    let url = Url::parse(text).map_err(|_| IdError::NotAnAddress(excerpt(text)))?;
    if !matches!(url.scheme(), "http" | "https") || !is_host(url.host_str()) {
        return Err(IdError::NotAnAddress(excerpt(text)));
    }
    if !url.username().is_empty() || url.password().is_some() || url.host_str().is_some_and(|h| h.ends_with('.')) {
        return Err(IdError::Unsafe(excerpt(text)));
    }
    // `https:/x`, `https:x` and `https:///x` are repaired by the parser; an identifier needs no repair.
    let rest = text.get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    // On the port of https, plain http has the domain of another.
    if authority.is_empty() || (url.scheme() == "http" && url.port() == Some(443)) {
        return Err(IdError::NotAnAddress(excerpt(text)));
    }
    // `https://@x` has a user, who has no name.
    if authority.contains('@') {
        return Err(IdError::Unsafe(excerpt(text)));
    }
    // Percent signs and punycode make it longer.
    if url.as_str().len() > MAX_URL_BYTES {
        return Err(IdError::TooLong(url.as_str().len()));
    }
    Ok(url)
}

macro_rules! address_type {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Url);

        impl $name {
            /// The address as a URL.
            #[must_use]
            pub const fn url(&self) -> &Url { &self.0 }

            /// The address as text.
            #[must_use]
            pub fn as_str(&self) -> &str { self.0.as_str() }

            /// The host (with a port that is not the scheme's default) the address lives on.
            #[must_use]
            pub fn domain(&self) -> PartnerDomain { PartnerDomain::of(&self.0) }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> { parse_address(text).map(Self) }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.0.as_str()) }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.serialize_str(self.as_str()) }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

address_type!(
    /// The permanent address of a record, on its authority's own host; opaque, never reused
    /// (participation.md §4.2 `id`).
    RecordId
);
address_type!(
    /// The address of a public authority's actor, for example `https://passerelle.lyon.example/actor`.
    ActorId
);

impl ActorId {
    /// The actor of the gateway that is reached under `public_url`.
    ///
    /// # Errors
    /// When `public_url` cannot carry a path.
    pub fn of_gateway(public_url: &Url) -> Result<Self, IdError> {
        let url = public_url.join("/actor").map_err(|_| IdError::NotAnAddress(excerpt(public_url.as_str())))?;
        url.as_str().parse()
    }

    /// Whether `id` lives on the same origin (scheme, host, port: FEP-fe34) as this authority (R1).
    #[must_use]
    pub fn owns(&self, id: &RecordId) -> bool {
        self.0.origin() == id.0.origin()
    }
}

impl RecordId {
    /// The address of our record `key` of `class` under `public_url`.
    ///
    /// # Errors
    /// When `public_url` cannot carry a path.
    pub fn ours(public_url: &Url, class: Class, key: &Key) -> Result<Self, IdError> {
        let path = format!("/{}/{key}", class.segment());
        let url = public_url.join(&path).map_err(|_| IdError::NotAnAddress(excerpt(public_url.as_str())))?;
        url.as_str().parse()
    }

    /// The path below the host, for example `/contributions/abc`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// The name of a copy of this record in `/from/{domain}/{class}/{key}`: base32 of the first 16
    /// bytes of SHA-256 of the id (architecture §6).
    #[must_use]
    pub fn copy_key(&self) -> Key {
        Key::digest_of(self.as_str().as_bytes())
    }
}

/// The last, opaque part of one of our addresses: 1 to 64 of a-z, 0-9, `-`, `_`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Key(String);

impl Key {
    /// A key of 26 base32 letters from 16 bytes, random or digest.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 16]) -> Self {
        Self(data_encoding::BASE32_NOPAD.encode(bytes).to_ascii_lowercase())
    }

    /// The key that any gateway computes for the same bytes.
    #[must_use]
    pub fn digest_of(bytes: &[u8]) -> Self {
        let digest = super::digest::sha256(bytes);
        let mut first = [0_u8; 16];
        first.copy_from_slice(&digest[..16]);
        Self::from_bytes(&first)
    }

    /// The same, but what is given the same beginning lies together in an index: 8 bytes of the key are `beginning`,
    /// 8 of the digest.
    #[must_use]
    pub fn beginning_with(beginning: [u8; 8], bytes: &[u8]) -> Self {
        let digest = super::digest::sha256(bytes);
        let mut key = [0_u8; 16];
        let (first, last) = key.split_at_mut(8);
        first.copy_from_slice(&beginning);
        last.copy_from_slice(&digest[..8]);
        Self::from_bytes(&key)
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if fits { Ok(Self(text.to_owned())) } else { Err(IdError::Unsafe(excerpt(text))) }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The host of a gateway's public address, with the port when it is not the scheme's default one;
/// lower case, punycode (`{domain}` in every path, architecture §6).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct PartnerDomain(String);

impl PartnerDomain {
    /// The domain of a URL that has a host.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        Self(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    /// The domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PartnerDomain {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let refused = || IdError::NotADomain(excerpt(text));
        if text.is_empty() || text.contains(['/', '@', '?', '#', '%', '\\']) || text.chars().any(char::is_whitespace) {
            return Err(refused());
        }
        let url = Url::parse(&format!("https://{text}/")).map_err(|_| refused())?;
        if !is_host(url.host_str()) || url.host_str().is_some_and(|host| host.ends_with('.')) {
            return Err(refused());
        }
        Ok(Self::of(&url))
    }
}

impl fmt::Display for PartnerDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PartnerDomain {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The name of a `[[platform]]` in the configuration; part of every id, so it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct PlatformName(String);

impl PlatformName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PlatformName {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let fits = (1..=40).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(IdError::NotAName(excerpt(text))) }
    }
}

impl fmt::Display for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PlatformName {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What identifies one item at its source, for example (`lyon`, `proposal`, `1881`). One item may give
/// several records (a contribution, its disposition, its answer): `class` tells them apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LocalId {
    /// The configured platform.
    pub platform: PlatformName,
    /// The platform's own type word (`proposal`, `comment`, `participatory_process`).
    pub entity: String,
    /// The platform's own id within that type.
    pub id: String,
    /// Which record of this item is meant.
    pub class: Class,
}

impl fmt::Display for LocalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{} as {}", self.platform, self.entity, self.id, self.class)
    }
}

/// A counter that starts at 1 and grows by one with each signed change of a record (R5).
pub type Revision = u64;

words! {
    /// The classes of the vocabulary that stand alone as records. `Argument` and `Comment` share one
    /// domain type and one path; the stance tells which it is (architecture §3). `Result` and
    /// `ProgressUpdate` share a path too.
    Class {
        Consultation = "Consultation",
        Meeting = "Meeting",
        BudgetProject = "BudgetProject",
        Poll = "Poll",
        Contribution = "Contribution",
        Argument = "Argument",
        Comment = "Comment",
        Disposition = "Disposition",
        OfficialResponse = "OfficialResponse",
        Decision = "Decision",
        Commitment = "Commitment",
        Result = "Result",
        ProgressUpdate = "ProgressUpdate",
        Document = "Document",
    }
}

impl Class {
    /// The path segment of records of this class, at every gateway (architecture §6).
    #[must_use]
    pub const fn segment(self) -> &'static str {
        match self {
            Self::Consultation => "consultations",
            Self::Meeting => "meetings",
            Self::BudgetProject => "projects",
            Self::Poll => "polls",
            Self::Contribution => "contributions",
            Self::Argument | Self::Comment => "comments",
            Self::Disposition => "dispositions",
            Self::OfficialResponse => "responses",
            Self::Decision => "decisions",
            Self::Commitment => "commitments",
            Self::Result | Self::ProgressUpdate => "results",
            Self::Document => "documents",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_needs_repair_is_not_an_identifier() {
        for text in
            ["https:/x", "https:x/y", "//b/x", "http://u@b/x", "http://b\\x", "ftp://b/x", "https://b./x", "https://b/ x", ""]
        {
            assert!(text.parse::<RecordId>().is_err(), "{text} was taken");
        }
        assert!("https://b.example/contributions/1".parse::<RecordId>().is_ok());
    }

    #[test]
    fn f_9_two_readers_read_the_same_host() {
        for text in
            ["https:///b.example/x", "https://@b.example/x", "https://:@b.example/x", "https://@/x", "https:////b.example"]
        {
            assert!(text.parse::<RecordId>().is_err(), "{text} was taken");
        }
        for text in ["https://b.example/@x", "https://b.example?@", "https://b.example//x", "https://b.example/#@"] {
            assert!(text.parse::<RecordId>().is_ok(), "{text} was refused");
        }
    }

    #[test]
    fn f_9_a_host_is_no_longer_than_dns_has_names() {
        let host = |length: usize| format!("{}.example", "x".repeat(length - ".example".len()));
        assert!(host(253).parse::<PartnerDomain>().is_ok() && format!("https://{}/x", host(253)).parse::<ActorId>().is_ok());
        assert!(host(254).parse::<PartnerDomain>().is_err() && format!("https://{}/x", host(254)).parse::<ActorId>().is_err());
    }

    #[test]
    fn f_9_an_identifier_prints_as_it_is_read() {
        let grows = format!("https://b.example/{}", "é".repeat(400));
        assert!(grows.len() < MAX_URL_BYTES && grows.parse::<RecordId>().is_err(), "its print is too long to be read");
        for text in
            ["https://b.example/é", "https://B.example:443", "http://b.example:80/x", "https://b.example:80/", "http://b.example"]
        {
            let actor: ActorId = text.parse().expect("a plain address");
            assert_eq!(actor.to_string().parse().as_ref(), Ok(&actor));
            assert_eq!(actor.domain().to_string().parse().as_ref(), Ok(&actor.domain()), "{text}");
        }
        // Its domain would print as that of `https://b.example`.
        assert!("http://b.example:443/x".parse::<ActorId>().is_err());
    }

    #[test]
    fn ownership_is_scheme_host_and_port() {
        let actor: ActorId = "https://b.example/actor".parse().expect("a plain address");
        let owns = |id: &str| actor.owns(&id.parse().expect("a plain address"));
        assert!(owns("https://b.example/contributions/1"));
        assert!(!owns("https://b.example:8443/contributions/1"));
        assert!(!owns("http://b.example/contributions/1"));
        assert!(!owns("https://c.example/contributions/1"));
    }

    #[test]
    fn a_domain_is_compared_in_its_canonical_spelling() {
        let domain = |text: &str| text.parse::<PartnerDomain>().map(|d| d.to_string());
        assert_eq!(domain("B.EXAMPLE").as_deref(), Ok("b.example"));
        assert_eq!(domain("lyon.localhost:8080").as_deref(), Ok("lyon.localhost:8080"));
        assert_eq!(domain("b.example:443").as_deref(), Ok("b.example"));
        for text in ["b.example/", "b.example.", "u@b.example", "b%2eexample", "", "b .example"] {
            assert!(domain(text).is_err(), "{text} was taken");
        }
    }
}
