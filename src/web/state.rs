//! What every handler shares: the store, the city, the cache.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use url::Url;

use super::cache::Cache;
use super::error::WebError;
use super::frame::{Frame, House};
use super::i18n::Texts;
use super::language::Language;
use super::reading::Reading;
use super::site::Site;
use super::urls::Address;
use super::visit::Visit;
use crate::domain::Clock;
use crate::domain::authority::PublicAuthority;
use crate::domain::digest::Digest;
use crate::federation::Federation;
use crate::federation::inbox::Inbox;
use crate::store::Store;

/// Memory for kept answers, in bytes.
pub const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// Activities that are read and verified at the same time; pages have their own budget (HRD 4.1).
const INBOX_ROOM: usize = 128;
/// Bytes of long activities that are gathered at the same time, beyond a first part that all may have.
const INBOX_BYTES: usize = 64 * 1024 * 1024;
/// How often the database is asked whether it changed, at most.
pub const CHECK_EVERY: Duration = Duration::from_secs(1);

/// A shared handle to the federation's context, the city's facts and the kept answers.
#[derive(Clone)]
pub struct WebState(Arc<Inner>);

struct Inner {
    federation: Federation,
    inbox: Inbox,
    inbox_room: Semaphore,
    inbox_bytes: Semaphore,
    site: Site,
    cache: Cache,
    actor: OnceLock<(Bytes, Digest)>,
}

impl WebState {
    /// The state of a gateway.
    #[must_use]
    pub fn new(federation: Federation, inbox: Inbox, site: Site) -> Self {
        Self::with_cache(federation, inbox, site, Cache::new(CACHE_BYTES, CHECK_EVERY))
    }

    /// The same with another cache.
    #[must_use]
    pub fn with_cache(federation: Federation, inbox: Inbox, site: Site, cache: Cache) -> Self {
        let (inbox_room, inbox_bytes) = (Semaphore::new(INBOX_ROOM), Semaphore::new(INBOX_BYTES));
        Self(Arc::new(Inner { federation, inbox, inbox_room, inbox_bytes, site, cache, actor: OnceLock::new() }))
    }

    /// What every part of the federation shares.
    #[must_use]
    pub fn federation(&self) -> &Federation {
        &self.0.federation
    }

    /// The door for what partners sign.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.0.inbox
    }

    /// Room for activities that arrive at the same time.
    #[must_use]
    pub fn inbox_room(&self) -> &Semaphore {
        &self.0.inbox_room
    }

    /// Room for bytes of long activities.
    #[must_use]
    pub fn inbox_bytes(&self) -> &Semaphore {
        &self.0.inbox_bytes
    }

    /// The records.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.federation.store
    }

    /// The signed actor, made at the first call and kept: another time of signing would be another
    /// document.
    ///
    /// # Errors
    /// What `sign` says.
    pub fn signed_actor<E>(
        &self,
        sign: impl FnOnce(&Federation, &Site) -> Result<(Bytes, Digest), E>,
    ) -> Result<(Bytes, Digest), E> {
        if let Some(kept) = self.0.actor.get() {
            return Ok(kept.clone());
        }
        let signed = sign(&self.0.federation, &self.0.site)?;
        Ok(self.0.actor.get_or_init(|| signed).clone())
    }

    /// Kept answers.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.0.cache
    }

    /// The city.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.0.site
    }

    /// Whose gateway this is.
    #[must_use]
    pub fn authority(&self) -> &PublicAuthority {
        &self.0.federation.authority
    }

    /// The address people reach it under.
    #[must_use]
    pub fn public_url(&self) -> &Url {
        &self.0.federation.public_url
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.0.federation.clock
    }

    /// The texts of a language, in the city's time.
    #[must_use]
    pub fn texts(&self, language: Language) -> Texts {
        Texts::new(language, self.0.site.zone.clone())
    }

    /// The name of the city in a language.
    #[must_use]
    pub fn city(&self, language: Language) -> String {
        let wanted = [language.content_tag(), self.0.site.language().content_tag()];
        let (_, name) = self.0.federation.authority.name.pick(&wanted, &wanted[1]);
        name.to_string()
    }

    /// What every page has in common.
    #[must_use]
    pub fn house(&self) -> House {
        House {
            public_url: self.public_url().clone(),
            languages: self.site().languages.clone(),
            conformity: self.site().conformity(self.clock().now()),
        }
    }

    /// The frame of a page that shows no records.
    #[must_use]
    pub fn frame(&self, visit: &Visit, title: String, here: Address) -> Frame {
        Frame::new(self.texts(visit.language), visit.carried, self.house(), self.city(visit.language), title, here)
    }

    /// A snapshot of the records for one visit.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reading(&self, visit: &Visit) -> Result<Reading, WebError> {
        Reading::begin(self, visit).await
    }
}
