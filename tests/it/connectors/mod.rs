//! Reading platforms: the simulated ones, hostile ones, and real ones where they are at hand.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod comments;
mod hostile;
mod politeness;
mod reading;
mod rigs;
mod things;

use std::collections::BTreeSet;
use std::sync::Arc;

use passerelle::connectors::{self, Connector, ConnectorError, Courtesy, Installation, ReadPlan, ScanEvent, ScanReport};
use passerelle::domain::Clock;
use passerelle::domain::source::{Evidence, ProofKind, SourceRecord};
use passerelle::domain::time::ManualClock;
use passerelle::outbound::{Client, Policy};
use tokio::sync::mpsc;

/// What one reading brought.
#[derive(Debug)]
pub struct Reading {
    /// The items in the order in which they came.
    pub items: Vec<SourceRecord>,
    withheld: Vec<(String, String, String)>,
    failed: Vec<(String, String)>,
    outcome: Result<ScanReport, ConnectorError>,
}

impl Reading {
    fn report(&self) -> &ScanReport {
        self.outcome.as_ref().unwrap()
    }

    /// The ids of an entity that has numbers for ids, sorted, as often as they came.
    fn ids(&self, entity: &str) -> Vec<u64> {
        let mut ids: Vec<u64> =
            self.items.iter().filter(|item| item.entity == entity).map(|item| item.local_id.parse().unwrap()).collect();
        ids.sort_unstable();
        ids
    }

    /// The ids of an entity that some proof shows to be public.
    fn proven(&self, entity: &str) -> BTreeSet<u64> {
        let proven = self.items.iter().filter(|item| item.entity == entity && matches!(item.evidence, Evidence::Proven { .. }));
        proven.map(|item| item.local_id.parse().unwrap()).collect()
    }

    fn item(&self, entity: &str, id: u64) -> Option<&SourceRecord> {
        self.items.iter().find(|item| item.entity == entity && item.local_id == id.to_string())
    }

    fn is_withheld(&self, entity: &str, id: u64) -> bool {
        self.withheld.iter().any(|(of, local_id, _)| of == entity && *local_id == id.to_string())
    }
}

/// What the built-in profile demands.
fn plan() -> ReadPlan {
    let proofs = [
        ("participatory_process", vec![ProofKind::PublicPage]),
        ("proposal", vec![ProofKind::OpenDataCsv, ProofKind::PublicPage]),
        ("comment", vec![ProofKind::OpenDataCsv]),
        ("meeting", vec![ProofKind::OpenDataCsv, ProofKind::PublicPage]),
        ("result", vec![ProofKind::OpenDataCsv, ProofKind::PublicPage]),
        ("project", vec![ProofKind::OpenDataCsv, ProofKind::PublicPage]),
        ("milestone", vec![ProofKind::SingleSource]),
        ("attachment", vec![ProofKind::SingleSource]),
    ];
    ReadPlan { proofs: proofs.into_iter().map(|(entity, proofs)| (entity.to_owned(), proofs)).collect() }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap()))
}

fn connector_with(url: &str, policy: Policy, courtesy: Courtesy, clock: Arc<dyn Clock>) -> Arc<dyn Connector> {
    let installation =
        Installation { name: "city".parse().unwrap(), kind: "decidim".to_owned(), url: url.parse().unwrap(), courtesy };
    connectors::open(installation, Client::new(policy).unwrap(), clock).unwrap()
}

fn connector(url: &str) -> Arc<dyn Connector> {
    connector_with(url, Policy::with_loopback(), Courtesy::none(), clock())
}

async fn read_with(connector: Arc<dyn Connector>, plan: ReadPlan) -> Reading {
    let (out, mut events) = mpsc::channel(16);
    let scan = tokio::spawn(async move { connector.scan(&plan, out).await });
    let (mut items, mut withheld, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(event) = events.recv().await {
        match event {
            ScanEvent::Item(item) => items.push(*item),
            ScanEvent::Withheld { entity, local_id, reason } => withheld.push((entity, local_id, reason)),
            ScanEvent::FailedRead { entity, local_id, .. } => failed.push((entity, local_id)),
            ScanEvent::Progress { .. } => {}
        }
    }
    Reading { items, withheld, failed, outcome: scan.await.unwrap() }
}

pub async fn read(url: &str) -> Reading {
    read_with(connector(url), plan()).await
}
