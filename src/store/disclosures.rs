//! Disclosures: per (partner, record) what this partner is due, what it has acknowledged, and what it
//! holds or may hold. Queue, order, compaction and ledger in one row.
//!
//! A claim leases a row and raises its fence; a late result of an earlier lease is dropped. While a row is
//! on its way, a newer revision or a Delete only changes what is due *next*: so there is at most one
//! request per (partner, record), and nothing overtakes a Delete.

use std::collections::BTreeSet;

use sqlx::{FromRow, QueryBuilder};

use super::claims::Claimed;
use super::columns::{number, remark, small, status, text_column, unsigned};
use super::partner_receipts::PartnerReceipt;
use super::{CHUNK, StoreError, Tx, on_backend};
use crate::domain::change::ChangeKind;
use crate::domain::digest::Digest;
use crate::domain::{Class, PartnerDomain, RecordId, Revision, Timestamp};
use crate::words;

words! {
    /// Where a disclosure stands.
    DisclosureState {
        Due = "due",
        Sending = "sending",
        Acknowledged = "acknowledged",
        Unconfirmed = "unconfirmed",
        Rejected = "rejected",
        Parked = "parked",
        PurgeAsked = "purge-asked",
        Purged = "purged",
    }
}
text_column!(DisclosureState);

/// Longest answer kept, in characters.
const ANSWER: usize = 200;

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// To whom.
    pub partner: PartnerDomain,
    /// Of what.
    pub record: RecordId,
    /// Its class.
    pub class: Class,
    /// The revision this partner is due.
    pub due_revision: Revision,
    /// How it is told.
    pub due_kind: ChangeKind,
    /// Where it stands.
    pub state: DisclosureState,
    /// Whether it was ever on its way: then the partner holds it or may hold it.
    pub offered: bool,
    /// The revision the partner acknowledged last.
    pub acked_revision: Option<Revision>,
    /// The digest of that revision.
    pub acked_digest: Option<Digest>,
    /// When it acknowledged it.
    pub acked_at: Option<Timestamp>,
    /// How often what is due was tried.
    pub attempts: u32,
    /// Since when something is due.
    pub planned_at: Timestamp,
    /// When it is tried next (or until when it is leased).
    pub next_at: Timestamp,
    /// The last answer's HTTP status.
    pub last_status: Option<u16>,
    /// The first words of the last answer.
    pub last_answer: Option<String>,
    /// The partner's signed receipt of the last acknowledgement.
    pub receipt: Option<String>,
    /// The partner's signed receipt that it erased its copy.
    pub purge_receipt: Option<String>,
}

#[derive(FromRow)]
struct Row {
    partner: PartnerDomain,
    record: RecordId,
    class: Class,
    due_revision: i64,
    due_kind: ChangeKind,
    state: DisclosureState,
    offered: bool,
    acked_revision: Option<i64>,
    acked_digest: Option<Digest>,
    acked_at: Option<Timestamp>,
    attempts: i64,
    planned_at: Timestamp,
    next_at: Timestamp,
    last_status: Option<i64>,
    last_answer: Option<String>,
    receipt: Option<String>,
    purge_receipt: Option<String>,
}

impl From<Row> for Disclosure {
    fn from(row: Row) -> Self {
        Self {
            partner: row.partner,
            record: row.record,
            class: row.class,
            due_revision: unsigned(row.due_revision),
            due_kind: row.due_kind,
            state: row.state,
            offered: row.offered,
            acked_revision: row.acked_revision.map(unsigned),
            acked_digest: row.acked_digest,
            acked_at: row.acked_at,
            attempts: small(row.attempts),
            planned_at: row.planned_at,
            next_at: row.next_at,
            last_status: status(row.last_status),
            last_answer: row.last_answer,
            receipt: row.receipt,
            purge_receipt: row.purge_receipt,
        }
    }
}

/// The columns of a disclosure, in one place for the statements below.
macro_rules! select_disclosures {
    ($rest:literal) => {
        concat!(
            "SELECT partner, record, class, due_revision, due_kind, state, offered, acked_revision, acked_digest, acked_at,
                    attempts, planned_at, next_at, last_status, last_answer, receipt,
                    CASE WHEN state = 'purged' THEN purge_receipt END AS purge_receipt
               FROM disclosure
               LEFT JOIN disclosure_receipt USING (partner, record) ",
            $rest
        )
    };
}

/// What became of an attempt. Which `state` follows is the sender's decision (answer classes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisclosureResult {
    /// `Acknowledged`, `PurgeAsked` or `Purged`; `Unconfirmed`, or `Due` to try again at `next_at`;
    /// `Rejected` or `Parked`.
    pub state: DisclosureState,
    /// The revision that was on its way (the record may have moved on since the claim).
    pub revision: Revision,
    /// Its digest.
    pub digest: Digest,
    /// When the answer came.
    pub at: Timestamp,
    /// When it is tried next.
    pub next_at: Timestamp,
    /// The answer's HTTP status; none when nobody answered.
    pub status: Option<u16>,
    /// The code or the first words of the answer.
    pub answer: Option<String>,
    /// The signed receipt in the answer: a delivery receipt, or a purge receipt for `Purged`.
    pub receipt: Option<String>,
}

use DisclosureState as S;

impl Tx {
    /// Writes down what became of claimed disclosures, in one statement however many they are; [`Tx::lock_ledger`]
    /// comes before it. What was planned meanwhile is due next. Returns for each whether it was written: a row
    /// whose lease ran out belongs to another worker, and its result is dropped.
    pub async fn finish_disclosures(&mut self, results: &[(&Claimed, &DisclosureResult)]) -> Result<Vec<bool>, StoreError> {
        let mut in_time: Vec<bool> = Vec::with_capacity(results.len());
        for chunk in results.chunks(CHUNK) {
            // As a rule all of them are: each row of an answer costs as much as a statement.
            if chunk.len() > 1 && self.count_held(chunk).await? == chunk.len() as u64 {
                let done = self.finish(chunk).await?;
                StoreError::affected("writing down deliveries", chunk.len(), done)?;
                in_time.extend(std::iter::repeat_n(true, chunk.len()));
            } else {
                for one in chunk {
                    in_time.push(self.finish(std::slice::from_ref(one)).await? == 1);
                }
            }
        }
        let proven = results.iter().zip(&in_time).filter(|(_, in_time)| **in_time).filter_map(|((claimed, result), _)| {
            let (receipt, about) = (result.receipt.as_deref()?, (&claimed.partner, &claimed.record));
            match result.state {
                S::Purged => Some(PartnerReceipt { about, receipt: None, purge_receipt: Some(receipt) }),
                S::Acknowledged | S::PurgeAsked => Some(PartnerReceipt { about, receipt: Some(receipt), purge_receipt: None }),
                _ => None,
            }
        });
        self.keep_receipts(&proven.collect::<Vec<_>>()).await?;
        Ok(in_time)
    }

    /// How many of these rows are still held by the claim that they come from.
    async fn count_held(&mut self, results: &[(&Claimed, &DisclosureResult)]) -> Result<u64, StoreError> {
        let held: i64 = on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("WITH claimed (partner, record, fence) AS (");
            query.push_values(results, |mut row, (claimed, _)| {
                row.push_bind(&claimed.partner).push_bind(&claimed.record).push_bind(claimed.fence);
            });
            query.push(
                ") SELECT COUNT(*)
                     FROM claimed
                     JOIN disclosure ON disclosure.partner = claimed.partner AND disclosure.record = claimed.record
                                    AND disclosure.fence = claimed.fence AND disclosure.state = 'sending'",
            );
            query.build_query_scalar().fetch_one(conn).await?
        });
        Ok(unsigned(held))
    }

    /// Writes these down where the claim that they come from still holds them. Returns how many.
    async fn finish(&mut self, results: &[(&Claimed, &DisclosureResult)]) -> Result<u64, StoreError> {
        Ok(on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "WITH result (partner, record, fence, revision, due_revision, due_kind, state, again_at, next_at, reached, purged,
                              digest, at, status, answer) AS (",
            );
            query.push_values(results, |mut row, (claimed, result)| {
                let reached = matches!(result.state, S::Acknowledged | S::PurgeAsked | S::Purged);
                row.push_bind(&claimed.partner)
                    .push_bind(&claimed.record)
                    .push_bind(claimed.fence)
                    .push_bind(number(result.revision))
                    .push_bind(number(claimed.due_revision))
                    .push_bind(claimed.due_kind)
                    .push_bind(result.state)
                    .push_bind(if reached { result.at } else { result.next_at })
                    .push_bind(result.next_at)
                    .push_bind(reached)
                    .push_bind(result.state == S::Purged)
                    .push_bind(&result.digest)
                    .push_bind(result.at)
                    .push_bind(result.status.map(i64::from))
                    .push_bind(result.answer.as_deref().map(|answer| remark(answer, ANSWER)));
            });
            query.push(
                // `moved`: something newer than what was on its way has been planned since the claim.
                "), now AS (
                    SELECT result.*,
                           (disclosure.due_revision > result.revision AND disclosure.due_revision > result.due_revision)
                           OR disclosure.due_kind <> result.due_kind AS moved
                      FROM result
                      JOIN disclosure ON disclosure.partner = result.partner AND disclosure.record = result.record
                                     AND disclosure.fence = result.fence AND disclosure.state = 'sending'
                 )
                 UPDATE disclosure
                    SET state = CASE WHEN now.moved THEN 'due' ELSE now.state END,
                        next_at = CASE WHEN now.moved THEN now.again_at ELSE now.next_at END,
                        attempts = CASE WHEN now.moved THEN 0 ELSE disclosure.attempts END,
                        due_revision = CASE WHEN disclosure.due_revision < now.revision THEN now.revision
                                            ELSE disclosure.due_revision END,
                        -- What left was a Delete, whatever had been planned: the planner may come later.
                        due_kind = CASE WHEN now.moved AND disclosure.due_kind = 'created' AND now.reached THEN 'updated'
                                        WHEN NOT now.moved AND now.state IN ('purge-asked', 'purged') THEN 'deleted'
                                        ELSE disclosure.due_kind END,
                        priority = CASE WHEN NOT now.moved AND now.state IN ('purge-asked', 'purged') THEN 0
                                        ELSE disclosure.priority END,
                        offered = NOT now.purged,
                        acked_revision = CASE WHEN now.purged THEN NULL WHEN now.reached THEN now.revision
                                              ELSE disclosure.acked_revision END,
                        acked_digest = CASE WHEN now.purged THEN NULL WHEN now.reached THEN now.digest
                                            ELSE disclosure.acked_digest END,
                        acked_at = CASE WHEN now.reached THEN now.at ELSE disclosure.acked_at END,
                        page = CASE WHEN now.purged THEN NULL ELSE disclosure.page END,
                        last_status = now.status, last_answer = now.answer, lease_until = NULL, lease_holder = NULL
                   FROM now
                  WHERE disclosure.partner = now.partner AND disclosure.record = now.record
                    AND disclosure.fence = now.fence AND disclosure.state = 'sending'",
            );
            query.build().execute(conn).await?.rows_affected()
        }))
    }

    /// Locks these rows and then these partners for the rest of the transaction, always in the same order, which is
    /// the planner's too: what is decided about a row is decided by what it is now, and no two writers wait for each
    /// other in a circle. With them the recalls that a partner is due once it answers again (`note_success`). SQLite
    /// has one writer.
    pub async fn lock_ledger(&mut self, rows: &[&Claimed], partners: &BTreeSet<&PartnerDomain>) -> Result<(), StoreError> {
        let Tx::Postgres(tx) = self else { return Ok(()) };
        let (whose, which): (Vec<&str>, Vec<&str>) = rows.iter().map(|row| (row.partner.as_str(), row.record.as_str())).unzip();
        let partners: Vec<&str> = partners.iter().map(|partner| partner.as_str()).collect();
        sqlx::query(
            "WITH changed AS (
                 SELECT partner, record
                   FROM UNNEST($1, $2) AS claimed (partner, record)
                  UNION
                 SELECT disclosure.partner, disclosure.record
                   FROM partner
                   JOIN disclosure ON disclosure.partner = partner.domain
                  WHERE partner.domain = ANY ($3) AND partner.failing_since IS NOT NULL AND disclosure.priority = 0
                    AND disclosure.state IN ('due', 'sending', 'unconfirmed', 'purge-asked') AND disclosure.state = 'due'
             )
             SELECT 1
               FROM disclosure
               JOIN changed ON changed.partner = disclosure.partner AND changed.record = disclosure.record
              ORDER BY disclosure.partner, disclosure.record
                FOR NO KEY UPDATE OF disclosure",
        )
        .bind(whose)
        .bind(which)
        .bind(&partners)
        .execute(&mut **tx)
        .await?;
        sqlx::query("SELECT 1 FROM partner WHERE domain = ANY ($1) ORDER BY domain FOR NO KEY UPDATE")
            .bind(&partners)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// The partner proved that it erased its copy after we asked. `false` when we did not ask it to (the
    /// record is not gone). The planner may come after the receipt.
    pub async fn note_purge(
        &mut self,
        partner: &PartnerDomain,
        record: &RecordId,
        receipt: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let receipt = super::columns::whole("a receipt", receipt)?;
        let done = on_backend!(&mut *self, conn => {
            sqlx::query(
                "UPDATE disclosure
                    SET state = 'purged', offered = FALSE, acked_revision = NULL, acked_digest = NULL, acked_at = $3, page = NULL,
                        fence = fence + 1, lease_until = NULL, lease_holder = NULL, due_kind = 'deleted', priority = 0,
                        due_revision = COALESCE((SELECT gone.revision
                                                   FROM record AS gone
                                                  WHERE gone.id = $2 AND gone.standing = 'deleted'
                                                    AND gone.revision > disclosure.due_revision), due_revision)
                  WHERE partner = $1 AND record = $2 AND state <> 'purged'
                    AND (due_kind = 'deleted'
                         OR EXISTS (SELECT 1 FROM record AS gone WHERE gone.id = $2 AND gone.standing = 'deleted'))",
            )
            .bind(partner)
            .bind(record)
            .bind(at)
            .execute(conn)
            .await?
            .rows_affected()
        });
        if done == 1 {
            self.keep_receipts(&[PartnerReceipt { about: (partner, record), receipt: None, purge_receipt: Some(receipt) }])
                .await?;
        }
        Ok(done == 1)
    }

    /// The partner's worker refused later what it had received: what is due is rejected, unless it is
    /// newer than what was refused. `false` when nothing changed.
    pub async fn note_refusal(
        &mut self,
        partner: &PartnerDomain,
        record: &RecordId,
        revision: Revision,
        answer: &str,
    ) -> Result<bool, StoreError> {
        let done = on_backend!(self, conn => {
            sqlx::query(
                "UPDATE disclosure
                    SET state = 'rejected', last_answer = $4
                  WHERE partner = $1 AND record = $2 AND due_revision <= $3 AND due_kind <> 'deleted'
                    AND state IN ('acknowledged', 'unconfirmed', 'due')",
            )
            .bind(partner)
            .bind(record)
            .bind(number(revision))
            .bind(remark(answer, ANSWER))
            .execute(conn)
            .await?
            .rows_affected()
        });
        Ok(done == 1)
    }

    /// Who is due or holds a record.
    pub async fn disclosures_of(&mut self, record: &RecordId) -> Result<Vec<Disclosure>, StoreError> {
        let rows: Vec<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_disclosures!("WHERE record = $1 ORDER BY partner")).bind(record).fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(Disclosure::from).collect())
    }

    /// What is being sent at this moment: at most `limit` rows.
    pub async fn disclosures_on_their_way(&mut self, limit: u32) -> Result<Vec<Disclosure>, StoreError> {
        let rows: Vec<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_disclosures!("WHERE state = 'sending' ORDER BY partner, record LIMIT $1"))
                .bind(i64::from(limit))
                .fetch_all(conn)
                .await?
        });
        Ok(rows.into_iter().map(Disclosure::from).collect())
    }

    /// What one partner is due or holds of one record.
    pub async fn lookup_disclosure(
        &mut self,
        partner: &PartnerDomain,
        record: &RecordId,
    ) -> Result<Option<Disclosure>, StoreError> {
        let row: Option<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_disclosures!("WHERE partner = $1 AND record = $2"))
                .bind(partner)
                .bind(record)
                .fetch_optional(conn)
                .await?
        });
        Ok(row.map(Disclosure::from))
    }

    /// The ledger of one partner, by record, beginning after `after`.
    pub async fn list_disclosures(
        &mut self,
        partner: &PartnerDomain,
        after: Option<&RecordId>,
        limit: u32,
    ) -> Result<Vec<Disclosure>, StoreError> {
        let rows: Vec<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_disclosures!("WHERE partner = $1 AND record > $2 ORDER BY record LIMIT $3"))
                .bind(partner)
                .bind(after.map_or("", RecordId::as_str))
                .bind(i64::from(limit))
                .fetch_all(conn)
                .await?
        });
        Ok(rows.into_iter().map(Disclosure::from).collect())
    }

    /// How many disclosures to a partner stand where.
    pub async fn disclosure_counts(&mut self, partner: &PartnerDomain) -> Result<Vec<(DisclosureState, u64)>, StoreError> {
        let rows: Vec<(DisclosureState, i64)> = on_backend!(self, conn => {
            sqlx::query_as("SELECT state, COUNT(*) FROM disclosure WHERE partner = $1 GROUP BY state ORDER BY state")
                .bind(partner)
                .fetch_all(conn)
                .await?
        });
        Ok(rows.into_iter().map(|(state, count)| (state, unsigned(count))).collect())
    }

    /// The same, told apart by whether they were ever on their way (`true`): what a partner holds or may
    /// hold, and once held.
    pub async fn disclosure_tally(&mut self, partner: &PartnerDomain) -> Result<Vec<(DisclosureState, bool, u64)>, StoreError> {
        let rows: Vec<(DisclosureState, bool, i64)> = on_backend!(self, conn => {
            sqlx::query_as(
                "SELECT state, offered, COUNT(*)
                   FROM disclosure
                  WHERE partner = $1
                  GROUP BY state, offered
                  ORDER BY state, offered",
            )
            .bind(partner)
            .fetch_all(conn)
            .await?
        });
        Ok(rows.into_iter().map(|(state, offered, count)| (state, offered, unsigned(count))).collect())
    }

    /// An operator says "try again": what is parked or rejected at a partner is due now. Returns how many.
    pub async fn retry_disclosures(&mut self, partner: &PartnerDomain, at: Timestamp) -> Result<u64, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query(
                "UPDATE disclosure
                    SET state = 'due', attempts = 0, next_at = $2
                  WHERE partner = $1 AND state IN ('parked', 'rejected')",
            )
            .bind(partner)
            .bind(at)
            .execute(conn)
            .await?
            .rows_affected())
        })
    }
}
