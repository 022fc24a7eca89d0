//! A discussion: who replied to what, in order, with a place kept for what is hidden or gone (UI-43).

use std::collections::HashMap;

use askama::Template;

use super::count;
use super::desk::Desk;
use super::held::{Held, Standing};
use super::words::Words;
use crate::domain::comment::Stance;
use crate::domain::id::RecordId;
use crate::domain::record::Body;
use crate::web::frame::Frame;
use crate::web::html::Html;

/// Replies are shown nested down to here; below, a link leads on (interface.md §4.5).
pub const DEPTH: usize = 3;

/// Replies of one level, as a list.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "thread.html", config = "src/web/askama.toml")]
pub struct Branch {
    /// In the order they were written.
    pub replies: Vec<Reply>,
}

/// One comment with what was replied to it.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its own page.
    pub href: String,
    /// Who said it; absent when it cannot be shown.
    pub author: Option<Html>,
    /// When.
    pub when: Html,
    /// Its words.
    pub text: Option<Words>,
    /// That a machine translated them.
    pub translated: Option<String>,
    /// Why there are none: hidden, deleted, withdrawn.
    pub absence: Option<String>,
    /// Its counts.
    pub counts: Vec<Html>,
    /// "Its page", for people who hear links out of context.
    pub link_words: String,
    /// Replies, nested.
    pub branch: Branch,
    /// Whether more replies lie deeper: the words of the link to its page.
    pub deeper: Option<String>,
}

/// The lists of a discussion.
#[derive(Debug, Clone, Default)]
pub struct Sides {
    /// In favour.
    pub support: Branch,
    /// Against.
    pub oppose: Branch,
    /// Neither, or not said.
    pub other: Branch,
    /// Deleted: nobody knows any more which side they took. Their place is kept for what was replied.
    pub gone: Branch,
    /// Whether this is all that was said, so that each side can be counted.
    pub whole: bool,
}

impl Sides {
    /// Whether nobody said anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        [&self.support, &self.oppose, &self.other, &self.gone].iter().all(|side| side.replies.is_empty())
    }

    /// The heading of a side: with its number, where one page shows all of it, else with what this page shows.
    #[must_use]
    pub fn heading(&self, frame: &Frame, key: &str, side: &Branch) -> String {
        let n = side.replies.len() as u64;
        if self.whole { frame.count(key, n) } else { frame.count(&format!("{key}-here"), n) }
    }

    /// Whether somebody took a side.
    #[must_use]
    pub fn is_debate(&self) -> bool {
        !self.support.replies.is_empty() || !self.oppose.replies.is_empty()
    }
}

impl Desk {
    /// The discussion whose first level is `top`, the `whole` of it or a page; `children` holds the replies of each
    /// comment.
    #[must_use]
    pub fn sides(&self, top: &[Held], children: &HashMap<RecordId, Vec<Held>>, whole: bool) -> Sides {
        let mut sides = Sides { whole, ..Sides::default() };
        for held in top {
            let stance = held.record.as_ref().and_then(|record| match &record.body {
                Body::Comment(comment) => comment.stance,
                _ => None,
            });
            let side = match stance {
                Some(Stance::For) => &mut sides.support,
                Some(Stance::Against) => &mut sides.oppose,
                None if held.standing == Standing::Deleted => &mut sides.gone,
                Some(Stance::Neutral) | None => &mut sides.other,
            };
            side.replies.push(self.reply(held, children, 1));
        }
        sides
    }

    /// The replies to one record, as one list.
    #[must_use]
    pub fn branch(&self, of: &RecordId, children: &HashMap<RecordId, Vec<Held>>, depth: usize) -> Branch {
        let replies = children.get(of).map(Vec::as_slice).unwrap_or_default();
        Branch { replies: replies.iter().map(|held| self.reply(held, children, depth)).collect() }
    }

    fn reply(&self, held: &Held, children: &HashMap<RecordId, Vec<Held>>, depth: usize) -> Reply {
        let texts = &self.texts;
        let city = self.city_of(&held.origin);
        let comment = held.visible().and_then(|record| match &record.body {
            Body::Comment(comment) => Some((record, comment)),
            _ => None,
        });
        let absence = match held.standing {
            Standing::Deleted => Some("comment-deleted"),
            Standing::Hidden => Some("comment-hidden"),
            Standing::Live if held.is_withdrawn() => Some("comment-withdrawn"),
            Standing::Live => None,
        };
        let here = absence.is_none();
        let has_replies = children.get(&held.id).is_some_and(|replies| !replies.is_empty());
        let when = texts.moment_tag(held.dated());
        let text = comment.filter(|_| here).and_then(|(record, _)| Some(self.wanted.text(record.content.as_ref()?, record)));
        let original = text.as_ref().and_then(|words| words.original.as_deref());
        Reply {
            href: self.link(&self.page_of(held)),
            author: comment.filter(|_| here).map(|(_, comment)| self.author(comment.author.as_ref(), &city)),
            link_words: texts.say("comment-page"),
            when,
            translated: original.map(|original| texts.translated(&original.lang)),
            text,
            absence: absence.map(|key| texts.say(key)),
            counts: comment.map_or_else(Vec::new, |(_, comment)| {
                comment.tallies.iter().map(|tally| count::sentence(texts, tally, &city)).collect()
            }),
            branch: if depth < DEPTH { self.branch(&held.id, children, depth + 1) } else { Branch::default() },
            deeper: (depth >= DEPTH && has_replies).then(|| texts.say("thread-deeper")),
        }
    }
}
