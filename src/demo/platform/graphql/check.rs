//! Validation in the words of graphql-ruby, because connectors probe with it: "Field 'x' doesn't exist on type 'Y'" with
//! `extensions.code` `undefinedField` is how a capability is told from its absence.
//!
//! The cases that were recorded have the recorded shape. Whatever else apollo-compiler finds wrong is refused with its
//! message and no code.

use std::collections::BTreeSet;

use apollo_compiler::ast::{self, Definition, Document, OperationType, Selection};
use apollo_compiler::parser::SourceMap;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{Name, Schema};
use serde_json::{Value, json};

use super::super::state::Generation;

/// The one error of a text that is not GraphQL.
pub(super) fn syntax_error(generation: Generation, query: &str, errors: &DiagnosticList) -> Value {
    let message = errors.iter().next().map(|e| e.error.to_string()).unwrap_or_default();
    let cut_short = ["end of file", "EOF", "expected at least one"].iter().any(|sign| message.contains(sign));
    if cut_short && generation.is_031() {
        let (line, column) = (query.lines().count().max(1), query.lines().last().map_or(1, |last| last.chars().count()));
        let message = format!("Expected NAME, actual: (none) (\" \") at [{line}, {column}]");
        return json!({ "message": message, "locations": [{ "line": line, "column": column }] });
    }
    if cut_short { json!({ "message": "Unexpected end of document", "locations": [] }) } else { json!({ "message": message }) }
}

/// The first thing apollo-compiler found that [`errors`] does not know.
pub(super) fn other_error(errors: &DiagnosticList) -> Value {
    let message = errors.iter().next().map(|e| e.error.to_string()).unwrap_or_default();
    json!({ "message": message })
}

/// What graphql-ruby would find wrong, in its shape.
pub(super) fn errors(schema: &Valid<Schema>, document: &Document) -> Vec<Value> {
    let mut walk = Walk { schema, sources: &document.sources, found: Vec::new(), spread: BTreeSet::new(), declared: None };
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => walk.operation(operation),
            Definition::FragmentDefinition(fragment) => {
                walk.declared = None;
                let path = vec![json!(format!("fragment {}", fragment.name))];
                walk.selections(Some(&fragment.type_condition), &fragment.selection_set, &path);
            }
            _ => {}
        }
    }
    let spread = std::mem::take(&mut walk.spread);
    for definition in &document.definitions {
        if let Definition::FragmentDefinition(fragment) = definition
            && !spread.contains(fragment.name.as_str())
        {
            walk.report(
                &format!("Fragment {} was defined, but not used", fragment.name),
                fragment.location(),
                &[json!(format!("fragment {}", fragment.name))],
                &json!({ "code": "useAndDefineFragment", "fragmentName": fragment.name.as_str() }),
            );
        }
    }
    walk.found
}

/// Whether a fragment stands on a type that does not exist. 0.31 then looks for one with a similar name, meets the types of
/// introspection, and refuses the whole question without naming the type (measured on 0.31.8).
pub(super) fn names_unknown_type(schema: &Valid<Schema>, document: &Document) -> bool {
    fn inside(schema: &Valid<Schema>, selections: &[Selection]) -> bool {
        selections.iter().any(|selection| match selection {
            Selection::Field(field) => inside(schema, &field.selection_set),
            Selection::FragmentSpread(_) => false,
            Selection::InlineFragment(inline) => {
                let unknown = |ty: &Name| !schema.types.contains_key(ty.as_str());
                inline.type_condition.as_ref().is_some_and(unknown) || inside(schema, &inline.selection_set)
            }
        })
    }
    document.definitions.iter().any(|definition| match definition {
        Definition::OperationDefinition(operation) => inside(schema, &operation.selection_set),
        Definition::FragmentDefinition(fragment) => {
            !schema.types.contains_key(fragment.type_condition.as_str()) || inside(schema, &fragment.selection_set)
        }
        _ => false,
    })
}

struct Walk<'a> {
    schema: &'a Valid<Schema>,
    sources: &'a SourceMap,
    found: Vec<Value>,
    spread: BTreeSet<String>,
    /// Variables of the operation being walked; `None` inside a fragment, which cannot know.
    declared: Option<(String, BTreeSet<String>)>,
}

impl Walk<'_> {
    fn report(&mut self, message: &str, at: Option<apollo_compiler::parser::SourceSpan>, path: &[Value], extensions: &Value) {
        let locations: Vec<Value> = at
            .and_then(|at| at.line_column(self.sources))
            .map(|at| json!({ "line": at.line, "column": at.column }))
            .into_iter()
            .collect();
        self.found.push(json!({ "message": message, "locations": locations, "path": path, "extensions": extensions }));
    }

    fn operation(&mut self, operation: &ast::OperationDefinition) {
        let kind = match operation.operation_type {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        let path = vec![json!(operation.name.as_ref().map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}")))];
        let Some(root) = self.schema.root_operation(operation.operation_type).cloned() else {
            let code = json!({ "code": "missingSubscriptionConfiguration" });
            self.found.push(json!({ "message": format!("Schema is not configured for {kind}s"),
                "locations": [{ "line": 1, "column": 1 }], "path": path, "extensions": code }));
            return;
        };
        let who = operation.name.as_ref().map_or_else(|| format!("anonymous {kind}"), Name::to_string);
        self.declared = Some((who, operation.variables.iter().map(|v| v.name.to_string()).collect()));
        self.selections(Some(&root), &operation.selection_set, &path);
    }

    fn selections(&mut self, parent: Option<&Name>, selections: &[Selection], path: &[Value]) {
        for selection in selections {
            match selection {
                Selection::Field(field) => self.field(parent, field, path),
                Selection::FragmentSpread(spread) => {
                    self.spread.insert(spread.fragment_name.to_string());
                }
                Selection::InlineFragment(inline) => {
                    let inner = inline.type_condition.as_ref().or(parent);
                    let step = inline.type_condition.as_ref().map_or_else(|| "...".to_owned(), |ty| format!("... on {ty}"));
                    let path = [path, &[json!(step)]].concat();
                    if let Some(ty) = &inline.type_condition
                        && !self.schema.types.contains_key(ty.as_str())
                    {
                        let message = format!("No such type {ty}, so it can't be a fragment condition");
                        let extensions = json!({ "code": "undefinedType", "typeName": ty.as_str() });
                        self.report(&message, inline.location(), &path, &extensions);
                        continue;
                    }
                    self.selections(inner, &inline.selection_set, &path);
                }
            }
        }
    }

    fn field(&mut self, parent: Option<&Name>, field: &apollo_compiler::Node<ast::Field>, path: &[Value]) {
        let key = field.alias.as_ref().unwrap_or(&field.name).to_string();
        let path = [path, &[json!(key)]].concat();
        let at = field.alias.as_ref().unwrap_or(&field.name).location();
        let Some(parent) = parent else { return };
        if field.name.starts_with("__") {
            return;
        }
        let Ok(definition) = self.schema.type_field(parent, &field.name) else {
            let message = format!("Field '{}' doesn't exist on type '{parent}'", field.name);
            let extensions = json!({ "code": "undefinedField", "typeName": parent.as_str(), "fieldName": field.name.as_str() });
            self.report(&message, at, &path, &extensions);
            return;
        };
        let definition = definition.clone();
        let result = definition.ty.inner_named_type().clone();
        let composite = matches!(
            self.schema.types.get(result.as_str()),
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
        );
        if composite && field.selection_set.is_empty() {
            let name = &field.name;
            let message = format!(
                "Field must have selections (field '{name}' returns {result} but has no selections. Did you mean '{name} {{ ... }}'?)"
            );
            let extensions =
                json!({ "code": "selectionMismatch", "nodeName": format!("field '{name}'"), "typeName": result.as_str() });
            self.report(&message, at, &path, &extensions);
        }
        for argument in &field.arguments {
            let known = definition.arguments.iter().any(|a| a.name == argument.name);
            let inner = [path.as_slice(), &[json!(argument.name.as_str())]].concat();
            if !known {
                let message = format!("Field '{}' doesn't accept argument '{}'", field.name, argument.name);
                let extensions = json!({ "code": "argumentNotAccepted", "name": field.name.as_str(), "typeName": "Field",
                    "argumentName": argument.name.as_str() });
                self.report(&message, argument.location(), &inner, &extensions);
            }
            self.variables(&argument.value, &inner);
        }
        let missing: Vec<&str> = definition
            .arguments
            .iter()
            .filter(|a| a.is_required() && !field.arguments.iter().any(|given| given.name == a.name))
            .map(|a| a.name.as_str())
            .collect();
        if !missing.is_empty() {
            let message = format!("Field '{}' is missing required arguments: {}", field.name, missing.join(", "));
            let extensions = json!({ "code": "missingRequiredArguments", "className": "Field", "name": field.name.as_str(),
                "arguments": missing.join(", ") });
            self.report(&message, at, &path, &extensions);
        }
        self.selections(Some(&result), &field.selection_set, &path);
    }

    fn variables(&mut self, value: &apollo_compiler::Node<ast::Value>, path: &[Value]) {
        match &**value {
            ast::Value::Variable(name) => {
                let Some((who, declared)) = &self.declared else { return };
                if !declared.contains(name.as_str()) {
                    let message = format!("Variable ${name} is used by {who} but not declared");
                    let extensions = json!({ "code": "variableNotDefined", "variableName": name.as_str() });
                    self.report(&message, value.location(), path, &extensions);
                }
            }
            ast::Value::List(items) => items.iter().for_each(|item| self.variables(item, path)),
            ast::Value::Object(fields) => fields.iter().for_each(|(_, item)| self.variables(item, path)),
            _ => {}
        }
    }
}
