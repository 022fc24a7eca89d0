//! What a public body decided: when, by whom, with which votes, and where its text is.

use serde::{Deserialize, Serialize};
use url::Url;

use super::calendar::Day;
use super::id::RecordId;
use super::text::{Localized, PlainText};

/// Who decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Organ {
    /// One with an address of its own, such as the authority's actor.
    Address(RecordId),
    /// One that has only a name, such as a city council.
    Named(Localized<PlainText>),
}

/// The body of a decision record (participation.md §4.3.14). Its text in short is the record's `content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The consultation that is behind it.
    pub process: Option<RecordId>,
    /// The day of the decision.
    pub decided_on: Option<Day>,
    /// Who decided.
    pub decided_by: Option<Organ>,
    /// Its official number: an ELI, or SIREN and number of the deliberation.
    pub legal_identifier: Option<PlainText>,
    /// Votes in favour.
    pub votes_for: Option<u64>,
    /// Votes against.
    pub votes_against: Option<u64>,
    /// Abstentions.
    pub abstentions: Option<u64>,
    /// Where its official text is.
    pub text_at: Option<Url>,
    /// The acts it is based on.
    pub legal_basis: Vec<RecordId>,
    /// The contributions and answers that led to it.
    pub arises_from: Vec<RecordId>,
}
