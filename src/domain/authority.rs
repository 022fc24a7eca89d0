//! The public body that answers for its records: a city, a metropole, a region.

use serde::{Deserialize, Serialize};
use url::Url;

use super::id::ActorId;
use super::place::Place;
use super::text::{Localized, PlainText};
use crate::words;

words! {
    /// What sort of public body it is (participation.md §4.3.1).
    AuthorityKind {
        Municipality = "municipality",
        Intercommunal = "intercommunal",
        Region = "region",
        StateBody = "state-body",
        DelegatedBody = "delegated-body",
    }
}

/// An official number of a public body, for example its SIREN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// The register, for example `siren`.
    pub scheme: String,
    /// The number in that register.
    pub notation: String,
}

/// The public body answerable for records. The *city as a place* is a [`Place`], not this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublicAuthority {
    /// Its actor's address.
    pub id: ActorId,
    /// Its name in each language.
    pub name: Localized<PlainText>,
    /// The short name of its account, for example `lyon`.
    pub handle: String,
    /// What sort of body it is.
    pub kind: AuthorityKind,
    /// Official numbers.
    pub identifiers: Vec<Identifier>,
    /// Its territory, when stated.
    pub territory: Option<Place>,
    /// Where a citizen exercises rights over personal data.
    pub rights_contact: Url,
}
