//! `Commitment`, an `Article` of ActivityStreams, or a `Note` when it has no title (participation.md §4.3.15).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::money::MonetaryAmount;
use super::scalar::{Address, CalendarDay, Count, Percent, Plain, constant, one_or_many};
use super::titled::ArticleOrNote;
use super::{WireError, same_process};
use crate::domain::RecordId;
use crate::domain::calendar::Day;
use crate::domain::commitment::Commitment as DomainCommitment;
use crate::domain::progress::{CommitmentState, Completion};
use crate::domain::record::Record;
use crate::domain::text::PlainText;

constant!(
    /// The class of a commitment.
    CommitmentClass = "Commitment"
);

/// A dated, owned promise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Commitment {
    /// `Article`, or `Note` without a title.
    #[serde(rename = "type")]
    pub node_type: ArticleOrNote,
    /// Always `Commitment`.
    pub record_type: CommitmentClass,
    /// The consultation that is behind it.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<RecordId>,
    /// The same, for readers that thread by `context`.
    #[schemars(with = "Option<Address>")]
    #[serde(rename = "context", skip_serializing_if = "Option::is_none")]
    pub thread: Option<RecordId>,
    /// Where it stands.
    pub commitment_state: CommitmentState,
    /// How much is done, in percent, as its authority declares.
    #[schemars(with = "Option<Percent>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<Completion>,
    /// The department or role that answers for it.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsible: Option<String>,
    /// The promised day.
    #[schemars(with = "Option<CalendarDay>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_date: Option<Day>,
    /// What is at its root.
    #[schemars(with = "Vec<Address>", length(min = 1))]
    #[serde(deserialize_with = "one_or_many")]
    pub arises_from: Vec<RecordId>,
    /// What it may cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<MonetaryAmount>,
    /// What is measured.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indicator: Option<String>,
    /// The figure to be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_value: Option<Count>,
    /// The collection of news about it.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
}

impl Commitment {
    /// The properties of a commitment beside its envelope.
    #[must_use]
    pub fn of(record: &Record, body: &DomainCommitment) -> Self {
        Self {
            node_type: ArticleOrNote::of(record, body.untitled),
            record_type: CommitmentClass::Value,
            process: body.process.clone(),
            thread: body.process.clone(),
            commitment_state: body.state,
            completion: body.completion,
            responsible: body.responsible.as_ref().map(ToString::to_string),
            due_date: body.due,
            arises_from: body.arises_from.clone(),
            budget: body.budget.as_ref().map(MonetaryAmount::of),
            indicator: body.indicator.as_ref().map(ToString::to_string),
            target_value: body.target.map(Count::new),
            progress: Some(progress_of(&record.id)),
        }
    }

    /// The commitment with this id that these properties describe; `visible` as its envelope says.
    ///
    /// # Errors
    /// When it arises from nothing, names another collection of news than its own, or another property is not
    /// acceptable.
    pub fn read(&self, id: &RecordId, visible: bool) -> Result<DomainCommitment, WireError> {
        same_process(self.process.as_ref(), self.thread.as_ref())?;
        if self.progress.as_ref().is_some_and(|address| *address != progress_of(id)) {
            return Err(WireError::new("progress", "not the commitment's own collection of news"));
        }
        if self.arises_from.is_empty() {
            return Err(WireError::new("arisesFrom", "a promise without an answer, decision or contribution at its root"));
        }
        Ok(DomainCommitment {
            process: self.process.clone(),
            state: self.commitment_state,
            completion: self.completion,
            responsible: self.responsible.as_deref().and_then(PlainText::new),
            due: self.due_date,
            arises_from: self.arises_from.clone(),
            budget: self.budget.as_ref().map(MonetaryAmount::read),
            indicator: self.indicator.as_deref().and_then(PlainText::new),
            target: self.target_value.map(Count::get),
            untitled: self.node_type.untitled(visible),
        })
    }
}

/// The address of the collection of news about a commitment.
fn progress_of(id: &RecordId) -> String {
    format!("{id}/progress")
}
