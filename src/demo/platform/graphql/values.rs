//! Literals and variables of a query as JSON.

use apollo_compiler::ast;
use apollo_compiler::executable::{Field, Operation};
use apollo_compiler::parser::SourceMap;
use serde_json::{Map, Value, json};

/// Checks what was handed in against what the operation declares.
pub(super) fn coerce_variables(
    operation: &Operation,
    given: &Map<String, Value>,
    sources: &SourceMap,
) -> Result<Map<String, Value>, Value> {
    let mut coerced = Map::new();
    for variable in &operation.variables {
        let value = match given.get(variable.name.as_str()) {
            Some(value) => Some(value.clone()),
            None => variable.default_value.as_ref().map(|default| literal(default, given)),
        };
        let problem = match (&value, variable.ty.is_non_null()) {
            (None | Some(Value::Null), true) => Some("Expected value to not be null".to_owned()),
            (None | Some(Value::Null), false) => None,
            (Some(value), _) => mismatch(variable.ty.inner_named_type().as_str(), value),
        };
        if let Some(explanation) = problem {
            let at = variable.location().and_then(|at| at.line_column(sources));
            let at: Vec<Value> = at.map(|at| json!({ "line": at.line, "column": at.column })).into_iter().collect();
            return Err(json!({
                "message": format!("Variable ${} of type {} was provided invalid value", variable.name, variable.ty),
                "locations": at,
                "extensions": { "value": value, "problems": [{ "path": [], "explanation": explanation }] },
            }));
        }
        if let Some(value) = value {
            coerced.insert(variable.name.to_string(), value);
        }
    }
    Ok(coerced)
}

fn mismatch(ty: &str, value: &Value) -> Option<String> {
    let fits = match ty {
        "ID" => value.is_string() || value.is_i64(),
        "String" => value.is_string() || value.is_array(),
        "Int" => value.is_i64(),
        "Boolean" => value.is_boolean(),
        "Float" => value.is_number(),
        _ => true,
    };
    let shown = || match value {
        Value::Object(fields) => {
            let inner: Vec<_> = fields.iter().map(|(name, value)| format!("{name}:{value}")).collect();
            format!("{{{}}}", inner.join(", "))
        }
        other => other.to_string(),
    };
    (!fits).then(|| format!("Could not coerce value {} to {ty}", shown()))
}

fn literal(value: &ast::Value, variables: &Map<String, Value>) -> Value {
    match value {
        ast::Value::Null => Value::Null,
        ast::Value::Enum(name) => json!(name.as_str()),
        ast::Value::Variable(name) => variables.get(name.as_str()).cloned().unwrap_or(Value::Null),
        ast::Value::String(text) => json!(text),
        ast::Value::Float(number) => number.try_to_f64().map_or(Value::Null, Value::from),
        ast::Value::Int(number) => {
            number.try_to_f64().map_or(Value::Null, |_| number.as_str().parse::<i64>().map_or(Value::Null, Value::from))
        }
        ast::Value::Boolean(value) => json!(value),
        ast::Value::List(items) => items.iter().map(|item| literal(item, variables)).collect(),
        ast::Value::Object(fields) => {
            fields.iter().map(|(name, item)| (name.to_string(), literal(item, variables))).collect::<Map<_, _>>().into()
        }
    }
}

/// The arguments of one field, variables filled in; defaults of the schema are not needed by any resolver.
pub(super) fn arguments(field: &Field, variables: &Map<String, Value>) -> Map<String, Value> {
    field.arguments.iter().map(|argument| (argument.name.to_string(), literal(&argument.value, variables))).collect()
}

/// How Ruby reads a number out of an id: leading digits, else 0.
pub(super) fn to_i(value: &Value) -> u64 {
    match value {
        Value::Number(number) => number.as_u64().unwrap_or(0),
        Value::String(text) => {
            let text = text.trim_start();
            let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text[..digits].parse().unwrap_or(0)
        }
        _ => 0,
    }
}
