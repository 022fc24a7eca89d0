//! What makes the gateway a member of a federation: keys, proofs, signatures, the inbox and its effects.
//!
//! The way in: [`verify`] decides who speaks (a [`verify::Verified`] is the only key to the inbox),
//! [`inbox`] decides whether the speaker may say this and keeps it, [`effect`] does what was said.
//! The way out: [`seal`] makes the signed bytes of our records. The trust-bearing pieces are ours and
//! small (security.md §0.1). Of the crate `activitypub_federation` only the words of ActivityStreams and the
//! types of WebFinger are used: its verifier, queue and object traits fetch and post by themselves, and here nothing
//! opens a socket but [`outbound`](crate::outbound) and nothing is believed before [`verify`].

pub mod actor;
pub mod backfill;
mod bucket;
mod canonical;
pub mod context;
mod cores;
pub mod dispatch;
pub mod effect;
pub mod fetch;
pub mod freshness;
pub mod held;
pub mod inbox;
pub mod incoming;
pub mod keyring;
pub mod keys;
pub mod knock;
mod meaning;
pub mod nodeinfo;
pub mod object;
mod ownership;
pub mod pairing;
pub mod planner;
pub mod proof;
pub mod quota;
mod reader;
pub mod receipts;
pub mod records;
pub mod refusal;
pub mod retention;
pub mod retry;
pub mod schema;
pub mod seal;
pub mod signature;
pub mod strict_json;
pub mod verify;
pub mod webfinger;
pub mod wire;

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::Rng;
use url::Url;

use crate::domain::authority::PublicAuthority;
use crate::domain::id::IdError;
use crate::domain::{ActorId, Clock, Key, PartnerDomain, Timestamp};
use crate::outbound::Client;
use crate::store::Store;

use bucket::Buckets;
use keys::Keys;
use records::Turns;
use refusal::Counters;

/// What one step of a worker did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was due.
    Idle,
    /// So many things were done.
    Worked(usize),
}

/// What every part of the federation shares. Cloning shares it.
#[derive(Clone)]
pub struct Federation(Arc<Shared>);

struct Shared {
    context: Context,
    /// What partners can make us fetch from them (SEC-135).
    fetches: Buckets<PartnerDomain>,
    /// Whose page of records is being written.
    turns: Turns,
}

/// Fetches from one partner in an hour that something of its own made us do.
pub const FETCHES_PER_HOUR: u32 = 100;

/// The parts of a [`Federation`].
pub struct Context {
    /// Where everything is kept.
    pub store: Store,
    /// Our key pairs.
    pub keys: Keys,
    /// The only way out.
    pub client: Client,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Chance, for keys in addresses.
    pub rng: Mutex<Box<dyn Rng + Send>>,
    /// The public body this gateway belongs to.
    pub authority: PublicAuthority,
    /// Where the gateway is reached.
    pub public_url: Url,
    /// How long backups are kept: what purge receipts announce.
    pub backup_keep: Duration,
    /// How often which refusal was answered.
    pub refusals: Counters,
}

impl Deref for Federation {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.0.context
    }
}

impl Federation {
    /// Shares a context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self(Arc::new(Shared { context, fetches: Buckets::per_hour(FETCHES_PER_HOUR), turns: Turns::default() }))
    }
}

impl Context {
    /// Our actor.
    #[must_use]
    pub fn actor(&self) -> &ActorId {
        &self.authority.id
    }

    /// Our own domain, as in every path at our partners.
    #[must_use]
    pub fn domain(&self) -> PartnerDomain {
        PartnerDomain::of(&self.public_url)
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new random key for an address.
    #[must_use]
    pub fn mint(&self) -> Key {
        let mut bytes = [0; 16];
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        Key::from_bytes(&bytes)
    }

    /// One of our addresses, such as `/receipts/{key}`.
    ///
    /// # Errors
    /// When `public_url` cannot carry a path.
    pub fn address(&self, folder: &str, key: &Key) -> Result<Url, IdError> {
        let path = format!("/{folder}/{key}");
        self.public_url.join(&path).map_err(|_| IdError::NotAnAddress(self.public_url.to_string()))
    }
}
