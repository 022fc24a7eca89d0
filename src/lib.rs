//! Passerelle: a gateway between a city's participation platform and other cities.
//!
//! # Reading order
//!
//! Follow one proposal. [`connectors`] reads it from the platform, unchanged; [`mapping`] says with a
//! profile (data, not code) what its fields mean; [`sync`] compares it with what is known and writes a
//! [`domain::Record`], its sealed bytes and a change in one transaction of the [`store`];
//! [`federation`] plans who is due that change, and [`delivery`] brings it there. At the partner the
//! path runs back: [`federation`] verifies the request, keeps it in a journal and answers with a signed
//! receipt; a worker applies it; [`web`] shows the copy with its origin.
//!
//! # Layers
//!
//! Each module names only those above it in this table (`tests/it/architecture.rs` enforces it):
//!
//! | module | is for | never |
//! |---|---|---|
//! | [`domain`] | the vocabulary in a city clerk's words | does I/O |
//! | [`mapping`] | source record + profile → record, with coverage | does I/O |
//! | [`store`] | SQLite and PostgreSQL, SQL written once | returns rows |
//! | [`outbound`] | the only way to another machine | follows where it was not sent |
//! | [`connectors`] | how to read a platform completely and politely | knows our vocabulary |
//! | [`config`] | `passerelle.toml`, checked before anything starts | |
//! | [`federation`] | ActivityPub, keys, proofs, the inbox | |
//! | [`sync`] | scan → difference → record + change | knows federation |
//! | [`delivery`] | queue → partner → receipt, retried for 30 days | knows where work comes from |
//! | [`web`] | pages and endpoints | holds business rules |
//! | [`app`] | wires it all together; starts and stops it | |
//! | [`cli`] | the commands | |
//! | [`mod@bench`] | what all of this costs, measured in other processes | is named by anyone but `cli` and tests |
//! | [`demo`] | simulated platforms with state, and the story they tell | is named by anyone but `cli` and tests |
//!
//! # Invariants
//!
//! * A record has exactly one authority; own records and copies of partners' lie in different tables.
//! * What was answered with 202 is on disk. What was published changed in the same transaction as its
//!   change row. No transaction is open while a socket is.
//! * Nothing is published that an anonymous visitor of the platform could not see, with a proof.
//! * Nobody asks the machine for the time or for chance: both are arguments.

pub mod app;
pub mod bench;
pub mod cli;
pub mod config;
pub mod connectors;
pub mod delivery;
pub mod demo;
pub mod domain;
pub mod federation;
pub mod mapping;
pub mod outbound;
pub mod store;
pub mod sync;
pub mod telemetry;
pub mod web;
