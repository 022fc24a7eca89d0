//! One transaction of a run: records known in it, writes gathered for it, and what hangs on a record.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use super::names::stays;
use super::pile::{Decided, Pile, UnderWay, Written};
use super::revise::{self, Next};
use super::{HOLD, Sync, SyncError, print};
use crate::domain::change::ChangeKind;
use crate::domain::digest::Digest;
use crate::domain::record::ReasonCode;
use crate::domain::tombstone::Tombstone;
use crate::domain::{Class, LocalId, Record, RecordId, Timestamp};
use crate::store::{Burial, HeldRun, Item, ItemState, Order, RecordQuery, RecordWrite, Standing, StoredRecord, Tx};
use crate::telemetry::kill_point;

/// Records per look at the database while walking down from one.
const PAGE: u32 = 200;
/// So many revisions are written at once while the next ones are decided.
const HIGH: usize = 128;
/// What an item is held back for when the thing it hangs on is.
pub(super) const PARENT_HIDDEN: &str = "what it hangs on is not public";

/// One transaction with what is known in it.
pub(super) struct Desk<'a> {
    sync: &'a Sync,
    /// None while a pile is written with it.
    tx: Option<Tx>,
    under_way: Option<UnderWay>,
    pub now: Timestamp,
    pub known: HashMap<RecordId, StoredRecord>,
    /// Records that this transaction gives other words.
    pub reworded: HashSet<RecordId>,
    pile: Pile,
    /// Records of which something moved that is not signed.
    unsigned: BTreeMap<RecordId, Record>,
    items: BTreeMap<(String, String), Item>,
    /// Items that are as they were, by their entity.
    seen: BTreeMap<String, BTreeSet<String>>,
    /// Whether something ceases to be there that an item may point to.
    pub vanished: bool,
}

impl<'a> Desk<'a> {
    pub async fn open(sync: &'a Sync) -> Result<Self, SyncError> {
        Ok(Self {
            sync,
            tx: Some(sync.store.write().await?),
            under_way: None,
            now: sync.clock.now(),
            known: HashMap::new(),
            reworded: HashSet::new(),
            pile: Pile::default(),
            unsigned: BTreeMap::new(),
            items: BTreeMap::new(),
            seen: BTreeMap::new(),
            vanished: false,
        })
    }

    /// The transaction, once whoever writes with it has done so.
    pub async fn tx(&mut self) -> Result<&mut Tx, SyncError> {
        if let Some(under_way) = self.under_way.take() {
            let Written { tx, writes } = under_way.written().await?;
            self.tx = Some(tx);
            for RecordWrite { record, sealed, .. } in writes {
                if let Some(known) = self.known.get_mut(&record.id) {
                    (known.sealed, known.digest) = (sealed.bytes, sealed.digest);
                }
            }
        }
        self.tx.as_mut().ok_or(SyncError::Unwritten)
    }

    /// Brings records into `known`. What is known already may wait to be written, and stays.
    pub async fn know(&mut self, ids: impl IntoIterator<Item = RecordId>) -> Result<(), SyncError> {
        let news: Vec<RecordId> = ids.into_iter().filter(|id| !self.known.contains_key(id)).collect();
        let found = self.tx().await?.lookup_records(&news).await?;
        self.known.extend(found.into_iter().map(|record| (record.id.clone(), record)));
        Ok(())
    }

    /// Puts a revision on the pile.
    pub async fn put(&mut self, local: Option<LocalId>, next: Next) -> Result<(), SyncError> {
        let Next { record, kind, material } = next;
        self.settle(&record.id).await?;
        let before = self.known.get(&record.id);
        let previous = before.map(|stored| stored.digest.clone());
        let version = before.map_or(1, |stored| stored.version + u32::from(material));
        if material {
            self.reworded.insert(record.id.clone());
        }
        self.vanished |= !record.is_visible() && !stays(record.class());
        let stored = StoredRecord {
            id: record.id.clone(),
            class: record.class(),
            process: record.process().clone(),
            parent: record.parent().cloned(),
            revision: record.revision,
            version,
            standing: if record.is_visible() { Standing::Live } else { Standing::Hidden },
            record: Some(record.clone()),
            // Both stand when it was sealed, and nobody asks for them before: see `settle`.
            sealed: Bytes::new(),
            digest: previous.clone().unwrap_or_else(|| Digest::of(&[])),
            changed_at: self.now,
            local: local.clone(),
        };
        self.known.insert(record.id.clone(), stored);
        self.pile.push(Decided { local, record, previous, kind, material });
        Ok(())
    }

    /// Makes sure that the digest of a record is known that was revised in this transaction.
    pub async fn settle(&mut self, id: &RecordId) -> Result<(), SyncError> {
        let waits = self.pile.holds(id) || self.under_way.as_ref().is_some_and(|under_way| under_way.holds(id));
        if waits { self.flush().await } else { Ok(()) }
    }

    /// Keeps what of a record is not signed: at the end, with what else moved. Some platforms move every file at
    /// every reading.
    pub fn keep_unsigned(&mut self, record: Record) {
        if let Some(known) = self.known.get_mut(&record.id) {
            known.record = Some(record.clone());
        }
        self.unsigned.insert(record.id.clone(), record);
    }

    /// Remembers what became of an item.
    pub fn remember(&mut self, item: Item) {
        self.items.insert((item.entity.clone(), item.local_id.clone()), item);
    }

    /// Remembers that an item is as it was.
    pub fn see(&mut self, (entity, local_id): (String, String)) {
        self.seen.entry(entity).or_default().insert(local_id);
    }

    /// What this transaction remembers of an item.
    pub fn item(&self, key: &(String, String)) -> Option<&Item> {
        self.items.get(key)
    }

    /// Hides a record and everything that hangs on it; whether it was visible before. What hangs on a
    /// comment has its own proof of being public.
    pub async fn hide(&mut self, id: &RecordId) -> Result<bool, SyncError> {
        let Some(next) = self.known.get(id).and_then(|stored| revise::hide(stored, self.now)) else { return Ok(false) };
        let (class, local) = (next.record.class(), self.known[id].local.clone());
        self.put(local.clone(), next).await?;
        self.flush().await?;
        if matches!(class, Class::Comment | Class::Argument) {
            return Ok(true);
        }
        let mut above = vec![id.clone()];
        while let Some(parent) = above.pop() {
            for child in self.below(&parent, parent == *id && class == Class::Consultation).await? {
                self.known.insert(child.id.clone(), child.clone());
                let Some(next) = revise::hide(&child, self.now) else { continue };
                self.put(child.local.clone(), next).await?;
                above.push(child.id);
                if let Some(of) = child.local.filter(|of| !local.as_ref().is_some_and(|own| same_item(own, of))) {
                    self.withhold(&of, PARENT_HIDDEN).await?;
                }
            }
            self.flush().await?;
        }
        Ok(true)
    }

    /// The visible records that hang on one.
    async fn below(&mut self, id: &RecordId, whole_process: bool) -> Result<Vec<StoredRecord>, SyncError> {
        let mut found = Vec::new();
        let mut query = RecordQuery { order: Order::ById, limit: PAGE, ..RecordQuery::default() };
        if whole_process {
            query.process = Some(id.clone());
        } else {
            query.parent = Some(id.clone());
        }
        loop {
            let page = self.tx().await?.list_records(&query).await?;
            found.extend(page.items);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// Notes that an item is held back with what it hangs on.
    async fn withhold(&mut self, of: &LocalId, reason: &str) -> Result<(), SyncError> {
        let key = (of.entity.clone(), of.id.clone());
        if !self.items.contains_key(&key) {
            let found = self.tx().await?.items_by_id(&of.platform, &of.entity, std::slice::from_ref(&of.id)).await?;
            self.items.extend(found.into_iter().map(|item| (key.clone(), item)));
        }
        if let Some(item) = self.items.get_mut(&key) {
            item.state = ItemState::Withheld;
            item.reason = Some(reason.to_owned());
        }
        Ok(())
    }

    /// Deletes records: their words are erased, a signed tombstone stays. With a contribution goes what
    /// hangs on it, unless this run saw it.
    pub async fn bury(&mut self, ids: &[RecordId], run: i64) -> Result<(), SyncError> {
        self.flush().await?;
        let mut doomed: Vec<RecordId> = ids.to_vec();
        let mut place = 0;
        while place < doomed.len() {
            let id = doomed[place].clone();
            place += 1;
            if self.known.get(&id).is_some_and(|stored| matches!(stored.class, Class::Consultation)) {
                continue;
            }
            let first_comment = ids.contains(&id) && self.is_comment(&id);
            let children = if first_comment { Vec::new() } else { self.everything_below(&id).await? };
            for child in children {
                if doomed.contains(&child.id) || self.was_seen(child.local.as_ref(), run).await? {
                    continue;
                }
                if let Some(of) = &child.local {
                    self.withhold(of, PARENT_HIDDEN).await?;
                    if let Some(item) = self.items.get_mut(&(of.entity.clone(), of.id.clone())) {
                        item.state = ItemState::Gone;
                    }
                }
                doomed.push(child.id.clone());
                self.known.insert(child.id.clone(), child);
            }
        }
        let mut burials = Vec::with_capacity(doomed.len());
        for id in doomed {
            let Some(stored) = self.known.get(&id).filter(|stored| stored.standing != Standing::Deleted) else { continue };
            let tombstone = Tombstone {
                id: id.clone(),
                authority: self.sync.publisher.authority.clone(),
                former_class: stored.class,
                deleted: self.now,
                revision: Some(stored.revision + 1),
                previous_digest: Some(stored.digest.clone()),
                reason: None::<ReasonCode>,
            };
            let sealed = self.sync.seal.tombstone(&tombstone, self.now)?;
            burials.push(Burial { tombstone, sealed, at: self.now });
        }
        self.tx().await?.bury_records(&burials).await?;
        for burial in burials {
            self.vanished |= !stays(burial.tombstone.former_class);
            self.known.remove(&burial.tombstone.id);
        }
        Ok(())
    }

    fn is_comment(&self, id: &RecordId) -> bool {
        self.known.get(id).is_some_and(|stored| matches!(stored.class, Class::Comment | Class::Argument))
    }

    async fn everything_below(&mut self, id: &RecordId) -> Result<Vec<StoredRecord>, SyncError> {
        let mut found = Vec::new();
        let mut query = RecordQuery {
            order: Order::ById,
            limit: PAGE,
            parent: Some(id.clone()),
            visible_only: false,
            ..RecordQuery::default()
        };
        loop {
            let page = self.tx().await?.list_records(&query).await?;
            found.extend(page.items.into_iter().filter(|stored| stored.standing != Standing::Deleted));
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(found),
            }
        }
    }

    async fn was_seen(&mut self, of: Option<&LocalId>, run: i64) -> Result<bool, SyncError> {
        let Some(of) = of else { return Ok(false) };
        let found = self.tx().await?.items_by_id(&of.platform, &of.entity, std::slice::from_ref(&of.id)).await?;
        Ok(found.first().is_some_and(|item| item.seen_run == run))
    }

    /// Seals and writes what is on the pile, so that a list read in this transaction shows it.
    pub async fn flush(&mut self) -> Result<(), SyncError> {
        self.pass_on().await?;
        self.tx().await?;
        Ok(())
    }

    /// Lets what is on the pile be written while the next revisions are decided.
    async fn pass_on(&mut self) -> Result<(), SyncError> {
        if self.pile.len() > 0 {
            self.tx().await?;
            let tx = self.tx.take().ok_or(SyncError::Unwritten)?;
            self.under_way = Some(std::mem::take(&mut self.pile).write(Arc::clone(&self.sync.seal), self.now, tx));
        }
        Ok(())
    }

    /// The same, once the pile is high enough.
    pub async fn keep_low(&mut self) -> Result<(), SyncError> {
        if self.pile.len() >= HIGH { self.pass_on().await } else { Ok(()) }
    }

    /// Commits, if the platform is still held by this run; whether something vanished.
    pub async fn save(mut self, held: &HeldRun) -> Result<bool, SyncError> {
        self.flush().await?;
        let unsigned: Vec<Record> = std::mem::take(&mut self.unsigned).into_values().collect();
        self.tx().await?.keep_unsigned(&unsigned).await?;
        let items: Vec<Item> = std::mem::take(&mut self.items).into_values().collect();
        self.tx().await?.put_items(&items).await?;
        let platform = &self.sync.publisher.platform;
        // After what was written of them: it may have come about by something they hang on.
        for (entity, ids) in std::mem::take(&mut self.seen) {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            self.tx().await?.see_items(platform, &entity, &ids, held.number).await?;
        }
        if self.vanished {
            self.tx().await?.put_fact(&print::vanished(platform), &held.number.to_string()).await?;
        }
        let until = self.now.plus(HOLD);
        if !self.tx().await?.hold_run(held, until).await? {
            return Err(SyncError::TakenOver(self.sync.publisher.platform.to_string()));
        }
        kill_point("sync.before-commit");
        self.tx.take().ok_or(SyncError::Unwritten)?.save().await?;
        kill_point("sync.after-commit");
        Ok(self.vanished)
    }
}

fn same_item(one: &LocalId, other: &LocalId) -> bool {
    one.platform == other.platform && one.entity == other.entity && one.id == other.id
}

/// Whether a change of this kind makes something public that was not.
pub(super) const fn is_new(kind: ChangeKind) -> bool {
    matches!(kind, ChangeKind::Created)
}
