//! Names to addresses, and only to addresses that may be asked.
//!
//! The list that is handed on is the list that was checked, so a second DNS answer (rebinding) changes
//! nothing: every new connection resolves and checks again.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::gate::{Policy, Way, is_special};
use super::lookup::Lookups;

/// More addresses than this for one name is not a host.
const MAX_ADDRESSES: usize = 32;

/// The resolver of one of the two clients.
pub(super) struct Guard {
    pub(super) policy: Arc<Policy>,
    pub(super) lookups: Arc<Lookups>,
    pub(super) way: Way,
}

/// Why a name was not resolved; found again in the error chain of the request.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    Denied(String),
    #[error("{0}")]
    Unresolved(String),
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, lookups, way) = (Arc::clone(&self.policy), Arc::clone(&self.lookups), self.way);
        let host = name.as_str().trim_end_matches('.').to_ascii_lowercase();
        Box::pin(async move {
            let addresses = checked(&policy, &lookups, way, &host).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

async fn checked(policy: &Policy, lookups: &Arc<Lookups>, way: Way, host: &str) -> Result<Vec<SocketAddr>, Refusal> {
    if let Some(pinned) = policy.pin(host, way) {
        return Ok(vec![pinned]);
    }
    let found = look_up(policy, lookups, host).await?;
    if found.is_empty() {
        return Err(Refusal::Unresolved("no address".to_owned()));
    }
    if found.len() > MAX_ADDRESSES {
        return Err(Refusal::Denied(format!("{} addresses", found.len())));
    }
    // One bad address spoils the name: a public host has no private ones beside it.
    let allowed = |address: &IpAddr| {
        if is_special(host) { policy.allows_private(*address) } else { policy.allows(*address, way) }
    };
    let refused = found.iter().filter(|address| !allowed(address)).count();
    if refused > 0 {
        let mixed = if refused < found.len() { "mixed_answer: public and private addresses" } else { "a private address" };
        tracing::warn!(target: "security", host, refused, of = found.len(), "egress denied: {mixed}");
        return Err(Refusal::Denied(mixed.to_owned()));
    }
    Ok(found.into_iter().map(|address| policy.route(address)).collect())
}

async fn look_up(policy: &Policy, lookups: &Arc<Lookups>, host: &str) -> Result<Vec<IpAddr>, Refusal> {
    if let Some(answer) = policy.answers.get(host) {
        return Ok(answer.clone());
    }
    if host == "localhost" || host.ends_with(".localhost") {
        return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
    }
    let mut found = lookups.of(&policy.names, host).await.map_err(Refusal::Unresolved)?;
    let mut seen = std::collections::HashSet::new();
    found.retain(|address| seen.insert(*address));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn resolve(policy: &Policy, way: Way, host: &str) -> Result<Vec<SocketAddr>, Refusal> {
        checked(policy, &Arc::default(), way, host).await
    }

    fn answering(addresses: &[&str]) -> Policy {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Policy { answers: [("city-b.test".to_owned(), addresses)].into(), ..Policy::strict() }
    }

    #[tokio::test]
    async fn sec_094_a_name_with_a_private_address_is_denied() {
        for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1", "64:ff9b::7f00:1"] {
            let refusal = resolve(&answering(&[address]), Way::Secure, "city-b.test").await;
            assert!(matches!(refusal, Err(Refusal::Denied(_))), "{address}");
        }
        assert!(resolve(&answering(&["93.184.216.34"]), Way::Secure, "city-b.test").await.is_ok());
    }

    #[tokio::test]
    async fn sec_097_one_private_address_among_public_ones_spoils_the_name() {
        let refusal = resolve(&answering(&["93.184.216.34", "10.0.0.1"]), Way::Secure, "city-b.test").await.unwrap_err();
        assert!(refusal.to_string().starts_with("mixed_answer"), "{refusal}");
        let many = vec!["93.184.216.34"; 100];
        assert!(matches!(resolve(&answering(&many), Way::Secure, "city-b.test").await, Err(Refusal::Denied(_))));
    }

    #[tokio::test]
    async fn plain_http_reaches_only_the_ranges_that_were_opened() {
        let mut policy = answering(&["93.184.216.34"]);
        policy.allow_private = vec!["127.0.0.0/8".parse().unwrap()];
        assert!(matches!(resolve(&policy, Way::Plain, "city-b.test").await, Err(Refusal::Denied(_))));
        assert!(resolve(&policy, Way::Secure, "city-b.test").await.is_ok());
        let loopback = resolve(&policy, Way::Plain, "lyon.localhost").await.unwrap();
        assert_eq!(loopback, ["127.0.0.1:0".parse().unwrap()]);
        assert!(resolve(&Policy::strict(), Way::Secure, "lyon.localhost").await.is_err());
    }

    #[tokio::test]
    async fn a_local_name_never_leads_to_a_public_address() {
        let mut policy = Policy::with_loopback();
        policy.answers.insert("x.internal".to_owned(), vec!["93.184.216.34".parse().unwrap()]);
        assert!(matches!(resolve(&policy, Way::Secure, "x.internal").await, Err(Refusal::Denied(_))));
    }

    #[tokio::test]
    async fn a_pin_is_taken_as_it_is_over_https_and_inside_the_ranges_over_http() {
        let mut policy = Policy::strict();
        policy.pins.insert("city-b.test".to_owned(), "127.0.0.1:9443".parse().unwrap());
        assert_eq!(resolve(&policy, Way::Secure, "city-b.test").await.unwrap(), ["127.0.0.1:9443".parse().unwrap()]);
        assert!(policy.pin("city-b.test", Way::Plain).is_none());
    }
}
