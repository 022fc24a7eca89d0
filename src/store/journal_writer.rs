//! The one task that writes into the journal: it takes what is queued, checks it and keeps it in one
//! transaction, commits once, and only then answers everybody. A commit costs a disk sync; under load
//! hundreds of activities share it, and while it runs the next batch gathers by itself.
//!
//! What must be checked against the store before an activity is accepted (who owns what) is handed in as
//! ids to look up and a function over what was found: the store does not know what is being checked.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::journal::{Appended, JournalEntry};
use super::{Store, StoreError, StoredCopy, StoredRecord, Tx};
use crate::domain::RecordId;
use crate::telemetry::kill_point;

/// Activities that share a commit.
const BATCH: usize = 256;
/// Activities that may wait; whoever comes then is told to come again.
const QUEUE: usize = 1024;

/// What the store holds of the ids an activity names, seen by the transaction that keeps it.
#[derive(Debug, Default)]
pub struct Held {
    /// Copies of partners' records, tombstones included.
    pub copies: HashMap<RecordId, StoredCopy>,
    /// Records of ours, tombstones included.
    pub records: HashMap<RecordId, StoredRecord>,
}

/// Decides whether an activity may be accepted; reads only.
pub type Check<R> = Box<dyn FnOnce(&Held) -> Result<(), R> + Send>;

/// An activity to be kept, if its check says so.
pub struct Append<R> {
    /// The activity.
    pub entry: Arc<JournalEntry>,
    /// The copies to look up for the check.
    pub copies: Vec<RecordId>,
    /// The records of ours to look up for it.
    pub records: Vec<RecordId>,
    /// The check; not asked about what is kept already.
    pub check: Check<R>,
}

/// What became of an activity. Given only after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept<R> {
    /// It is kept now.
    New,
    /// It was kept before; this is the receipt that was given.
    Duplicate(String),
    /// Another body is kept under its address.
    Equivocation,
    /// Its check refused it; nothing is kept.
    Refused(R),
}

/// Why an activity was not kept. The sender may try again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// Too many wait already.
    #[error("too many activities wait to be written")]
    Full,
    /// The writer has ended.
    #[error("the journal is closed")]
    Closed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
}

struct Job<R> {
    append: Append<R>,
    answer: oneshot::Sender<Result<Kept<R>, AppendError>>,
}

/// Where activities are handed in; cloned by everybody who receives them.
pub struct JournalWriter<R> {
    queue: mpsc::Sender<Job<R>>,
}

impl<R> Clone for JournalWriter<R> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<R> std::fmt::Debug for JournalWriter<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JournalWriter").field("free", &self.queue.capacity()).finish_non_exhaustive()
    }
}

/// The task behind [`JournalWriter`]; `app` runs it.
pub struct JournalTask<R> {
    store: Store,
    queue: mpsc::Receiver<Job<R>>,
}

impl<R: Send + 'static> JournalWriter<R> {
    /// A writer and the task that must run for it.
    #[must_use]
    pub fn new(store: Store) -> (Self, JournalTask<R>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self { queue: sender }, JournalTask { store, queue: receiver })
    }

    /// Keeps an activity, and answers after the commit.
    ///
    /// # Errors
    /// [`AppendError`]; nothing is kept then, unless the connection broke during the commit (the sender
    /// repeats, and gets the receipt that was kept).
    pub async fn append(&self, append: Append<R>) -> Result<Kept<R>, AppendError> {
        append.entry.check().map_err(Arc::new)?;
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Job { append, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => AppendError::Full,
            mpsc::error::TrySendError::Closed(_) => AppendError::Closed,
        })?;
        answered.await.map_err(|_| AppendError::Closed)?
    }
}

impl<R: Send + 'static> JournalTask<R> {
    /// Writes until the last [`JournalWriter`] is dropped and its queue is empty.
    pub async fn run(mut self) {
        let mut jobs = Vec::with_capacity(BATCH);
        while self.queue.recv_many(&mut jobs, BATCH).await > 0 {
            let batch = std::mem::take(&mut jobs);
            let (appends, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|job| (job.append, job.answer)).unzip();
            match keep(&self.store, appends).await {
                Ok(kept) => {
                    for (answer, kept) in answers.into_iter().zip(kept) {
                        // Whoever asked may have gone away; the activity is kept all the same.
                        drop(answer.send(Ok(kept)));
                    }
                }
                Err(error) => {
                    tracing::error!(%error, activities = answers.len(), "activities were not kept");
                    let error = Arc::new(error);
                    for answer in answers {
                        drop(answer.send(Err(AppendError::Store(Arc::clone(&error)))));
                    }
                }
            }
        }
    }
}

/// One batch in one transaction. Returning `Ok` means that it is committed.
async fn keep<R>(store: &Store, appends: Vec<Append<R>>) -> Result<Vec<Kept<R>>, StoreError> {
    let mut entries = Vec::with_capacity(appends.len());
    let mut wanted = Vec::with_capacity(appends.len());
    let mut checks = Vec::with_capacity(appends.len());
    for append in appends {
        entries.push(append.entry);
        wanted.push((append.copies, append.records));
        checks.push(append.check);
    }
    kill_point("inbox.before-insert");
    let mut tx = store.write().await?;
    let known = tx.weigh_journal(&entries).await?;
    let wanted = wanted.into_iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(ids, _)| ids);
    let (copies, records): (Vec<_>, Vec<_>) = wanted.unzip();
    let held = look_up(&mut tx, copies.concat(), records.concat()).await?;
    let mut outcomes = Vec::with_capacity(entries.len());
    let mut accepted = Vec::new();
    for ((entry, check), known) in entries.into_iter().zip(checks).zip(known) {
        let settled = match known {
            Some(known) => Some(known.into()),
            None => check(&held).err().map(Kept::Refused),
        };
        if settled.is_none() {
            accepted.push(entry);
        }
        outcomes.push(settled);
    }
    let accepted: Vec<&JournalEntry> = accepted.iter().map(Arc::as_ref).collect();
    let mut appended = tx.append_unknown(&accepted).await?.into_iter();
    let mut answers = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        answers.push(match outcome {
            Some(outcome) => outcome,
            None => appended.next().map(Kept::from).ok_or(StoreError::Affected {
                what: "keeping activities",
                expected: 1,
                actual: 0,
            })?,
        });
    }
    kill_point("inbox.before-commit");
    tx.save().await?;
    kill_point("inbox.after-commit");
    Ok(answers)
}

async fn look_up(tx: &mut Tx, mut copies: Vec<RecordId>, mut records: Vec<RecordId>) -> Result<Held, StoreError> {
    for ids in [&mut copies, &mut records] {
        ids.sort();
        ids.dedup();
    }
    let copies = tx.lookup_copies(&copies).await?.into_iter().map(|copy| (copy.id.clone(), copy)).collect();
    let records = tx.lookup_records(&records).await?.into_iter().map(|record| (record.id.clone(), record)).collect();
    Ok(Held { copies, records })
}

impl<R> From<Appended> for Kept<R> {
    fn from(appended: Appended) -> Self {
        match appended {
            Appended::New => Self::New,
            Appended::Duplicate(receipt) => Self::Duplicate(receipt),
            Appended::Equivocation => Self::Equivocation,
        }
    }
}
