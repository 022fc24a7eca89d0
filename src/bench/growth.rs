//! Whether a gateway that has much pays more for the next thing: the same measurements with few and with
//! many records, copies and activities in the store. In turns: what the machine does besides changes from one
//! minute to the next, and the many are filled for half an hour.

use std::time::Duration;

use anyhow::Context;

use super::inbox::Sender;
use super::installation::{Installation, until};
use super::read::JSON;
use super::{Bench, Figure, Options, content};
use crate::domain::partner::PartnerKind;
use crate::store::{CopyWrite, JournalEntry, JournalState};
use crate::web::state::CHECK_EVERY;

/// The filling's numbers begin here, so that no load meets them.
const FILLING: u64 = 1_000_000_000;
/// Rows in one transaction.
const BATCH: u64 = 500;
/// How many different objects are read again and again.
const KEPT: u64 = 1_000;
/// How often each level is measured, in turn with the others.
const TURNS: u64 = 3;
/// Most processes that are started in a turn to find objects in the store, each with an empty memory.
const ROUNDS: u64 = 4;

impl Bench<'_> {
    /// Accepting, pushing and reading at each level; the last is held against the first.
    pub(super) async fn growth(&self) -> anyhow::Result<Vec<Figure>> {
        let mut cities = Vec::new();
        for &level in &self.options.stored {
            let city = self.city("growth", "").await?;
            city.fill(FILLING..FILLING + level, false).await?;
            hold(&city, level).await?;
            cities.push((level, city));
        }
        let measured = self.turns(&cities).await;
        for (_, city) in cities {
            city.close().await?;
        }
        measured
    }

    /// Each level in turn; at the end the last is held against the first.
    async fn turns(&self, cities: &[(u64, Installation)]) -> anyhow::Result<Vec<Figure>> {
        let part = Options { items: self.options.items.div_ceil(TURNS), ..self.options.clone() };
        let part = Bench { options: &part, databases: self.databases.clone() };
        let mut levels: Vec<Vec<Figure>> = vec![Vec::new(); cities.len()];
        for turn in 0..TURNS {
            for ((level, city), sums) in cities.iter().zip(&mut levels) {
                // What the turn before left to a database server is paid by nobody.
                for (_, city) in cities {
                    city.settle().await?;
                }
                let found = part.level(city, *level, turn).await?;
                *sums = match std::mem::take(sums) {
                    before if before.is_empty() => found,
                    before => before.into_iter().zip(&found).map(|(sum, more)| sum.and(more)).collect(),
                };
            }
        }
        let mut figures = levels.concat();
        if let ([first, .., last], [(least, _), .., (most, _)]) = (levels.as_slice(), cities) {
            for (few, many) in first.iter().zip(last) {
                let who = if few.cpu_ms.contains_key("sender") { "sender" } else { "gateway" };
                let cost = |figure: &Figure| {
                    let cpu = |who: &str| figure.cpu_ms.get(who).copied().unwrap_or(0.0);
                    cpu(who) + cpu("database")
                };
                let what = few.name.split(" with ").next().unwrap_or_default();
                let title = format!("{what}: cost with {most} against {least}");
                let took = Duration::from_secs_f64(many.seconds);
                figures.push(Figure::new("growth", title, 0, took).at_most(cost(many) / cost(few), 1.1, "times"));
            }
        }
        Ok(figures)
    }

    /// One level's part of a turn.
    async fn level(&self, city: &Installation, level: u64, turn: u64) -> anyhow::Result<Vec<Figure>> {
        let title = |what: &str| format!("{what} with {level} stored");
        let from = turn * (2 * self.options.items + 1_000);
        // As many before the clock starts: a door that was just opened still fills its memory, and the larger the store,
        // the more of it there is to fill.
        let accepted = self.accept(city, Sender::Partner, from, self.options.items, &title("accepted")).await?;
        let mut found = vec![accepted];
        let served = city.serve().await?;
        served.rest().await?;
        // What was accepted at the door is applied first, or its cost would be taken for that of pushing and
        // reading; and each commit would empty the memory that is read from.
        until("effects", Duration::from_mins(30), async || {
            let counts = city.store().read().await?.journal_counts().await?;
            Ok(!counts.iter().any(|(state, _)| matches!(state, JournalState::Pending | JournalState::Working)))
        })
        .await?;
        let partners = self.options.partners.clamp(1, 10);
        let records = from..from + self.options.items.div_ceil(partners);
        let served = [served];
        found.push(self.deliver(city, &served, PartnerKind::Partner, partners, records, &title("pushed")).await?);
        let objects = FILLING..FILLING + level.min(KEPT);
        // The gateway notices the last commit within its interval: before that, what it remembers is soon stale.
        tokio::time::sleep(2 * CHECK_EVERY).await;
        // The first look brings them into memory as visitors did before.
        self.look(city, &served[0], objects.clone(), JSON, level.min(KEPT), "before").await?;
        // A read is so cheap that few of them vanish in the ticks that CPU is counted in.
        let again = 10 * self.options.items;
        found.push(self.look(city, &served[0], objects, JSON, again, &title("objects kept in memory")).await?);
        for one in served {
            one.stop().await?;
        }
        found.push(self.found(city, level, turn, &title("objects found in the store")).await?);
        for figure in &mut found {
            figure.axis = "growth";
        }
        Ok(found)
    }

    /// Reads objects from all over a level, each once by a process that was started for it: cold are its own
    /// memory and that of its SQLite, warm are what the system and a database server keep of their files.
    ///
    /// Every process reads as many as the smallest level holds, so that its first steps weigh alike at each.
    async fn found(&self, city: &Installation, level: u64, turn: u64, title: &str) -> anyhow::Result<Figure> {
        let smallest = self.options.stored.iter().copied().min().unwrap_or(level);
        let each = smallest.clamp(1, self.options.items);
        let rounds = self.options.items.div_ceil(each).min(ROUNDS);
        let mut found: Option<Figure> = None;
        for round in 0..rounds {
            let served = city.serve().await?;
            served.rest().await?;
            let objects = spread(level, each, TURNS * rounds, turn * rounds + round).map(|n| FILLING + n);
            let one = self.look(city, &served, objects, JSON, each, title).await?;
            served.stop().await?;
            found = Some(match found {
                Some(before) => before.and(&one),
                None => one,
            });
        }
        found.context("nothing was read")
    }
}

/// `each` different numbers below `level`, evenly spread; other ones in each of the rounds as far as there are
/// enough.
fn spread(level: u64, each: u64, rounds: u64, round: u64) -> impl Iterator<Item = u64> {
    (0..each).map(move |n| (n * rounds + round) * level / (each * rounds))
}

/// Fills the city with so many copies of a partner's records, and with the activities that brought them.
async fn hold(city: &Installation, count: u64) -> anyhow::Result<()> {
    let (now, home) = (city.now(), content::host(0, 9)?);
    let keys = crate::federation::keys::Keys::generate(crate::domain::ActorId::of_gateway(&home)?)?;
    let domain = crate::domain::PartnerDomain::of(&home);
    let pattern = content::contribution(&home, 0, now)?;
    let seal = content::sealed(&keys, &pattern, now)?;
    let mut from = 0;
    while from < count {
        let until = (from + BATCH).min(count);
        let (mut copies, mut entries) = (Vec::new(), Vec::new());
        for n in from..until {
            let record = content::contribution(&home, FILLING + n, now)?;
            let sealed = content::filler(&seal, &pattern.id, &record.id)?;
            let body = String::from_utf8(sealed.bytes.to_vec()).context("JSON is text")?;
            entries.push(JournalEntry {
                partner: domain.clone(),
                activity_id: home.join(&format!("/activities/filling-{n}"))?.to_string(),
                body_hash: crate::domain::digest::sha256(body.as_bytes()),
                object: Some(record.id.to_string()),
                received_at: now,
                receipt: format!("{{\"id\":\"{}\"}}", city.public_url.join(&format!("/receipts/filling-{n}"))?),
                body,
            });
            copies.push(CopyWrite { domain: domain.clone(), record, sealed, at: now });
        }
        let mut tx = city.store().write().await?;
        tx.put_copies(&copies).await?;
        tx.append_journal(&entries).await?;
        for row in tx.claim_journal(now, u32::try_from(BATCH)?, now).await? {
            tx.finish_journal(&row, JournalState::Applied, None, now).await?;
        }
        tx.save().await?;
        from = until;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_is_found_lies_all_over_the_level_and_is_read_once() {
        for level in [1_000, 1_000_000] {
            let rounds: Vec<BTreeSet<u64>> = (0..10).map(|round| spread(level, 1_000, 10, round).collect()).collect();
            for numbers in &rounds {
                assert_eq!(numbers.len(), 1_000, "each process reads each object once");
                let (first, last) = (numbers.first().copied().unwrap_or(level), numbers.last().copied().unwrap_or(0));
                assert!(first < level / 1_000 && last < level && last >= level - level / 1_000, "{first} to {last} of {level}");
            }
            let all: BTreeSet<u64> = rounds.into_iter().flatten().collect();
            assert_eq!(all.len() as u64, level.min(10_000), "where there are enough, every process reads others");
        }
    }
}
