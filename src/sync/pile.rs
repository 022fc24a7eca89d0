//! Revisions that wait to be written, and how they are: sealed many at once, on all cores, and written while
//! the next ones are decided.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::task::JoinSet;

use super::SyncError;
use crate::domain::change::ChangeKind;
use crate::domain::digest::Digest;
use crate::domain::seal::{Seal, SealError};
use crate::domain::{LocalId, Record, RecordId, Timestamp};
use crate::store::{RecordWrite, Tx};

/// Fewer than this are not worth waking another thread for.
const SHARE: usize = 32;

/// A revision that is decided and not sealed yet.
pub(super) struct Decided {
    pub local: Option<LocalId>,
    pub record: Record,
    pub previous: Option<Digest>,
    pub kind: ChangeKind,
    pub material: bool,
}

impl Decided {
    fn seal(self, seal: &dyn Seal, now: Timestamp) -> Result<RecordWrite, SealError> {
        let Self { local, record, previous, kind, material } = self;
        let sealed = seal.record(&record, previous.as_ref(), now)?;
        Ok(RecordWrite { local, record, sealed, previous, kind, material, at: now })
    }
}

/// What waits, in its order.
#[derive(Default)]
pub(super) struct Pile {
    decided: Vec<Decided>,
    ids: HashSet<RecordId>,
}

/// A pile that is being written by a task of its own.
pub(super) struct UnderWay {
    ids: HashSet<RecordId>,
    task: JoinSet<Result<Written, SyncError>>,
}

/// A pile that was written: the transaction it was written in, and what was sealed.
pub(super) struct Written {
    pub tx: Tx,
    pub writes: Vec<RecordWrite>,
}

impl UnderWay {
    /// Whether a revision of this record is in it: then its digest is not known yet.
    pub fn holds(&self, id: &RecordId) -> bool {
        self.ids.contains(id)
    }

    /// Waits until it is written.
    ///
    /// # Errors
    /// When something could not be sealed or written; then the transaction is gone, and all that was in it.
    pub async fn written(mut self) -> Result<Written, SyncError> {
        match self.task.join_next().await {
            Some(Ok(written)) => written,
            Some(Err(ended)) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Some(Err(_)) | None => Err(SyncError::Unwritten),
        }
    }
}

impl Pile {
    /// Puts one more on it.
    pub fn push(&mut self, decided: Decided) {
        self.ids.insert(decided.record.id.clone());
        self.decided.push(decided);
    }

    /// Whether a revision of this record waits: then its digest is not known yet.
    pub fn holds(&self, id: &RecordId) -> bool {
        self.ids.contains(id)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.decided.len()
    }

    /// Begins to seal and write it all, and returns at once. Dropped, it ends, and so does its transaction.
    pub fn write(self, seal: Arc<dyn Seal>, now: Timestamp, mut tx: Tx) -> UnderWay {
        let Self { decided, ids } = self;
        let mut task = JoinSet::new();
        task.spawn(async move {
            let writes = Self::seal(decided, &seal, now).await?;
            tx.put_records(&writes).await?;
            Ok(Written { tx, writes })
        });
        UnderWay { ids, task }
    }

    /// Seals on all cores. The order stays.
    async fn seal(decided: Vec<Decided>, seal: &Arc<dyn Seal>, now: Timestamp) -> Result<Vec<RecordWrite>, SealError> {
        let mut left = decided;
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        let share = left.len().div_ceil(cores).max(SHARE);
        let mut others = Vec::new();
        while left.len() > share {
            let (seal, part) = (Arc::clone(seal), left.split_off(left.len() - share));
            others.push(tokio::task::spawn_blocking(move || sealed(part, &*seal, now)));
        }
        let mut writes = sealed(left, &**seal, now)?;
        // The last share was taken first.
        for part in others.into_iter().rev() {
            match part.await {
                Ok(part) => writes.extend(part?),
                Err(ended) => std::panic::resume_unwind(ended.into_panic()),
            }
        }
        Ok(writes)
    }
}

fn sealed(decided: Vec<Decided>, seal: &dyn Seal, now: Timestamp) -> Result<Vec<RecordWrite>, SealError> {
    decided.into_iter().map(|one| one.seal(seal, now)).collect()
}
