//! What a simulated Decidim holds beside proposals: meetings, results, ballots with their projects. Most of it is only
//! shown, so the fields stay in the shape of GraphQL; what decides about being shown is a field of its own.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::state::{Component, State};

/// A meeting, visible or not. The list has no order: an updated one moves to its end.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the platform keeps them apart, and each combination occurs")]
pub struct Meeting {
    /// Its number.
    pub id: u64,
    /// The component it stands in.
    pub component: u64,
    /// The account that organises it; none when it is official.
    pub author: Option<u64>,
    /// Hidden by moderation.
    #[serde(default)]
    pub hidden: bool,
    /// Not published; the open data list it all the same.
    #[serde(default)]
    pub unpublished: bool,
    /// In the bin (0.31).
    #[serde(default)]
    pub trashed: bool,
    /// For invited people; without `opaque` everybody sees that it takes place.
    #[serde(default)]
    pub private: bool,
    /// Not transparent: of a private one nobody else sees anything.
    #[serde(default)]
    pub opaque: bool,
    /// Taken back by its organiser.
    #[serde(default)]
    pub withdrawn: bool,
    /// It is closed and its report is not visible; figures are shown all the same.
    #[serde(default)]
    pub report_hidden: bool,
    /// Where it is filed.
    #[serde(flatten)]
    pub filed: Filed,
    /// When it was created.
    pub created: String,
    /// When it last changed.
    pub updated: String,
    /// Everything else, in the shape of GraphQL.
    pub fields: Map<String, Value>,
}

impl Meeting {
    /// Whether it stands in the list at all: a hidden one does, as a null node.
    pub(super) const fn is_listed(&self) -> bool {
        !(self.unpublished || self.trashed || self.private && self.opaque)
    }
}

/// Under which words something is filed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Filed {
    /// Category by number (0.28).
    pub category: Option<u64>,
    /// Scope by number (0.28).
    pub scope: Option<u64>,
    /// Taxonomies by number (0.31).
    #[serde(default)]
    pub taxonomies: Vec<u64>,
}

/// A result: what the city reports about something it does.
#[derive(Debug, Clone, Deserialize)]
pub struct Outcome {
    /// Its number.
    pub id: u64,
    /// The component it stands in.
    pub component: u64,
    /// In the bin (0.31).
    #[serde(default)]
    pub trashed: bool,
    /// The result it is a part of.
    pub parent: Option<u64>,
    /// The proposals it comes from, by number.
    #[serde(default)]
    pub proposals: Vec<u64>,
    /// Where it is filed.
    #[serde(flatten)]
    pub filed: Filed,
    /// What happened, in the shape of GraphQL: timeline entries (0.28), milestones (0.31).
    #[serde(default)]
    pub milestones: Vec<Map<String, Value>>,
    /// When it was created.
    pub created: String,
    /// When it last changed; a new milestone does not count.
    pub updated: String,
    /// Everything else, in the shape of GraphQL.
    pub fields: Map<String, Value>,
}

/// A ballot.
#[derive(Debug, Clone, Deserialize)]
pub struct Budget {
    /// Its number.
    pub id: u64,
    /// The component it stands in.
    pub component: u64,
    /// Where it is filed.
    #[serde(flatten)]
    pub filed: Filed,
    /// When it was created.
    pub created: String,
    /// When it last changed.
    pub updated: String,
    /// What can be voted for.
    pub projects: Vec<Project>,
    /// Everything else, in the shape of GraphQL.
    pub fields: Map<String, Value>,
}

/// A project on a ballot; 0.28 answers null for every one of them.
#[derive(Debug, Clone, Deserialize)]
pub struct Project {
    /// Its number.
    pub id: u64,
    /// Votes in closed ballots.
    #[serde(default)]
    pub votes: u64,
    /// The proposals it comes from, by number.
    #[serde(default)]
    pub proposals: Vec<u64>,
    /// Where it is filed.
    #[serde(flatten)]
    pub filed: Filed,
    /// When it was created.
    pub created: String,
    /// When it last changed.
    pub updated: String,
    /// Everything else, in the shape of GraphQL.
    pub fields: Map<String, Value>,
}

/// What a discussion hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// A proposal.
    #[default]
    Proposal,
    /// A meeting.
    Meeting,
    /// A result.
    Result,
    /// A project.
    Project,
}

impl On {
    /// What the platform calls it.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Proposal => "Decidim::Proposals::Proposal",
            Self::Meeting => "Decidim::Meetings::Meeting",
            Self::Result => "Decidim::Accountability::Result",
            Self::Project => "Decidim::Budgets::Project",
        }
    }
}

impl State {
    /// The meeting with this number, visible or not.
    #[must_use]
    pub fn meeting(&self, id: u64) -> Option<&Meeting> {
        self.meetings.iter().find(|m| m.id == id)
    }

    /// The result with this number, visible or not.
    #[must_use]
    pub fn result(&self, id: u64) -> Option<&Outcome> {
        self.results.iter().find(|r| r.id == id)
    }

    /// The project with this number, and the ballot it stands on.
    #[must_use]
    pub fn project(&self, id: u64) -> Option<(&Budget, &Project)> {
        self.budgets.iter().find_map(|budget| Some((budget, budget.projects.iter().find(|p| p.id == id)?)))
    }

    /// Whether a component with this number is there for everybody.
    pub(super) fn shows_component(&self, id: u64) -> bool {
        self.component(id).is_some_and(|component| self.component_is_public(component))
    }

    /// Whether an anonymous visitor can read this meeting.
    #[must_use]
    pub fn meeting_is_shown(&self, meeting: &Meeting) -> bool {
        meeting.is_listed() && !meeting.hidden && self.shows_component(meeting.component)
    }

    /// Whether an anonymous visitor can read this result.
    #[must_use]
    pub fn result_is_shown(&self, result: &Outcome) -> bool {
        !result.trashed && self.shows_component(result.component)
    }

    /// Whether an anonymous visitor can read what a discussion hangs on.
    #[must_use]
    pub fn is_shown(&self, on: On, id: u64) -> bool {
        match on {
            On::Proposal => self.proposal(id).is_some_and(|p| self.proposal_is_public(p)),
            On::Meeting => self.meeting(id).is_some_and(|m| self.meeting_is_shown(m)),
            On::Result => self.result(id).is_some_and(|r| self.result_is_shown(r)),
            On::Project => self.project(id).is_some_and(|(budget, _)| self.shows_component(budget.component)),
        }
    }

    /// The component that something stands in.
    pub(super) fn component_of(&self, on: On, id: u64) -> Option<&Component> {
        let component = match on {
            On::Proposal => self.proposal(id)?.component,
            On::Meeting => self.meeting(id)?.component,
            On::Result => self.result(id)?.component,
            On::Project => self.project(id)?.0.component,
        };
        self.component(component)
    }

    /// The path of its own page.
    pub(super) fn path_of(&self, on: On, id: u64) -> Option<String> {
        let component = self.component_of(on, id)?;
        let process = self.process(component.process)?;
        let within = match on {
            On::Proposal => format!("proposals/{id}"),
            On::Meeting => format!("meetings/{id}"),
            On::Result => format!("results/{id}"),
            On::Project => format!("budgets/{}/projects/{id}", self.project(id)?.0.id),
        };
        Some(format!("/processes/{}/f/{}/{within}", process.slug(), component.id))
    }

    /// The address of a ballot, as GraphQL gives it.
    pub(super) fn path_of_budget(&self, budget: &Budget) -> String {
        let found = self.component(budget.component).and_then(|c| Some((c, self.process(c.process)?)));
        let path = |(component, process): (&Component, &super::state::Process)| {
            format!("@base/processes/{}/f/{}/budgets/{}", process.slug(), component.id, budget.id)
        };
        found.map(path).unwrap_or_default()
    }
}
