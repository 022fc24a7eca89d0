//! Measures a gateway as it runs: what it costs to accept, to push, to read, to start, and to have much.
//!
//! What is measured is `passerelle serve` (or a command) in a process of its own; where accepting is measured
//! alone, it is what `serve` has at its door (listener, router, inbox) without the workers behind. Load,
//! partners, readers and platforms are other processes: this program again in a hidden [`Role`]. CPU comes
//! from `/proc`, per process, so that the cost of the sender and of the receiver are told apart and a busy machine spoils
//! wall times only. [`Axis::Limits`] measures in the same run what the machine itself can do. The figures
//! reached, and what bounds them, are in `benches/README.md`.
//!
//! Each axis is a file; each makes its own installations in temporary folders and removes them.

mod backfill;
mod content;
mod figure;
mod growth;
mod inbox;
mod ingest;
mod installation;
mod limits;
mod load;
mod process;
mod push;
mod read;
mod receivers;
mod replay;
mod servers;
mod start;

use std::time::Duration;

use crate::words;

pub use figure::{Figure, Target};
pub use replay::{MakeSimulator, Simulator, Starting};

use installation::{Databases, Installation};

words! {
    /// What is measured.
    Axis {
        Limits = "limits",
        Inbox = "inbox",
        Push = "push",
        Backfill = "backfill",
        Ingest = "ingest",
        Read = "read",
        Start = "start",
        Growth = "growth",
    }
}

words! {
    /// What this program is in a process beside the measurement.
    Role {
        Load = "load",
        Receivers = "receivers",
        Hello = "hello",
        Door = "door",
        Platform = "platform",
    }
}

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which axes, in this order.
    pub axes: Vec<Axis>,
    /// Things per measurement: activities, deliveries, records, reads.
    pub items: u64,
    /// Partners and readers of a fan-out.
    pub partners: u64,
    /// Requests under way at once from the load.
    pub connections: usize,
    /// `serve` processes that push from one database; above 1, one alone is measured first.
    pub processes: u32,
    /// Deliveries that one `serve` has under way at once.
    pub in_flight: usize,
    /// How long partners and readers take to answer.
    pub answer_after: Duration,
    /// Records on the platform of which ten change.
    pub delta: u64,
    /// How much is stored when the cost per item is measured; first and last are compared.
    pub stored: Vec<u64>,
    /// A PostgreSQL server on which databases may be made; without it, SQLite files.
    pub database: Option<String>,
}

/// Measures, and hands out each figure as it is known.
///
/// # Errors
/// When something could not be measured, or what was measured did not do its work: a figure of work that
/// was not done is none.
pub async fn run(options: &Options, mut found: impl FnMut(&Figure)) -> anyhow::Result<Vec<Figure>> {
    let databases = options.database.clone().map_or(Databases::Files, Databases::Server);
    let bench = Bench { options, databases };
    let mut all = Vec::new();
    for axis in &options.axes {
        let figures = match axis {
            Axis::Limits => bench.limits().await,
            Axis::Inbox => bench.inbox().await,
            Axis::Push => bench.push().await,
            Axis::Backfill => bench.backfill().await,
            Axis::Ingest => bench.ingest().await,
            Axis::Read => bench.read().await,
            Axis::Start => bench.start().await,
            Axis::Growth => bench.growth().await,
        };
        for figure in figures.map_err(|error| error.context(format!("axis {axis}")))? {
            found(&figure);
            all.push(figure);
        }
    }
    Ok(all)
}

/// Plays a role until the caller goes.
///
/// # Errors
/// When the role cannot be played.
pub async fn play(role: Role, simulator: MakeSimulator) -> anyhow::Result<()> {
    match role {
        Role::Load => load::role().await,
        Role::Receivers => receivers::role().await,
        Role::Hello => servers::hello().await,
        Role::Door => servers::door().await,
        Role::Platform => replay::role(simulator).await,
    }
}

struct Bench<'o> {
    options: &'o Options,
    databases: Databases,
}

impl Bench<'_> {
    async fn city(&self, name: &str, more: &str) -> anyhow::Result<Installation> {
        Installation::new(name, &self.databases, more).await
    }

    /// Targets that were set for SQLite are not held against a database server.
    fn on_sqlite(&self) -> bool {
        matches!(self.databases, Databases::Files)
    }
}
