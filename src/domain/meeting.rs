//! A meeting in a participation process: when, where, and what came of it.

use serde::{Deserialize, Serialize};
use url::Url;

use super::consultation::LifecycleState;
use super::contribution::AuthorState;
use super::id::RecordId;
use super::place::Place;
use super::text::{Localized, SafeHtml};
use super::time::Timestamp;
use crate::words;

words! {
    /// Where people meet.
    MeetingKind {
        InPerson = "in-person",
        Online = "online",
        Hybrid = "hybrid",
    }
}

/// An agenda or minutes: written here, or a document of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Paper {
    /// A [`super::document::Document`].
    Document(RecordId),
    /// The text itself, in each language.
    Text(Localized<SafeHtml>),
}

/// The body of a meeting record (participation.md §4.3.9). Only listed: nobody registers here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meeting {
    /// The consultation it belongs to.
    pub process: Option<RecordId>,
    /// Where people meet.
    pub kind: Option<MeetingKind>,
    /// Whether it takes place, as far as its authority states it (`scheduled`, `closed`, `cancelled`).
    pub state: Option<LifecycleState>,
    /// What its organiser did with it, where the source says: residents organise meetings too.
    pub author_state: Option<AuthorState>,
    /// When it begins.
    pub starts: Option<Timestamp>,
    /// When it ends.
    pub ends: Option<Timestamp>,
    /// Where.
    pub location: Option<Place>,
    /// Where on the network.
    pub online: Option<Url>,
    /// How many people there is room for.
    pub capacity: Option<u64>,
    /// How many people came; a figure, never a list.
    pub attendance: Option<u64>,
    /// What is to be spoken about.
    pub agenda: Option<Paper>,
    /// What was said.
    pub minutes: Option<Paper>,
    /// How many comments the platform counts, when it says.
    pub comment_count: Option<u64>,
}

impl Meeting {
    /// Whether it is over at `now`, as far as its dates or its authority say.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.state == Some(LifecycleState::Closed) || self.ends.or(self.starts).is_some_and(|end| end <= now)
    }
}
