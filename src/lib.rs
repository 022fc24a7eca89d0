//! Passerelle (work in progress; the map follows).
pub mod domain;
pub mod outbound;
pub mod telemetry;
