//! Pushes news to partners: from disclosures (what a partner is due) and letters (Follow, Accept …) to
//! their inboxes, and records what came back. It does not know where disclosures come from.

pub mod answer;
pub mod attempt;
pub mod schedule;
