//! Disclosures: per (partner, record) what this partner is due, what it has acknowledged, and what it
//! holds or may hold. Queue, order, compaction and ledger in one row.
//!
//! A claim leases a row and raises its fence; a late result of an earlier lease is dropped. While a row is
//! on its way, a newer revision or a Delete only changes what is due *next*: so there is at most one
//! request per (partner, record), and nothing overtakes a Delete.

use sqlx::FromRow;

use super::columns::{number, remark, small, status, text_column, unsigned};
use super::{StoreError, Tx, on_backend};
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
                    attempts, planned_at, next_at, last_status, last_answer, receipt, purge_receipt
               FROM disclosure ",
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

impl Tx {
    /// Writes down what became of a claimed disclosure. What was planned meanwhile is due next. `false`
    /// when the lease ran out and another worker has the row: the result is dropped.
    pub async fn finish_disclosure(
        &mut self,
        claimed: &super::claims::Claimed,
        result: &DisclosureResult,
    ) -> Result<bool, StoreError> {
        use DisclosureState as S;
        let reached = matches!(result.state, S::Acknowledged | S::PurgeAsked | S::Purged);
        let purged = result.state == S::Purged;
        let again_at = if reached { result.at } else { result.next_at };
        let done = on_backend!(self, conn => {
            sqlx::query(
                // `moved`: something newer than what was on its way has been planned since the claim.
                "WITH now AS (
                    SELECT partner, record, (due_revision > $4 AND due_revision > $5) OR due_kind <> $6 AS moved
                      FROM disclosure
                     WHERE partner = $1 AND record = $2 AND fence = $3 AND state = 'sending'
                 )
                 UPDATE disclosure
                    SET state = CASE WHEN now.moved THEN 'due' ELSE $7 END,
                        next_at = CASE WHEN now.moved THEN $8 ELSE $9 END,
                        attempts = CASE WHEN now.moved THEN 0 ELSE attempts END,
                        due_revision = CASE WHEN due_revision < $4 THEN $4 ELSE due_revision END,
                        -- What left was a Delete, whatever had been planned: the planner may come later.
                        due_kind = CASE WHEN now.moved AND due_kind = 'created' AND $10 THEN 'updated'
                                        WHEN NOT now.moved AND $7 IN ('purge-asked', 'purged') THEN 'deleted'
                                        ELSE due_kind END,
                        priority = CASE WHEN NOT now.moved AND $7 IN ('purge-asked', 'purged') THEN 0 ELSE priority END,
                        offered = NOT $11,
                        acked_revision = CASE WHEN $11 THEN NULL WHEN $10 THEN $4 ELSE acked_revision END,
                        acked_digest = CASE WHEN $11 THEN NULL WHEN $10 THEN $12 ELSE acked_digest END,
                        acked_at = CASE WHEN $10 THEN $13 ELSE acked_at END,
                        receipt = CASE WHEN $10 AND NOT $11 THEN COALESCE($14, receipt) ELSE receipt END,
                        purge_receipt = CASE WHEN $11 THEN $14 ELSE purge_receipt END,
                        page = CASE WHEN $11 THEN NULL ELSE page END,
                        last_status = $15, last_answer = $16, lease_until = NULL, lease_holder = NULL
                   FROM now
                  WHERE disclosure.partner = now.partner AND disclosure.record = now.record",
            )
            .bind(&claimed.partner)
            .bind(&claimed.record)
            .bind(claimed.fence)
            .bind(number(result.revision))
            .bind(number(claimed.due_revision))
            .bind(claimed.due_kind)
            .bind(result.state)
            .bind(again_at)
            .bind(result.next_at)
            .bind(reached)
            .bind(purged)
            .bind(&result.digest)
            .bind(result.at)
            .bind(&result.receipt)
            .bind(result.status.map(i64::from))
            .bind(result.answer.as_deref().map(|answer| remark(answer, ANSWER)))
            .execute(conn)
            .await?
            .rows_affected()
        });
        Ok(done == 1)
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
        let done = on_backend!(self, conn => {
            sqlx::query(
                "UPDATE disclosure
                    SET state = 'purged', offered = FALSE, acked_revision = NULL, acked_digest = NULL, acked_at = $4,
                        purge_receipt = $3, page = NULL, fence = fence + 1, lease_until = NULL, lease_holder = NULL,
                        due_kind = 'deleted', priority = 0,
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
            .bind(super::columns::whole("a receipt", receipt)?)
            .bind(at)
            .execute(conn)
            .await?
            .rows_affected()
        });
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
