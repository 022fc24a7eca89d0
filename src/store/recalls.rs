//! Recalls: what was published, is taken back, and is not proven gone at a partner. Nobody forgets them:
//! they are told of after a day, a week and 25 days (GDPR-03, GDPR-28).

use sqlx::FromRow;

use super::columns::unsigned;
use super::{StoreError, Tx, on_backend};
use crate::domain::{PartnerDomain, Timestamp};

/// Recalls of one partner that are open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRecalls {
    /// The partner that holds or may hold them.
    pub partner: PartnerDomain,
    /// How many.
    pub open: u64,
    /// Since when the oldest of them is to be gone.
    pub oldest: Timestamp,
}

#[derive(FromRow)]
struct Row {
    partner: PartnerDomain,
    open: i64,
    oldest: Timestamp,
}

impl From<Row> for OpenRecalls {
    fn from(row: Row) -> Self {
        Self { partner: row.partner, open: unsigned(row.open), oldest: row.oldest }
    }
}

/// Which recalls are open: not delivered yet, or delivered and not proven. Set aside counts too.
macro_rules! select_open {
    ($rest:literal) => {
        concat!(
            "SELECT partner, COUNT(*) AS open, MIN(planned_at) AS oldest
               FROM disclosure
              WHERE priority = 0 AND offered
                AND state IN ('due', 'sending', 'unconfirmed', 'purge-asked', 'parked')
                AND planned_at > $1 AND planned_at <= $2 ",
            $rest,
            " GROUP BY partner ORDER BY partner"
        )
    };
}

impl Tx {
    /// The partners at which recalls are open, with the oldest of each.
    pub async fn open_recalls(&mut self) -> Result<Vec<OpenRecalls>, StoreError> {
        self.recalls_between(Timestamp::MIN, Timestamp::MAX).await
    }

    /// Open recalls that were to be gone since after `from` and up to `until`.
    pub async fn recalls_between(&mut self, from: Timestamp, until: Timestamp) -> Result<Vec<OpenRecalls>, StoreError> {
        let rows: Vec<Row> = on_backend!(self, conn => {
            sqlx::query_as(select_open!("")).bind(from).bind(until).fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(OpenRecalls::from).collect())
    }
}
