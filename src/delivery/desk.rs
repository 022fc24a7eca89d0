//! What one worker has in hand: what it claimed and has no room for yet, and what is under way.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use crate::domain::PartnerDomain;
use crate::store::StoreError;
use crate::store::claims::Claimed;

use super::ledger::Ended;

/// How long what is claimed waits for room. Then it is given back, so that a recall, a letter or another
/// process does not wait behind it.
const PATIENCE: Duration = Duration::from_secs(2);

/// What ends within it is written down together: a durable commit costs more than waiting for the others.
const MOMENT: Duration = Duration::from_millis(5);

type Task = Result<Ended, StoreError>;

/// See the module.
pub(super) struct Desk {
    /// Requests to one partner at once.
    per_partner: u32,
    waiting: VecDeque<Claimed>,
    /// Since when the first of them waits.
    since: Option<Instant>,
    tasks: JoinSet<Task>,
    to: HashMap<Id, PartnerDomain>,
}

impl Desk {
    pub(super) fn new(per_partner: u32) -> Self {
        let (waiting, tasks, to) = (VecDeque::new(), JoinSet::new(), HashMap::new());
        Self { per_partner, waiting, since: None, tasks, to }
    }

    /// How many requests are under way.
    pub(super) fn under_way(&self) -> u32 {
        u32::try_from(self.tasks.len()).unwrap_or(u32::MAX)
    }

    /// Nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    /// These wait for room: the partners take turns, each with its rows in their order.
    pub(super) fn put(&mut self, claimed: Vec<Claimed>) {
        if claimed.is_empty() {
            return;
        }
        self.since.get_or_insert_with(Instant::now);
        let mut turn: HashMap<PartnerDomain, usize> = HashMap::new();
        let mut placed: Vec<(usize, Claimed)> = Vec::with_capacity(claimed.len());
        for one in claimed {
            let turn = turn.entry(one.partner.clone()).or_default();
            placed.push((*turn, one));
            *turn += 1;
        }
        // Stable: within a turn the partner served longest ago goes first.
        placed.sort_by_key(|(turn, _)| *turn);
        self.waiting.extend(placed.into_iter().map(|(_, one)| one));
    }

    /// These go on waiting, before all others.
    pub(super) fn put_back(&mut self, claimed: Vec<Claimed>) {
        self.since.get_or_insert_with(Instant::now);
        for one in claimed.into_iter().rev() {
            self.waiting.push_front(one);
        }
    }

    /// What waited for too long does not wait any more.
    pub(super) fn overdue(&mut self) -> Vec<Claimed> {
        if self.since.is_some_and(|since| since.elapsed() > PATIENCE) { self.clear() } else { Vec::new() }
    }

    /// Nothing waits any more.
    pub(super) fn clear(&mut self) -> Vec<Claimed> {
        self.since = None;
        self.waiting.drain(..).collect()
    }

    /// At most `room` of what waits, and of a partner no more than it may be sent at once.
    pub(super) fn pick(&mut self, room: u32) -> Vec<Claimed> {
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        if self.waiting.is_empty() || room == 0 {
            return Vec::new();
        }
        let mut busy: HashMap<PartnerDomain, u32> = HashMap::new();
        for partner in self.to.values() {
            *busy.entry(partner.clone()).or_default() += 1;
        }
        let (mut picked, mut passed) = (Vec::new(), Vec::new());
        while picked.len() < room
            && let Some(one) = self.waiting.pop_front()
        {
            let busy = busy.entry(one.partner.clone()).or_default();
            if *busy < self.per_partner {
                *busy += 1;
                picked.push(one);
            } else {
                passed.push(one);
            }
        }
        for one in passed.into_iter().rev() {
            self.waiting.push_front(one);
        }
        if self.waiting.is_empty() {
            self.since = None;
        }
        picked
    }

    /// Begins a delivery.
    pub(super) fn start(&mut self, to: &PartnerDomain, delivery: impl Future<Output = Task> + Send + 'static) {
        let task = self.tasks.spawn(delivery);
        self.to.insert(task.id(), to.clone());
    }

    /// Waits for something to end, `patience` at most; what ends a moment later comes with it.
    pub(super) async fn ended(&mut self, patience: Duration) -> Vec<Ended> {
        let Ok(Some(first)) = tokio::time::timeout(patience, self.tasks.join_next_with_id()).await else { return Vec::new() };
        let mut ended = Vec::new();
        ended.extend(self.landed(first));
        let mut moment = std::pin::pin!(tokio::time::sleep(MOMENT));
        loop {
            let next = tokio::select! {
                next = self.tasks.join_next_with_id() => next,
                () = &mut moment => None,
            };
            let Some(next) = next else { return ended };
            ended.extend(self.landed(next));
        }
    }

    fn landed(&mut self, joined: Result<(Id, Task), JoinError>) -> Option<Ended> {
        let id = match &joined {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        self.to.remove(&id);
        match joined {
            Ok((_, Ok(ended))) => return Some(ended),
            Ok((_, Err(error))) => tracing::error!(%error, "a delivery broke off; it is repeated when its lease ends"),
            Err(error) => tracing::error!(%error, "a delivery ended abnormally; it is repeated when its lease ends"),
        }
        None
    }
}
