//! The envelope around every statement: one owner, a revision, a licence, where it came from.

use serde::{Deserialize, Serialize};
use url::Url;

use super::comment::Comment;
use super::commitment::Commitment;
use super::consultation::Consultation;
use super::contribution::{AuthorState, Contribution};
use super::decision::Decision;
use super::digest::DigestSalt;
use super::disposition::Disposition;
use super::document::Document;
use super::id::{ActorId, Class, RecordId, Revision};
use super::meeting::Meeting;
use super::personal_data::PersonalDataHandling;
use super::place::Place;
use super::poll::Poll;
use super::progress::ProgressUpdate;
use super::project::BudgetProject;
use super::response::OfficialResponse;
use super::result::WorkResult;
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
    /// A meeting.
    Meeting(Meeting),
    /// A project of a participatory budget.
    BudgetProject(BudgetProject),
    /// A poll, in figures.
    Poll(Poll),
    /// What a public body decided.
    Decision(Decision),
    /// A promise.
    Commitment(Commitment),
    /// What came of it.
    Result(WorkResult),
    /// News about a commitment or a result.
    ProgressUpdate(ProgressUpdate),
    /// A file.
    Document(Document),
}

impl Body {
    /// What its author did with it, where it has an author.
    #[must_use]
    pub const fn author_state(&self) -> Option<AuthorState> {
        match self {
            Self::Contribution(body) => Some(body.author_state),
            Self::Comment(body) => Some(body.author_state),
            Self::Meeting(body) => body.author_state,
            _ => None,
        }
    }

    /// Where it is remembered that a hidden record has no title to show, of what may be without one.
    const fn untitled_mut(&mut self) -> Option<&mut bool> {
        match self {
            Self::Contribution(body) => Some(&mut body.untitled),
            Self::Commitment(body) => Some(&mut body.untitled),
            Self::ProgressUpdate(body) => Some(&mut body.untitled),
            _ => None,
        }
    }

    /// The counts it carries.
    #[must_use]
    pub fn tallies(&self) -> &[SupportTally] {
        match self {
            Self::Contribution(body) => &body.tallies,
            Self::Comment(body) => &body.tallies,
            Self::BudgetProject(body) => &body.tallies,
            _ => &[],
        }
    }

    /// The same, to change them.
    pub const fn tallies_mut(&mut self) -> Option<&mut Vec<SupportTally>> {
        match self {
            Self::Contribution(body) => Some(&mut body.tallies),
            Self::Comment(body) => Some(&mut body.tallies),
            Self::BudgetProject(body) => Some(&mut body.tallies),
            _ => None,
        }
    }

    /// How many comments the platform counts, when it says.
    #[must_use]
    pub const fn comment_count(&self) -> Option<u64> {
        match self {
            Self::Contribution(body) => body.comment_count,
            Self::Meeting(body) => body.comment_count,
            Self::BudgetProject(body) => body.comment_count,
            Self::Result(body) => body.comment_count,
            _ => None,
        }
    }

    /// Takes away how many comments the platform counts.
    pub const fn uncount_comments(&mut self) {
        match self {
            Self::Contribution(body) => body.comment_count = None,
            Self::Meeting(body) => body.comment_count = None,
            Self::BudgetProject(body) => body.comment_count = None,
            Self::Result(body) => body.comment_count = None,
            _ => {}
        }
    }
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
            Body::Meeting(_) => Class::Meeting,
            Body::BudgetProject(_) => Class::BudgetProject,
            Body::Poll(_) => Class::Poll,
            Body::Decision(_) => Class::Decision,
            Body::Commitment(_) => Class::Commitment,
            Body::Result(_) => Class::Result,
            Body::ProgressUpdate(_) => Class::ProgressUpdate,
            Body::Document(_) => Class::Document,
        }
    }

    /// The consultation it belongs to; a consultation, and what belongs to none, belongs to itself.
    #[must_use]
    pub fn process(&self) -> &RecordId {
        let process = match &self.body {
            Body::Consultation(_) => None,
            Body::Contribution(body) => Some(&body.process),
            Body::Comment(body) => Some(&body.process),
            Body::Disposition(body) => Some(&body.process),
            Body::OfficialResponse(body) => Some(&body.process),
            Body::Meeting(body) => body.process.as_ref(),
            Body::BudgetProject(body) => Some(&body.process),
            Body::Poll(body) => Some(&body.process),
            Body::Decision(body) => body.process.as_ref(),
            Body::Commitment(body) => body.process.as_ref(),
            Body::Result(body) => Some(&body.process),
            Body::ProgressUpdate(body) => body.process.as_ref(),
            Body::Document(body) => body.process.as_ref(),
        };
        process.unwrap_or(&self.id)
    }

    /// What it replies to, judges or answers, is a part of or attached to; a contribution hangs on its
    /// consultation.
    #[must_use]
    pub fn parent(&self) -> Option<&RecordId> {
        match &self.body {
            Body::Consultation(_) => None,
            Body::Contribution(body) => Some(&body.process),
            Body::Comment(body) => Some(&body.in_reply_to),
            Body::Disposition(body) => Some(&body.subject),
            Body::OfficialResponse(body) => body.responds_to.first(),
            Body::Meeting(body) => body.process.as_ref(),
            Body::BudgetProject(body) => Some(&body.process),
            Body::Poll(body) => Some(&body.process),
            // An official word outlives the contributions and answers that it arises from.
            Body::Decision(body) => body.process.as_ref(),
            Body::Commitment(body) => body.process.as_ref(),
            Body::Result(body) => Some(body.part_of.as_ref().unwrap_or(&body.process)),
            Body::ProgressUpdate(body) => Some(&body.in_reply_to),
            Body::Document(body) => body.attached_to.as_ref().or(body.process.as_ref()),
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
        let withdrawn = self.body.author_state() == Some(AuthorState::Withdrawn);
        withdrawn || !self.is_visible()
    }

    /// The counts it carries.
    #[must_use]
    pub fn tallies(&self) -> &[SupportTally] {
        self.body.tallies()
    }

    /// The record as it is while its origin hides it: no text, no author, no counts, no place.
    /// Id, class, links, dates and owner stay (architecture §4.6, "hidden at once"): so does the side that
    /// an argument takes, which is neither and without which it would be of another class (SEC-059).
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.erase_words();
        let visible = self.is_visible();
        if let Some(untitled) = self.body.untitled_mut()
            && visible
        {
            *untitled = self.title.is_none();
        }
        self.title = None;
        self.moderation = ModerationState::Hidden;
        self
    }

    /// The record as it is once its author withdrew it: the title stays, text, author and place leave
    /// (architecture §4.6, "withdrawn").
    #[must_use]
    pub fn withdrawn(mut self) -> Self {
        self.erase_words();
        match &mut self.body {
            Body::Contribution(body) => body.author_state = AuthorState::Withdrawn,
            Body::Comment(body) => body.author_state = AuthorState::Withdrawn,
            Body::Meeting(body) => body.author_state = Some(AuthorState::Withdrawn),
            _ => {}
        }
        self
    }

    fn erase_words(&mut self) {
        self.summary = None;
        self.content = None;
        self.translations.clear();
        self.themes.clear();
        self.territory = None;
        self.body.uncount_comments();
        if let Some(tallies) = self.body.tallies_mut() {
            tallies.clear();
        }
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
            }
            Body::Comment(body) => body.author = None,
            Body::Disposition(_) | Body::OfficialResponse(_) => {}
            Body::Meeting(body) => {
                body.location = None;
                body.online = None;
                body.capacity = None;
                body.attendance = None;
                body.agenda = None;
                body.minutes = None;
            }
            Body::BudgetProject(body) => {
                body.location = None;
                body.feasibility_reason = None;
                body.estimated_cost = None;
                body.awarded_cost = None;
                body.final_cost = None;
            }
            Body::Poll(body) => {
                body.options.clear();
                body.several = false;
                body.electorate = None;
            }
            Body::Decision(body) => {
                body.decided_by = None;
                body.legal_identifier = None;
                body.votes_for = None;
                body.votes_against = None;
                body.abstentions = None;
                body.text_at = None;
                body.legal_basis.clear();
            }
            Body::Commitment(body) => {
                body.completion = None;
                body.responsible = None;
                body.budget = None;
                body.indicator = None;
                body.target = None;
            }
            Body::Result(body) => {
                body.raw_state = None;
                body.completion = None;
                body.final_cost = None;
                body.evidence.clear();
            }
            Body::ProgressUpdate(body) => {
                body.completion = None;
                body.final_cost = None;
                body.evidence.clear();
            }
            Body::Document(body) => {
                body.media_type = None;
                body.byte_size = None;
                body.checksum = None;
                body.kind = None;
                body.file = None;
            }
        }
    }
}
