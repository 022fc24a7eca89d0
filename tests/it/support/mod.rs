//! What the tests share.

pub mod checker;
pub mod content;
pub mod fediverse;
pub mod gateway;
pub mod leaky;
pub mod network;
pub mod peer;
pub mod program;
pub mod publisher;
pub mod shapes;
pub mod sink;
pub mod stores;
pub mod tables;
pub mod works;
