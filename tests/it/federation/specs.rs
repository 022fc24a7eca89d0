//! What `federation-specs` promises to others is what the code does: the context and the schemas.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use passerelle::federation::context::CONTEXT;
use passerelle::federation::schema::schemas;
use serde_json::{Map, Value, json};

use super::examples::{ACTIVITIES, SIGNED, example};

/// Set to rewrite the files of `federation-specs` that are generated from the code.
const REWRITE: &str = "PASSERELLE_WRITE_SPECS";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn specs() -> PathBuf {
    root().join("federation-specs")
}

/// Compares a generated file with what the code says, or rewrites it on demand.
pub fn generated(path: &Path, now: &str) {
    if std::env::var_os(REWRITE).is_some() {
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
        fs::write(path, now).expect("a file");
    }
    let there = fs::read_to_string(path).unwrap_or_default();
    assert!(there == now, "{} differs from what the code says; run the tests once with {REWRITE}=1", path.display());
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("JSON");
    text.push('\n');
    text
}

fn schema(class: &str) -> Value {
    let (_, schema) = schemas().into_iter().find(|(name, _)| *name == class).expect("a class");
    schema
}

// ─── The context ─────────────────────────────────────────────────────────────────────────────────────

fn terms_of(document: &str) -> Map<String, Value> {
    let document: Value = serde_json::from_str(document).expect("JSON");
    document["@context"].as_object().expect("a context").clone()
}

fn foreign(name: &str) -> Map<String, Value> {
    terms_of(&fs::read_to_string(root().join("tests/fixtures/contexts").join(name)).expect("a context"))
}

#[test]
fn the_context_has_not_changed_by_a_byte() {
    use passerelle::domain::digest::Digest;
    // Served for ever under one address, and covered by signatures: what changes gets another address.
    assert_eq!(Digest::of(CONTEXT.as_bytes()).as_str(), CONTEXT_DIGEST);
}

const CONTEXT_DIGEST: &str = "zQmPg4XtefKvGcySYhukenvr2ZG8fsfx35im7t6EfMRMpP7";

#[test]
fn the_context_redefines_no_term_of_activitystreams_or_of_data_integrity() {
    let ours = terms_of(CONTEXT);
    for name in ["activitystreams.jsonld", "data-integrity-v2.jsonld"] {
        for (term, meaning) in foreign(name) {
            // `@vocab` is reset to nothing on purpose, so that an undefined term vanishes visibly.
            let same = term.starts_with('@') || ours.get(&term).is_none_or(|ours| *ours == meaning);
            assert!(same, "{term} of {name} means something else in our context");
        }
    }
}

#[test]
fn our_own_terms_live_in_one_namespace() {
    let ours = terms_of(CONTEXT);
    assert_eq!(ours["pv"], "https://w3id.org/participation-vocab/ns#");
    assert_eq!(ours["@vocab"], Value::Null);
    for (term, meaning) in &ours {
        let Some(iri) = meaning.as_str().or_else(|| meaning["@id"].as_str()) else { continue };
        if term.starts_with(|c: char| c.is_ascii_uppercase()) {
            assert_eq!(iri, format!("pv:{term}"), "a class is named after itself");
        }
        let prefix = iri.split(':').next().expect("a prefix");
        assert!(iri.contains("://") || ours.contains_key(prefix), "{term}: the prefix of {iri} is not declared");
    }
    for scoped in ours.values().filter_map(|meaning| meaning["@context"]["@vocab"].as_str()) {
        assert!(scoped.starts_with("https://w3id.org/participation-vocab/ns#") || scoped.contains("/ns/odrl/"), "{scoped}");
    }
}

#[test]
fn no_token_of_an_enumeration_is_taken_for_a_term() {
    let ours = terms_of(CONTEXT);
    let mut terms: BTreeSet<String> = ours.keys().cloned().collect();
    for name in ["activitystreams.jsonld", "data-integrity-v2.jsonld"] {
        terms.extend(foreign(name).into_iter().map(|(term, _)| term));
    }
    let mut seen = 0;
    for (class, schema) in schemas() {
        for (property, tokens) in enumerations(&schema) {
            let Some(meaning) = ours.get(&property) else { continue };
            // The words of these two are our classes, which are terms on purpose.
            if meaning["@type"] != "@vocab" || matches!(property.as_str(), "recordType" | "classes") {
                continue;
            }
            let scoped = meaning["@context"].as_object().unwrap_or_else(|| panic!("{property} has no scoped context"));
            for token in tokens {
                seen += 1;
                let name = property.as_str();
                let explicit = scoped.get(&token).is_some_and(|iri| *iri == json!(format!("pv:{name}-{token}")));
                assert!(!terms.contains(&token) || explicit, "{class}: {property} {token} would be read as the term {token}");
            }
        }
    }
    assert!(seen > 60, "the walk found only {seen} tokens");
}

/// Every property whose value is one of a list of words, with the words.
fn enumerations(schema: &Value) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    each_property(schema, &mut |name, property| {
        let target = resolved(schema, property);
        if let Some(words) = target["enum"].as_array().or_else(|| resolved(schema, &target["items"])["enum"].as_array()) {
            found.push((name.to_owned(), words.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()));
        }
    });
    found
}

#[test]
fn every_property_that_travels_is_defined_by_a_context_of_its_document() {
    let mut record: BTreeSet<String> = terms_of(CONTEXT).into_iter().map(|(term, _)| term).collect();
    record.extend(foreign("activitystreams.jsonld").into_iter().map(|(term, _)| term));
    record.extend(foreign("data-integrity-v2.jsonld").into_iter().map(|(term, _)| term));
    let proof = foreign("data-integrity-v2.jsonld")["DataIntegrityProof"]["@context"].as_object().expect("terms").clone();
    let mut actor = record.clone();
    for name in ["security-v1.jsonld", "did-v1.jsonld", "multikey-v1.jsonld"] {
        for (term, meaning) in foreign(name) {
            actor.extend(meaning["@context"].as_object().into_iter().flat_map(|scoped| scoped.keys().cloned()));
            actor.insert(term);
        }
    }
    let mut seen = 0;
    for (class, schema) in schemas() {
        each_property(&schema, &mut |name, _| {
            seen += 1;
            let terms = if class == "PublicAuthority" { &actor } else { &record };
            let known = name == "@context" || terms.contains(name) || proof.contains_key(name);
            assert!(known, "{class}: no context defines {name}");
        });
    }
    assert!(seen > 200, "the walk found only {seen} properties");
}

// ─── The schemas ─────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_schemas_are_those_of_the_wire_types() {
    for (class, schema) in schemas() {
        generated(&specs().join(format!("schemas/{class}.schema.json")), &pretty(&schema));
    }
}

/// Calls `visit` with every property below a schema, those of its definitions included.
fn each_property(schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
    match schema {
        Value::Object(object) => {
            for (name, value) in object {
                if name == "properties" {
                    for (property, shape) in value.as_object().expect("properties") {
                        visit(property, shape);
                    }
                }
                each_property(value, visit);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each_property(item, visit)),
        _ => {}
    }
}

/// The schema behind a reference.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
    name.map_or(schema, |name| &root["$defs"][name])
}

/// Whether a schema says what a value is, to the end.
fn is_typed(root: &Value, schema: &Value, depth: usize) -> bool {
    if depth > 12 {
        return true; // a type that contains itself
    }
    let schema = resolved(root, schema);
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(choices) = schema[choice].as_array()
            && schema.get("type").is_none()
        {
            return choices.iter().all(|schema| is_typed(root, schema, depth + 1));
        }
    }
    if schema.get("const").is_some() || schema.get("enum").is_some() {
        return true;
    }
    match schema["type"].as_str() {
        Some("string" | "integer" | "number" | "boolean") => true,
        Some("array") => is_typed(root, &schema["items"], depth + 1),
        Some("object") => schema["properties"].is_object() || is_typed(root, &schema["additionalProperties"], depth + 1),
        _ => false,
    }
}

#[test]
fn no_property_of_any_schema_is_untyped() {
    let mut seen = 0;
    for (class, schema) in schemas() {
        each_property(&schema, &mut |name, property| {
            seen += 1;
            assert!(is_typed(&schema, property, 0), "{class}.{name} is untyped: {property}");
        });
        assert!(!schema.to_string().contains("\"null\""), "{class}: what is absent is absent, never null");
    }
    assert!(seen > 200, "the walk found only {seen} properties");
    let untyped = json!({ "type": "object", "properties": { "x": { "description": "anything" } } });
    each_property(&untyped, &mut |_, property| assert!(!is_typed(&untyped, property, 0)));
}

/// What must be refused, by class: a pointer, and what is put there (`null` takes the property away).
fn broken(class: &str) -> Vec<(&'static str, Value)> {
    let record = vec![
        ("/@context", json!("https://www.w3.org/ns/activitystreams")),
        ("/id", json!("/contributions/1")),
        ("/type", json!(["Article", "Contribution"])),
        ("/recordType", json!("Poem")),
        ("/proof", Value::Null),
        ("/proof/cryptosuite", json!("eddsa-rdfc-2022")),
    ];
    let enveloped = [
        record.clone(),
        vec![
            ("/authority", Value::Null),
            ("/revision", json!(0)),
            ("/published", json!("2026-05-20")),
            ("/license", json!("Licence Ouverte")),
            ("/originalLanguage", Value::Null),
            ("/previousDigest", json!("zQmshort")),
            ("/nameMap", json!({ "": "x" })),
            ("/contentMap", json!({ "": "x" })),
        ],
    ]
    .concat();
    let own: Vec<(&'static str, Value)> = match class {
        "PublicAuthority" => vec![
            ("/inbox", Value::Null),
            ("/preferredUsername", json!("Ville de Montfleur")),
            ("/publicKey/publicKeyPem", json!("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n")),
            ("/assertionMethod/0/publicKeyMultibase", json!("zQm")),
            ("/assertionMethod", json!([])),
            ("/streams", json!([])),
            ("/authorityKind", json!("municipality")),
            ("/supports", json!("pv:version-1")),
            ("/rightsContact", json!("mailto")),
        ],
        "Consultation" => vec![
            ("/lifecycleState", json!("ajar")),
            ("/processKind", json!("consultation")),
            ("/phases/0/type", json!("Step")),
            ("/phases/0/id", Value::Null),
            ("/phases/0/phaseKind", json!("dream")),
            ("/startTime", json!(1_777_874_400)),
            ("/topics", json!({})),
            ("/decisionScope", json!("advisory")),
            ("/phases", Value::Array(vec![json!({}); 51])),
            ("/territory/latitude", json!(91)),
        ],
        "Contribution" => vec![
            ("/process", Value::Null),
            ("/contributionKind", json!("poem")),
            ("/authorState", Value::Null),
            ("/supportTally/0/countedAt", Value::Null),
            ("/supportTally/0/total", json!(-1)),
            ("/supportTally/1/total", json!(3)),
            ("/supportTally/1/withheld", json!(false)),
            ("/author/authorKind", json!("citizen")),
            ("/author/pseudonymScope", Value::Null),
            ("/location/longitude", Value::Null),
            ("/replies/totalItems", json!(1.5)),
            ("/digestSalt", json!("salt")),
        ],
        "Argument" => vec![
            ("/stance", Value::Null),
            ("/stance", json!("neutral")),
            ("/inReplyTo", Value::Null),
            ("/recordType", json!("Comment")),
        ],
        "Comment" => vec![
            ("/stance", json!("for")),
            ("/inReplyTo", json!([])),
            ("/process", Value::Null),
            ("/recordType", json!("Argument")),
        ],
        "Disposition" => vec![
            ("/dispositionState", json!("perhaps")),
            ("/subject", Value::Null),
            ("/object", json!({})),
            ("/relationship", json!("pv:likes")),
            ("/reasonCode", json!("technical")),
        ],
        "OfficialResponse" => vec![
            ("/respondsTo", json!([])),
            ("/respondsTo", Value::Null),
            ("/outcome", json!("maybe")),
            ("/signatoryRole", json!(7)),
            ("/subjectDigest", json!("sha256")),
        ],
        "Meeting" => vec![
            ("/process", json!("berges")),
            ("/meetingKind", json!("hybrid")),
            ("/lifecycleState", json!("crowded")),
            ("/startTime", json!("2026-05-28")),
            ("/location/type", json!("Room")),
            ("/location/latitude", json!(91)),
            ("/location", json!("Quai des Gravières")),
            ("/attachment/0/href", Value::Null),
            ("/attachment/0/name", json!("Salle en ligne")),
            ("/capacity", json!(-1)),
            ("/attendance", json!(["Jeanne Martin"])),
            ("/agenda", json!("ordre du jour")),
            ("/minutes/type", json!("Note")),
        ],
        "BudgetProject" => vec![
            ("/process", Value::Null),
            ("/projectState", json!("loved")),
            ("/estimatedCost/amount", json!(86_000)),
            ("/estimatedCost/amount", json!("86 000")),
            ("/estimatedCost/amount", json!("-5")),
            ("/awardedCost/currency", json!("€")),
            ("/finalCost/currency", Value::Null),
            ("/finalCost/type", json!("MonetaryAmount")),
            ("/supportTally/1/total", json!(3)),
            ("/derivedFrom", json!([7])),
            ("/topic", json!(1)),
        ],
        "Poll" => vec![
            ("/process", Value::Null),
            ("/oneOf", Value::Null),
            ("/oneOf", json!([])),
            ("/anyOf", json!([{ "type": "Note", "name": "Oui", "withheld": true }])),
            ("/oneOf/0/type", json!("Article")),
            ("/oneOf/0/replies", Value::Null),
            ("/oneOf/0/replies/totalItems", json!(-3)),
            ("/oneOf/2/withheld", json!(false)),
            ("/oneOf/0/withheld", json!(true)),
            ("/countedAt", Value::Null),
            ("/votingMethod", json!("shouting")),
            ("/closed", json!(true)),
        ],
        "Decision" => vec![
            ("/decisionDate", json!("2026-10-08T10:00:00Z")),
            ("/decidedBy", json!("the council")),
            ("/decidedBy/type", json!("Person")),
            ("/votesFor", json!("29")),
            ("/votesAgainst", json!(-1)),
            ("/abstentions", json!(0.5)),
            ("/url", json!("2026-0114.pdf")),
            ("/legalBasisAct", json!({})),
            ("/arisesFrom", json!(["gradins"])),
            ("/legalIdentifier", json!(114)),
        ],
        "Commitment" => vec![
            ("/commitmentState", Value::Null),
            ("/commitmentState", json!("promised")),
            ("/arisesFrom", Value::Null),
            ("/arisesFrom", json!([])),
            ("/dueDate", json!("summer 2027")),
            ("/completion", json!(60.5)),
            ("/responsible", json!({ "name": "Direction" })),
            ("/budget/amount", json!(90_000)),
            ("/targetValue", json!("forty")),
            ("/progress", json!([])),
        ],
        "DataUseAgreement" => vec![
            ("/assigner", Value::Null),
            ("/assignee", json!("rivemer")),
            ("/attributedTo", Value::Null),
            ("/version", json!(1)),
            ("/validUntil", json!("2027-12-31")),
            ("/covers", json!([])),
            ("/covers/0/classes", json!(["Poem"])),
            ("/covers/0/classes", json!([])),
            ("/permission/0/action", json!(["sell"])),
            ("/permission/0/action", Value::Null),
            ("/prohibition/0/action", json!([])),
            ("/obligation/1/purgeWithin", json!("PT1H")),
            ("/obligation/1/purgeWithin", json!("P31D")),
            ("/covers/0/theme", json!("https://gateway.montfleur.example/themes/1")),
            ("/covers/0/territory", json!("https://gateway.montfleur.example/territories/1")),
            ("/covers/0/language", json!("fr")),
            ("/permission/0/constraint", json!({ "leftOperand": "count", "operator": "lt", "rightOperand": 5 })),
            ("/prohibition/0/remedy", json!({ "action": "delete" })),
            ("/maxCache", json!("P0D")),
            ("/maxCache", json!("P3651D")),
            ("/maxCache", json!("P9999D")),
            ("/noticePeriod", json!(30)),
            ("/minAggregation", json!(-5)),
            ("/onward", json!("friends")),
        ],
        "Result" => vec![
            ("/process", Value::Null),
            ("/resultOf", Value::Null),
            ("/resultOf", json!([])),
            ("/commitmentState", json!("soon")),
            ("/completion", json!(101)),
            ("/completion", json!("60 %")),
            ("/dueDate", json!("2027-06-30T00:00:00Z")),
            ("/finalCost", json!("88412.50")),
            ("/evidence", json!(["constat.pdf"])),
            ("/inReplyTo", json!({})),
        ],
        "ProgressUpdate" => vec![
            ("/inReplyTo", Value::Null),
            ("/inReplyTo", json!([])),
            ("/commitmentState", json!("soon")),
            ("/completion", json!(-1)),
            ("/finalCost/amount", json!("1e5")),
            ("/evidence", json!("constat.pdf")),
        ],
        "Document" => vec![
            ("/url", Value::Null),
            ("/url", json!("https://gateway.montfleur.example/documents/ordre-du-jour")),
            ("/url/href", Value::Null),
            ("/url/mediaType", json!("pdf")),
            ("/byteSize", json!(1.5)),
            ("/checksum", json!("sha256:00")),
            ("/documentKind", json!("agenda")),
            ("/inReplyTo", json!(7)),
        ],
        "Tombstone" => vec![
            ("/formerType", json!("Contribution")),
            ("/deleted", Value::Null),
            ("/deleted", json!("yesterday")),
            ("/authority", Value::Null),
            ("/revision", json!("3")),
            ("/previousDigest", json!("z")),
            ("/reasonCode", json!("pv:reason-mood")),
        ],
        "DeliveryReceipt" => vec![
            ("/requestActivity", Value::Null),
            ("/receiptFor", json!("gradins")),
            ("/subjectDigest", Value::Null),
            ("/receivedAt", json!("now")),
            ("/deliveryState", json!("lost")),
            ("/problems", json!("not-covered")),
        ],
        "PurgeReceipt" => vec![
            ("/receiptFor", Value::Null),
            ("/cause", json!("spring-cleaning")),
            ("/purgedAt", Value::Null),
            ("/erased", json!(["everything"])),
            ("/erased", Value::Null),
            ("/residual", json!(["memories"])),
            ("/backupsUntil", json!("soon")),
        ],
        other => panic!("no broken variants of {other}"),
    };
    let shared = match class {
        "PublicAuthority" | "Tombstone" | "DataUseAgreement" | "DeliveryReceipt" | "PurgeReceipt" => record,
        _ => enveloped,
    };
    let tombstone = class == "Tombstone";
    shared.into_iter().filter(|(at, _)| !(tombstone && *at == "/recordType")).chain(own).collect()
}

pub fn put(document: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match document.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {parent}")) {
        Value::Object(object) if value.is_null() => {
            assert!(object.shift_remove(name).is_some(), "the example has no {pointer}");
        }
        Value::Object(object) => {
            object.insert(name.to_owned(), value);
        }
        other => panic!("{pointer} lies in {other}"),
    }
}

#[test]
fn each_example_is_valid_and_at_least_ten_broken_variants_of_it_are_not() {
    for &class in SIGNED {
        let validator = jsonschema::validator_for(&schema(class)).expect("a schema");
        let good = example(class);
        if let Err(error) = validator.validate(&good) {
            panic!("the example of {class} is not valid: {error} at {}", error.instance_path());
        }
        let variants = broken(class);
        assert!(variants.len() >= 10, "{class} has only {} broken variants", variants.len());
        for (pointer, value) in variants {
            let mut bad = good.clone();
            put(&mut bad, pointer, value.clone());
            assert!(!validator.is_valid(&bad), "{class} with {pointer} = {value} passes");
        }
    }
}

#[test]
fn each_activity_is_valid_and_broken_ones_are_not() {
    let validator = jsonschema::validator_for(&schema("Activity")).expect("a schema");
    for &kind in ACTIVITIES {
        let good = example(kind);
        if let Err(error) = validator.validate(&good) {
            panic!("the example of {kind} is not valid: {error} at {}", error.instance_path());
        }
        for (pointer, value) in [
            ("/@context", Value::Null),
            ("/id", json!(null)),
            ("/id", json!(["https://gateway.montfleur.example/activities/1"])),
            ("/type", json!(["Create", "Update"])),
            ("/type", json!("Like")),
            ("/type", Value::Null),
            ("/actor", json!({ "id": "https://gateway.montfleur.example/actor" })),
            ("/actor", json!("montfleur")),
            ("/to", json!([])),
            ("/object", Value::Null),
            ("/object", json!("gradins")),
            ("/object", json!(["https://gateway.montfleur.example/actor", "https://gateway.rivemer.example/actor"])),
        ] {
            let mut bad = good.clone();
            put(&mut bad, pointer, value.clone());
            assert!(!validator.is_valid(&bad), "{kind} with {pointer} = {value} passes");
        }
    }
}

#[test]
fn a_property_that_nobody_knows_yet_is_allowed() {
    for &class in SIGNED {
        let validator = jsonschema::validator_for(&schema(class)).expect("a schema");
        let mut later = example(class);
        later["propertyOfALaterVersion"] = json!({ "any": ["thing"] });
        assert!(validator.is_valid(&later), "{class}");
    }
}

// ─── The pages ───────────────────────────────────────────────────────────────────────────────────────

/// The properties that a page lists.
fn listed(page: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(specs().join("vocabulary").join(page)).unwrap_or_else(|_| panic!("{page} is missing"));
    let table = text.split("## Properties").nth(1).expect("a table").split("## ").next().expect("a table");
    let first = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    first.flat_map(|names| names.split(", ")).map(ToOwned::to_owned).collect()
}

#[test]
fn each_class_has_a_page_that_lists_exactly_its_properties() {
    let properties =
        |shape: &Value| -> BTreeSet<String> { shape["properties"].as_object().expect("properties").keys().cloned().collect() };
    let record = listed("record.md");
    let mut pages = Vec::new();
    for (class, schema) in schemas() {
        if class == "Activity" {
            continue;
        }
        let mut page = String::new();
        for c in class.chars() {
            if c.is_ascii_uppercase() && !page.is_empty() {
                page.push('-');
            }
            page.push(c.to_ascii_lowercase());
        }
        pages.push((page, properties(&schema)));
    }
    let contribution = schema("Contribution");
    let consultation = schema("Consultation");
    let project = schema("BudgetProject");
    for (page, root, name) in [
        ("phase", &consultation, "Phase"),
        ("topic", &consultation, "Topic"),
        ("support-tally", &contribution, "SupportTally"),
        ("monetary-amount", &project, "MonetaryAmount"),
        ("place", &contribution, "Place"),
        ("theme", &contribution, "Theme"),
        ("pseudonymous-author", &contribution, "PseudonymousAuthor"),
        ("personal-data-handling", &contribution, "PersonalDataHandling"),
    ] {
        pages.push((page.to_owned(), properties(&root["$defs"][name])));
    }
    for (page, mut wanted) in pages {
        let mut there = listed(&format!("{page}.md"));
        if wanted.contains("originalLanguage") {
            there.extend(record.iter().cloned());
            wanted.extend(["type", "recordType"].map(ToOwned::to_owned));
        }
        assert_eq!(there, wanted, "{page}.md");
    }
}

#[test]
fn the_receipts_that_are_sent_are_those_of_the_schemas() {
    use passerelle::federation::keys::Keys;
    use passerelle::federation::{receipts, wire};

    let now = "2026-12-01T00:00:00Z".parse().expect("a time");
    for class in ["DeliveryReceipt", "PurgeReceipt"] {
        let document = example(class);
        let actor: passerelle::domain::ActorId =
            document["attributedTo"].as_str().expect("an address").parse().expect("an actor");
        let keys = Keys::from_seed(actor.clone(), &[4; 32]).expect("keys");
        let signed = if class == "DeliveryReceipt" {
            let receipt = wire::delivery_receipt_from_json(&document).expect("a receipt");
            receipts::sign_delivery(&receipt, &keys, now)
        } else {
            receipts::sign_purge(&wire::purge_receipt_from_json(&document).expect("a receipt"), &keys, now)
        };
        let mut sent = signed.expect("a proof").document;
        sent["proof"] = document["proof"].clone();
        assert_eq!(sent, document, "{class}");
    }
}
