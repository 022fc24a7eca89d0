//! `/actor/records`: what a partner may have of our records, page by page, in its own order of change
//! (architecture §1).
//!
//! Each item is a whole sealed record or tombstone, so a page needs one signature of the reader and none
//! of ours. What stands on a page is written into the ledger before its first byte leaves; a signed
//! request for `next` says that the page before it was kept, and those before that one. `next` stands on the
//! last page too: asked again later it brings what is new. `ahead`, on a page that is full, is the same page
//! for whoever has not kept this one yet, nor the five before it: asking for it says nothing of them, only of
//! those before.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::Federation;
use crate::domain::PartnerDomain;
use crate::domain::partner::{FollowState, Partner, PartnerKind};
use crate::store::StoreError;
use crate::store::stream::{NotAPlace, StreamCursor, StreamItem, StreamRequest};

/// Records on one page.
const PER_PAGE: u32 = 100;
/// The bytes of a page stay below what a partner reads of a document (1 MiB), whatever its records say.
const MAX_BYTES: usize = 900 * 1024;
/// When a partner does not come back for the next page, what it had not acknowledged is pushed after this.
const PUSH_AFTER: Duration = Duration::from_mins(15);

/// Which page is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The cursor; none for the first page.
    pub after: Option<&'a str>,
    /// The pages before it may not be kept yet ([`READ_AHEAD`](crate::store::stream::READ_AHEAD)).
    pub ahead: bool,
}

impl<'a> Asked<'a> {
    /// As the query of an address says.
    #[must_use]
    pub fn of(pairs: &'a [(Cow<'a, str>, Cow<'a, str>)]) -> Self {
        let find = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_ref());
        Self { after: find("after"), ahead: find("ahead") == Some("true") }
    }
}

/// What the address of a page ends with when it is read ahead.
const AHEAD: &str = "&ahead=true";

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// Only a gateway whose Follow we accepted reads records in bulk.
    #[error("only a partner that follows {0} reads its records here; send a Follow first")]
    NotFollowing(String),
    /// The cursor is not one of ours, or of an earlier reading.
    #[error(transparent)]
    Cursor(#[from] NotAPlace),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One question of a partner at a time, whatever it asks: looking for what is new looks at every record, and on
/// SQLite whoever writes a page holds up everybody who writes.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<PartnerDomain, Arc<tokio::sync::Mutex<Quiet>>>>);

/// The place that was asked for last, and how the store stood then, where there was nothing new.
type Quiet = Option<(StreamCursor, u64)>;

impl Turns {
    /// Those who have one are listed by name, so they are few.
    fn of(&self, partner: &PartnerDomain) -> Arc<tokio::sync::Mutex<Quiet>> {
        Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(partner.clone()).or_default())
    }
}

/// Whether there is nothing new for a partner at this place: found out without writing, and once until the store
/// changes.
async fn is_quiet(
    federation: &Federation,
    known: &mut Quiet,
    partner: &PartnerDomain,
    cursor: &StreamCursor,
) -> Result<bool, StoreError> {
    let place = (cursor.clone(), federation.store.change_stamp().await?);
    if known.as_ref() == Some(&place) {
        return Ok(true);
    }
    let quiet = federation.store.read().await?.nothing_new(partner, cursor).await?;
    *known = quiet.then_some(place);
    Ok(quiet)
}

/// One page for `partner`, which signed the request: the JSON of an `OrderedCollectionPage`.
///
/// # Errors
/// [`RecordsError::NotFollowing`] is answered with 401, [`RecordsError::Cursor`] with 400.
pub async fn page(federation: &Federation, partner: &Partner, asked: Asked<'_>) -> Result<Bytes, RecordsError> {
    if partner.kind != PartnerKind::Partner || partner.follows_us != FollowState::Accepted {
        return Err(RecordsError::NotFollowing(federation.actor().to_string()));
    }
    let cursor: Option<StreamCursor> = asked.after.map(str::parse).transpose()?;
    let records = format!("{}/records", federation.actor());
    let address = |cursor: &StreamCursor| format!("{records}?after={cursor}");
    let here = cursor.as_ref().map_or_else(|| records.clone(), address);
    let here = if asked.ahead { format!("{here}{AHEAD}") } else { here };
    let turn = federation.0.turns.of(&partner.domain);
    let mut quiet = turn.lock().await;
    if let Some(next) = &cursor
        && is_quiet(federation, &mut quiet, &partner.domain, next).await?
    {
        return Ok(write(&here, &records, &address(next), false, &[]));
    }
    let mut limit = PER_PAGE;
    let (tx, page) = loop {
        let mut tx = federation.store.write().await?;
        let at = federation.now();
        let request = StreamRequest {
            partner: &partner.domain,
            cursor: cursor.as_ref(),
            ahead: asked.ahead,
            limit,
            at,
            push_after: at.plus(PUSH_AFTER),
            activity: &here,
        };
        let page = tx.open_stream_page(&request).await?.ok_or(NotAPlace)?;
        let bytes: usize = page.items.iter().map(|item| item.sealed.len() + 1).sum();
        if bytes <= MAX_BYTES || limit == 1 || page.items.len() < 2 {
            break (tx, page);
        }
        // Nothing of a page that is too long is kept; half of it is asked for.
        tx.forget().await?;
        limit = limit.min(u32::try_from(page.items.len()).unwrap_or(limit)) / 2;
    };
    // From here on the ledger says that these records are on their way.
    tx.save().await?;
    let more = u32::try_from(page.items.len()).is_ok_and(|items| items == limit);
    Ok(write(&here, &records, &address(&page.next), more, &page.items))
}

fn write(here: &str, records: &str, next: &str, more: bool, items: &[StreamItem]) -> Bytes {
    let mut head = json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": here, "type": "OrderedCollectionPage", "partOf": records,
        "next": next
    });
    if more {
        head["ahead"] = json!(format!("{next}{AHEAD}"));
    }
    let bytes: usize = items.iter().map(|item| item.sealed.len() + 1).sum();
    let mut body = head.to_string().into_bytes();
    body.reserve(bytes + 32);
    body.pop();
    body.extend_from_slice(b",\"orderedItems\":[");
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&item.sealed);
    }
    body.extend_from_slice(b"]}");
    body.into()
}
