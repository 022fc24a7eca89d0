//! A record or tombstone that stands by itself, as on a page of a partner's stream or at its origin: is it
//! the partner's own, and does its proof hold?

use serde_json::Value;

use super::proof::{self, ProofError};
use super::verify::proof_key;
use super::wire::{self, WireError};
use crate::domain::partner::Multikey;
use crate::domain::seal::Sealed;
use crate::domain::tombstone::Tombstone;
use crate::domain::{ActorId, Record, RecordId, Timestamp};

/// What was offered.
#[derive(Debug, Clone, PartialEq)]
pub enum Offered {
    /// A revision of a record.
    Record(Box<Record>),
    /// What is left of a deleted one.
    Tombstone(Box<Tombstone>),
}

/// Why it is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// It has no id that could be a record's.
    #[error("it has no address")]
    NoId,
    /// It lives on another origin than its sender, or says that another authority owns it (R1, R2).
    #[error("{0} is not a record of its sender")]
    NotTheirs(String),
    /// There is no proof by a key that was pinned when it was made (R4, R19).
    #[error("{0} has no proof by a pinned key of its authority")]
    Unproven(String),
    /// Its proof does not hold (R4).
    #[error("{id}: {source}")]
    Proof {
        /// Which record.
        id: String,
        /// Why.
        source: ProofError,
    },
    /// It is not what its class should be.
    #[error("{id}: {source}")]
    Wire {
        /// Which record.
        id: String,
        /// Where and why.
        source: WireError,
    },
}

/// A revision of ours that was sealed earlier, read back; none when the bytes are a tombstone's.
#[must_use]
pub fn reopen(sealed: &[u8]) -> Option<Record> {
    let value = serde_json::from_slice(sealed).ok()?;
    wire::record_from_json(&value).ok().map(|(record, _)| record)
}

/// A pinned key with its id, and until when it counts if it was replaced (`verify::proof_keys`).
pub type ProofKey = (String, Multikey, Option<Timestamp>);

/// Checks that `actor` owns it and that its proof is by one of the actor's `keys`, then reads it. The bytes
/// are the canonical form, which is what was signed.
///
/// # Errors
/// [`ObjectError`] says why it is not taken.
pub fn check(item: &Value, actor: &ActorId, keys: &[ProofKey], now: Timestamp) -> Result<(Offered, Sealed), ObjectError> {
    let id: RecordId = item.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok()).ok_or(ObjectError::NoId)?;
    if !actor.owns(&id) {
        return Err(ObjectError::NotTheirs(id.to_string()));
    }
    let proof = |source| ObjectError::Proof { id: id.to_string(), source };
    let (key_id, key, until) = proof_key(keys, item).ok_or_else(|| ObjectError::Unproven(id.to_string()))?;
    let proven = proof::verify(item, key, key_id, now).map_err(proof)?;
    if until.is_some_and(|until| proven.created.is_none_or(|created| created > until)) {
        return Err(ObjectError::Unproven(id.to_string()));
    }
    let bytes = proof::canonical(item).map_err(proof)?;
    let broken = |source| ObjectError::Wire { id: id.to_string(), source };
    let (offered, authority) = if wire::is_tombstone(item) {
        let tombstone = wire::tombstone_from_json(item).map_err(broken)?;
        let authority = tombstone.authority.clone();
        (Offered::Tombstone(Box::new(tombstone)), authority)
    } else {
        let (record, _) = wire::record_from_json(item).map_err(broken)?;
        let authority = record.authority.clone();
        (Offered::Record(Box::new(record)), authority)
    };
    if authority != *actor {
        return Err(ObjectError::NotTheirs(id.to_string()));
    }
    Ok((offered, Sealed { bytes: bytes.into(), digest: proven.digest }))
}
