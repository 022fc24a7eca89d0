//! What the tests share.

pub mod content;
pub mod network;
pub mod peer;
pub mod program;
pub mod stores;
