//! Decidim, from 0.28 on, through its GraphQL API and its open-data archive.
//!
//! Read in this order: [`queries`] (what is asked), [`client`] (how politely, and what refusals mean),
//! [`paging`] and [`unordered`] (how a list ends), [`scan`] (in which order), [`proposals`], [`meetings`], [`results`],
//! [`projects`], [`comments`] and [`attachments`] (their traps), [`evidence`] (what shows that an item is public).
//!
//! Rules that hold everywhere here:
//! - only what hangs on the tenant's own list of processes is read; the root field `commentable` and
//!   components outside that list are never asked, because they ignore whose platform it is;
//! - comments, places and amendments are each asked apart from a thing's own fields, because each of them can
//!   null the whole thing;
//! - a null without a complaint is held back by the platform, a null with one is our failed question.

mod attachments;
mod client;
mod comments;
mod evidence;
mod kind;
mod meetings;
mod open_data;
mod pages;
mod paging;
mod probe;
mod projects;
mod proposals;
mod queries;
mod results;
mod rows;
mod scan;
mod unordered;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use url::Url;

use self::client::Polite;
use super::{Connector, ConnectorError, Installation, PageStatus, Probe, ReadPlan, ScanEvent, ScanReport};
use crate::domain::Clock;
use crate::outbound::Client;

/// The type word of a process.
pub const PROCESS: &str = "participatory_process";
/// The type word of a proposal.
pub const PROPOSAL: &str = "proposal";
/// The type word of a comment on a proposal, a meeting or a result.
pub const COMMENT: &str = "comment";
/// The type word of a meeting.
pub const MEETING: &str = "meeting";
/// The type word of a project of a participatory budget.
pub const PROJECT: &str = "project";
/// The type word of a result, which is what the city reports about what it does.
pub const RESULT: &str = "result";
/// The type word of an entry in the history of a result.
pub const MILESTONE: &str = "milestone";
/// The type word of a file attached to any of these.
pub const ATTACHMENT: &str = "attachment";

/// One installation of Decidim (one tenant: the host name chooses it).
pub struct Decidim {
    polite: Polite,
}

impl Decidim {
    /// A reader of `installation`; nothing is asked yet.
    #[must_use]
    pub fn new(installation: Installation, client: Client, clock: Arc<dyn Clock>) -> Self {
        Self { polite: Polite::new(client, clock, installation.url, installation.courtesy) }
    }
}

#[async_trait]
impl Connector for Decidim {
    fn system(&self) -> &'static str {
        "decidim"
    }

    async fn probe(&self) -> Result<Probe, ConnectorError> {
        probe::probe(&self.polite).await
    }

    async fn scan(&self, plan: &ReadPlan, out: mpsc::Sender<ScanEvent>) -> Result<ScanReport, ConnectorError> {
        scan::Scan::new(&self.polite, plan, out).run().await
    }

    async fn page_status(&self, url: &Url) -> Result<PageStatus, ConnectorError> {
        pages::page_status(&self.polite, url).await
    }
}
