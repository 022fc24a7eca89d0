//! What has to be true after a step, seen from outside: at the origin and at the partner as a stranger, and in the
//! ledgers. Each check waits for its fact and names it when it does not come.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use url::Url;

use super::city::City;
use super::crawl;
use super::ledger::Ledger;
use super::stranger::{Seen, Stranger, until};
use crate::domain::receipt::PurgeReceipt;
use crate::domain::time::{Clock, SystemClock};
use crate::domain::{Class, RecordId};
use crate::federation::receipts::{self, Pinned};
use crate::store::DisclosureState;

/// How long a fact may take from one platform to the other city's page: two readings and a delivery.
pub(super) const FACT: Duration = Duration::from_mins(1);

/// Looks at the world for the story.
pub(super) struct Witness {
    pub(super) stranger: Stranger,
    pub(super) keys: BTreeMap<&'static str, Pinned>,
    pub(super) ledgers: BTreeMap<&'static str, Ledger>,
}

impl Witness {
    pub(super) fn ledger(&self, city: &City) -> anyhow::Result<&Ledger> {
        self.ledgers.get(city.name).with_context(|| format!("the ledger of {} is not open", city.title))
    }

    pub(super) fn key(&self, city: &City) -> anyhow::Result<&Pinned> {
        self.keys.get(city.name).with_context(|| format!("the key of {} is not known", city.title))
    }

    /// Waits until links of `city` lead to a contribution called `title`.
    pub(super) async fn finds(&self, city: &City, title: &str) -> anyhow::Result<RecordId> {
        let what = format!("« {title} » in the lists of {}", city.title);
        until(&what, FACT, async || crawl::find(&self.stranger, &city.public_url, title).await).await
    }

    /// Waits until the page at `url` is as `fits` wants it.
    pub(super) async fn page(&self, what: &str, url: &Url, fits: impl Fn(&Seen) -> bool) -> anyhow::Result<()> {
        until(&format!("{what} ({url})"), FACT, async || {
            let seen = self.stranger.page(url).await?;
            if fits(&seen) { Ok(Some(())) } else { anyhow::bail!("the page answers {}", seen.status) }
        })
        .await
    }

    /// Waits until the record at its origin is as `fits` wants it; its proof is verified.
    pub(super) async fn record(
        &self,
        what: &str,
        id: &RecordId,
        city: &City,
        fits: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<()> {
        let key = self.key(city)?;
        until(&format!("{what} ({id})"), FACT, async || {
            let (_, document) = self.stranger.record(id, key).await?;
            Ok(fits(&document).then_some(()))
        })
        .await
    }

    /// Waits until `holder` shows its copy as `fits` wants it, and `origin` has its receipt for the present revision.
    pub(super) async fn copy(
        &self,
        what: &str,
        id: &RecordId,
        origin: &City,
        holder: &City,
        fits: impl Fn(&Seen) -> bool,
    ) -> anyhow::Result<()> {
        let page = holder.copy_page(id, Class::Contribution)?;
        self.page(&format!("{what} at {}", holder.title), &page, fits).await?;
        let ledger = self.ledger(origin)?;
        let what = format!("{} acknowledged the present revision of {id}", holder.title);
        until(&what, FACT, async || Ok(ledger.is_acknowledged(id, &holder.domain).await?.then_some(()))).await
    }

    /// Waits for the signed receipt that `holder` erased its copy, and verifies it with the key `holder` states.
    pub(super) async fn purge(&self, id: &RecordId, origin: &City, holder: &City) -> anyhow::Result<PurgeReceipt> {
        let (ledger, key) = (self.ledger(origin)?, self.key(holder)?);
        let what = format!("a purge receipt of {} for {id}", holder.title);
        let text = until(&what, FACT, async || {
            let row = ledger.disclosure(id, &holder.domain).await?;
            Ok(row.filter(|row| row.state == DisclosureState::Purged).and_then(|row| row.purge_receipt))
        })
        .await?;
        let document: Value = serde_json::from_str(&text).context("the purge receipt is not JSON")?;
        let receipt = receipts::read_purge(&document, key, SystemClock.now())?;
        ensure!(receipt.receipt_for == id.as_str(), "the receipt is for {}", receipt.receipt_for);
        Ok(receipt)
    }

    /// Compares every record of `origin` with what `holder` holds of it, first by the ledgers; when those agree, each is
    /// fetched at its origin as a stranger, its proof verified and its digest compared with the holder's. Gives the
    /// differences.
    pub(super) async fn differences(&self, origin: &City, holder: &City) -> anyhow::Result<Vec<String>> {
        let own = self.ledger(origin)?.own().await?;
        let held = self.ledger(holder)?.held_of(&origin.domain).await?;
        let mut differences = Vec::new();
        for (id, head) in &own {
            match held.get(id) {
                None if head.deleted => {}
                None => differences.push(format!("{id} is not held")),
                Some(copy) if copy.deleted && head.deleted => {}
                Some(copy) if copy.deleted != head.deleted => differences.push(format!("{id} is deleted in one city only")),
                Some(copy) if copy.revision == head.revision && copy.digest == head.digest => {}
                Some(_) => differences.push(format!("{id} is held in another revision")),
            }
        }
        differences.extend(held.keys().filter(|id| !own.contains_key(*id)).map(|id| format!("{id} is unknown at its origin")));
        if differences.is_empty() {
            let key = self.key(origin)?;
            for (id, head) in own.iter().filter(|(_, head)| !head.deleted) {
                if self.stranger.record(id, key).await?.0 != head.digest {
                    differences.push(format!("{id} is shown to strangers in another revision"));
                }
            }
        }
        Ok(differences)
    }

    /// What a stranger is told that `holder` holds of `origin`.
    pub(super) async fn held_in_public(&self, origin: &City, holder: &City) -> anyhow::Result<u64> {
        let url = holder.public_url.join(&format!("/from/{}", origin.domain))?;
        let (status, document) = self.stranger.machine(&url).await?;
        let total = document.get("totalItems").and_then(Value::as_u64);
        total.with_context(|| format!("{url} answers {status} without totalItems"))
    }
}
