//! One judgement for every way on which a partner's records come: pushed into the inbox, read from its
//! stream, or asked for at their origin.
//!
//! Whose it is and whether it means one thing is asked by `incoming`, without the store. Here the record
//! is read, its proof is checked with the keys that were pinned when it was made (R4, R19), and it is held
//! against what we have: an owner never changes, nor do the properties that make a record this one
//! (SEC-059), and a revision stands behind the one before (R5). Pure; what to do with an [`Objection`] is
//! the caller's question, but what is held never changes by one, apart from a contradiction, which freezes, and
//! from words that are taken back.

use std::borrow::Borrow;

use serde_json::Value;

use super::incoming::{Alone, Offered};
use super::ownership::{self, Standing};
use super::proof::Written;
use super::refusal::{Code, Refusal};
use super::verify::proof_key;
use super::wire;
use crate::domain::digest::Digest;
use crate::domain::partner::{Multikey, Partner};
use crate::domain::seal::Sealed;
use crate::domain::tombstone::Tombstone;
use crate::domain::{Record, RecordId, Timestamp};
use crate::store::{AuditEntry, CopyWrite, StoredCopy};

/// A pinned key with its id, and until when it counts if it was replaced (`verify::proof_keys`).
pub type ProofKey = (String, Multikey, Option<Timestamp>);

/// The word for a revision that does not stand behind the one that is held.
const CHAIN: &str = "chain";

/// Longest address of a record that is kept, in bytes: two of them stand in one row of an index, which PostgreSQL
/// limits to a third of a page.
const MAX_ADDRESS: usize = 1024;

/// Why an object is not taken.
#[derive(Debug, Clone, PartialEq)]
pub enum Objection {
    /// Its class is none of ours: ignored, not guessed.
    Unknown,
    /// Its sender may not say this; final.
    Refused(Refusal),
    /// It has another content under a revision that is held: written all the same, it freezes the copy.
    Contradicts(Box<CopyWrite>, Refusal),
    /// Proven, but it does not stand behind what is held; written all the same, because it takes words back.
    TakesBack(Box<CopyWrite>, &'static str),
    /// It cannot be believed as it is: a stable word, and a sentence for the person who looks at it.
    SetAside(&'static str, String),
}

impl Objection {
    /// A stable word for what is wrong.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Unknown => "unknown-class",
            Self::Refused(refusal) | Self::Contradicts(_, refusal) => refusal.code().word(),
            Self::TakesBack(..) => CHAIN,
            Self::SetAside(word, _) => word,
        }
    }

    /// What is wrong, in a sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Unknown => "not a class that this gateway knows",
            Self::Refused(refusal) | Self::Contradicts(_, refusal) => refusal.detail(),
            Self::TakesBack(_, problem) => problem,
            Self::SetAside(_, problem) => problem,
        }
    }
}

/// What an object that stands by itself is.
#[derive(Debug, Clone, PartialEq)]
pub enum Judged {
    /// A revision to be offered to the register of its record.
    Hold(Box<CopyWrite>),
    /// What is left of a record that its owner deleted.
    Bury(Box<Tombstone>, Sealed),
}

/// An object that stands by itself, as far as it can be judged without what is held of it: everything that
/// takes time.
#[derive(Debug, Clone, PartialEq)]
pub enum Read {
    /// A revision.
    Hold(Revision),
    /// What is left of a record; its bytes, if its proof holds.
    Bury(Box<Tombstone>, Result<Sealed, Objection>),
}

/// A revision of a record of `partner`, as far as it can be judged without what is held of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    record: Box<Record>,
    previous: Option<Digest>,
    digest: Digest,
    /// Its bytes, if its proof holds. That is told only after whose the record is.
    sealed: Result<Sealed, Objection>,
}

/// Judges an object from a page or from its origin. `copy` is what is held of it.
///
/// # Errors
/// [`Objection`].
pub fn judge(
    alone: &Alone,
    partner: &Partner,
    keys: &[ProofKey],
    copy: Option<&StoredCopy>,
    now: Timestamp,
) -> Result<Judged, Objection> {
    read(alone, partner, keys, now)?.against(partner, copy, now)
}

/// Reads an object that stands by itself, and checks its proof.
///
/// # Errors
/// [`Objection`]; others are told by [`Read::against`], which knows what is held.
pub fn read(alone: &Alone, partner: &Partner, keys: &[ProofKey], now: Timestamp) -> Result<Read, Objection> {
    match alone {
        Alone::Hold(offered) => revision(offered, partner, keys, now).map(Read::Hold),
        Alone::Erase(erasure) => {
            let document = erasure.tombstone.as_ref().ok_or_else(|| set_aside(Code::InvalidRecord.word(), "it is only an id"))?;
            let tombstone = wire::tombstone_from_json(document).map_err(|error| set_aside(Code::InvalidRecord.word(), error))?;
            if tombstone.authority != partner.actor || tombstone.id != erasure.id {
                return Err(Objection::Refused(Refusal::new(Code::NotOwner, "the tombstone is not its sender's")));
            }
            let written = Written::read(document).map_err(|error| set_aside("proof", error));
            Ok(Read::Bury(Box::new(tombstone), written.and_then(|written| sealed(&written, keys, now))))
        }
    }
}

impl Read {
    /// Holds it against what is held.
    ///
    /// # Errors
    /// [`Objection`].
    pub fn against(self, partner: &Partner, copy: Option<&StoredCopy>, now: Timestamp) -> Result<Judged, Objection> {
        match self {
            Self::Hold(revision) => revision.against(partner, copy, now).map(|write| Judged::Hold(Box::new(write))),
            Self::Bury(tombstone, sealed) => {
                may(ownership::of(copy, partner))?;
                Ok(Judged::Bury(tombstone, sealed?))
            }
        }
    }
}

/// Reads one revision of a record, however it came, and checks its proof.
///
/// # Errors
/// [`Objection`]; others are told by [`Revision::against`], which knows what is held.
pub fn revision(offered: &Offered, partner: &Partner, keys: &[ProofKey], now: Timestamp) -> Result<Revision, Objection> {
    let document = offered.written.document();
    if wire::class_of(document).is_err() {
        return Err(Objection::Unknown);
    }
    let (record, previous) = wire::record_from_json(document).map_err(|error| set_aside(Code::InvalidRecord.word(), error))?;
    if record.authority != partner.actor || record.id != offered.id {
        return Err(Objection::Refused(Refusal::new(Code::NotOwner, "the record does not belong to its sender")));
    }
    let named = [Some(&record.id), Some(record.process()), record.parent()];
    if named.into_iter().flatten().any(|id| id.as_str().len() > MAX_ADDRESS) {
        let problem = format!("its address, that of its consultation or of what it hangs on is longer than {MAX_ADDRESS} bytes");
        return Err(set_aside(Code::InvalidRecord.word(), problem));
    }
    let (record, digest) = (Box::new(record), offered.written.digest());
    Ok(Revision { record, previous, digest, sealed: sealed(&offered.written, keys, now) })
}

impl Revision {
    /// Holds it against what is held.
    ///
    /// # Errors
    /// [`Objection`].
    pub fn against(self, partner: &Partner, copy: Option<&StoredCopy>, now: Timestamp) -> Result<CopyWrite, Objection> {
        may(ownership::of(copy, partner))?;
        let Self { record, previous, digest, sealed } = self;
        let sealed = sealed?;
        let write = |record| CopyWrite { domain: partner.domain.clone(), record, sealed, at: now };
        match ownership::against(copy, &digest, &record) {
            Standing::May => {}
            Standing::MayNot(refusal) => return Err(Objection::Refused(refusal)),
            Standing::Contradicts(refusal) => return Err(Objection::Contradicts(Box::new(write(*record)), refusal)),
        }
        match follows(copy, &record, previous.as_ref()) {
            Ok(()) => Ok(write(*record)),
            Err(problem) if record.takes_words_back() => Err(Objection::TakesBack(Box::new(write(*record)), problem)),
            Err(problem) => Err(set_aside(CHAIN, problem)),
        }
    }
}

/// What a person must know of two contents under one revision.
#[must_use]
pub fn equivocation(partner: &Partner, id: &RecordId, objection: &Objection, at: Timestamp) -> AuditEntry {
    let detail = objection.detail().to_owned();
    tracing::error!(target: "security", partner = %partner.domain, subject = %id, detail, "equivocation");
    let (who, subject) = (partner.domain.to_string(), id.to_string());
    AuditEntry { at, who, action: "equivocation".to_owned(), subject, detail }
}

fn set_aside(word: &'static str, problem: impl std::fmt::Display) -> Objection {
    Objection::SetAside(word, problem.to_string())
}

fn may(standing: Standing) -> Result<(), Objection> {
    match standing {
        Standing::May => Ok(()),
        Standing::MayNot(refusal) | Standing::Contradicts(refusal) => Err(Objection::Refused(refusal)),
    }
}

/// The bytes and the digest of a document whose proof is by its authority, made while the key was valid. The
/// bytes are the canonical form, which is what was signed.
fn sealed(written: &Written<impl Borrow<Value>>, keys: &[ProofKey], now: Timestamp) -> Result<Sealed, Objection> {
    let Some((key_id, key, until)) = proof_key(keys, written.document()) else {
        return Err(set_aside("proof", "there is no proof by a pinned key of its authority"));
    };
    let proven = written.verify(key, key_id, now).map_err(|error| set_aside("proof", error))?;
    if until.is_some_and(|until| proven.created.is_none_or(|created| created > until)) {
        return Err(set_aside("proof", "it was proven with a key after that key was replaced"));
    }
    let bytes = written.bytes().map_err(|error| set_aside(Code::InvalidRecord.word(), error))?;
    Ok(Sealed { bytes, digest: proven.digest })
}

/// Whether a revision stands behind the one that is held (R5). A gap cannot be checked and is none of
/// our business: the highest revision wins.
fn follows(copy: Option<&StoredCopy>, record: &Record, previous: Option<&Digest>) -> Result<(), &'static str> {
    if record.revision > 1 && previous.is_none() {
        return Err("a later revision names no previous one");
    }
    match (copy, previous) {
        (Some(copy), Some(previous)) if copy.revision + 1 == record.revision && copy.digest != *previous => {
            Err("the revision before is another than the one that is held")
        }
        _ => Ok(()),
    }
}
