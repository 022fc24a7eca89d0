//! At the end of a run: what became of items that the platform no longer shows (architecture §4.6).
//!
//! Only for entities that were read to a proven end, like everything they hang on. Each item's own page is
//! asked first. Then: what hangs on something hidden is hidden; a null of the platform is never a deletion;
//! absent from one complete scan is hidden, from two is deleted, and beyond the mass guard a person decides. So
//! does a person about a list that is suddenly empty while the pages of what stood in it go on being public,
//! and about whatever hangs on that (SEC-198).

use std::collections::HashSet;

use super::absence::{Reading, is_mass, read_nulls};
use super::tree::{Desk, PARENT_HIDDEN};
use super::{BATCH, EntitySummary, HOLD, Progress, Run, SyncError};
use crate::connectors::{PageStatus, ScanReport};
use crate::domain::RecordId;
use crate::store::{Item, ItemState, Standing, StoredRecord};

/// Runs looked back to find the last complete reading of an entity.
const LOOK_BACK: u32 = 50;
/// Ancestors looked up to find a hidden one; threads are not deeper.
const MAX_DEPTH: usize = 30;

/// An absent item, and what may be concluded about it.
struct Absent {
    item: Item,
    records: Vec<RecordId>,
    shown: bool,
    reading: Reading,
    page: Option<PageStatus>,
}

impl Absent {
    /// How many complete scans in a row it is absent from, with this one.
    fn scans(&self) -> u32 {
        self.item.missing_scans + u32::from(self.reading == Reading::Absent)
    }

    fn page_hides_it(&self) -> bool {
        matches!(self.page, Some(PageStatus::Hidden(_)))
    }

    /// Absent from two complete scans, and no page says otherwise. What waited for a person is hidden
    /// before it is deleted, unless that person said so.
    fn is_gone(&self, confirmed: bool) -> bool {
        let looked_at = !self.shown || confirmed;
        looked_at && self.reading == Reading::Absent && self.scans() >= 2 && self.page != Some(PageStatus::Public)
    }
}

impl Run<'_> {
    pub(super) async fn conclude(
        &mut self,
        report: &ScanReport,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<(), SyncError> {
        let profile = &self.sync.profile;
        for entity in profile.in_order() {
            let complete = |name: &str| report.entities.get(name).is_some_and(|told| told.complete);
            if complete(entity) && profile.depends_on(entity).into_iter().all(complete) {
                let listed = self.entities.get(entity).is_some_and(|counted| counted.read + counted.withheld > 0);
                self.conclude_entity(entity, listed, progress).await?;
            }
        }
        Ok(())
    }

    /// `listed`: whether the platform's list of it had anything in it.
    async fn conclude_entity(
        &mut self,
        entity: &str,
        listed: bool,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<(), SyncError> {
        let (mut absent, known) = self.absent(entity).await?;
        self.orphans(entity, &mut absent).await?;
        self.nulls(entity, &mut absent).await?;
        self.ask_pages(entity, &mut absent, progress).await?;

        let merely = |absent: &&Absent| absent.shown && absent.reading != Reading::Withheld && !absent.page_hides_it();
        let confirmed = self.options.confirm_deletions;
        let too_many = |count: usize| !confirmed && is_mass(count as u64, known);
        let any = absent.iter().any(|absent| merely(&absent));
        let public = |absent: &Absent| absent.page == Some(PageStatus::Public);
        let contradicted = !listed && any && absent.iter().filter(merely).all(public);
        let above = self.sync.profile.depends_on(entity).into_iter().any(|above| self.doubtful.contains(above));
        let doubtful = !confirmed && (contradicted || above);
        let hiding_waits = doubtful || too_many(absent.iter().filter(merely).count());
        if hiding_waits && any {
            self.doubtful.insert(entity.to_owned());
        }
        let deleting_waits = too_many(absent.iter().filter(|absent| absent.is_gone(confirmed)).count());
        for chunk in absent.chunks(BATCH) {
            self.settle(entity, chunk, hiding_waits, deleting_waits).await?;
        }
        Ok(())
    }

    /// The items of an entity that this run did not see, and how many of it are known in all.
    async fn absent(&self, entity: &str) -> Result<(Vec<Absent>, u64), SyncError> {
        let sync = self.sync;
        let platform = &sync.publisher.platform;
        let mut tx = sync.store.read().await?;
        let counts = tx.item_counts(platform, entity).await?;
        let known = counts.iter().filter(|(state, _)| matches!(state, ItemState::Public | ItemState::Missing));
        let known = known.map(|(_, count)| count).sum();
        let mut absent = Vec::new();
        for items in tx.items_not_seen_in(platform, entity, self.held.number).await?.chunks(BATCH) {
            let locals: Vec<_> = items.iter().flat_map(|item| sync.locals(entity, &item.local_id)).collect();
            let keys = tx.minted(&locals).await?;
            let ids: Vec<RecordId> = keys.iter().map(|(local, key)| sync.address(local.class, key)).collect::<Result<_, _>>()?;
            let stored = tx.lookup_records(&ids).await?;
            for item in items {
                let own: Vec<&StoredRecord> = stored
                    .iter()
                    .filter(|record| {
                        record.local.as_ref().is_some_and(|local| local.entity == entity && local.id == item.local_id)
                    })
                    .filter(|record| record.standing != Standing::Deleted)
                    .collect();
                absent.push(Absent {
                    item: item.clone(),
                    shown: own.iter().any(|record| record.standing == Standing::Live),
                    records: own.into_iter().map(|record| record.id.clone()).collect(),
                    reading: Reading::Absent,
                    page: None,
                });
            }
        }
        Ok((absent, known))
    }

    /// What hangs on something hidden is held back with it, however many.
    async fn orphans(&self, entity: &str, absent: &mut [Absent]) -> Result<(), SyncError> {
        let mut tx = self.sync.store.read().await?;
        for absent in absent {
            if self.unproven.contains(&(entity.to_owned(), absent.item.local_id.clone())) {
                // It was seen; no proof shows it. It may be hidden, never deleted.
                absent.reading = Reading::Unclear;
            }
            let mut next = absent.records.first().cloned();
            let mut seen = HashSet::new();
            while let Some(id) = next.take().filter(|id| seen.insert(id.clone()) && seen.len() < MAX_DEPTH) {
                let Some(stored) = tx.lookup_record(&id).await? else { break };
                // Not the records of the item itself: its own contribution, hidden by the scan before, is
                // no reason to hold its treatment back.
                let own = |up: &RecordId| *up == id || absent.records.contains(up);
                let above: Vec<RecordId> = stored.parent.iter().chain([&stored.process]).filter(|up| !own(up)).cloned().collect();
                let hidden = tx.lookup_records(&above).await?.iter().any(|up| up.standing == Standing::Hidden);
                if hidden {
                    absent.reading = Reading::Withheld;
                    absent.item.reason = Some(PARENT_HIDDEN.to_owned());
                    break;
                }
                next = stored.parent;
            }
        }
        Ok(())
    }

    /// A null in the platform's list is never a deletion.
    async fn nulls(&mut self, entity: &str, absent: &mut [Absent]) -> Result<(), SyncError> {
        let nulls = self.reported_nulls(entity);
        let named = self.named.get(entity).copied().unwrap_or(0);
        let (earlier, new): (Vec<&mut Absent>, Vec<&mut Absent>) = absent
            .iter_mut()
            .filter(|absent| absent.reading == Reading::Absent)
            .partition(|absent| absent.item.state == ItemState::Withheld);
        let strangers = match self.strangers(entity).await? {
            Some(strangers) => strangers,
            // Nothing is remembered: every null may be one of ours, as far as we have any missing.
            None => nulls.saturating_sub(named + (earlier.len() + new.len()) as u64),
        };
        let read = read_nulls(nulls, strangers, named + earlier.len() as u64, new.len() as u64);
        for absent in earlier {
            absent.reading = read.earlier;
        }
        for absent in new {
            absent.reading = read.new;
            if read.new == Reading::Withheld {
                absent.item.reason = Some("the platform's list has a null in its place".to_owned());
            }
        }
        self.entity(entity).strangers = read.strangers;
        Ok(())
    }

    /// Items that the platform holds back, with and without a name.
    fn reported_nulls(&self, entity: &str) -> u64 {
        self.entities.get(entity).map_or(0, |entity| entity.withheld)
    }

    /// What the last complete reading of an entity remembered of the nulls in its list.
    async fn strangers(&self, entity: &str) -> Result<Option<u64>, SyncError> {
        let mut tx = self.sync.store.read().await?;
        let runs = tx.last_runs(&self.sync.publisher.platform, LOOK_BACK).await?;
        let told = runs.into_iter().filter_map(|run| {
            let summary: EntitySummary = serde_json::from_value(run.counts.get(entity)?.clone()).ok()?;
            summary.complete.then_some(summary.strangers)
        });
        Ok(told.into_iter().next())
    }

    /// Asks the own page of each item that would be hidden or deleted. No answer concludes nothing.
    async fn ask_pages(
        &mut self,
        entity: &str,
        absent: &mut [Absent],
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<(), SyncError> {
        if !self.sync.profile.has_page(entity) {
            return Ok(());
        }
        let mut asked = 0;
        let mut held = None;
        for absent in absent.iter_mut().filter(|absent| absent.reading != Reading::Withheld && !absent.records.is_empty()) {
            let Some(url) = &absent.item.url else { continue };
            // By time, not by number: a slow platform takes long for one page.
            let now = self.sync.clock.now();
            if held.is_none_or(|at| now.since(at) >= HOLD / 3) {
                self.hold().await?;
                held = Some(now);
            }
            asked += 1;
            let doing = "asking the pages of items that are no longer in the list".to_owned();
            progress(&Progress { entity: entity.to_owned(), done: asked, doing });
            absent.page = self.sync.connector.page_status(url).await.ok();
            // Not gone but closed: a page that asks who is there belongs to something that is held back.
            if let Some(PageStatus::Hidden(status)) = absent.page
                && !matches!(status, 404 | 410)
            {
                absent.reading = Reading::Withheld;
                absent.item.reason = Some(format!("its own page answers {status}"));
            }
        }
        Ok(())
    }

    /// Hides, deletes, or leaves to a person, a batch of absent items.
    async fn settle(
        &mut self,
        entity: &str,
        absent: &[Absent],
        hiding_waits: bool,
        deleting_waits: bool,
    ) -> Result<(), SyncError> {
        let confirmed = self.options.confirm_deletions;
        let mut desk = Desk::open(self.sync).await?;
        let (mut hidden, mut deleted, mut waiting) = (0, 0, 0);
        for absent in absent {
            let ids: Vec<RecordId> = absent.records.clone();
            desk.know(ids.iter().cloned()).await?;
            let mut item = Item { missing_scans: absent.scans(), ..absent.item.clone() };
            if ids.is_empty() {
                // It was never published, and is not there any more.
                item.state = ItemState::Gone;
                desk.remember(item);
                continue;
            }
            let merely = absent.reading != Reading::Withheld && !absent.page_hides_it();
            if absent.is_gone(confirmed) && !deleting_waits {
                desk.bury(&ids, self.held.number).await?;
                item.state = ItemState::Gone;
                item.reason = Some("it was absent from two complete readings".to_owned());
                deleted += 1;
            } else if absent.shown && merely && hiding_waits {
                waiting += 1;
                item.reason = Some("it is no longer in the platform's list; a person has to decide".to_owned());
            } else {
                let mut was_shown = false;
                for id in &ids {
                    was_shown |= desk.hide(id).await?;
                }
                hidden += u64::from(was_shown);
                waiting += u64::from(absent.is_gone(confirmed));
                item.state = match absent.reading {
                    Reading::Withheld => ItemState::Withheld,
                    Reading::Absent | Reading::Unclear => ItemState::Missing,
                };
                item.reason = item.reason.filter(|_| absent.reading == Reading::Withheld).or_else(|| Some(why(absent)));
            }
            desk.remember(item);
        }
        let summary = self.entity(entity);
        summary.hidden += hidden;
        summary.deleted += deleted;
        summary.waiting += waiting;
        self.vanished |= desk.save(&self.held).await?;
        Ok(())
    }
}

/// Why an item is hidden, for the person who looks.
fn why(absent: &Absent) -> String {
    match absent.page {
        Some(PageStatus::Hidden(status)) => format!("its own page answers {status}"),
        _ => match absent.reading {
            Reading::Unclear => "no proof shows that it is public".to_owned(),
            Reading::Absent | Reading::Withheld => "it is no longer in the platform's list".to_owned(),
        },
    }
}
