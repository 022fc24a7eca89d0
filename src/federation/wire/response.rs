//! `OfficialResponse`, an `Article` of ActivityStreams (participation.md §4.3.13).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scalar::{Address, Multihash, Plain, constant, one_or_many};
use super::{WireError, same_process};
use crate::domain::RecordId;
use crate::domain::digest::Digest;
use crate::domain::response::{OfficialResponse as DomainResponse, Outcome};
use crate::domain::text::PlainText;

constant!(
    /// The AS2 type of a response.
    ArticleType = "Article"
);
constant!(
    /// The class of a response.
    ResponseClass = "OfficialResponse"
);

/// The authority's official answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfficialResponse {
    /// Always `Article`.
    #[serde(rename = "type")]
    pub node_type: ArticleType,
    /// Always `OfficialResponse`.
    pub record_type: ResponseClass,
    /// What it answers.
    #[schemars(with = "Vec<Address>", length(min = 1))]
    #[serde(deserialize_with = "one_or_many")]
    pub responds_to: Vec<RecordId>,
    /// The first of them, for readers that thread by `inReplyTo`.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<RecordId>,
    /// The consultation.
    #[schemars(with = "Address")]
    pub process: RecordId,
    /// The same, for readers that thread by `context`.
    #[schemars(with = "Option<Address>")]
    #[serde(rename = "context", skip_serializing_if = "Option::is_none")]
    pub thread: Option<RecordId>,
    /// Digest of the revision that was answered; absent when that is not known.
    #[schemars(with = "Option<Multihash>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_digest: Option<Digest>,
    /// What the answer says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The role that signs.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signatory_role: Option<String>,
}

impl OfficialResponse {
    /// The properties of a response beside its envelope.
    #[must_use]
    pub fn of(body: &DomainResponse) -> Self {
        Self {
            node_type: ArticleType::Value,
            record_type: ResponseClass::Value,
            responds_to: body.responds_to.clone(),
            in_reply_to: body.responds_to.first().cloned(),
            process: body.process.clone(),
            thread: Some(body.process.clone()),
            subject_digest: body.subject_digest.clone(),
            outcome: body.outcome,
            signatory_role: body.signatory_role.as_ref().map(ToString::to_string),
        }
    }

    /// The response that these properties describe.
    ///
    /// # Errors
    /// When it answers nothing, or another property is not acceptable.
    pub fn read(&self) -> Result<DomainResponse, WireError> {
        same_process(Some(&self.process), self.thread.as_ref())?;
        if self.responds_to.is_empty() {
            return Err(WireError::new("respondsTo", "an answer to nothing"));
        }
        if self.in_reply_to.as_ref().is_some_and(|target| Some(target) != self.responds_to.first()) {
            return Err(WireError::new("inReplyTo", "not the first of `respondsTo`"));
        }
        Ok(DomainResponse {
            responds_to: self.responds_to.clone(),
            process: self.process.clone(),
            subject_digest: self.subject_digest.clone(),
            outcome: self.outcome,
            signatory_role: self.signatory_role.as_deref().and_then(PlainText::new),
        })
    }
}
