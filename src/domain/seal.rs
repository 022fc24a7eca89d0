//! The canonical signed bytes of a record, and the function that makes them.

use bytes::Bytes;

use super::digest::Digest;
use super::record::Record;
use super::time::Timestamp;
use super::tombstone::Tombstone;

/// The canonical bytes of a record (or tombstone) with its proof, and the digest of the same form
/// without the proof. Machines get the bytes untouched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// RFC 8785 canonical JSON with an `eddsa-jcs-2022` proof.
    pub bytes: Bytes,
    /// What the next revision's `previousDigest` and a receipt's `subjectDigest` repeat.
    pub digest: Digest,
}

/// Sealing failed; nothing was published.
#[derive(Debug, thiserror::Error)]
#[error("cannot seal {id}: {reason}")]
pub struct SealError {
    /// The record's address.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// Makes sealed bytes. `app` hands one to `sync`, which does not know how it is done.
pub trait Seal: Send + Sync {
    /// Seals one revision of a record after the revision with digest `previous`.
    ///
    /// # Errors
    /// When the record cannot be written canonically or the key does not sign.
    fn record(&self, record: &Record, previous: Option<&Digest>, now: Timestamp) -> Result<Sealed, SealError>;

    /// Seals the tombstone of a record.
    ///
    /// # Errors
    /// As for [`Seal::record`].
    fn tombstone(&self, tombstone: &Tombstone, now: Timestamp) -> Result<Sealed, SealError>;
}
