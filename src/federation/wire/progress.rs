//! `ProgressUpdate`, an `Article` of ActivityStreams, or a `Note` when it has no title: news about a commitment
//! or a result (participation.md §4.3.16).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::money::MonetaryAmount;
use super::scalar::{Address, Percent, constant, one_or_many};
use super::titled::ArticleOrNote;
use super::{WireError, same_process};
use crate::domain::RecordId;
use crate::domain::progress::{CommitmentState, Completion, ProgressUpdate as DomainUpdate};
use crate::domain::record::Record;

constant!(
    /// The class of an update.
    UpdateClass = "ProgressUpdate"
);

/// News about a commitment or a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressUpdate {
    /// `Article`, or `Note` without a title.
    #[serde(rename = "type")]
    pub node_type: ArticleOrNote,
    /// Always `ProgressUpdate`.
    pub record_type: UpdateClass,
    /// The commitment or result that it is about.
    #[schemars(with = "Address")]
    pub in_reply_to: RecordId,
    /// The consultation that is behind it.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<RecordId>,
    /// The same, for readers that thread by `context`.
    #[schemars(with = "Option<Address>")]
    #[serde(rename = "context", skip_serializing_if = "Option::is_none")]
    pub thread: Option<RecordId>,
    /// Where the work stood then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commitment_state: Option<CommitmentState>,
    /// How much was done then, in percent.
    #[schemars(with = "Option<Percent>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<Completion>,
    /// What it cost in the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_cost: Option<MonetaryAmount>,
    /// What shows it: documents, contracts.
    #[schemars(with = "Vec<Address>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub evidence: Vec<RecordId>,
}

impl ProgressUpdate {
    /// The properties of an update beside its envelope.
    #[must_use]
    pub fn of(record: &Record, body: &DomainUpdate) -> Self {
        Self {
            node_type: ArticleOrNote::of(record, body.untitled),
            record_type: UpdateClass::Value,
            in_reply_to: body.in_reply_to.clone(),
            process: body.process.clone(),
            thread: body.process.clone(),
            commitment_state: body.state,
            completion: body.completion,
            final_cost: body.final_cost.as_ref().map(MonetaryAmount::of),
            evidence: body.evidence.clone(),
        }
    }

    /// The update that these properties describe; `visible` as its envelope says.
    ///
    /// # Errors
    /// When `context` names another process.
    pub fn read(&self, visible: bool) -> Result<DomainUpdate, WireError> {
        same_process(self.process.as_ref(), self.thread.as_ref())?;
        Ok(DomainUpdate {
            in_reply_to: self.in_reply_to.clone(),
            process: self.process.clone(),
            state: self.commitment_state,
            completion: self.completion,
            final_cost: self.final_cost.as_ref().map(MonetaryAmount::read),
            evidence: self.evidence.clone(),
            untitled: self.node_type.untitled(visible),
        })
    }
}
