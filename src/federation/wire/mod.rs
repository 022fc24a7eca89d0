//! Records as JSON: what travels, and what is read back (participation.md §4.2, architecture §3).
//!
//! One AS2 `type` an object, our class in `recordType`, every text in a language map, absent means
//! absent. Reading ignores what it does not know (the sealed bytes keep it for the proof) and is strict
//! on what it knows: the error names the property. Texts are made safe while they are read.
//!
//! Who may say what is not asked here: that is the inbox's question, and the proof's.

pub mod activity;
pub mod actor;
pub mod agreement;
pub mod author;
pub mod comment;
pub mod commitment;
pub mod consultation;
pub mod contribution;
pub mod decision;
pub mod disposition;
pub mod document;
pub mod envelope;
mod fragment;
pub mod meeting;
pub mod money;
pub mod personal_data;
pub mod phase;
pub mod place;
pub mod poll;
pub mod progress;
pub mod project;
pub mod proof;
pub mod receipt;
pub mod replies;
pub mod response;
pub mod result;
pub mod scalar;
pub mod source;
pub mod tally;
mod text;
pub mod theme;
pub mod titled;
pub mod tombstone;
pub mod topic;

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::envelope::Envelope;
use crate::domain::agreement::DataUseAgreement;
use crate::domain::digest::Digest;
use crate::domain::receipt::{DeliveryReceipt, PurgeReceipt};
use crate::domain::record::{Body, ModerationState, Record};
use crate::domain::tally::SupportTally;
use crate::domain::tombstone::Tombstone;
use crate::domain::{ActorId, Class, RecordId};

/// The context of ActivityStreams 2.0.
pub const AS2: &str = "https://www.w3.org/ns/activitystreams";
/// The context of Data Integrity proofs.
pub const DATA_INTEGRITY: &str = "https://w3id.org/security/data-integrity/v2";
/// The collection of everybody.
pub const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
/// Deepest embedding of nodes in a record; the record is level 1 (participation.md §4.8).
const MAX_NODES_DEEP: usize = 8;

/// A document that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct WireError {
    /// The property, for example `supportTally[0].countedAt`.
    pub path: String,
    /// What is wrong with it, in one sentence.
    pub reason: String,
}

impl WireError {
    fn new(path: impl fmt::Display, reason: impl fmt::Display) -> Self {
        let short = |text: String| text.chars().filter(|c| !c.is_control()).take(300).collect();
        Self { path: short(path.to_string()), reason: short(reason.to_string()) }
    }
}

/// A record as it is written: envelope and body side by side in one object.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Whole<B> {
    /// What every record carries.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// What this class adds.
    #[serde(flatten)]
    pub body: B,
}

/// The three contexts of a document of `authority`; the third is its own copy of ours.
#[must_use]
pub fn contexts(authority: &ActorId) -> Vec<String> {
    let mut ours = authority.url().clone();
    ours.set_path("/ns/v1");
    ours.set_query(None);
    ours.set_fragment(None);
    vec![AS2.to_owned(), DATA_INTEGRITY.to_owned(), ours.into()]
}

/// One revision of a record, unsigned, after the revision with digest `previous`.
#[must_use]
pub fn record_to_json(record: &Record, previous: Option<&Digest>) -> Value {
    fn whole<B: Serialize>(envelope: Envelope, body: B) -> Value {
        to_value(&Whole { envelope, body })
    }
    let envelope = Envelope::of(record, previous);
    match &record.body {
        Body::Consultation(body) => whole(envelope, consultation::Consultation::of(record, body)),
        Body::Contribution(body) => whole(envelope, contribution::Contribution::of(record, body)),
        Body::Comment(body) => whole(envelope, comment::Comment::of(body)),
        Body::Disposition(body) => whole(envelope, disposition::Disposition::of(body)),
        Body::OfficialResponse(body) => whole(envelope, response::OfficialResponse::of(body)),
        Body::Meeting(body) => whole(envelope, meeting::Meeting::of(record, body)),
        Body::BudgetProject(body) => whole(envelope, project::BudgetProject::of(body)),
        Body::Poll(body) => whole(envelope, poll::Poll::of(record, body)),
        Body::Decision(body) => whole(envelope, decision::Decision::of(record, body)),
        Body::Commitment(body) => whole(envelope, commitment::Commitment::of(record, body)),
        Body::Result(body) => whole(envelope, result::WorkResult::of(body)),
        Body::ProgressUpdate(body) => whole(envelope, progress::ProgressUpdate::of(record, body)),
        Body::Document(body) => whole(envelope, document::Document::of(record, body)),
    }
}

/// Reads a record, and the digest of its previous revision.
///
/// # Errors
/// [`WireError`] names the first property that is not acceptable.
pub fn record_from_json(value: &Value) -> Result<(Record, Option<Digest>), WireError> {
    if depth_of_nodes(value) > MAX_NODES_DEEP {
        return Err(WireError::new(".", format_args!("nodes embedded deeper than {MAX_NODES_DEEP} levels")));
    }
    let class = class_of(value)?;
    let envelope: Envelope = read(value)?;
    let visible = envelope.moderation_state != Some(ModerationState::Hidden);
    let body = match class {
        Class::Consultation => {
            let body: consultation::Consultation = read(value)?;
            Body::Consultation(body.read(&envelope.id, &envelope.original_language)?)
        }
        Class::Contribution => Body::Contribution(read::<contribution::Contribution>(value)?.read(visible)?),
        Class::Argument | Class::Comment => Body::Comment(read::<comment::Comment>(value)?.read()?),
        Class::Disposition => Body::Disposition(read::<disposition::Disposition>(value)?.read()),
        Class::OfficialResponse => Body::OfficialResponse(read::<response::OfficialResponse>(value)?.read()?),
        Class::Meeting => Body::Meeting(read::<meeting::Meeting>(value)?.read(&envelope.original_language)?),
        Class::BudgetProject => Body::BudgetProject(read::<project::BudgetProject>(value)?.read()?),
        Class::Poll => Body::Poll(read::<poll::Poll>(value)?.read(&envelope.original_language, visible)?),
        Class::Decision => Body::Decision(read::<decision::Decision>(value)?.read(&envelope.original_language)?),
        Class::Commitment => Body::Commitment(read::<commitment::Commitment>(value)?.read(&envelope.id, visible)?),
        Class::Result => Body::Result(read::<result::WorkResult>(value)?.read()?),
        Class::ProgressUpdate => Body::ProgressUpdate(read::<progress::ProgressUpdate>(value)?.read(visible)?),
        Class::Document => Body::Document(read::<document::Document>(value)?.read(&envelope.id)?),
    };
    envelope.read(body)
}

/// The class that a record says it is of.
///
/// # Errors
/// When `recordType` is missing or no class of ours.
pub fn class_of(value: &Value) -> Result<Class, WireError> {
    let word = value.get("recordType").and_then(Value::as_str);
    let word = word.ok_or_else(|| WireError::new("recordType", "a record names its class in one string"))?;
    word.parse().map_err(|error| WireError::new("recordType", error))
}

/// Whether a document is a tombstone.
#[must_use]
pub fn is_tombstone(value: &Value) -> bool {
    value.get("type").and_then(Value::as_str) == Some("Tombstone")
}

/// A tombstone, unsigned.
#[must_use]
pub fn tombstone_to_json(tombstone: &Tombstone) -> Value {
    to_value(&tombstone::Tombstone::of(tombstone))
}

/// Reads a tombstone.
///
/// # Errors
/// As for [`record_from_json`].
pub fn tombstone_from_json(value: &Value) -> Result<Tombstone, WireError> {
    read::<tombstone::Tombstone>(value)?.read()
}

/// A delivery receipt, unsigned.
///
/// # Errors
/// When one of its addresses is no address.
pub fn delivery_receipt_to_json(receipt: &DeliveryReceipt) -> Result<Value, WireError> {
    receipt::DeliveryReceipt::of(receipt).map(|document| to_value(&document)).ok_or_else(no_address)
}

/// Reads a delivery receipt.
///
/// # Errors
/// As for [`record_from_json`].
pub fn delivery_receipt_from_json(value: &Value) -> Result<DeliveryReceipt, WireError> {
    Ok(read::<receipt::DeliveryReceipt>(value)?.read())
}

/// A purge receipt, unsigned.
///
/// # Errors
/// When one of its addresses is no address.
pub fn purge_receipt_to_json(receipt: &PurgeReceipt) -> Result<Value, WireError> {
    receipt::PurgeReceipt::of(receipt).map(|document| to_value(&document)).ok_or_else(no_address)
}

/// Reads a purge receipt.
///
/// # Errors
/// As for [`record_from_json`].
pub fn purge_receipt_from_json(value: &Value) -> Result<PurgeReceipt, WireError> {
    Ok(read::<receipt::PurgeReceipt>(value)?.read())
}

/// An agreement, unsigned.
#[must_use]
pub fn agreement_to_json(agreement: &DataUseAgreement) -> Value {
    to_value(&agreement::DataUseAgreement::of(agreement))
}

/// Reads an agreement.
///
/// # Errors
/// As for [`record_from_json`].
pub fn agreement_from_json(value: &Value) -> Result<DataUseAgreement, WireError> {
    read::<agreement::DataUseAgreement>(value)?.read()
}

fn no_address() -> WireError {
    WireError::new("id", "an address in the receipt is not an absolute http(s) address")
}

pub(super) fn to_value(document: &impl Serialize) -> Value {
    serde_json::to_value(document).expect("structs with text keys and finite numbers are always JSON")
}

/// Reads `value` as a `T`; the error says where it went wrong.
pub(super) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, WireError> {
    // Keeping track of the path copies the name of every property: done only where it has to be told.
    T::deserialize(value)
        .or_else(|_| serde_path_to_error::deserialize::<_, T>(value).map_err(|error| WireError::new(error.path(), error.inner())))
}

fn depth_of_nodes(value: &Value) -> usize {
    match value {
        Value::Object(object) => 1 + object.values().map(depth_of_nodes).max().unwrap_or(0),
        Value::Array(items) => items.iter().map(depth_of_nodes).max().unwrap_or(0),
        _ => 0,
    }
}

/// `context` repeats `process`, when it is there.
fn same_process(process: Option<&RecordId>, context: Option<&RecordId>) -> Result<(), WireError> {
    if context.is_some() && context != process {
        return Err(WireError::new("context", "not the same as `process`"));
    }
    Ok(())
}

fn tallies(nodes: &[tally::SupportTally]) -> Result<Vec<SupportTally>, WireError> {
    nodes.iter().enumerate().map(|(n, tally)| tally.read(&format!("supportTally[{n}]"))).collect()
}
