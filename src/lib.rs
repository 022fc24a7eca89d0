//! Passerelle (work in progress; the map follows).
pub mod app;
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
