//! Passerelle (work in progress; the map follows).
pub mod delivery;
pub mod config;
pub mod domain;
pub mod federation;
pub mod outbound;
pub mod telemetry;
