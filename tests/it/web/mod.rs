//! What people and machines see, over real stores.

mod city;
mod crawl;
mod inbox;
mod machines;
mod pages;
mod records;
mod texts;
