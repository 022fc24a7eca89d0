//! Accounts of reader servers: any of them may knock once its server is listed (architecture §3, "who may
//! knock"). What an account says is checked with the key that its own actor document lists, fetched from
//! its own host after the allow-list said yes, and kept from then on with its inboxes.

use crate::domain::account::Account;
use crate::domain::partner::{Multikey, Partner};
use crate::domain::{ActorId, Timestamp};

use super::super::keys::{PublicKey, RsaPublicKey};
use super::super::refusal::{Code, Refusal};
use super::super::signature::Candidate;
use super::actor_keys::ListedKey;
use super::{Listed, Verifier, busy, pins};

/// The key that is kept of an account, if it is the one with this id.
fn kept(account: &Account, key_id: &str) -> Option<PublicKey> {
    if account.key_id != key_id {
        return None;
    }
    match account.key.parse::<Multikey>() {
        Ok(key) => Some(PublicKey::Ed25519(key)),
        Err(_) => RsaPublicKey::from_pem(&account.key).ok().map(PublicKey::Rsa),
    }
}

/// The account as it is kept from now on.
fn account(found: super::refetch::Found, partner: &Partner, actor: &ActorId, key_id: &str, seen_at: Timestamp) -> Account {
    let key = match found.key {
        ListedKey::Ed25519(key) => key.to_string(),
        ListedKey::Rsa(_, pem) => pem,
    };
    Account {
        actor: actor.clone(),
        partner: partner.domain.clone(),
        inbox: found.inbox,
        shared_inbox: found.shared_inbox,
        key_id: key_id.to_owned(),
        key,
        seen_at,
    }
}

impl Verifier {
    /// Steps 6 and 7 for an account of a reader server: finds its key and verifies; returns its server, and
    /// the account that speaks. Where the request says who it is from, that account's document must list the
    /// key.
    pub(super) async fn check_account(&self, candidate: &Candidate, listed: Listed) -> Result<(Partner, ActorId), Refusal> {
        let Listed { owner, actor, partner, account: known } = listed;
        if actor.url().origin() != owner.url().origin() {
            return Err(Refusal::new(Code::ActorMismatch, "the key is not on the origin of the activity's actor"));
        }
        let mut key = known.as_ref().and_then(|account| kept(account, &candidate.key_id));
        if key.is_none() && actor == partner.actor {
            // The server's own actor was pinned when it was listed.
            key = pins::current(&partner, &candidate.key_id);
        }
        let failed = match key.map(|key| candidate.verify(&key)) {
            Some(Ok(())) => return Ok((partner, actor)),
            Some(Err(refusal)) if refusal.code() != Code::BadSignature => return Err(refusal),
            failed => failed.and_then(Result::err),
        };
        // Unknown, or changed under the same name: asked once in five minutes.
        let found = match self.refetches.fetch(&self.federation, &partner, &actor, &candidate.key_id).await {
            Ok(found) => found,
            Err(refusal) => return Err(failed.unwrap_or(refusal)),
        };
        // A key that was just fetched is kept only once it has verified something.
        candidate.verify(&found.key.key())?;
        let now = self.federation.now();
        let mut tx = self.federation.store.write().await.map_err(busy)?;
        tx.put_account(&account(found, &partner, &actor, &candidate.key_id, now)).await.map_err(busy)?;
        tx.save().await.map_err(busy)?;
        Ok((partner, actor))
    }
}
