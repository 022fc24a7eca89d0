//! `PersonalDataHandling`: how personal data behind a record are handled, and where rights are
//! exercised (participation.md §4.3.23).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::scalar::{Address, Iri, Token, constant, one_or_many};
use crate::domain::ActorId;
use crate::domain::personal_data::PersonalDataHandling as DomainHandling;

constant!(
    /// The `type` of the statement.
    HandlingType = "PersonalDataHandling"
);

/// The statement that a record with a citizen's text carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonalDataHandling {
    /// Always `PersonalDataHandling`; absent in what older writers sent.
    #[serde(rename = "type", default)]
    pub node_type: HandlingType,
    /// The controller: the authority the record comes from.
    #[schemars(with = "Address")]
    pub controller: ActorId,
    /// Legal basis, usually `eu-gdpr:A6-1-e`.
    #[schemars(with = "Iri")]
    pub legal_basis: String,
    /// How the person was removed, usually `dpv:Pseudonymisation`.
    #[schemars(with = "Vec<Iri>", length(min = 1))]
    #[serde(deserialize_with = "one_or_many")]
    pub method: Vec<String>,
    /// Fields taken out on purpose.
    #[schemars(with = "Vec<Token>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// Where articles 15 to 21 of the GDPR are exercised.
    #[schemars(with = "Address")]
    pub rights_contact: Url,
}

impl PersonalDataHandling {
    /// The node of a statement.
    #[must_use]
    pub fn of(handling: &DomainHandling) -> Self {
        Self {
            node_type: HandlingType::Value,
            controller: handling.controller.clone(),
            legal_basis: handling.legal_basis.clone(),
            method: handling.method.clone(),
            removed: handling.removed.clone(),
            rights_contact: handling.rights_contact.clone(),
        }
    }

    /// The statement that this node describes.
    #[must_use]
    pub fn read(&self) -> DomainHandling {
        DomainHandling {
            controller: self.controller.clone(),
            legal_basis: self.legal_basis.clone(),
            method: self.method.clone(),
            removed: self.removed.clone(),
            rights_contact: self.rights_contact.clone(),
        }
    }
}
