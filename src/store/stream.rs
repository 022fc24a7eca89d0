//! The records stream: a partner reads all of its records page by page, in its own order of change.
//!
//! A page is chosen by state, not by place: what this partner has not had in this pass, or not in its
//! present revision. The disclosures of a page are written before its first byte leaves, and asking for
//! the next page acknowledges the one before. The place in a cursor only saves looking from the start.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use sqlx::{FromRow, QueryBuilder};

use super::columns::{unsigned, whole};
use super::exchanges::Exchange;
use super::records::Standing;
use super::{StoreError, Tx, on_backend};
use crate::domain::digest::Digest;
use crate::domain::{Class, PartnerDomain, RecordId, Timestamp};

/// How many pages before the one that is asked for a reader that reads ahead may not have kept yet.
pub const READ_AHEAD: usize = 3;

/// Which page of the stream is asked for. Opaque to partners; it only means something for the partner
/// it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamCursor {
    pass: i64,
    page: i64,
    after: Option<Place>,
}

/// Where a page ended: depth, date and address of its last record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    depth: i64,
    dated_at: Timestamp,
    id: String,
}

/// Not a cursor of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a place in our records; begin again at the first page")]
pub struct NotAPlace;

impl fmt::Display for StreamCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.after.as_ref();
        let place = place.map(|place| format!(" {} {} {}", place.depth, place.dated_at.micros(), place.id)).unwrap_or_default();
        let text = format!("{} {}{place}", self.pass, self.page);
        f.write_str(&data_encoding::BASE64URL_NOPAD.encode(text.as_bytes()))
    }
}

impl FromStr for StreamCursor {
    type Err = NotAPlace;
    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        if text.len() > 3000 {
            return Err(NotAPlace);
        }
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| NotAPlace)?;
        let text = String::from_utf8(bytes).map_err(|_| NotAPlace)?;
        let mut parts = text.splitn(5, ' ');
        let mut integer = || parts.next().and_then(|part| part.parse::<i64>().ok()).filter(|n| *n >= 0).ok_or(NotAPlace);
        let (pass, page) = (integer()?, integer()?);
        let after = match (parts.next(), parts.next(), parts.next()) {
            (None, None, None) => None,
            (Some(depth), Some(micros), Some(id)) if !id.is_empty() && !id.contains('\0') => Some(Place {
                depth: depth.parse().map_err(|_| NotAPlace)?,
                dated_at: micros.parse().ok().and_then(Timestamp::from_micros).ok_or(NotAPlace)?,
                id: id.to_owned(),
            }),
            _ => return Err(NotAPlace),
        };
        Ok(Self { pass, page, after })
    }
}

/// A record or tombstone on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamItem {
    /// Its address.
    pub id: RecordId,
    /// Its sealed bytes.
    pub sealed: Bytes,
}

/// One page, whose disclosures are written once the transaction is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPage {
    /// Records and tombstones in order, a parent never after its child.
    pub items: Vec<StreamItem>,
    /// Where to ask next; on the last page too.
    pub next: StreamCursor,
}

/// How a page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRequest<'r> {
    /// Who asks (proven by a signature).
    pub partner: &'r PartnerDomain,
    /// Which page; none begins a new pass from the start.
    pub cursor: Option<&'r StreamCursor>,
    /// The partner asks before it kept the pages before this one: [`READ_AHEAD`] of them at most.
    pub ahead: bool,
    /// How many records at most.
    pub limit: u32,
    /// The present instant.
    pub at: Timestamp,
    /// When what is on the page is pushed one by one if the partner does not come back.
    pub push_after: Timestamp,
    /// The page's address, for the exchange log.
    pub activity: &'r str,
}

#[derive(FromRow)]
struct Pick {
    id: RecordId,
    class: Class,
    revision: i64,
    digest: Digest,
    standing: Standing,
    depth: i64,
    dated_at: Timestamp,
    sealed: Vec<u8>,
}

impl Tx {
    /// Opens a page for a partner, or opens it again when its answer was lost; acknowledges the pages
    /// before it, but for the last [`READ_AHEAD`] where the partner reads ahead. None when the cursor belongs to an
    /// earlier pass, or to a page that was acknowledged while a later one is open: the partner begins again.
    pub async fn open_stream_page(&mut self, request: &StreamRequest<'_>) -> Result<Option<StreamPage>, StoreError> {
        whole("an address", request.activity)?;
        let cursor = match request.cursor {
            Some(cursor) => cursor.clone(),
            None => StreamCursor { pass: self.begin_pass(request.partner).await?, page: 1, after: None },
        };
        let pass: Option<i64> = on_backend!(&mut *self, conn => {
            sqlx::query_scalar("SELECT stream_pass FROM partner WHERE domain = $1").bind(request.partner).fetch_optional(conn).await?
        });
        if pass != Some(cursor.pass) {
            return Ok(None);
        }
        let mut picked = self.opened_before(request.partner, cursor.page).await?;
        // A late question for a page that is over: what it would open now may reach nobody, and yet the next
        // question would acknowledge it.
        if picked.is_empty() && self.last_open_page(request.partner).await? > Some(cursor.page) {
            return Ok(None);
        }
        let unkept = if request.ahead { i64::try_from(READ_AHEAD).unwrap_or(i64::MAX) } else { 0 };
        let arrived = self.acknowledge_pages(request, cursor.page.saturating_sub(1).saturating_sub(unkept)).await?;
        if picked.is_empty() {
            picked = self.pick(request, &cursor, cursor.after.as_ref(), request.limit).await?;
            let missing = request.limit.saturating_sub(u32::try_from(picked.len()).unwrap_or(u32::MAX));
            if missing > 0 && cursor.after.is_some() {
                // Past the end: what is new may stand anywhere.
                let more =
                    self.pick(request, &cursor, None, missing.saturating_add(u32::try_from(picked.len()).unwrap_or(0))).await?;
                let known: std::collections::HashSet<RecordId> = picked.iter().map(|pick| pick.id.clone()).collect();
                picked.extend(more.into_iter().filter(|pick| !known.contains(&pick.id)));
                picked.sort_by(|a, b| (a.depth, a.dated_at, &a.id).cmp(&(b.depth, b.dated_at, &b.id)));
                picked.truncate(usize::try_from(request.limit).unwrap_or(usize::MAX));
            }
        }
        self.disclose_page(request, &cursor, &picked).await?;
        // Last, because it locks the partner's row: whoever finishes a delivery locks its disclosure first.
        self.append_exchanges(&arrived).await?;
        let last = picked.last().map(|pick| Place { depth: pick.depth, dated_at: pick.dated_at, id: pick.id.to_string() });
        // An empty page stays the page that is asked again: nothing was carried, nothing is acknowledged.
        let next = match last {
            None => cursor,
            Some(last) => StreamCursor { pass: cursor.pass, page: cursor.page + 1, after: Some(last).max(cursor.after) },
        };
        let items = picked.into_iter().map(|pick| StreamItem { id: pick.id, sealed: pick.sealed.into() }).collect();
        Ok(Some(StreamPage { items, next }))
    }

    async fn begin_pass(&mut self, partner: &PartnerDomain) -> Result<i64, StoreError> {
        on_backend!(self, conn => {
            sqlx::query("UPDATE disclosure SET page = NULL WHERE partner = $1 AND page IS NOT NULL")
                .bind(partner)
                .execute(&mut *conn)
                .await?;
            let pass: Option<i64> = sqlx::query_scalar(
                "UPDATE partner SET stream_pass = stream_pass + 1 WHERE domain = $1 RETURNING stream_pass",
            )
            .bind(partner)
            .fetch_optional(conn)
            .await?;
            pass.ok_or(StoreError::Affected { what: "beginning to read the records", expected: 1, actual: 0 })
        })
    }

    /// The partner asked for what follows page `page`: it has that page, and those before it. Returns what the
    /// log has to say of them.
    async fn acknowledge_pages(&mut self, request: &StreamRequest<'_>, page: i64) -> Result<Vec<Exchange>, StoreError> {
        let mut carried: Vec<(RecordId, Option<i64>, Option<Digest>)> = on_backend!(self, conn => {
            sqlx::query_as(
                "UPDATE disclosure
                    SET state = CASE WHEN state = 'sending' OR page_revision < due_revision THEN state
                                     WHEN due_kind = 'deleted' THEN 'purge-asked'
                                     ELSE 'acknowledged' END,
                        next_at = CASE WHEN state IN ('sending', 'purge-asked') THEN next_at ELSE $3 END,
                        due_kind = CASE WHEN due_kind = 'created' AND page_revision < due_revision THEN 'updated' ELSE due_kind END,
                        acked_revision = CASE WHEN page_revision >= COALESCE(acked_revision, 0) THEN page_revision ELSE acked_revision END,
                        acked_digest = CASE WHEN page_revision >= COALESCE(acked_revision, 0) THEN page_digest ELSE acked_digest END,
                        acked_at = $3, page = NULL
                  WHERE partner = $1 AND page <= $2
                 RETURNING record, page_revision, page_digest",
            )
            .bind(request.partner)
            .bind(page)
            .bind(request.at)
            .fetch_all(conn)
            .await?
        });
        carried.sort();
        let exchange = |(record, revision, digest): (RecordId, Option<i64>, Option<Digest>)| Exchange {
            partner: request.partner.clone(),
            record: Some(record),
            revision: revision.map(unsigned),
            digest,
            activity: request.activity.to_owned(),
            at: request.at,
            status: Some(200),
            answer: None,
        };
        Ok(carried.into_iter().map(exchange).collect())
    }

    /// The highest page that is open in this pass, if any is.
    async fn last_open_page(&mut self, partner: &PartnerDomain) -> Result<Option<i64>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_scalar("SELECT MAX(page) FROM disclosure WHERE partner = $1 AND page IS NOT NULL")
                .bind(partner)
                .fetch_one(conn)
                .await?)
        })
    }

    /// What stands on a page that was opened before.
    async fn opened_before(&mut self, partner: &PartnerDomain, page: i64) -> Result<Vec<Pick>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_as(
                "SELECT record.id, record.class, record.revision, record.digest, record.standing, record.depth, record.dated_at,
                        record.sealed
                   FROM disclosure
                   JOIN record ON record.id = disclosure.record
                  WHERE disclosure.partner = $1 AND disclosure.page = $2
                  ORDER BY record.depth, record.dated_at, record.id",
            )
            .bind(partner)
            .bind(page)
            .fetch_all(conn)
            .await?)
        })
    }

    /// The next records that this partner lacks in this pass.
    async fn pick(
        &mut self,
        request: &StreamRequest<'_>,
        cursor: &StreamCursor,
        after: Option<&Place>,
        limit: u32,
    ) -> Result<Vec<Pick>, StoreError> {
        on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT record.id, record.class, record.revision, record.digest, record.standing, record.depth, record.dated_at,
                        record.sealed
                   FROM record
                   LEFT JOIN disclosure ON disclosure.record = record.id AND disclosure.partner = ",
            );
            query.push_bind(request.partner).push(
                " WHERE (record.standing = 'live' OR (disclosure.offered AND disclosure.state <> 'purged'))
                    AND (disclosure.record IS NULL
                         OR COALESCE(disclosure.pass, 0) < ",
            );
            query.push_bind(cursor.pass).push(
                "        OR (record.revision > disclosure.page_revision AND record.revision > COALESCE(disclosure.acked_revision, 0)))",
            );
            if let Some(place) = after {
                query.push(" AND (record.depth, record.dated_at, record.id) > (");
                query.push_bind(place.depth).push(", ").push_bind(place.dated_at).push(", ").push_bind(&place.id).push(")");
            }
            query.push(" ORDER BY record.depth, record.dated_at, record.id LIMIT ").push_bind(i64::from(limit));
            Ok(query.build_query_as().fetch_all(conn).await?)
        })
    }

    /// Writes down that these records are on their way on this page.
    async fn disclose_page(
        &mut self,
        request: &StreamRequest<'_>,
        cursor: &StreamCursor,
        picked: &[Pick],
    ) -> Result<(), StoreError> {
        // In the order in which the planner writes them, so that neither waits for the other in a circle.
        let mut sorted: Vec<&Pick> = picked.iter().collect();
        sorted.sort_by(|a, b| a.id.cmp(&b.id));
        for chunk in sorted.chunks(super::CHUNK) {
            on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "INSERT INTO disclosure (partner, record, class, due_revision, due_kind, priority, state, offered, planned_at,
                                             next_at, pass, page, page_revision, page_digest) ",
                );
                query.push_values(chunk, |mut row, pick| {
                    let deleted = pick.standing == Standing::Deleted;
                    let recalled = pick.standing != Standing::Live;
                    row.push_bind(request.partner)
                        .push_bind(&pick.id)
                        .push_bind(pick.class)
                        .push_bind(pick.revision)
                        .push_bind(if deleted { "deleted" } else { "created" })
                        .push_bind(priority(pick.class, recalled))
                        .push_bind("due")
                        .push_bind(true)
                        .push_bind(request.at)
                        .push_bind(request.push_after)
                        .push_bind(cursor.pass)
                        .push_bind(cursor.page)
                        .push_bind(pick.revision)
                        .push_bind(&pick.digest);
                });
                // What is on its way by push or acknowledged already stays so; what was due waits for the
                // partner's next question.
                query.push(
                    " ON CONFLICT (partner, record) DO UPDATE
                          SET offered = TRUE,
                              due_revision = CASE WHEN disclosure.due_revision < excluded.due_revision THEN excluded.due_revision
                                                  ELSE disclosure.due_revision END,
                              due_kind = CASE WHEN excluded.due_kind = 'deleted' THEN 'deleted' ELSE disclosure.due_kind END,
                              priority = CASE WHEN disclosure.due_revision < excluded.due_revision
                                                OR disclosure.priority > excluded.priority THEN excluded.priority
                                              ELSE disclosure.priority END,
                              next_at = CASE WHEN disclosure.state IN ('due', 'unconfirmed') THEN excluded.next_at
                                             ELSE disclosure.next_at END,
                              pass = excluded.pass, page = excluded.page, page_revision = excluded.page_revision,
                              page_digest = excluded.page_digest",
                );
                query.build().execute(conn).await?;
            });
        }
        Ok(())
    }
}

/// The same order as in `plan`.
const fn priority(class: Class, recalled: bool) -> i64 {
    match class {
        _ if recalled => 0,
        Class::Consultation => 1,
        Class::Contribution => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_garbage_is_refused() {
        let place =
            Place { depth: 3, dated_at: Timestamp::from_seconds(7).expect("a time"), id: "https://a.example/x y".to_owned() };
        for after in [None, Some(place)] {
            let cursor = StreamCursor { pass: 2, page: 9, after };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "%", "MSAy_", "MQ", &data_encoding::BASE64URL_NOPAD.encode(b"1 2 3"), &"A".repeat(4000)] {
            assert_eq!(text.parse::<StreamCursor>(), Err(NotAPlace), "{text}");
        }
    }
}
