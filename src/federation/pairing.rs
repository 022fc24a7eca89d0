//! How a partner gets on the allow-list: its actor is fetched once, what a person was told by telephone is
//! compared with the key it shows, and what was found is pinned (architecture §6, Pairing).
//!
//! Everything later is checked against what is pinned here. What the actor says afterwards is a proposal
//! (SEC-075, SEC-076); only a person who types a new fingerprint replaces the key.

use serde_json::Value;
use url::Url;

use super::Federation;
use super::dispatch;
use super::fetch::{self, FetchError};
use super::keys::RsaPublicKey;
use super::proof;
use crate::domain::fingerprint::{Fingerprint, FingerprintError};
use crate::domain::partner::{FollowState, Multikey, Partner, PartnerKind};
use crate::domain::{ActorId, PartnerDomain, RecordId};
use crate::store::disclosures::DisclosureState;
use crate::store::partners::PartnerHealth;
use crate::store::{AuditEntry, CopyStanding, StoreError, Tx};

/// Longest name we keep of a partner, in characters.
const MAX_NAME: usize = 200;

/// How a person vouches for a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Introduction {
    /// A gateway, by the fingerprint of its key: 8 words, 16 digits or the whole key.
    Fingerprint(String),
    /// A server of the Fediverse that may read what is public.
    Reader,
}

/// What `partner accept` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The partner as it is listed now.
    pub partner: Partner,
    /// Whether it was not listed before.
    pub new: bool,
    /// Whether a Follow was put into its queue.
    pub follow_sent: bool,
}

/// Why a partner was not accepted. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PairingError {
    /// The own domain.
    #[error("{0} is this gateway itself; name the domain of the partner")]
    Ourselves(PartnerDomain),
    /// The actor could not be read.
    #[error("cannot read the actor of {domain}: {source}; check the domain and that the gateway there is running")]
    Unreachable {
        /// Which partner.
        domain: PartnerDomain,
        /// Why.
        source: Box<FetchError>,
    },
    /// Something is there, but it is not what it has to be.
    #[error("{domain} is not a Passerelle gateway: {reason}; use --reader for a server of the Fediverse")]
    NotAGateway {
        /// Which partner.
        domain: PartnerDomain,
        /// What is wrong with its actor.
        reason: String,
    },
    /// A Fediverse actor that we cannot use.
    #[error("the actor of {domain} cannot be used: {reason}")]
    NotAReader {
        /// Which server.
        domain: PartnerDomain,
        /// What is wrong with its actor.
        reason: String,
    },
    /// The key is not the one that was announced.
    #[error("{domain} was not accepted: {source}; ask the partner again, over another channel")]
    Fingerprint {
        /// Which partner.
        domain: PartnerDomain,
        /// Unreadable, or of another key.
        source: FingerprintError,
    },
    /// The database did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lists a partner under what it shows now, if a person vouches for it, and sends our Follow.
///
/// # Errors
/// [`PairingError`] says what did not fit; then nothing was changed.
pub async fn accept(
    federation: &Federation,
    domain: &PartnerDomain,
    introduction: &Introduction,
) -> Result<Acceptance, PairingError> {
    if *domain == PartnerDomain::of(&federation.public_url) {
        return Err(PairingError::Ourselves(domain.clone()));
    }
    let kind = match introduction {
        Introduction::Fingerprint(_) => PartnerKind::Partner,
        Introduction::Reader => PartnerKind::Reader,
    };
    let found = find_actor(federation, domain, kind).await;
    let mut partner = match introduction {
        Introduction::Fingerprint(typed) => {
            let (actor, document) = found?;
            gateway(federation, domain, actor, &document, typed)?
        }
        Introduction::Reader => reader(federation, domain, found)?,
    };
    let now = federation.now();
    let mut tx = federation.store.write().await?;
    let known = tx.lookup_partner(domain).await?;
    if let Some(known) = &known {
        // A follow is between the same two keys: with a new key both begin again.
        if known.key == partner.key && known.kind == partner.kind {
            (partner.follows_us, partner.followed, partner.since) = (known.follows_us, known.followed, known.since);
        }
    }
    let follow_sent = partner.kind == PartnerKind::Partner && partner.followed != FollowState::Accepted;
    if follow_sent {
        partner.followed = FollowState::Pending;
    }
    if known.as_ref().is_some_and(|known| known.kind == PartnerKind::Reader && partner.kind != known.kind) {
        tx.forget_followers(domain).await?;
    }
    tx.put_partner(&partner).await?;
    if follow_sent {
        follow(federation, &mut tx, &partner).await?;
    }
    let action = if known.is_none() { "partner-listed" } else { "partner-listed-again" };
    let key = partner.key.as_ref().map_or_else(|| "no key".to_owned(), ToString::to_string);
    let entry = AuditEntry {
        at: now,
        who: "operator".to_owned(),
        action: action.to_owned(),
        subject: domain.to_string(),
        detail: format!("{} {key}", partner.kind),
    };
    tx.append_audit(&[entry]).await?;
    tx.save().await?;
    Ok(Acceptance { partner, new: known.is_none(), follow_sent })
}

/// One line of `partner list`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The partner.
    pub partner: Partner,
    /// The words of its pinned key.
    pub fingerprint: Option<Fingerprint>,
    /// Whether it can be reached.
    pub health: Option<PartnerHealth>,
    /// How many of our records stand where with it.
    pub disclosures: Vec<(DisclosureState, u64)>,
    /// How many of its records we hold, and how.
    pub copies: Vec<(CopyStanding, u64)>,
    /// How many of its accounts follow us or a consultation, for a reader server.
    pub followers: u64,
}

/// What `partner list` shows: ourselves first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Our domain, as partners type it.
    pub domain: PartnerDomain,
    /// The fingerprint of our key, which partners type.
    pub fingerprint: Fingerprint,
    /// Our whole key.
    pub key: Multikey,
    /// The partners, by domain.
    pub partners: Vec<Listed>,
}

/// Everybody on the allow-list, and what a partner needs to list us.
///
/// # Errors
/// Only of the database.
pub async fn list(federation: &Federation) -> Result<Listing, StoreError> {
    let mut tx = federation.store.read().await?;
    let mut partners = Vec::new();
    let followers = tx.follower_counts().await?;
    for partner in tx.list_partners().await? {
        partners.push(Listed {
            fingerprint: partner.key.as_ref().map(Multikey::fingerprint),
            health: tx.partner_health(&partner.domain).await?,
            disclosures: tx.disclosure_counts(&partner.domain).await?,
            copies: tx.copy_counts(&partner.domain).await?,
            followers: followers.get(&partner.domain).copied().unwrap_or(0),
            partner,
        });
    }
    let key = federation.keys.multikey().clone();
    Ok(Listing { domain: federation.domain(), fingerprint: key.fingerprint(), key, partners })
}

/// Puts our Follow of a partner into its queue.
async fn follow(federation: &Federation, tx: &mut Tx, partner: &Partner) -> Result<(), StoreError> {
    let now = federation.now();
    let activity = dispatch::follow(federation, partner, now);
    let body = String::from_utf8_lossy(&activity.body);
    tx.put_letter(&partner.domain, &activity.id, &body, now).await.map(|_| ())
}

/// Fetches `https://DOMAIN/actor`; over http only where the operator allowed private addresses, which the
/// outgoing client enforces by itself.
async fn find_actor(
    federation: &Federation,
    domain: &PartnerDomain,
    kind: PartnerKind,
) -> Result<(ActorId, Value), PairingError> {
    let unreachable = |source| PairingError::Unreachable { domain: domain.clone(), source: Box::new(source) };
    let no_actor = |reason| match kind {
        PartnerKind::Partner => PairingError::NotAGateway { domain: domain.clone(), reason },
        PartnerKind::Reader => PairingError::NotAReader { domain: domain.clone(), reason },
    };
    let mut schemes = vec!["https"];
    if !federation.client.policy().allow_private.is_empty() {
        schemes.push("http");
    }
    let mut first_error = None;
    for scheme in schemes {
        let address = format!("{scheme}://{domain}/actor");
        let Ok(url) = address.parse::<Url>() else { continue };
        match fetch::signed_get(federation, kind, &url).await {
            Ok(response) => {
                let document = match fetch::document(&response) {
                    Ok(document) => document,
                    Err(source) if says_no_gateway(&source) => return Err(no_actor(source.to_string())),
                    // Whatever stands there, a server answers.
                    Err(source) if kind == PartnerKind::Reader && source.status().is_some_and(|status| status < 500) => {
                        return Err(no_actor(source.to_string()));
                    }
                    Err(source) => return Err(unreachable(source)),
                };
                let actor = address.parse::<ActorId>().ok().filter(|actor| text(&document, "id") == Some(actor.as_str()));
                return actor
                    .map(|actor| (actor, document))
                    .ok_or_else(|| no_actor(format!("its actor does not carry the id {address}")));
            }
            // Of two failures the first one speaks of the address that should work.
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.map_or_else(|| no_actor("it has no usable address".to_owned()), unreachable))
}

/// Whether an answer shows that there is something else than a gateway.
const fn says_no_gateway(error: &FetchError) -> bool {
    match error {
        FetchError::MediaType { .. } | FetchError::Json { .. } => true,
        FetchError::Status { status, .. } => matches!(status, 404 | 405 | 406 | 410),
        FetchError::Outbound(_) | FetchError::Sign(_) | FetchError::Budget { .. } => false,
    }
}

fn gateway(
    federation: &Federation,
    domain: &PartnerDomain,
    actor: ActorId,
    document: &Value,
    typed: &str,
) -> Result<Partner, PairingError> {
    let refused = |reason: &str| PairingError::NotAGateway { domain: domain.clone(), reason: reason.to_owned() };
    if text(document, "type") != Some("Organization") {
        return Err(refused("its actor is not an Organization"));
    }
    let inbox = own_address(document.get("inbox"), &actor).ok_or_else(|| refused("its inbox lies elsewhere"))?;
    let records = one_or_many(document.get("streams")).find_map(|stream| own_address(Some(stream), &actor));
    let records = records.ok_or_else(|| refused("its actor names no stream of records"))?;
    let keys: Vec<(String, Multikey)> =
        one_or_many(document.get("assertionMethod")).filter_map(|method| multikey(method, &actor)).collect();
    let (key_id, key) = choose(&keys, typed)
        .map_err(|source| PairingError::Fingerprint { domain: domain.clone(), source })?
        .ok_or_else(|| refused("its actor shows no Ed25519 key (assertionMethod with a Multikey)"))?;
    if document.get("proof").is_some() {
        proof::verify(document, &key, &key_id, federation.now())
            .map_err(|error| refused(&format!("the proof of its actor does not hold ({error})")))?;
    }
    Ok(Partner {
        domain: domain.clone(),
        kind: PartnerKind::Partner,
        name: name(document, domain),
        inbox,
        records: Some(records),
        key: Some(key),
        key_id: Some(key_id),
        rsa: rsa(document, &actor),
        actor,
        follows_us: FollowState::None,
        followed: FollowState::None,
        since: federation.now(),
    })
}

/// A server of the Fediverse is listed by its name; its accounts are looked up when they knock. Where it has
/// an actor of its own at `/actor`, as Mastodon has, that is pinned too; others have theirs elsewhere.
fn reader(
    federation: &Federation,
    domain: &PartnerDomain,
    found: Result<(ActorId, Value), PairingError>,
) -> Result<Partner, PairingError> {
    let refused = |reason: &str| PairingError::NotAReader { domain: domain.clone(), reason: reason.to_owned() };
    let (actor, document) = match found {
        Ok(found) => found,
        // It answers, only not with an actor.
        Err(PairingError::NotAReader { .. }) => {
            (bare(federation, domain).ok_or_else(|| refused("it has no usable address"))?, Value::Null)
        }
        Err(error) => return Err(error),
    };
    let own = |value: Option<&Value>| own_address(value, &actor);
    let shared = document.get("endpoints").and_then(|endpoints| own(endpoints.get("sharedInbox")));
    let inbox = shared.or_else(|| own(document.get("inbox"))).unwrap_or_else(|| format!("{actor}/inbox"));
    Ok(Partner {
        domain: domain.clone(),
        kind: PartnerKind::Reader,
        name: name(&document, domain),
        inbox,
        records: None,
        key: None,
        key_id: None,
        rsa: rsa(&document, &actor),
        actor,
        follows_us: FollowState::None,
        followed: FollowState::None,
        since: federation.now(),
    })
}

/// The place where a server's own actor would be.
fn bare(federation: &Federation, domain: &PartnerDomain) -> Option<ActorId> {
    format!("{}://{domain}/actor", federation.public_url.scheme()).parse().ok()
}

/// The key whose fingerprint was typed. With several keys the typed one is looked for; an error speaks of
/// the first.
fn choose(keys: &[(String, Multikey)], typed: &str) -> Result<Option<(String, Multikey)>, FingerprintError> {
    let mut refusal = None;
    for (id, key) in keys {
        match key.fingerprint().check(key, typed) {
            Ok(()) => return Ok(Some((id.clone(), key.clone()))),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    refusal.map_or(Ok(None), Err)
}

/// An Ed25519 key that the actor itself controls.
fn multikey(method: &Value, actor: &ActorId) -> Option<(String, Multikey)> {
    let is_own = text(method, "type") == Some("Multikey") && text(method, "controller") == Some(actor.as_str());
    let id = text(method, "id").filter(|id| id.split('#').next() == Some(actor.as_str()))?;
    let key = text(method, "publicKeyMultibase")?.parse().ok()?;
    is_own.then(|| (id.to_owned(), key))
}

/// The RSA key that the actor itself owns, as (PEM, key id).
fn rsa(document: &Value, actor: &ActorId) -> Option<(String, String)> {
    let key = document.get("publicKey")?;
    let id = text(key, "id").filter(|id| id.split('#').next() == Some(actor.as_str()))?;
    let pem = text(key, "publicKeyPem")?;
    let own = text(key, "owner") == Some(actor.as_str());
    (own && RsaPublicKey::from_pem(pem).is_ok()).then(|| (pem.to_owned(), id.to_owned()))
}

/// An address on the actor's own origin.
fn own_address(value: Option<&Value>, actor: &ActorId) -> Option<String> {
    let address: RecordId = value?.as_str()?.parse().ok()?;
    actor.owns(&address).then(|| address.to_string())
}

fn name(document: &Value, domain: &PartnerDomain) -> String {
    let in_a_language =
        || document.get("nameMap").and_then(Value::as_object).and_then(|map| map.values().find_map(Value::as_str));
    let name = text(document, "name").or_else(in_a_language).unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    if name.trim().is_empty() { domain.to_string() } else { name.trim().to_owned() }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// One or many.
fn one_or_many(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.into_iter().flat_map(|value| value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn actor() -> ActorId {
        "https://b.example/actor".parse().expect("an address")
    }

    #[test]
    fn sec_075_addresses_on_another_host_are_not_pinned() {
        for (value, good) in [
            (json!("https://b.example/actor/inbox"), true),
            (json!("https://c.example/actor/inbox"), false),
            (json!("http://b.example/actor/inbox"), false),
            (json!("https://b.example:25/actor/inbox"), false),
            (json!("https://b.example@127.0.0.1/inbox"), false),
            (json!({"id": "https://b.example/actor/inbox"}), false),
        ] {
            assert_eq!(own_address(Some(&value), &actor()).is_some(), good, "{value}");
        }
    }

    #[test]
    fn a_key_that_somebody_else_controls_is_not_the_partners() {
        let key = Multikey::new([7; 32]).to_string();
        let method = |id: &str, controller: &str| json!({"id": id, "type": "Multikey", "controller": controller, "publicKeyMultibase": key});
        let good = method("https://b.example/actor#k", "https://b.example/actor");
        assert!(multikey(&good, &actor()).is_some());
        assert!(multikey(&method("https://c.example/actor#k", "https://b.example/actor"), &actor()).is_none());
        assert!(multikey(&method("https://b.example/actor#k", "https://c.example/actor"), &actor()).is_none());
    }

    #[test]
    fn of_several_keys_the_typed_one_is_pinned() {
        let keys = [("a#1".to_owned(), Multikey::new([1; 32])), ("a#2".to_owned(), Multikey::new([2; 32]))];
        let typed = keys[1].1.fingerprint().digits();
        assert_eq!(choose(&keys, &typed), Ok(Some(keys[1].clone())));
        let other = Multikey::new([3; 32]).fingerprint().digits();
        assert!(matches!(choose(&keys, &other), Err(FingerprintError::Different { .. })));
        assert_eq!(choose(&[], &typed), Ok(None));
    }

    #[test]
    fn a_partner_without_a_name_is_called_by_its_domain() {
        let domain: PartnerDomain = "b.example".parse().expect("a domain");
        assert_eq!(name(&json!({"name": " Bordeaux\u{7} "}), &domain), "Bordeaux");
        assert_eq!(name(&json!({"nameMap": {"fr": "Bordeaux"}}), &domain), "Bordeaux");
        assert_eq!(name(&json!({"name": ["x"]}), &domain), "b.example");
    }
}
