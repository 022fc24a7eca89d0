//! `BudgetProject`, an `Article` of ActivityStreams (participation.md §4.3.10).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::money::MonetaryAmount;
use super::place::Place;
use super::replies::Replies;
use super::scalar::{Address, Plain, constant, one_or_many};
use super::tally::SupportTally;
use super::{WireError, fragment, same_process, tallies};
use crate::domain::RecordId;
use crate::domain::project::{BudgetProject as DomainProject, ProjectState};
use crate::domain::text::PlainText;

constant!(
    /// The AS2 type of a project.
    ArticleType = "Article"
);
constant!(
    /// The class of a project.
    ProjectClass = "BudgetProject"
);

/// A project of a participatory budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetProject {
    /// Always `Article`.
    #[serde(rename = "type")]
    pub node_type: ArticleType,
    /// Always `BudgetProject`.
    pub record_type: ProjectClass,
    /// The consultation whose ballot it stands on.
    #[schemars(with = "Address")]
    pub process: RecordId,
    /// The same, for readers that thread by `context`.
    #[schemars(with = "Option<Address>")]
    #[serde(rename = "context", skip_serializing_if = "Option::is_none")]
    pub thread: Option<RecordId>,
    /// The phase of that consultation.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The topic of that consultation: the district or envelope it competes in.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_state: Option<ProjectState>,
    /// What it would cost, before the vote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_cost: Option<MonetaryAmount>,
    /// What was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awarded_cost: Option<MonetaryAmount>,
    /// What it cost in the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_cost: Option<MonetaryAmount>,
    /// Why it can, or cannot, be done.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feasibility_reason: Option<String>,
    /// Rivals.
    #[schemars(with = "Vec<Address>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub incompatible_with: Vec<RecordId>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Place>,
    /// Votes counted at the origin.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub support_tally: Vec<SupportTally>,
    /// The contributions it was made from.
    #[schemars(with = "Vec<Address>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub derived_from: Vec<RecordId>,
    /// What was promised about it.
    #[schemars(with = "Vec<Address>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub commitments: Vec<RecordId>,
    /// How many comments the platform counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<Replies>,
}

impl BudgetProject {
    /// The properties of a project beside its envelope.
    #[must_use]
    pub fn of(body: &DomainProject) -> Self {
        let process = &body.process;
        Self {
            node_type: ArticleType::Value,
            record_type: ProjectClass::Value,
            process: process.clone(),
            thread: Some(process.clone()),
            phase: body.phase.as_ref().map(|name| fragment::write(process, name)),
            topic: body.topic.as_ref().map(|name| fragment::write(process, name)),
            project_state: body.state,
            estimated_cost: body.estimated_cost.as_ref().map(MonetaryAmount::of),
            awarded_cost: body.awarded_cost.as_ref().map(MonetaryAmount::of),
            final_cost: body.final_cost.as_ref().map(MonetaryAmount::of),
            feasibility_reason: body.feasibility_reason.as_ref().map(ToString::to_string),
            incompatible_with: body.incompatible_with.clone(),
            location: body.location.as_ref().map(Place::of),
            support_tally: body.tallies.iter().map(SupportTally::of).collect(),
            derived_from: body.derived_from.clone(),
            commitments: body.commitments.clone(),
            replies: body.comment_count.map(Replies::of),
        }
    }

    /// The project that these properties describe.
    ///
    /// # Errors
    /// Says which property is not acceptable.
    pub fn read(&self) -> Result<DomainProject, WireError> {
        same_process(Some(&self.process), self.thread.as_ref())?;
        let part = |name: &Option<String>, path| name.as_ref().map(|name| fragment::read(&self.process, name, path)).transpose();
        Ok(DomainProject {
            process: self.process.clone(),
            phase: part(&self.phase, "phase")?,
            topic: part(&self.topic, "topic")?,
            state: self.project_state,
            estimated_cost: self.estimated_cost.as_ref().map(MonetaryAmount::read),
            awarded_cost: self.awarded_cost.as_ref().map(MonetaryAmount::read),
            final_cost: self.final_cost.as_ref().map(MonetaryAmount::read),
            feasibility_reason: self.feasibility_reason.as_deref().and_then(PlainText::new),
            incompatible_with: self.incompatible_with.clone(),
            location: self.location.as_ref().map(|place| place.read("location")).transpose()?,
            tallies: tallies(&self.support_tally)?,
            derived_from: self.derived_from.clone(),
            commitments: self.commitments.clone(),
            comment_count: self.replies.as_ref().map(|replies| replies.total_items.get()),
        })
    }
}
