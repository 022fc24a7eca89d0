//! REL-004 with many partners: the process dies while it plans what all of them are due.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use passerelle::store::DisclosureState;

use super::is_long;
use super::long::let_go;
use crate::support::content;
use crate::support::program::was_killed;
use crate::support::publisher::Publisher;
use crate::support::stores::Databases;

/// Who follows the city.
const PARTNERS: usize = 50;

/// Deaths, and how many records are published before each, half of them while the other half is on its way:
/// 500 deliveries to all partners, and 10 000 in the long form.
fn deaths() -> (u32, u32) {
    if is_long() { (50, 4) } else { (1, 10) }
}

/// At each death every record is due to all partners or to none; in the end all have acknowledged all of them.
pub async fn survives(databases: Databases, point: &str) -> anyhow::Result<()> {
    let (deaths, records) = deaths();
    let city = Publisher::new(&databases, PARTNERS, Duration::from_millis(5)).await?;
    for death in 0..deaths {
        let (first, middle, last) = (death * records, death * records + records / 2, (death + 1) * records);
        // It dies at the planner's second passing: the first is about half of the records, or about what was left.
        let left = unplanned(&city).await? > 0;
        let mut child = city.first.serve(Some(&format!("{point}:2"))).await;
        if !left {
            city.publish(first..middle, &HashMap::new()).await?;
        }
        city.until("the first passing", async || Ok(unplanned(&city).await? == 0)).await?;
        city.publish(if left { first } else { middle }..last, &HashMap::new()).await?;
        let status = tokio::time::timeout(Duration::from_mins(1), child.wait()).await.context("it lives on")??;
        ensure!(was_killed(status), "it ended with {status}, not at {point}: {}", city.first.log());
        let mut none = 0;
        for n in 0..last {
            let told = told(&city, n).await?;
            ensure!(told == 0 || told == PARTNERS, "record {n} is due to {told} of {PARTNERS} partners");
            none += u32::from(told == 0);
        }
        ensure!(none > 0 || point != "planner.before-commit", "it died before nothing was planned");
        ensure!(none < last, "it died after nothing was planned");
        let_go(&city.url).await?;
    }
    let mut child = city.first.serve(None).await;
    let all = PARTNERS as u64 * u64::from(deaths * records);
    city.until("acknowledgements", async || {
        let rows = city.ledger().await?;
        Ok(rows.len() == 1 && rows.get(&DisclosureState::Acknowledged) == Some(&all))
    })
    .await?;
    let mut arrived: Vec<_> = city.sink.arrivals().into_iter().map(|arrival| (arrival.host, arrival.record)).collect();
    let requests = arrived.len();
    arrived.sort();
    arrived.dedup();
    ensure!(arrived.len() as u64 == all, "{} of {all} arrived", arrived.len());
    child.kill().await?;
    eprintln!("fan-out: {point}: {deaths} kills, {all} deliveries to {PARTNERS} partners in {requests} requests, sound");
    Ok(())
}

/// How many changes wait for the planner.
async fn unplanned(city: &Publisher) -> anyhow::Result<u64> {
    Ok(city.gateway.federation.store.read().await?.unplanned_changes().await?.0)
}

/// To how many partners the `n`th record is due, or was.
async fn told(city: &Publisher, n: u32) -> anyhow::Result<usize> {
    let record = content::contribution(&city.gateway.config.server.public_url, n).id;
    Ok(city.gateway.federation.store.read().await?.disclosures_of(&record).await?.len())
}
