//! The exchange log: one row per answered exchange with a partner. It only grows, so that what was sent
//! in the past stays provable after the disclosure has moved on. It holds digests, never texts, and is a chain
//! per partner (`evidence`).

use std::collections::BTreeMap;

use sqlx::{FromRow, QueryBuilder};

use super::columns::{number, remark, status, unsigned, whole};
use super::{CHUNK, StoreError, Tx, on_backend};
use crate::domain::digest::Digest;
use crate::domain::{PartnerDomain, RecordId, Revision, Timestamp};

/// Longest answer kept, in characters.
const ANSWER: usize = 200;

/// One answered exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// With whom.
    pub partner: PartnerDomain,
    /// About which record.
    pub record: Option<RecordId>,
    /// Which revision was carried.
    pub revision: Option<Revision>,
    /// The digest of what was carried.
    pub digest: Option<Digest>,
    /// The activity (or page) that carried it.
    pub activity: String,
    /// When the answer came.
    pub at: Timestamp,
    /// The answer's HTTP status; none when nobody answered.
    pub status: Option<u16>,
    /// The code or the first words of the answer.
    pub answer: Option<String>,
}

/// An exchange with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeRow {
    /// Its number; grows.
    pub number: i64,
    /// The exchange.
    pub exchange: Exchange,
}

#[derive(FromRow)]
struct Row {
    number: i64,
    partner: PartnerDomain,
    record: Option<RecordId>,
    revision: Option<i64>,
    digest: Option<Digest>,
    activity: String,
    at: Timestamp,
    status: Option<i64>,
    answer: Option<String>,
}

impl From<Row> for ExchangeRow {
    fn from(row: Row) -> Self {
        let exchange = Exchange {
            partner: row.partner,
            record: row.record,
            revision: row.revision.map(unsigned),
            digest: row.digest,
            activity: row.activity,
            at: row.at,
            status: status(row.status),
            answer: row.answer,
        };
        Self { number: row.number, exchange }
    }
}

/// The columns of an exchange, in one place for the statements below.
macro_rules! select_exchanges {
    ($rest:literal) => {
        concat!("SELECT number, partner, record, revision, digest, activity, at, status, answer FROM exchange ", $rest)
    };
}

impl Tx {
    /// Adds rows to the chains of their partners, which are listed.
    pub async fn append_exchanges(&mut self, exchanges: &[Exchange]) -> Result<(), StoreError> {
        for chunk in exchanges.chunks(CHUNK) {
            let mut of_partners: BTreeMap<&PartnerDomain, Vec<Exchange>> = BTreeMap::new();
            for exchange in chunk {
                whole("an activity's address", &exchange.activity)?;
                let answer = exchange.answer.as_deref().map(|answer| remark(answer, ANSWER));
                of_partners.entry(&exchange.partner).or_default().push(Exchange { answer, ..exchange.clone() });
            }
            let digests = self.continue_chains(&of_partners).await?;
            let rows: Vec<(&Exchange, Digest)> = of_partners.values().flatten().zip(digests).collect();
            self.insert_exchanges(&rows).await?;
        }
        Ok(())
    }

    async fn insert_exchanges(&mut self, rows: &[(&Exchange, Digest)]) -> Result<(), StoreError> {
        on_backend!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "INSERT INTO exchange (partner, record, revision, digest, activity, at, status, answer, chain) ",
            );
            query.push_values(rows, |mut row, (exchange, chain)| {
                row.push_bind(&exchange.partner)
                    .push_bind(&exchange.record)
                    .push_bind(exchange.revision.map(number))
                    .push_bind(&exchange.digest)
                    .push_bind(&exchange.activity)
                    .push_bind(exchange.at)
                    .push_bind(exchange.status.map(i64::from))
                    .push_bind(&exchange.answer)
                    .push_bind(chain);
            });
            query.build().execute(conn).await?;
        });
        Ok(())
    }

    /// Every exchange about a record, oldest first.
    pub async fn exchanges_of(&mut self, record: &RecordId) -> Result<Vec<ExchangeRow>, StoreError> {
        let rows: Vec<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_exchanges!("WHERE record = $1 ORDER BY number")).bind(record).fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(ExchangeRow::from).collect())
    }

    /// Every exchange that carried an activity, oldest first.
    pub async fn exchanges_of_activity(&mut self, activity: &str) -> Result<Vec<ExchangeRow>, StoreError> {
        let rows: Vec<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_exchanges!("WHERE activity = $1 ORDER BY number")).bind(activity).fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(ExchangeRow::from).collect())
    }
}
