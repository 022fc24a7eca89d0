//! The step of delivery: claim what is due, send it, write down what became of it.
//!
//! Claiming and writing down are transactions for many rows, because a durable commit costs more than a
//! delivery. What is claimed and has no room yet waits a moment at the [`Desk`]; just before it leaves, it is
//! asked whether it still may, and what it carries is read. A claim is a lease with a fence: whoever is killed
//! loses nothing, and a result that comes too late is dropped. No transaction is open while a socket is, and
//! one partner that answers after half a minute holds up nobody else.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::domain::Timestamp;
use crate::federation::{Federation, Outcome};
use crate::store::StoreError;
use crate::store::claims::{ClaimRequest, Claimed};
use crate::store::letters::Letter;

use super::Settings;
use super::courier::Courier;
use super::desk::Desk;
use super::ledger::Ended;
use super::overdue::Overdue;

/// How much longer a lease is than the deadline of its request: for waiting, preparing and writing down.
const LEASE_MARGIN: Duration = Duration::from_mins(1);
/// How long a step waits for what is under way before it looks for what became due.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How many times as much is claimed as there is room for.
const AHEAD: u32 = 16;

/// Delivers what is due, a step at a time. Cloning shares it.
#[derive(Clone)]
pub struct Worker(Arc<Shared>);

struct Shared {
    courier: Arc<Courier>,
    overdue: Overdue,
    desk: Mutex<Desk>,
}

impl Worker {
    /// A worker; it does nothing until [`Worker::step`] is called.
    #[must_use]
    pub fn new(federation: Federation, settings: Settings) -> Self {
        let desk = Mutex::new(Desk::new(settings.per_partner));
        Self(Arc::new(Shared { courier: Arc::new(Courier { federation, settings }), overdue: Overdue::default(), desk }))
    }

    /// Starts what is due, waits a moment for something to end, and writes down what ended. `Idle` when nothing
    /// is due and nothing under way.
    ///
    /// # Errors
    /// When the database fails at claiming; what is under way goes on.
    pub async fn step(&self) -> Result<Outcome, StoreError> {
        let Shared { courier, overdue, desk } = &*self.0;
        let mut desk = desk.lock().await;
        overdue.look(&courier.federation, &courier.settings).await?;
        let begun = self.begin(&mut desk).await;
        if desk.is_idle() {
            return begun.map(|begun| if begun == 0 { Outcome::Idle } else { Outcome::Worked(begun) });
        }
        // What became due meanwhile does not wait for the slowest.
        let ended = desk.ended(LOOK_AGAIN).await;
        let count = ended.len();
        courier.write_down(ended).await;
        begun.map(|_| Outcome::Worked(count))
    }

    /// Waits for what is under way and starts nothing new: the end of a process.
    pub async fn drain(&self) {
        let Shared { courier, desk, .. } = &*self.0;
        let mut desk = desk.lock().await;
        courier.write_down(desk.clear().into_iter().map(Ended::NotSent).collect()).await;
        while !desk.is_idle() {
            let ended = desk.ended(Duration::MAX).await;
            courier.write_down(ended).await;
        }
    }

    /// Starts as much as there is room for. Returns how much left the desk.
    async fn begin(&self, desk: &mut Desk) -> Result<usize, StoreError> {
        let courier = &self.0.courier;
        let now = courier.federation.now();
        // Before anything is claimed: what lies here counts as on its way.
        let overdue = desk.overdue();
        let mut begun = overdue.len();
        courier.write_down(overdue.into_iter().map(Ended::NotSent).collect()).await;
        let room = courier.settings.concurrency.saturating_sub(desk.under_way());
        let picked = desk.pick(room);
        begun += picked.len();
        let left = room.saturating_sub(count(&picked));
        self.depart(desk, picked, now).await?;
        // Looked at first, so that an idle worker does not hold the writer.
        if left > 0 && courier.federation.store.read().await?.delivery_is_due(now).await? {
            let (letters, claimed) = self.claim(left, now).await?;
            let left = left.saturating_sub(count(&letters));
            for letter in letters {
                desk.start(&letter.partner.clone(), Arc::clone(courier).deliver_letter(letter, now));
            }
            desk.put(claimed);
            let picked = desk.pick(left);
            begun += picked.len();
            self.depart(desk, picked, now).await?;
        }
        Ok(begun)
    }

    /// Lets out what still may leave; the rest is given back. When that cannot be found out, all of it goes on waiting.
    async fn depart(&self, desk: &mut Desk, leaving: Vec<Claimed>, now: Timestamp) -> Result<(), StoreError> {
        if leaving.is_empty() {
            return Ok(());
        }
        let courier = &self.0.courier;
        let ready = match courier.ready(&leaving, now).await {
            Ok(ready) => ready,
            Err(error) => {
                desk.put_back(leaving);
                return Err(error);
            }
        };
        let mut stays = Vec::new();
        for departure in ready {
            match departure {
                Ok(departure) => {
                    let to = departure.claimed.partner.clone();
                    desk.start(&to, Arc::clone(courier).deliver_disclosure(departure, now));
                }
                Err(ended) => stays.push(ended),
            }
        }
        courier.write_down(stays).await;
        Ok(())
    }

    async fn claim(&self, room: u32, now: Timestamp) -> Result<(Vec<Letter>, Vec<Claimed>), StoreError> {
        let Courier { federation, settings } = &*self.0.courier;
        let lease_until = now.plus(settings.limits.deadline).plus(LEASE_MARGIN);
        let mut tx = federation.store.write().await?;
        let letters = tx.claim_letters(now, room, lease_until).await?;
        let left = room.saturating_sub(count(&letters));
        let disclosures = if left == 0 {
            Vec::new()
        } else {
            let (per_partner, holder) = (settings.per_partner, settings.holder.as_str());
            let (limit, ahead) = (left.saturating_mul(AHEAD), per_partner.saturating_mul(AHEAD));
            tx.claim_disclosures(&ClaimRequest { now, limit, per_partner, ahead, lease_until, holder }).await?
        };
        tx.save().await?;
        Ok((letters, disclosures))
    }
}

fn count<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}
