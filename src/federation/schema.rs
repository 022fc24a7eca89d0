//! JSON Schemas (draft 2020-12) of everything that travels, generated from the wire types. The files under
//! `federation-specs/schemas` are these, and a test says so.
//!
//! They describe what *we* write: an absent property is absent, never null. Unknown properties are allowed,
//! because later versions add some.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::wire::Whole;
use super::wire::activity::Activity;
use super::wire::actor::PublicAuthority;
use super::wire::agreement::DataUseAgreement;
use super::wire::comment::Comment;
use super::wire::commitment::Commitment;
use super::wire::consultation::Consultation;
use super::wire::contribution::Contribution;
use super::wire::decision::Decision;
use super::wire::disposition::Disposition;
use super::wire::document::Document;
use super::wire::meeting::Meeting;
use super::wire::poll::Poll;
use super::wire::progress::ProgressUpdate;
use super::wire::project::BudgetProject;
use super::wire::receipt::{DeliveryReceipt, PurgeReceipt};
use super::wire::response::OfficialResponse;
use super::wire::result::WorkResult;
use super::wire::tombstone::Tombstone;

/// Where the names of the schemas live; names, not addresses.
const SCHEMAS: &str = "https://w3id.org/participation-vocab/schemas/v1/";

/// Every class with its schema, in the order of the vocabulary.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("PublicAuthority", sealed::<PublicAuthority>("PublicAuthority")),
        ("Consultation", sealed::<Whole<Consultation>>("Consultation")),
        ("Contribution", sealed::<Whole<Contribution>>("Contribution")),
        ("Argument", side(sealed::<Whole<Comment>>("Argument"), &["for", "against"], true)),
        ("Comment", side(sealed::<Whole<Comment>>("Comment"), &["neutral"], false)),
        ("Disposition", sealed::<Whole<Disposition>>("Disposition")),
        ("OfficialResponse", sealed::<Whole<OfficialResponse>>("OfficialResponse")),
        ("Meeting", sealed::<Whole<Meeting>>("Meeting")),
        ("BudgetProject", sealed::<Whole<BudgetProject>>("BudgetProject")),
        ("Poll", sealed::<Whole<Poll>>("Poll")),
        ("Decision", sealed::<Whole<Decision>>("Decision")),
        ("Commitment", sealed::<Whole<Commitment>>("Commitment")),
        ("Result", sealed::<Whole<WorkResult>>("Result")),
        ("ProgressUpdate", sealed::<Whole<ProgressUpdate>>("ProgressUpdate")),
        ("Document", sealed::<Whole<Document>>("Document")),
        ("Tombstone", sealed::<Tombstone>("Tombstone")),
        ("DataUseAgreement", sealed::<DataUseAgreement>("DataUseAgreement")),
        ("DeliveryReceipt", sealed::<DeliveryReceipt>("DeliveryReceipt")),
        ("PurgeReceipt", sealed::<PurgeReceipt>("PurgeReceipt")),
        ("Activity", generate::<Activity>("Activity")),
    ]
}

fn generate<T: JsonSchema>(class: &str) -> Value {
    let generator = SchemaGenerator::new(SchemaSettings::draft2020_12().for_serialize());
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    let mut object = Map::new();
    object.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    object.insert("$id".to_owned(), json!(format!("{SCHEMAS}{class}.schema.json")));
    object.insert("title".to_owned(), json!(class));
    if let Value::Object(rest) = schema {
        object.extend(rest.into_iter().filter(|(name, _)| !matches!(name.as_str(), "$schema" | "title" | "description")));
    }
    Value::Object(object)
}

/// The schema of a document that is never shown without its proof.
fn sealed<T: JsonSchema>(class: &str) -> Value {
    let mut schema = generate::<T>(class);
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.push(json!("proof"));
    }
    schema
}

/// Argument and Comment share one shape; the stance tells them apart.
fn side(mut schema: Value, stances: &[&str], required: bool) -> Value {
    let class = schema["title"].clone();
    schema["properties"]["recordType"] = json!({ "description": "The class.", "const": class });
    schema["properties"]["stance"] = json!({ "description": "Which side it takes.", "enum": stances });
    if required && let Some(Value::Array(names)) = schema.get_mut("required") {
        names.push(json!("stance"));
    }
    schema
}

/// Takes `null` out of every type (what is absent is absent) and writes a choice of words as one `enum`.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| *choice != json!({ "type": "null" }));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    object.extend(only);
                }
            }
            if let Some(Value::Array(choices)) = object.get("oneOf")
                && let Some(words) = choices.iter().map(|choice| choice.get("const").cloned()).collect::<Option<Vec<_>>>()
            {
                object.remove("oneOf");
                object.insert("type".to_owned(), json!("string"));
                object.insert("enum".to_owned(), Value::Array(words));
            }
            object.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}
