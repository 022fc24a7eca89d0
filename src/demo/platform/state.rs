//! What a simulated Decidim knows: processes with steps, components, proposals, comments, accounts and the words for them
//! (meetings, results and ballots are next door, in `things`).
//!
//! The same types are the fixture format (`src/demo/fixtures/*.json`). This module knows what is visible to an anonymous
//! visitor; how it is asked for is `graphql`, what people do to it is `verbs`. Debates, blogs and the other components
//! are listed with their names but hold nothing: nobody reads them yet.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::things::{Budget, Meeting, On, Outcome};

/// A text per locale: `{"fr": "…"}`, or `{"en": {"machine": "…"}}` for what a machine translated.
pub type Texts = Map<String, Value>;

/// Which Decidim is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum Generation {
    /// 0.28.6: categories and scopes, endorsements, open introspection, no alias or recursion limit.
    #[serde(rename = "0.28")]
    V028,
    /// 0.31.8: taxonomies, likes, custom states, introspection refused to everybody but administrators.
    #[serde(rename = "0.31")]
    V031,
}

impl Generation {
    pub(super) const fn is_031(self) -> bool {
        matches!(self, Self::V031)
    }
}

/// Everything one tenant holds.
#[derive(Debug, Clone, Deserialize)]
pub struct State {
    /// Which platform answers.
    pub generation: Generation,
    /// `decidim.applicationName`.
    pub application: String,
    /// `decidim.version`; 0.31 discloses none.
    pub version: Option<String>,
    /// The tenant's name: a string in 0.28, translated in 0.31.
    pub organization: Value,
    /// Accounts by number.
    pub users: BTreeMap<u64, User>,
    /// Taxonomies (0.31).
    pub taxonomies: Vec<Term>,
    /// Categories of processes (0.28).
    pub categories: Vec<Term>,
    /// Scopes (0.28).
    pub scopes: Vec<Term>,
    /// Proposal states by number (0.31): fields of `ProposalState`, plus `component` and `token`.
    pub states: BTreeMap<u64, Map<String, Value>>,
    /// Participatory processes, published or not.
    pub processes: Vec<Process>,
    /// Components, published or not.
    pub components: Vec<Component>,
    /// Proposals in the order of their lists, visible or not.
    pub proposals: Vec<Proposal>,
    /// Meetings in the order of the database, visible or not.
    #[serde(default)]
    pub meetings: Vec<Meeting>,
    /// Results in the order of the database.
    #[serde(default)]
    pub results: Vec<Outcome>,
    /// Ballots with their projects.
    #[serde(default)]
    pub budgets: Vec<Budget>,
    /// Comments, oldest first.
    pub comments: Vec<Comment>,
    /// The present moment as the platform writes it; set before each change.
    #[serde(skip)]
    pub now: String,
}

/// An account. A deleted one keeps its number and nothing else.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct User {
    /// Display name (invented).
    pub name: String,
    /// Nickname with its `@`.
    pub nickname: String,
    /// A group of people speaks through it (0.28).
    pub group: bool,
    /// The person closed the account.
    pub deleted: bool,
    /// The administration blocked it.
    pub blocked: bool,
}

impl User {
    pub(super) fn is_gone(&self) -> bool {
        self.deleted || self.blocked
    }
}

/// A taxonomy, a category or a scope.
#[derive(Debug, Clone, Deserialize)]
pub struct Term {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: Texts,
    /// The term above it.
    pub parent: Option<u64>,
    /// The process a category belongs to.
    pub process: Option<u64>,
}

/// A participatory process.
#[derive(Debug, Clone, Deserialize)]
pub struct Process {
    /// Its number.
    pub id: u64,
    /// Not published (yet, or any more).
    #[serde(default)]
    pub unpublished: bool,
    /// Only for invited people.
    #[serde(default)]
    pub private: bool,
    /// In the bin.
    #[serde(default)]
    pub trashed: bool,
    /// Taxonomies by number.
    #[serde(default)]
    pub taxonomies: Vec<u64>,
    /// Scope by number.
    pub scope: Option<u64>,
    /// Everything else, in the shape of GraphQL; absent means the default of its type.
    pub fields: Map<String, Value>,
    /// Its steps, in the shape of GraphQL.
    pub steps: Vec<Map<String, Value>>,
}

impl Process {
    /// Whether an anonymous visitor sees it.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        !self.unpublished && !self.private && !self.trashed
    }

    pub(super) fn slug(&self) -> &str {
        self.fields.get("slug").and_then(Value::as_str).unwrap_or_default()
    }
}

/// A component of a process.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the platform keeps them apart, and each combination occurs")]
pub struct Component {
    /// Its number.
    pub id: u64,
    /// GraphQL type, such as `Proposals`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The process it belongs to.
    pub process: u64,
    /// Its place among the components.
    pub weight: i64,
    /// Its name.
    pub name: Texts,
    /// Not published.
    #[serde(default)]
    pub unpublished: bool,
    /// In the bin (0.31).
    #[serde(default)]
    pub trashed: bool,
    /// Votes are not shown: `voteCount` is null and ordering by votes is ignored.
    #[serde(default)]
    pub votes_hidden: bool,
    /// Comments are switched off.
    #[serde(default)]
    pub comments_closed: bool,
    /// Comments take no side.
    #[serde(default)]
    pub no_alignment: bool,
}

/// A proposal, visible or not.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the platform keeps them apart, and each combination occurs")]
pub struct Proposal {
    /// Its number.
    pub id: u64,
    /// The component it stands in.
    pub component: u64,
    /// Title by locale.
    pub title: Texts,
    /// Body by locale.
    pub body: Texts,
    /// Authors by account number; empty when official or from a meeting.
    #[serde(default)]
    pub authors: Vec<u64>,
    /// Made by the administration.
    #[serde(default)]
    pub official: bool,
    /// Made in a meeting.
    #[serde(default)]
    pub from_meeting: bool,
    /// Hidden by moderation.
    #[serde(default)]
    pub hidden: bool,
    /// Never published.
    #[serde(default)]
    pub draft: bool,
    /// In the bin (0.31).
    #[serde(default)]
    pub trashed: bool,
    /// Taken back by its author.
    #[serde(default)]
    pub withdrawn: bool,
    /// When it was taken back.
    pub withdrawn_at: Option<String>,
    /// The state as served: null until an answer is published.
    pub state: Option<String>,
    /// The state that was decided, published or not: a key of [`State::states`] (0.31).
    pub decision: Option<u64>,
    /// The official answer, published or not.
    pub answer: Option<Texts>,
    /// When it was answered.
    pub answered: Option<String>,
    /// How many people support it.
    #[serde(default)]
    pub votes: u64,
    /// Who likes (0.31) or endorses (0.28) it.
    #[serde(default)]
    pub likes: Vec<u64>,
    /// Taxonomies by number (0.31).
    #[serde(default)]
    pub taxonomies: Vec<u64>,
    /// Category by number (0.28).
    pub category: Option<u64>,
    /// Scope by number (0.28).
    pub scope: Option<u64>,
    /// Amendments to it, which are proposals of the same component.
    #[serde(default)]
    pub amendments: Vec<Amendment>,
    /// How many versions there are.
    #[serde(default = "one")]
    pub versions: u64,
    /// When it was created.
    pub created: String,
    /// When it was published.
    pub published: Option<String>,
    /// `updatedAt`, which does not move with everything (see `verbs`).
    pub updated: String,
    /// Everything else, in the shape of GraphQL.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

const fn one() -> u64 {
    1
}

impl Proposal {
    /// Whether the answer is there for everybody: it is once a state is served.
    #[must_use]
    pub const fn answer_is_public(&self) -> bool {
        self.answer.is_some() && self.state.is_some()
    }

    /// Whether it is listed at all (a hidden one is, as a null node).
    pub(super) const fn is_listed(&self) -> bool {
        !self.draft && !self.trashed
    }
}

/// A proposal that amends another.
#[derive(Debug, Clone, Deserialize)]
pub struct Amendment {
    /// Its number as an amendment.
    pub id: u64,
    /// What became of it.
    pub state: String,
    /// Its number as a proposal.
    pub emendation: u64,
}

/// A comment.
#[derive(Debug, Clone, Deserialize)]
pub struct Comment {
    /// Its number.
    pub id: u64,
    /// What sort of thing is at the root of the thread.
    #[serde(default)]
    pub on: On,
    /// The number of that thing.
    pub root: u64,
    /// The comment it answers; none on the first level.
    pub parent: Option<u64>,
    /// Its author.
    pub author: u64,
    /// What was typed.
    pub body: String,
    /// Cleaned HTML, where it is not simply the body in a paragraph.
    pub formatted: Option<String>,
    /// -1 against, 0 neither, 1 for.
    #[serde(default)]
    pub alignment: i64,
    /// Votes for the comment.
    #[serde(default, rename = "upVotes")]
    pub up_votes: u64,
    /// Votes against it.
    #[serde(default, rename = "downVotes")]
    pub down_votes: u64,
    /// Hidden by moderation.
    #[serde(default)]
    pub hidden: bool,
    /// Deleted by its author.
    #[serde(default)]
    pub deleted: bool,
    /// When it was written.
    pub created: String,
    /// When it last changed.
    pub updated: String,
}

impl State {
    /// Parses a fixture.
    ///
    /// # Errors
    /// When the text is not a fixture.
    pub fn parse(fixture: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(fixture)
    }

    /// The proposal with this number, visible or not.
    #[must_use]
    pub fn proposal(&self, id: u64) -> Option<&Proposal> {
        self.proposals.iter().find(|p| p.id == id)
    }

    /// The comment with this number, visible or not.
    #[must_use]
    pub fn comment(&self, id: u64) -> Option<&Comment> {
        self.comments.iter().find(|c| c.id == id)
    }

    pub(super) fn process(&self, id: u64) -> Option<&Process> {
        self.processes.iter().find(|p| p.id == id)
    }

    pub(super) fn component(&self, id: u64) -> Option<&Component> {
        self.components.iter().find(|c| c.id == id)
    }

    pub(super) fn component_is_public(&self, component: &Component) -> bool {
        !component.unpublished && !component.trashed && self.process(component.process).is_some_and(Process::is_public)
    }

    /// Components of a process in the order of the platform: by weight in 0.31, by number in 0.28.
    pub(super) fn components_of(&self, process: u64) -> Vec<&Component> {
        let mut components: Vec<_> = self.components.iter().filter(|c| c.process == process).collect();
        components.sort_by_key(|c| if self.generation.is_031() { (c.weight, c.id) } else { (0, c.id) });
        components
    }

    /// Whether an anonymous visitor can read this proposal.
    #[must_use]
    pub fn proposal_is_public(&self, proposal: &Proposal) -> bool {
        proposal.is_listed()
            && !proposal.hidden
            && self.component(proposal.component).is_some_and(|component| self.component_is_public(component))
    }

    /// Replies as they are listed: hidden ones left out (unless the platform `leaks`), deleted ones still there
    /// (and fatal, see `graphql`).
    pub(super) fn comments_under(&self, on: On, root: u64, parent: Option<u64>, leaks: bool) -> Vec<&Comment> {
        let under = |c: &&Comment| c.on == on && c.root == root && c.parent == parent && (leaks || !c.hidden);
        let mut comments: Vec<_> = self.comments.iter().filter(under).collect();
        comments.sort_by(|a, b| (&a.created, a.id).cmp(&(&b.created, b.id)));
        comments
    }

    /// `totalCommentsCount`: neither hidden nor deleted, at any depth.
    pub(super) fn count_comments(&self, on: On, root: u64) -> usize {
        self.comments.iter().filter(|c| c.on == on && c.root == root && !c.hidden && !c.deleted).count()
    }
}
