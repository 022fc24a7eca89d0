//! The inbound journal: every accepted activity, once per (partner, activity id), until its effect is
//! done. What is answered with 202 stands here first (I1), and ends in exactly one of applied, ignored,
//! rejected, quarantined.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};

use sqlx::{FromRow, QueryBuilder};

use super::columns::{remark, small, text_column, unsigned, whole};
use super::{Backend, CHUNK, StoreError, Tx, comes_again, on_backend, rounded};
use crate::domain::{PartnerDomain, RecordId, Timestamp};
use crate::words;

words! {
    /// Where an activity stands.
    JournalState {
        Pending = "pending",
        Working = "working",
        Applied = "applied",
        Ignored = "ignored",
        Rejected = "rejected",
        Quarantined = "quarantined",
    }
}
text_column!(JournalState);

/// After so many attempts that did not end, an activity is set aside for a person (SEC-105).
pub const ATTEMPTS: u32 = 5;
/// Longest problem kept, in characters.
const PROBLEM: usize = 500;

/// An activity to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// Who sent it.
    pub partner: PartnerDomain,
    /// Its address.
    pub activity_id: String,
    /// SHA-256 of its bytes.
    pub body_hash: [u8; 32],
    /// The activity, byte for byte.
    pub body: String,
    /// The record it is about, so that its words can be erased with that record.
    pub object: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
    /// The signed receipt that answers it, now and whenever it comes again.
    pub receipt: String,
}

/// What became of an entry that was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is kept now.
    New,
    /// It is kept already; this is the receipt that was given.
    Duplicate(String),
    /// Another body is kept under the same address.
    Equivocation,
}

/// An activity whose effect is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Its number.
    pub number: i64,
    /// Who sent it.
    pub partner: PartnerDomain,
    /// Its address.
    pub activity_id: String,
    /// The activity; none once its words were erased.
    pub body: Option<String>,
    /// The record it is about.
    pub object: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
    /// The receipt that was given.
    pub receipt: String,
    /// Where it stands.
    pub state: JournalState,
    /// How often it was tried, this time included.
    pub attempts: u32,
    /// Why it was rejected or failed last.
    pub problem: Option<String>,
    fence: i64,
}

#[derive(FromRow)]
pub(super) struct Row {
    pub(super) number: i64,
    partner: PartnerDomain,
    activity_id: String,
    body: Option<String>,
    object: Option<String>,
    received_at: Timestamp,
    receipt: String,
    state: JournalState,
    attempts: i64,
    problem: Option<String>,
    fence: i64,
}

impl JournalRow {
    /// The row as its claim leaves it.
    pub(super) const fn claimed(&mut self) {
        self.state = JournalState::Working;
        self.attempts += 1;
        self.fence += 1;
    }
}

impl From<Row> for JournalRow {
    fn from(row: Row) -> Self {
        Self {
            number: row.number,
            partner: row.partner,
            activity_id: row.activity_id,
            body: row.body,
            object: row.object,
            received_at: row.received_at,
            receipt: row.receipt,
            state: row.state,
            attempts: small(row.attempts),
            problem: row.problem,
            fence: row.fence,
        }
    }
}

#[derive(FromRow)]
struct Known {
    partner: PartnerDomain,
    activity_id: String,
    body_hash: Vec<u8>,
    receipt: String,
}

impl JournalEntry {
    /// Refuses what PostgreSQL could not hold, before it can spoil a batch.
    ///
    /// # Errors
    /// [`StoreError::Nul`].
    pub fn check(&self) -> Result<(), StoreError> {
        whole("an activity", &self.body)?;
        whole("an activity's address", &self.activity_id)?;
        whole("a receipt", &self.receipt)?;
        whole("an object's address", self.object.as_deref().unwrap_or_default())?;
        Ok(())
    }
}

/// The columns of a journal row, in one place for the statements below.
macro_rules! select_journal {
    ($rest:literal) => {
        concat!(
            "SELECT number, partner, activity_id, body, object, received_at, receipt, state, attempts, problem, fence
               FROM journal ",
            $rest
        )
    };
}

impl Tx {
    /// Keeps activities; the answers are in the order of the entries.
    pub async fn append_journal(&mut self, entries: &[impl Borrow<JournalEntry>]) -> Result<Vec<Appended>, StoreError> {
        let known = self.weigh_journal(entries).await?;
        let unknown = entries.iter().zip(&known).filter(|(_, known)| known.is_none());
        let unknown: Vec<&JournalEntry> = unknown.map(|(entry, _)| entry.borrow()).collect();
        let mut appended = self.append_unknown(&unknown).await?.into_iter();
        Ok(known.into_iter().filter_map(|known| known.or_else(|| appended.next())).collect())
    }

    /// Keeps activities of which this transaction saw none with [`Tx::weigh_journal`]; the answers are in the
    /// order of the entries.
    pub(super) async fn append_unknown(&mut self, entries: &[&JournalEntry]) -> Result<Vec<Appended>, StoreError> {
        let mut answers = Vec::with_capacity(entries.len());
        for chunk in entries.chunks(CHUNK) {
            for entry in chunk {
                entry.check()?;
            }
            let mut new = self.insert_entries(chunk).await?;
            let known = if new.len() < chunk.len() { self.known_entries(chunk).await? } else { HashMap::new() };
            for entry in chunk {
                let name = (entry.partner.clone(), entry.activity_id.clone());
                answers.push(if new.remove(&name) {
                    Appended::New
                } else {
                    match known.get(&name) {
                        Some((hash, receipt)) if hash.as_slice() == entry.body_hash => Appended::Duplicate(receipt.clone()),
                        Some(_) => Appended::Equivocation,
                        None => return Err(StoreError::Affected { what: "keeping an activity", expected: 1, actual: 0 }),
                    }
                });
            }
        }
        Ok(answers)
    }

    /// What would become of entries if they were offered now: `None` where they are new.
    pub async fn weigh_journal(&mut self, entries: &[impl Borrow<JournalEntry>]) -> Result<Vec<Option<Appended>>, StoreError> {
        let mut answers = Vec::with_capacity(entries.len());
        let entries: Vec<&JournalEntry> = entries.iter().map(Borrow::borrow).collect();
        for chunk in entries.chunks(CHUNK) {
            let known = self.known_entries(chunk).await?;
            answers.extend(chunk.iter().map(|entry| {
                known.get(&(entry.partner.clone(), entry.activity_id.clone())).map(|(hash, receipt)| {
                    if hash.as_slice() == entry.body_hash { Appended::Duplicate(receipt.clone()) } else { Appended::Equivocation }
                })
            }));
        }
        Ok(answers)
    }

    /// Returns which are new, and fewer than there are entries if not all are.
    async fn insert_entries(&mut self, entries: &[&JournalEntry]) -> Result<HashSet<(PartnerDomain, String)>, StoreError> {
        // In the order of the unique key, so that two processes never wait for each other in a circle.
        let mut sorted = entries.to_vec();
        sorted.sort_by(|a, b| (&a.partner, &a.activity_id).cmp(&(&b.partner, &b.activity_id)));
        // On SQLite nobody else has written since this transaction saw them; it hands over rows one by one.
        let all = self.backend() == Backend::Sqlite;
        let mut names: HashSet<_> = HashSet::new();
        if all {
            names.extend(sorted.iter().map(|entry| (entry.partner.clone(), entry.activity_id.clone())));
        }
        let rows: Vec<(PartnerDomain, String)> = on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "INSERT INTO journal (partner, activity_id, body_hash, body, object, received_at, receipt, state, next_at) ",
            );
            query.push_values(sorted, |mut row, entry| {
                row.push_bind(&entry.partner)
                    .push_bind(&entry.activity_id)
                    .push_bind(entry.body_hash.to_vec())
                    .push_bind(&entry.body)
                    .push_bind(&entry.object)
                    .push_bind(entry.received_at)
                    .push_bind(&entry.receipt)
                    .push_bind(JournalState::Pending)
                    .push_bind(entry.received_at);
            });
            query.push(" ON CONFLICT (partner, activity_id) DO NOTHING");
            if !all {
                query.push(" RETURNING partner, activity_id");
            }
            query.build_query_as().persistent(comes_again(entries.len())).fetch_all(conn).await?
        });
        names.extend(rows);
        Ok(names)
    }

    async fn known_entries(
        &mut self,
        entries: &[&JournalEntry],
    ) -> Result<HashMap<(PartnerDomain, String), (Vec<u8>, String)>, StoreError> {
        if entries.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<Known> = on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("WITH wanted (partner, activity_id) AS (");
            query.push_values(rounded(entries), |mut row, entry| {
                row.push_bind(&entry.partner).push_bind(&entry.activity_id);
            });
            query.push(
                ") SELECT journal.partner, journal.activity_id, journal.body_hash, journal.receipt
                     FROM wanted
                     JOIN journal ON journal.partner = wanted.partner AND journal.activity_id = wanted.activity_id",
            );
            query.build_query_as().fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(|row| ((row.partner, row.activity_id), (row.body_hash, row.receipt))).collect())
    }

    /// Ends a claimed activity, in the transaction of its effect. `false` when its lease ran out and
    /// another worker has it: forget the transaction.
    pub async fn finish_journal(
        &mut self,
        row: &JournalRow,
        state: JournalState,
        problem: Option<&str>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.end(&[row], state, problem, at).await? == 1)
    }

    /// Ends claimed activities of which each had its effect, in the transaction of these effects. `false` when
    /// the lease of one ran out and another worker has it: forget the transaction.
    pub async fn finish_applied(&mut self, rows: &[&JournalRow], at: Timestamp) -> Result<bool, StoreError> {
        let done = self.end(rows, JournalState::Applied, None, at).await?;
        Ok(usize::try_from(done).is_ok_and(|done| done == rows.len()))
    }

    /// An attempt failed for a reason that may pass: tried again at `next_at`, or quarantined after
    /// [`ATTEMPTS`] attempts. None when the lease ran out.
    pub async fn fail_journal(
        &mut self,
        row: &JournalRow,
        problem: &str,
        at: Timestamp,
        next_at: Timestamp,
    ) -> Result<Option<JournalState>, StoreError> {
        if row.attempts >= ATTEMPTS {
            let ended = self.end(&[row], JournalState::Quarantined, Some(problem), at).await?;
            return Ok((ended == 1).then_some(JournalState::Quarantined));
        }
        let done = on_backend!(self, conn => {
            sqlx::query(
                "UPDATE journal
                    SET state = 'pending', next_at = $3, problem = $4
                  WHERE number = $1 AND fence = $2 AND state = 'working'",
            )
            .bind(row.number)
            .bind(row.fence)
            .bind(next_at)
            .bind(remark(problem, PROBLEM))
            .execute(conn)
            .await?
            .rows_affected()
        });
        Ok((done == 1).then_some(JournalState::Pending))
    }

    /// An operator says "try again": what was set aside of a partner begins anew, unless its words are erased.
    /// Returns how many.
    pub async fn retry_journal(&mut self, partner: &PartnerDomain, at: Timestamp) -> Result<u64, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query(
                "UPDATE journal
                    SET state = 'pending', attempts = 0, next_at = $2, finished_at = NULL
                  WHERE partner = $1 AND state = 'quarantined' AND body IS NOT NULL",
            )
            .bind(partner)
            .bind(at)
            .execute(conn)
            .await?
            .rows_affected())
        })
    }

    /// What was ignored or rejected is not ours to keep, and of what is buried, hidden or withdrawn no words stay:
    /// its hash and its receipt do. Returns how many of the rows their claims still held.
    async fn end(
        &mut self,
        rows: &[&JournalRow],
        state: JournalState,
        problem: Option<&str>,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut done = 0;
        for chunk in rows.chunks(CHUNK) {
            done += on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("UPDATE journal SET state = ");
                query.push_bind(state).push(", problem = ").push_bind(problem.map(|problem| remark(problem, PROBLEM)));
                query.push(", finished_at = ").push_bind(at).push(", body = CASE WHEN ").push_bind(state);
                query.push(
                    " IN ('ignored', 'rejected') THEN NULL
                        WHEN EXISTS (SELECT 1
                                       FROM copy
                                      WHERE copy.id = journal.object
                                        AND (copy.standing IN ('deleted', 'hidden')
                                             OR copy.record ->> 'moderation' = 'hidden'
                                             OR copy.record -> 'body' ->> 'author_state' = 'withdrawn')) THEN NULL
                        ELSE body END
                      WHERE state IN ('pending', 'working') AND number IN (",
                );
                let mut list = query.separated(", ");
                for row in rounded(chunk) {
                    list.push_bind(row.number);
                }
                query.push(") AND (number, fence) IN (");
                query.push_values(rounded(chunk), |mut pair, row| {
                    pair.push_bind(row.number).push_bind(row.fence);
                });
                query.push(")");
                query.build().execute(conn).await?.rows_affected()
            });
        }
        Ok(done)
    }

    /// The addresses of what a partner sent about a record, latest first, at most `limit`.
    pub async fn activities_about(
        &mut self,
        partner: &PartnerDomain,
        object: &RecordId,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        on_backend!(self, conn => {
            Ok(sqlx::query_scalar("SELECT activity_id FROM journal WHERE object = $2 AND partner = $1 ORDER BY number DESC LIMIT $3")
                .bind(partner)
                .bind(object)
                .bind(i64::from(limit))
                .fetch_all(conn)
                .await?)
        })
    }

    /// An activity by its sender and address.
    pub async fn lookup_journal(&mut self, partner: &PartnerDomain, activity_id: &str) -> Result<Option<JournalRow>, StoreError> {
        let row: Option<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_journal!("WHERE partner = $1 AND activity_id = $2"))
                .bind(partner)
                .bind(activity_id)
                .fetch_optional(conn)
                .await?
        });
        Ok(row.map(JournalRow::from))
    }

    /// The last activities of a partner before number `before`, latest first.
    pub async fn list_journal(
        &mut self,
        partner: &PartnerDomain,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let rows: Vec<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_journal!("WHERE partner = $1 AND number < $2 ORDER BY number DESC LIMIT $3"))
                .bind(partner)
                .bind(before.unwrap_or(i64::MAX))
                .bind(i64::from(limit))
                .fetch_all(conn)
                .await?
        });
        Ok(rows.into_iter().map(JournalRow::from).collect())
    }

    /// How many activities stand where.
    pub async fn journal_counts(&mut self) -> Result<Vec<(JournalState, u64)>, StoreError> {
        let rows: Vec<(JournalState, i64)> = on_backend!(self, conn => {
            sqlx::query_as("SELECT state, COUNT(*) FROM journal GROUP BY state ORDER BY state").fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(|(state, count)| (state, unsigned(count))).collect())
    }
}
