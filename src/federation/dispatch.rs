//! Our outgoing activities as they leave: an id that is the same at every attempt, and the sealed bytes of
//! the record inside, untouched.
//!
//! The id is a pure function of record, revision, kind and partner, so that a repetition is known as one
//! (I2). The object is not parsed and written again: a partner can check its proof on the very bytes.
//!
//! A reader is told `Delete` of what was deleted and of what was hidden or withdrawn, since none takes a text
//! back by an `Update`. Its tombstone names the record and nothing else: a revision under it would say that
//! the record is gone for good, and Misskey erases nothing whose `formerType` is not a word of its own.

use bytes::Bytes;
use serde_json::{Value, json};

use super::Federation;
use super::reader::followers_of;
use crate::domain::change::ChangeKind;
use crate::domain::digest::sha256;
use crate::domain::partner::{Partner, PartnerKind};
use crate::domain::{Key, PartnerDomain, RecordId, Revision, Timestamp};

/// The context of an activity; the record inside brings its own.
const CONTEXT: &str = "https://www.w3.org/ns/activitystreams";
/// Everybody (AS2 §5.6).
const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// An activity that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its address.
    pub id: String,
    /// Its JSON.
    pub body: Bytes,
}

/// The activity that tells `partner` of one revision of a record (or of its tombstone), which belongs to
/// the consultation `process`. What a reader is told to delete leaves without its `sealed` bytes.
#[must_use]
pub fn carrying(
    federation: &Federation,
    partner: &Partner,
    kind: ChangeKind,
    (record, revision): (&RecordId, Revision),
    process: Option<&RecordId>,
    sealed: &[u8],
) -> Activity {
    let id = carrying_id(federation, &partner.domain, kind, record, revision);
    let word = match kind {
        ChangeKind::Created => "Create",
        ChangeKind::Updated => "Update",
        ChangeKind::Deleted => "Delete",
    };
    let head = json!({"@context": CONTEXT, "id": id, "type": word, "actor": federation.actor()});
    let (to, cc) = audience(federation, partner, process);
    let tombstone;
    let object = if (partner.kind, kind) == (PartnerKind::Reader, ChangeKind::Deleted) {
        tombstone = json!({"id": record, "type": "Tombstone"}).to_string();
        tombstone.as_bytes()
    } else {
        sealed
    };
    let mut body = head.to_string().into_bytes();
    body.pop();
    body.extend_from_slice(format!(",\"to\":{to}").as_bytes());
    if let Some(cc) = cc {
        body.extend_from_slice(format!(",\"cc\":{cc}").as_bytes());
    }
    body.extend_from_slice(b",\"object\":");
    body.extend_from_slice(object);
    body.push(b'}');
    Activity { id, body: body.into() }
}

/// The address of the activity that tells `partner` of one revision of a record (or of its tombstone). What tells
/// many partners of the same revision begins alike, so that the log keeps it together.
#[must_use]
pub fn carrying_id(
    federation: &Federation,
    partner: &PartnerDomain,
    kind: ChangeKind,
    record: &RecordId,
    revision: Revision,
) -> String {
    let mut revised = [0_u8; 8];
    revised.copy_from_slice(&sha256(format!("{record} {revision}").as_bytes())[..8]);
    let name = format!("{kind} {partner} {record} {revision}");
    address(federation, &Key::beginning_with(revised, name.as_bytes()))
}

/// Our Follow of a partner; a later one is another activity.
#[must_use]
pub fn follow(federation: &Federation, partner: &Partner, now: Timestamp) -> Activity {
    letter(federation, partner, "Follow", &json!(partner.actor), None, now)
}

/// An activity without a record: `Follow`, `Accept` of something with what it results in.
#[must_use]
pub fn letter(
    federation: &Federation,
    partner: &Partner,
    kind: &str,
    object: &Value,
    result: Option<Value>,
    now: Timestamp,
) -> Activity {
    let id = id_of(federation, &format!("{kind} {} {object} {}", partner.domain, now.micros()));
    let mut activity = json!({
        "@context": CONTEXT, "id": id, "type": kind, "actor": federation.actor(), "to": [partner.actor], "object": object
    });
    if let Some(result) = result {
        activity["result"] = result;
    }
    Activity { id, body: activity.to_string().into() }
}

fn id_of(federation: &Federation, name: &str) -> String {
    address(federation, &Key::digest_of(name.as_bytes()))
}

fn address(federation: &Federation, key: &Key) -> String {
    federation.address("activities", key).map_or_else(|_| format!("/activities/{key}"), |url| url.to_string())
}

fn audience(federation: &Federation, partner: &Partner, process: Option<&RecordId>) -> (Value, Option<Value>) {
    match partner.kind {
        PartnerKind::Partner => (json!([partner.actor]), None),
        PartnerKind::Reader => {
            let ours = [format!("{}/followers", federation.actor())];
            let followers: Vec<String> = ours.into_iter().chain(process.map(followers_of)).collect();
            (json!([PUBLIC]), Some(json!(followers)))
        }
    }
}
