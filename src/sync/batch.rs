//! One batch of what a scan sent: pass over what says what it said, map the rest, compare by content, write what
//! changed, all in one transaction.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::names::NameBook;
use super::print::{Prints, is_as_before};
use super::revise;
use super::tree::{Desk, is_new};
use super::{Run, Sync, SyncError, names, print};
use crate::connectors::ScanEvent;
use crate::domain::digest::{Digest, DigestSalt};
use crate::domain::source::{Evidence, SourceRecord};
use crate::domain::{Class, Key, LocalId, RecordId};
use crate::mapping::Draft;
use crate::store::{Item, ItemState, Standing, StoredRecord};
use crate::telemetry::kill_point;

/// What is known of a batch's items.
#[derive(Default)]
struct Batch {
    items: HashMap<(String, String), Item>,
    /// Items whose names were looked up, by what they say: one that comes twice may name other things.
    looked_up: HashSet<((String, String), [u8; 32])>,
    /// What was found.
    keys: HashMap<LocalId, Key>,
}

/// An event, and the item that it is about.
struct Told<'a> {
    event: &'a ScanEvent,
    /// Its type word and its id.
    key: (String, String),
    /// The item itself, if it may be shown.
    proven: Option<&'a SourceRecord>,
    print: [u8; 32],
}

impl<'a> Told<'a> {
    fn by(event: &'a ScanEvent, prints: &Prints) -> Option<Self> {
        let (entity, local_id, item) = match event {
            ScanEvent::Item(source) => (&source.entity, &source.local_id, Some(&**source)),
            ScanEvent::Withheld { entity, local_id, .. } | ScanEvent::FailedRead { entity, local_id, .. } => {
                (entity, local_id, None)
            }
            ScanEvent::Progress { .. } => return None,
        };
        let proven = item.filter(|source| matches!(source.evidence, Evidence::Proven { .. }));
        let print = proven.map_or(print::NONE, |source| prints.of(source));
        Some(Self { event, key: (entity.clone(), local_id.clone()), proven, print })
    }
}

impl Sync {
    pub(super) fn address(&self, class: Class, key: &Key) -> Result<RecordId, SyncError> {
        names::address(&self.public_url, class, key).ok_or_else(|| SyncError::PublicUrl(self.public_url.to_string()))
    }

    /// Every record that an item may become.
    pub(super) fn locals(&self, entity: &str, id: &str) -> Vec<LocalId> {
        let classes = self.profile.classes(entity).into_iter();
        classes
            .map(|class| LocalId {
                platform: self.publisher.platform.clone(),
                entity: entity.to_owned(),
                id: id.to_owned(),
                class,
            })
            .collect()
    }
}

impl Run<'_> {
    /// Takes a batch of events, in their order.
    pub(super) async fn take(&mut self, events: Vec<ScanEvent>) -> Result<(), SyncError> {
        if events.is_empty() {
            return Ok(());
        }
        kill_point("sync.after-fetch");
        let mut desk = Desk::open(self.sync).await?;
        let told: Vec<Told<'_>> = events.iter().filter_map(|event| Told::by(event, &self.prints)).collect();
        let mut batch = Batch { items: self.recall(&mut desk, &told).await?, ..Batch::default() };
        let as_before = |told: &Told<'_>| batch.items.get(&told.key).is_some_and(|before| is_as_before(before, &told.print));
        let changed: Vec<&Told<'_>> = told.iter().filter(|told| self.vanished || !as_before(told)).collect();
        self.name(&mut desk, &mut batch, &changed).await?;
        for told in &told {
            match told.event {
                ScanEvent::Item(source) => self.item(&mut desk, &mut batch, told, source).await?,
                ScanEvent::Withheld { reason, .. } => {
                    self.withheld(&mut desk, &batch, told.key.clone(), reason).await?;
                }
                ScanEvent::FailedRead { entity, .. } => {
                    self.entity(entity).failed_reads += 1;
                    // It exists: it is not absent, and stays as it was.
                    desk.see(told.key.clone());
                }
                ScanEvent::Progress { .. } => {}
            }
            desk.keep_low().await?;
        }
        kill_point("sync.after-map");
        self.vanished |= desk.save(&self.held).await?;
        Ok(())
    }

    /// What is remembered of a batch's items.
    async fn recall(&self, desk: &mut Desk<'_>, told: &[Told<'_>]) -> Result<HashMap<(String, String), Item>, SyncError> {
        let mut ids: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for told in told {
            ids.entry(&told.key.0).or_default().push(told.key.1.clone());
        }
        let mut items = HashMap::new();
        for (entity, ids) in ids {
            let found = desk.tx().await?.items_by_id(&self.sync.publisher.platform, entity, &ids).await?;
            items.extend(found.into_iter().map(|item| ((item.entity.clone(), item.local_id.clone()), item)));
        }
        Ok(items)
    }

    /// Mints the names that items need, and looks up what is stored under them.
    async fn name(&mut self, desk: &mut Desk<'_>, batch: &mut Batch, told: &[&Told<'_>]) -> Result<(), SyncError> {
        let sync = self.sync;
        let (mut wanted, mut possible) = (Vec::new(), Vec::new());
        for told in told {
            wanted.extend(told.proven.into_iter().flat_map(|source| sync.profile.references(source, &sync.publisher)));
            possible.extend(sync.locals(&told.key.0, &told.key.1));
            batch.looked_up.insert((told.key.clone(), told.print));
        }
        let mut keys = desk.tx().await?.mint(&wanted, self.rng).await?;
        possible.retain(|local| !keys.contains_key(local));
        keys.extend(desk.tx().await?.minted(&possible).await?);
        let addresses: HashSet<RecordId> =
            keys.iter().map(|(local, key)| sync.address(local.class, key)).collect::<Result<_, _>>()?;
        desk.know(addresses).await?;
        batch.keys.extend(keys);
        Ok(())
    }

    /// One item that the platform sent.
    async fn item(
        &mut self,
        desk: &mut Desk<'_>,
        batch: &mut Batch,
        told: &Told<'_>,
        source: &SourceRecord,
    ) -> Result<(), SyncError> {
        let (sync, key) = (self.sync, &told.key);
        // What this transaction made of it already (with what it hangs on), else what was known before.
        let before = desk.item(key).or_else(|| batch.items.get(key)).cloned();
        self.entity(&source.entity).read += 1;
        let seen_run = self.held.number;
        if let Some(before) = before.as_ref().filter(|before| is_as_before(before, &told.print))
            && !self.vanished
            && !desk.vanished
        {
            // It may have been missed by an earlier reading.
            if before.reason.is_some() || before.missing_scans > 0 {
                desk.remember(Item { reason: None, missing_scans: 0, seen_run, ..before.clone() });
            } else {
                desk.see(key.clone());
            }
            self.entity(&source.entity).unchanged += 1;
            return Ok(());
        }
        let mut now = Item {
            platform: sync.publisher.platform.clone(),
            entity: source.entity.clone(),
            local_id: source.local_id.clone(),
            fingerprint: before.map_or(print::NONE, |item| item.fingerprint),
            state: ItemState::Held,
            reason: None,
            missing_scans: 0,
            seen_run,
            url: source.url.clone(),
        };
        if !batch.looked_up.contains(&(key.clone(), told.print)) {
            self.name(desk, batch, &[told]).await?;
        }
        if let Evidence::Unproven { reason } = &source.evidence {
            self.entity(&source.entity).hold_back(reason);
            let published = self.own_records(desk, batch, source).iter().any(|id| is_live(desk, id));
            if published {
                // It was public and no proof shows it now: concluded at the end, under the mass guard.
                self.unproven.insert(key.clone());
                return Ok(());
            }
            now.reason = Some(reason.clone());
            desk.remember(now);
            return Ok(());
        }
        let names = NameBook {
            public_url: &sync.public_url,
            platform: &sync.publisher.platform,
            pseudonyms: &sync.pseudonyms,
            keys: &batch.keys,
            own: (&source.entity, &source.local_id),
            known: &desk.known,
            missed: Cell::new(false),
        };
        let mapped = sync.profile.map(source, &sync.publisher, &names);
        let missed = names.missed.get();
        if mapped.drafts.is_empty() {
            let reason = mapped.held.unwrap_or_else(|| "the profile makes nothing of it".to_owned());
            self.entity(&source.entity).hold_back(&reason);
            for id in self.own_records(desk, batch, source) {
                if desk.hide(&id).await? {
                    self.entity(&source.entity).hidden += 1;
                    now.state = ItemState::Withheld;
                }
            }
            now.reason = Some(reason);
            desk.remember(now);
            return Ok(());
        }
        now.state = ItemState::Public;
        // What it points to may be there the next time.
        now.fingerprint = if missed { print::NONE } else { told.print };
        desk.remember(now);
        self.revise(desk, batch, source, mapped.drafts).await
    }

    /// Writes the revisions that an item's drafts make.
    async fn revise(
        &mut self,
        desk: &mut Desk<'_>,
        batch: &Batch,
        source: &SourceRecord,
        drafts: Vec<Draft>,
    ) -> Result<(), SyncError> {
        let (mut published, mut revised) = (false, false);
        let mut left: Vec<RecordId> = self.own_records(desk, batch, source);
        left.retain(|id| drafts.iter().all(|draft| draft.record.id != *id));
        // What judges or answers the item is bound to the item as it was known before this reading.
        if let Some(main) = drafts.first() {
            desk.settle(&main.record.id).await?;
        }
        let known_before = drafts.first().and_then(|main| desk.known.get(&main.record.id)).cloned();
        for Draft { local, mut record } in drafts {
            let stored = desk.known.get(&record.id).cloned();
            let subject = judged(desk, known_before.as_ref());
            revise::bind(&mut record, stored.as_ref(), subject.as_ref());
            let salt = self.salt();
            let moved = revise::moved_file(stored.as_ref(), &record);
            let Some(next) = revise::revise(stored.as_ref(), record, desk.now, salt) else {
                if let Some(moved) = moved {
                    desk.keep_unsigned(moved);
                }
                continue;
            };
            let restored = stored.is_some_and(|stored| stored.standing != Standing::Live);
            published |= is_new(next.kind) || restored;
            revised |= !is_new(next.kind);
            desk.put(Some(local), next).await?;
        }
        // An answer that was taken back, a state that is no longer published.
        for id in left {
            revised |= desk.hide(&id).await?;
        }
        let entity = self.entity(&source.entity);
        match (published, revised) {
            (true, _) => entity.published += 1,
            (false, true) => entity.revised += 1,
            (false, false) => entity.unchanged += 1,
        }
        Ok(())
    }

    fn salt(&mut self) -> DigestSalt {
        let mut bytes = [0_u8; 16];
        self.rng.fill_bytes(&mut bytes);
        DigestSalt::new(bytes)
    }

    /// The records that exist of an item of this batch.
    fn own_records(&self, desk: &Desk<'_>, batch: &Batch, source: &SourceRecord) -> Vec<RecordId> {
        let locals = self.sync.locals(&source.entity, &source.local_id);
        let ids = locals.iter().filter_map(|local| self.sync.address(local.class, batch.keys.get(local)?).ok());
        ids.filter(|id| desk.known.contains_key(id)).collect()
    }

    /// An item that the platform holds back by name: hidden at once, however many.
    async fn withheld(
        &mut self,
        desk: &mut Desk<'_>,
        batch: &Batch,
        (entity, local_id): (String, String),
        reason: &str,
    ) -> Result<(), SyncError> {
        let mut ours = false;
        for local in self.sync.locals(&entity, &local_id) {
            let Some(key) = batch.keys.get(&local) else { continue };
            let id = self.sync.address(local.class, key)?;
            ours |= desk.known.contains_key(&id);
            if desk.hide(&id).await? && local.class == main_class(&self.sync.profile.classes(&entity)) {
                self.entity(&entity).hidden += 1;
            }
        }
        *self.named.entry(entity.clone()).or_default() += u64::from(ours);
        let before = batch.items.get(&(entity.clone(), local_id.clone()));
        desk.remember(Item {
            platform: self.sync.publisher.platform.clone(),
            entity,
            local_id,
            fingerprint: before.map_or(print::NONE, |item| item.fingerprint),
            state: ItemState::Withheld,
            reason: Some(reason.to_owned()),
            missing_scans: 0,
            seen_run: self.held.number,
            url: before.and_then(|item| item.url.clone()),
        });
        Ok(())
    }
}

/// The digest of the contribution that a new judgement was made on: as it stood before this reading, if it
/// was known then and its words did not change at the same time.
fn judged(desk: &Desk<'_>, before: Option<&StoredRecord>) -> Option<Digest> {
    let before = before.filter(|stored| stored.standing == Standing::Live)?;
    (!desk.reworded.contains(&before.id)).then(|| before.digest.clone())
}

fn main_class(classes: &[Class]) -> Class {
    classes.first().copied().unwrap_or(Class::Contribution)
}

fn is_live(desk: &Desk<'_>, id: &RecordId) -> bool {
    desk.known.get(id).is_some_and(|stored| stored.standing == Standing::Live)
}
