//! From a platform to our records: scan, compare by content, write what changed.
//!
//! One [`Sync::run`] reads the platform through its connector, maps each item that does not say just what it
//! said (`print`) by the profile, compares it with what is stored, and writes record, sealed bytes and change
//! in one transaction per batch. At the end it concludes what absence means, and only where the reading was
//! complete. Architecture §4.6 is its law. Killed anywhere, the next run completes: everything is decided from
//! what is stored.
//!
//! It does not know that federation exists (sealing is handed in), nor how a platform is read, nor what
//! its fields mean.

mod absence;
mod batch;
mod conclude;
mod names;
mod pile;
mod preview;
mod preview_text;
mod print;
mod revise;
mod summary;
mod tree;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use url::Url;

pub use self::names::Pseudonyms;
pub use self::preview::{Preview, Sample};
use self::print::Prints;
pub use self::summary::{EntitySummary, RunSummary};
use crate::connectors::{Connector, ConnectorError, ReadPlan, ScanEvent, ScanReport};
use crate::domain::Clock;
use crate::domain::seal::{Seal, SealError};
use crate::mapping::{Profile, Publisher};
use crate::store::leases::this_process;
use crate::store::{HeldRun, RunOutcome, Store, StoreError};
use crate::telemetry::kill_point;

/// Items per transaction.
const BATCH: usize = 200;
/// Events read ahead of the database.
const AHEAD: usize = 256;
/// How long a run holds its platform without a sign of life. A run that was killed blocks the next one
/// no longer than this.
const HOLD: Duration = Duration::from_secs(30);
/// How long a run waits for the platform before it gives a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(8);

/// Everything a run over one platform needs.
#[derive(Clone)]
pub struct Sync {
    /// Where records are kept.
    pub store: Store,
    /// How the platform is read.
    pub connector: Arc<dyn Connector>,
    /// What its fields mean.
    pub profile: Arc<Profile>,
    /// Whose records they become.
    pub publisher: Publisher,
    /// The gateway's public address, in every id.
    pub public_url: Url,
    /// How people are called.
    pub pseudonyms: Pseudonyms,
    /// How records are sealed.
    pub seal: Arc<dyn Seal>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// What a person decided about a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether items that are missing in large numbers may be hidden and deleted (`--confirm-deletions`).
    pub confirm_deletions: bool,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The entity at hand.
    pub entity: String,
    /// How many of it were seen.
    pub done: u64,
    /// What is being done, for a person.
    pub doing: String,
}

/// Why a run ended early. What was committed before stays.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Another run over this platform is under way.
    #[error("platform {platform} is being read by {holder}; wait for it (after a crash: at most 30 s)")]
    Busy {
        /// Which platform.
        platform: String,
        /// Who holds it.
        holder: String,
    },
    /// This run was silent for so long that another one took over.
    #[error("another run took platform {0} over; this one stopped")]
    TakenOver(String),
    /// The platform cannot be read.
    #[error(transparent)]
    Connector(#[from] ConnectorError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A write of this run failed before, and its transaction is gone.
    #[error("a batch could not be written; nothing of it was kept")]
    Unwritten,
    /// The public address cannot carry a path.
    #[error("`{0}` cannot be the address of records; check server.public_url")]
    PublicUrl(String),
}

/// One run under way.
struct Run<'a> {
    sync: &'a Sync,
    options: Options,
    held: HeldRun,
    rng: &'a mut (dyn Rng + Send + std::marker::Sync),
    entities: BTreeMap<String, EntitySummary>,
    prints: Prints,
    /// Whether something ceased to be there in this run that an item may point to: then no print is believed.
    vanished: bool,
    /// Items that were seen, but without proof, and were public before.
    unproven: HashSet<(String, String)>,
    /// Per entity, items of ours that the platform held back by name.
    named: HashMap<String, u64>,
    /// Entities whose absences are not believed until a person decides.
    doubtful: HashSet<String>,
}

impl Sync {
    /// Reads the platform once and publishes what changed.
    ///
    /// # Errors
    /// When another run holds the platform, or the database or sealing fails. A platform that cannot be
    /// read is no error here: the summary says [`RunOutcome::Failed`] and why.
    pub async fn run(
        &self,
        options: Options,
        rng: &mut (dyn Rng + Send + std::marker::Sync),
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<RunSummary, SyncError> {
        let (held, vanished) = self.start().await?;
        let mut run = Run {
            sync: self,
            options,
            held,
            rng,
            entities: self.profile.entities().map(|name| (name.to_owned(), EntitySummary::default())).collect(),
            prints: Prints::new(self, vanished, self.clock.now()),
            vanished: false,
            unproven: HashSet::new(),
            named: HashMap::new(),
            doubtful: HashSet::new(),
        };
        let ended = run.go(progress).await;
        kill_point("sync.before-finish");
        let held = run.held.clone();
        let summary = run.summary(ended.as_ref());
        self.finish(&held, &summary).await?;
        match ended {
            // A platform that does not answer is told in the summary; the caller tries again later.
            Ok(_) | Err(SyncError::Connector(_)) => Ok(summary),
            Err(error) => Err(error),
        }
    }

    /// Begins a run, unless another one holds the platform; with it, what prints depend on.
    async fn start(&self) -> Result<(HeldRun, Option<String>), SyncError> {
        let mut tx = self.store.write().await?;
        let (platform, now) = (&self.publisher.platform, self.clock.now());
        let Some(held) = tx.start_run(platform, &this_process(), now, now.plus(HOLD)).await? else {
            let other = tx.lease_holder(&format!("run:{platform}"), now).await?;
            return Err(SyncError::Busy {
                platform: platform.to_string(),
                holder: other.unwrap_or_else(|| "another run".to_owned()),
            });
        };
        let vanished = tx.fact(&print::vanished(platform)).await?;
        tx.save().await?;
        Ok((held, vanished))
    }

    /// Gives the platform back after a run of this process that was stopped in the middle. What it committed
    /// stays; the next run goes on from there, and need not wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(&self) -> Result<(), SyncError> {
        let mut tx = self.store.write().await?;
        tx.give_back(&format!("run:{}", self.publisher.platform), &this_process(), self.clock.now()).await?;
        Ok(tx.save().await?)
    }

    /// Writes down how a run ended. When another one took over meanwhile, that one's word stands.
    async fn finish(&self, held: &HeldRun, summary: &RunSummary) -> Result<(), SyncError> {
        let counts = serde_json::to_value(&summary.entities).unwrap_or_default();
        let mut tx = self.store.write().await?;
        tx.finish_run(held, summary.outcome, &counts, summary.message.as_deref(), self.clock.now()).await?;
        tx.save().await?;
        Ok(())
    }

    /// What is to be read, by the profile.
    #[must_use]
    pub fn plan(&self) -> ReadPlan {
        let proofs = self.profile.proofs();
        ReadPlan {
            proofs: proofs.map(|(entity, proofs)| (entity.to_owned(), proofs.iter().map(|proof| proof.kind).collect())).collect(),
        }
    }
}

impl Run<'_> {
    async fn go(&mut self, progress: &mut (dyn FnMut(&Progress) + Send)) -> Result<ScanReport, SyncError> {
        let (sender, events) = mpsc::channel(AHEAD);
        let plan = self.sync.plan();
        let connector = Arc::clone(&self.sync.connector);
        // A task of its own: the next page is read while this one is written. It ends with the run.
        let mut scan = JoinSet::new();
        scan.spawn(async move { connector.scan(&plan, sender).await });
        self.take_all(events, progress).await?;
        let report = scan.join_all().await.pop().unwrap_or(Err(ConnectorError::Stopped))?;
        for (entity, told) in &report.entities {
            self.entities.entry(entity.clone()).or_default().reported(told);
        }
        self.conclude(&report, progress).await?;
        Ok(report)
    }

    /// Takes events as they come, a batch at a time. Ends the scan (by hanging up) when it fails.
    async fn take_all(
        &mut self,
        mut events: mpsc::Receiver<ScanEvent>,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<(), SyncError> {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            match tokio::time::timeout(SIGN_OF_LIFE, events.recv()).await {
                Err(_silence) => self.hold().await?,
                Ok(None) => return self.take(batch).await,
                Ok(Some(ScanEvent::Progress { entity, done, doing })) => progress(&Progress { entity, done, doing }),
                Ok(Some(event)) => batch.push(event),
            }
            if batch.len() >= BATCH {
                self.take(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).await?;
            }
        }
    }

    /// Gives a sign of life, so that no other run takes the platform over.
    async fn hold(&self) -> Result<(), SyncError> {
        let desk = tree::Desk::open(self.sync).await?;
        desk.save(&self.held).await?;
        Ok(())
    }

    fn entity(&mut self, entity: &str) -> &mut EntitySummary {
        self.entities.entry(entity.to_owned()).or_default()
    }

    fn summary(self, ended: Result<&ScanReport, &SyncError>) -> RunSummary {
        let waiting: u64 = self.entities.values().map(|entity| entity.waiting).sum();
        let incomplete = self.entities.iter().find(|(_, entity)| !entity.complete);
        let platform = &self.sync.publisher.platform;
        let (outcome, message) = match (ended, incomplete) {
            (Err(error), _) => (RunOutcome::Failed, Some(error.to_string())),
            (Ok(_), _) if waiting > 0 => (
                RunOutcome::Held,
                Some(format!(
                    "{waiting} items are no longer in the lists of {platform}: too many to believe it; look, then run \
                     `passerelle platform sync {platform} --confirm-deletions`"
                )),
            ),
            (Ok(_), Some((entity, summary))) => (
                RunOutcome::Partial,
                Some(format!(
                    "{entity} was not read to the end ({}); nothing is concluded from what is absent",
                    summary.why_incomplete.as_deref().unwrap_or("the reason is not known")
                )),
            ),
            (Ok(_), None) => (RunOutcome::Complete, None),
        };
        RunSummary {
            platform: platform.clone(),
            run: self.held.number,
            outcome,
            message,
            entities: self.entities,
            requests: ended.map_or(0, |report| report.requests),
            notes: ended.map(|report| report.notes.clone()).unwrap_or_default(),
        }
    }
}
