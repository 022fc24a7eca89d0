//! What the tests share.

pub mod program;
pub mod content;
pub mod network;
pub mod peer;
pub mod stores;
