//! Reading a platform: everything for the first time, and again when ten items of many have changed.

use anyhow::ensure;

use super::figure::mib;
use super::inbox::with_database;
use super::installation::Installation;
use super::process::{Helper, Ran, run};
use super::receivers::Ready;
use super::replay::{Change, Job, Stands};
use super::{Bench, Figure};
use crate::store::RecordQuery;

/// How many items change before the delta.
const CHANGED: u64 = 10;

impl Bench<'_> {
    /// First reading, then a reading in which ten changed, then one in which nothing did.
    pub(super) async fn ingest(&self) -> anyhow::Result<Vec<Figure>> {
        let mut figures = vec![self.first(self.options.items).await?];
        figures.extend(self.delta().await?);
        Ok(figures)
    }

    async fn first(&self, items: u64) -> anyhow::Result<Figure> {
        let (mut platform, Ready { port }): (_, Ready) = Helper::start("platform", &Job { items }).await?;
        // The first reading, by another city, fills the platform's memory.
        let (other, city) = (self.reader("other", port).await?, self.reader("city", port).await?);
        sync(&other).await?;
        other.close().await?;
        let before: Stands = platform.ask(&Change { items: 0 }).await?;
        let server = city.database_cpu()?;
        let ran = sync(&city).await?;
        let after: Stands = platform.ask(&Change { items: 0 }).await?;
        ensure!(after.remembered > before.remembered, "the platform simulated instead of repeating");
        let records = records(&city).await?;
        ensure!(records >= items, "{records} records of {items} items");
        let figure = Figure::new("ingest", format!("first reading, {items} proposals"), records, ran.took)
            .cpu("gateway", ran.cpu)
            .cpu("platform", after.cpu.saturating_sub(before.cpu))
            .number("peak MiB", mib(ran.peak));
        let figure = with_database(figure, &city, server)?.rate_at_least(5_000.0);
        city.close().await?;
        Ok(figure)
    }

    async fn delta(&self) -> anyhow::Result<Vec<Figure>> {
        let items = self.options.delta;
        let (mut platform, Ready { port }): (_, Ready) = Helper::start("platform", &Job { items }).await?;
        let (other, city) = (self.reader("other", port).await?, self.reader("city", port).await?);
        sync(&other).await?;
        let first = sync(&city).await?;
        let all = records(&city).await?;
        platform.ask::<Stands>(&Change { items: CHANGED }).await?;
        sync(&other).await?;
        other.close().await?;
        let server = city.database_cpu()?;
        let changed = sync(&city).await?;
        let figure = Figure::new("ingest", format!("reading again, {CHANGED} of {items} changed"), all, changed.took)
            .cpu("gateway", changed.cpu)
            .number("peak MiB", mib(changed.peak))
            .number("of the first reading's CPU", changed.cpu.as_secs_f64() / first.cpu.as_secs_f64().max(0.001));
        let figure = with_database(figure, &city, server)?;
        let server = city.database_cpu()?;
        let same = sync(&city).await?;
        let unchanged = Figure::new("ingest", format!("reading again, none of {items} changed"), all, same.took)
            .cpu("gateway", same.cpu)
            .number("peak MiB", mib(same.peak));
        let unchanged = with_database(unchanged, &city, server)?;
        let difference = (changed.cpu.as_secs_f64() - same.cpu.as_secs_f64()).max(0.0) * 1000.0;
        let figure = figure.number("ms CPU for what changed", difference);
        city.close().await?;
        Ok(vec![figure, unchanged])
    }

    async fn reader(&self, name: &str, port: u16) -> anyhow::Result<Installation> {
        let more = format!(
            "[[platform]]\nname = \"platform\"\nkind = \"decidim\"\nurl = \"http://platform.localhost:{port}\"\nevery = \"1d\"\n\
             requests_per_second = 1000000.0\n"
        );
        self.city(name, &more).await
    }
}

async fn sync(city: &Installation) -> anyhow::Result<Ran> {
    let (config, log) = (city.config().display().to_string(), city.file("sync.log"));
    let ran = run(&["platform", "sync", "platform", "--json", "--config", &config], &log).await?;
    ensure!(ran.stdout.contains("complete"), "the reading did not end well: {}", ran.stdout);
    Ok(ran)
}

async fn records(city: &Installation) -> anyhow::Result<u64> {
    Ok(city.store().read().await?.count_records(&RecordQuery::default()).await?)
}
