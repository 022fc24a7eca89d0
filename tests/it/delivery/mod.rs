//! Two whole gateways and what lies between them: journeys, every order of the same news, duplicates,
//! broken and hostile partners, and the checker that finds what went wrong.

mod ahead;
mod checker;
mod freshness;
mod journeys;
mod orders;
mod outgoing;
mod peers;
mod read_ahead;
mod readers;
mod recalls;
mod stream;
mod workers;
mod works;
