//! `Disposition`, a `Relationship` of ActivityStreams: how the host treats one contribution
//! (participation.md §4.3.12).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scalar::{Address, Multihash, Token, constant};
use super::text::clean;
use crate::domain::RecordId;
use crate::domain::digest::Digest;
use crate::domain::disposition::{Disposition as DomainDisposition, DispositionState};

constant!(
    /// The AS2 type of a disposition.
    RelationshipType = "Relationship"
);
constant!(
    /// The class of a disposition.
    DispositionClass = "Disposition"
);
constant!(
    /// What subject and object have to do with each other.
    DispositionIn = "pv:dispositionIn"
);

/// The host's treatment of a contribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Disposition {
    /// Always `Relationship`.
    #[serde(rename = "type")]
    pub node_type: RelationshipType,
    /// Always `Disposition`.
    pub record_type: DispositionClass,
    /// The contribution that is treated.
    #[schemars(with = "Address")]
    pub subject: RecordId,
    /// Always `pv:dispositionIn`.
    pub relationship: DispositionIn,
    /// The consultation in which it is treated.
    #[schemars(with = "Address")]
    pub object: RecordId,
    /// Digest of the revision that was judged; absent when that is not known.
    #[schemars(with = "Option<Multihash>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_digest: Option<Digest>,
    /// Where the treatment stands.
    pub disposition_state: DispositionState,
    /// The platform's own word for its state, when no table maps it (the state is `pending` then).
    #[schemars(with = "Option<Token>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// The contribution it was merged into.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<RecordId>,
}

impl Disposition {
    /// The properties of a disposition beside its envelope.
    #[must_use]
    pub fn of(body: &DomainDisposition) -> Self {
        Self {
            node_type: RelationshipType::Value,
            record_type: DispositionClass::Value,
            subject: body.subject.clone(),
            relationship: DispositionIn::Value,
            object: body.process.clone(),
            subject_digest: body.subject_digest.clone(),
            disposition_state: body.state,
            notation: body.raw_state.clone(),
            merged_into: body.merged_into.clone(),
        }
    }

    /// The disposition that these properties describe.
    #[must_use]
    pub fn read(&self) -> DomainDisposition {
        DomainDisposition {
            subject: self.subject.clone(),
            process: self.object.clone(),
            subject_digest: self.subject_digest.clone(),
            state: self.disposition_state,
            raw_state: self.notation.as_deref().and_then(clean),
            merged_into: self.merged_into.clone(),
        }
    }
}
