//! The rules a request must pass before any name is looked up, and the policy they come from.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use super::address::{Network, is_global};
use super::error::OutboundError;
use super::lookup::Names;

/// The switch of the `activitypub_federation` crate that opens its own address check.
const DANGEROUS_VARIABLE: &str = "DANGER_FEDERATION_ALLOW_LOCAL_IP";

/// Ends of names that never belong to a public host (RFC 6761, 6762, 7686, 8375, and habit).
const SPECIAL_ENDS: [&str; 14] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "svc",
    "onion",
    "i2p",
    "invalid",
];

/// What the client may do, decided once at start.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Ranges that are not public and may be asked all the same, over plain http too
    /// (`outbound.allow_private`). Empty in production.
    pub allow_private: Vec<Network>,
    /// What we call ourselves to servers; empty means name and version of this program.
    pub user_agent: String,
    /// Our own `host[:port]`, which we never ask.
    pub own_authority: Option<String>,
    /// More certificate authorities to trust, as PEM (an installation's own authority, or a test's).
    pub extra_roots: Vec<String>,
    /// Names whose one address is known beforehand, port included (as `curl --resolve`). Whoever pins an
    /// address answers for it: it is not checked, over https. For tests and rehearsals.
    pub pins: HashMap<String, SocketAddr>,
    /// Names whose DNS answer is replaced; what is answered is checked as any other. For tests.
    pub answers: HashMap<String, Vec<IpAddr>>,
    /// Who is asked for all other names; what is answered is checked as any other.
    pub names: Names,
    /// Where an address is really reached, after it was checked: stands in for the network between a test and a
    /// public address. For tests and rehearsals.
    pub routes: HashMap<IpAddr, SocketAddr>,
}

impl Policy {
    /// Nothing but public hosts over https.
    #[must_use]
    pub fn strict() -> Self {
        Self::default()
    }

    /// Loopback may be asked too, over plain http: demo and tests.
    #[must_use]
    pub fn with_loopback() -> Self {
        Self { allow_private: Network::LOOPBACK.to_vec(), ..Self::default() }
    }

    /// Checks an address as every request is checked before a name is looked up.
    ///
    /// # Errors
    /// [`OutboundError`] says why nothing is sent there.
    pub fn admit(&self, url: &Url) -> Result<(), OutboundError> {
        admit(self, url).map(|_| ())
    }

    pub(super) fn allows_private(&self, address: IpAddr) -> bool {
        self.allow_private.iter().any(|network| network.contains(address))
    }

    pub(super) fn allows(&self, address: IpAddr, way: Way) -> bool {
        self.allows_private(address) || (way == Way::Secure && is_global(address))
    }

    /// Where a connection to a checked address goes.
    pub(super) fn route(&self, address: IpAddr) -> SocketAddr {
        self.routes.get(&address).copied().unwrap_or_else(|| SocketAddr::new(address, 0))
    }

    /// Whether a connection may have ended up there.
    pub(super) fn expects(&self, remote: SocketAddr, way: Way) -> bool {
        let stands_in = |known: &SocketAddr| *known == remote;
        self.allows(remote.ip(), way) || self.pins.values().any(stands_in) || self.routes.values().any(stands_in)
    }

    /// Whether an address is our own. Where nothing private may be asked, no port of our own host may be.
    fn is_own(&self, url: &Url) -> bool {
        let Some(own) = self.own_authority.as_deref() else { return false };
        let bare = |text: &str| text.trim_end_matches('.').to_ascii_lowercase();
        let own_host = own.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(own, |(host, _)| host);
        if bare(url.host_str().unwrap_or_default()) != bare(own_host) {
            return false;
        }
        self.allow_private.is_empty() || authority_of(url).replace(".:", ":").trim_end_matches('.').eq_ignore_ascii_case(own)
    }

    pub(super) fn pin(&self, host: &str, way: Way) -> Option<SocketAddr> {
        let pinned = self.pins.get(host).copied()?;
        (way == Way::Secure || self.allows_private(pinned.ip())).then_some(pinned)
    }
}

/// Over TLS to anybody public, or in the clear to a range that the operator named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Secure,
    Plain,
}

/// `host[:port]` of an address, for messages.
pub(super) fn authority_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Checks an address before anything is looked up; the resolver is never called for address literals.
pub(super) fn admit(policy: &Policy, url: &Url) -> Result<Way, OutboundError> {
    let refused = |reason| {
        let url = format!("{}://{}", url.scheme(), authority_of(url));
        Err(OutboundError::Url { url, reason })
    };
    let way = match url.scheme() {
        "https" => Way::Secure,
        "http" => Way::Plain,
        _ => return refused("only https (and http inside `outbound.allow_private`) is used"),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refused("it holds a user name or a password");
    }
    if way == Way::Plain && policy.allow_private.is_empty() {
        return refused("plain http is used only inside `outbound.allow_private`");
    }
    if policy.is_own(url) {
        return refused("it is our own address");
    }
    let literal = match url.host() {
        Some(Host::Domain(name)) => return admit_name(policy, name).map(|()| way),
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        None => return refused("it names no host"),
    };
    // A partner is a name. Bare addresses are for what the operator allowed by range.
    if policy.allows_private(literal) {
        Ok(way)
    } else {
        Err(OutboundError::Denied { host: authority_of(url), reason: "a bare address".to_owned() })
    }
}

/// Refuses what is no name, and names that cannot be public unless the operator opened some private range.
fn admit_name(policy: &Policy, name: &str) -> Result<(), OutboundError> {
    // `93.184.216.34..` is a name to the parser of addresses, and an address to a resolver that is asked without dots.
    if name.strip_suffix('.').unwrap_or(name).split('.').any(str::is_empty) {
        return Err(OutboundError::Denied { host: name.to_owned(), reason: "a name with an empty part".to_owned() });
    }
    if is_special(name) && policy.allow_private.is_empty() && !policy.pins.contains_key(name) {
        return Err(OutboundError::Denied { host: name.to_owned(), reason: "a name for local use".to_owned() });
    }
    Ok(())
}

/// Whether a name is one for local use: it may then resolve to private addresses only.
pub(super) fn is_special(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let ends_in = |end: &str| name.strip_suffix(end).is_some_and(|head| head.is_empty() || head.ends_with('.'));
    !name.contains('.') || SPECIAL_ENDS.iter().any(|end| ends_in(end))
}

/// Refuses to run with the variable that opens the address check of the federation crate.
///
/// # Errors
/// [`OutboundError::Setup`] names the variable.
pub fn refuse_dangerous_environment() -> Result<(), OutboundError> {
    check_environment(|name| std::env::var_os(name).is_some())
}

fn check_environment(is_set: impl Fn(&str) -> bool) -> Result<(), OutboundError> {
    if is_set(DANGEROUS_VARIABLE) {
        let advice = "it opens private addresses to every partner; unset it and use `outbound.allow_private`";
        return Err(OutboundError::Setup(format!("the environment variable {DANGEROUS_VARIABLE} is set: {advice}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(policy: &Policy, url: &str) -> Result<Way, OutboundError> {
        admit(policy, &Url::parse(url).unwrap())
    }

    #[test]
    fn sec_095_every_spelling_of_an_address_is_refused_before_dns() {
        // List L2 of security.md §2.3.
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "①②⑦.0.0.1",
            "[::1]",
            "[::ffff:7f00:1]",
            "[::ffff:127.0.0.1]",
            "[0:0:0:0:0:ffff:7f00:1]",
            "127.0.0.1.",
            "0",
            "3232235521",
            "93.184.216.34",
            // To the parser of addresses these are names; the resolver is asked without the dots at their end.
            "93.184.216.34..",
            "0x7f.1..",
            "city-b.test..",
            "city-b..test",
        ] {
            let refusal = ask(&Policy::strict(), &format!("https://{host}/actor"));
            assert!(matches!(refusal, Err(OutboundError::Denied { .. })), "{host}: {refusal:?}");
        }
        assert!(Url::parse("https://[fe80::1%25eth0]/").is_err(), "a zone is not part of an address");
    }

    #[test]
    fn sec_096_names_for_local_use_are_refused() {
        // List L3 of security.md §2.3.
        for host in [
            "localhost",
            "localhost.",
            "LOCALHOST",
            "foo.localhost",
            "ip6-localhost",
            "localhost.localdomain",
            "x.local",
            "x.internal",
            "metadata.google.internal",
            "x.home.arpa",
            "x.onion",
            "x.i2p",
            "host.docker.internal",
            "kubernetes.default.svc",
        ] {
            let refusal = ask(&Policy::strict(), &format!("https://{host}/"));
            assert!(matches!(refusal, Err(OutboundError::Denied { .. })), "{host}: {refusal:?}");
        }
        let policy = Policy { own_authority: Some("city-a.test".to_owned()), ..Policy::strict() };
        for own in ["https://City-A.test/actor", "https://city-a.test./", "https://city-a.test:8443/", "https://city%2Da.test/"] {
            assert!(matches!(ask(&policy, own), Err(OutboundError::Url { .. })), "{own}");
        }
        let rehearsal = Policy { own_authority: Some("lyon.localhost:8080".to_owned()), ..Policy::with_loopback() };
        for own in ["http://lyon.localhost:8080/", "http://LYON.localhost.:8080/"] {
            assert!(ask(&rehearsal, own).is_err(), "{own}");
        }
        assert!(ask(&rehearsal, "http://lyon.localhost:8081/").is_ok(), "a platform beside us in a rehearsal");
        assert_eq!(ask(&policy, "https://city-b.test/actor"), Ok(Way::Secure));
    }

    #[test]
    fn only_https_without_user_information_leaves_a_strict_client() {
        for url in ["http://city-b.test/", "ftp://city-b.test/", "https://me@city-b.test/", "https://a:b@city-b.test/"] {
            assert!(matches!(ask(&Policy::strict(), url), Err(OutboundError::Url { .. })), "{url}");
        }
        let message = ask(&Policy::strict(), "https://user:secret@city-b.test/path?token=1").unwrap_err().to_string();
        assert!(message.contains("city-b.test") && !message.contains("secret") && !message.contains("token"), "{message}");
    }

    #[test]
    fn what_the_operator_allowed_may_be_asked() {
        let policy = Policy::with_loopback();
        assert_eq!(ask(&policy, "http://127.0.0.1:8080/"), Ok(Way::Plain));
        assert_eq!(ask(&policy, "http://[::1]:8080/"), Ok(Way::Plain));
        assert_eq!(ask(&policy, "http://lyon.localhost:8080/"), Ok(Way::Plain));
        assert!(ask(&policy, "http://169.254.169.254/").is_err());
        assert!(ask(&policy, "https://93.184.216.34/").is_err(), "a bare public address is not a partner");
    }

    #[test]
    fn the_dangerous_variable_stops_the_start() {
        assert!(check_environment(|_| false).is_ok());
        let message = check_environment(|name| name == DANGEROUS_VARIABLE).unwrap_err().to_string();
        assert!(message.contains(DANGEROUS_VARIABLE) && message.contains("unset"), "{message}");
    }
}
