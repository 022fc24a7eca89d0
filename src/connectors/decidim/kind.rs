//! The sorts of components that are read, and what each calls its things.

use super::{ATTACHMENT, COMMENT, MEETING, MILESTONE, PROJECT, PROPOSAL, RESULT};

/// A sort of component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Proposals,
    Meetings,
    Results,
    Budgets,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Proposals, Self::Meetings, Self::Results, Self::Budgets];

    /// The sort with this name in the interface.
    pub(super) fn of(type_name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.type_name() == type_name)
    }

    /// Its name in the interface.
    pub(super) const fn type_name(self) -> &'static str {
        match self {
            Self::Proposals => "Proposals",
            Self::Meetings => "Meetings",
            Self::Results => "Accountability",
            Self::Budgets => "Budgets",
        }
    }

    /// The field that lists its things; the same word stands in the addresses of their pages.
    pub(super) const fn list(self) -> &'static str {
        match self {
            Self::Proposals => "proposals",
            Self::Meetings => "meetings",
            Self::Results => "results",
            Self::Budgets => "budgets",
        }
    }

    /// The field that gives one of them.
    pub(super) const fn one(self) -> &'static str {
        match self {
            Self::Proposals => "proposal",
            Self::Meetings => "meeting",
            Self::Results => "result",
            Self::Budgets => "budget",
        }
    }

    /// The type of one of them in the interface.
    pub(super) const fn one_type(self) -> &'static str {
        match self {
            Self::Proposals => "Proposal",
            Self::Meetings => "Meeting",
            Self::Results => "Result",
            Self::Budgets => "Budget",
        }
    }

    /// Our type word for what is read from it.
    pub(super) const fn entity(self) -> &'static str {
        match self {
            Self::Proposals => PROPOSAL,
            Self::Meetings => MEETING,
            Self::Results => RESULT,
            Self::Budgets => PROJECT,
        }
    }

    /// What the platform calls them in its tables.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Proposals => "Decidim::Proposals::Proposal",
            Self::Meetings => "Decidim::Meetings::Meeting",
            Self::Results => "Decidim::Accountability::Result",
            Self::Budgets => "Decidim::Budgets::Project",
        }
    }

    /// Everything that is read from such a component: what is not read with it is incomplete.
    pub(super) const fn entities(self) -> &'static [&'static str] {
        match self {
            Self::Proposals => &[PROPOSAL, COMMENT, ATTACHMENT],
            Self::Meetings => &[MEETING, COMMENT, ATTACHMENT],
            Self::Results => &[RESULT, MILESTONE, COMMENT, ATTACHMENT],
            // Comments on projects are in no second source and on no page that names them: not read.
            Self::Budgets => &[PROJECT, ATTACHMENT],
        }
    }

    /// The table of the open data that lists the comments on them.
    pub(super) const fn comment_table(self) -> Option<&'static str> {
        match self {
            Self::Proposals => Some("proposal_comments"),
            Self::Meetings => Some("meeting_comments"),
            Self::Results => Some("result_comments"),
            Self::Budgets => None,
        }
    }
}
