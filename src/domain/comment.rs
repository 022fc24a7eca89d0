//! A reply in a discussion; an *argument* when it takes a side.

use serde::{Deserialize, Serialize};

use super::author::PseudonymousAuthor;
use super::contribution::AuthorState;
use super::id::{Class, RecordId};
use super::tally::SupportTally;
use crate::words;

words! {
    /// Which side a comment takes.
    Stance {
        For = "for",
        Against = "against",
        Neutral = "neutral",
    }
}

/// The body of a comment or argument record (participation.md §4.3.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// The contribution, comment, answer, meeting, project or result it replies to.
    pub in_reply_to: RecordId,
    /// The consultation it belongs to.
    pub process: RecordId,
    /// Which side it takes, when its author said.
    pub stance: Option<Stance>,
    /// What its author did with it.
    pub author_state: AuthorState,
    /// Who said it.
    pub author: Option<PseudonymousAuthor>,
    /// Support counted at the origin.
    pub tallies: Vec<SupportTally>,
}

impl Comment {
    /// `Argument` when it is for or against, else `Comment` (architecture §3).
    #[must_use]
    pub const fn class(&self) -> Class {
        match self.stance {
            Some(Stance::For | Stance::Against) => Class::Argument,
            Some(Stance::Neutral) | None => Class::Comment,
        }
    }
}
