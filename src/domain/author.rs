//! Who said it, without saying who: citizens travel as pseudonyms, never as actors.

use serde::{Deserialize, Serialize};

use super::id::RecordId;
use super::text::PlainText;
use crate::words;

words! {
    /// Who speaks. Organisations and officials may be named; persons are not.
    AuthorKind {
        Person = "person",
        Organisation = "organisation",
        Official = "official",
        Collective = "collective",
    }
}

/// An author as others may know them (participation.md §4.3.22).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PseudonymousAuthor {
    /// HMAC-SHA-256(city secret, local id, process), truncated: `px:` and 16 base32 letters. Not
    /// linkable across processes. Absent for the authority itself, which needs none.
    pub pseudonym: Option<String>,
    /// The process within which the pseudonym is stable.
    pub scope: RecordId,
    /// Who speaks.
    pub kind: AuthorKind,
    /// A public name, only for an organisation or an official body.
    pub name: Option<PlainText>,
}
