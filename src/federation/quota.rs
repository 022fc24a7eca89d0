//! How much one partner may send, so that nobody takes the others' share (SEC-140, HRD 4.1). Asked only after
//! a signature was verified: nobody spends what belongs to another.
//!
//! Recalls (`Delete`) have a share of their own: a partner that floods us with news can still take words
//! back. The shares are kept in memory by each process; what keeps the journal itself from growing without
//! end is [`MAX_WAITING`], which is counted in the store.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::bucket::Buckets;
use super::refusal::{Code, Refusal};
use super::verify::busy;
use crate::domain::{PartnerDomain, Timestamp};
use crate::store::{Store, StoreError};

/// Activities of one partner in an hour, unless the configuration says otherwise.
pub const USUAL: u32 = 20_000;
/// Activities of one partner that wait for their effect; a tenth more for recalls.
pub const MAX_WAITING: u64 = 50_000;
/// Between two counts of what waits.
const COUNT_EVERY: Duration = Duration::from_secs(10);
/// Sooner than this nobody is asked to come again: what fills drop by drop is no use to anybody.
const SHORTEST_WAIT: Duration = Duration::from_mins(1);
/// When a partner whose activities wait here may come again.
const UNTIL_APPLIED: Duration = Duration::from_mins(5);

/// Every partner's share of the inbox.
#[derive(Debug)]
pub struct Quota {
    shares: Buckets<(PartnerDomain, bool)>,
    most_waiting: u64,
    waiting: Mutex<HashMap<PartnerDomain, Waiting>>,
}

/// How much of a partner waited when that was counted last, and what came since.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    activities: u64,
    counted_at: Timestamp,
}

impl Quota {
    /// So many activities an hour for each partner, at least one.
    #[must_use]
    pub fn per_hour(activities: u32) -> Self {
        Self { shares: Buckets::per_hour(activities), most_waiting: MAX_WAITING, waiting: Mutex::default() }
    }

    /// As much as anybody likes, and counted all the same: for measuring what accepting costs, where nothing is
    /// applied.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { most_waiting: u64::MAX, ..Self::per_hour(u32::MAX) }
    }

    /// Takes one activity out of the partner's share.
    ///
    /// # Errors
    /// 429 with the time to wait when nothing of it is left, 503 when the store cannot say what waits.
    pub async fn take(&self, store: &Store, partner: &PartnerDomain, recall: bool, now: Timestamp) -> Result<(), Refusal> {
        self.shares.draw(&(partner.clone(), recall), now).map_err(|wait| {
            let many = format!("more than {} activities in an hour; the rest may be sent later", self.shares.each());
            Refusal::new(Code::TooMany, many).retry_after(wait.max(SHORTEST_WAIT))
        })?;
        let most = if recall { self.most_waiting.saturating_add(self.most_waiting / 10) } else { self.most_waiting };
        if self.waiting(store, partner, now).await.map_err(busy)? >= most {
            let full = "too many of your activities wait to be applied here; the rest may be sent later";
            return Err(Refusal::new(Code::TooMany, full).retry_after(UNTIL_APPLIED));
        }
        Ok(())
    }

    /// What waits before this one.
    async fn waiting(&self, store: &Store, partner: &PartnerDomain, now: Timestamp) -> Result<u64, StoreError> {
        if let Some(known) = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).get_mut(partner)
            && known.counted_at <= now
            && now.since(known.counted_at) < COUNT_EVERY
        {
            known.activities += 1;
            return Ok(known.activities);
        }
        let activities = store.read().await?.waiting_of(partner, MAX_WAITING * 2).await?;
        let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, known| known.counted_at <= now && now.since(known.counted_at) < COUNT_EVERY);
        all.insert(partner.clone(), Waiting { activities, counted_at: now });
        Ok(activities)
    }
}

impl Default for Quota {
    fn default() -> Self {
        Self::per_hour(USUAL)
    }
}
