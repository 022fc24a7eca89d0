//! What the next revision of one record is, given what is stored and what the source says now. Pure.

use crate::domain::change::ChangeKind;
use crate::domain::digest::{Digest, DigestSalt};
use crate::domain::record::Body;
use crate::domain::{Record, Timestamp};
use crate::mapping::{same_content, same_words};
use crate::store::{Standing, StoredRecord};

/// A revision to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Next {
    pub record: Record,
    pub kind: ChangeKind,
    /// Whether a reader would see a difference other than in counts (architecture §4.9).
    pub material: bool,
}

/// The revision that a draft makes; `None` when the stored one says the same.
pub(super) fn revise(stored: Option<&StoredRecord>, draft: Record, now: Timestamp, salt: DigestSalt) -> Option<Next> {
    let mut record = draft;
    let said = record.updated.take();
    let citizens_words = record.personal_data.is_some();
    let Some(stored) = stored else {
        record.revision = 1;
        record.salt = citizens_words.then_some(salt);
        return Some(Next { record, kind: ChangeKind::Created, material: true });
    };
    record.revision = stored.revision + 1;
    if let Some(before) = &stored.record {
        keep_identity(before, &mut record);
    }
    let before = match (&stored.record, stored.standing) {
        (Some(before), Standing::Live) => before,
        // What was hidden or deleted and is public again is restored by a new revision (§4.6).
        (_, standing) => {
            record.updated = Some(now);
            record.salt = citizens_words.then_some(salt);
            let kind = if standing == Standing::Deleted { ChangeKind::Created } else { ChangeKind::Updated };
            return Some(Next { record, kind, material: true });
        }
    };
    if same_content(before, &record) {
        return None;
    }
    let material = !same_words(before, &record);
    record.updated = if material { Some(moved(before, said, now)) } else { before.updated };
    // The salt of words that have left must not stay with the digests that are kept of them.
    let taken_back = record.takes_words_back() && !before.takes_words_back();
    let words_left = taken_back || (before.content.is_some() && record.content.is_none());
    record.salt = match (&before.salt, citizens_words) {
        (_, false) => None,
        (Some(kept), true) if !words_left => Some(kept.clone()),
        _ => Some(salt),
    };
    Some(Next { record, kind: ChangeKind::Updated, material })
}

/// The stored record of a document, with where the platform keeps its file now, when that is another
/// place than before. Not a revision: it is not signed (architecture §4.7).
pub(super) fn moved_file(stored: Option<&StoredRecord>, draft: &Record) -> Option<Record> {
    let stored = stored.filter(|stored| stored.standing == Standing::Live)?;
    let mut record = stored.record.clone()?;
    let (Body::Document(before), Body::Document(said)) = (&mut record.body, &draft.body) else { return None };
    if before.file == said.file {
        return None;
    }
    before.file.clone_from(&said.file);
    Some(record)
}

/// What a record is never changes, or every partner refuses its next revision (SEC-059). Its first
/// publication stays what it was, although Decidim dates a process anew that was unpublished for a while.
/// A comment that would begin to take a side, or cease to, keeps its stance; no platform that we know lets
/// anybody do that.
fn keep_identity(before: &Record, record: &mut Record) {
    record.published = before.published.or(record.published);
    if let (Body::Comment(before), Body::Comment(after)) = (&before.body, &mut record.body)
        && before.class() != after.class()
    {
        after.stance = before.stance;
    }
}

/// The revision that hides a record.
pub(super) fn hide(stored: &StoredRecord, now: Timestamp) -> Option<Next> {
    let before = stored.record.as_ref().filter(|_| stored.standing == Standing::Live)?;
    let mut record = before.clone().hidden();
    record.revision = stored.revision + 1;
    record.updated = Some(now);
    record.salt = None;
    Some(Next { record, kind: ChangeKind::Updated, material: true })
}

/// When a reader's version changed: when the source says so, if that is later than what was known.
fn moved(before: &Record, said: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let known = before.updated.max(before.published);
    said.filter(|said| Some(*said) > known && *said <= now).unwrap_or(now)
}

/// Binds a judgement or an answer to the revision it was made on. While it says what it said, it keeps
/// what it was bound to; a new one is bound to the contribution as it was known before, and to nothing
/// when the two were first seen together or the words changed at the same time (§4.9).
pub(super) fn bind(draft: &mut Record, stored: Option<&StoredRecord>, subject: Option<&Digest>) {
    let before = stored.filter(|stored| stored.standing == Standing::Live).and_then(|stored| stored.record.as_ref());
    let digest = match before {
        Some(before) if same_words(before, draft) => bound_to(before).cloned(),
        _ => subject.cloned(),
    };
    match &mut draft.body {
        Body::Disposition(body) => body.subject_digest = digest,
        Body::OfficialResponse(body) => body.subject_digest = digest,
        _ => {}
    }
}

fn bound_to(record: &Record) -> Option<&Digest> {
    match &record.body {
        Body::Disposition(body) => body.subject_digest.as_ref(),
        Body::OfficialResponse(body) => body.subject_digest.as_ref(),
        _ => None,
    }
}
