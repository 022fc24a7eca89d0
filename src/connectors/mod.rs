//! Reading participation platforms: completely, politely, and only what any visitor can see.
//!
//! A connector knows *how* one kind of platform is read: paging to a proven end, what its errors mean,
//! how often it may be asked, and what shows that an item is public. It yields [`SourceRecord`]s with
//! the platform's own field names; what the fields *mean* is the business of a mapping profile. It keeps
//! nothing between two scans and cannot write anything, neither here nor there.
//!
//! Everything is read anonymously, and personal data are not even asked for: of a person the only thing
//! that travels is the platform's own number (GDPR-18).

pub mod decidim;
mod error;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use tokio::sync::mpsc;
use url::Url;

pub use self::error::ConnectorError;
use crate::domain::source::{ProofKind, SourceRecord};
use crate::domain::{Clock, PlatformName};
use crate::outbound::Client;

/// The kinds of platforms that can be read.
pub const KINDS: [&str; 1] = ["decidim"];

/// One kind of platform, ready to read one installation of it.
#[async_trait]
pub trait Connector: Send + Sync {
    /// The software, for example `decidim`: the `system` of a record's source.
    fn system(&self) -> &'static str;

    /// Asks what the platform is and can do, with a handful of requests.
    ///
    /// # Errors
    /// [`ConnectorError`] when it is not reachable or not this kind of platform.
    async fn probe(&self) -> Result<Probe, ConnectorError>;

    /// Reads everything the plan names and sends it out as it comes.
    ///
    /// An `Ok` report can be partial: an entity that was not read to a proven end says so, and nothing may
    /// be concluded from what is absent.
    ///
    /// # Errors
    /// [`ConnectorError`] when not even the list of consultations could be read, or when nobody listens.
    async fn scan(&self, plan: &ReadPlan, out: mpsc::Sender<ScanEvent>) -> Result<ScanReport, ConnectorError>;

    /// Asks an item's own public page as a stranger and keeps only whether it is shown.
    ///
    /// # Errors
    /// [`ConnectorError`] when there is no answer.
    async fn page_status(&self, url: &Url) -> Result<PageStatus, ConnectorError>;
}

/// One configured platform.
#[derive(Debug, Clone)]
pub struct Installation {
    /// Its name in our configuration.
    pub name: PlatformName,
    /// Its kind, one of [`KINDS`].
    pub kind: String,
    /// The address of its home page.
    pub url: Url,
    /// How gently it is asked.
    pub courtesy: Courtesy,
}

/// How gently a platform is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Courtesy {
    /// The shortest time between the starts of two requests; one second by default.
    pub between: Duration,
    /// The first pause after a failure; doubled each time.
    pub back_off: Duration,
    /// How often a failed request is asked again.
    pub retries: u32,
    /// How often "too many requests" is waited out before giving up.
    pub waits: u32,
}

impl Default for Courtesy {
    fn default() -> Self {
        Self { between: Duration::from_secs(1), back_off: Duration::from_secs(2), retries: 4, waits: 10 }
    }
}

impl Courtesy {
    /// Default manners at another pace. Whoever may be asked more often is asked again sooner after a failure
    /// too: after twice `between`, but never later than by default.
    #[must_use]
    pub fn at_pace(between: Duration) -> Self {
        let default = Self::default();
        Self { between, back_off: default.back_off.min(between * 2), ..default }
    }

    /// No pauses: for platforms that run on this machine and are ours (demo, tests).
    #[must_use]
    pub const fn none() -> Self {
        Self { between: Duration::ZERO, back_off: Duration::from_millis(5), retries: 2, waits: 3 }
    }
}

/// The connector of an installation.
///
/// # Errors
/// [`ConnectorError::UnknownKind`] for a kind that is not in [`KINDS`].
pub fn open(installation: Installation, client: Client, clock: Arc<dyn Clock>) -> Result<Arc<dyn Connector>, ConnectorError> {
    match installation.kind.as_str() {
        "decidim" => Ok(Arc::new(decidim::Decidim::new(installation, client, clock))),
        kind => Err(ConnectorError::UnknownKind { kind: kind.to_owned() }),
    }
}

/// What is to be read, and what shows that it is public. An entity that is not named is not read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadPlan {
    /// Per entity the proofs that count, in the order in which they are tried; the first that holds is the
    /// evidence. An empty list proves nothing, so everything of that entity is held back.
    pub proofs: BTreeMap<String, Vec<ProofKind>>,
}

impl ReadPlan {
    /// Whether an entity is to be read.
    #[must_use]
    pub fn wants(&self, entity: &str) -> bool {
        self.proofs.contains_key(entity)
    }

    /// The proofs that count for an entity.
    #[must_use]
    pub fn proofs_for(&self, entity: &str) -> &[ProofKind] {
        self.proofs.get(entity).map_or(&[], Vec::as_slice)
    }
}

/// What a scan sends out.
#[derive(Debug, Clone, PartialEq)]
pub enum ScanEvent {
    /// An item, with what shows that it is public. Parents come before what hangs on them.
    Item(Box<SourceRecord>),
    /// The platform holds the item back: it exists and is not shown.
    Withheld {
        /// The platform's type word.
        entity: String,
        /// The platform's id.
        local_id: String,
        /// Why we think so.
        reason: String,
    },
    /// The item exists but could not be read this time: nothing follows from that.
    FailedRead {
        /// The platform's type word.
        entity: String,
        /// The platform's id.
        local_id: String,
        /// What went wrong.
        reason: String,
    },
    /// How far it is.
    Progress {
        /// The entity being read.
        entity: String,
        /// How many of it were seen so far.
        done: u64,
        /// What is being read, for a person.
        doing: String,
    },
}

/// How complete a scan was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ScanReport {
    /// Per entity of the plan.
    pub entities: BTreeMap<String, EntityReport>,
    /// How many requests it took.
    pub requests: u64,
    /// What a person should know and no entity's report says.
    pub notes: Vec<String>,
}

/// How completely one entity was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EntityReport {
    /// Whether everything that the platform shows was seen: only then absence means something.
    pub complete: bool,
    /// Items sent out.
    pub seen: u64,
    /// Of these, items that no demanded proof shows to be public.
    pub unproven: u64,
    /// Items that the platform holds back; of most of them it does not tell the id.
    pub withheld: u64,
    /// Items that could not be read.
    pub failed: u64,
    /// Why it is not complete.
    pub why_incomplete: Option<String>,
}

/// What a platform is and can do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// The software, for example `decidim`.
    pub system: String,
    /// Its version, when it tells; nothing is decided by it.
    pub version: Option<String>,
    /// Of the fields we know how to ask for, those it has (`Proposal.taxonomies`).
    pub capabilities: BTreeSet<String>,
    /// Of the fields we know how to ask for, those it lacks.
    pub lacking: BTreeSet<String>,
    /// Every type with its fields, where introspection is open to everybody.
    pub types: Option<BTreeMap<String, Vec<String>>>,
    /// The columns of each open-data file, where there are any.
    pub columns: BTreeMap<String, Vec<String>>,
    /// The languages its texts are in, most frequent first.
    pub languages: Vec<String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// What a stranger gets at an item's own page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStatus {
    /// The page itself, status 200.
    Public,
    /// It is held back: 401, 403, 404, 410 or the way to the login page.
    Hidden(u16),
    /// Neither: a server error, a redirect elsewhere.
    Unclear(u16),
}
