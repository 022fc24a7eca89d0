//! A project of a participatory budget: what it costs, and what became of it.

use serde::{Deserialize, Serialize};

use super::id::RecordId;
use super::money::Money;
use super::place::Place;
use super::tally::SupportTally;
use super::text::PlainText;
use crate::words;

words! {
    /// What became of a project (participation.md §4.4).
    ProjectState {
        Submitted = "submitted",
        Feasible = "feasible",
        Unfeasible = "unfeasible",
        OnBallot = "on-ballot",
        Selected = "selected",
        NotSelected = "not-selected",
        Realised = "realised",
        Abandoned = "abandoned",
    }
}

/// The body of a budget project record (participation.md §4.3.10).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetProject {
    /// The consultation whose ballot it stands on.
    pub process: RecordId,
    /// The fragment of the phase it belongs to.
    pub phase: Option<String>,
    /// The fragment of the topic: the district or envelope it competes in.
    pub topic: Option<String>,
    /// What became of it; absent when the platform does not say.
    pub state: Option<ProjectState>,
    /// What it would cost, before the vote.
    pub estimated_cost: Option<Money>,
    /// What was granted.
    pub awarded_cost: Option<Money>,
    /// What it cost in the end.
    pub final_cost: Option<Money>,
    /// Why it can, or cannot, be done.
    pub feasibility_reason: Option<PlainText>,
    /// Rivals: at most one of them can be realised.
    pub incompatible_with: Vec<RecordId>,
    /// Where.
    pub location: Option<Place>,
    /// Votes counted at the origin.
    pub tallies: Vec<SupportTally>,
    /// The contributions it was made from.
    pub derived_from: Vec<RecordId>,
    /// What was promised about it.
    pub commitments: Vec<RecordId>,
    /// How many comments the platform counts, when it says.
    pub comment_count: Option<u64>,
}
