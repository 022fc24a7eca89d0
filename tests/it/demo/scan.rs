//! The real connector reads the simulated platforms to a proven end, with the built-in profile's proofs.

use std::collections::BTreeMap;
use std::sync::Arc;

use passerelle::connectors::{self, Courtesy, Installation, ReadPlan, ScanEvent, ScanReport};
use passerelle::demo::platform::{BORDEAUX, Fault, Generation, LYON, SimulatedDecidim, State, When};
use passerelle::domain::time::SystemClock;
use passerelle::mapping::Profile;
use passerelle::outbound::{Client, Policy};

async fn scan(city: &SimulatedDecidim) -> (Vec<ScanEvent>, ScanReport) {
    let installation = Installation {
        name: "city".parse().unwrap(),
        kind: "decidim".to_owned(),
        url: city.url().parse().unwrap(),
        courtesy: Courtesy::none(),
    };
    let client = Client::new(Policy::with_loopback()).unwrap();
    let connector = connectors::open(installation, client, Arc::new(SystemClock)).unwrap();
    let profile = Profile::built_in("decidim").unwrap().unwrap();
    let proofs: BTreeMap<_, _> =
        profile.proofs().map(|(entity, proofs)| (entity.to_owned(), proofs.iter().map(|proof| proof.kind).collect())).collect();
    let (send, mut receive) = tokio::sync::mpsc::channel(64);
    let collect = tokio::spawn(async move {
        let mut events = Vec::new();
        while let Some(event) = receive.recv().await {
            events.push(event);
        }
        events
    });
    let report = connector.scan(&ReadPlan { proofs }, send).await.unwrap();
    (collect.await.unwrap(), report)
}

fn ids(events: &[ScanEvent], entity: &str) -> Vec<String> {
    let item = |event: &ScanEvent| match event {
        ScanEvent::Item(record) if record.entity == entity => Some(record.local_id.clone()),
        _ => None,
    };
    events.iter().filter_map(item).collect()
}

#[tokio::test]
async fn the_connector_reads_both_generations_completely() {
    for (generation, fixture) in [(Generation::V031, LYON), (Generation::V028, BORDEAUX)] {
        let city = SimulatedDecidim::start(generation, fixture, Arc::new(SystemClock)).await.unwrap();
        let (events, report) = scan(&city).await;
        let incomplete: Vec<_> = report.entities.iter().filter(|(_, entity)| !entity.complete).collect();
        assert!(incomplete.is_empty(), "{incomplete:?}");
        let sorted = |mut ids: Vec<String>| {
            ids.sort();
            ids
        };
        let public =
            |state: &State| state.proposals.iter().filter(|p| state.proposal_is_public(p)).map(|p| p.id.to_string()).collect();
        assert_eq!(sorted(ids(&events, "proposal")), sorted(city.read(public)));
    }
}

#[tokio::test]
async fn a_list_that_loops_is_not_read_to_an_end() {
    let city = SimulatedDecidim::start(Generation::V031, LYON, Arc::new(SystemClock)).await.unwrap();
    city.misbehave(Some((Fault::CursorLoop, When::Always)));
    let (_, report) = scan(&city).await;
    assert!(!report.entities["proposal"].complete);
}
