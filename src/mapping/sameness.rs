//! Comparing what a record says now with what it said before.

use std::time::Duration;

use crate::domain::record::Body;
use crate::domain::tally::SupportTally;
use crate::domain::{Record, Timestamp};

/// Whether two revisions say the same, counts and coverage included.
#[must_use]
pub fn same_content(one: &Record, other: &Record) -> bool {
    still(one.clone()) == still(other.clone())
}

/// Whether a reader would see no difference but in counts (architecture §4.9).
#[must_use]
pub fn same_words(one: &Record, other: &Record) -> bool {
    uncounted(one.clone()) == uncounted(other.clone())
}

/// The record without what changes by itself: revision, salt, times of reading and of change, and what
/// an answer is bound to (that is decided when it is written).
fn still(mut record: Record) -> Record {
    record.revision = 0;
    record.updated = None;
    record.salt = None;
    if let Some(source) = &mut record.source {
        source.retrieved_at = timeless(source.retrieved_at);
    }
    let uncount = |tally: &mut SupportTally| tally.counted_at = timeless(tally.counted_at);
    record.body.tallies_mut().into_iter().flatten().for_each(uncount);
    match &mut record.body {
        Body::Disposition(body) => body.subject_digest = None,
        Body::OfficialResponse(body) => body.subject_digest = None,
        Body::Document(body) => body.file = None,
        Body::Poll(body) => body.counted_at = timeless(body.counted_at),
        _ => {}
    }
    record
}

fn uncounted(record: Record) -> Record {
    let mut record = still(record);
    record.mapping = None;
    record.body.uncount_comments();
    if let Some(tallies) = record.body.tallies_mut() {
        tallies.clear();
    }
    if let Body::Poll(body) = &mut record.body {
        body.options.iter_mut().for_each(|option| option.total = None);
        body.electorate = None;
    }
    record
}

/// The same instant for every instant: the first one there is.
fn timeless(instant: Timestamp) -> Timestamp {
    instant.minus(Duration::MAX)
}
