//! The federation layer from outside: vectors, the inbox, what its refusals leave behind.

mod examples;
mod records;
mod rig;
mod sec_http;
mod specs;
mod vectors;
mod wire;
