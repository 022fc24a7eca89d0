use serde::Deserialize;

use crate::domain::text::LanguageTag;

/// `[site]`: what the public pages say about the city.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Site {
    /// Languages of the interface; the first is the default one.
    pub languages: Vec<LanguageTag>,
    /// The city's accessibility audit; empty means « non conforme ».
    pub accessibility_audit: String,
    /// Where the source code of what runs here is offered (AGPL §13); shown at `/source`.
    pub source_url: String,
    /// The legal notice.
    pub legal: Legal,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            languages: ["fr", "en"].iter().filter_map(|tag| tag.parse().ok()).collect(),
            accessibility_audit: String::new(),
            source_url: String::new(),
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
    /// Telephone.
    pub telephone: String,
    /// Who hosts.
    pub host: String,
    /// Where to write.
    pub contact: String,
}
