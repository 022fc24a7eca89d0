use serde::Deserialize;
use url::Url;

use crate::domain::calendar::Day;
use crate::domain::text::LanguageTag;

/// `[site]`: what the public pages say about the city.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Site {
    /// Languages of the interface; the first is the default one.
    pub languages: Vec<LanguageTag>,
    /// Where the source code of what runs here is offered (AGPL §13); shown at `/source`.
    pub source_url: String,
    /// The accessibility audit of this site; without one the pages say « non conforme ».
    pub audit: Option<Audit>,
    /// The legal notice.
    pub legal: Legal,
}

/// `[site.audit]`: what an audit of this very site found (RGAA 4.1.2).
#[derive(Debug, Clone, Deserialize)]
pub struct Audit {
    /// What it found.
    pub result: AuditResult,
    /// Its day; it counts for three years.
    pub day: Day,
    /// The address under which the city publishes it.
    pub report: Option<Url>,
}

/// The three mentions that the law knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditResult {
    /// « Totalement conforme ».
    Full,
    /// « Partiellement conforme ».
    Partial,
    /// « Non conforme ».
    None,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            languages: ["fr", "en"].iter().filter_map(|tag| tag.parse().ok()).collect(),
            source_url: String::new(),
            audit: None,
            legal: Legal::default(),
        }
    }
}

/// `[site.legal]`: what the law asks a public site to name; what is missing is shown as « à compléter ».
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Legal {
    /// Who publishes.
    pub publisher: String,
    /// Who directs the publication.
    pub director: String,
    /// Postal address.
    pub address: String,
    /// Telephone.
    pub telephone: String,
    /// Who hosts.
    pub host: String,
    /// Where to write.
    pub contact: String,
    /// Where to report a security hole, for `security.txt`; without it, where to write.
    pub security_contact: String,
}
