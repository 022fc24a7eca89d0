//! `Phase`: one step of a process, embedded under a fragment id (participation.md §4.3.3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WireError;
use super::fragment;
use super::scalar::{Address, Instant, LanguageMap, Plain, constant};
use super::text;
use crate::domain::consultation::{Phase as DomainPhase, PhaseKind, PhaseState};
use crate::domain::text::LanguageTag;
use crate::domain::{RecordId, Timestamp};

constant!(
    /// The `type` of a phase.
    PhaseType = "Phase"
);

/// One step of a process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    /// The process's address with the step's fragment.
    #[schemars(with = "Address")]
    pub id: String,
    /// Always `Phase`.
    #[serde(rename = "type")]
    pub node_type: PhaseType,
    /// Its label in the original language.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its label in each language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_map: Option<LanguageMap>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_kind: Option<PhaseKind>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_state: Option<PhaseState>,
    /// When it begins.
    #[schemars(with = "Option<Instant>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// When it ends.
    #[schemars(with = "Option<Instant>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
}

impl Phase {
    /// The node of a phase of `process`.
    #[must_use]
    pub fn of(phase: &DomainPhase, process: &RecordId, original: &LanguageTag) -> Self {
        Self {
            id: fragment::write(process, &phase.fragment),
            node_type: PhaseType::Value,
            name: Some(text::plain(&phase.name, original)),
            name_map: Some(text::map(&phase.name)),
            phase_kind: phase.kind,
            phase_state: phase.state,
            start_time: phase.starts.map(Timestamp::whole_second),
            end_time: phase.ends.map(Timestamp::whole_second),
        }
    }

    /// The phase of `process` that this node describes.
    ///
    /// # Errors
    /// When its id is not within the process or its label is missing.
    pub fn read(&self, process: &RecordId, original: &LanguageTag, path: &str) -> Result<DomainPhase, WireError> {
        Ok(DomainPhase {
            fragment: fragment::read(process, &self.id, &format!("{path}.id"))?,
            name: text::read_required(self.name.as_deref(), self.name_map.as_ref(), original, &format!("{path}.name"))?,
            kind: self.phase_kind,
            state: self.phase_state,
            starts: self.start_time,
            ends: self.end_time,
        })
    }
}
