//! Pushes news to partners: from disclosures (what a partner is due) and letters (Follow, Accept …) to
//! their inboxes, and records what came back. It does not know where disclosures come from.
//!
//! The life of a delivery:
//!
//! ```text
//!  planner ─► due ──claim (lease, fence)──► sending ──[attempt: no transaction open]──► answer class
//!              ▲                                                                            │
//!              │ Retry-After, schedule (transient, unreachable, 401/403 …: hourly)          │
//!              ├────────────────────────────────────────────────────────────────────────────┤
//!              │ 2xx without receipt: once more, then the status query decides              │
//!              └── unconfirmed ◄────────────────────────────────────────────────────────────┤
//!   rejected (this item only) · parked (30 days; Deletes never) ◄───────────────────────────┤
//!   acknowledged (with receipt) · purge-asked ─► purged (with purge receipt) ◄──────────────┘
//! ```
//!
//! `worker` claims and starts, `desk` holds what waits for room, `courier` carries, `ledger` writes down.
//!
//! A reader server has one row a record like a partner, but may have several inboxes behind it (`readers`).
//!
//! What is sent is the record as it is *at that moment*: superseded revisions are never caught up on. One
//! row per (partner, record) is leased by one worker at a time, so nothing overtakes a Delete (I4). A
//! partner that fails gets one probe at a time; Deletes go on to one that merely does not want us.

pub mod answer;
pub mod attempt;
mod courier;
mod desk;
mod ledger;
mod outcome;
pub mod overdue;
mod readers;
pub mod schedule;
pub mod worker;

use std::time::Duration;

use crate::outbound::Limits;
use crate::store::leases::this_process;

pub use worker::Worker;

/// How deliveries are made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many requests are under way at once (`[delivery] concurrency`).
    pub concurrency: u32,
    /// How many of them to one partner.
    pub per_partner: u32,
    /// The age at which what fails is parked; Deletes never are (`[delivery] park_after`).
    pub park_after: Duration,
    /// The limits of one request.
    pub limits: Limits,
    /// The name of this worker, for people who look into the database.
    pub holder: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 64,
            per_partner: 4,
            park_after: Duration::from_hours(30 * 24),
            limits: Limits::DELIVERY,
            holder: this_process(),
        }
    }
}
