//! Fan-out: a few records for many partners, or readers, from the commit that publishes them until the
//! last acknowledgement is in the ledger.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::content::{self, Pairs};
use super::inbox::with_database;
use super::installation::{Installation, until};
use super::process::{Helper, Served};
use super::receivers::{Count, Counted, Job, Ready};
use super::{Bench, Figure};
use crate::domain::RecordId;
use crate::domain::partner::PartnerKind;
use crate::federation::keys::Keys;
use crate::store::DisclosureState;

/// How long a fan-out may take.
const PATIENCE: Duration = Duration::from_mins(30);
/// An idle gateway looks for work this often; the clock starts in the middle of that.
const SETTLED: Duration = Duration::from_millis(750);

impl Bench<'_> {
    /// To partners (Ed25519, receipts) and to readers (RSA-2048), and by several processes.
    pub(super) async fn push(&self) -> anyhow::Result<Vec<Figure>> {
        let mut figures = Vec::new();
        for (kind, name, wanted) in
            [(PartnerKind::Partner, "partners, Ed25519, receipts", 0.2), (PartnerKind::Reader, "readers, RSA-2048", 0.6)]
        {
            let alone = self.fan_out(kind, name, 1).await?;
            let held = if self.on_sqlite() { alone.clone().cpu_at_most("sender", wanted) } else { alone.clone() };
            figures.push(held);
            if self.options.processes > 1 {
                let together = self.fan_out(kind, name, self.options.processes).await?;
                let faster = together.per_second / alone.per_second;
                let dearer = cpu_of(&together) / cpu_of(&alone);
                let took = Duration::from_secs_f64(together.seconds);
                let title = format!("{} processes against one", self.options.processes);
                figures.push(together);
                figures.push(Figure::new("push", title.clone(), 0, took).at_least(faster, 3.0, "times as fast"));
                figures.push(Figure::new("push", title, 0, took).at_most(dearer, 1.1, "times the CPU of a delivery"));
            }
        }
        Ok(figures)
    }

    async fn fan_out(&self, kind: PartnerKind, name: &str, processes: u32) -> anyhow::Result<Figure> {
        let city = self.city("push", &format!("[delivery]\nconcurrency = {}\n", self.options.in_flight)).await?;
        let partners = self.options.partners.max(1);
        let records = self.options.items.div_ceil(partners);
        let mut served = vec![city.serve().await?];
        for _ in 1..processes {
            served.push(city.serve_beside().await?);
        }
        let mut title = format!("{partners} {name}");
        if processes > 1 {
            title.push_str(&format!(", {processes} processes"));
        }
        let figure = self.deliver(&city, &served, kind, partners, 0..records, &title).await?;
        for one in served {
            one.stop().await?;
        }
        city.close().await?;
        Ok(figure)
    }

    /// Publishes these records of a running city and waits until every partner has acknowledged them.
    pub(super) async fn deliver(
        &self,
        city: &Installation,
        served: &[Served],
        kind: PartnerKind,
        partners: u64,
        records: std::ops::Range<u64>,
        title: &str,
    ) -> anyhow::Result<Figure> {
        let keys = Arc::new(Keys::generate("http://p0.localhost/actor".parse()?)?);
        let job =
            Job { keys: Pairs::of(&keys)?, gateways: kind == PartnerKind::Partner, answer_after: self.options.answer_after };
        let (mut theirs, Ready { port }): (_, Ready) = Helper::start("receivers", &job).await?;
        let listed: Vec<_> =
            (0..partners).map(|n| content::partner(kind, n, port, Some(&keys), city.now())).collect::<Result<_, _>>()?;
        city.list(listed.clone()).await?;
        tokio::time::sleep(SETTLED).await;
        let paid = theirs.ask::<Counted>(&Count).await?.cpu;
        let (spent, database, began) = (cpu(served)?, city.database_cpu()?, Instant::now());
        let wanted = partners * (records.end - records.start);
        let published = city.publish(records).await?;
        loop {
            let counted: Counted = theirs.ask(&Count).await?;
            if counted.received >= wanted {
                break;
            }
            ensure!(began.elapsed() < PATIENCE, "{} of {wanted} deliveries arrived", counted.received);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        until("acknowledgements", Duration::from_mins(2), async || settled(city, &published, partners).await).await?;
        let (took, spent) = (began.elapsed(), cpu(served)?.saturating_sub(spent));
        // Their port ends with this measurement: nothing more is due to them.
        city.list(listed.into_iter().map(content::silent)).await?;
        let counted: Counted = theirs.ask(&Count).await?;
        ensure!(
            counted.received == wanted && counted.again == 0 && counted.out_of_order == 0,
            "{wanted} deliveries: {counted:?}"
        );
        let figure =
            Figure::new("push", title, wanted, took).cpu("sender", spent).cpu("receivers", counted.cpu.saturating_sub(paid));
        with_database(figure, city, database)
    }
}

fn cpu(served: &[Served]) -> anyhow::Result<Duration> {
    served.iter().map(Served::cpu).sum()
}

/// What a delivery cost us: the gateway, and the server of its database.
fn cpu_of(figure: &Figure) -> f64 {
    ["sender", "database"].iter().filter_map(|who| figure.cpu_ms.get(*who)).sum()
}

async fn settled(city: &Installation, records: &[RecordId], partners: u64) -> anyhow::Result<bool> {
    for record in records.iter().rev() {
        let rows = city.store().read().await?.disclosures_of(record).await?;
        if rows.len() as u64 != partners || rows.iter().any(|row| row.state != DisclosureState::Acknowledged) {
            return Ok(false);
        }
    }
    Ok(true)
}
