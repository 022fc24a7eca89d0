//! Visitors and machines: the same address as a page and as sealed bytes.

use super::inbox::with_database;
use super::installation::Installation;
use super::load::{Done, Go, Requests};
use super::process::Served;
use super::{Bench, Figure, content};

/// How many different objects are asked for.
const OBJECTS: u64 = 1_000;
/// What machines ask for.
pub(super) const JSON: &str = "application/activity+json";

impl Bench<'_> {
    /// Objects and pages, asked for again and again, and each for the first time.
    pub(super) async fn read(&self) -> anyhow::Result<Vec<Figure>> {
        let city = self.city("read", "").await?;
        let objects = OBJECTS.min(self.options.items);
        city.fill(0..objects, true).await?;
        let served = city.serve().await?;
        let mut figures = vec![
            self.look(&city, &served, 0..objects, JSON, objects, "objects, for the first time").await?,
            self.look(&city, &served, 0..objects, JSON, self.options.items * 2, "objects, again")
                .await?
                .cpu_at_most("gateway", 0.02),
        ];
        figures.push(self.look(&city, &served, 0..objects, "text/html", objects, "pages, for the first time").await?);
        figures.push(self.look(&city, &served, 0..objects, "text/html", self.options.items * 2, "pages, again").await?);
        served.stop().await?;
        city.close().await?;
        Ok(figures)
    }

    /// Asks for these objects in turn, `count` times in all.
    pub(super) async fn look(
        &self,
        city: &Installation,
        served: &Served,
        objects: impl Iterator<Item = u64>,
        accept: &str,
        count: u64,
        title: &str,
    ) -> anyhow::Result<Figure> {
        let path = |n| Ok(content::id(&city.public_url, n)?.path().to_owned());
        let paths = objects.map(path).collect::<anyhow::Result<_>>()?;
        let mut load = self.load(city, Requests::Get { paths, accept: accept.to_owned(), count }).await?;
        let (spent, database) = (served.cpu()?, city.database_cpu()?);
        let done: Done = load.ask(&Go).await?;
        done.all(200, count)?;
        let figure = Figure::new("read", title, count, done.took)
            .cpu("gateway", served.cpu()?.saturating_sub(spent))
            .cpu("load", done.cpu)
            .latency(done.p50, done.p99);
        with_database(figure, city, database)
    }
}
