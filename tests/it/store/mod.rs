//! Every statement of the store, on both databases.

mod changes;
mod copies;
mod delivery;
mod evidence;
mod examples;
mod identifiers;
mod items;
mod journal;
mod partners;
mod readers;
mod records;
mod settings;
mod upgrade;
