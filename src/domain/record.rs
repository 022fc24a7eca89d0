//! The envelope around every statement: one owner, a revision, a licence, where it came from.

use serde::{Deserialize, Serialize};
use url::Url;

use super::comment::Comment;
use super::consultation::Consultation;
use super::contribution::{AuthorState, Contribution};
use super::digest::DigestSalt;
use super::disposition::Disposition;
use super::id::{ActorId, Class, RecordId, Revision};
use super::personal_data::PersonalDataHandling;
use super::place::Place;
use super::response::OfficialResponse;
use super::source::{MappingReport, SourceReference};
use super::tally::SupportTally;
use super::text::{LanguageTag, Localized, PlainText, SafeHtml};
use super::theme::Theme;
use super::time::Timestamp;
use crate::words;

words! {
    /// Visibility decided by the publishing side.
    ModerationState {
        Visible = "visible",
        Hidden = "hidden",
    }
}

words! {
    /// Why something is hidden, refused or gone (`pv:reason-*`).
    ReasonCode {
        OutOfScope = "out-of-scope",
        Duplicate = "duplicate",
        NotCompetentAuthority = "not-competent-authority",
        IllegalContent = "illegal-content",
        PersonalData = "personal-data",
        Incomplete = "incomplete",
        Late = "late",
        Cost = "cost",
        Technical = "technical",
        Legal = "legal",
        AlreadyPlanned = "already-planned",
        Other = "other",
    }
}

words! {
    /// How a translation was made.
    TranslationMethod {
        Human = "human",
        Machine = "machine",
    }
}

/// One translation of a record's texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translation {
    /// Into which language.
    pub language: LanguageTag,
    /// How it was made.
    pub method: TranslationMethod,
}

/// One instance of the vocabulary, with exactly one authority (R1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its permanent address.
    pub id: RecordId,
    /// The public body that owns it: the single source of truth.
    pub authority: ActorId,
    /// Counter of signed changes, from 1.
    pub revision: Revision,
    /// First publication at the origin, when the source says.
    pub published: Option<Timestamp>,
    /// Last change that a reader would see; a change of counts alone does not move it (architecture §4.9).
    pub updated: Option<Timestamp>,
    /// The language it was written in.
    pub language: LanguageTag,
    /// The title in each language.
    pub title: Option<Localized<PlainText>>,
    /// A few words in each language.
    pub summary: Option<Localized<SafeHtml>>,
    /// The text in each language.
    pub content: Option<Localized<SafeHtml>>,
    /// Which of the languages are translations.
    pub translations: Vec<Translation>,
    /// The licence of the content.
    pub licence: Url,
    /// Subject concepts.
    pub themes: Vec<Theme>,
    /// The area concerned.
    pub territory: Option<Place>,
    /// Whether the origin shows it.
    pub moderation: ModerationState,
    /// Why it is hidden.
    pub reason: Option<ReasonCode>,
    /// How personal data behind it are handled.
    pub personal_data: Option<PersonalDataHandling>,
    /// Where it came from.
    pub source: Option<SourceReference>,
    /// How completely it was understood.
    pub mapping: Option<MappingReport>,
    /// The salt inside its digest.
    pub salt: Option<DigestSalt>,
    /// What it says.
    pub body: Body,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "class", rename_all = "kebab-case")]
pub enum Body {
    /// A participation process.
    Consultation(Consultation),
    /// A statement in it.
    Contribution(Contribution),
    /// A reply or argument.
    Comment(Comment),
    /// The host's treatment of a contribution.
    Disposition(Disposition),
    /// An official answer.
    OfficialResponse(OfficialResponse),
}

impl Record {
    /// The class of the record.
    #[must_use]
    pub const fn class(&self) -> Class {
        match &self.body {
            Body::Consultation(_) => Class::Consultation,
            Body::Contribution(_) => Class::Contribution,
            Body::Comment(comment) => comment.class(),
            Body::Disposition(_) => Class::Disposition,
            Body::OfficialResponse(_) => Class::OfficialResponse,
        }
    }

    /// The consultation it belongs to; a consultation belongs to itself.
    #[must_use]
    pub const fn process(&self) -> &RecordId {
        match &self.body {
            Body::Consultation(_) => &self.id,
            Body::Contribution(body) => &body.process,
            Body::Comment(body) => &body.process,
            Body::Disposition(body) => &body.process,
            Body::OfficialResponse(body) => &body.process,
        }
    }

    /// What it replies to, judges or answers; a contribution hangs on its consultation.
    #[must_use]
    pub fn parent(&self) -> Option<&RecordId> {
        match &self.body {
            Body::Consultation(_) => None,
            Body::Contribution(body) => Some(&body.process),
            Body::Comment(body) => Some(&body.in_reply_to),
            Body::Disposition(body) => Some(&body.subject),
            Body::OfficialResponse(body) => body.responds_to.first(),
        }
    }

    /// Whether a visitor may read it.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        self.moderation == ModerationState::Visible
    }

    /// Hidden by its origin or withdrawn by its author: what earlier revisions said must not stay anywhere
    /// (architecture §4.6).
    #[must_use]
    pub fn takes_words_back(&self) -> bool {
        let withdrawn = match &self.body {
            Body::Contribution(body) => body.author_state == AuthorState::Withdrawn,
            Body::Comment(body) => body.author_state == AuthorState::Withdrawn,
            Body::Consultation(_) | Body::Disposition(_) | Body::OfficialResponse(_) => false,
        };
        withdrawn || !self.is_visible()
    }

    /// The counts it carries.
    #[must_use]
    pub fn tallies(&self) -> &[SupportTally] {
        match &self.body {
            Body::Contribution(body) => &body.tallies,
            Body::Comment(body) => &body.tallies,
            Body::Consultation(_) | Body::Disposition(_) | Body::OfficialResponse(_) => &[],
        }
    }

    /// The record as it is while its origin hides it: no text, no author, no counts, no place.
    /// Id, class, links, dates and owner stay (architecture §4.6, "hidden at once"): so does the side that
    /// an argument takes, which is neither and without which it would be of another class (SEC-059).
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.erase_words();
        let visible = self.is_visible();
        if let Body::Contribution(body) = &mut self.body
            && visible
        {
            body.untitled = self.title.is_none();
        }
        self.title = None;
        self.moderation = ModerationState::Hidden;
        self
    }

    /// The record as it is once its author withdrew it: the title stays, text and author leave
    /// (architecture §4.6, "withdrawn").
    #[must_use]
    pub fn withdrawn(mut self) -> Self {
        self.erase_words();
        match &mut self.body {
            Body::Contribution(body) => body.author_state = AuthorState::Withdrawn,
            Body::Comment(body) => body.author_state = AuthorState::Withdrawn,
            Body::Consultation(_) | Body::Disposition(_) | Body::OfficialResponse(_) => {}
        }
        self
    }

    fn erase_words(&mut self) {
        self.summary = None;
        self.content = None;
        self.translations.clear();
        self.themes.clear();
        self.territory = None;
        match &mut self.body {
            Body::Consultation(body) => {
                body.phases.clear();
                body.topics.clear();
                body.current_phase = None;
                body.decision_scope = None;
            }
            Body::Contribution(body) => {
                body.author = None;
                body.location = None;
                body.tallies.clear();
                body.comment_count = None;
            }
            Body::Comment(body) => {
                body.author = None;
                body.tallies.clear();
            }
            Body::Disposition(_) | Body::OfficialResponse(_) => {}
        }
    }
}
