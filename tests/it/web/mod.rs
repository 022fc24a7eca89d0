//! What people and machines see, over real stores.

mod cache;
pub mod city;
mod codings;
mod crawl;
mod inbox;
mod ledger;
mod machines;
mod pages;
mod records;
mod revisions;
mod texts;
mod words;
mod works;
