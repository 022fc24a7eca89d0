//! A public statement by a resident, a group or an official inside a process.

use serde::{Deserialize, Serialize};

use super::author::PseudonymousAuthor;
use super::id::RecordId;
use super::place::Place;
use super::tally::SupportTally;
use crate::words;

words! {
    /// What sort of statement it is.
    ContributionKind {
        Proposal = "proposal",
        Idea = "idea",
        Opinion = "opinion",
        Amendment = "amendment",
        Question = "question",
        Problem = "problem",
        Petition = "petition",
        SurveyAggregate = "survey-aggregate",
    }
}

words! {
    /// What its author did with it. `withdrawn` is terminal: title and reason stay, text and author
    /// leave (architecture §4.6).
    AuthorState {
        Published = "published",
        Edited = "edited",
        Withdrawn = "withdrawn",
    }
}

impl AuthorState {
    /// Whether the author's own act may lead from here to `next` (participation.md §4.6).
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self != Self::Withdrawn && next != Self::Published
    }
}

/// The body of a contribution record (participation.md §4.3.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// What sort of statement it is.
    pub kind: ContributionKind,
    /// The consultation it belongs to.
    pub process: RecordId,
    /// The topic's fragment within that consultation.
    pub topic: Option<String>,
    /// What its author did with it.
    pub author_state: AuthorState,
    /// Who said it; absent when the account is gone or the text was withdrawn.
    pub author: Option<PseudonymousAuthor>,
    /// What it is about on the map.
    pub location: Option<Place>,
    /// Support counted at the origin.
    pub tallies: Vec<SupportTally>,
    /// How many comments the platform counts, when it says.
    pub comment_count: Option<u64>,
    /// The contribution it amends.
    pub amends: Option<RecordId>,
    /// While it is hidden: whether it had no title either before. Says what it stays for other readers,
    /// since a title that is not shown and one that never was look alike.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untitled: bool,
}
