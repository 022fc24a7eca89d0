//! The shape of the activities that gateways exchange, for schemas, examples and their readers
//! (participation.md §4.8).
//!
//! Outgoing ones are put together around sealed bytes, and incoming ones are judged, elsewhere in
//! `federation`: this is what both agree on.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::receipt::{DeliveryReceipt, PurgeReceipt};
use super::scalar::{Address, Audience, constant, one_or_many};
use super::tombstone::Tombstone;
use super::{
    Whole, comment, commitment, consultation, contribution, decision, disposition, document, meeting, poll, progress, project,
    record_from_json, response, result,
};
use crate::domain::{ActorId, RecordId};

constant!(
    /// The context of an activity; what it carries brings its own.
    ActivityContext = "https://www.w3.org/ns/activitystreams"
);
constant!(
    /// The `type` of a follow inside another activity.
    FollowType = "Follow"
);

/// What every activity carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Head {
    /// ActivityStreams.
    #[serde(rename = "@context")]
    pub context: ActivityContext,
    /// Its address, on its actor's own host; the same at every attempt.
    #[schemars(with = "Address")]
    pub id: RecordId,
    /// Who does it.
    #[schemars(with = "Address")]
    pub actor: ActorId,
    /// Whom it is sent to.
    #[schemars(with = "Audience")]
    #[serde(deserialize_with = "one_or_many")]
    pub to: Vec<String>,
}

/// A whole sealed record, untouched.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct SealedRecord(pub Value);

impl<'de> Deserialize<'de> for SealedRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        record_from_json(&value).map_err(D::Error::custom)?;
        Ok(Self(value))
    }
}

impl JsonSchema for SealedRecord {
    fn schema_name() -> Cow<'static, str> {
        "SealedRecord".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let classes = [
            generator.subschema_for::<Whole<consultation::Consultation>>(),
            generator.subschema_for::<Whole<contribution::Contribution>>(),
            generator.subschema_for::<Whole<comment::Comment>>(),
            generator.subschema_for::<Whole<disposition::Disposition>>(),
            generator.subschema_for::<Whole<response::OfficialResponse>>(),
            generator.subschema_for::<Whole<meeting::Meeting>>(),
            generator.subschema_for::<Whole<project::BudgetProject>>(),
            generator.subschema_for::<Whole<poll::Poll>>(),
            generator.subschema_for::<Whole<decision::Decision>>(),
            generator.subschema_for::<Whole<commitment::Commitment>>(),
            generator.subschema_for::<Whole<result::WorkResult>>(),
            generator.subschema_for::<Whole<progress::ProgressUpdate>>(),
            generator.subschema_for::<Whole<document::Document>>(),
        ];
        json_schema!({ "oneOf": classes })
    }
}

/// A receipt that comes with an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Receipt {
    /// "We have erased it."
    Purge(Box<PurgeReceipt>),
    /// "We refused it", with the reasons.
    Delivery(Box<DeliveryReceipt>),
}

/// What a `Delete` names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Deleted {
    /// What is left of a record.
    Record(Box<Tombstone>),
    /// The sender's own actor.
    Actor(#[schemars(with = "Address")] ActorId),
}

/// A whole follow inside what takes it back or answers it; servers of the Fediverse look for it there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WholeFollow {
    /// Its address.
    #[schemars(with = "Address")]
    pub id: RecordId,
    /// Always `Follow`.
    #[serde(rename = "type")]
    pub node_type: FollowType,
    /// Who follows.
    #[schemars(with = "Address")]
    pub actor: ActorId,
    /// Who is followed.
    #[schemars(with = "Address")]
    pub object: ActorId,
}

/// An activity with its object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct With<O> {
    /// What every activity carries.
    #[serde(flatten)]
    pub head: Head,
    /// What it is about.
    pub object: O,
}

/// What an answer names: an activity of the addressee, its whole Follow, or its record whose copy has expired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Answered {
    /// By its address.
    Address(#[schemars(with = "Address")] RecordId),
    /// A follow.
    Follow(Box<WholeFollow>),
}

/// An answer to an activity of the addressee.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// What every activity carries.
    #[serde(flatten)]
    pub head: Head,
    /// What is answered.
    pub object: Answered,
    /// The receipt that says what became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Receipt>,
}

/// A follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Follow {
    /// What every activity carries.
    #[serde(flatten)]
    pub head: Head,
    /// Who is followed.
    #[schemars(with = "Address")]
    pub object: ActorId,
}

/// The activities that gateways exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum Activity {
    /// A record is new to the addressee.
    Create(With<SealedRecord>),
    /// A later revision.
    Update(With<SealedRecord>),
    /// A record is gone.
    Delete(With<Deleted>),
    /// "Send me what is public."
    Follow(Follow),
    /// Yes; with a receipt when it answers a `Delete`.
    Accept(Answer),
    /// No; with a receipt that says why.
    Reject(Answer),
    /// A follow ends.
    Undo(With<WholeFollow>),
}
