//! Where a record comes from: the platform's own item, and the reference to it that travels along.

use serde::{Deserialize, Serialize};
use url::Url;

use super::id::PlatformName;
use super::time::Timestamp;
use crate::words;

words! {
    /// What shows that an item is public (architecture §4.6: publish only what is proven).
    ProofKind {
        OpenDataCsv = "open-data-csv",
        PublicPage = "public-page",
        SingleSource = "single-source",
    }
}

/// What a connector found out about an item's being public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "evidence", rename_all = "kebab-case")]
pub enum Evidence {
    /// A second source shows it too.
    Proven {
        /// Which one.
        by: ProofKind,
    },
    /// No second source shows it: it stays here, with the reason.
    Unproven {
        /// A sentence for the person who looks at the preview.
        reason: String,
    },
}

/// One item of a platform as the connector read it, unchanged. Raw answers are never stored.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceRecord {
    /// The platform's own type word, for example `proposal`.
    pub entity: String,
    /// The platform's own id within that type.
    pub local_id: String,
    /// The item's fields as the platform names them; only fields that were asked for by name.
    pub fields: serde_json::Value,
    /// What the item hangs on (its component, its process, its parent), under the connector's names;
    /// a profile reaches it as `$.context…`.
    pub context: serde_json::Value,
    /// The item's own public page.
    pub url: Option<Url>,
    /// What shows that it is public.
    pub evidence: Evidence,
    /// When it was read.
    pub retrieved_at: Timestamp,
}

/// The reference to its source that a record carries (participation.md §4.2 `sourceRecord`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReference {
    /// The configured platform; local, not on the wire.
    pub platform: PlatformName,
    /// The software, for example `decidim`.
    pub system: String,
    /// The platform's own type word.
    pub entity: String,
    /// The platform's own id.
    pub local_id: String,
    /// The item's public page.
    pub url: Option<Url>,
    /// When it was read.
    pub retrieved_at: Timestamp,
}

/// How completely the source was understood (participation.md §4.2 `mapping`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingReport {
    /// The profile's name, for example `decidim`.
    pub profile: String,
    /// The profile's version.
    pub version: String,
    /// Source fields that nobody mapped or dropped.
    pub unmapped: Vec<String>,
}
