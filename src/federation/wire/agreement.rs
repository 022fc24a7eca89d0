//! `DataUseAgreement`, a `Document` of ActivityStreams: a part of ODRL 2.2 (participation.md §4.3.24, §4.5).
//!
//! Only its shape: what is offered, accepted and enforced with it is not written yet. An action, a selector
//! or a constraint that is not known here is refused by its name: ignored, it would make the agreement wider
//! than it was signed. Among them are `theme`, `territory` and `language` of §4.3.24, which nothing applies yet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::proof::DataIntegrityProof;
use super::scalar::{Address, Contexts, Count, Instant, Iri, Plain, PurgeTerm, Term, Token, constant, one_or_many};
use super::{WireError, contexts};
use crate::domain::agreement::{
    Action, Coverage as DomainCoverage, DataUseAgreement as DomainAgreement, Days, Onward, Rule as DomainRule,
};
use crate::domain::text::PlainText;
use crate::domain::{ActorId, Class, RecordId, Timestamp};

constant!(
    /// The AS2 type of an agreement.
    DocumentType = "Document"
);
constant!(
    /// The class of an agreement.
    AgreementClass = "DataUseAgreement"
);

/// Which records an agreement is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Records of these classes.
    #[schemars(length(min = 1))]
    pub classes: Vec<Class>,
    /// Of this consultation; absent means of every one.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<RecordId>,
}

/// What is allowed, forbidden or owed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// What.
    #[schemars(length(min = 1))]
    #[serde(deserialize_with = "one_or_many")]
    pub action: Vec<Action>,
    /// What for; absent means for any purpose.
    #[schemars(with = "Vec<Iri>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub purpose: Vec<String>,
    /// Within how many days what is owed must be done.
    #[schemars(with = "Option<PurgeTerm>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purge_within: Option<Days>,
}

impl Rule {
    fn of(rule: &DomainRule) -> Self {
        Self { action: rule.actions.clone(), purpose: rule.purposes.clone(), purge_within: rule.within }
    }

    fn read(&self, path: &str) -> Result<DomainRule, WireError> {
        if self.action.is_empty() {
            return Err(WireError::new(path, "a rule without an action"));
        }
        if self.purge_within.is_some_and(|within| within > Days::LONGEST_PURGE) {
            let longest = format_args!("at most {} are given", Days::LONGEST_PURGE);
            return Err(WireError::new(format_args!("{path}.purgeWithin"), longest));
        }
        Ok(DomainRule { actions: self.action.clone(), purposes: self.purpose.clone(), within: self.purge_within })
    }
}

/// What one authority allows another to do with its records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataUseAgreement {
    /// ActivityStreams, Data Integrity, and the assigner's own copy of our context.
    #[schemars(with = "Contexts")]
    #[serde(rename = "@context")]
    pub context: Vec<String>,
    /// Its address at the assigner.
    #[schemars(with = "Address")]
    pub id: RecordId,
    /// Always `Document`.
    #[serde(rename = "type")]
    pub node_type: DocumentType,
    /// Always `DataUseAgreement`.
    pub record_type: AgreementClass,
    /// The actor that signs; equals `assigner`.
    #[schemars(with = "Address")]
    pub attributed_to: ActorId,
    /// What it is called.
    #[schemars(with = "Plain")]
    pub name: String,
    /// Its version.
    #[schemars(with = "Token")]
    pub version: String,
    /// Whose records.
    #[schemars(with = "Address")]
    pub assigner: ActorId,
    /// Who may use them.
    #[schemars(with = "Address")]
    pub assignee: ActorId,
    /// From when on.
    #[schemars(with = "Instant")]
    pub valid_from: Timestamp,
    /// Until when.
    #[schemars(with = "Instant")]
    pub valid_until: Timestamp,
    /// Which records.
    #[schemars(length(min = 1))]
    #[serde(deserialize_with = "one_or_many")]
    pub covers: Vec<Coverage>,
    /// What is allowed; what no permission names is forbidden.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub permission: Vec<Rule>,
    /// What is forbidden, whatever is allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub prohibition: Vec<Rule>,
    /// What is owed.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub obligation: Vec<Rule>,
    /// How long a copy lives after its last confirmation.
    #[schemars(with = "Term")]
    pub max_cache: Days,
    /// How long before its end it is to be terminated.
    #[schemars(with = "Term")]
    pub notice_period: Days,
    /// The smallest group that a figure may be about.
    pub min_aggregation: Count,
    /// Whether copies may be handed on.
    pub onward: Onward,
    /// The signature of the assigner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<DataIntegrityProof>,
}

impl DataUseAgreement {
    /// The document of an agreement, not yet signed.
    #[must_use]
    pub fn of(agreement: &DomainAgreement) -> Self {
        let rules = |rules: &[DomainRule]| rules.iter().map(Rule::of).collect();
        Self {
            context: contexts(&agreement.assigner),
            id: agreement.id.clone(),
            node_type: DocumentType::Value,
            record_type: AgreementClass::Value,
            attributed_to: agreement.assigner.clone(),
            name: agreement.name.to_string(),
            version: agreement.version.clone(),
            assigner: agreement.assigner.clone(),
            assignee: agreement.assignee.clone(),
            valid_from: agreement.valid_from.whole_second(),
            valid_until: agreement.valid_until.whole_second(),
            covers: agreement
                .covers
                .iter()
                .map(|coverage| Coverage { classes: coverage.classes.clone(), process: coverage.process.clone() })
                .collect(),
            permission: rules(&agreement.permissions),
            prohibition: rules(&agreement.prohibitions),
            obligation: rules(&agreement.obligations),
            max_cache: agreement.max_cache,
            notice_period: agreement.notice,
            min_aggregation: Count::new(agreement.min_aggregation),
            onward: agreement.onward,
            proof: None,
        }
    }

    /// The agreement that this document is.
    ///
    /// # Errors
    /// When somebody else than the assigner signs, it lives on another host, covers nothing, or ends before
    /// it begins.
    pub fn read(&self) -> Result<DomainAgreement, WireError> {
        if self.attributed_to != self.assigner || !self.assigner.owns(&self.id) {
            return Err(WireError::new("assigner", "an agreement is its assigner's own document, on its own host"));
        }
        if self.assigner == self.assignee {
            return Err(WireError::new("assignee", "nobody agrees with itself"));
        }
        if self.valid_from >= self.valid_until {
            return Err(WireError::new("validUntil", "it ends before it begins"));
        }
        if self.covers.is_empty() || self.covers.iter().any(|coverage| coverage.classes.is_empty()) {
            return Err(WireError::new("covers", "it covers nothing"));
        }
        let rules = |rules: &[Rule], name: &str| {
            rules.iter().enumerate().map(|(n, rule)| rule.read(&format!("{name}[{n}]"))).collect::<Result<Vec<_>, _>>()
        };
        Ok(DomainAgreement {
            id: self.id.clone(),
            name: PlainText::new(&self.name).ok_or_else(|| WireError::new("name", "a text is needed here"))?,
            version: self.version.clone(),
            assigner: self.assigner.clone(),
            assignee: self.assignee.clone(),
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            covers: self
                .covers
                .iter()
                .map(|coverage| DomainCoverage { classes: coverage.classes.clone(), process: coverage.process.clone() })
                .collect(),
            permissions: rules(&self.permission, "permission")?,
            prohibitions: rules(&self.prohibition, "prohibition")?,
            obligations: rules(&self.obligation, "obligation")?,
            max_cache: self.max_cache,
            notice: self.notice_period,
            min_aggregation: self.min_aggregation.get(),
            onward: self.onward,
        })
    }
}
