//! The ledgers of the two gateways, read beside the running servers: who was sent what, who acknowledged it, who holds
//! what of whom. Reading only; the demo never writes into a gateway's database.

use std::collections::BTreeMap;

use crate::domain::digest::Digest;
use crate::domain::partner::FollowState;
use crate::domain::{Class, PartnerDomain, RecordId, Revision};
use crate::store::{CopyStanding, Disclosure, DisclosureState, RecordQuery, Standing, Store, StoreError};

const PAGE: u32 = 500;

/// The ledger of one gateway.
pub(super) struct Ledger(Store);

/// A record, or a copy, as gateways compare them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) class: Class,
    pub(super) revision: Revision,
    pub(super) digest: Digest,
    pub(super) deleted: bool,
}

impl Ledger {
    /// Opens the database of a gateway that has made it already.
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        Store::open(url).await.map(Self)
    }

    pub(super) async fn close(&self) {
        self.0.close().await;
    }

    /// Whether the two follow each other: what may be pushed, and what may be read.
    pub(super) async fn is_paired_with(&self, partner: &PartnerDomain) -> Result<bool, StoreError> {
        let partner = self.0.read().await?.lookup_partner(partner).await?;
        Ok(partner.is_some_and(|p| p.follows_us == FollowState::Accepted && p.followed == FollowState::Accepted))
    }

    /// What stands in the ledger about a record and a partner.
    pub(super) async fn disclosure(&self, id: &RecordId, partner: &PartnerDomain) -> Result<Option<Disclosure>, StoreError> {
        let rows = self.0.read().await?.disclosures_of(id).await?;
        Ok(rows.into_iter().find(|row| row.partner == *partner))
    }

    /// Whether the partner acknowledged the present revision of a record.
    pub(super) async fn is_acknowledged(&self, id: &RecordId, partner: &PartnerDomain) -> Result<bool, StoreError> {
        let record = self.0.read().await?.lookup_record(id).await?;
        let row = self.disclosure(id, partner).await?;
        Ok(record.zip(row).is_some_and(|(record, row)| {
            row.state == DisclosureState::Acknowledged
                && row.acked_revision == Some(record.revision)
                && row.acked_digest == Some(record.digest)
        }))
    }

    /// Every record of its own.
    pub(super) async fn own(&self) -> Result<BTreeMap<RecordId, Head>, StoreError> {
        let mut heads = BTreeMap::new();
        let mut query =
            RecordQuery { visible_only: false, order: crate::store::Order::ById, limit: PAGE, ..RecordQuery::default() };
        loop {
            let page = self.0.read().await?.list_records(&query).await?;
            for record in page.items {
                let deleted = record.standing == Standing::Deleted;
                heads.insert(record.id, Head { class: record.class, revision: record.revision, digest: record.digest, deleted });
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(heads),
            }
        }
    }

    /// Every copy it holds of a partner's records.
    pub(super) async fn held_of(&self, partner: &PartnerDomain) -> Result<BTreeMap<RecordId, Head>, StoreError> {
        let mut heads = BTreeMap::new();
        let mut after: Option<RecordId> = None;
        loop {
            let page = self.0.read().await?.copy_heads(partner, after.as_ref(), PAGE).await?;
            after = page.last().map(|head| head.id.clone());
            let full = page.len() == PAGE as usize;
            for head in page {
                let deleted = head.standing == CopyStanding::Deleted;
                heads.insert(head.id, Head { class: head.class, revision: head.revision, digest: head.digest, deleted });
            }
            if !full {
                return Ok(heads);
            }
        }
    }
}
