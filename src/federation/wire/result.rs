//! `Result`, an `Article` of ActivityStreams (participation.md §4.3.16).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::money::MonetaryAmount;
use super::replies::Replies;
use super::scalar::{Address, CalendarDay, Instant, Percent, Token, constant, one_or_many};
use super::text::clean;
use super::{WireError, same_process};
use crate::domain::calendar::Day;
use crate::domain::progress::{CommitmentState, Completion};
use crate::domain::result::WorkResult as DomainResult;
use crate::domain::{RecordId, Timestamp};

constant!(
    /// The AS2 type of a result.
    ArticleType = "Article"
);
constant!(
    /// The class of a result.
    ResultClass = "Result"
);

/// What a consultation or a project led to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkResult {
    /// Always `Article`.
    #[serde(rename = "type")]
    pub node_type: ArticleType,
    /// Always `Result`.
    pub record_type: ResultClass,
    /// The consultation that is behind it.
    #[schemars(with = "Address")]
    pub process: RecordId,
    /// The same, for readers that thread by `context`.
    #[schemars(with = "Option<Address>")]
    #[serde(rename = "context", skip_serializing_if = "Option::is_none")]
    pub thread: Option<RecordId>,
    /// What it comes from: consultation, projects.
    #[schemars(with = "Vec<Address>", length(min = 1))]
    #[serde(deserialize_with = "one_or_many")]
    pub result_of: Vec<RecordId>,
    /// The result of which it is a part.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<RecordId>,
    /// The contributions at its root.
    #[schemars(with = "Vec<Address>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub arises_from: Vec<RecordId>,
    /// The commitments that it completes.
    #[schemars(with = "Vec<Address>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub fulfils: Vec<RecordId>,
    /// Where the work stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commitment_state: Option<CommitmentState>,
    /// The platform's own word for its state, when no table maps it.
    #[schemars(with = "Option<Token>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// How much of it is done, in percent.
    #[schemars(with = "Option<Percent>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<Completion>,
    /// When the work began.
    #[schemars(with = "Option<Instant>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// When it is to be done.
    #[schemars(with = "Option<CalendarDay>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_date: Option<Day>,
    /// What it cost in the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_cost: Option<MonetaryAmount>,
    /// What shows it: documents, contracts.
    #[schemars(with = "Vec<Address>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub evidence: Vec<RecordId>,
    /// How many comments the platform counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<Replies>,
}

impl WorkResult {
    /// The properties of a result beside its envelope.
    #[must_use]
    pub fn of(body: &DomainResult) -> Self {
        Self {
            node_type: ArticleType::Value,
            record_type: ResultClass::Value,
            process: body.process.clone(),
            thread: Some(body.process.clone()),
            result_of: body.result_of.clone(),
            in_reply_to: body.part_of.clone(),
            arises_from: body.arises_from.clone(),
            fulfils: body.fulfils.clone(),
            commitment_state: body.state,
            notation: body.raw_state.clone(),
            completion: body.completion,
            start_time: body.starts.map(Timestamp::whole_second),
            due_date: body.due,
            final_cost: body.final_cost.as_ref().map(MonetaryAmount::of),
            evidence: body.evidence.clone(),
            replies: body.comment_count.map(Replies::of),
        }
    }

    /// The result that these properties describe.
    ///
    /// # Errors
    /// When it comes from nothing, or another property is not acceptable.
    pub fn read(&self) -> Result<DomainResult, WireError> {
        same_process(Some(&self.process), self.thread.as_ref())?;
        if self.result_of.is_empty() {
            return Err(WireError::new("resultOf", "a result of nothing"));
        }
        Ok(DomainResult {
            process: self.process.clone(),
            result_of: self.result_of.clone(),
            part_of: self.in_reply_to.clone(),
            arises_from: self.arises_from.clone(),
            fulfils: self.fulfils.clone(),
            state: self.commitment_state,
            raw_state: self.notation.as_deref().and_then(clean),
            completion: self.completion,
            starts: self.start_time,
            due: self.due_date,
            final_cost: self.final_cost.as_ref().map(MonetaryAmount::read),
            evidence: self.evidence.clone(),
            comment_count: self.replies.as_ref().map(|replies| replies.total_items.get()),
        })
    }
}
