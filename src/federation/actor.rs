//! The actor document of the authority: who it is, how its keys are named, where its records are read.

use serde_json::Value;
use url::Url;

use super::context::{ACTOR_CONTEXTS_AFTER, ACTOR_CONTEXTS_BEFORE};
use super::keys::Keys;
use super::proof::{self, ProofError, Signed};
use super::wire::actor as wire;
use super::wire::place::Place;
use super::wire::scalar::{AuthorityKindConcept, LanguageMap, name_to_iri};
use super::wire::to_value;
use crate::domain::Timestamp;
use crate::domain::authority::PublicAuthority;
use crate::domain::text::LanguageTag;

/// The version of the vocabulary and the conformance classes of participation.md §4.1 that are met.
pub const SUPPORTS: [&str; 3] = ["pv:version-1", "pv:conformance-reader", "pv:conformance-publisher"];

/// The actor of the gateway under `public_url`, unsigned; `language` is the one of its plain `name`.
///
/// # Errors
/// When `public_url` carries no path.
pub fn document(
    authority: &PublicAuthority,
    keys: &Keys,
    public_url: &Url,
    language: &LanguageTag,
) -> Result<Value, url::ParseError> {
    let context = public_url.join("/ns/v1")?;
    let contexts = ACTOR_CONTEXTS_BEFORE.iter().copied().chain([context.as_str()]).chain(ACTOR_CONTEXTS_AFTER);
    let names = authority.name.iter().map(|(tag, name)| (tag.to_string(), name.to_string()));
    let document = wire::PublicAuthority {
        context: contexts.map(ToOwned::to_owned).collect(),
        id: authority.id.clone(),
        node_type: wire::OrganizationType::Value,
        record_type: wire::AuthorityClass::Value,
        preferred_username: authority.handle.clone(),
        name: authority.name.pick(&[], language).1.to_string(),
        name_map: LanguageMap(names.collect()),
        url: public_url.join("/")?,
        inbox: public_url.join("/actor/inbox")?,
        outbox: public_url.join("/actor/outbox")?,
        followers: public_url.join("/actor/followers")?,
        streams: vec![public_url.join("/actor/records")?],
        public_key: wire::PublicKey { id: keys.rsa_id(), owner: authority.id.clone(), public_key_pem: keys.rsa_pem().to_owned() },
        assertion_method: vec![wire::MultikeyNode {
            id: keys.ed25519_id(),
            node_type: wire::MultikeyType::Value,
            controller: authority.id.clone(),
            public_key_multibase: keys.multikey().clone(),
        }],
        authority_identifier: authority
            .identifiers
            .iter()
            .map(|number| wire::IdentifierNode {
                notation: number.notation.clone(),
                in_scheme: name_to_iri("register", &number.scheme),
            })
            .collect(),
        authority_kind: AuthorityKindConcept(authority.kind),
        territory: authority.territory.as_ref().map(Place::of),
        rights_contact: authority.rights_contact.clone(),
        supports: SUPPORTS.iter().map(|&word| word.to_owned()).collect(),
        proof: None,
    };
    Ok(to_value(&document))
}

/// The same with a proof made at `created`. A server makes it once and keeps it: another `created` is
/// another document.
///
/// # Errors
/// When the key does not sign.
pub fn signed(
    authority: &PublicAuthority,
    keys: &Keys,
    public_url: &Url,
    language: &LanguageTag,
    created: Timestamp,
) -> Result<Signed, ProofError> {
    let document =
        document(authority, keys, public_url, language).map_err(|error| ProofError::NotCanonical(error.to_string()))?;
    proof::sign_without_context(document, keys, created)
}
