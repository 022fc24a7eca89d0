//! `Theme`: a subject concept of the city, with what it corresponds to elsewhere (participation.md §4.3.20).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WireError;
use super::scalar::{Address, Iri, LanguageMap, constant, iri_to_name, name_to_iri};
use super::text;
use crate::domain::RecordId;
use crate::domain::text::LanguageTag;
use crate::domain::theme::Theme as DomainTheme;

constant!(
    /// The `type` of a theme.
    ThemeType = "Theme"
);

/// A subject concept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Theme {
    /// Its page at the authority.
    #[schemars(with = "Address")]
    pub id: RecordId,
    /// Always `Theme`.
    #[serde(rename = "type")]
    pub node_type: ThemeType,
    /// Its label in each language.
    pub pref_label: LanguageMap,
    /// The scheme of the platform it belongs to, for example `pv:scheme-category`.
    #[schemars(with = "Iri")]
    pub in_scheme: String,
    /// The same concept elsewhere, for example a theme of the EU.
    #[schemars(with = "Vec<Iri>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exact_match: Vec<String>,
}

impl Theme {
    /// The node of a theme.
    #[must_use]
    pub fn of(theme: &DomainTheme) -> Self {
        Self {
            id: theme.id.clone(),
            node_type: ThemeType::Value,
            pref_label: text::map(&theme.label),
            in_scheme: name_to_iri("scheme", &theme.scheme),
            exact_match: theme.exact_match.clone(),
        }
    }

    /// The theme that this node describes.
    ///
    /// # Errors
    /// When it has no label.
    pub fn read(&self, original: &LanguageTag, path: &str) -> Result<DomainTheme, WireError> {
        Ok(DomainTheme {
            id: self.id.clone(),
            label: text::read_required(None, Some(&self.pref_label), original, &format!("{path}.prefLabel"))?,
            scheme: iri_to_name("scheme", &self.in_scheme),
            exact_match: self.exact_match.clone(),
        })
    }
}
