//! `Topic`: a question or section put to discussion, embedded under a fragment id (participation.md §4.3.4).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WireError;
use super::fragment;
use super::scalar::{Address, LanguageMap, Plain, constant};
use super::text;
use crate::domain::RecordId;
use crate::domain::consultation::Topic as DomainTopic;
use crate::domain::text::LanguageTag;

constant!(
    /// The `type` of a topic.
    TopicType = "Topic"
);

/// A question or section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Topic {
    /// The process's address with the topic's fragment.
    #[schemars(with = "Address")]
    pub id: String,
    /// Always `Topic`.
    #[serde(rename = "type")]
    pub node_type: TopicType,
    /// The question in the original language.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The question in each language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_map: Option<LanguageMap>,
    /// A few words about it, in restricted HTML.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The same in each language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_map: Option<LanguageMap>,
}

impl Topic {
    /// The node of a topic of `process`.
    #[must_use]
    pub fn of(topic: &DomainTopic, process: &RecordId, original: &LanguageTag) -> Self {
        let (summary, summary_map) = text::write(topic.summary.as_ref(), original);
        Self {
            id: fragment::write(process, &topic.fragment),
            node_type: TopicType::Value,
            name: Some(text::plain(&topic.name, original)),
            name_map: Some(text::map(&topic.name)),
            summary,
            summary_map,
        }
    }

    /// The topic of `process` that this node describes.
    ///
    /// # Errors
    /// When its id is not within the process or its name is missing.
    pub fn read(&self, process: &RecordId, original: &LanguageTag, path: &str) -> Result<DomainTopic, WireError> {
        Ok(DomainTopic {
            fragment: fragment::read(process, &self.id, &format!("{path}.id"))?,
            name: text::read_required(self.name.as_deref(), self.name_map.as_ref(), original, &format!("{path}.name"))?,
            summary: text::read(self.summary.as_deref(), self.summary_map.as_ref(), original, &format!("{path}.summary"))?,
        })
    }
}
