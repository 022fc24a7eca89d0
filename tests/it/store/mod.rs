//! Every statement of the store, on both databases.

mod changes;
mod copies;
mod delivery;
mod examples;
mod identifiers;
mod items;
mod journal;
mod logs;
mod opening;
mod partners;
mod records;
mod register;
mod schema;
mod stream;
