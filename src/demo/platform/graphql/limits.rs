//! What the platform refuses before it executes: depth, complexity, aliases, recursion, introspection (measured on
//! 0.28.6 and 0.31.8).

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Map, Value, json};

use super::super::state::Generation;
use super::values;

const MAX_DEPTH: usize = 15;
const MAX_COMPLEXITY: u64 = 5000;
/// Distinct alias names of one document (0.31).
const MAX_ALIASES: usize = 5;
/// How often one field name may stand on one path (0.31).
const MAX_NESTING: usize = 2;
/// What a connection without `first` and `last` is counted as, and the most it ever gives.
pub(super) const PAGE: u64 = 50;

/// What 0.31 answers to introspection, and to any question that makes it look through its own types.
pub(super) fn introspection_refused() -> Value {
    let message = "L'introspection est désactivée pour cette requête";
    json!({ "message": message, "extensions": { "code": "INTROSPECTION_DISABLED_ERROR" } })
}

/// Why the platform refuses this operation, if it does.
pub(super) fn refusal(
    generation: Generation,
    schema: &Valid<Schema>,
    document: &Valid<ExecutableDocument>,
    operation: &Operation,
    variables: &Map<String, Value>,
) -> Option<Value> {
    let measure = Measure { schema, document, variables };
    if generation.is_031() {
        let mut seen = Seen::default();
        measure.guard(&operation.selection_set, &mut Vec::new(), &mut seen);
        if seen.aliases.len() > MAX_ALIASES {
            let n = seen.aliases.len();
            let message =
                format!("Trop d'alias utilisés. Vous avez utilisé {n} alias, mais seulement {MAX_ALIASES} sont autorisés.");
            return Some(json!({ "message": message, "extensions": { "code": "TOO_MANY_ALIASES_ERROR" } }));
        }
        if seen.recursion {
            let message = "Trop de récursions détectées dans la requête";
            return Some(json!({ "message": message, "extensions": { "code": "RECURSION_LIMIT_EXCEEDED_ERROR" } }));
        }
        if seen.introspection {
            return Some(introspection_refused());
        }
    }
    let depth = measure.depth(&operation.selection_set);
    if depth > MAX_DEPTH {
        return Some(json!({ "message": format!("Query has depth of {depth}, which exceeds max depth of {MAX_DEPTH}") }));
    }
    let complexity = measure.complexity(&[&operation.selection_set]);
    (complexity > MAX_COMPLEXITY).then(|| {
        json!({ "message": format!("Query has complexity of {complexity}, which exceeds max complexity of {MAX_COMPLEXITY}") })
    })
}

#[derive(Default)]
struct Seen {
    aliases: BTreeSet<String>,
    recursion: bool,
    introspection: bool,
}

struct Measure<'a> {
    schema: &'a Valid<Schema>,
    document: &'a Valid<ExecutableDocument>,
    variables: &'a Map<String, Value>,
}

impl<'a> Measure<'a> {
    /// What a selection contains: the selection set of a fragment, or nothing for a field.
    fn inside(&self, selection: &'a Selection) -> Option<&'a SelectionSet> {
        match selection {
            Selection::Field(_) => None,
            Selection::InlineFragment(inline) => Some(&inline.selection_set),
            Selection::FragmentSpread(spread) => self.document.fragments.get(&spread.fragment_name).map(|f| &f.selection_set),
        }
    }

    fn guard(&self, set: &'a SelectionSet, path: &mut Vec<&'a str>, seen: &mut Seen) {
        for selection in &set.selections {
            let Selection::Field(field) = selection else {
                if let Some(inner) = self.inside(selection) {
                    self.guard(inner, path, seen);
                }
                continue;
            };
            seen.aliases.extend(field.alias.as_ref().map(ToString::to_string));
            seen.introspection |= matches!(field.name.as_str(), "__schema" | "__type");
            path.push(field.name.as_str());
            seen.recursion |= path.iter().filter(|name| **name == field.name.as_str()).count() > MAX_NESTING;
            self.guard(&field.selection_set, path, seen);
            path.pop();
        }
    }

    fn depth(&self, set: &'a SelectionSet) -> usize {
        let below = |selection: &'a Selection| match selection {
            Selection::Field(field) => 1 + self.depth(&field.selection_set),
            other => self.inside(other).map_or(0, |inner| self.depth(inner)),
        };
        set.selections.iter().map(below).max().unwrap_or(0)
    }

    /// Sum over the fields; where fragments divide by type, the most expensive concrete type counts.
    fn complexity(&self, sets: &[&'a SelectionSet]) -> u64 {
        let types: BTreeSet<&str> = sets.iter().flat_map(|set| self.concrete(&set.ty)).collect();
        let of = |ty: &str| {
            let mut fields = BTreeMap::new();
            for set in sets {
                self.collect(set, ty, &mut fields);
            }
            fields.values().map(|same| self.field(same)).sum()
        };
        types.into_iter().map(of).max().unwrap_or(0)
    }

    fn concrete(&self, name: &'a str) -> Vec<&'a str> {
        match self.schema.types.get(name) {
            Some(ExtendedType::Interface(_) | ExtendedType::Union(_)) => self
                .schema
                .types
                .keys()
                .map(apollo_compiler::Name::as_str)
                .filter(|ty| self.schema.is_subtype(name, ty))
                .collect(),
            _ => vec![name],
        }
    }

    fn collect(&self, set: &'a SelectionSet, ty: &str, fields: &mut BTreeMap<&'a str, Vec<&'a Field>>) {
        if set.ty != ty && !self.schema.is_subtype(&set.ty, ty) {
            return;
        }
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => fields.entry(field.response_key().as_str()).or_default().push(field),
                other => {
                    if let Some(inner) = self.inside(other) {
                        self.collect(inner, ty, fields);
                    }
                }
            }
        }
    }

    /// graphql-ruby's rule: 1 + what is below; below a connection the items count once per possible item.
    fn field(&self, same: &[&'a Field]) -> u64 {
        let Some(first) = same.first() else { return 0 };
        let sets: Vec<&SelectionSet> = same.iter().map(|field| &field.selection_set).collect();
        let below = if first.selection_set.selections.is_empty() { 0 } else { self.complexity(&sets) };
        if !first.definition.ty.inner_named_type().ends_with("Connection") {
            return 1 + below;
        }
        let mut fields = BTreeMap::new();
        for set in &sets {
            self.collect(set, &set.ty, &mut fields);
        }
        let named = |name: &str| fields.values().flatten().find(|field| field.name == name);
        let metadata = named("pageInfo").map_or(0, |info| 1 + info.selection_set.selections.len() as u64);
        let wrappers = u64::from(named("edges").is_some()) + u64::from(named("nodes").is_some());
        let size = |argument: &str| {
            let given = values::arguments(first, self.variables).get(argument)?.as_i64()?;
            Some(u64::try_from(given).unwrap_or(0))
        };
        let page = size("first").into_iter().chain(size("last")).max().unwrap_or(PAGE);
        1 + page * below.saturating_sub(metadata + wrappers) + metadata + wrappers
    }
}
