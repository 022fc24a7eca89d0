//! Which inbox of a reader server took which revision of a record. A server has one disclosure a record;
//! behind it stand as many inboxes as its followers need: one where they share it.

use super::claims::Claimed;
use super::columns::{number, unsigned};
use super::{StoreError, Tx, on_backend};
use crate::domain::{PartnerDomain, RecordId, Revision};

impl Tx {
    /// Writes down that an inbox took a revision.
    pub async fn note_reached(
        &mut self,
        partner: &PartnerDomain,
        record: &RecordId,
        inbox: &str,
        revision: Revision,
    ) -> Result<(), StoreError> {
        on_backend!(self, conn => {
            sqlx::query(
                "INSERT INTO reached (partner, record, inbox, revision)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT (partner, record, inbox) DO UPDATE
                    SET revision = CASE WHEN excluded.revision > reached.revision THEN excluded.revision ELSE reached.revision END",
            )
            .bind(partner)
            .bind(record)
            .bind(inbox)
            .bind(number(revision))
            .execute(conn)
            .await?;
        });
        Ok(())
    }

    /// The inboxes of a server that took a record, each with the revision it took last.
    pub async fn reached(&mut self, partner: &PartnerDomain, record: &RecordId) -> Result<Vec<(String, Revision)>, StoreError> {
        let rows: Vec<(String, i64)> = on_backend!(self, conn => {
            sqlx::query_as("SELECT inbox, revision FROM reached WHERE partner = $1 AND record = $2 ORDER BY inbox")
                .bind(partner)
                .bind(record)
                .fetch_all(conn)
                .await?
        });
        Ok(rows.into_iter().map(|(inbox, revision)| (inbox, unsigned(revision))).collect())
    }

    /// The record is deleted and every inbox that took it was told.
    pub async fn forget_reached(&mut self, partner: &PartnerDomain, record: &RecordId) -> Result<(), StoreError> {
        on_backend!(self, conn => {
            sqlx::query("DELETE FROM reached WHERE partner = $1 AND record = $2").bind(partner).bind(record).execute(conn).await?;
        });
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
