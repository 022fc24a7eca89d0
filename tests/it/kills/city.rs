//! Two cities as real processes, and what must be true of them after a kill.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use passerelle::demo::platform::{Generation, LYON, NewProposal, SimulatedDecidim};
use passerelle::domain::time::SystemClock;
use passerelle::domain::{Class, Clock, PartnerDomain};
use passerelle::store::{RecordQuery, Store};
use serde_json::Value;
use tokio::process::Child;
use tokio::sync::Mutex;

use super::items;
use crate::support::checker::{self, Side};
use crate::support::program::{Installation, text, was_killed};
use crate::support::stores::Databases;

/// Lyon in front of a platform with many proposals, and Bordeaux, which has none of its own.
pub struct Cities {
    pub lyon: Installation,
    pub bordeaux: Installation,
    platform: SimulatedDecidim,
    pub(super) databases: [String; 2],
    pub(super) running: Mutex<HashMap<&'static str, Child>>,
}

impl Cities {
    /// Two installations that do not know each other yet.
    pub async fn new(databases: &Databases) -> anyhow::Result<Self> {
        let platform = SimulatedDecidim::start(Generation::V031, LYON, Arc::new(SystemClock)).await?;
        platform.throttle(None);
        platform.change(|state| {
            let like = state
                .proposals
                .iter()
                .find(|proposal| state.proposal_is_public(proposal))
                .expect("the fixture has a public proposal");
            let (component, author) = (like.component, like.authors.first().copied().unwrap_or(1));
            while state.proposals.len() < items() {
                let title = format!("Un banc de plus, numéro {}", state.proposals.len());
                state.add_proposal(&NewProposal { component, author, title: &title, body: "Avec un arbre.", place: None });
            }
        });
        let urls = [databases.url().await, databases.url().await];
        let lyon = Installation::new("lyon", &urls[0], Some(&platform.url()));
        let bordeaux = Installation::new("bordeaux", &urls[1], None);
        Ok(Self { lyon, bordeaux, platform, databases: urls, running: Mutex::default() })
    }

    /// Two running gateways that follow each other.
    pub async fn paired(databases: &Databases) -> anyhow::Result<Self> {
        let cities = Self::new(databases).await?;
        cities.pair().await?;
        Ok(cities)
    }

    pub(super) fn installation(&self, name: &str) -> &Installation {
        if name == "lyon" { &self.lyon } else { &self.bordeaux }
    }

    /// A city's database.
    pub(super) fn database(&self, name: &str) -> &str {
        &self.databases[usize::from(name != "lyon")]
    }

    pub(super) async fn start(&self, name: &'static str, point: Option<&str>) {
        let child = self.installation(name).serve(point).await;
        self.running.lock().await.insert(name, child);
    }

    pub(super) async fn stop(&self, name: &'static str) -> anyhow::Result<()> {
        if let Some(mut child) = self.running.lock().await.remove(name) {
            child.kill().await?;
        }
        Ok(())
    }

    /// Starts both and introduces them to each other, without any record to exchange.
    async fn pair(&self) -> anyhow::Result<()> {
        // No reading on schedule: these tests say when the platform is read.
        self.lyon.rewrite(|text| text.replace("every = \"1d\"", "every = \"1d\"\npublish = false"));
        self.start("lyon", None).await;
        self.start("bordeaux", None).await;
        accept(&self.lyon, &self.bordeaux).await?;
        accept(&self.bordeaux, &self.lyon).await?;
        let both = async {
            while !(follows(&self.lyon).await? && follows(&self.bordeaux).await?) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(Duration::from_mins(1), both).await.context("the two cities do not follow each other in time")??;
        self.lyon.rewrite(|text| text.replace("publish = false", "publish = true"));
        Ok(())
    }

    /// Reads Lyon's platform until a run is complete; a run that was killed holds it for a while.
    pub async fn sync_until_complete(&self, patience: Duration) -> anyhow::Result<()> {
        let stopped = self.running.lock().await.contains_key("lyon");
        if stopped {
            // What is published while Lyon is down is delivered after the start that kills it.
            self.stop("lyon").await?;
        }
        let complete = async {
            loop {
                let output = self.lyon.run_patiently(&["platform", "sync", "lyon"], None, patience).await;
                if output.status.success() {
                    return Ok(());
                }
                let said = text(&output);
                if !said.contains("is being read") {
                    bail!("{said}");
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        tokio::time::timeout(patience, complete).await.context("no complete run in time")?
    }

    /// Starts Lyon with a kill point, waits for its death, and starts it again.
    pub async fn lyon_dies_at(&self, point: &str) -> anyhow::Result<()> {
        self.unscheduled();
        self.start("lyon", Some(point)).await;
        self.expect_death("lyon", point).await?;
        self.start("lyon", None).await;
        Ok(())
    }

    /// Restarts Bordeaux with a kill point, lets Lyon send, waits for the death, and starts it again.
    pub async fn bordeaux_dies_at(&self, point: &str) -> anyhow::Result<()> {
        self.unscheduled();
        self.stop("bordeaux").await?;
        self.start("bordeaux", Some(point)).await;
        self.start("lyon", None).await;
        self.expect_death("bordeaux", point).await?;
        self.start("bordeaux", None).await;
        Ok(())
    }

    /// Pairs once Lyon has published; Bordeaux dies while it reads Lyon's records.
    pub async fn backfill_dies_at(&self, point: &str) -> anyhow::Result<()> {
        self.unscheduled();
        self.start("lyon", None).await;
        self.start("bordeaux", Some(point)).await;
        accept(&self.lyon, &self.bordeaux).await?;
        accept(&self.bordeaux, &self.lyon).await?;
        self.expect_death("bordeaux", point).await?;
        self.start("bordeaux", None).await;
        Ok(())
    }

    /// From now on `serve` leaves the platform alone.
    pub(super) fn unscheduled(&self) {
        self.lyon.rewrite(|text| {
            if text.contains("publish = ") {
                text.replace("publish = true", "publish = false")
            } else {
                text.replace("every = \"1d\"", "every = \"1d\"\npublish = false")
            }
        });
    }

    async fn expect_death(&self, name: &'static str, point: &str) -> anyhow::Result<()> {
        let mut child = self.running.lock().await.remove(name).context("it was started")?;
        // A sender that met a closed door comes again after half a minute at most, and then needs its time.
        let status = tokio::time::timeout(Duration::from_mins(4), child.wait())
            .await
            .with_context(|| format!("{name} lives on: {point} was not passed"))??;
        ensure!(was_killed(status), "{name} ended with {status}, not by {point}");
        Ok(())
    }

    /// A city's domain, as the other one writes it.
    pub(super) fn domain(&self, name: &str) -> anyhow::Result<PartnerDomain> {
        Ok(format!("{name}.localhost:{}", self.installation(name).port).parse()?)
    }

    /// Every public proposal of the platform is one visible record of Lyon, of revision 1.
    pub async fn expect_every_item_once(&self) -> anyhow::Result<()> {
        let public =
            self.platform.read(|state| state.proposals.iter().filter(|proposal| state.proposal_is_public(proposal)).count());
        let store = Store::open(&self.databases[0]).await?;
        let mut tx = store.read().await?;
        let mut query =
            RecordQuery { classes: vec![Class::Contribution], visible_only: true, limit: 1000, ..RecordQuery::default() };
        let mut seen: HashMap<String, usize> = HashMap::new();
        loop {
            let page = tx.list_records(&query).await?;
            for record in &page.items {
                let local = record.local.as_ref().context("an own record knows its source")?;
                *seen.entry(local.id.clone()).or_default() += 1;
                ensure!(record.revision == 1, "{local} has revision {}", record.revision);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        ensure!(seen.values().all(|&times| times == 1), "some item is published twice");
        ensure!(seen.len() == public, "{} of {public} public proposals are published", seen.len());
        drop(tx);
        store.close().await;
        Ok(())
    }

    /// Bordeaux holds exactly what Lyon publishes, and both ledgers agree.
    pub async fn expect_converged(&self, patience: Duration) -> anyhow::Result<()> {
        let lyon = Store::open(&self.databases[0]).await?;
        let bordeaux = Store::open(&self.databases[1]).await?;
        let origin = Side { store: &lyon, domain: self.domain("lyon")? };
        let holder = Side { store: &bordeaux, domain: self.domain("bordeaux")? };
        let converged = async {
            while !checker::check(&origin, &holder, SystemClock.now()).await?.is_empty() {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            anyhow::Ok(())
        };
        if tokio::time::timeout(patience, converged).await.is_err() {
            let found = checker::check(&origin, &holder, SystemClock.now()).await?;
            bail!(
                "{} findings remain, for example {:?}\nLyon: {}\nBordeaux: {}",
                found.len(),
                found.first(),
                tail(&self.lyon.log()),
                tail(&self.bordeaux.log())
            );
        }
        checker::expect_sound(&origin, &holder, SystemClock.now()).await?;
        self.expect_every_item_once().await?;
        lyon.close().await;
        bordeaux.close().await;
        Ok(())
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// `one` accepts `other` by the sixteen digits that `other` prints.
pub(super) async fn accept(one: &Installation, other: &Installation) -> anyhow::Result<()> {
    let listed: Value = serde_json::from_slice(&other.run(&["partner", "list", "--json"]).await.stdout)?;
    let digits = listed["fingerprint"]["digits"].as_str().context("the list begins with our own fingerprint")?;
    let domain = listed["domain"].as_str().context("and our own domain")?;
    let output = one.run(&["partner", "accept", domain, "--fingerprint", digits]).await;
    ensure!(output.status.success(), "{}", text(&output));
    Ok(())
}

/// Whether an installation's only partner follows it and is followed.
async fn follows(installation: &Installation) -> anyhow::Result<bool> {
    let listed: Value = serde_json::from_slice(&installation.run(&["partner", "list", "--json"]).await.stdout)?;
    let partner = &listed["partners"][0];
    Ok(partner["followsUs"] == "accepted" && partner["followed"] == "accepted")
}
