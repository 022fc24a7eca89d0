//! The long form: per point one history of 10 000 items in which the process is killed at the point again and
//! again, each time at another of its passings, and started anew, until it was killed 50 times, the history is
//! complete or ten minutes are over; then it comes to its end without a kill and the same checker looks.
//! How far it came is printed: a point that was killed less often says so.
//!
//! Time is not what is tested here. What a dead process holds for a while is let go at once, as if that while
//! were over, and a sender that waits for a partner is told by its operator to try again (`partner retry`).

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use passerelle::store::Store;
use passerelle::store::disclosures::DisclosureState;
use passerelle::store::journal::JournalState;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::city::{Cities, accept};
use crate::support::program::{text, was_killed};
use crate::support::stores::Databases;

/// Items in each history.
pub const ITEMS: usize = 10_000;
/// Kills in each history, at most.
const KILLS: u32 = 50;
/// How long a history is disturbed, at most.
const BOUND: Duration = Duration::from_mins(10);
/// How long it may take to come to its end afterwards.
const PATIENCE: Duration = Duration::from_mins(15);

/// One at a time, whatever the harness starts: a machine that does everything at once measures nothing.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

struct History {
    point: String,
    chance: StdRng,
    kills: u32,
    began: Instant,
}

impl History {
    fn of(point: &str) -> Self {
        let seed = point.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(131).wrapping_add(u64::from(byte)));
        Self { point: point.to_owned(), chance: StdRng::seed_from_u64(seed), kills: 0, began: Instant::now() }
    }

    fn goes_on(&self) -> bool {
        self.kills < KILLS && self.began.elapsed() < BOUND
    }

    /// The next passing at which to die, of the first `most` after a start.
    fn moment(&mut self, most: u64) -> String {
        format!("{}:{}", self.point, self.chance.random_range(1..=most))
    }

    /// What was reached; not one kill would show nothing.
    fn tell(&self, cities: &Cities) -> anyhow::Result<()> {
        let database = cities.databases[0].split(':').next().unwrap_or_default();
        let Self { point, kills, .. } = self;
        let seconds = self.began.elapsed().as_secs();
        eprintln!("long: {point} on {database}: {ITEMS} items, {kills} of {KILLS} kills, {seconds} s, sound");
        ensure!(*kills > 0, "{point} was never passed");
        Ok(())
    }
}

/// How a process that was started to die ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Killed,
    /// Everything is where it belongs: the point is not passed any more.
    Complete,
    OutOfTime,
}

/// How many passings after a start a kill waits for: so many that 50 kills lie all over the history.
fn spread(point: &str) -> u64 {
    match point {
        "sync.after-fetch" | "sync.after-map" => 12,
        "sync.before-commit" | "sync.after-commit" => 2,
        "inbox.before-commit" | "inbox.after-commit" => 80,
        "effect.before-commit" | "effect.after-commit" => 10,
        "backfill.before-commit" | "backfill.after-commit" => 3,
        "sync.before-finish" | "planner.before-commit" | "planner.after-commit" => 1,
        // Passed once per group of answers that are written down together.
        "delivery.after-commit" => 40,
        _ => 300,
    }
}

/// The platform is read by one run after the other, each of which dies.
pub async fn sync(databases: Databases, point: &str) -> anyhow::Result<()> {
    let _turn = TURN.lock().await;
    let cities = Cities::new(&databases).await?;
    let mut history = History::of(point);
    while history.goes_on() {
        let moment = history.moment(spread(point));
        let output = cities.lyon.run_patiently(&["platform", "sync", "lyon"], Some(&moment), PATIENCE).await;
        if output.status.success() {
            break;
        }
        ensure!(was_killed(output.status), "{moment}: {}", text(&output));
        history.kills += 1;
        let_go(cities.database("lyon")).await?;
    }
    cities.sync_until_complete(PATIENCE).await?;
    cities.expect_every_item_once().await?;
    let again = cities.lyon.run_patiently(&["platform", "sync", "lyon"], None, PATIENCE).await;
    ensure!(again.status.success(), "{}", text(&again));
    cities.expect_every_item_once().await?;
    history.tell(&cities)
}

/// Lyon publishes everything to Bordeaux and dies all the time.
pub async fn sending(databases: Databases, point: &str) -> anyhow::Result<()> {
    let _turn = TURN.lock().await;
    let cities = Cities::paired(&databases).await?;
    cities.sync_until_complete(PATIENCE).await?;
    cities.unscheduled();
    let mut history = History::of(point);
    disturb(&cities, "lyon", &mut history).await?;
    cities.start("lyon", None).await;
    cities.expect_converged(PATIENCE).await?;
    history.tell(&cities)
}

/// Lyon publishes everything to Bordeaux, which dies all the time.
pub async fn receiving(databases: Databases, point: &str) -> anyhow::Result<()> {
    let _turn = TURN.lock().await;
    let cities = Cities::paired(&databases).await?;
    cities.sync_until_complete(PATIENCE).await?;
    cities.unscheduled();
    cities.stop("bordeaux").await?;
    cities.start("lyon", None).await;
    let mut history = History::of(point);
    disturb(&cities, "bordeaux", &mut history).await?;
    cities.start("bordeaux", None).await;
    cities.wake().await?;
    cities.expect_converged(PATIENCE).await?;
    history.tell(&cities)
}

/// Bordeaux reads everything that Lyon published before, and dies all the time.
pub async fn backfill(databases: Databases, point: &str) -> anyhow::Result<()> {
    let _turn = TURN.lock().await;
    let cities = Cities::new(&databases).await?;
    cities.sync_until_complete(PATIENCE).await?;
    cities.unscheduled();
    cities.start("lyon", None).await;
    cities.start("bordeaux", None).await;
    // Bordeaux lists Lyon last, so that it reads nothing before it is made to die.
    accept(&cities.lyon, &cities.bordeaux).await?;
    let mut history = History::of(point);
    cities.stop("bordeaux").await?;
    let moment = history.moment(spread(point));
    cities.start("bordeaux", Some(&moment)).await;
    accept(&cities.bordeaux, &cities.lyon).await?;
    cities.wake().await?;
    if cities.until_it_dies("bordeaux", &history).await? == Ended::Killed {
        history.kills += 1;
        disturb(&cities, "bordeaux", &mut history).await?;
    }
    cities.start("bordeaux", None).await;
    cities.wake().await?;
    cities.expect_converged(PATIENCE).await?;
    history.tell(&cities)
}

/// Starts the process so that it dies, again and again.
async fn disturb(cities: &Cities, name: &'static str, history: &mut History) -> anyhow::Result<()> {
    while history.goes_on() {
        let_go(cities.database(name)).await?;
        let moment = history.moment(spread(&history.point));
        let ended = match cities.installation(name).try_serve(Some(&moment)).await {
            Err(status) => {
                ensure!(was_killed(status), "{name} ended with {status}, not at {moment}");
                Ended::Killed
            }
            Ok(child) => {
                cities.running.lock().await.insert(name, child);
                if name == "bordeaux" {
                    cities.wake().await?;
                }
                cities.until_it_dies(name, history).await?
            }
        };
        if ended != Ended::Killed {
            cities.stop(name).await?;
            break;
        }
        history.kills += 1;
    }
    let_go(cities.database(name)).await
}

/// What the dead process held is free at once, as if its time were over.
pub async fn let_go(url: &str) -> anyhow::Result<()> {
    let long_ago = if url.starts_with("sqlite") { "0" } else { "TIMESTAMPTZ 'epoch'" };
    let statements = format!(
        "UPDATE lease SET until = {long_ago};
         UPDATE disclosure SET lease_until = planned_at, next_at = planned_at WHERE state = 'sending';
         UPDATE letter SET lease_until = written_at, next_at = written_at WHERE state = 'sending';
         UPDATE journal SET next_at = received_at WHERE state = 'working';"
    );
    // Made of literals of this function.
    let statements = sqlx::raw_sql(AssertSqlSafe(statements));
    if url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(url).await?;
        statements.execute(&mut connection).await?;
        connection.close().await?;
    } else {
        let mut connection = PgConnection::connect(url).await?;
        statements.execute(&mut connection).await?;
        connection.close().await?;
    }
    Ok(())
}

impl Cities {
    /// Lyon's operator says "try again".
    async fn wake(&self) -> anyhow::Result<()> {
        let output = self.lyon.run(&["partner", "retry", self.domain("bordeaux")?.as_str()]).await;
        ensure!(output.status.success(), "{}", text(&output));
        Ok(())
    }

    /// Waits for the death of a process, for the end of the history, or for the end of its time.
    async fn until_it_dies(&self, name: &'static str, history: &History) -> anyhow::Result<Ended> {
        let mut looked = Instant::now();
        loop {
            if let Some(child) = self.running.lock().await.get_mut(name)
                && let Some(status) = child.try_wait()?
            {
                ensure!(was_killed(status), "{name} ended with {status}, not at {}", history.point);
                break;
            }
            if history.began.elapsed() >= BOUND {
                return Ok(Ended::OutOfTime);
            }
            if looked.elapsed() > Duration::from_secs(3) {
                if self.is_complete().await? {
                    return Ok(Ended::Complete);
                }
                if name == "bordeaux" {
                    self.wake().await?;
                }
                looked = Instant::now();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.running.lock().await.remove(name);
        Ok(Ended::Killed)
    }

    /// Everything that Lyon published is acknowledged, and Bordeaux has done what it received.
    async fn is_complete(&self) -> anyhow::Result<bool> {
        let (lyon, bordeaux) = (Store::open(&self.databases[0]).await?, Store::open(&self.databases[1]).await?);
        let mut tx = lyon.read().await?;
        let due = tx.disclosure_counts(&self.domain("bordeaux")?).await?;
        let settled = !due.is_empty() && due.iter().all(|(state, _)| *state == DisclosureState::Acknowledged);
        let planned = tx.unplanned_changes().await?.0 == 0;
        drop(tx);
        let open = |(state, _): &(JournalState, u64)| matches!(state, JournalState::Pending | JournalState::Working);
        let done = !bordeaux.read().await?.journal_counts().await?.iter().any(open);
        lyon.close().await;
        bordeaux.close().await;
        if let Some((state, count)) =
            due.iter().find(|(state, _)| matches!(state, DisclosureState::Rejected | DisclosureState::Parked))
        {
            bail!("{count} records are {state:?}");
        }
        Ok(settled && planned && done)
    }
}
