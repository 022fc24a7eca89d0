//! The GraphQL side of a simulated Decidim: a query is parsed, validated against the recorded schema, measured against
//! the platform's limits and executed over the state. What is refused is refused in the platform's own shapes.
//!
//! It is generic: every valid query over the recorded schema gets an answer. Types that the state does not hold answer
//! empty lists and nulls.

mod check;
mod connection;
mod execute;
mod limits;
mod resolve;
mod resolve_comment;
mod resolve_proposal;
mod resolve_thing;
mod values;

use std::sync::OnceLock;

use apollo_compiler::ast::Document;
use apollo_compiler::executable::OperationType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Map, Value, json};

use super::faults::Distortion;
use super::state::{Generation, State};

/// The SDL as the real platforms printed it.
const SDL_028: &str = include_str!("../../fixtures/schema-0.28.graphql");
const SDL_031: &str = include_str!("../../fixtures/schema-0.31.graphql");

/// What the platform answers: status and JSON body.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answered {
    const fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }

    /// The platform's own crash: the whole answer is lost.
    pub(super) fn crash() -> Self {
        Self { status: 500, body: json!({ "errors": [{ "message": "Internal Server error" }], "data": {} }) }
    }

    pub(super) fn refused(errors: &[Value]) -> Self {
        Self::ok(json!({ "errors": errors }))
    }
}

/// One request to `POST /api`.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) query: String,
    pub(super) operation: Option<String>,
    pub(super) variables: Map<String, Value>,
    /// Scheme and host that the visitor used, without a slash: addresses in answers start with it.
    pub(super) base: String,
    /// A number that differs at each request, for addresses signed anew at every read.
    pub(super) serial: u64,
    pub(super) distortion: Distortion,
}

/// The recorded schema of a generation, parsed once.
///
/// # Panics
/// When the embedded schema is not valid GraphQL, which a test excludes.
#[must_use]
pub fn schema(generation: Generation) -> &'static Valid<Schema> {
    static SCHEMAS: [OnceLock<Valid<Schema>>; 2] = [OnceLock::new(), OnceLock::new()];
    let (slot, sdl) = if generation.is_031() { (1, SDL_031) } else { (0, SDL_028) };
    SCHEMAS[slot].get_or_init(|| {
        Schema::parse_and_validate(sdl, "schema.graphql").unwrap_or_else(|e| panic!("the recorded schema is not valid: {e}"))
    })
}

/// Parses, checks, measures and executes one request.
pub(super) fn answer(state: &State, asked: &Asked) -> Answered {
    let schema = schema(state.generation);
    if asked.query.trim().is_empty() {
        return Answered::refused(&[json!({ "message": "Unexpected end of document", "locations": [] })]);
    }
    let document = match Document::parse(&asked.query, "query") {
        Ok(document) => document,
        Err(broken) => return Answered::refused(&[check::syntax_error(state.generation, &asked.query, &broken.errors)]),
    };
    let errors = check::errors(schema, &document);
    if state.generation.is_031() && check::names_unknown_type(schema, &document) {
        return Answered::refused(&[limits::introspection_refused()]);
    }
    if !errors.is_empty() {
        return Answered::refused(&errors);
    }
    let document = match document.to_executable_validate(schema) {
        Ok(document) => document,
        Err(invalid) => return Answered::refused(&[check::other_error(&invalid.errors)]),
    };
    let operation = match asked.operation.as_deref() {
        Some(name) => document.operations.named.get(name).ok_or_else(|| format!("No operation named \"{name}\"")),
        None => document.operations.get(None).map_err(|_| "An operation name is required".to_owned()),
    };
    let operation = match operation {
        Ok(operation) => operation,
        Err(message) => return Answered::refused(&[json!({ "message": message })]),
    };
    let variables = match values::coerce_variables(operation, &asked.variables, &document.sources) {
        Ok(variables) => variables,
        Err(error) => return Answered::refused(&[error]),
    };
    if let Some(refusal) = limits::refusal(state.generation, schema, &document, operation, &variables) {
        return Answered::refused(&[refusal]);
    }
    if operation.operation_type != OperationType::Query {
        // Nobody is signed in here.
        return if state.generation.is_031() { Answered::ok(json!({ "data": null })) } else { Answered::crash() };
    }
    execute::Execution::new(state, schema, &document, asked, variables).run(operation)
}

/// The part of an answer that describes the schema itself; only 0.28 gets here.
fn introspect(schema: &'static Valid<Schema>, document: &Valid<ExecutableDocument>, asked: &Asked) -> Map<String, Value> {
    static IMPLEMENTERS: OnceLock<
        apollo_compiler::collections::HashMap<apollo_compiler::Name, apollo_compiler::schema::Implementers>,
    > = OnceLock::new();
    let implementers = IMPLEMENTERS.get_or_init(|| schema.implementers_map());
    let answer = document.operations.get(asked.operation.as_deref()).ok().and_then(|operation| {
        let variables = serde_json::from_value(Value::Object(asked.variables.clone())).ok()?;
        let variables = apollo_compiler::request::coerce_variable_values(schema, operation, &variables).ok()?;
        apollo_compiler::introspection::partial_execute(schema, implementers, document, operation, &variables).ok()
    });
    let data = answer.and_then(|answer| serde_json::to_value(answer.data).ok());
    data.and_then(|data| data.as_object().cloned()).unwrap_or_default()
}
