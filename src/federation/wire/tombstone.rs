//! `Tombstone` of ActivityStreams: what is left of a deleted record (R11, architecture §4.6).
//!
//! `formerType` names our class as `pv:…`, because the AS2 context reads it as an address and would
//! resolve a bare word against the page it stands on.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::proof::DataIntegrityProof;
use super::scalar::{
    Address, Audience, Contexts, Instant, Multihash, NAMESPACE, ReasonConcept, RevisionNumber, constant, one_or_many,
};
use super::{PUBLIC, WireError, contexts};
use crate::domain::digest::Digest;
use crate::domain::tombstone::Tombstone as DomainTombstone;
use crate::domain::{ActorId, Class, RecordId, Timestamp};

constant!(
    /// The AS2 type of a tombstone.
    TombstoneType = "Tombstone"
);

/// A class of the vocabulary as a concept, `pv:Contribution`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassConcept(pub Class);

impl Serialize for ClassConcept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("pv:{}", self.0))
    }
}

impl<'de> Deserialize<'de> for ClassConcept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let local = word.strip_prefix("pv:").or_else(|| word.strip_prefix(NAMESPACE)).unwrap_or(&word);
        local.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for ClassConcept {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ClassConcept".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<String> = Class::ALL.iter().map(|class| format!("pv:{class}")).collect();
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}

/// The last revision of a deleted record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tombstone {
    /// ActivityStreams, Data Integrity, and the authority's own copy of our context.
    #[schemars(with = "Contexts")]
    #[serde(rename = "@context")]
    pub context: Vec<String>,
    /// The address of the record that was.
    #[schemars(with = "Address")]
    pub id: RecordId,
    /// Always `Tombstone`.
    #[serde(rename = "type")]
    pub node_type: TombstoneType,
    /// The class of the record that was.
    pub former_type: ClassConcept,
    /// Who owned it; signs the tombstone.
    #[schemars(with = "Address")]
    pub attributed_to: ActorId,
    /// Who owned it.
    #[schemars(with = "Address")]
    pub authority: ActorId,
    /// Addressees: everybody.
    #[schemars(with = "Audience")]
    #[serde(deserialize_with = "one_or_many")]
    pub to: Vec<String>,
    /// When it was deleted.
    #[schemars(with = "Instant")]
    pub deleted: Timestamp,
    /// Last revision + 1; without it the tombstone beats every revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<RevisionNumber>,
    /// Digest of the last revision.
    #[schemars(with = "Option<Multihash>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_digest: Option<Digest>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<ReasonConcept>,
    /// The signature of the authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<DataIntegrityProof>,
}

impl Tombstone {
    /// The document of a tombstone, not yet signed.
    #[must_use]
    pub fn of(tombstone: &DomainTombstone) -> Self {
        Self {
            context: contexts(&tombstone.authority),
            id: tombstone.id.clone(),
            node_type: TombstoneType::Value,
            former_type: ClassConcept(tombstone.former_class),
            attributed_to: tombstone.authority.clone(),
            authority: tombstone.authority.clone(),
            to: vec![PUBLIC.to_owned()],
            deleted: tombstone.deleted.whole_second(),
            revision: tombstone.revision.map(RevisionNumber::new),
            previous_digest: tombstone.previous_digest.clone(),
            reason_code: tombstone.reason.map(ReasonConcept),
            proof: None,
        }
    }

    /// The tombstone that this document describes.
    ///
    /// # Errors
    /// When the signing actor is not the authority.
    pub fn read(self) -> Result<DomainTombstone, WireError> {
        if self.attributed_to != self.authority {
            return Err(WireError::new("attributedTo", "the signing actor is not the authority"));
        }
        Ok(DomainTombstone {
            id: self.id,
            authority: self.authority,
            former_class: self.former_type.0,
            deleted: self.deleted,
            revision: self.revision.map(RevisionNumber::get),
            previous_digest: self.previous_digest,
            reason: self.reason_code.map(|concept| concept.0),
        })
    }
}
