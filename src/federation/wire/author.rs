//! `PseudonymousAuthor`: who said it, without saying who (participation.md §4.3.22).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scalar::{Address, Plain, Token, constant};
use crate::domain::RecordId;
use crate::domain::author::{AuthorKind, PseudonymousAuthor as DomainAuthor};
use crate::domain::text::PlainText;

constant!(
    /// The `type` of an author.
    AuthorType = "PseudonymousAuthor"
);

/// An author as others may know them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PseudonymousAuthor {
    /// Always `PseudonymousAuthor`.
    #[serde(rename = "type")]
    pub node_type: AuthorType,
    /// Stable within one process and not linkable across processes; the authority itself needs none.
    #[schemars(with = "Option<Token>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pseudonym: Option<String>,
    /// The process within which it is stable.
    #[schemars(with = "Address")]
    pub pseudonym_scope: RecordId,
    /// Who speaks.
    pub author_kind: AuthorKind,
    /// A public name, only of an organisation or an official body.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl PseudonymousAuthor {
    /// The node of an author. A person's name never travels.
    #[must_use]
    pub fn of(author: &DomainAuthor) -> Self {
        let may_be_named = author.kind != AuthorKind::Person;
        Self {
            node_type: AuthorType::Value,
            pseudonym: author.pseudonym.clone(),
            pseudonym_scope: author.scope.clone(),
            author_kind: author.kind,
            name: author.name.as_ref().filter(|_| may_be_named).map(ToString::to_string),
        }
    }

    /// The author that this node describes; a person's name is dropped here too.
    #[must_use]
    pub fn read(&self) -> DomainAuthor {
        let may_be_named = self.author_kind != AuthorKind::Person;
        DomainAuthor {
            pseudonym: self.pseudonym.as_deref().and_then(PlainText::new).map(|text| text.to_string()),
            scope: self.pseudonym_scope.clone(),
            kind: self.author_kind,
            name: self.name.as_deref().filter(|_| may_be_named).and_then(PlainText::new),
        }
    }
}
