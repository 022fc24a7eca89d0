//! The canonical signed bytes of our records: written, signed, digested, and read back. Pure but for the key.

use crate::domain::digest::Digest;
use crate::domain::seal::{Seal, SealError, Sealed};
use crate::domain::tombstone::Tombstone;
use crate::domain::{Record, Timestamp};

use super::keys::Keys;
use super::proof::{self, ProofError};
use super::wire;

/// Seals with the keys of one authority.
#[derive(Debug, Clone)]
pub struct Sealer {
    keys: Keys,
}

impl Sealer {
    /// A sealer with these keys.
    #[must_use]
    pub const fn new(keys: Keys) -> Self {
        Self { keys }
    }

    fn seal(&self, id: &str, document: serde_json::Value, now: Timestamp) -> Result<Sealed, SealError> {
        let signed = proof::sign(document, &self.keys, now);
        let signed = signed.map_err(|error: ProofError| SealError { id: id.to_owned(), reason: error.to_string() })?;
        Ok(Sealed { bytes: signed.bytes, digest: signed.digest })
    }
}

impl Seal for Sealer {
    fn record(&self, record: &Record, previous: Option<&Digest>, now: Timestamp) -> Result<Sealed, SealError> {
        let id = record.id.as_str();
        // A record of another authority is never sealed with our key (R1).
        if record.authority != *self.keys.actor() {
            return Err(SealError { id: id.to_owned(), reason: "it belongs to another authority".to_owned() });
        }
        self.seal(id, wire::record_to_json(record, previous), now)
    }

    fn tombstone(&self, tombstone: &Tombstone, now: Timestamp) -> Result<Sealed, SealError> {
        let id = tombstone.id.as_str();
        if tombstone.authority != *self.keys.actor() {
            return Err(SealError { id: id.to_owned(), reason: "it belongs to another authority".to_owned() });
        }
        self.seal(id, wire::tombstone_to_json(tombstone), now)
    }
}

/// A revision of ours that was sealed earlier, read back; none when the bytes are a tombstone's.
#[must_use]
pub fn reopen(sealed: &[u8]) -> Option<Record> {
    let value = serde_json::from_slice(sealed).ok()?;
    wire::record_from_json(&value).ok().map(|(record, _)| record)
}
