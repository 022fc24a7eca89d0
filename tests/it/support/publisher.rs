//! A city that publishes to partners which only receive: its database, and as many processes as a test starts.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::Context as _;
use passerelle::app::Gateway;
use passerelle::config::Config;
use passerelle::domain::change::ChangeKind;
use passerelle::domain::digest::Digest;
use passerelle::domain::seal::Seal;
use passerelle::domain::text::{LanguageTag, Localized, PlainText};
use passerelle::federation::seal::Sealer;
use passerelle::store::{DisclosureState, RecordWrite};

use super::content;
use super::program::Installation;
use super::sink::Sink;
use super::stores::Databases;

/// The city, and the partners that follow it.
pub struct Publisher {
    /// Its database.
    pub url: String,
    /// Its configuration; nothing runs by itself.
    pub first: Installation,
    /// A look into its database from here.
    pub gateway: Gateway,
    /// The partners.
    pub sink: Sink,
    partners: usize,
}

impl Publisher {
    /// Partners that answer after a while, and nothing published yet.
    pub async fn new(databases: &Databases, partners: usize, answer_after: Duration) -> anyhow::Result<Self> {
        let url = databases.url().await;
        let first = Installation::new("lyon", &url, None);
        let gateway = Gateway::open(Config::load(&first.config())?).await?;
        let sink = Sink::start(answer_after).await;
        let mut tx = gateway.federation.store.write().await?;
        for n in 0..partners {
            tx.put_partner(&sink.partner(n)).await?;
        }
        tx.save().await?;
        Ok(Self { url, first, gateway, sink, partners })
    }

    /// Publishes a revision of each record; the digests of the revisions before it are those of `before`.
    pub async fn publish(
        &self,
        numbers: std::ops::Range<u32>,
        before: &HashMap<u32, Digest>,
    ) -> anyhow::Result<HashMap<u32, Digest>> {
        let (url, now) = (&self.gateway.config.server.public_url, self.gateway.clock.now());
        let seal = Sealer::new(self.gateway.federation.keys.clone());
        let mut writes = Vec::new();
        let mut digests = HashMap::new();
        for n in numbers {
            let mut record = content::contribution(url, n);
            let previous = before.get(&n).cloned();
            if previous.is_some() {
                record.revision = 2;
                record.title = PlainText::new("Un autre titre").map(|title| Localized::one(LanguageTag::french(), title));
            }
            let sealed = seal.record(&record, previous.as_ref(), now)?;
            digests.insert(n, sealed.digest.clone());
            let kind = if previous.is_some() { ChangeKind::Updated } else { ChangeKind::Created };
            writes.push(RecordWrite { local: None, record, sealed, previous, kind, material: true, at: now });
        }
        let mut tx = self.gateway.federation.store.write().await?;
        tx.put_records(&writes).await?;
        tx.save().await?;
        Ok(digests)
    }

    /// How many disclosures stand where.
    pub async fn ledger(&self) -> anyhow::Result<BTreeMap<DisclosureState, u64>> {
        let mut all = BTreeMap::new();
        for n in 0..self.partners {
            let counts = self.gateway.federation.store.read().await?.disclosure_counts(&self.sink.partner(n).domain).await?;
            for (state, count) in counts {
                *all.entry(state).or_default() += count;
            }
        }
        Ok(all)
    }

    /// Waits until it is so.
    pub async fn until(&self, what: &str, mut so: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let waiting = async {
            while !so().await? {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            anyhow::Ok(())
        };
        let ended = tokio::time::timeout(Duration::from_mins(2), waiting).await;
        ended.with_context(|| format!("{what}: not in time; {} arrived", self.sink.arrivals().len()))?
    }
}
