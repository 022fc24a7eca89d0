//! The names that mapping is given: addresses from minted keys, pseudonyms from the city's secret.

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
}

impl Names for NameBook<'_> {
    fn record(&self, local: &LocalId) -> Option<RecordId> {
        let address = address(self.public_url, local.class, self.keys.get(local)?)?;
        let own = self.own == (local.entity.as_str(), local.id.as_str());
        (own || self.known.get(&address).is_some_and(can_be_pointed_to)).then_some(address)
    }

    fn theme(&self, scheme: &str, id: &str) -> Option<RecordId> {
        theme_address(self.public_url, self.platform, scheme, id)
    }

    fn pseudonym(&self, person: &str, process: &RecordId) -> String {
        self.pseudonyms.of(self.platform, person, process)
    }
}

/// Whether a visitor finds something at an address. A reply may point to a comment that is hidden or gone:
/// its page says so.
fn can_be_pointed_to(stored: &StoredRecord) -> bool {
    stored.standing == Standing::Live || matches!(stored.class, Class::Comment | Class::Argument)
}
