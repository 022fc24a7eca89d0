//! F-9: addresses, of the network and of things.
//!
//! * No address that a registry or the standard library calls special is public, in whatever form of IPv6 it
//!   is carried; every other one is.
//! * What the gate lets pass is a public name over https, in no spelling an address, with no credentials; or
//!   lies in a range that the operator opened.
//! * An identifier that is taken prints as it is read, and any reader of RFC 3986 reads the same host and port.

use std::fmt::{Debug, Display};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::LazyLock;

use serde::Serialize;
use serde::de::DeserializeOwned;
use url::{Host, Url};

use passerelle::domain::calendar::Day;
use passerelle::domain::digest::{Digest, DigestSalt};
use passerelle::domain::partner::Multikey;
use passerelle::domain::text::LanguageTag;
use passerelle::domain::{ActorId, Key, PartnerDomain, PlatformName, RecordId, Timestamp};
use passerelle::outbound::{Network, Policy, is_global};

use super::networks::{as_c_reads_it, is_forbidden_class, is_public, lies_in};

/// Longest identifier, in bytes.
const MAX_URL: usize = 2048;
/// Last words of names that never belong to a public host.
const LOCAL: [&str; 13] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "svc",
    "onion",
    "i2p",
    "invalid",
];
/// What the operator opened in [`OPEN`].
const OPENED: [&str; 4] = ["127.0.0.0/8", "10.1.0.0/16", "fd00::/8", "93.184.216.0/24"];

static STRICT: LazyLock<Policy> =
    LazyLock::new(|| Policy { own_authority: Some("city-a.example".to_owned()), ..Policy::strict() });
static OPEN: LazyLock<Policy> = LazyLock::new(|| {
    let ranges = OPENED.iter().map(|range| range.parse().expect("a range")).collect();
    Policy { allow_private: ranges, own_authority: Some("city-a.example:8443".to_owned()), ..Policy::strict() }
});

/// Asks all of it; whether a strict gate would let us go there.
///
/// # Panics
/// When something does not hold.
pub fn check(data: &[u8]) -> bool {
    if let Some(first) = data.first_chunk::<4>() {
        classified(IpAddr::V4(Ipv4Addr::from(*first)));
    }
    if let Some(first) = data.first_chunk::<16>() {
        classified(IpAddr::V6(Ipv6Addr::from(*first)));
    }
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let mut passes = false;
    if let Ok(address) = text.parse() {
        classified(address);
    }
    for url in [text.to_owned(), format!("https://{text}/x"), format!("http://{text}/x")] {
        if let Ok(url) = Url::parse(&url) {
            passes |= admitted(&url);
        }
        address::<RecordId>(&url, RecordId::url, RecordId::domain);
        address::<ActorId>(&url, ActorId::url, ActorId::domain);
    }
    if let Some((one, other)) = text.split_once('\n') {
        owned(one, other);
    }
    domain(text);
    range(text);
    prints_as_it_is_read::<Key>(text);
    prints_as_it_is_read::<PlatformName>(text);
    prints_as_it_is_read::<LanguageTag>(text);
    prints_as_it_is_read::<Timestamp>(text);
    prints_as_it_is_read::<Digest>(text);
    prints_as_it_is_read::<DigestSalt>(text);
    prints_as_it_is_read::<Multikey>(text);
    prints_as_it_is_read::<Day>(text);
    passes
}

/// The judgement on one address.
fn classified(address: IpAddr) {
    assert_eq!(is_global(address), is_public(address), "{address}");
    assert!(!(is_global(address) && is_forbidden_class(address)), "{address}");
    for network in OPENED {
        let range: Network = network.parse().expect("a range");
        assert_eq!(range.contains(address), lies_in(address.to_canonical(), network), "{address} in {network}");
    }
}

/// What the gate lets pass; whether the strict one does.
fn admitted(url: &Url) -> bool {
    for policy in [&*STRICT, &*OPEN] {
        if policy.admit(url).is_err() {
            continue;
        }
        let opened = !policy.allow_private.is_empty();
        assert!(url.scheme() == "https" || (opened && url.scheme() == "http"), "{url}");
        assert!(url.username().is_empty() && url.password().is_none(), "{url}");
        match url.host().expect("a host") {
            Host::Domain(name) => {
                // The resolver is asked without the dot at the end.
                let bare = name.trim_end_matches('.');
                assert!(as_c_reads_it(bare).is_none() && bare.parse::<IpAddr>().is_err(), "an address as a name: {url}");
                let labels: Vec<&str> = bare.split('.').collect();
                assert!(opened || labels.len() > 1, "{url}");
                assert!(opened || labels.last().is_none_or(|last| !LOCAL.contains(last)), "{url}");
                assert!(opened || !labels.ends_with(&["home", "arpa"]), "{url}");
                assert!(!labels.contains(&""), "a name with an empty label: {url}");
                let own = opened && url.port() != Some(8443);
                assert!(own || !bare.eq_ignore_ascii_case("city-a.example"), "our own address: {url}");
            }
            Host::Ipv4(literal) => in_the_opened(opened, IpAddr::V4(literal)),
            Host::Ipv6(literal) => in_the_opened(opened, IpAddr::V6(literal)),
        }
    }
    STRICT.admit(url).is_ok()
}

fn in_the_opened(opened: bool, literal: IpAddr) {
    assert!(opened && OPENED.iter().any(|network| lies_in(literal.to_canonical(), network)), "{literal}");
}

/// Host and port as RFC 3986 reads them; none where the host is not plain ASCII.
fn as_rfc3986_reads_it(text: &str) -> Option<(String, Option<u16>)> {
    let (scheme, rest) = text.split_once("://").expect("an identifier has a scheme");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    assert!(!authority.is_empty() && !authority.contains('@'), "{text}");
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let default = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    let port = if port.is_empty() { Some(default) } else { port.parse().ok() };
    let plain = host.is_ascii() && !host.contains(['%', '[']);
    plain.then(|| (host.to_ascii_lowercase(), port))
}

/// A [`RecordId`] or an [`ActorId`].
fn address<T: Identifier>(text: &str, url: impl Fn(&T) -> &Url, domain: impl Fn(&T) -> PartnerDomain) {
    prints_as_it_is_read::<T>(text);
    let Ok(read) = text.parse::<T>() else { return };
    let (print, url) = (read.to_string(), url(&read));
    assert!(text.len() <= MAX_URL && print.len() <= MAX_URL, "{} bytes", print.len());
    assert!(matches!(url.scheme(), "http" | "https") && !print.contains(['\\', ' ', '\t', '\n', '\0']), "{print}");
    if let Some((host, port)) = as_rfc3986_reads_it(text)
        && let Some(Host::Domain(name)) = url.host()
    {
        assert_eq!((host.as_str(), port), (name, url.port_or_known_default()), "{text}");
    }
    let domain = domain(&read);
    assert_eq!(domain.to_string().parse::<PartnerDomain>().as_ref(), Ok(&domain), "{text}");
}

/// Whose a record is, said by scheme, host and port.
fn owned(one: &str, other: &str) {
    if let (Ok(actor), Ok(record)) = (one.parse::<ActorId>(), other.parse::<RecordId>()) {
        let origin = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default());
        assert_eq!(actor.owns(&record), origin(actor.url()) == origin(record.url()), "{one} {other}");
    }
}

fn domain(text: &str) {
    prints_as_it_is_read::<PartnerDomain>(text);
    if let Ok(domain) = text.parse::<PartnerDomain>() {
        let actor = format!("https://{domain}/actor").parse::<ActorId>().expect("a domain has addresses");
        assert_eq!(actor.domain(), domain);
        assert!(!domain.as_str().contains(['/', '?', '#', '@', '\\', ' ', '%']) && domain.as_str().is_ascii(), "{domain}");
    }
}

/// A range holds where it begins, and exactly the addresses that it should.
fn range(text: &str) {
    let Ok(range) = text.parse::<Network>() else { return };
    let print = range.to_string();
    assert_eq!(print.parse::<Network>(), Ok(range));
    let base: IpAddr = print.split('/').next().and_then(|base| base.parse().ok()).expect("an address");
    assert!(range.contains(base), "{print} does not hold its own beginning");
    for address in ["127.0.0.1", "10.1.2.3", "255.255.255.255", "::1", "fd00::1", "2a01:e0a::1", "::ffff:10.1.2.3"] {
        let address: IpAddr = address.parse().expect("an address");
        assert_eq!(range.contains(address), lies_in(address.to_canonical(), &print), "{address} in {print}");
    }
}

/// What can be read, printed, and carried in JSON.
trait Identifier: FromStr<Err: Debug + PartialEq> + Display + Serialize + DeserializeOwned + Debug + PartialEq {}

impl<T: FromStr<Err: Debug + PartialEq> + Display + Serialize + DeserializeOwned + Debug + PartialEq> Identifier for T {}

fn prints_as_it_is_read<T: Identifier>(text: &str) {
    let Ok(read) = text.parse::<T>() else { return };
    let print = read.to_string();
    assert_eq!(print.parse::<T>().as_ref(), Ok(&read), "{text}");
    let json = serde_json::to_string(&read).expect("an identifier is JSON");
    assert_eq!(json, serde_json::to_string(&print).expect("a text is JSON"), "{text}");
    assert_eq!(serde_json::from_str::<T>(&json).ok().as_ref(), Some(&read), "{text}");
}
