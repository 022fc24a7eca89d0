//! Two cities on one machine: simulated platforms with state, which the tests use too, and the story the demo tells.
//!
//! Only `cli` and the tests name this module.

pub mod platform;
