//! Bulk goes by pull: reading a partner's records page by page (architecture §1), at first, and again
//! every few hours, so that what a push missed is found.
//!
//! A page is believed no more than a push: each item is judged as if it had been pushed (`object`); what is
//! refused is told to a person, and the rest of the page is kept. Copies and our place in the stream are
//! saved together, so a crash repeats [`TOGETHER`] pages at most. Asking for `next` tells the partner that the page
//! before it was kept; `ahead`, where a partner offers it, does not: pages are asked for while those before
//! them are kept (`ahead`).

mod ahead;
mod page;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::object::{self, Judged, Objection, Read};
use super::refusal::{Code, Refusal};
use super::verify::proof_keys;
use super::{Federation, Outcome};
use crate::domain::partner::{FollowState, Partner, PartnerKind};
use crate::domain::{PartnerDomain, RecordId, Timestamp};
use crate::store::leases::this_process;
use crate::store::stream::READ_AHEAD;
use crate::store::{AuditEntry, CopyStanding, CopyWrite, Lease, PutCopy, StoreError, StoredCopy, Tx};
use crate::telemetry::kill_point;

use ahead::{Ahead, Room};
use page::{Page, PageError};

/// Pages of one partner in a row that bring nothing new, in one step (SEC-136).
pub const MAX_IN_VAIN: usize = 20;
/// Pages of one partner in one step, whatever they bring: then it is looked who else is due.
const MAX_PAGES: usize = 200;
/// How long one partner's pages are read in one step: a slow one keeps nobody else from being looked for.
const MAX_TIME: Duration = Duration::from_mins(1);
/// Pages that were read ahead and wait, of all partners of one step together: each may be of some megabytes.
const MAX_AHEAD: usize = 7;
const _: () = assert!(READ_AHEAD < MAX_AHEAD, "one partner alone must not take every place");
/// Pages that are kept in one transaction, where so many wait: their records share pages of the database, and a commit.
const TOGETHER: usize = 3;
/// Partners whose streams are read at the same time.
const AT_ONCE: usize = 8;
/// How often a partner whose stream was read to its end is asked for news.
const EVERY: Duration = Duration::from_hours(6);
/// How soon it is asked again after it could not be read, or was read in vain.
const PAUSE: Duration = Duration::from_mins(5);
/// How long a process has a stream for itself, from page to page.
const LEASE: Duration = Duration::from_secs(30);

/// How the reading of one partner's stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Pages kept.
    pub pages: usize,
    /// Items kept that were new to us.
    pub applied: usize,
    /// Items refused, with the first reason.
    pub refused: usize,
    /// Why it stopped.
    pub ended: Ended,
}

/// Why the reading of a stream stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// There was nothing new.
    Complete,
    /// After many pages, or a while; or because the partner was paired anew, got another key or is not followed any
    /// more; if it still is, the next step goes on.
    LimitReached,
    /// [`MAX_IN_VAIN`] pages brought nothing new: it goes on a little later, or it would never end.
    InVain,
    /// Another process reads it.
    Elsewhere,
    /// A page was no page, or led nowhere; the stream is tried again later.
    Unusable(String),
}

/// Reads what is due of every partner that we follow, [`AT_ONCE`] of them side by side: a long stream or a slow
/// partner takes no other's place. What another process reads at this moment is left to it.
///
/// # Errors
/// When the database cannot be asked; what is wrong with a partner is logged and tried again later.
pub async fn step(federation: &Federation) -> Result<Outcome, StoreError> {
    let (began, waiting) = (federation.now(), Arc::new(Semaphore::new(MAX_AHEAD)));
    let mut due = VecDeque::from(due_partners(federation).await?);
    let mut courses = JoinSet::new();
    let (mut pages, mut outcome, mut failed) = (0, Outcome::Idle, None);
    loop {
        while courses.len() < AT_ONCE
            && let Some(partner) = due.pop_front()
        {
            let (federation, waiting) = (federation.clone(), Arc::clone(&waiting));
            courses.spawn(async move { (partner.domain.clone(), course(&federation, partner, &waiting).await) });
        }
        let (domain, reading) = match courses.join_next().await {
            None => break,
            Some(Ok(ended)) => ended,
            Some(Err(ended)) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Some(Err(_)) => continue,
        };
        match reading {
            Ok(reading) if reading.ended == Ended::Elsewhere => {}
            Ok(reading) => {
                pages += reading.pages;
                outcome = Outcome::Worked(pages);
                // A long stream goes on beside the slow ones, as long as there are any.
                if reading.ended == Ended::LimitReached && !courses.is_empty() && federation.now().since(began) < MAX_TIME {
                    due.extend(due_partners(federation).await?.into_iter().filter(|partner| partner.domain == domain));
                }
            }
            // The others go on; its place is kept.
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(outcome), Err)
}

/// The partners that we follow and whose stream is due.
async fn due_partners(federation: &Federation) -> Result<Vec<Partner>, StoreError> {
    let now = federation.now();
    let mut tx = federation.store.read().await?;
    let mut due = Vec::new();
    for partner in tx.list_partners().await? {
        if partner.kind != PartnerKind::Partner || partner.followed != FollowState::Accepted || partner.records.is_none() {
            continue;
        }
        let (_, asked) = tx.backfill_cursor(&partner.domain).await?;
        if asked.is_none_or(|asked| asked.plus(EVERY) <= now) {
            due.push(partner);
        }
    }
    Ok(due)
}

/// Asks a partner for news at the next step, as after an outage.
///
/// # Errors
/// When the database does not take it.
pub async fn ask_soon(tx: &mut Tx, partner: &PartnerDomain, now: Timestamp) -> Result<(), StoreError> {
    let (next, asked) = tx.backfill_cursor(partner).await?;
    match asked {
        Some(_) => tx.set_backfill_cursor(partner, next.as_deref(), now.minus(EVERY)).await,
        None => Ok(()),
    }
}

/// Reads on in one partner's stream, at most [`MAX_PAGES`].
///
/// # Errors
/// When the database is busy or away.
pub async fn read(federation: &Federation, partner: &Partner) -> Result<Reading, StoreError> {
    course(federation, partner.clone(), &Arc::new(Semaphore::new(MAX_AHEAD))).await
}

async fn course(federation: &Federation, partner: Partner, waiting: &Arc<Semaphore>) -> Result<Reading, StoreError> {
    let Some(mut course) = Course::begin(federation, partner, waiting).await? else {
        return Ok(Reading { pages: 0, applied: 0, refused: 0, ended: Ended::Elsewhere });
    };
    loop {
        match course.turn().await {
            Ok(true) => {}
            Ok(false) => return course.end().await,
            Err(error) if error.is_passing() => return Err(error),
            // Something on a page that this database will never take; the next reading begins with its first page alone.
            Err(error) => {
                course.reading.ended = Ended::Unusable(error.to_string());
                return course.end().await;
            }
        }
    }
}

/// One partner's stream while it is read.
struct Course<'a> {
    federation: &'a Federation,
    partner: Partner,
    lease: Lease,
    began: Timestamp,
    reading: Reading,
    at: String,
    seen: HashSet<String>,
    /// How many pages in a row brought nothing new.
    in_vain: usize,
    /// The pages from `at` on, asked for and judged while those before them are kept.
    ahead: Option<Ahead>,
    /// How many pages may still be read ahead.
    waiting: Arc<Semaphore>,
    /// The partner no longer knows our place: from the beginning, next time.
    lost: bool,
    /// The first item that was refused, and on which page.
    first_refused: Option<(String, String)>,
}

impl<'a> Course<'a> {
    /// Takes the stream up where we left it; none while another process reads it.
    async fn begin(federation: &'a Federation, partner: Partner, waiting: &Arc<Semaphore>) -> Result<Option<Self>, StoreError> {
        let (name, now) = (format!("backfill:{}", partner.domain), federation.now());
        let mut tx = federation.store.write().await?;
        let Some(lease) = tx.take_lease(&name, &this_process(), now, now.plus(LEASE)).await? else { return Ok(None) };
        let cursor = tx.backfill_cursor(&partner.domain).await?.0;
        tx.save().await?;
        let at = cursor.or_else(|| partner.records.clone()).unwrap_or_default();
        let reading = Reading { pages: 0, applied: 0, refused: 0, ended: Ended::Complete };
        let (seen, waiting) = (HashSet::new(), Arc::clone(waiting));
        Ok(Some(Self {
            federation,
            partner,
            lease,
            began: now,
            reading,
            at,
            seen,
            in_vain: 0,
            ahead: None,
            waiting,
            lost: false,
            first_refused: None,
        }))
    }

    /// Reads a page, or a few; whether there may be more.
    async fn turn(&mut self) -> Result<bool, StoreError> {
        let over = self.federation.now().since(self.began) >= MAX_TIME;
        let ended = if self.in_vain >= MAX_IN_VAIN {
            Ended::InVain
        } else if self.reading.pages == MAX_PAGES || over {
            Ended::LimitReached
        } else if self.seen.insert(self.at.clone()) {
            match self.pages().await {
                Ok((rooms, pages)) => {
                    let more = pages.last().is_some_and(|page| !page.items.is_empty());
                    let kept = self.keep(pages).await;
                    if !matches!(kept, Ok(None)) {
                        self.ahead = None;
                    }
                    drop(rooms);
                    match kept? {
                        None => return Ok(more),
                        Some(ended) => ended,
                    }
                }
                Err(PageError::Store(error)) => return Err(error),
                Err(error) => {
                    self.lost = self.seen.len() == 1 && matches!(&error, PageError::Fetch(error) if error.status() == Some(400));
                    Ended::Unusable(error.to_string())
                }
            }
        } else {
            Ended::Unusable("the stream leads back to a page that was read".to_owned())
        };
        self.reading.ended = ended;
        Ok(false)
    }

    /// The next page, and those that come soon behind it, with their places. What was not read ahead is asked for
    /// now, which tells the partner that everything before it was kept.
    async fn pages(&mut self) -> Result<(Vec<Room>, Vec<Page>), PageError> {
        let (mut rooms, mut pages) = (Vec::new(), Vec::new());
        if let Some(ahead) = &mut self.ahead
            && let Some((room, page)) = ahead.next().await
        {
            rooms.push(room);
            let mut next = page.leads.next.clone();
            pages.push(page);
            while pages.len() < TOGETHER
                && !self.seen.contains(&next)
                && self.federation.now().since(self.began) < MAX_TIME
                && let Some((room, page)) = ahead.soon().await
            {
                self.seen.insert(std::mem::replace(&mut next, page.leads.next.clone()));
                rooms.push(room);
                pages.push(page);
            }
        } else {
            self.ahead = None;
            let page = page::page(self.federation, &self.partner, &self.at).await?;
            if !page.items.is_empty() {
                // It goes on behind this page while that is kept.
                let left = MAX_PAGES.saturating_sub(self.reading.pages + 1);
                self.ahead = Ahead::begin(self.federation, &self.partner, &page.leads, left, &self.waiting);
            }
            pages.push(page);
        }
        Ok((rooms, pages))
    }

    /// Writes down when the stream is due again, and gives it back.
    async fn end(self) -> Result<Reading, StoreError> {
        let Self { federation, partner, lease, reading, first_refused, .. } = self;
        let now = federation.now();
        let asked = match &reading.ended {
            Ended::Complete => now,
            Ended::LimitReached => now.minus(EVERY),
            Ended::InVain => now.minus(EVERY).plus(PAUSE),
            Ended::Unusable(reason) => {
                tracing::warn!(partner = %partner.domain, reason, "the partner's records cannot be read; tried again later");
                now.minus(EVERY).plus(PAUSE)
            }
            Ended::Elsewhere => return Ok(reading),
        };
        let mut tx = federation.store.write().await?;
        if tx.hold_lease(&lease, now).await? {
            // Of a partner that is not listed any more nothing is noted.
            if tx.lookup_partner(&partner.domain).await?.is_some() {
                let next = if self.lost { None } else { tx.backfill_cursor(&partner.domain).await?.0 };
                tx.set_backfill_cursor(&partner.domain, next.as_deref(), asked).await?;
            }
            if let Some(refused) = first_refused {
                tx.append_audit(&[refusals(&partner, reading.refused, refused, now)]).await?;
            }
            tx.save().await?;
        }
        let Reading { pages, applied, refused, ended } = &reading;
        tracing::info!(partner = %partner.domain, pages, applied, refused, ?ended, "the partner's records were read");
        Ok(reading)
    }

    /// Whether the partner is still followed, and still the one whose stream this is.
    async fn stands(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let who = |partner: &Partner| (partner.actor.clone(), partner.key.clone(), partner.key_id.clone());
        let listed = tx.lookup_partner(&self.partner.domain).await?;
        Ok(listed.is_some_and(|now| now.followed == FollowState::Accepted && who(&now) == who(&self.partner)))
    }

    /// Keeps pages and our new place in one transaction; or says why the reading stops before them.
    async fn keep(&mut self, pages: Vec<Page>) -> Result<Option<Ended>, StoreError> {
        let (federation, now) = (self.federation, self.federation.now());
        let mut tx = federation.store.write().await?;
        if !tx.hold_lease(&self.lease, now.plus(LEASE)).await? {
            return Ok(Some(Ended::Elsewhere));
        }
        let stands = self.stands(&mut tx).await?;
        let keys = proof_keys(&mut tx, &self.partner).await?;
        if !stands || pages.iter().any(|page| *page.keys != keys) {
            // It changed since a page was judged: it is asked for again, where the partner is still followed.
            return Ok(Some(Ended::LimitReached));
        }
        let items = pages.iter().flat_map(|page| &page.items);
        let ids: Vec<RecordId> = items.filter_map(|item| item.as_ref().ok()).map(|(id, _)| id.clone()).collect();
        let copies = tx.lookup_copies(&ids).await?.into_iter().map(|copy| (copy.id.clone(), copy)).collect();
        let mut kept = Kept {
            partner: &self.partner,
            now,
            page: String::new(),
            applied: 0,
            writes: Vec::new(),
            pending: HashSet::new(),
            copies,
            refused: 0,
            first_refused: None,
        };
        let count = pages.len();
        let mut next = self.at.clone();
        for page in pages {
            kept.page = std::mem::replace(&mut next, page.leads.next);
            for item in page.items {
                match item {
                    Ok((id, read)) => kept.judge(&mut tx, &id, read).await?,
                    Err((name, refusal)) => kept.refuse(&name, &Objection::Refused(refusal)),
                }
            }
        }
        kept.put(&mut tx).await?;
        let Kept { applied, refused, first_refused, .. } = kept;
        // Still due until the reading ends: a process that dies here goes on at this place at once.
        tx.set_backfill_cursor(&self.partner.domain, Some(&next), now.minus(EVERY)).await?;
        kill_point("backfill.before-commit");
        tx.save().await?;
        kill_point("backfill.after-commit");
        self.at = next;
        self.reading.pages += count;
        self.reading.applied += applied;
        self.reading.refused += refused;
        self.first_refused = self.first_refused.take().or(first_refused);
        self.in_vain = if applied == 0 { self.in_vain + count } else { 0 };
        Ok(None)
    }
}

/// One line for a person a reading, however much was wrong with it.
fn refusals(partner: &Partner, count: usize, (page, first): (String, String), at: Timestamp) -> AuditEntry {
    let shown: String = first.chars().take(400).collect();
    let detail = format!("{count} items were not taken, the first: {shown}");
    tracing::warn!(partner = %partner.domain, page, detail, "some of the partner's records were refused");
    AuditEntry { at, who: partner.domain.to_string(), action: "records-refused".to_owned(), subject: page, detail }
}

/// Pages on their way into the store.
struct Kept<'a> {
    partner: &'a Partner,
    now: Timestamp,
    /// Where the page stands whose items are judged.
    page: String,
    applied: usize,
    /// Judged good, not yet written; no record twice.
    writes: Vec<CopyWrite>,
    /// The records of `writes`.
    pending: HashSet<RecordId>,
    /// What is held of the records on the pages.
    copies: HashMap<RecordId, StoredCopy>,
    /// How many were not taken; of the first, on which page, and what is said of it to people.
    refused: usize,
    first_refused: Option<(String, String)>,
}

impl Kept<'_> {
    async fn judge(&mut self, tx: &mut Tx, id: &RecordId, read: Result<Read, Objection>) -> Result<(), StoreError> {
        // A record that comes again is held against what came first.
        if self.pending.contains(id) {
            self.put(tx).await?;
            self.look_again(tx, id).await?;
        }
        match read.and_then(|read| read.against(self.partner, self.copies.get(id), self.now)) {
            Ok(Judged::Hold(write)) => {
                self.pending.insert(id.clone());
                self.writes.push(*write);
            }
            Ok(Judged::Bury(tombstone, sealed)) => {
                let buried = tx.bury_copy(&self.partner.domain, &tombstone, &sealed, self.now).await?;
                self.applied += usize::from(buried == PutCopy::Applied);
                self.look_again(tx, id).await?;
            }
            Err(objection) => {
                if let Objection::Contradicts(write, _) = &objection {
                    // Told once: a copy that is frozen already stays so.
                    let told = self.copies.get(id).is_some_and(|copy| copy.standing == CopyStanding::Frozen);
                    tx.put_copy(write).await?;
                    if !told {
                        tx.append_audit(&[object::equivocation(self.partner, id, &objection, self.now)]).await?;
                    }
                    self.look_again(tx, id).await?;
                }
                if let Objection::TakesBack(write, _) = &objection {
                    tx.put_copy(write).await?;
                    self.look_again(tx, id).await?;
                }
                self.refuse(id.as_str(), &objection);
            }
        }
        Ok(())
    }

    async fn put(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut writes = std::mem::take(&mut self.writes);
        // In one order: who writes copies at the same time does so too, and neither waits for the other in a circle.
        writes.sort_by(|a, b| a.record.id.cmp(&b.record.id));
        self.pending.clear();
        for (write, answer) in writes.iter().zip(tx.put_copies(&writes).await?) {
            match answer {
                PutCopy::Applied => self.applied += 1,
                // Another worker wrote the other content since we looked.
                PutCopy::Equivocation => {
                    let why = Refusal::new(Code::Equivocation, "two contents under one revision");
                    let objection = Objection::Contradicts(Box::new(write.clone()), why);
                    tx.append_audit(&[object::equivocation(self.partner, &write.record.id, &objection, self.now)]).await?;
                    self.refuse(write.record.id.as_str(), &objection);
                }
                PutCopy::AlreadyNewer | PutCopy::Same => {}
            }
        }
        Ok(())
    }

    async fn look_again(&mut self, tx: &mut Tx, id: &RecordId) -> Result<(), StoreError> {
        if let Some(copy) = tx.lookup_copy(id).await? {
            self.copies.insert(id.clone(), copy);
        }
        Ok(())
    }

    fn refuse(&mut self, id: &str, objection: &Objection) {
        let id: String = id.chars().filter(|c| !c.is_control()).take(200).collect();
        tracing::debug!(partner = %self.partner.domain, id, problem = objection.detail(), "an item of the partner's records was refused");
        self.refused += 1;
        let told = || (self.page.clone(), format!("{id}: {}: {}", objection.word(), objection.detail()));
        self.first_refused.get_or_insert_with(told);
    }
}
