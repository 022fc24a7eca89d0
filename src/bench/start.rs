//! Starting, and doing nothing.

use std::time::Duration;

use super::figure::mib;
use super::process::memory;
use super::{Bench, Figure};

/// How often it is started.
const STARTS: usize = 5;
/// How long it is left alone.
const IDLE: Duration = Duration::from_secs(3);

impl Bench<'_> {
    /// From the start of the process to the first answer, and what it holds when nobody asks.
    pub(super) async fn start(&self) -> anyhow::Result<Vec<Figure>> {
        let city = self.city("start", "").await?;
        let mut took = Vec::new();
        for _ in 0..STARTS {
            let served = city.serve().await?;
            took.push((served.took, served.cpu()?));
            served.stop().await?;
        }
        took.sort();
        let (median, cpu) = took[STARTS / 2];
        let start = Figure::new("start", "until the first answer (median)", 1, median).cpu("gateway", cpu);
        let served = city.serve().await?;
        tokio::time::sleep(IDLE).await;
        let spent = served.cpu()?;
        tokio::time::sleep(IDLE).await;
        let held = memory(served.pid)?.now;
        let idle = Figure::new("start", "memory and CPU when nothing happens", 1, IDLE)
            .cpu("gateway", served.cpu()?.saturating_sub(spent))
            .number("MiB", mib(held));
        served.stop().await?;
        city.close().await?;
        let seconds = start.seconds;
        Ok(vec![start.at_most(seconds, 0.2, "s"), idle.at_most(mib(held), 30.0, "MiB")])
    }
}
