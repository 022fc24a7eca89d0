//! `Argument` and `Comment`, a `Note` of ActivityStreams (participation.md §4.3.6). It is an argument
//! when it takes a side.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::author::PseudonymousAuthor;
use super::scalar::{Address, constant, one_or_many};
use super::tally::SupportTally;
use super::{WireError, same_process, tallies};
use crate::domain::comment::{Comment as DomainComment, Stance};
use crate::domain::contribution::AuthorState;
use crate::domain::{Class, RecordId};

constant!(
    /// The AS2 type of a comment.
    NoteType = "Note"
);

/// The two classes of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CommentClass {
    /// It is for or against.
    Argument,
    /// It takes no side.
    Comment,
}

/// A reply in a discussion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    /// Always `Note`.
    #[serde(rename = "type")]
    pub node_type: NoteType,
    /// `Argument` when the stance is for or against.
    pub record_type: CommentClass,
    /// What it replies to.
    #[schemars(with = "Address")]
    pub in_reply_to: RecordId,
    /// The consultation it belongs to.
    #[schemars(with = "Address")]
    pub process: RecordId,
    /// The same, for readers that thread by `context`.
    #[schemars(with = "Option<Address>")]
    #[serde(rename = "context", skip_serializing_if = "Option::is_none")]
    pub thread: Option<RecordId>,
    /// Which side it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stance: Option<Stance>,
    /// What its author did with it.
    pub author_state: AuthorState,
    /// Who said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<PseudonymousAuthor>,
    /// Support counted at the origin.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub support_tally: Vec<SupportTally>,
}

impl Comment {
    /// The properties of a comment beside its envelope.
    #[must_use]
    pub fn of(body: &DomainComment) -> Self {
        Self {
            node_type: NoteType::Value,
            record_type: if body.class() == Class::Argument { CommentClass::Argument } else { CommentClass::Comment },
            in_reply_to: body.in_reply_to.clone(),
            process: body.process.clone(),
            thread: Some(body.process.clone()),
            stance: body.stance,
            author_state: body.author_state,
            author: body.author.as_ref().map(PseudonymousAuthor::of),
            support_tally: body.tallies.iter().map(SupportTally::of).collect(),
        }
    }

    /// The comment that these properties describe.
    ///
    /// # Errors
    /// When class and stance contradict each other, or another property is not acceptable.
    pub fn read(&self) -> Result<DomainComment, WireError> {
        same_process(Some(&self.process), self.thread.as_ref())?;
        let comment = DomainComment {
            in_reply_to: self.in_reply_to.clone(),
            process: self.process.clone(),
            stance: self.stance,
            author_state: self.author_state,
            author: self.author.as_ref().map(PseudonymousAuthor::read),
            tallies: tallies(&self.support_tally)?,
        };
        if (comment.class() == Class::Argument) != (self.record_type == CommentClass::Argument) {
            return Err(WireError::new("stance", "an Argument is for or against, a Comment is neither"));
        }
        Ok(comment)
    }
}
