//! The names that mapping is given: addresses from minted keys, pseudonyms from the city's secret.

use std::cell::Cell;
use std::collections::HashMap;

use aws_lc_rs::hmac;
use url::Url;

use crate::domain::{Class, Key, LocalId, PlatformName, RecordId};
use crate::mapping::Names;
use crate::store::{Standing, StoredRecord};

/// Makes pseudonyms: HMAC-SHA-256(city secret, local id, process), truncated (participation.md §4.3.22).
#[derive(Clone)]
pub struct Pseudonyms(hmac::Key);

impl Pseudonyms {
    /// From the city's secret, which never leaves the gateway.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Another secret has another print; the secret is not found by it.
    pub(super) fn print(&self) -> impl AsRef<[u8]> {
        hmac::sign(&self.0, b"print")
    }

    /// How a person is called within one process: `px:` and 16 base32 letters.
    #[must_use]
    pub fn of(&self, platform: &PlatformName, person: &str, process: &RecordId) -> String {
        let text = format!("{platform}\n{person}\n{process}");
        let tag = hmac::sign(&self.0, text.as_bytes());
        format!("px:{}", data_encoding::BASE32_NOPAD.encode(&tag.as_ref()[..10]).to_ascii_lowercase())
    }
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms(secret)")
    }
}

/// The address of one of our records.
pub(super) fn address(public_url: &Url, class: Class, key: &Key) -> Option<RecordId> {
    RecordId::ours(public_url, class, key).ok()
}

/// The address of a theme: its key is a digest of where it comes from, so it needs no table.
pub(super) fn theme_address(public_url: &Url, platform: &PlatformName, scheme: &str, id: &str) -> Option<RecordId> {
    let key = Key::digest_of(format!("theme\n{platform}\n{scheme}\n{id}").as_bytes());
    public_url.join(&format!("/themes/{key}")).ok()?.as_str().parse().ok()
}

/// What mapping one item may name.
pub(super) struct NameBook<'a> {
    pub public_url: &'a Url,
    pub platform: &'a PlatformName,
    pub pseudonyms: &'a Pseudonyms,
    pub keys: &'a HashMap<LocalId, Key>,
    /// The item itself: its own records can always be named.
    pub own: (&'a str, &'a str),
    /// What is stored: others can be pointed to only when a visitor finds something there.
    pub known: &'a HashMap<RecordId, StoredRecord>,
    /// Whether something was asked for that nobody can be pointed to.
    pub missed: Cell<bool>,
}

impl Names for NameBook<'_> {
    fn record(&self, local: &LocalId) -> Option<RecordId> {
        let own = self.own == (local.entity.as_str(), local.id.as_str());
        let address = self.keys.get(local).and_then(|key| address(self.public_url, local.class, key));
        let found = address.filter(|address| own || self.known.get(address).is_some_and(can_be_pointed_to));
        self.missed.set(self.missed.get() || found.is_none());
        found
    }

    fn theme(&self, scheme: &str, id: &str) -> Option<RecordId> {
        theme_address(self.public_url, self.platform, scheme, id)
    }

    fn pseudonym(&self, person: &str, process: &RecordId) -> String {
        self.pseudonyms.of(self.platform, person, process)
    }
}

/// Whether a record of this class can be pointed to even when it is hidden or gone: its page says so, to whoever
/// comes from a reply.
pub(super) const fn stays(class: Class) -> bool {
    matches!(class, Class::Comment | Class::Argument)
}

/// Whether a visitor finds something at an address.
fn can_be_pointed_to(stored: &StoredRecord) -> bool {
    stored.standing == Standing::Live || stays(stored.class)
}
