//! A subject concept: the city's own word, and the European theme it corresponds to.

use serde::{Deserialize, Serialize};

use super::id::RecordId;
use super::text::{Localized, PlainText};

/// A category, scope or taxonomy of the platform, as a concept (participation.md §4.3.20).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theme {
    /// Its page, `/themes/{key}` at the authority.
    pub id: RecordId,
    /// Its label in each language.
    pub label: Localized<PlainText>,
    /// The platform's scheme it belongs to, for example `category`, `scope`, `taxonomy`.
    pub scheme: String,
    /// The same concept elsewhere, for example the EU data-theme TRAN; empty when nobody mapped it.
    pub exact_match: Vec<String>,
}
