//! Two cities on one machine: simulated platforms with state, which the tests use too, and the story the demo tells.
//!
//! [`run`] starts two real `passerelle serve` processes, Lyon in front of a simulated Decidim 0.31 and Bordeaux in front
//! of a simulated 0.28, and lets people act on the platforms. Each step of the story is believed only when a stranger
//! sees it over HTTP and when it stands in the ledger of the gateway it concerns; what the demo itself did proves nothing.
//! Only `cli` and the tests name this module.

mod checks;
mod city;
mod crawl;
mod gateway;
mod ledger;
mod narrator;
pub mod platform;
mod steps;
mod story;
mod stranger;

pub use story::{Options, run};
