//! F-3: what stands in the body of a request to the inbox.
//!
//! * `strict_json` takes exactly the documents that a second reader written here takes, and reads them as
//!   this one and as `serde_json` do: no name twice, nothing too deep, too long or inexact.
//! * The canonical form of what is taken is taken, means the same, and is its own canonical form.
//! * An activity that is understood is understood alike from its canonical form, and nobody speaks in it of
//!   what is not on its own origin.
//! * A record, a tombstone, a receipt or an agreement that is understood can be written, is taken again, and
//!   says the same then: writing it once more gives the same bytes.

use std::sync::LazyLock;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use passerelle::domain::partner::PartnerKind;
use passerelle::domain::{ActorId, RecordId, Timestamp};
use passerelle::federation::incoming::{self, Alone, Answer, Asked, Erasure, Followed, Incoming, Offered};
use passerelle::federation::proof;
use passerelle::federation::strict_json::{self, MAX_BYTES};
use passerelle::federation::verify::one_id;
use passerelle::federation::wire;
use passerelle::federation::wire::activity::Activity;
use passerelle::federation::wire::actor::PublicAuthority;

use super::json;

/// Who sends, as in `federation-specs/examples`.
static SENDER: LazyLock<ActorId> = LazyLock::new(|| "https://gateway.montfleur.example/actor".parse().expect("an address"));
/// Who receives.
static OWN: LazyLock<ActorId> = LazyLock::new(|| "https://gateway.rivemer.example/actor".parse().expect("an address"));

/// Asks all of it; whether it was something of the vocabulary, or an activity that carries some.
///
/// # Panics
/// When something does not hold.
pub fn check(data: &[u8]) -> bool {
    let read = strict_json::parse(data);
    let second = json::acceptable(data);
    assert_eq!(read.is_ok(), second.is_some(), "the second reader does not agree: {read:?}");
    let (Ok(value), Some(second)) = (read, second) else { return false };
    assert!(second.says(&value), "the second reader reads something else: {second:?}");
    let loose: Result<Value, _> = serde_json::from_slice(data);
    assert_eq!(loose.ok().as_ref(), Some(&value), "serde_json reads something else");

    let canonical = canonical(&value);
    if canonical.len() > MAX_BYTES {
        return false;
    }
    let plain = strict_json::parse(&canonical).expect("the canonical form is taken");
    assert!(same_but_order(&second, &plain), "the canonical form says something else");
    assert_eq!(self::canonical(&plain), canonical, "the canonical form has another canonical form");

    for speaker in [PartnerKind::Partner, PartnerKind::Reader] {
        if let Ok(incoming) = Incoming::read(&mut value.clone(), &SENDER, speaker, &OWN) {
            belongs(&incoming, speaker, &value);
            let again = Incoming::read(&mut plain.clone(), &SENDER, speaker, &OWN).expect("the canonical form is understood");
            assert_eq!((&again.id, &again.kind), (&incoming.id, &incoming.kind));
            assert_eq!(in_plain(&again.asked), in_plain(&incoming.asked));
        }
    }
    if let Ok(alone) = incoming::alone(value.clone(), &SENDER, &OWN) {
        assert!(SENDER.owns(alone.record()));
        let again = incoming::alone(plain, &SENDER, &OWN).expect("the canonical form is understood");
        let asked = |alone: Alone| match alone {
            Alone::Hold(offered) => in_plain(&Asked::Hold(offered)),
            Alone::Erase(erasure) => in_plain(&Asked::Erase(erasure)),
        };
        assert_eq!(asked(again), asked(alone));
    }
    [Some(&value), value.get("object"), value.get("result")].into_iter().flatten().filter(|document| typed(document)).count() > 0
}

fn canonical(value: &Value) -> Vec<u8> {
    proof::canonical(value).expect("what was read can be written")
}

/// The canonical form sorts names; everything else stays.
fn same_but_order(one: &json::Json, other: &Value) -> bool {
    match (one, other) {
        (json::Json::List(items), Value::Array(others)) => {
            items.len() == others.len() && items.iter().zip(others).all(|(item, other)| same_but_order(item, other))
        }
        (json::Json::Object(members), Value::Object(others)) => {
            members.len() == others.len()
                && members.iter().all(|(name, value)| others.get(name).is_some_and(|other| same_but_order(value, other)))
        }
        _ => one.says(other),
    }
}

/// The same, with numbers as the canonical form has them (`1.0` is `1`).
fn in_plain(asked: &Asked) -> Asked {
    let plain = |value: &Value| strict_json::parse(&canonical(value)).expect("a part of what was taken is taken");
    match asked.clone() {
        Asked::Hold(offered) => {
            let written = proof::Written::read(plain(offered.written.document())).expect("an object");
            Asked::Hold(Offered { written, ..offered })
        }
        Asked::Erase(erasure) => Asked::Erase(Erasure { tombstone: erasure.tombstone.as_ref().map(plain), ..erasure }),
        Asked::Accept(answer) => Asked::Accept(Answer { result: answer.result.as_ref().map(plain), ..answer }),
        Asked::Reject(answer) => Asked::Reject(Answer { result: answer.result.as_ref().map(plain), ..answer }),
        other => other,
    }
}

/// Nobody speaks of what is not on its own origin, and an account of a reader server of no record at all.
fn belongs(incoming: &Incoming, speaker: PartnerKind, activity: &Value) {
    assert!(SENDER.owns(&incoming.id));
    assert_eq!(activity.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok()).as_ref(), Some(&incoming.id));
    let owner_of = |object: &Value| object.get("attributedTo").and_then(one_id).and_then(|id| id.parse::<ActorId>().ok());
    match &incoming.asked {
        Asked::Hold(offered) => {
            assert_eq!(speaker, PartnerKind::Partner);
            assert!(SENDER.owns(&offered.id) && !OWN.owns(&offered.id));
            let object = offered.written.document();
            assert_eq!(owner_of(object).as_ref(), Some(&*SENDER));
            assert_eq!(Some(object), activity.get("object"));
            assert_eq!(proof::digest(object), Ok(offered.written.digest()));
            assert_ne!(offered.revision, Some(0));
        }
        Asked::Erase(erasure) => {
            assert_eq!(speaker, PartnerKind::Partner);
            assert!(SENDER.owns(&erasure.id) && !OWN.owns(&erasure.id));
            assert_eq!(erasure.tombstone.is_some(), erasure.digest.is_some());
            let owner = erasure.tombstone.as_ref().and_then(|tombstone| tombstone.get("attributedTo")).map(|_| ());
            assert!(owner.is_none() || erasure.tombstone.as_ref().and_then(owner_of).as_ref() == Some(&*SENDER));
        }
        Asked::Follow(Followed { process, object }) => match process {
            None => assert_eq!(object.parse::<ActorId>().as_ref(), Ok(&*OWN)),
            Some(process) => assert!(speaker == PartnerKind::Reader && OWN.owns(process)),
        },
        Asked::Accept(answer) | Asked::Reject(answer) => {
            assert!(answer.object.parse::<RecordId>().is_ok_and(|id| OWN.owns(&id)));
        }
        Asked::Leave | Asked::ActorChanged | Asked::Unfollow(_) | Asked::Nothing => {}
    }
}

/// Reads a document as each thing it may be; whether it is one of them.
fn typed(document: &Value) -> bool {
    let record =
        round("a record", document, wire::record_from_json, |(record, previous)| wire::record_to_json(record, previous.as_ref()));
    let tombstone = round("a tombstone", document, wire::tombstone_from_json, wire::tombstone_to_json);
    let agreement = round("an agreement", document, wire::agreement_from_json, wire::agreement_to_json);
    let delivery = round("a delivery receipt", document, wire::delivery_receipt_from_json, |receipt| {
        wire::delivery_receipt_to_json(receipt).expect("what was read is written")
    });
    let purge = round("a purge receipt", document, wire::purge_receipt_from_json, |receipt| {
        wire::purge_receipt_to_json(receipt).expect("what was read is written")
    });
    let activity = whole::<Activity>("an activity", document);
    let actor = whole::<PublicAuthority>("an actor", document);
    record || tombstone || agreement || delivery || purge || activity || actor
}

/// What is written as it was read.
fn whole<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, document: &Value) -> bool {
    let read = |value: &Value| serde_json::from_value::<T>(value.clone());
    round(name, document, read, |read| serde_json::to_value(read).expect("what was read is written"))
}

/// What is read can be written, is taken, is read again, and is written to the same bytes. It is the same,
/// too, unless there were fractions of seconds, which are not written.
fn round<T: PartialEq + std::fmt::Debug, E: std::fmt::Debug>(
    name: &str,
    document: &Value,
    read: impl Fn(&Value) -> Result<T, E>,
    write: impl Fn(&T) -> Value,
) -> bool {
    let Ok(first) = read(document) else { return false };
    let written = canonical(&write(&first));
    let taken = strict_json::parse(&written).unwrap_or_else(|error| panic!("{name} that we write is not taken: {error}"));
    let second = read(&taken).unwrap_or_else(|error| panic!("{name} that we write is not read: {error:?}"));
    let again = canonical(&write(&second));
    assert_eq!(
        String::from_utf8_lossy(&again),
        String::from_utf8_lossy(&written),
        "{name} says something else when it is read again"
    );
    if !has_fraction(document) {
        assert_eq!(second, first, "{name} is something else when it is read again");
    }
    true
}

/// Whether some text in a document is a time with a fraction of a second.
fn has_fraction(value: &Value) -> bool {
    match value {
        Value::String(text) => text.parse::<Timestamp>().is_ok_and(|time| time != time.whole_second()),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Object(object) => object.values().any(has_fraction),
        _ => false,
    }
}
