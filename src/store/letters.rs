//! Letters: activities that carry no record (Follow, Accept, Reject, Undo, purge receipts), first in,
//! first out per partner, and per inbox where a reader server has several.

use sqlx::FromRow;

use super::columns::{remark, small, status, text_column, whole};
use super::{StoreError, Tx, on_backend, skip_locked};
use crate::domain::{PartnerDomain, Timestamp};
use crate::words;

words! {
    /// Where a letter stands.
    LetterState {
        Due = "due",
        Sending = "sending",
        Answered = "answered",
        Rejected = "rejected",
        Parked = "parked",
    }
}
text_column!(LetterState);

/// Longest answer kept, in characters.
const ANSWER: usize = 200;

/// One letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its number; a partner gets its letters in this order.
    pub number: i64,
    /// To whom.
    pub partner: PartnerDomain,
    /// The inbox of the account of a reader server that it is for; none: the partner's own.
    pub inbox: Option<String>,
    /// The activity's address.
    pub activity_id: String,
    /// The activity, as it is sent.
    pub body: String,
    /// Where it stands.
    pub state: LetterState,
    /// How often it was tried, this time included.
    pub attempts: u32,
    /// When it was written.
    pub written_at: Timestamp,
    /// When it is tried next.
    pub next_at: Timestamp,
    /// The last answer's HTTP status.
    pub last_status: Option<u16>,
    /// The first words of the last answer.
    pub last_answer: Option<String>,
    fence: i64,
}

/// What became of an attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterResult {
    /// Where the letter stands now; `Due` to try again at `next_at`.
    pub state: LetterState,
    /// When it is tried next.
    pub next_at: Timestamp,
    /// The answer's HTTP status.
    pub status: Option<u16>,
    /// The first words of the answer.
    pub answer: Option<String>,
}

#[derive(FromRow)]
struct Row {
    number: i64,
    partner: PartnerDomain,
    inbox: Option<String>,
    activity_id: String,
    body: String,
    state: LetterState,
    attempts: i64,
    written_at: Timestamp,
    next_at: Timestamp,
    fence: i64,
    last_status: Option<i64>,
    last_answer: Option<String>,
}

impl From<Row> for Letter {
    fn from(row: Row) -> Self {
        Self {
            number: row.number,
            partner: row.partner,
            inbox: row.inbox,
            activity_id: row.activity_id,
            body: row.body,
            state: row.state,
            attempts: small(row.attempts),
            written_at: row.written_at,
            next_at: row.next_at,
            last_status: status(row.last_status),
            last_answer: row.last_answer,
            fence: row.fence,
        }
    }
}

/// Which letters may be claimed at `$1`. A partner that fails is passed over until its next probe; one that
/// is blocked is not, because purge receipts go on. No letter goes before a recall (GDPR-03).
macro_rules! may_leave {
    () => {
        concat!(
            " state IN ('due', 'sending') AND next_at <= $1
              AND NOT EXISTS (SELECT 1 FROM partner WHERE partner.domain = letter.partner AND NOT ",
            $crate::store::partner_may_be_asked!(),
            ") AND NOT EXISTS (SELECT 1
                                 FROM disclosure
                                 JOIN partner ON partner.domain = disclosure.partner AND partner.blocked IS NULL
                                WHERE disclosure.partner = letter.partner AND disclosure.priority = 0
                                  AND disclosure.state IN ('due', 'sending', 'unconfirmed', 'purge-asked')
                                  AND (disclosure.state = 'sending'
                                       OR (disclosure.state = 'due'
                                           AND (disclosure.next_at <= $1 OR partner.next_probe IS NOT NULL)))) "
        )
    };
}
pub(super) use may_leave;

impl Tx {
    /// Posts a letter. `false` when this activity waits for or went to this partner already.
    pub async fn put_letter(
        &mut self,
        partner: &PartnerDomain,
        activity_id: &str,
        body: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.put_letter_to(partner, None, activity_id, body, at).await
    }

    /// The same, to an account of a reader server at its inbox.
    pub async fn put_letter_to(
        &mut self,
        partner: &PartnerDomain,
        inbox: Option<&str>,
        activity_id: &str,
        body: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (activity_id, body) = (whole("an activity's address", activity_id)?, whole("an activity", body)?);
        let done = on_backend!(self, conn => {
            sqlx::query(
                "INSERT INTO letter (partner, activity_id, body, state, written_at, next_at, inbox)
                 VALUES ($1, $2, $3, 'due', $4, $4, $5)
                 ON CONFLICT (partner, activity_id) DO NOTHING",
            )
            .bind(partner)
            .bind(activity_id)
            .bind(body)
            .bind(at)
            .bind(inbox.map(|inbox| whole("an inbox", inbox)).transpose()?)
            .execute(conn)
            .await?
            .rows_affected()
        });
        Ok(done == 1)
    }

    /// Claims letters that may leave, at most one per partner and inbox (the first that is not done), and holds
    /// them until `lease_until`.
    pub async fn claim_letters(&mut self, now: Timestamp, limit: u32, lease_until: Timestamp) -> Result<Vec<Letter>, StoreError> {
        let text = skip_locked!(
            self,
            concat!(
                "SELECT number, partner, inbox, activity_id, body, state, attempts, written_at, next_at, fence, last_status, last_answer
                   FROM letter
                  WHERE ",
                may_leave!(),
                // The sign keeps SQLite from walking all letters in the order of their numbers.
                "   AND NOT EXISTS (SELECT 1
                                      FROM letter AS earlier
                                     WHERE earlier.partner = letter.partner AND earlier.number < letter.number
                                       AND COALESCE(earlier.inbox, '') = COALESCE(letter.inbox, '')
                                       AND earlier.state IN ('due', 'sending'))
                  ORDER BY +number
                  LIMIT $2"
            ),
            ""
        );
        let rows: Vec<Row> = on_backend!(&mut *self, conn => {
            sqlx::query_as(text).bind(now).bind(i64::from(limit)).fetch_all(conn).await?
        });
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let mut letter = Letter::from(row);
            on_backend!(&mut *self, conn => {
                sqlx::query(
                    "UPDATE letter
                        SET state = 'sending', attempts = attempts + 1, fence = fence + 1, next_at = $2, lease_until = $2
                      WHERE number = $1",
                )
                .bind(letter.number)
                .bind(lease_until)
                .execute(conn)
                .await?;
            });
            letter.state = LetterState::Sending;
            letter.attempts += 1;
            letter.fence += 1;
            letter.next_at = lease_until;
            claimed.push(letter);
        }
        Ok(claimed)
    }

    /// Writes down what became of a claimed letter. `false` when its lease ran out and another worker
    /// has it: the result is dropped.
    pub async fn finish_letter(&mut self, letter: &Letter, result: &LetterResult) -> Result<bool, StoreError> {
        let done = on_backend!(self, conn => {
            sqlx::query(
                "UPDATE letter
                    SET state = $3, next_at = $4, last_status = $5, last_answer = $6, lease_until = NULL
                  WHERE number = $1 AND fence = $2 AND state = 'sending'",
            )
            .bind(letter.number)
            .bind(letter.fence)
            .bind(result.state)
            .bind(result.next_at)
            .bind(result.status.map(i64::from))
            .bind(result.answer.as_deref().map(|answer| remark(answer, ANSWER)))
            .execute(conn)
            .await?
            .rows_affected()
        });
        Ok(done == 1)
    }

    /// An operator says "try again": what is parked for a partner is due now. Returns how many.
    pub async fn retry_letters(&mut self, partner: &PartnerDomain, at: Timestamp) -> Result<u64, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query("UPDATE letter SET state = 'due', attempts = 0, next_at = $2 WHERE partner = $1 AND state = 'parked'")
                .bind(partner)
                .bind(at)
                .execute(conn)
                .await?
                .rows_affected())
        })
    }

    /// Letters to a partner, latest first.
    pub async fn letters_of(&mut self, partner: &PartnerDomain, limit: u32) -> Result<Vec<Letter>, StoreError> {
        let rows: Vec<Row> = on_backend!(self, conn => {
            sqlx::query_as(
                "SELECT number, partner, inbox, activity_id, body, state, attempts, written_at, next_at, fence, last_status, last_answer
                   FROM letter
                  WHERE partner = $1
                  ORDER BY number DESC
                  LIMIT $2",
            )
            .bind(partner)
            .bind(i64::from(limit))
            .fetch_all(conn)
            .await?
        });
        Ok(rows.into_iter().map(Letter::from).collect())
    }

    /// A letter by its activity's address.
    pub async fn find_letter(&mut self, activity_id: &str) -> Result<Option<Letter>, StoreError> {
        let row: Option<Row> = on_backend!(self, conn => {
            sqlx::query_as(
                "SELECT number, partner, inbox, activity_id, body, state, attempts, written_at, next_at, fence, last_status, last_answer
                   FROM letter
                  WHERE activity_id = $1
                  ORDER BY number
                  LIMIT 1",
            )
            .bind(activity_id)
            .fetch_optional(conn)
            .await?
        });
        Ok(row.map(Letter::from))
    }
}
