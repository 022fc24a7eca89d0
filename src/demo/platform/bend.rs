//! Answers that were right, bent out of shape: what a broken or hostile platform makes of them.

use serde_json::{Value, json};

use super::faults::Fault;

/// Entries of a page that floods.
const FLOOD: u32 = 1_000_000;

/// Bends an answer as a fault says; most faults leave it as it is.
pub(super) fn bend(fault: Fault, body: &mut Value) {
    match fault {
        Fault::NothingLeft => {
            if let Some(list) = body.pointer_mut("/data/participatoryProcesses") {
                *list = json!([]);
            }
        }
        Fault::ErrorsBeside => {
            let mut touched = false;
            lists(body, &mut |list| {
                touched |= list.len() > 1;
                for entry in list.iter_mut().skip(1).step_by(2) {
                    let node = if entry.get("node").is_some() { &mut entry["node"] } else { entry };
                    *node = Value::Null;
                }
            });
            if touched {
                body["errors"] = json!([{ "message": "Cannot return null for non-nullable field" }]);
            }
        }
        Fault::NumbersForIds => numbers_for_ids(body),
        Fault::ObjectsForLists => objects_for_lists(body),
        Fault::TwiceEach => {
            lists(body, &mut |list| *list = list.iter().flat_map(|entry| [entry.clone(), entry.clone()]).collect());
        }
        _ => {}
    }
}

/// The text of a page with a million entries, if this is a page of a list.
pub(super) fn flood(body: &Value) -> Option<String> {
    body.pointer("/data/component/proposals")?;
    let entries = (1..=FLOOD).map(|n| format!(r#"{{"node":{{"id":"{n}"}}}}"#)).collect::<Vec<_>>().join(",");
    let page = r#"{"pageInfo":{"hasNextPage":false,"endCursor":"MQ"},"edges":["#;
    Some(format!(r#"{{"data":{{"component":{{"__typename":"Proposals","proposals":{page}{entries}]}}}}}}}}"#))
}

/// Every list that an answer is read by: pages, and the processes with their components.
fn lists(value: &mut Value, act: &mut impl FnMut(&mut Vec<Value>)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| lists(item, act)),
        Value::Object(fields) => {
            for (name, field) in fields {
                lists(field, act);
                if let (true, Value::Array(items)) = (is_list(name), field) {
                    act(items);
                }
            }
        }
        _ => {}
    }
}

fn is_list(name: &str) -> bool {
    matches!(name, "edges" | "participatoryProcesses" | "components")
}

fn numbers_for_ids(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(numbers_for_ids),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str().and_then(|text| text.parse::<u64>().ok()) {
                    Some(number) if name == "id" => *field = json!(number),
                    _ => numbers_for_ids(field),
                }
            }
        }
        _ => {}
    }
}

fn objects_for_lists(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(objects_for_lists),
        Value::Object(fields) => {
            for (name, field) in fields {
                objects_for_lists(field);
                if is_list(name) && field.is_array() {
                    *field = json!({ "0": field.take() });
                }
            }
        }
        _ => {}
    }
}
