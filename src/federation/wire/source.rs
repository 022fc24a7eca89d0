//! `SourceRecord` and `MappingReport`: where a record comes from and how completely it was understood
//! (participation.md §4.2). The configured name of the platform stays at home.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::WireError;
use super::scalar::{Address, Instant, Iri, Token, constant, iri_to_name, name_to_iri};
use crate::domain::source::{MappingReport as DomainReport, SourceReference};
use crate::domain::{PlatformName, Timestamp};

constant!(
    /// The `type` of a source reference.
    SourceType = "SourceRecord"
);
constant!(
    /// The `type` of a mapping report.
    ReportType = "MappingReport"
);

/// What stands for the platform's configured name in a record that came from another gateway.
const ELSEWHERE: &str = "elsewhere";

/// Where a record comes from in its city's platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceRecord {
    /// Always `SourceRecord`; absent in what older writers sent.
    #[serde(rename = "type", default)]
    pub node_type: SourceType,
    /// The software, for example `decidim`.
    #[schemars(with = "Token")]
    pub system: String,
    /// The platform's own name of the item: its type word, `/`, its id; for example `proposal/1881`.
    #[schemars(with = "Token")]
    pub local_id: String,
    /// The item's public page.
    #[schemars(with = "Option<Address>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// When it was read.
    #[schemars(with = "Instant")]
    pub retrieved_at: Timestamp,
}

impl SourceRecord {
    /// The node of a source reference.
    #[must_use]
    pub fn of(source: &SourceReference) -> Self {
        Self {
            node_type: SourceType::Value,
            system: source.system.clone(),
            local_id: match source.entity.as_str() {
                "" => source.local_id.clone(),
                entity => format!("{entity}/{}", source.local_id),
            },
            url: source.url.clone(),
            retrieved_at: source.retrieved_at.whole_second(),
        }
    }

    /// The source reference that this node describes.
    ///
    /// # Errors
    /// When its page is not on the web.
    pub fn read(&self, path: &str) -> Result<SourceReference, WireError> {
        if self.url.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            return Err(WireError::new(format!("{path}.url"), "not an http or https address"));
        }
        let (entity, local_id) = self.local_id.split_once('/').unwrap_or(("", &self.local_id));
        let platform: PlatformName = ELSEWHERE.parse().map_err(|error| WireError::new(path, error))?;
        Ok(SourceReference {
            platform,
            system: self.system.clone(),
            entity: entity.to_owned(),
            local_id: local_id.to_owned(),
            url: self.url.clone(),
            retrieved_at: self.retrieved_at,
        })
    }
}

/// How completely the source was understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MappingReport {
    /// Always `MappingReport`; absent in what older writers sent.
    #[serde(rename = "type", default)]
    pub node_type: ReportType,
    /// The mapping profile, for example `pv:profile-decidim`.
    #[schemars(with = "Iri")]
    pub profile: String,
    /// The profile's version.
    #[schemars(with = "Token")]
    pub profile_version: String,
    /// Source fields that nobody mapped or dropped; empty when there are none.
    #[schemars(with = "Vec<Token>")]
    #[serde(default)]
    pub unmapped: Vec<String>,
}

impl MappingReport {
    /// The node of a report.
    #[must_use]
    pub fn of(report: &DomainReport) -> Self {
        Self {
            node_type: ReportType::Value,
            profile: name_to_iri("profile", &report.profile),
            profile_version: report.version.clone(),
            unmapped: report.unmapped.clone(),
        }
    }

    /// The report that this node describes.
    #[must_use]
    pub fn read(&self) -> DomainReport {
        DomainReport {
            profile: iri_to_name("profile", &self.profile),
            version: self.profile_version.clone(),
            unmapped: self.unmapped.clone(),
        }
    }
}
