//! `Consultation`, an `Event` of ActivityStreams (participation.md §4.3.2).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::reader::followers_of;
use super::phase::Phase;
use super::scalar::{Address, Instant, LanguageMap, ProcessKindConcept, constant};
use super::topic::Topic;
use super::{WireError, fragment, text};
use crate::domain::consultation::{Consultation as DomainConsultation, LifecycleState};
use crate::domain::record::Record;
use crate::domain::text::LanguageTag;
use crate::domain::{RecordId, Timestamp};

constant!(
    /// The AS2 type of a consultation.
    EventType = "Event"
);
constant!(
    /// The class of a consultation.
    ConsultationClass = "Consultation"
);

/// Most phases of one process (participation.md §4.8).
const MAX_PHASES: usize = 50;

/// A concept in the platform's own words: no address, only a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelledConcept {
    /// Its label in each language.
    pub pref_label: LanguageMap,
}

/// A participation process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Consultation {
    /// Always `Event`.
    #[serde(rename = "type")]
    pub node_type: EventType,
    /// Always `Consultation`.
    pub record_type: ConsultationClass,
    /// What sort of process it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_kind: Option<ProcessKindConcept>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle_state: Option<LifecycleState>,
    /// What is decided with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_scope: Option<LabelledConcept>,
    /// Public opening.
    #[schemars(with = "Option<Instant>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// Public closing.
    #[schemars(with = "Option<Instant>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
    /// Steps, in order.
    #[schemars(length(max = 50))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// The active step.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_phase: Option<String>,
    /// Questions put to discussion.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<Topic>,
    /// The collection of its contributions.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contributions: Option<String>,
    /// The collection of those who follow it by itself (FEP-efda); it says only how many.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followers: Option<String>,
}

impl Consultation {
    /// The properties of a consultation beside its envelope.
    #[must_use]
    pub fn of(record: &Record, body: &DomainConsultation) -> Self {
        let original = &record.language;
        Self {
            node_type: EventType::Value,
            record_type: ConsultationClass::Value,
            process_kind: body.kind.map(ProcessKindConcept),
            lifecycle_state: body.lifecycle,
            decision_scope: body.decision_scope.as_ref().map(|label| LabelledConcept { pref_label: text::map(label) }),
            start_time: body.starts.map(Timestamp::whole_second),
            end_time: body.ends.map(Timestamp::whole_second),
            phases: body.phases.iter().map(|phase| Phase::of(phase, &record.id, original)).collect(),
            current_phase: body.current_phase.as_ref().map(|name| fragment::write(&record.id, name)),
            topics: body.topics.iter().map(|topic| Topic::of(topic, &record.id, original)).collect(),
            contributions: Some(format!("{}/contributions", record.id)),
            followers: Some(followers_of(&record.id)),
        }
    }

    /// The consultation that these properties describe.
    ///
    /// # Errors
    /// Says which property is not acceptable.
    pub fn read(&self, id: &RecordId, original: &LanguageTag) -> Result<DomainConsultation, WireError> {
        if self.phases.len() > MAX_PHASES {
            return Err(WireError::new("phases", format_args!("{} phases; at most {MAX_PHASES} are taken", self.phases.len())));
        }
        let phases: Result<Vec<_>, _> =
            self.phases.iter().enumerate().map(|(n, phase)| phase.read(id, original, &format!("phases[{n}]"))).collect();
        let topics: Result<Vec<_>, _> =
            self.topics.iter().enumerate().map(|(n, topic)| topic.read(id, original, &format!("topics[{n}]"))).collect();
        let scope = self.decision_scope.as_ref().map(|scope| &scope.pref_label);
        Ok(DomainConsultation {
            kind: self.process_kind.map(|concept| concept.0),
            lifecycle: self.lifecycle_state,
            decision_scope: text::read(None, scope, original, "decisionScope.prefLabel")?,
            starts: self.start_time,
            ends: self.end_time,
            phases: phases?,
            current_phase: self.current_phase.as_ref().map(|name| fragment::read(id, name, "currentPhase")).transpose()?,
            topics: topics?,
        })
    }
}
