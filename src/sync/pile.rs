//! Revisions that wait to be written, and how they are sealed: many at once, on all cores.
//!
//! Sealing is pure and takes more time than anything else that a first reading does, so it is not done where
//! a revision is decided, one after the other, but where a pile of them is written.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use crate::domain::change::ChangeKind;
use crate::domain::digest::Digest;
use crate::domain::seal::{Seal, SealError};
use crate::domain::{LocalId, Record, RecordId, Timestamp};
use crate::store::RecordWrite;

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

    /// Seals what waits and leaves nothing. The order stays.
    ///
    /// # Errors
    /// The first that cannot be sealed; then nothing may be written.
    pub async fn seal(&mut self, seal: &Arc<dyn Seal>, now: Timestamp) -> Result<Vec<RecordWrite>, SealError> {
        self.ids.clear();
        let mut left = std::mem::take(&mut self.decided);
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
