//! `Decision`, an `Article` of ActivityStreams (participation.md §4.3.14).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::scalar::{Address, CalendarDay, Count, LanguageMap, Plain, Token, constant, one_or_many};
use super::{WireError, same_process, text};
use crate::domain::RecordId;
use crate::domain::calendar::Day;
use crate::domain::decision::{Decision as DomainDecision, Organ as DomainOrgan};
use crate::domain::record::Record;
use crate::domain::text::{LanguageTag, PlainText};

constant!(
    /// The AS2 type of a decision.
    ArticleType = "Article"
);
constant!(
    /// The class of a decision.
    DecisionClass = "Decision"
);
constant!(
    /// The `type` of an organ that has no address.
    OrganType = "Organization"
);

/// An organ that has only a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamedOrgan {
    /// Always `Organization`.
    #[serde(rename = "type")]
    pub node_type: OrganType,
    /// Its name in the original language.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its name in each language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_map: Option<LanguageMap>,
}

/// Who decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Organ {
    /// One with an address.
    Address(#[schemars(with = "Address")] RecordId),
    /// One with a name.
    Named(NamedOrgan),
}

/// What a public body decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Always `Article`.
    #[serde(rename = "type")]
    pub node_type: ArticleType,
    /// Always `Decision`.
    pub record_type: DecisionClass,
    /// The consultation that is behind it.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<RecordId>,
    /// The same, for readers that thread by `context`.
    #[schemars(with = "Option<Address>")]
    #[serde(rename = "context", skip_serializing_if = "Option::is_none")]
    pub thread: Option<RecordId>,
    /// The day of the decision.
    #[schemars(with = "Option<CalendarDay>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_date: Option<Day>,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Organ>,
    /// Its official number.
    #[schemars(with = "Option<Token>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_identifier: Option<String>,
    /// Votes in favour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub votes_for: Option<Count>,
    /// Votes against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub votes_against: Option<Count>,
    /// Abstentions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abstentions: Option<Count>,
    /// Where its official text is.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// The acts it is based on.
    #[schemars(with = "Vec<Address>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub legal_basis_act: Vec<RecordId>,
    /// The contributions and answers that led to it.
    #[schemars(with = "Vec<Address>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub arises_from: Vec<RecordId>,
}

impl Decision {
    /// The properties of a decision beside its envelope.
    #[must_use]
    pub fn of(record: &Record, body: &DomainDecision) -> Self {
        let organ = |organ: &DomainOrgan| match organ {
            DomainOrgan::Address(id) => Organ::Address(id.clone()),
            DomainOrgan::Named(names) => {
                let (name, name_map) = text::write(Some(names), &record.language);
                Organ::Named(NamedOrgan { node_type: OrganType::Value, name, name_map })
            }
        };
        Self {
            node_type: ArticleType::Value,
            record_type: DecisionClass::Value,
            process: body.process.clone(),
            thread: body.process.clone(),
            decision_date: body.decided_on,
            decided_by: body.decided_by.as_ref().map(organ),
            legal_identifier: body.legal_identifier.as_ref().map(ToString::to_string),
            votes_for: body.votes_for.map(Count::new),
            votes_against: body.votes_against.map(Count::new),
            abstentions: body.abstentions.map(Count::new),
            url: body.text_at.clone(),
            legal_basis_act: body.legal_basis.clone(),
            arises_from: body.arises_from.clone(),
        }
    }

    /// The decision that these properties describe.
    ///
    /// # Errors
    /// Says which property is not acceptable.
    pub fn read(&self, original: &LanguageTag) -> Result<DomainDecision, WireError> {
        same_process(self.process.as_ref(), self.thread.as_ref())?;
        if self.url.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            return Err(WireError::new("url", "not an http or https address"));
        }
        let decided_by = match &self.decided_by {
            None => None,
            Some(Organ::Address(id)) => Some(DomainOrgan::Address(id.clone())),
            Some(Organ::Named(organ)) => {
                let (plain, map) = (organ.name.as_deref(), organ.name_map.as_ref());
                Some(DomainOrgan::Named(text::read_required(plain, map, original, "decidedBy.name")?))
            }
        };
        Ok(DomainDecision {
            process: self.process.clone(),
            decided_on: self.decision_date,
            decided_by,
            legal_identifier: self.legal_identifier.as_deref().and_then(PlainText::new),
            votes_for: self.votes_for.map(Count::get),
            votes_against: self.votes_against.map(Count::get),
            abstentions: self.abstentions.map(Count::get),
            text_at: self.url.clone(),
            legal_basis: self.legal_basis_act.clone(),
            arises_from: self.arises_from.clone(),
        })
    }
}
