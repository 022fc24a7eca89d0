//! The keys that an actor document lists: `publicKey` (RSA) and `assertionMethod` (FEP-521a).
//!
//! A key counts only if the document is that of the actor itself and the key says that this actor owns
//! it (FEP-fe34, reciprocal claims; SEC-029, SEC-030).

use serde_json::Value;
use url::Url;

use crate::domain::ActorId;
use crate::domain::partner::Multikey;

use super::super::keys::{PublicKey, RsaKeyRefused, RsaPublicKey};

/// Most keys of one actor that we look at.
const MAX_KEYS: usize = 8;

/// What is wrong with an actor document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActorRefused {
    /// Its `id` is another than the address it was asked for (SEC-077).
    #[error("the document is that of another actor")]
    OtherActor,
    /// It is no actor of the Fediverse.
    #[error("the document is not that of an actor")]
    NotAnActor,
    /// It has no inbox, or one on another origin.
    #[error("the inbox is not on the actor's own origin")]
    Inbox,
    /// The wanted key belongs to another actor.
    #[error("the key is owned by another actor")]
    KeyOwner,
    /// The wanted key is not listed.
    #[error("the actor does not list this key")]
    NotListed,
    /// The wanted RSA key is not acceptable.
    #[error(transparent)]
    Rsa(#[from] RsaKeyRefused),
    /// The wanted key is no Ed25519 Multikey.
    #[error("the key is not an Ed25519 Multikey")]
    NotAMultikey,
}

/// A key as it stands in an actor document, with the text that pins it.
#[derive(Debug, Clone)]
pub enum ListedKey {
    /// From `assertionMethod`.
    Ed25519(Multikey),
    /// From `publicKey`: the key and its PEM text.
    Rsa(RsaPublicKey, String),
}

impl ListedKey {
    /// The key itself.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        match self {
            Self::Ed25519(key) => PublicKey::Ed25519(key.clone()),
            Self::Rsa(key, _) => PublicKey::Rsa(key.clone()),
        }
    }
}

/// The facts of an actor document that are pinned.
#[derive(Debug, Clone)]
pub struct ActorDocument<'a> {
    actor: &'a ActorId,
    document: &'a Value,
}

impl<'a> ActorDocument<'a> {
    /// Takes a document that was fetched from `actor`.
    ///
    /// # Errors
    /// [`ActorRefused::OtherActor`] when it calls itself something else.
    pub fn of(actor: &'a ActorId, document: &'a Value) -> Result<Self, ActorRefused> {
        let id = document.get("id").and_then(Value::as_str).and_then(|id| id.parse::<ActorId>().ok());
        if id.as_ref() == Some(actor) { Ok(Self { actor, document }) } else { Err(ActorRefused::OtherActor) }
    }

    /// Where its activities are posted; on its own origin.
    ///
    /// # Errors
    /// [`ActorRefused::Inbox`] otherwise.
    pub fn inbox(&self) -> Result<String, ActorRefused> {
        let inbox = self.document.get("inbox").and_then(Value::as_str).and_then(|text| Url::parse(text).ok());
        inbox
            .filter(|url| url.origin() == self.actor.url().origin() && url.fragment().is_none())
            .map(|url| url.to_string())
            .ok_or(ActorRefused::Inbox)
    }

    /// The inbox that all actors of its server share, where there is one on its own origin.
    #[must_use]
    pub fn shared_inbox(&self) -> Option<String> {
        let shared = self.document.get("endpoints")?.get("sharedInbox")?.as_str()?;
        let url = Url::parse(shared).ok()?;
        (url.origin() == self.actor.url().origin() && url.fragment().is_none()).then(|| url.to_string())
    }

    /// Whether it is one of the five kinds of actor.
    #[must_use]
    pub fn is_actor(&self) -> bool {
        let kinds = ["Application", "Group", "Organization", "Person", "Service"];
        self.document.get("type").and_then(Value::as_str).is_some_and(|kind| kinds.contains(&kind))
    }

    /// Its name, as far as it says one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.document.get("name").and_then(Value::as_str)
    }

    /// The key with exactly this id.
    ///
    /// # Errors
    /// Says why there is none that counts.
    pub fn key(&self, key_id: &str) -> Result<ListedKey, ActorRefused> {
        for (property, owner, text) in
            [("assertionMethod", "controller", "publicKeyMultibase"), ("publicKey", "owner", "publicKeyPem")]
        {
            let listed = self.entries(property).find(|key| key.get("id").and_then(Value::as_str) == Some(key_id));
            let Some(key) = listed else { continue };
            let owner = key.get(owner).and_then(Value::as_str).and_then(|owner| owner.parse::<ActorId>().ok());
            if owner.as_ref() != Some(self.actor) {
                return Err(ActorRefused::KeyOwner);
            }
            let text = key.get(text).and_then(Value::as_str).unwrap_or_default();
            return if property == "publicKey" {
                Ok(ListedKey::Rsa(RsaPublicKey::from_pem(text)?, text.to_owned()))
            } else {
                text.parse().map(ListedKey::Ed25519).map_err(|_| ActorRefused::NotAMultikey)
            };
        }
        Err(ActorRefused::NotListed)
    }

    /// The first Ed25519 key that this actor owns, with its id: what pairing pins.
    #[must_use]
    pub fn first_ed25519(&self) -> Option<(String, Multikey)> {
        self.ids("assertionMethod").find_map(|id| match self.key(&id) {
            Ok(ListedKey::Ed25519(key)) => Some((id, key)),
            _ => None,
        })
    }

    /// The first acceptable RSA key that this actor owns: its PEM text and its id.
    #[must_use]
    pub fn first_rsa(&self) -> Option<(String, String)> {
        self.ids("publicKey").find_map(|id| match self.key(&id) {
            Ok(ListedKey::Rsa(_, pem)) => Some((pem, id)),
            _ => None,
        })
    }

    fn ids(&self, property: &'static str) -> impl Iterator<Item = String> + '_ {
        self.entries(property).filter_map(|key| key.get("id")?.as_str().map(str::to_owned))
    }

    fn entries(&self, property: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        let entries = match self.document.get(property) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        entries.iter().take(MAX_KEYS)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::keys::Keys;
    use super::*;

    fn actor() -> ActorId {
        "https://b.example/actor".parse().expect("an address")
    }

    fn document(owner: &str) -> (Keys, Value) {
        let keys = Keys::generate(actor()).expect("keys");
        let document = json!({
            "id": actor(), "type": "Organization", "inbox": "https://b.example/actor/inbox",
            "publicKey": {"id": keys.rsa_id(), "owner": owner, "publicKeyPem": keys.rsa_pem()},
            "assertionMethod": [{"id": keys.ed25519_id(), "type": "Multikey", "controller": owner,
                                 "publicKeyMultibase": keys.multikey().to_string()}]
        });
        (keys, document)
    }

    #[test]
    fn sec_035_a_key_is_found_by_its_exact_id() {
        let (keys, document) = document("https://b.example/actor");
        let actor = actor();
        let read = ActorDocument::of(&actor, &document).expect("its own document");
        assert!(matches!(read.key(&keys.rsa_id()), Ok(ListedKey::Rsa(..))));
        assert!(matches!(read.key(&keys.ed25519_id()), Ok(ListedKey::Ed25519(_))));
        assert_eq!(read.key("https://b.example/actor#other").err(), Some(ActorRefused::NotListed));
        assert_eq!(read.key("https://b.example/actor").err(), Some(ActorRefused::NotListed));
        assert_eq!(read.first_ed25519().map(|(id, _)| id), Some(keys.ed25519_id()));
        assert_eq!(read.first_rsa().map(|(_, id)| id), Some(keys.rsa_id()));
    }

    #[test]
    fn sec_030_a_key_of_another_owner_is_refused() {
        let (keys, document) = document("https://c.example/actor");
        let actor = actor();
        let read = ActorDocument::of(&actor, &document).expect("its own document");
        assert_eq!(read.key(&keys.rsa_id()).err(), Some(ActorRefused::KeyOwner));
        assert_eq!(read.key(&keys.ed25519_id()).err(), Some(ActorRefused::KeyOwner));
        assert_eq!(read.first_ed25519(), None);
    }

    #[test]
    fn sec_077_a_document_with_another_id_is_refused() {
        let (_, document) = document("https://b.example/actor");
        let other: ActorId = "https://m.example/actor".parse().expect("an address");
        assert_eq!(ActorDocument::of(&other, &document).err(), Some(ActorRefused::OtherActor));
    }

    #[test]
    fn an_inbox_on_another_origin_is_refused() {
        let (_, mut document) = document("https://b.example/actor");
        document["inbox"] = json!("https://m.example/inbox");
        let actor = actor();
        assert_eq!(ActorDocument::of(&actor, &document).expect("its own document").inbox(), Err(ActorRefused::Inbox));
    }
}
