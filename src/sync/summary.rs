//! What a run did, per entity, for people and for the next run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::connectors::EntityReport;
use crate::domain::PlatformName;
use crate::store::RunOutcome;

/// Different reasons kept per entity; the rest is counted together.
const MAX_REASONS: usize = 50;

/// One run over one platform.
#[derive(Debug, Clone)]
pub struct RunSummary {
    /// Which platform.
    pub platform: PlatformName,
    /// The run's number; 0 for one that wrote nothing.
    pub run: i64,
    /// How it ended.
    pub outcome: RunOutcome,
    /// A sentence for people, where there is something to say.
    pub message: Option<String>,
    /// Per entity.
    pub entities: BTreeMap<String, EntitySummary>,
    /// How many requests it took.
    pub requests: u64,
    /// What else a person should know.
    pub notes: Vec<String>,
}

/// What became of the items of one entity. Counts are of items, not of records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EntitySummary {
    /// Items that the platform sent.
    pub read: u64,
    /// Published for the first time, or again.
    pub published: u64,
    /// Published anew with another content.
    pub revised: u64,
    /// Already published just so.
    pub unchanged: u64,
    /// Not published, by reason.
    pub held_back: BTreeMap<String, u64>,
    /// Published before, hidden now.
    pub hidden: u64,
    /// Published before, deleted now.
    pub deleted: u64,
    /// Held back by the platform itself.
    pub withheld: u64,
    /// Could not be read; they stay as they were.
    pub failed_reads: u64,
    /// Missing in such numbers that a person has to decide.
    pub waiting: u64,
    /// Whether everything was read: only then absence means something.
    pub complete: bool,
    /// Why not.
    pub why_incomplete: Option<String>,
    /// Nulls in the platform's lists that are none of our items; remembered for the next run.
    pub strangers: u64,
}

impl EntitySummary {
    /// How many were not published.
    #[must_use]
    pub fn held_back_in_all(&self) -> u64 {
        self.held_back.values().sum()
    }

    pub(super) fn hold_back(&mut self, reason: &str) {
        let known = self.held_back.len() < MAX_REASONS || self.held_back.contains_key(reason);
        let reason = if known { reason } else { "other reasons" };
        *self.held_back.entry(reason.to_owned()).or_default() += 1;
    }

    pub(super) fn reported(&mut self, report: &EntityReport) {
        self.complete = report.complete;
        self.why_incomplete.clone_from(&report.why_incomplete);
        self.withheld = report.withheld;
        self.failed_reads = self.failed_reads.max(report.failed);
    }
}
