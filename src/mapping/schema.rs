//! The fields of a platform's types, as far as they are read: what the platform *could* say.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Types with their fields, from the platform's own introspection or from a file kept beside the profile.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSchema {
    /// Where it comes from, in a sentence.
    pub origin: String,
    /// Type → field → GraphQL type, for example `[Taxonomy!]!`.
    pub types: BTreeMap<String, BTreeMap<String, String>>,
}

/// How deep a field name may be nested; a guard, real ones have four levels.
const MAX_DEPTH: usize = 12;

/// The schemas that come with the binary, by kind of platform and generation.
const BUILT_IN: &[(&str, &str, &str)] = &[
    ("decidim", "0.28", include_str!("../../federation-specs/profiles/decidim/0.28.schema.json")),
    ("decidim", "0.31", include_str!("../../federation-specs/profiles/decidim/0.31.schema.json")),
];

impl SourceSchema {
    /// Reads a schema file.
    ///
    /// # Errors
    /// A sentence with the place.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("not a schema file: {error}"))
    }

    /// The schema that comes with the binary for a generation of a platform.
    #[must_use]
    pub fn built_in(kind: &str, generation: &str) -> Option<Self> {
        let (_, _, text) = BUILT_IN.iter().find(|(k, g, _)| *k == kind && *g == generation)?;
        Self::parse(text).ok()
    }

    /// This schema with the fields that the platform itself shows, of the types that are read: new ones come
    /// in (their type is not known), vanished ones leave.
    #[must_use]
    pub fn with_fields(mut self, live: &BTreeMap<String, Vec<String>>) -> Self {
        for (type_name, fields) in &mut self.types {
            let Some(shown) = live.get(type_name) else { continue };
            fields.retain(|field, _| shown.contains(field));
            for field in shown {
                fields.entry(field.clone()).or_insert_with(|| "?".to_owned());
            }
        }
        Self { origin: "the platform's own introspection".to_owned(), ..self }
    }

    /// Of fields that a platform turned out to lack (each as `Type.field`), those that this schema has: they
    /// vanished. Says so even where introspection is closed.
    #[must_use]
    pub fn vanished<'f>(&self, lacking: impl IntoIterator<Item = &'f str>) -> Vec<&'f str> {
        let has = |name: &str| {
            name.split_once('.').is_some_and(|(of, field)| self.types.get(of).is_some_and(|t| t.contains_key(field)))
        };
        lacking.into_iter().filter(|name| has(name)).collect()
    }

    /// The types that both schemas have, with the fields that only `other` has and those it lacks:
    /// what is new, and what vanished. Each as `Type.field`.
    #[must_use]
    pub fn compare(&self, other: &Self) -> (Vec<String>, Vec<String>) {
        let only_in = |one: &Self, two: &Self| {
            let mut names = Vec::new();
            for (type_name, fields) in &one.types {
                let Some(known) = two.types.get(type_name) else { continue };
                names.extend(
                    fields.keys().filter(|field| !known.contains_key(*field)).map(|field| format!("{type_name}.{field}")),
                );
            }
            names
        };
        (only_in(other, self), only_in(self, other))
    }

    /// Every field below a type under its coverage name. A field of an object type is entered when
    /// `entered` says that the profile decides about something below it, else it counts as one.
    pub(super) fn fields(&self, type_name: &str, entered: &dyn Fn(&str) -> bool) -> Vec<String> {
        let mut names = Vec::new();
        self.walk(type_name, "", entered, 0, &mut names);
        names
    }

    fn walk(&self, type_name: &str, above: &str, entered: &dyn Fn(&str) -> bool, depth: usize, names: &mut Vec<String>) {
        let Some(fields) = self.types.get(type_name).filter(|_| depth < MAX_DEPTH) else { return };
        for (field, written) in fields {
            let name = if above.is_empty() { field.clone() } else { format!("{above}.{field}") };
            let (base, list) = (written.trim_matches(['[', ']', '!']), written.starts_with('['));
            let below = if list { format!("{name}[]") } else { name.clone() };
            if !self.types.contains_key(base) {
                // A list of scalars, or of a type that nobody reads.
                names.push(if list && is_scalar(base) { below } else { name });
            } else if entered(&name) {
                self.walk(base, &below, entered, depth + 1, names);
            } else {
                names.push(name);
            }
        }
    }
}

fn is_scalar(type_name: &str) -> bool {
    matches!(type_name, "String" | "ID" | "Int" | "Float" | "Boolean" | "Date" | "DateTime" | "JSON")
}
