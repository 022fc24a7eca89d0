use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::{Common, Trouble};
use crate::bench::{self, Axis, Options, Role, Simulator, Starting};
use crate::config::Delivery;
use crate::demo::platform::{Generation, LYON, SimulatedDecidim};
use crate::domain::time::SystemClock;

const EXAMPLES: &str = "Examples:
  passerelle bench                      every axis, 10 000 items each
  passerelle bench inbox push --json    two axes, one JSON document
  passerelle bench push --processes 4 --in-flight 8 --answer-after 50 --database URL
  passerelle bench growth --stored 1000,100000

Axes: limits (what the machine can do), inbox, push, backfill, ingest, read,
start, growth. Every axis makes its own databases and removes them; growth to
1 000 000 stored needs some 15 GB and half an hour. Measure a release build on
a machine that does nothing else. Exit code 1 when a wanted figure was missed.";

/// Measures this program on this machine.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Bench {
    /// What is measured; everything when none is named.
    #[arg(value_name = "AXIS", value_parser = axis)]
    axes: Vec<Axis>,
    /// Activities, deliveries, records, reads of a measurement.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    items: u64,
    /// Partners, and readers, of a fan-out.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    partners: u64,
    /// Requests under way at once from the load.
    #[arg(long, value_name = "N", default_value_t = 32)]
    connections: usize,
    /// `serve` processes that push together; one alone is measured too.
    #[arg(long, value_name = "N", default_value_t = 1)]
    processes: u32,
    /// Deliveries that one `serve` has under way at once.
    #[arg(long, value_name = "N", default_value_t = Delivery::default().concurrency)]
    in_flight: usize,
    /// Milliseconds that partners and readers take to answer.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    answer_after: u64,
    /// Proposals on the platform of which ten change.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    delta: u64,
    /// How much is stored when growth is measured.
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_values_t = [1_000, 1_000_000])]
    stored: Vec<u64>,
    /// A PostgreSQL server where databases may be made; else SQLite files.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    #[arg(long, hide = true, value_parser = role)]
    role: Option<Role>,
}

fn axis(text: &str) -> Result<Axis, String> {
    text.parse().map_err(|_| format!("one of {}", list(Axis::ALL.iter())))
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| format!("one of {}", list(Role::ALL.iter())))
}

fn list<T: ToString>(words: impl Iterator<Item = T>) -> String {
    words.map(|word| word.to_string()).collect::<Vec<_>>().join(", ")
}

impl Bench {
    pub(super) async fn run(self, common: &Common) -> Result<ExitCode, Trouble> {
        if let Some(role) = self.role {
            bench::play(role, simulate).await?;
            return Ok(ExitCode::SUCCESS);
        }
        let output = common.output();
        let options = Options {
            axes: if self.axes.is_empty() { Axis::ALL.to_vec() } else { self.axes },
            items: self.items.max(1),
            partners: self.partners.max(1),
            connections: self.connections.clamp(1, 256),
            processes: self.processes.clamp(1, 64),
            in_flight: self.in_flight.clamp(1, 256),
            answer_after: Duration::from_millis(self.answer_after),
            delta: self.delta.max(1),
            stored: self.stored,
            database: self.database,
        };
        if cfg!(debug_assertions) {
            output.remark("this is a debug build: its figures say nothing about a release build");
        }
        let figures = bench::run(&options, |figure| {
            if !output.is_json() {
                output.data(|| figure.line(), || json!(null));
            }
        })
        .await?;
        let missed = figures.iter().any(|figure| figure.target.as_ref().is_some_and(|target| !target.reached));
        if output.is_json() {
            let database = if options.database.is_some() { "postgresql" } else { "sqlite" };
            let document = json!({
                "schema": "passerelle.bench/1", "version": env!("CARGO_PKG_VERSION"), "release": !cfg!(debug_assertions),
                "cores": std::thread::available_parallelism().map_or(0, usize::from), "database": database, "figures": figures,
            });
            output.data(String::new, || document);
        }
        Ok(if missed { ExitCode::from(1) } else { ExitCode::SUCCESS })
    }
}

/// A simulated Decidim with so many proposals in one component.
struct Simulated(SimulatedDecidim);

fn simulate(items: u64) -> Starting {
    Box::pin(async move {
        let platform = SimulatedDecidim::start(Generation::V031, LYON, Arc::new(SystemClock)).await?;
        platform.throttle(None);
        platform
            .change(|state| {
                let mut like = state.proposals.iter().find(|proposal| state.proposal_is_public(proposal)).cloned()?;
                // What amends the one does not amend all of them.
                like.amendments.clear();
                let next = state.proposals.iter().map(|proposal| proposal.id).max()? + 1;
                for id in next..next + items {
                    let mut proposal = like.clone();
                    proposal.id = id;
                    proposal.title.insert("fr".to_owned(), json!(format!("Un banc de plus, numéro {id}")));
                    proposal.fields.insert("reference".to_owned(), json!(format!("DEM-PROP-2026-11-{id}")));
                    state.proposals.push(proposal);
                }
                Some(())
            })
            .context("the recorded platform has a public proposal")?;
        Ok(Box::new(Simulated(platform)) as Box<dyn Simulator>)
    })
}

impl Simulator for Simulated {
    fn url(&self) -> String {
        self.0.url()
    }

    fn change(&mut self, items: u64) {
        self.0.change(|state| {
            let last = state.proposals.iter().rev().take(usize::try_from(items).unwrap_or(usize::MAX));
            let ids: Vec<u64> = last.map(|proposal| proposal.id).collect();
            for id in ids {
                state.edit_proposal(id, &format!("Un banc de moins, numéro {id}"), "Le banc est arrivé.");
            }
        });
    }
}
