//! An official answer, and how the host treats a contribution.

use super::desk::Desk;
use super::held::Held;
use super::state::Tag;
use super::words::{Words, said};
use crate::domain::record::Body;
use crate::web::html::Html;
use crate::web::i18n::Arg;

/// One official answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// "Official answer of …".
    pub heading: Html,
    /// What it says in a word.
    pub outcome: Option<Tag>,
    /// Its day.
    pub when: Html,
    /// The role that signs.
    pub role: Option<Html>,
    /// Its text.
    pub text: Option<Words>,
    /// "Answers version 2; current version: 3" (UI-41).
    pub older: Option<String>,
    /// Its own page.
    pub href: String,
}

/// How the host treats a contribution.
#[derive(Debug, Clone)]
pub struct Treatment {
    /// The state.
    pub state: Tag,
    /// Since when.
    pub when: Html,
    /// The reason in words.
    pub reason: Option<Words>,
    /// The reason from the closed list.
    pub code: Option<String>,
    /// Where it was merged.
    pub merged_into: Option<String>,
    /// Its own page.
    pub href: String,
}

impl Desk {
    /// An answer as it stands under what it answers. `older` says that it judged an older version.
    #[must_use]
    pub fn answer(&self, held: &Held, older: Option<String>) -> Option<Answer> {
        let record = held.visible()?;
        let Body::OfficialResponse(body) = &record.body else { return None };
        let texts = &self.texts;
        let mut text = record.content.as_ref().map(|content| self.wanted.text(content, record));
        // Never a machine's translation alone (interface.md §3.2): the page shows the original unfolded.
        if let Some(words) = &mut text {
            words.unfolded = true;
        }
        Some(Answer {
            heading: texts.html("answer-of", &[("city", Arg::Name(&self.city_of(&held.origin)))]),
            outcome: body.outcome.map(|outcome| Tag::outcome(texts, outcome)),
            when: texts.day_tag(held.dated()),
            role: body.signatory_role.as_ref().map(|role| said(record, role, 120)),
            text,
            older,
            href: self.link(&self.page_of(held)),
        })
    }

    /// A disposition as it stands under the contribution it treats.
    #[must_use]
    pub fn treatment(&self, held: &Held) -> Option<Treatment> {
        let record = held.visible()?;
        let Body::Disposition(body) = &record.body else { return None };
        Some(Treatment {
            state: Tag::disposition(&self.texts, body),
            when: self.texts.day_tag(record.updated.unwrap_or_else(|| held.dated())),
            reason: record.content.as_ref().map(|content| self.wanted.text(content, record)),
            code: record.reason.map(|reason| self.texts.say(&format!("reason-{}", reason.word()))),
            merged_into: body.merged_into.as_ref().map(|id| self.page_of_id(id)),
            href: self.link(&self.page_of(held)),
        })
    }
}
