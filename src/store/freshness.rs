//! How long copies live without a word from their origin (R6, R7, architecture §4.10): which ask to be
//! renewed, and what becomes of one that nobody renewed.

use super::partner_receipts::PartnerReceipt;
use super::{StoreError, Tx, on_backend};
use crate::domain::digest::Digest;
use crate::domain::{PartnerDomain, RecordId, Timestamp};

impl Tx {
    /// Claims living copies that their origin confirmed last at or before `confirmed` and that nobody asked
    /// for since `asked`: of each origin the `each` confirmed longest ago. They count as asked for at `now`.
    pub async fn claim_stale_copies(
        &mut self,
        confirmed: Timestamp,
        now: Timestamp,
        asked: Timestamp,
        each: u32,
    ) -> Result<Vec<(PartnerDomain, RecordId, Timestamp)>, StoreError> {
        let mut stale: Vec<(PartnerDomain, RecordId, Timestamp)> = on_backend!(self, conn => {
            sqlx::query_as(
                "UPDATE copy
                    SET asked_at = $2
                  WHERE id IN (SELECT id
                                 FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY domain ORDER BY confirmed_at, id) AS place
                                         FROM copy
                                        WHERE confirmed_at <= $1 AND standing <> 'deleted' AND (asked_at IS NULL OR asked_at <= $3)
                                      ) AS waiting
                                WHERE place <= $4)
                    AND (asked_at IS NULL OR asked_at <= $3)
                 RETURNING domain, id, confirmed_at",
            )
            .bind(confirmed)
            .bind(now)
            .bind(asked)
            .bind(i64::from(each))
            .fetch_all(conn)
            .await?
        });
        stale.sort_by(|a, b| (a.2, &a.1).cmp(&(b.2, &b.1)));
        Ok(stale)
    }

    /// An origin did not answer at `now`: its copies confirmed later than `over` count as asked for.
    pub async fn note_silence(&mut self, domain: &PartnerDomain, now: Timestamp, over: Timestamp) -> Result<(), StoreError> {
        on_backend!(self, conn => {
            sqlx::query("UPDATE copy SET asked_at = $2 WHERE domain = $1 AND confirmed_at > $3 AND standing <> 'deleted'")
                .bind(domain)
                .bind(now)
                .bind(over)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Forgets a copy that nobody confirmed since `confirmed`: row and words, here and in the journal. No
    /// tombstone stays, because its origin may send it again. `false` when it was confirmed meanwhile.
    pub async fn expire_copy(&mut self, id: &RecordId, confirmed: Timestamp) -> Result<bool, StoreError> {
        let done = on_backend!(&mut *self, conn => {
            sqlx::query("DELETE FROM copy WHERE id = $1 AND confirmed_at <= $2 AND standing <> 'deleted'")
                .bind(id)
                .bind(confirmed)
                .execute(conn)
                .await?
                .rows_affected()
        });
        if done == 1 {
            self.erase_bodies(id).await?;
        }
        Ok(done == 1)
    }

    /// A partner proved that it erased the revision `held` at `purged_at` because nobody renewed it: it holds
    /// nothing any more. `false` when the ledger says otherwise: it never held that revision, or was given
    /// one later.
    pub async fn note_expiry(
        &mut self,
        partner: &PartnerDomain,
        record: &RecordId,
        (held, purged_at): (&Digest, Timestamp),
        receipt: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let receipt = super::columns::whole("a receipt", receipt)?;
        let done = on_backend!(&mut *self, conn => {
            sqlx::query(
                "UPDATE disclosure
                    SET state = 'purged', offered = FALSE, acked_revision = NULL, acked_digest = NULL, acked_at = $3,
                        fence = fence + 1, lease_until = NULL, lease_holder = NULL
                  WHERE partner = $1 AND record = $2 AND state IN ('acknowledged', 'purge-asked')
                    AND acked_digest = $4 AND acked_at <= $5",
            )
            .bind(partner)
            .bind(record)
            .bind(at)
            .bind(held)
            .bind(purged_at)
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
}
