//! The only way out: every byte that we send to another machine passes a [`Client`].
//!
//! What it guarantees to everybody above:
//! - **where**: a connection is only ever made to a globally reachable address, or to one inside
//!   [`Policy::allow_private`]; plain http only to the latter. The check sits where addresses appear
//!   (in the resolver and, for address literals, before it), so no spelling and no second DNS answer
//!   gets around it (security.md §2.3).
//! - **how long and how much**: one deadline for the whole exchange, a cap on the body *after*
//!   decompression, a cap on headers.
//! - **nothing on its own account**: no proxy from the environment, no cookie, no referrer, no redirect
//!   unless a [`Request`] asks for one, and then only within the same origin.
//! - **nobody in another's place**: a host that is slow, or whose name is, delays nobody else.
//!
//! It does not know who is asked or why: politeness towards a platform belongs to its connector, signing
//! and retry schedules to federation and delivery. Errors carry hosts, never bodies (SEC F9).

mod address;
mod client;
mod error;
mod flights;
mod gate;
mod lookup;
mod resolver;
mod retry_after;

pub use address::{Network, NetworkError, is_global};
pub use client::{Client, Limits, Redirects, Request, Response};
pub use error::OutboundError;
pub use gate::{Policy, refuse_dangerous_environment};
pub use lookup::Names;
pub use retry_after::{MAX_RETRY_AFTER, retry_after};
