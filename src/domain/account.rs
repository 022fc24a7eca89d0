//! An account of a listed reader server, as far as we must know it: where to write, and its key.

use super::id::{ActorId, PartnerDomain};
use super::time::Timestamp;

/// One account. What is said here was fetched from its own host and has verified a request; both inboxes
/// lie on the account's own origin (SEC-075).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its actor.
    pub actor: ActorId,
    /// The listed server it lives on.
    pub partner: PartnerDomain,
    /// Its own inbox.
    pub inbox: String,
    /// The inbox that all accounts of its server share, where the server has one.
    pub shared_inbox: Option<String>,
    /// The id of its key.
    pub key_id: String,
    /// The key: SPKI or PKCS #1 in PEM, or a Multikey.
    pub key: String,
    /// When the key was fetched.
    pub seen_at: Timestamp,
}

impl Account {
    /// Where it is written to: once per server, where the server has a shared inbox.
    #[must_use]
    pub fn delivery(&self) -> &str {
        self.shared_inbox.as_deref().unwrap_or(&self.inbox)
    }
}
