//! REL-001 … REL-005: SIGKILL of the real process at each named point, on both databases. After a restart nothing
//! is lost, nothing doubled, nothing out of order (`support/checker.rs` says so, and its own tests show that
//! it can say otherwise).
//!
//! By default each point is hit once per database, on 500 items. With `PASSERELLE_LONG=1` each point has one
//! history of 10 000 items in which the process is killed up to 50 times (`long`).

mod city;
mod fan_out;
mod long;
mod storm;

use std::time::Duration;

use crate::store_tests;
use crate::support::program::{text, was_killed};
use crate::support::stores::Databases;
use city::Cities;

/// Whether the long form is asked for.
fn is_long() -> bool {
    std::env::var_os("PASSERELLE_LONG").is_some()
}

/// Items in each story.
fn items() -> usize {
    if is_long() { long::ITEMS } else { 500 }
}

/// Reads the platform with a kill at `point`, then again without.
async fn sync_survives(databases: Databases, point: &str) -> anyhow::Result<()> {
    if is_long() {
        return long::sync(databases, point).await;
    }
    let nth = if point == "sync.before-finish" { 1 } else { 2 };
    let cities = Cities::new(&databases).await?;
    let killed = cities.lyon.run_to_death(&["platform", "sync", "lyon"], &format!("{point}:{nth}")).await;
    assert!(was_killed(killed.status), "it was not killed at {point}:{nth}: {}", text(&killed));
    // The dead run holds the platform for a while; the next one is told so and comes again.
    cities.sync_until_complete(Duration::from_mins(1)).await?;
    cities.expect_every_item_once().await?;
    let again = cities.lyon.run(&["platform", "sync", "lyon", "--json"]).await;
    assert!(again.status.success(), "{}", text(&again));
    cities.expect_every_item_once().await
}

/// Publishes to a partner with a kill at `point` in the sender's process, restarts it, and compares.
async fn sending_survives(databases: Databases, point: &str) -> anyhow::Result<()> {
    if is_long() {
        return long::sending(databases, point).await;
    }
    let nth = if point.starts_with("planner") { 1 } else { 100 };
    let cities = Cities::paired(&databases).await?;
    cities.sync_until_complete(Duration::from_mins(1)).await?;
    cities.lyon_dies_at(&format!("{point}:{nth}")).await?;
    cities.expect_converged(Duration::from_mins(2)).await
}

/// Publishes to a partner with a kill at `point` in the receiver's process, restarts it, and compares.
async fn receiving_survives(databases: Databases, point: &str) -> anyhow::Result<()> {
    if is_long() {
        return long::receiving(databases, point).await;
    }
    let cities = Cities::paired(&databases).await?;
    cities.sync_until_complete(Duration::from_mins(1)).await?;
    // Effects share a commit, so their points are passed less often.
    let moment = if point.starts_with("effect.") { 3 } else { 20 };
    cities.bordeaux_dies_at(&format!("{point}:{moment}")).await?;
    cities.expect_converged(Duration::from_mins(2)).await
}

/// A partner that follows late reads everything by itself; it dies at `point` while it reads.
async fn backfill_survives(databases: Databases, point: &str) -> anyhow::Result<()> {
    if is_long() {
        return long::backfill(databases, point).await;
    }
    let cities = Cities::new(&databases).await?;
    cities.sync_until_complete(Duration::from_mins(1)).await?;
    cities.backfill_dies_at(&format!("{point}:2")).await?;
    cities.expect_converged(Duration::from_mins(2)).await
}

store_tests! {
    async fn rel_001_killed_after_a_fetch(databases: Databases) { sync_survives(databases, "sync.after-fetch").await?; }
    async fn rel_001_killed_after_mapping(databases: Databases) { sync_survives(databases, "sync.after-map").await?; }
    async fn rel_001_killed_before_the_commit_of_a_batch(databases: Databases) { sync_survives(databases, "sync.before-commit").await?; }
    async fn rel_001_killed_after_the_commit_of_a_batch(databases: Databases) { sync_survives(databases, "sync.after-commit").await?; }
    async fn rel_001_killed_before_the_run_is_closed(databases: Databases) { sync_survives(databases, "sync.before-finish").await?; }

    async fn rel_002_killed_before_the_journal_commits(databases: Databases) { receiving_survives(databases, "inbox.before-commit").await?; }
    async fn rel_002_killed_between_journal_and_answer(databases: Databases) { receiving_survives(databases, "inbox.after-commit").await?; }
    async fn rel_002_an_inbox_under_load_killed_before_it_inserts(databases: Databases) { storm::survives(databases, "inbox.before-insert").await?; }
    async fn rel_002_an_inbox_under_load_killed_before_its_journal_commits(databases: Databases) { storm::survives(databases, "inbox.before-commit").await?; }
    async fn rel_002_an_inbox_under_load_killed_between_journal_and_answer(databases: Databases) { storm::survives(databases, "inbox.after-commit").await?; }
    async fn rel_003_killed_before_an_effect_commits(databases: Databases) { receiving_survives(databases, "effect.before-commit").await?; }
    async fn rel_003_killed_after_an_effect_committed(databases: Databases) { receiving_survives(databases, "effect.after-commit").await?; }

    async fn rel_004_killed_before_a_fan_out_commits(databases: Databases) { sending_survives(databases, "planner.before-commit").await?; }
    async fn rel_004_killed_after_a_fan_out_committed(databases: Databases) { sending_survives(databases, "planner.after-commit").await?; }
    async fn rel_004_fifty_partners_are_told_or_none_killed_before_a_commit(databases: Databases) { fan_out::survives(databases, "planner.before-commit").await?; }
    async fn rel_004_fifty_partners_are_told_or_none_killed_after_a_commit(databases: Databases) { fan_out::survives(databases, "planner.after-commit").await?; }
    async fn rel_005_killed_before_a_delivery_is_sent(databases: Databases) { sending_survives(databases, "delivery.before-send").await?; }
    async fn rel_005_killed_after_the_partner_answered(databases: Databases) { sending_survives(databases, "delivery.after-send").await?; }
    async fn rel_005_killed_after_the_answer_was_written_down(databases: Databases) { sending_survives(databases, "delivery.after-commit").await?; }

    async fn rel_001_killed_before_a_page_of_a_partner_commits(databases: Databases) { backfill_survives(databases, "backfill.before-commit").await?; }
    async fn rel_001_killed_after_a_page_of_a_partner_committed(databases: Databases) { backfill_survives(databases, "backfill.after-commit").await?; }
}
