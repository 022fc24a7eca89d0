//! A poll in a participation process: its options, and how often each was chosen. Only figures: nobody
//! votes here, and nobody's vote is here.

use serde::{Deserialize, Serialize};

use super::id::RecordId;
use super::text::{Localized, PlainText};
use super::time::Timestamp;
use crate::words;

words! {
    /// How people choose (participation.md §4.4).
    VotingMethod {
        Single = "single",
        Approval = "approval",
        Points = "points",
        Cumulative = "cumulative",
        Ranking = "ranking",
        Petition = "petition",
        None = "none",
    }
}

/// One answer that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollOption {
    /// What it says.
    pub name: Localized<PlainText>,
    /// How often it was chosen; `None` means that the figure is withheld, which is not zero.
    pub total: Option<u64>,
}

/// The body of a poll record (participation.md §4.3.8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    /// The consultation it belongs to.
    pub process: RecordId,
    /// What can be chosen, in order; at least one.
    pub options: Vec<PollOption>,
    /// Whether more than one may be chosen.
    pub several: bool,
    /// When voting ends.
    pub ends: Option<Timestamp>,
    /// When voting was closed.
    pub closed: Option<Timestamp>,
    /// How people choose.
    pub method: Option<VotingMethod>,
    /// When the figures were counted.
    pub counted_at: Timestamp,
    /// How many people may vote.
    pub electorate: Option<u64>,
    /// Below this figure an option is withheld.
    pub threshold: Option<u64>,
}
