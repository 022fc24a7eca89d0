//! A mapping profile as it is used: rules per entity and record class, tables, drops.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::coverage::Standing;
use super::parse;
use super::path::{Scope, SourcePath};
use super::transform::{Codes, Transform, scalar};
use crate::domain::Class;
use crate::domain::source::ProofKind;
use crate::domain::text::LanguageTag;

/// What the fields of one platform mean. Data: read from TOML, never written in Rust.
#[derive(Debug, Clone)]
pub struct Profile {
    /// SHA-256 of the text it was read from.
    pub(super) digest: [u8; 32],
    pub(super) name: String,
    pub(super) version: String,
    pub(super) system: String,
    pub(super) licence: Url,
    pub(super) personal: Personal,
    pub(super) codes: Codes,
    pub(super) themes: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Kept schema → the field that tells it.
    pub(super) schemas: BTreeMap<String, String>,
    pub(super) entities: BTreeMap<String, Entity>,
    pub(super) tables: BTreeMap<String, Columns>,
}

/// The columns of a table that the platform offers beside its interface. In a name, `{language}` stands
/// for a language tag and `{id}` for a number.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    /// Why the whole table is not read.
    pub unread: Option<String>,
    pub used: Vec<String>,
    pub drops: BTreeMap<String, String>,
}

impl Columns {
    /// Where a column stands.
    pub fn standing(&self, column: &str) -> Standing {
        if self.used.iter().any(|pattern| names_column(pattern, column)) {
            return Standing::Mapped;
        }
        let dropped = self.drops.iter().find(|(pattern, _)| names_column(pattern, column));
        dropped.map_or(Standing::NotUnderstood, |(_, reason)| Standing::Dropped(reason.clone()))
    }
}

fn names_column(pattern: &str, column: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), column.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some("{language}"), Some(part)) if part.parse::<LanguageTag>().is_ok() => {}
            (Some("{id}"), Some(part)) if part.parse::<u64>().is_ok() => {}
            (Some(pattern), Some(part)) if pattern == part => {}
            _ => return false,
        }
    }
}

/// How personal data behind the records are handled.
#[derive(Debug, Clone, Default)]
pub(super) struct Personal {
    pub legal_basis: String,
    pub method: Vec<String>,
    /// What is taken out on purpose, for the statement each record carries.
    pub removed: Vec<String>,
    /// Field names whose values are never shown in an example, known or not.
    pub words: Vec<String>,
}

/// One sort of item of the platform.
#[derive(Debug, Clone)]
pub(super) struct Entity {
    /// The platform's own type names, for its schema: generations may call it differently.
    pub type_names: Vec<String>,
    /// What one, and several of them, are called.
    pub called: Option<(String, String)>,
    pub proofs: Vec<Proof>,
    /// Fields that are another text at every reading and say the same.
    pub passing: Vec<String>,
    /// The main record first; the others hang on it.
    pub records: Vec<RecordRule>,
    /// Coverage name → reason.
    pub drops: BTreeMap<String, String>,
    /// Coverage names of everything that a rule reads.
    pub consumed: BTreeSet<String>,
    /// Of these, the ones that hold a person's id.
    pub personal: BTreeSet<String>,
}

/// What counts as proof that an item is public (architecture §4.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Which source shows it.
    pub kind: ProofKind,
    /// For a single source: why that is accepted.
    pub because: Option<String>,
}

/// When and how an item becomes a record of one class.
#[derive(Debug, Clone)]
pub(super) struct RecordRule {
    pub class: Class,
    pub when: Vec<Condition>,
    /// References that must be public for the record to be.
    pub needs: Vec<Rule>,
    /// Whether it holds a citizen's words.
    pub personal: bool,
    pub properties: BTreeMap<&'static str, Vec<Rule>>,
    pub parts: BTreeMap<&'static str, Vec<PartRule>>,
}

impl RecordRule {
    /// Every rule that may name another record.
    pub fn references(&self) -> impl Iterator<Item = &Rule> {
        let rules = self.needs.iter().chain(self.properties.values().flatten());
        rules.filter(|rule| matches!(rule.transform, Transform::Reference { .. }))
    }
}

/// How one property gets its value; of several rules the first that gives one stands.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub when: Vec<Condition>,
    /// Absent for a constant.
    pub from: Option<SourcePath>,
    pub transform: Transform,
}

/// How an embedded structure is filled, once or for each element of a list.
#[derive(Debug, Clone)]
pub(super) struct PartRule {
    pub when: Vec<Condition>,
    pub each: Option<SourcePath>,
    pub properties: BTreeMap<&'static str, Vec<Rule>>,
}

/// A condition on the source.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub path: SourcePath,
    pub test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    /// Something other than null is there, or not.
    Present(bool),
    /// One of these is there.
    Is(Vec<String>),
    /// None of these is there.
    Not(Vec<String>),
}

impl Condition {
    pub fn holds(&self, scope: &Scope<'_>) -> bool {
        let mut nodes = self.path.nodes(scope).into_iter().filter(|node| !node.is_null());
        match &self.test {
            Test::Present(wanted) => nodes.next().is_some() == *wanted,
            Test::Is(words) => nodes.any(|node| scalar(node).is_some_and(|word| words.contains(&word))),
            Test::Not(words) => !nodes.any(|node| scalar(node).is_some_and(|word| words.contains(&word))),
        }
    }
}

/// Why a profile was refused: where, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, `{key}`: {problem}{}", nearest.as_ref().map(|name| format!(" (nearest: `{name}`)")).unwrap_or_default())]
pub struct ProfileError {
    /// The line, from 1.
    pub line: usize,
    /// The key, with the tables around it.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// The known name that looks most like it.
    pub nearest: Option<String>,
}

/// The profiles that come with the binary.
const BUILT_IN: &[(&str, &str)] = &[("decidim", include_str!("../../federation-specs/profiles/decidim.toml"))];

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// With the line and the key of the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        parse::profile(text)
    }

    /// The profile that comes with the binary for a kind of platform.
    ///
    /// # Errors
    /// As for [`Profile::parse`]; a test parses each of them.
    pub fn built_in(kind: &str) -> Option<Result<Self, ProfileError>> {
        Self::built_in_text(kind).map(Self::parse)
    }

    /// Its text: what a city starts from when it writes its own.
    #[must_use]
    pub fn built_in_text(kind: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(name, _)| *name == kind).map(|(_, text)| *text)
    }

    /// Its name, for example `decidim`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the text it was read from: another one may make something else of the same item.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The software it is for.
    #[must_use]
    pub fn system(&self) -> &str {
        &self.system
    }

    /// The licence of contents unless the city's configuration names another.
    #[must_use]
    pub const fn licence(&self) -> &Url {
        &self.licence
    }

    /// The platform's type words that are mapped.
    pub fn entities(&self) -> impl Iterator<Item = &str> {
        self.entities.keys().map(String::as_str)
    }

    /// What one item of an entity, and several, are called, for people.
    #[must_use]
    pub fn called(&self, entity: &str) -> (String, String) {
        let called = self.entities.get(entity).and_then(|entity| entity.called.clone());
        called.unwrap_or_else(|| (entity.to_owned(), entity.to_owned()))
    }

    /// The entities, each after those it hangs on.
    #[must_use]
    pub fn in_order(&self) -> Vec<&str> {
        let mut left: Vec<&str> = self.entities().collect();
        let mut order: Vec<&str> = Vec::new();
        while !left.is_empty() {
            let ready = left.iter().position(|entity| self.depends_on(entity).iter().all(|above| order.contains(above)));
            // A ring of entities has no first one; any will do.
            order.push(left.remove(ready.unwrap_or(0)));
        }
        order
    }

    /// What proves, for each entity, that an item is public; the first source is preferred.
    pub fn proofs(&self) -> impl Iterator<Item = (&str, &[Proof])> {
        self.entities.iter().map(|(name, entity)| (name.as_str(), entity.proofs.as_slice()))
    }

    /// The classes that items of an entity may become, the main one first.
    #[must_use]
    pub fn classes(&self, entity: &str) -> Vec<Class> {
        self.entities.get(entity).map(|entity| entity.records.iter().map(|rule| rule.class).collect()).unwrap_or_default()
    }

    /// Whether an item of an entity has a page of its own that shows whether it is public.
    #[must_use]
    pub fn has_page(&self, entity: &str) -> bool {
        self.entities.get(entity).is_some_and(|entity| entity.proofs.iter().any(|proof| proof.kind == ProofKind::PublicPage))
    }

    /// Fields of an entity's items that are another text at every reading and say the same: signed addresses.
    #[must_use]
    pub fn passing(&self, entity: &str) -> &[String] {
        self.entities.get(entity).map_or(&[], |entity| &entity.passing)
    }

    /// Which of the schemas kept beside the profile fits what a probe found: the first whose mark is there.
    #[must_use]
    pub fn generation(&self, capabilities: &BTreeSet<String>) -> Option<&str> {
        self.schemas.iter().find(|(_, mark)| capabilities.contains(*mark)).map(|(generation, _)| generation.as_str())
    }

    /// The other entities that items of an entity hang on: while one of those was read incompletely,
    /// nobody can say that an item of this one is gone.
    #[must_use]
    pub fn depends_on(&self, entity: &str) -> BTreeSet<&str> {
        let rules = self.entities.get(entity).into_iter().flat_map(|entity| &entity.records);
        rules
            .flat_map(RecordRule::references)
            .filter_map(|rule| match &rule.transform {
                Transform::Reference { entity: other, .. } if other != entity => Some(other.as_str()),
                _ => None,
            })
            .collect()
    }
}
