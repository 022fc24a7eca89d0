//! Every statement of the store, on both databases.

mod changes;
mod copies;
mod examples;
mod identifiers;
mod items;
mod partners;
mod records;
