//! Receipts that partners gave us for what they were sent: of the last delivery, and of the erasure.

use sqlx::QueryBuilder;

use super::{CHUNK, StoreError, Tx, comes_again, on_backend};
use crate::domain::{PartnerDomain, RecordId};

/// What a partner signed about one disclosure, as it was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PartnerReceipt<'r> {
    /// To whom, and of what.
    pub about: (&'r PartnerDomain, &'r RecordId),
    /// That it was delivered.
    pub receipt: Option<&'r str>,
    /// That it was erased.
    pub purge_receipt: Option<&'r str>,
}

impl Tx {
    /// Keeps these beside their disclosures, each in the place of an earlier one of its kind.
    pub(super) async fn keep_receipts(&mut self, receipts: &[PartnerReceipt<'_>]) -> Result<(), StoreError> {
        for chunk in receipts.chunks(CHUNK) {
            on_backend!(&mut *self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("INSERT INTO disclosure_receipt (partner, record, receipt, purge_receipt) ");
                query.push_values(chunk, |mut row, kept| {
                    let (partner, record) = kept.about;
                    row.push_bind(partner).push_bind(record).push_bind(kept.receipt).push_bind(kept.purge_receipt);
                });
                query.push(
                    " ON CONFLICT (partner, record) DO UPDATE
                         SET receipt = COALESCE(excluded.receipt, disclosure_receipt.receipt),
                             purge_receipt = COALESCE(excluded.purge_receipt, disclosure_receipt.purge_receipt)",
                );
                query.build().persistent(comes_again(chunk.len())).execute(conn).await?;
            });
        }
        Ok(())
    }
}
