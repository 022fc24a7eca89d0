//! `PublicAuthority`, an `Organization` of ActivityStreams: the actor of a gateway
//! (participation.md §4.3.1, FEP-521a, architecture §3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::place::Place;
use super::proof::DataIntegrityProof;
use super::scalar::{Address, AuthorityKindConcept, Iri, LanguageMap, Plain, Token, constant};
use crate::domain::ActorId;
use crate::domain::partner::Multikey;

constant!(
    /// The AS2 type of an authority.
    OrganizationType = "Organization"
);
constant!(
    /// The class of an authority.
    AuthorityClass = "PublicAuthority"
);
constant!(
    /// The `type` of a key.
    MultikeyType = "Multikey"
);

/// The RSA key that servers of the Fediverse read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublicKey {
    /// Its name.
    #[schemars(with = "Address")]
    pub id: String,
    /// Whose it is.
    #[schemars(with = "Address")]
    pub owner: ActorId,
    /// SPKI in PEM.
    #[schemars(
        regex(pattern = r"^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n$"),
        length(max = 4096)
    )]
    pub public_key_pem: String,
}

/// The Ed25519 key of proofs and of requests between gateways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MultikeyNode {
    /// Its name.
    #[schemars(with = "Address")]
    pub id: String,
    /// Always `Multikey`.
    #[serde(rename = "type")]
    pub node_type: MultikeyType,
    /// Whose it is.
    #[schemars(with = "Address")]
    pub controller: ActorId,
    /// 34 bytes in base58btc, `z6Mk…`.
    #[schemars(with = "String", regex(pattern = r"^z6Mk[1-9A-HJ-NP-Za-km-z]{44}$"))]
    pub public_key_multibase: Multikey,
}

/// An official number of a public body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentifierNode {
    /// The number.
    #[schemars(with = "Token")]
    pub notation: String,
    /// The register, for example `pv:register-siren`.
    #[schemars(with = "Iri")]
    pub in_scheme: String,
}

/// The public body answerable for records, as the actor of its gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublicAuthority {
    /// The six contexts of an actor, in their order.
    #[schemars(with = "ActorContexts")]
    #[serde(rename = "@context")]
    pub context: Vec<String>,
    /// The actor's address.
    #[schemars(with = "Address")]
    pub id: ActorId,
    /// Always `Organization`.
    #[serde(rename = "type")]
    pub node_type: OrganizationType,
    /// Always `PublicAuthority`.
    pub record_type: AuthorityClass,
    /// The short name of its account.
    #[schemars(regex(pattern = r"^[a-z0-9_][a-z0-9_.-]*$"), length(max = 64))]
    pub preferred_username: String,
    /// Its name.
    #[schemars(with = "Plain")]
    pub name: String,
    /// Its name in each language.
    pub name_map: LanguageMap,
    /// Its pages.
    #[schemars(with = "Address")]
    pub url: Url,
    /// Where activities are posted.
    #[schemars(with = "Address")]
    pub inbox: Url,
    /// What it published, newest first, for readers of the Fediverse.
    #[schemars(with = "Address")]
    pub outbox: Url,
    /// Who follows it; only how many.
    #[schemars(with = "Address")]
    pub followers: Url,
    /// Its records in order of change, for partner gateways (`/actor/records`).
    #[schemars(with = "Vec<Address>", length(min = 1))]
    pub streams: Vec<Url>,
    /// The RSA key.
    pub public_key: PublicKey,
    /// The Ed25519 key.
    #[schemars(length(min = 1))]
    pub assertion_method: Vec<MultikeyNode>,
    /// Official numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authority_identifier: Vec<IdentifierNode>,
    /// What sort of public body it is.
    pub authority_kind: AuthorityKindConcept,
    /// Its territory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub territory: Option<Place>,
    /// Where a citizen exercises rights over personal data.
    #[schemars(with = "Address")]
    pub rights_contact: Url,
    /// Version of the vocabulary and conformance classes.
    #[schemars(with = "Vec<Iri>", length(min = 1))]
    pub supports: Vec<String>,
    /// The signature of the Ed25519 key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<DataIntegrityProof>,
}

/// The six contexts of an actor, in their order.
#[derive(Debug)]
struct ActorContexts;

impl JsonSchema for ActorContexts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ActorContexts".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "array",
            "prefixItems": [
                { "const": "https://www.w3.org/ns/activitystreams" },
                { "const": "https://w3id.org/security/v1" },
                { "const": "https://w3id.org/security/data-integrity/v2" },
                { "type": "string", "format": "uri", "pattern": "^https?://[^/]+/ns/v1$" },
                { "const": "https://www.w3.org/ns/did/v1" },
                { "const": "https://w3id.org/security/multikey/v1" }
            ],
            "items": { "type": "string", "format": "uri" },
            "minItems": 6,
            "maxItems": 20
        })
    }
}
