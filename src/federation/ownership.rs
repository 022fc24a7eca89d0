//! Whether the sender may say this about what we hold: the part of step 8a that looks into the store,
//! and that the worker asks again (SEC-026, SEC-056 … 061).
//!
//! Who owns an id is structural: our records and the copies of others lie in different tables, and a
//! copy's authority never changes.

use crate::domain::digest::Digest;
use crate::domain::partner::Partner;
use crate::domain::{Body, Record, RecordId};
use crate::store::{CopyStanding, StoredCopy};

use super::incoming::{Asked, Incoming};
use super::refusal::{Code, Refusal};

/// What the store says about an activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It may be kept.
    May,
    /// It may not.
    MayNot(Refusal),
    /// It contradicts what the sender said before under the same revision; the copy is to be frozen.
    Contradicts(Refusal),
}

/// Whether `partner` may say this of what we hold as `copy`. `record` is the embedded record, once read.
#[must_use]
pub fn check(incoming: &Incoming, record: Option<&Record>, partner: &Partner, copy: Option<&StoredCopy>) -> Standing {
    match (of(copy, partner), &incoming.asked, record) {
        (Standing::May, Asked::Hold(offered), Some(record)) => against(copy, &offered.written.digest(), record),
        (standing, ..) => standing,
    }
}

/// Whether what is held is `partner`'s at all.
#[must_use]
pub fn of(copy: Option<&StoredCopy>, partner: &Partner) -> Standing {
    match copy {
        Some(copy) if copy.authority != partner.actor || copy.domain != partner.domain => {
            Standing::MayNot(Refusal::new(Code::NotOwner, "we hold this record as another authority's"))
        }
        _ => Standing::May,
    }
}

/// Whether a revision may be said at all, and agrees with what is held of its record.
#[must_use]
pub fn against(copy: Option<&StoredCopy>, digest: &Digest, record: &Record) -> Standing {
    if let Some(subject) = foreign_subject(record) {
        let why = format_args!("an authority judges and answers what it publishes itself, not {subject}");
        return Standing::MayNot(Refusal::new(Code::NotOwner, why));
    }
    let Some(copy) = copy else { return Standing::May };
    let living = matches!(copy.standing, CopyStanding::Live | CopyStanding::Hidden | CopyStanding::Frozen);
    if living && copy.revision == record.revision && copy.digest != *digest {
        let both = format_args!("revision {} is {}, not {digest}", record.revision, copy.digest);
        return Standing::Contradicts(Refusal::new(Code::Equivocation, both));
    }
    match copy.record.as_ref().and_then(|held| changed(held, record)) {
        Some(property) => {
            let why = format_args!("{property} of a record never changes; a new record says something new");
            Standing::MayNot(Refusal::new(Code::Immutable, why))
        }
        None => Standing::May,
    }
}

/// What an official word is about that is not on its authority's own origin (SEC-057): no city takes
/// contributions of another into its process yet, so nobody else's treatment or answer means anything, and
/// nobody holds meetings in, counts projects of, or reports on another city's process.
fn foreign_subject(record: &Record) -> Option<&RecordId> {
    let subjects = match &record.body {
        Body::Disposition(body) => std::slice::from_ref(&body.subject),
        Body::OfficialResponse(body) => body.responds_to.as_slice(),
        Body::BudgetProject(body) => std::slice::from_ref(&body.process),
        Body::Result(body) => body.result_of.as_slice(),
        Body::ProgressUpdate(body) => std::slice::from_ref(&body.in_reply_to),
        Body::Meeting(_) | Body::Poll(_) | Body::Decision(_) | Body::Commitment(_) | Body::Document(_) => &[],
        Body::Consultation(_) | Body::Contribution(_) | Body::Comment(_) => return None,
    };
    let placed = [Some(record.process()), record.parent()].into_iter().flatten();
    subjects.iter().chain(placed).find(|subject| !record.authority.owns(subject))
}

/// The property that may not differ between two revisions of one record, but does (SEC-059).
fn changed(held: &Record, offered: &Record) -> Option<&'static str> {
    if held.authority != offered.authority {
        return Some("attributedTo");
    }
    if held.class() != offered.class() {
        return Some("recordType");
    }
    if held.process() != offered.process() {
        return Some("process");
    }
    // Not dropped either, or it would come back as another; but taking words back is never hindered.
    let dropped_with_the_words = offered.published.is_none() && offered.takes_words_back();
    if held.published.is_some() && held.published != offered.published && !dropped_with_the_words {
        return Some("published");
    }
    match (&held.body, &offered.body) {
        (Body::Comment(before), Body::Comment(after)) if before.in_reply_to != after.in_reply_to => Some("inReplyTo"),
        (Body::Disposition(before), Body::Disposition(after)) if before.subject != after.subject => Some("subject"),
        (Body::ProgressUpdate(before), Body::ProgressUpdate(after)) if before.in_reply_to != after.in_reply_to => {
            Some("inReplyTo")
        }
        (Body::Document(before), Body::Document(after)) if before.attached_to != after.attached_to => Some("inReplyTo"),
        _ => None,
    }
}
