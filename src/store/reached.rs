//! Which inbox of a reader server took which revision of a record. A server has one disclosure a record;
//! behind it stand as many inboxes as its followers need: one where they share it.

use std::collections::BTreeMap;

use sqlx::{FromRow, QueryBuilder};

use super::claims::Claimed;
use super::columns::{number, unsigned};
use super::{CHUNK, StoreError, Tx, comes_again, on_backend, rounded};
use crate::domain::{PartnerDomain, RecordId, Revision};

/// Below every revision: the inbox was sent one and did not say that it took it.
pub const UNCERTAIN: Revision = 0;

/// An inbox that took a revision of a record, or may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Of which server.
    pub partner: PartnerDomain,
    /// Which record.
    pub record: RecordId,
    /// The inbox's address.
    pub inbox: String,
    /// The revision, or [`UNCERTAIN`].
    pub revision: Revision,
}

#[derive(FromRow)]
struct Row {
    partner: PartnerDomain,
    record: RecordId,
    inbox: String,
    revision: i64,
}

impl Tx {
    /// Writes down which inboxes took which revisions.
    pub async fn note_reached(&mut self, reached: &[Reached]) -> Result<(), StoreError> {
        // Of one inbox the newest: no statement may change a row twice.
        let mut newest: BTreeMap<_, &Reached> = BTreeMap::new();
        for one in reached {
            let kept = newest.entry((&one.partner, &one.record, &one.inbox)).or_insert(one);
            if one.revision > kept.revision {
                *kept = one;
            }
        }
        for chunk in newest.into_values().collect::<Vec<_>>().chunks(CHUNK) {
            on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("INSERT INTO reached (partner, record, inbox, revision) ");
                query.push_values(chunk, |mut row, one| {
                    row.push_bind(&one.partner).push_bind(&one.record).push_bind(&one.inbox).push_bind(number(one.revision));
                });
                query.push(
                    " ON CONFLICT (partner, record, inbox) DO UPDATE
                         SET revision = CASE WHEN excluded.revision > reached.revision THEN excluded.revision ELSE reached.revision END",
                );
                query.build().persistent(comes_again(chunk.len())).execute(conn).await?;
            });
        }
        Ok(())
    }

    /// The inboxes of servers that have these records or may have them, each with the revision it took last.
    pub async fn reached(
        &mut self,
        pairs: &[(&PartnerDomain, &RecordId)],
    ) -> Result<BTreeMap<(PartnerDomain, RecordId), BTreeMap<String, Revision>>, StoreError> {
        let mut found: BTreeMap<_, BTreeMap<String, Revision>> = BTreeMap::new();
        for chunk in pairs.chunks(CHUNK) {
            let rows: Vec<Row> = on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("WITH wanted (partner, record) AS (");
                query.push_values(rounded(chunk), |mut row, (partner, record)| {
                    row.push_bind(partner).push_bind(record);
                });
                query.push(
                    ") SELECT reached.partner, reached.record, reached.inbox, reached.revision
                         FROM wanted
                         JOIN reached ON reached.partner = wanted.partner AND reached.record = wanted.record",
                );
                query.build_query_as().fetch_all(conn).await?
            });
            for Row { partner, record, inbox, revision } in rows {
                found.entry((partner, record)).or_default().insert(inbox, unsigned(revision));
            }
        }
        Ok(found)
    }

    /// These inboxes were told that a record is gone as of that revision: they do not have what came before.
    pub async fn forget_reached(&mut self, told: &[Reached]) -> Result<(), StoreError> {
        for Reached { partner, record, inbox, revision } in told {
            on_backend!(&mut *self, conn => {
                sqlx::query("DELETE FROM reached WHERE partner = $1 AND record = $2 AND inbox = $3 AND revision <= $4")
                    .bind(partner)
                    .bind(record)
                    .bind(inbox)
                    .bind(number(*revision))
                    .execute(conn)
                    .await?;
            });
        }
        Ok(())
    }

    /// Nobody there wants what was claimed: what was never taken leaves the ledger; of what was taken
    /// nothing more is due. `false` when the lease ran out.
    pub async fn settle_unwanted(&mut self, claimed: &Claimed) -> Result<bool, StoreError> {
        let done = on_backend!(self, conn => {
            let gone = sqlx::query(
                "DELETE FROM disclosure
                  WHERE partner = $1 AND record = $2 AND fence = $3 AND state = 'sending' AND acked_revision IS NULL",
            )
            .bind(&claimed.partner)
            .bind(&claimed.record)
            .bind(claimed.fence)
            .execute(&mut *conn)
            .await?
            .rows_affected();
            let kept = sqlx::query(
                "UPDATE disclosure
                    SET state = 'acknowledged', due_revision = acked_revision, attempts = 0, lease_until = NULL, lease_holder = NULL
                  WHERE partner = $1 AND record = $2 AND fence = $3 AND state = 'sending'",
            )
            .bind(&claimed.partner)
            .bind(&claimed.record)
            .bind(claimed.fence)
            .execute(conn)
            .await?
            .rows_affected();
            gone + kept
        });
        Ok(done == 1)
    }
}
