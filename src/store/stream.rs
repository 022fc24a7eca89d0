//! The records stream: a partner reads all of its records page by page, in its own order of change.
//!
//! A page is chosen by state, not by place: what this partner has not had in this pass, or not in its
//! present revision. The disclosures of a page are written before its first byte leaves, and asking for
//! the next page acknowledges the one before. The place in a cursor only saves looking from the start.

use std::collections::HashSet;
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
pub const READ_AHEAD: usize = 6;

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
    /// Whether it stands before its place, because the partner is to forget it.
    recall: bool,
}

impl Pick {
    fn place(&self) -> Place {
        Place { depth: self.depth, dated_at: self.dated_at, id: self.id.to_string() }
    }
}

impl Tx {
    /// Opens a page for a partner, or opens it again when its answer was lost; acknowledges the pages
    /// before it, but for the last [`READ_AHEAD`] where the partner reads ahead. None when the cursor belongs to an
    /// earlier pass, or to a page that was acknowledged while a later one is open: the partner begins again.
    ///
    /// What is taken back stands before everything else (GDPR-03).
    pub async fn open_stream_page(&mut self, request: &StreamRequest<'_>) -> Result<Option<StreamPage>, StoreError> {
        whole("an address", request.activity)?;
        self.wait_for_turn(request.partner).await?;
        let Some(pass) = self.stream_pass(request.partner).await? else { return Ok(None) };
        let cursor = request.cursor.cloned().unwrap_or(StreamCursor { pass: pass + 1, page: 1, after: None });
        let mut picked = Vec::new();
        if request.cursor.is_some() {
            if pass != cursor.pass {
                return Ok(None);
            }
            picked = self.opened_before(request.partner, cursor.page).await?;
            // A late question for a page that is over: what it would open now may reach nobody, and yet the next
            // question would acknowledge it.
            if picked.is_empty() && self.last_open_page(request.partner).await? > Some(cursor.page) {
                return Ok(None);
            }
        }
        if picked.is_empty() {
            picked = self.choose_page(request, &cursor).await?;
        }
        let unkept = if request.ahead { i64::try_from(READ_AHEAD).unwrap_or(i64::MAX) } else { 0 };
        let kept = cursor.page.saturating_sub(1).saturating_sub(unkept);
        self.lock_page(request, kept, &picked).await?;
        let arrived = if request.cursor.is_some() {
            self.acknowledge_pages(request, kept).await?
        } else {
            self.close_pages(request.partner).await?;
            Vec::new()
        };
        self.disclose_page(request, &cursor, &picked).await?;
        // Last, because they lock the partner's row: whoever finishes a delivery locks its disclosure first.
        if request.cursor.is_none() {
            self.begin_pass(request.partner, cursor.pass).await?;
        }
        self.append_exchanges(&arrived).await?;
        // Recalls stand before their place; what they overtake is still to come.
        let last = picked.iter().rfind(|pick| !pick.recall).map(Pick::place);
        // An empty page stays the page that is asked again: nothing was carried, nothing is acknowledged.
        let next = match picked.last() {
            None => cursor,
            Some(_) => StreamCursor { pass: cursor.pass, page: cursor.page + 1, after: last.max(cursor.after) },
        };
        let items = picked.into_iter().map(|pick| StreamItem { id: pick.id, sealed: pick.sealed.into() }).collect();
        Ok(Some(StreamPage { items, next }))
    }

    /// Whether a partner that asks for this page would be told nothing, and nothing is open that the question
    /// would acknowledge. Looks at every record; writes nothing.
    pub async fn nothing_new(&mut self, partner: &PartnerDomain, cursor: &StreamCursor) -> Result<bool, StoreError> {
        if self.stream_pass(partner).await? != Some(cursor.pass) || self.last_open_page(partner).await?.is_some() {
            return Ok(false);
        }
        Ok(self.pick_recalls(partner, cursor, 1).await?.is_empty() && self.pick(partner, cursor, None, 1).await?.is_empty())
    }

    /// One page of a partner at a time: two questions for the same page find the same records. SQLite has one writer.
    async fn wait_for_turn(&mut self, partner: &PartnerDomain) -> Result<(), StoreError> {
        let Self::Postgres(tx) = self else { return Ok(()) };
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('stream ' || $1, 0))")
            .bind(partner)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    async fn stream_pass(&mut self, partner: &PartnerDomain) -> Result<Option<i64>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_scalar("SELECT stream_pass FROM partner WHERE domain = $1").bind(partner).fetch_optional(conn).await?)
        })
    }

    /// The records of a page that is opened for the first time.
    async fn choose_page(&mut self, request: &StreamRequest<'_>, cursor: &StreamCursor) -> Result<Vec<Pick>, StoreError> {
        let StreamRequest { partner, limit, .. } = *request;
        let full = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut picked = self.pick_recalls(partner, cursor, limit).await?;
        let mut chosen: HashSet<RecordId> = picked.iter().map(|pick| pick.id.clone()).collect();
        let mut news = Vec::new();
        // Past the end, what is new may stand anywhere.
        for after in cursor.after.as_ref().map(Some).into_iter().chain([None]) {
            if picked.len() + news.len() < full {
                let found = self.pick(partner, cursor, after, limit).await?;
                news.extend(found.into_iter().filter(|pick| chosen.insert(pick.id.clone())));
            }
        }
        news.sort_by_key(Pick::place);
        picked.extend(news);
        picked.truncate(full);
        Ok(picked)
    }

    /// Locks what a question changes, in the order in which everybody does ([`Tx::lock_ledger`]).
    async fn lock_page(&mut self, request: &StreamRequest<'_>, kept: i64, picked: &[Pick]) -> Result<(), StoreError> {
        let Self::Postgres(tx) = self else { return Ok(()) };
        let chosen: Vec<&str> = picked.iter().map(|pick| pick.id.as_str()).collect();
        sqlx::query(
            "SELECT 1
               FROM disclosure
              WHERE partner = $1 AND (page <= $2 OR record = ANY ($3))
              ORDER BY record
                FOR NO KEY UPDATE",
        )
        .bind(request.partner)
        .bind(if request.cursor.is_some() { kept } else { i64::MAX })
        .bind(chosen)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// A pass begins: what the one before had on its way stays unconfirmed.
    async fn close_pages(&mut self, partner: &PartnerDomain) -> Result<(), StoreError> {
        on_backend!(self, conn => {
            sqlx::query("UPDATE disclosure SET page = NULL WHERE partner = $1 AND page IS NOT NULL")
                .bind(partner)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    async fn begin_pass(&mut self, partner: &PartnerDomain, pass: i64) -> Result<(), StoreError> {
        let done = on_backend!(self, conn => {
            sqlx::query("UPDATE partner SET stream_pass = $2 WHERE domain = $1")
                .bind(partner)
                .bind(pass)
                .execute(conn)
                .await?
                .rows_affected()
        });
        StoreError::affected("beginning to read the records", 1, done)
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
                        record.sealed, disclosure.priority = 0 AS recall
                   FROM disclosure
                   JOIN record ON record.id = disclosure.record
                  WHERE disclosure.partner = $1 AND disclosure.page = $2
                  ORDER BY recall DESC, record.depth, record.dated_at, record.id",
            )
            .bind(partner)
            .bind(page)
            .fetch_all(conn)
            .await?)
        })
    }

    /// What this partner was sent and is to forget, and has not been told in this pass.
    async fn pick_recalls(
        &mut self,
        partner: &PartnerDomain,
        cursor: &StreamCursor,
        limit: u32,
    ) -> Result<Vec<Pick>, StoreError> {
        on_backend!(self, conn => {
            // The list of states is that of the index, which no database finds by itself.
            Ok(sqlx::query_as(
                "SELECT record.id, record.class, record.revision, record.digest, record.standing, record.depth, record.dated_at,
                        record.sealed, TRUE AS recall
                   FROM disclosure
                   JOIN record ON record.id = disclosure.record
                  WHERE disclosure.partner = $1 AND disclosure.priority = 0 AND disclosure.offered
                    AND disclosure.state IN ('due', 'sending', 'unconfirmed', 'purge-asked')
                    AND (COALESCE(disclosure.pass, 0) < $2
                         OR (record.revision > disclosure.page_revision
                             AND record.revision > COALESCE(disclosure.acked_revision, 0)))
                  ORDER BY record.depth, record.dated_at, record.id
                  LIMIT $3",
            )
            .bind(partner)
            .bind(cursor.pass)
            .bind(i64::from(limit))
            .fetch_all(conn)
            .await?)
        })
    }

    /// The next records that this partner lacks in this pass, in no particular order.
    async fn pick(
        &mut self,
        partner: &PartnerDomain,
        cursor: &StreamCursor,
        after: Option<&Place>,
        limit: u32,
    ) -> Result<Vec<Pick>, StoreError> {
        on_backend!(self, conn: Db => {
            // All are found before the first is handed over: who waits for one after the other is woken a hundred times.
            let mut query = QueryBuilder::<Db>::new(
                "WITH page AS MATERIALIZED (
                 SELECT record.id, record.class, record.revision, record.digest, record.standing, record.depth, record.dated_at,
                        record.sealed, FALSE AS recall
                   FROM record
                   LEFT JOIN disclosure ON disclosure.record = record.id AND disclosure.partner = ",
            );
            query.push_bind(partner).push(
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
            query.push(") SELECT * FROM page");
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
