//! The simulated platforms: do they answer as the recorded ones did, and move what those moved?

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod faults;
mod open_data;
mod pages;
pub mod replay;
mod scan;
mod story;
mod stranger;
mod verbs;
