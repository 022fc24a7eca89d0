//! The federation layer from outside: vectors, the inbox, what its refusals leave behind.

mod effects;
mod example_records;
mod examples;
mod golden;
mod readers_shapes;
mod records;
mod rel_inbox;
pub mod rig;
mod sec_flood;
mod sec_http;
mod sec_identity;
mod sec_keys;
mod sec_outbound;
mod sec_ownership;
mod sec_pages;
mod sec_probing;
mod sec_readers;
mod sec_time;
mod specs;
mod vectors;
mod wire;
