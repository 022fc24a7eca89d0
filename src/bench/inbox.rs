//! Accepting what partners and readers post: verified, kept durably, answered. And doing it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::content::{self, Pairs};
use super::installation::{Installation, until};
use super::load::{self, Done, Go, Requests};
use super::process::Helper;
use super::receivers::{self, Count, Counted, Ready};
use super::servers::Door;
use super::{Bench, Figure};
use crate::domain::partner::PartnerKind;
use crate::federation::keys::Keys;
use crate::store::JournalState;

/// Activities before the clock starts, so that connections and caches of a new store are as in the middle of a day.
const WARM_UP: u64 = 50;
/// The port in the addresses of partners that are never asked for anything.
const NOWHERE: u16 = 9;

/// Who posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    Partner,
    Reader,
}

impl Sender {
    fn requests(self, keys: &Pairs, port: u16, from: u64, count: u64) -> Requests {
        let keys = keys.clone();
        match self {
            Self::Partner => Requests::Partner { keys, port, from, count },
            Self::Reader => Requests::Reader { keys, port, from, count },
        }
    }

    const fn kind(self) -> PartnerKind {
        match self {
            Self::Partner => PartnerKind::Partner,
            Self::Reader => PartnerKind::Reader,
        }
    }
}

impl Bench<'_> {
    /// Accepting with a known and with an unknown key, and accepting with the effect done.
    pub(super) async fn inbox(&self) -> anyhow::Result<Vec<Figure>> {
        let mut figures = Vec::new();
        for (sender, name) in [
            (Sender::Partner, "accepted: partner, Ed25519, known key"),
            (Sender::Reader, "accepted: reader, RSA-2048, known key"),
        ] {
            let city = self.city("inbox", "").await?;
            let figure = self.accept(&city, sender, 0, WARM_UP, name).await?;
            figures.push(if self.on_sqlite() { figure.cpu_at_most("gateway", 0.3) } else { figure });
            city.close().await?;
        }
        figures.push(self.strangers().await?);
        figures.push(self.applied().await?);
        Ok(figures)
    }

    /// Accepts `items` activities at the door of `city`, after `warm` others that are not counted; numbers begin at `from`.
    pub(super) async fn accept(
        &self,
        city: &Installation,
        sender: Sender,
        from: u64,
        warm: u64,
        name: &str,
    ) -> anyhow::Result<Figure> {
        let keys = Arc::new(Keys::generate("http://p0.localhost/actor".parse()?)?);
        city.list([content::silent(content::partner(sender.kind(), 0, NOWHERE, Some(&keys), city.now())?)]).await?;
        let pairs = Pairs::of(&keys)?;
        let (door, _): (_, Ready) = Helper::start("door", &Door { config: city.config() }).await?;
        let before = kept(city).await?;
        let mut load = self.load(city, sender.requests(&pairs, NOWHERE, from, warm)).await?;
        load.ask::<Done>(&Go).await?.all(202, warm)?;
        let count = self.options.items;
        let job = self.job(city, sender.requests(&pairs, NOWHERE, from + warm, count));
        load.ask::<load::Ready>(&job).await?;
        let (spent, database) = (door.cpu()?, city.database_cpu()?);
        let done: Done = load.ask(&Go).await?;
        let spent = door.cpu()?.saturating_sub(spent);
        done.all(202, count)?;
        let (stored, wanted) = (kept(city).await?, before + warm + count);
        ensure!(stored == wanted, "{stored} are kept instead of {wanted}");
        let figure =
            Figure::new("inbox", name, count, done.took).cpu("gateway", spent).cpu("load", done.cpu).latency(done.p50, done.p99);
        with_database(figure, city, database)
    }

    /// Readers whose keys were never seen: each is asked for its actor once.
    async fn strangers(&self) -> anyhow::Result<Figure> {
        let city = self.city("inbox", "").await?;
        let pairs = Pairs::of(&Keys::generate("http://p0.localhost/actor".parse()?)?)?;
        let job = receivers::Job { keys: pairs.clone(), gateways: false, answer_after: Duration::ZERO };
        let (mut theirs, Ready { port }): (_, Ready) = Helper::start("receivers", &job).await?;
        let count = self.options.items;
        let listed: Vec<_> =
            (0..count).map(|n| content::partner(PartnerKind::Reader, n, port, None, city.now())).collect::<Result<_, _>>()?;
        city.list(listed).await?;
        let (door, _): (_, Ready) = Helper::start("door", &Door { config: city.config() }).await?;
        let mut load = self.load(&city, Requests::Strangers { keys: pairs, port, from: 0, count }).await?;
        let (spent, database) = (door.cpu()?, city.database_cpu()?);
        let paid = theirs.ask::<Counted>(&Count).await?.cpu;
        let done: Done = load.ask(&Go).await?;
        let counted: Counted = theirs.ask(&Count).await?;
        done.all(202, count)?;
        let stored = kept(&city).await?;
        ensure!(counted.fetched == count && stored == count, "{stored} of {count} are kept, {counted:?}");
        let figure = Figure::new("inbox", "accepted: readers, RSA-2048, keys never seen", count, done.took)
            .cpu("gateway", door.cpu()?.saturating_sub(spent))
            .cpu("readers", counted.cpu.saturating_sub(paid))
            .cpu("load", done.cpu)
            .latency(done.p50, done.p99);
        let figure = with_database(figure, &city, database)?;
        drop((door, theirs, load));
        city.close().await?;
        Ok(figure)
    }

    /// The whole gateway: until the last activity has had its effect.
    async fn applied(&self) -> anyhow::Result<Figure> {
        let city = self.city("inbox", "").await?;
        let keys = Arc::new(Keys::generate("http://p0.localhost/actor".parse()?)?);
        city.list([content::silent(content::partner(PartnerKind::Partner, 0, NOWHERE, Some(&keys), city.now())?)]).await?;
        let served = city.serve().await?;
        let count = self.options.items;
        let mut load = self.load(&city, Sender::Partner.requests(&Pairs::of(&keys)?, NOWHERE, 0, count)).await?;
        let (spent, database, began) = (served.cpu()?, city.database_cpu()?, Instant::now());
        let done: Done = load.ask(&Go).await?;
        done.all(202, count)?;
        until("effects", Duration::from_mins(10), async || {
            let counts = city.store().read().await?.journal_counts().await?;
            Ok(counts.iter().any(|(state, applied)| *state == JournalState::Applied && *applied == count))
        })
        .await?;
        let figure = Figure::new("inbox", "accepted and applied: partner, Ed25519", count, began.elapsed())
            .cpu("gateway", served.cpu()?.saturating_sub(spent))
            .latency(done.p50, done.p99);
        let figure = with_database(figure, &city, database)?;
        served.stop().await?;
        city.close().await?;
        Ok(figure)
    }

    /// A load on this city that is ready to begin.
    pub(super) async fn load(&self, city: &Installation, requests: Requests) -> anyhow::Result<Helper> {
        let (load, _): (_, load::Ready) = Helper::start("load", &self.job(city, requests)).await?;
        Ok(load)
    }

    pub(super) fn job(&self, city: &Installation, requests: Requests) -> load::Job {
        load::Job { to: city.public_url.clone(), connections: self.options.connections, requests }
    }
}

/// How many activities the journal holds.
async fn kept(city: &Installation) -> anyhow::Result<u64> {
    let counts = city.store().read().await?.journal_counts().await?;
    Ok(counts.iter().map(|(_, count)| count).sum())
}

/// Adds what a database server spent since `before`.
pub(super) fn with_database(figure: Figure, city: &Installation, before: Option<Duration>) -> anyhow::Result<Figure> {
    Ok(match (before, city.database_cpu()?) {
        (Some(before), Some(after)) => figure.cpu("database", after.saturating_sub(before)),
        _ => figure,
    })
}
