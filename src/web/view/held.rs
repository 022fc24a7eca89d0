//! A record as the pages see it: our own, or a copy of a partner's, in one shape.

use crate::domain::contribution::AuthorState;
use crate::domain::digest::Digest;
use crate::domain::id::{Class, PartnerDomain, RecordId, Revision};
use crate::domain::record::Record;
use crate::domain::time::Timestamp;

/// What a visitor may see of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// All of it.
    Live,
    /// That it exists and is hidden (200, never 410).
    Hidden,
    /// That it existed (410).
    Deleted,
}

/// Whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Ours.
    Ours,
    /// A partner's; we hold a copy.
    Partner(CopyFacts),
}

/// What the banner of a copy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyFacts {
    /// The partner.
    pub domain: PartnerDomain,
    /// When we received this revision.
    pub received_at: Timestamp,
    /// When its origin last confirmed it.
    pub confirmed_at: Timestamp,
}

/// One record, own or copied.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its permanent address at its authority.
    pub id: RecordId,
    /// Its class.
    pub class: Class,
    /// Its consultation.
    pub process: Option<RecordId>,
    /// What it hangs on.
    pub parent: Option<RecordId>,
    /// Its revision.
    pub revision: Revision,
    /// What people read as "version n", where it is known (architecture §4.9).
    pub version: Option<u32>,
    /// What may be seen of it.
    pub standing: Standing,
    /// What it says; absent once deleted.
    pub record: Option<Record>,
    /// Digest of the revision.
    pub digest: Digest,
    /// When it last changed here.
    pub changed_at: Timestamp,
    /// Whose it is.
    pub origin: Origin,
}

impl Held {
    /// What it says, when a visitor may read it.
    #[must_use]
    pub fn visible(&self) -> Option<&Record> {
        (self.standing == Standing::Live).then_some(self.record.as_ref()).flatten().filter(|record| record.is_visible())
    }

    /// When it was first published, or else when it last changed here.
    #[must_use]
    pub fn dated(&self) -> Timestamp {
        self.record.as_ref().and_then(|record| record.published).unwrap_or(self.changed_at)
    }

    /// Whether its author took it back.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        self.record.as_ref().and_then(|record| record.body.author_state()) == Some(AuthorState::Withdrawn)
    }

    /// Whether it is a copy.
    #[must_use]
    pub const fn is_copy(&self) -> bool {
        matches!(self.origin, Origin::Partner(_))
    }
}
