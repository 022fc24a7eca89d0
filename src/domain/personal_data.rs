//! How personal data behind a record are handled, and where a citizen exercises rights.

use serde::{Deserialize, Serialize};
use url::Url;

use super::id::ActorId;

/// The statement each record with a citizen's text carries (participation.md §4.3.23).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalDataHandling {
    /// The controller: the authority the record comes from.
    pub controller: ActorId,
    /// Legal basis, usually `eu-gdpr:A6-1-e` (public interest).
    pub legal_basis: String,
    /// How the person was removed, usually `dpv:Pseudonymisation`.
    pub method: Vec<String>,
    /// Fields taken out on purpose.
    pub removed: Vec<String>,
    /// Where articles 15 to 21 are exercised.
    pub rights_contact: Url,
}
