//! Records as JSON and back: nothing is lost, nothing is invented, and what is wrong is named.

use passerelle::domain::digest::Digest;
use passerelle::domain::{Body, Record};
use passerelle::federation::proof::canonical;
use passerelle::federation::wire::{agreement_from_json, record_from_json, record_to_json};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::examples::example;
use super::records::any_record;
use super::specs::put;

proptest! {
    #[test]
    fn a_record_is_read_back_and_written_again_to_the_same_bytes(record in any_record(), chained in any::<bool>()) {
        let previous = chained.then(|| Digest::of(b"the revision before"));
        let written = record_to_json(&record, previous.as_ref());
        let bytes = canonical(&written).expect("a canonical form");
        let parsed: Value = serde_json::from_slice(&bytes).expect("JSON");
        let (back, digest) = record_from_json(&parsed).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(&digest, &previous);
        prop_assert_eq!(back.class(), record.class());
        prop_assert_eq!(&back.title, &record.title);
        prop_assert_eq!(&back.content, &record.content);
        prop_assert_eq!(&back.themes, &record.themes);
        let again = canonical(&record_to_json(&back, digest.as_ref())).expect("a canonical form");
        prop_assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn every_record_has_one_as2_type_a_class_of_ours_and_no_null(record in any_record()) {
        let written = record_to_json(&record, None);
        prop_assert!(written["type"].is_string() && written["recordType"] == json!(record.class()));
        prop_assert!(!has_null(&written));
        let text = written.to_string();
        prop_assert!(!text.contains("elsewhere"), "the local name of the platform travels");
    }

    #[test]
    fn a_hidden_record_carries_no_text_and_no_author(record in any_record()) {
        let written = record_to_json(&record.hidden(), None);
        for name in ["name", "nameMap", "summary", "content", "contentMap", "author", "supportTally", "location", "attachment", "theme", "phases",
            "agenda", "minutes", "capacity", "attendance", "estimatedCost", "awardedCost", "finalCost", "feasibilityReason",
            "completion", "evidence", "byteSize", "checksum", "documentKind", "replies",
            "oneOf", "anyOf", "electorate", "decidedBy", "legalIdentifier", "votesFor", "votesAgainst", "abstentions", "legalBasisAct",
            "responsible", "budget", "indicator", "targetValue"] {
            prop_assert!(written.get(name).is_none(), "{} is still there", name);
        }
        prop_assert_eq!(&written["moderationState"], "hidden");
        prop_assert!(record_from_json(&written).is_ok());
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(object) => object.values().any(has_null),
        _ => false,
    }
}

fn contribution() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2", "https://b.example/ns/v1"],
        "id": "https://b.example/contributions/1", "type": "Article", "recordType": "Contribution",
        "attributedTo": "https://b.example/actor", "authority": "https://b.example/actor",
        "to": ["https://www.w3.org/ns/activitystreams#Public"], "name": "Un banc", "originalLanguage": "fr",
        "process": "https://b.example/consultations/1", "context": "https://b.example/consultations/1",
        "contributionKind": "proposal", "authorState": "published", "revision": 1,
        "license": "https://opendatacommons.org/licenses/odbl/1-0/"
    })
}

fn read(change: impl FnOnce(&mut Value)) -> Result<Record, String> {
    let mut document = contribution();
    change(&mut document);
    record_from_json(&document).map(|(record, _)| record).map_err(|error| error.to_string())
}

#[test]
fn a_plain_name_is_read_as_being_in_the_original_language() {
    let record = read(|_| ()).expect("a record");
    let title = record.title.expect("a title");
    assert_eq!(title.iter().map(|(l, t)| (l.as_str(), t.as_str())).collect::<Vec<_>>(), [("fr", "Un banc")]);
}

#[test]
fn unknown_properties_are_ignored_and_hostile_html_is_made_safe() {
    let record = read(|document| {
        document["futureProperty"] = json!({ "anything": [1, 2] });
        document["content"] = json!("<p onclick=alert(1)>Bonjour<script>x</script></p>");
    });
    let record = record.expect("a record");
    let content = record.content.expect("a text");
    assert_eq!(content.iter().next().map(|(_, html)| html.as_str()), Some("<p>Bonjour</p>"));
}

#[test]
fn one_tally_may_stand_without_its_list() {
    let record = read(|document| {
        document["supportTally"] =
            json!({ "type": "SupportTally", "measure": "support", "total": 57, "countedAt": "2026-10-02T18:00:00Z" });
    });
    assert_eq!(record.expect("a record").tallies()[0].total, Some(57));
}

#[test]
fn a_withheld_count_is_not_zero() {
    let tally = json!([{ "type": "SupportTally", "measure": "vote", "withheld": true, "countedAt": "2026-10-02T18:00:00Z" }]);
    let record = read(|document| document["supportTally"] = tally.clone()).expect("a record");
    assert_eq!(record.tallies()[0].total, None);
    assert_eq!(record_to_json(&record, None)["supportTally"], tally);
}

#[test]
fn a_persons_name_is_dropped_wherever_it_comes_from() {
    let record = read(|document| {
        document["author"] = json!({
            "type": "PseudonymousAuthor", "pseudonym": "px:abc", "pseudonymScope": "https://b.example/consultations/1",
            "authorKind": "person", "name": "Jeanne Martin"
        });
    });
    let Body::Contribution(body) = record.expect("a record").body else { panic!("a contribution") };
    assert_eq!(body.author.expect("an author").name, None);
}

#[test]
fn what_is_wrong_is_named() {
    let cases: Vec<(&str, Value, &str)> = vec![
        ("recordType", json!(["Contribution"]), "recordType"),
        ("recordType", json!("Poem"), "recordType"),
        ("type", json!(["Article", "Contribution"]), "type"),
        ("type", json!("Event"), "type"),
        ("id", json!("/contributions/1"), "id"),
        ("revision", json!(0), "revision"),
        ("revision", json!(-1), "revision"),
        ("published", json!("yesterday"), "published"),
        ("authority", json!("https://c.example/actor"), "attributedTo"),
        ("context", json!("https://b.example/consultations/2"), "context"),
        ("topic", json!("https://c.example/consultations/1#topic-1"), "topic"),
        ("topic", json!("https://b.example/consultations/1#<b>"), "topic"),
        ("nameMap", json!({ "not a language": "x" }), "nameMap"),
        ("content", json!("x".repeat(70_000)), "content"),
        ("contributionKind", json!("poem"), "contributionKind"),
        ("license", json!("javascript:alert(1)"), "license"),
        ("location", json!({ "type": "Place", "latitude": 91, "longitude": 0 }), "location"),
        ("location", json!({ "type": "Place", "latitude": 45.1 }), "location"),
        ("supportTally", json!([{ "type": "SupportTally", "measure": "vote", "total": 3 }]), "supportTally"),
        (
            "supportTally",
            json!([{ "type": "SupportTally", "measure": "vote", "countedAt": "2026-10-02T18:00:00Z" }]),
            "supportTally[0]",
        ),
        ("replies", json!({ "type": "Collection", "totalItems": -1 }), "replies.totalItems"),
        ("previousDigest", json!("sha256:00"), "previousDigest"),
        ("reasonCode", json!("because"), "reasonCode"),
        ("proof", json!([]), "proof"),
        ("extra", json!({"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":1}}}}}}}}), "."),
    ];
    for (name, value, path) in cases {
        let wrong = read(|document| document[name] = value.clone()).expect_err(name);
        assert!(wrong.starts_with(path), "{name} = {value}: {wrong}");
    }
    for name in
        ["id", "authority", "attributedTo", "revision", "license", "originalLanguage", "process", "authorState", "@context"]
    {
        let wrong = read(|document| {
            document.as_object_mut().expect("an object").remove(name);
        });
        assert!(wrong.is_err(), "{name} may be missing");
    }
}

#[test]
fn a_clause_that_is_not_known_is_refused_by_its_name() {
    assert!(agreement_from_json(&example("DataUseAgreement")).is_ok());
    for (pointer, value, named) in [
        ("/covers/0/theme", json!("https://b.example/themes/1"), "`theme`"),
        ("/covers/0/territory", json!("https://b.example/territories/1"), "`territory`"),
        ("/covers/0/language", json!("fr"), "`language`"),
        ("/permission/0/constraint", json!({ "leftOperand": "count", "operator": "lt", "rightOperand": 5 }), "`constraint`"),
        ("/permission/0/action", json!(["sell"]), "sell"),
        ("/obligation/1/purgeWithin", json!("P31D"), "purgeWithin"),
        ("/maxCache", json!("P9999D"), "maxCache"),
    ] {
        let mut wider = example("DataUseAgreement");
        put(&mut wider, pointer, value);
        let wrong = agreement_from_json(&wider).expect_err(pointer).to_string();
        assert!(wrong.contains(named), "{pointer}: {wrong}");
    }
    // One that stands without its list is judged in the same way.
    let mut alone = example("DataUseAgreement");
    alone["covers"] = json!({ "classes": ["Meeting"], "theme": "https://b.example/themes/1" });
    assert!(agreement_from_json(&alone).is_err());
}

#[test]
fn the_news_of_a_promise_are_its_own_collection() {
    let own = example("Commitment");
    assert!(record_from_json(&own).is_ok());
    let mut silent = own.clone();
    silent.as_object_mut().expect("an object").remove("progress");
    assert!(record_from_json(&silent).is_ok());
    let id = own["id"].as_str().expect("an id");
    for elsewhere in ["https://c.example/commitments/1/progress", &format!("{id}/followers"), &format!("{id}/progress/"), id] {
        let mut wrong = own.clone();
        wrong["progress"] = json!(elsewhere);
        let error = record_from_json(&wrong).expect_err(elsewhere).to_string();
        assert!(error.starts_with("progress"), "{error}");
    }
}
