//! Execution of a checked operation: fields are resolved one by one, a failed non-null field takes away what carries it,
//! and errors come in the platform's form (0.28 gives them neither path nor location, 0.31 both).

use std::collections::BTreeMap;

use apollo_compiler::ast::Type;
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Map, Value, json};

use super::super::state::State;
use super::resolve::{Call, Failure, Node, Resolved};
use super::{Answered, Asked, introspect, resolve, values};

/// What resolvers see.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) state: &'a State,
    pub(super) schema: &'static Valid<Schema>,
    pub(super) asked: &'a Asked,
}

pub(super) struct Execution<'a> {
    context: Context<'a>,
    document: &'a Valid<ExecutableDocument>,
    variables: Map<String, Value>,
    errors: Vec<Value>,
}

/// Why there is no value.
enum Stop {
    /// A non-null field failed; its error is written down.
    Null,
    /// The platform crashed over it.
    Crash,
}

impl<'a> Execution<'a> {
    pub(super) const fn new(
        state: &'a State,
        schema: &'static Valid<Schema>,
        document: &'a Valid<ExecutableDocument>,
        asked: &'a Asked,
        variables: Map<String, Value>,
    ) -> Self {
        Self { context: Context { state, schema, asked }, document, variables, errors: Vec::new() }
    }

    pub(super) fn run(mut self, operation: &'a Operation) -> Answered {
        let described = operation.root_fields(self.document).any(|field| matches!(field.name.as_str(), "__schema" | "__type"));
        let data = match self.select(&Node::Query, &[&operation.selection_set], &mut Vec::new()) {
            Ok(mut data) => {
                if described {
                    data.append(&mut introspect(self.context.schema, self.document, self.context.asked));
                }
                Value::Object(data)
            }
            Err(Stop::Null) => Value::Null,
            Err(Stop::Crash) => return Answered::crash(),
        };
        if self.errors.is_empty() {
            return Answered::ok(json!({ "data": data }));
        }
        Answered::ok(json!({ "errors": self.errors, "data": data }))
    }

    fn select(&mut self, node: &Node<'a>, sets: &[&'a SelectionSet], path: &mut Vec<Value>) -> Result<Map<String, Value>, Stop> {
        let ty = node.type_name();
        let mut fields = Vec::new();
        let mut at = BTreeMap::new();
        for set in sets {
            self.collect(set, &ty, &mut fields, &mut at);
        }
        let mut answer = Map::new();
        for (key, same) in fields {
            let first: &'a Field = same[0];
            if first.name == "__typename" {
                answer.insert(key.to_owned(), json!(ty));
                continue;
            }
            if first.name.starts_with("__") {
                continue;
            }
            path.push(json!(key));
            let value = self.field(node, &ty, &same, path)?;
            path.pop();
            answer.insert(key.to_owned(), value);
        }
        Ok(answer)
    }

    fn collect(
        &self,
        set: &'a SelectionSet,
        ty: &str,
        fields: &mut Vec<(&'a str, Vec<&'a Field>)>,
        at: &mut BTreeMap<&'a str, usize>,
    ) {
        for selection in &set.selections {
            let (condition, inner) = match selection {
                Selection::Field(field) => {
                    let key = field.response_key().as_str();
                    let slot = *at.entry(key).or_insert(fields.len());
                    if slot == fields.len() {
                        fields.push((key, Vec::new()));
                    }
                    fields[slot].1.push(field);
                    continue;
                }
                Selection::InlineFragment(inline) => (inline.type_condition.as_ref(), &inline.selection_set),
                Selection::FragmentSpread(spread) => match self.document.fragments.get(&spread.fragment_name) {
                    Some(fragment) => (Some(fragment.type_condition()), &fragment.selection_set),
                    None => continue,
                },
            };
            if condition.is_none_or(|condition| condition == ty || self.context.schema.is_subtype(condition, ty)) {
                self.collect(inner, ty, fields, at);
            }
        }
    }

    fn field(&mut self, node: &Node<'a>, ty: &str, same: &[&'a Field], path: &mut Vec<Value>) -> Result<Value, Stop> {
        let (field, depth) = (same[0], path.len());
        // The concrete type's own definition: an interface may promise less.
        let result = self.context.schema.type_field(ty, &field.name).map_or(&field.definition.ty, |definition| &definition.ty);
        let call = Call { name: field.name.as_str(), arguments: values::arguments(field, &self.variables), result };
        let resolved = match resolve::field(self.context, node, &call) {
            Ok(resolved) => resolved,
            Err(Failure::Crash) => return Err(Stop::Crash),
            Err(Failure::Field(message)) => {
                self.report(&message, field, path, true);
                return if result.is_non_null() { Err(Stop::Null) } else { Ok(Value::Null) };
            }
        };
        let completed = self.complete(result, resolved, ty, same, path);
        path.truncate(depth);
        match completed {
            Err(Stop::Null) if !result.is_non_null() => Ok(Value::Null),
            other => other,
        }
    }

    fn complete(
        &mut self,
        ty: &Type,
        resolved: Resolved<'a>,
        parent: &str,
        same: &[&'a Field],
        path: &mut Vec<Value>,
    ) -> Result<Value, Stop> {
        if matches!(resolved, Resolved::Leaf(Value::Null)) {
            if !ty.is_non_null() {
                return Ok(Value::Null);
            }
            let message = format!("Cannot return null for non-nullable field {parent}.{}", same[0].name);
            self.report(&message, same[0], path, false);
            return Err(Stop::Null);
        }
        match (ty, resolved) {
            (Type::List(item) | Type::NonNullList(item), resolved) => {
                let items = match resolved {
                    Resolved::List(items) => items,
                    Resolved::Leaf(Value::Array(values)) => {
                        values.into_iter().map(|value| resolve::plain(self.context.schema, item, value)).collect()
                    }
                    other => vec![other],
                };
                let mut list = Vec::with_capacity(items.len());
                for (index, entry) in items.into_iter().enumerate() {
                    path.push(json!(index));
                    let depth = path.len();
                    match self.complete(item, entry, parent, same, path) {
                        Ok(value) => list.push(value),
                        Err(Stop::Null) if !item.is_non_null() => list.push(Value::Null),
                        Err(stop) => return Err(stop),
                    }
                    path.truncate(depth - 1);
                }
                Ok(Value::Array(list))
            }
            (_, Resolved::Node(node)) => {
                let sets: Vec<&SelectionSet> = same.iter().map(|field| &field.selection_set).collect();
                self.select(&node, &sets, path).map(Value::Object)
            }
            (_, Resolved::Leaf(value)) => Ok(self.leaf(ty, value)),
            (_, Resolved::List(_)) => Ok(Value::Null),
        }
    }

    /// Addresses are completed; numbers for IDs become strings.
    fn leaf(&self, ty: &Type, value: Value) -> Value {
        let name = ty.inner_named_type().as_str();
        match value {
            Value::String(text) => json!(self.address(&text)),
            Value::Number(number) if name == "ID" || name == "String" => json!(number.to_string()),
            other if matches!(self.context.schema.types.get(name), Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_))) => {
                other
            }
            _ => Value::Null,
        }
    }

    /// `@base/…` and `@signed/FILE` as a visitor sees them; signatures differ at every read.
    fn address(&self, text: &str) -> String {
        if let Some(rest) = text.strip_prefix("@base") {
            format!("{}{rest}", self.context.asked.base)
        } else if let Some(rest) = text.strip_prefix("@host") {
            format!("{}{rest}", self.context.asked.base.trim_start_matches("http:"))
        } else if let Some(file) = text.strip_prefix("@signed/") {
            format!(
                "{}/rails/active_storage/disk/eyJzaW0{:08x}--{:08x}/{file}",
                self.context.asked.base,
                self.context.asked.serial,
                file.len()
            )
        } else {
            text.to_owned()
        }
    }

    fn report(&mut self, message: &str, field: &Field, path: &[Value], always_placed: bool) {
        let mut error = json!({ "message": message });
        if self.context.state.generation.is_031() || always_placed {
            let at = field.alias.as_ref().unwrap_or(&field.name).location();
            let at = at.and_then(|at| at.line_column(&self.document.sources));
            error["locations"] = at.map(|at| json!({ "line": at.line, "column": at.column })).into_iter().collect();
            error["path"] = json!(path);
        }
        self.errors.push(error);
    }
}
