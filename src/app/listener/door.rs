//! Who may come in: places for everybody, places of one address, and a reserve for those we know.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::outbound::Network;

/// Most addresses remembered as known.
const MAX_KNOWN: usize = 1024;
/// For how long an address is known after a signed request came from it.
const KNOWN_FOR: Duration = Duration::from_hours(24);
/// At most one line about those turned away in this time.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// How many connections are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// All together.
    pub connections: usize,
    /// How many of them are kept for partners that have signed something lately, and for proxies.
    pub reserved: usize,
    /// Of one address (of one /64 in IPv6).
    pub per_address: usize,
    /// Reverse proxies: they bring many clients, whose addresses are in `X-Forwarded-For`.
    pub proxies: Vec<Network>,
}

impl Limits {
    /// So many connections, an eighth of them in reserve.
    #[must_use]
    pub const fn new(connections: usize, per_address: usize, proxies: Vec<Network>) -> Self {
        Self { connections, reserved: connections.div_ceil(8), per_address, proxies }
    }
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// Every place that it may have is taken.
    Everybody,
    /// Its own address has as many as one may have.
    Address,
}

/// One client: an IPv4 address, or what one subscriber has of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Client(IpAddr);

impl Client {
    /// The client behind an address.
    pub(super) fn at(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        })
    }
}

/// The door of a listener.
#[derive(Debug)]
pub struct Door {
    limits: Limits,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    /// Connections.
    open: usize,
    /// Requests that came through a proxy and are being answered.
    proxied: usize,
    /// Both, by client.
    by_client: HashMap<Client, usize>,
    /// When a signed request of a client was accepted last.
    known: HashMap<Client, Instant>,
    turned_away: u64,
    said: Option<Instant>,
}

/// A place inside; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    door: Arc<Door>,
    client: Option<Client>,
    proxied: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut book = self.door.book();
        if self.proxied {
            book.proxied = book.proxied.saturating_sub(1);
        } else {
            book.open = book.open.saturating_sub(1);
        }
        let Some(client) = self.client else { return };
        if let Some(count) = book.by_client.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                book.by_client.remove(&client);
            }
        }
    }
}

impl Door {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, book: Mutex::default() }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.book().open
    }

    /// How many were turned away since the start.
    #[must_use]
    pub fn turned_away(&self) -> u64 {
        self.book().turned_away
    }

    /// Whether an address is one of our reverse proxies.
    pub(super) fn is_proxy(&self, address: IpAddr) -> bool {
        self.limits.proxies.iter().any(|network| network.contains(address))
    }

    /// A new connection of this peer.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> Result<Place, Full> {
        let proxy = self.is_proxy(peer);
        let client = (!proxy).then(|| Client::at(peer));
        let mut book = self.book();
        let most = if proxy || client.is_some_and(|client| book.knows(client)) {
            self.limits.connections
        } else {
            self.limits.connections.saturating_sub(self.limits.reserved)
        };
        let own = client.and_then(|client| book.by_client.get(&client)).copied().unwrap_or_default();
        let refused =
            if own >= self.limits.per_address { Some(Full::Address) } else { (book.open >= most).then_some(Full::Everybody) };
        if let Some(full) = refused {
            book.turn_away(full, peer, true);
            return Err(full);
        }
        book.open += 1;
        if let Some(client) = client {
            *book.by_client.entry(client).or_default() += 1;
        }
        drop(book);
        Ok(Place { door: Arc::clone(self), client, proxied: false })
    }

    /// A request that a proxy brings for this client. Whom the proxy does not name counts as the proxy itself:
    /// else nobody who is not named would count at all.
    pub(super) fn enter_behind_proxy(self: &Arc<Self>, proxy: IpAddr, client: Option<Client>) -> Result<Place, Full> {
        let named = client.is_some();
        let client = client.unwrap_or_else(|| Client::at(proxy));
        let mut book = self.book();
        let own = book.by_client.get(&client).copied().unwrap_or_default();
        let most = self.limits.connections.saturating_sub(self.limits.reserved);
        let refused = if own >= self.limits.per_address {
            Some(Full::Address)
        } else {
            (book.proxied >= most && !book.knows(client)).then_some(Full::Everybody)
        };
        if let Some(full) = refused {
            book.turn_away(full, client.0, named);
            return Err(full);
        }
        book.proxied += 1;
        *book.by_client.entry(client).or_default() += 1;
        drop(book);
        Ok(Place { door: Arc::clone(self), client: Some(client), proxied: true })
    }

    /// A listed server signed a request from here: the reserve is for it.
    pub(super) fn remember(&self, client: Client) {
        let now = Instant::now();
        let mut book = self.book();
        if book.known.len() >= MAX_KNOWN && !book.known.contains_key(&client) {
            let oldest = book.known.iter().min_by_key(|(_, at)| **at).map(|(client, _)| *client);
            if let Some(oldest) = oldest {
                book.known.remove(&oldest);
            }
        }
        book.known.insert(client, now);
    }
}

impl Book {
    fn knows(&self, client: Client) -> bool {
        self.known.get(&client).is_some_and(|at| at.elapsed() < KNOWN_FOR)
    }

    /// Counts, and says so once in a while: a flood must not flood the log too.
    fn turn_away(&mut self, full: Full, peer: IpAddr, named: bool) {
        self.turned_away += 1;
        if self.said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            self.said = Some(Instant::now());
            let (open, turned_away) = (self.open, self.turned_away);
            let advice = match full {
                Full::Everybody => "raise server.max_connections if these are readers",
                Full::Address if named => "if this is your reverse proxy, list it in server.trusted_proxies",
                Full::Address => "let this reverse proxy say in X-Forwarded-For whose requests it brings",
            };
            tracing::warn!(target: "security", %peer, open, turned_away, advice, "connections are turned away with 503");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn door(connections: usize, per_address: usize) -> Arc<Door> {
        let proxies = vec!["127.0.0.0/8".parse().expect("a range")];
        Arc::new(Door::new(Limits::new(connections, per_address, proxies)))
    }

    #[test]
    fn places_are_given_back() {
        let door = door(16, 2);
        let places: Vec<Place> = (0..2).map(|_| door.enter(ip("192.0.2.1")).expect("a place")).collect();
        assert_eq!(door.enter(ip("192.0.2.1")).err(), Some(Full::Address));
        assert!(door.enter(ip("192.0.2.2")).is_ok());
        drop(places);
        assert!(door.enter(ip("192.0.2.1")).is_ok());
        assert_eq!((door.open(), door.turned_away(), door.book().by_client.len()), (0, 1, 0));
    }

    #[test]
    fn an_eighth_is_kept_for_those_we_know_and_for_proxies() {
        let door = door(16, 100);
        let _strangers: Vec<Place> = (0..14).map(|_| door.enter(ip("192.0.2.1")).expect("a place")).collect();
        assert_eq!(door.enter(ip("192.0.2.2")).err(), Some(Full::Everybody));
        let _proxy = door.enter(ip("127.0.0.1")).expect("the reserve is for proxies");
        door.remember(Client::at(ip("192.0.2.2")));
        let _partner = door.enter(ip("192.0.2.2")).expect("the reserve is for partners");
        assert_eq!(door.enter(ip("127.0.0.1")).err(), Some(Full::Everybody), "what is full is full");
    }

    #[test]
    fn behind_a_proxy_requests_are_counted_by_client() {
        let door = door(16, 2);
        let _connections: Vec<Place> = (0..10).map(|_| door.enter(ip("127.0.0.1")).expect("no limit of an address")).collect();
        let behind = |client: &str| door.enter_behind_proxy(ip("127.0.0.1"), Some(Client::at(ip(client))));
        let _two: Vec<Place> = (0..2).map(|_| behind("2001:db8::1").expect("a place")).collect();
        assert_eq!(behind("2001:db8::ffff").err(), Some(Full::Address), "one subscriber has a whole /64");
        assert!(behind("2001:db8:0:1::1").is_ok());
        let _many: Vec<Place> = (1..=12).map(|n| behind(&format!("192.0.2.{n}")).expect("a place")).collect();
        assert_eq!(behind("192.0.2.99").err(), Some(Full::Everybody));
        door.remember(Client::at(ip("192.0.2.99")));
        assert!(behind("192.0.2.99").is_ok());
    }

    #[test]
    fn sec_123_whom_a_proxy_does_not_name_counts_as_the_proxy() {
        let door = door(16, 2);
        let nameless = || door.enter_behind_proxy(ip("127.0.0.1"), None);
        let _two: Vec<Place> = (0..2).map(|_| nameless().expect("a place")).collect();
        assert_eq!(nameless().err(), Some(Full::Address));
        let client = Client::at(ip("192.0.2.1"));
        assert!(door.enter_behind_proxy(ip("127.0.0.1"), Some(client)).is_ok(), "who is named has a share of its own");
        assert!(door.enter(ip("127.0.0.1")).is_ok(), "and the proxy may have more connections");
    }

    #[test]
    fn the_memory_of_known_addresses_is_bounded() {
        let door = door(16, 2);
        for n in 0..5000_u32 {
            door.remember(Client::at(IpAddr::from(n.to_be_bytes())));
        }
        assert_eq!(door.book().known.len(), MAX_KNOWN);
        assert!(door.book().knows(Client::at(IpAddr::from(4999_u32.to_be_bytes()))));
    }
}
