//! REL-023 and REL-024: several `serve` processes on one PostgreSQL. What each of them sends is seen by
//! partners that write everything down.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use passerelle::store::DisclosureState;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection};
use tokio::process::Child;

use crate::support::content;
use crate::support::program::{Installation, free_port};
use crate::support::publisher::Publisher;
use crate::support::sink::Arrival;
use crate::support::stores::{Databases, TestResult, on_postgres};

/// Partners, records and processes of the story.
const PARTNERS: usize = 8;
const RECORDS: u32 = 30;
const PROCESSES: usize = 4;
/// What one process has under way at most (`[delivery] concurrency`).
const IN_FLIGHT: usize = 8;

/// One more process of the same gateway, with a port of its own.
async fn process(city: &Publisher) -> (Installation, Child) {
    let beside = Installation { folder: tempfile::tempdir().expect("a temporary folder"), port: free_port() };
    let text = std::fs::read_to_string(city.first.config()).expect("it was written");
    let text =
        text.replace(&format!("listen = \"127.0.0.1:{}\"", city.first.port), &format!("listen = \"127.0.0.1:{}\"", beside.port));
    std::fs::write(beside.config(), text).expect("the folder is ours");
    let child = beside.serve(None).await;
    (beside, child)
}

/// What a process holds is free again, as if its leases had run out: the test does not wait for that.
async fn leases_end(city: &Publisher, pid: u32) -> anyhow::Result<u64> {
    let mut connection = PgConnection::connect(&city.url).await?;
    let done =
        sqlx::query("UPDATE disclosure SET next_at = now(), lease_until = now() WHERE state = 'sending' AND lease_holder = $1")
            .bind(format!("process {pid}"))
            .execute(&mut connection)
            .await?;
    Ok(done.rows_affected())
}

/// Of one (receiver, record), everything that arrived, in order.
fn by_record(arrivals: &[Arrival]) -> BTreeMap<(String, String), Vec<&Arrival>> {
    let mut all: BTreeMap<_, Vec<&Arrival>> = BTreeMap::new();
    for arrival in arrivals {
        all.entry((arrival.host.clone(), arrival.record.clone())).or_default().push(arrival);
    }
    all
}

async fn many_processes(databases: Databases) -> TestResult {
    let city = Publisher::new(&databases, PARTNERS, Duration::from_millis(30)).await?;
    city.first.rewrite(|text| format!("{text}[delivery]\nconcurrency = {IN_FLIGHT}\n"));
    let mut running = Vec::new();
    for _ in 0..PROCESSES {
        running.push(process(&city).await);
    }
    let deliveries = PARTNERS * RECORDS as usize;
    let first = city.publish(0..RECORDS, &HashMap::new()).await?;
    // One dies in the middle of it, another takes its place.
    city.until("a quarter of the deliveries", async || Ok(city.sink.arrivals().len() >= deliveries / 4)).await?;
    let (_, mut dead) = running.pop().expect("a process");
    let pid = dead.id().expect("it runs");
    dead.kill().await?;
    let killed = std::time::Instant::now();
    running.push(process(&city).await);
    let held = leases_end(&city, pid).await?;
    ensure!(held <= 64, "a process of {IN_FLIGHT} requests at once held {held} deliveries");
    // Newer revisions are published while the older ones are still under way.
    city.publish(0..RECORDS, &first).await?;
    city.until("acknowledgements", async || {
        let rows = city.ledger().await?;
        Ok(rows.get(&DisclosureState::Acknowledged) == Some(&(deliveries as u64)) && rows.len() == 1)
    })
    .await?;

    let arrivals = city.sink.arrivals();
    let (mut again, mut newest) = (0, 0);
    for ((host, record), of_one) in by_record(&arrivals) {
        let revisions: Vec<u64> = of_one.iter().map(|arrival| arrival.revision).collect();
        assert!(revisions.is_sorted(), "{host} got {record} out of order: {revisions:?}");
        newest += usize::from(revisions.last() == Some(&2));
        again += of_one.windows(2).filter(|pair| pair[0].activity == pair[1].activity).count();
        for pair in of_one.windows(2) {
            // One request at a time, unless whoever made the first one is dead.
            let over = pair[0].answered.is_some_and(|answered| answered <= pair[1].came);
            assert!(over || pair[0].came <= killed, "{host} was told of {record} twice at once");
        }
    }
    assert_eq!(newest, deliveries, "every partner has the newest revision of every record");
    assert!(again <= IN_FLIGHT, "{again} deliveries came twice; a process that is killed explains {IN_FLIGHT}");
    for (beside, mut child) in running {
        assert!(!beside.log().contains("ERROR"), "{}", beside.log());
        child.kill().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rel_023_four_processes_deliver_each_record_once_and_in_order_whoever_dies() {
    on_postgres(many_processes).await;
}

async fn late_result(databases: Databases) -> TestResult {
    let city = Publisher::new(&databases, 1, Duration::ZERO).await?;
    let (slow, mut child) = process(&city).await;
    let pid = child.id().context("it runs")?;
    let answer = city.sink.hold_next();
    city.publish(0..1, &HashMap::new()).await?;
    city.until("the first request", async || Ok(!city.sink.arrivals().is_empty())).await?;
    // It stands still with the request under way until its lease has run out; another takes over.
    signal(pid, Signal::STOP)?;
    ensure!(leases_end(&city, pid).await? == 1, "it holds the delivery");
    let (_other, mut other) = process(&city).await;
    let acknowledged = async || Ok(city.ledger().await?.get(&DisclosureState::Acknowledged) == Some(&1));
    city.until("the other process", acknowledged).await?;
    let record = content::contribution(&city.gateway.config.server.public_url, 0).id;
    let partner = city.sink.partner(0).domain;
    let row = async || city.gateway.federation.store.read().await?.lookup_disclosure(&partner, &record).await;
    let settled = row().await?.context("its row")?;
    // The first one wakes up, is answered, and comes to write it down.
    answer.send(true)?;
    signal(pid, Signal::CONT)?;
    city.until("the late result", async || Ok(slow.log().contains("a result came after its lease"))).await?;
    assert_eq!(row().await?.context("its row")?, settled, "what the late one says changes nothing");
    let log = city.gateway.federation.store.read().await?.exchanges_of(&record).await?;
    assert_eq!(log.len(), 1, "and nothing is written about it: {log:?}");
    assert_eq!(city.sink.arrivals().len(), 2);
    child.kill().await?;
    other.kill().await?;
    Ok(())
}

fn signal(pid: u32, signal: Signal) -> anyhow::Result<()> {
    let pid = Pid::from_raw(i32::try_from(pid)?).context("a process number")?;
    Ok(kill_process(pid, signal)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rel_024_a_process_that_lost_its_lease_changes_nothing_any_more() {
    on_postgres(late_result).await;
}
