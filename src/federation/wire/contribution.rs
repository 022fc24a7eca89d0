//! `Contribution`, an `Article` of ActivityStreams, or a `Note` when it has no title
//! (participation.md §4.3.5).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::author::PseudonymousAuthor;
use super::place::Place;
use super::replies::Replies;
use super::scalar::{Address, constant, one_or_many};
use super::tally::SupportTally;
use super::titled::ArticleOrNote;
use super::{WireError, fragment, same_process, tallies};
use crate::domain::RecordId;
use crate::domain::contribution::{AuthorState, Contribution as DomainContribution, ContributionKind};
use crate::domain::record::Record;

constant!(
    /// The class of a contribution.
    ContributionClass = "Contribution"
);

/// A public statement inside a process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contribution {
    /// `Article`, or `Note` without a title.
    #[serde(rename = "type")]
    pub node_type: ArticleOrNote,
    /// Always `Contribution`.
    pub record_type: ContributionClass,
    /// What sort of statement it is.
    pub contribution_kind: ContributionKind,
    /// The consultation it belongs to.
    #[schemars(with = "Address")]
    pub process: RecordId,
    /// The same, for readers that thread by `context`.
    #[schemars(with = "Option<Address>")]
    #[serde(rename = "context", skip_serializing_if = "Option::is_none")]
    pub thread: Option<RecordId>,
    /// The topic within that consultation.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// What its author did with it.
    pub author_state: AuthorState,
    /// Who said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<PseudonymousAuthor>,
    /// What it is about on the map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Place>,
    /// Support counted at the origin.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub support_tally: Vec<SupportTally>,
    /// How many comments the platform counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<Replies>,
    /// The contribution it amends.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amends: Option<RecordId>,
}

impl Contribution {
    /// The properties of a contribution beside its envelope.
    #[must_use]
    pub fn of(record: &Record, body: &DomainContribution) -> Self {
        Self {
            node_type: ArticleOrNote::of(record, body.untitled),
            record_type: ContributionClass::Value,
            contribution_kind: body.kind,
            process: body.process.clone(),
            thread: Some(body.process.clone()),
            topic: body.topic.as_ref().map(|name| fragment::write(&body.process, name)),
            author_state: body.author_state,
            author: body.author.as_ref().map(PseudonymousAuthor::of),
            location: body.location.as_ref().map(Place::of),
            support_tally: body.tallies.iter().map(SupportTally::of).collect(),
            replies: body.comment_count.map(Replies::of),
            amends: body.amends.clone(),
        }
    }

    /// The contribution that these properties describe; `visible` as its envelope says.
    ///
    /// # Errors
    /// Says which property is not acceptable.
    pub fn read(&self, visible: bool) -> Result<DomainContribution, WireError> {
        same_process(Some(&self.process), self.thread.as_ref())?;
        Ok(DomainContribution {
            kind: self.contribution_kind,
            process: self.process.clone(),
            topic: self.topic.as_ref().map(|name| fragment::read(&self.process, name, "topic")).transpose()?,
            author_state: self.author_state,
            author: self.author.as_ref().map(PseudonymousAuthor::read),
            location: self.location.as_ref().map(|place| place.read("location")).transpose()?,
            tallies: tallies(&self.support_tally)?,
            comment_count: self.replies.as_ref().map(|replies| replies.total_items.get()),
            amends: self.amends.clone(),
            untitled: self.node_type.untitled(visible),
        })
    }
}
