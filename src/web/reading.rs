//! One reader's snapshot of the store: our records and partners' copies in one shape.

use std::collections::HashMap;

use super::error::WebError;
use super::html::Html;
use super::i18n::Arg;
use super::pages::home::Place;
use super::state::WebState;
use super::view::desk::Desk;
use super::view::held::{CopyFacts, Held, Origin, Standing};
use super::view::thread::DEPTH;
use super::view::words::Wanted;
use super::visit::Visit;
use crate::domain::calendar::Day;
use crate::domain::digest::Digest;
use crate::domain::disposition::Disposition;
use crate::domain::id::{Class, Key, PartnerDomain, RecordId};
use crate::domain::partner::{Partner, PartnerKind};
use crate::domain::record::Body;
use crate::store::{
    CopyQuery, CopyStanding, Cursor, Order, RecordQuery, RunOutcome, Standing as Stored, StoredCopy, StoredRecord, Tx,
};

/// Whose records a list is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shelf {
    /// Ours.
    Own,
    /// Our copies of a partner's.
    Partner(PartnerDomain),
}

impl Shelf {
    /// The shelf a record stands on.
    #[must_use]
    pub fn of(held: &Held) -> Self {
        match &held.origin {
            Origin::Ours => Self::Own,
            Origin::Partner(facts) => Self::Partner(facts.domain.clone()),
        }
    }
}

/// Which records a list shows.
#[derive(Debug, Clone)]
pub struct Query(RecordQuery);

impl Query {
    /// What may be seen of some classes.
    #[must_use]
    pub fn of(classes: impl IntoIterator<Item = Class>) -> Self {
        Self(RecordQuery { classes: classes.into_iter().collect(), ..RecordQuery::default() })
    }

    /// Of one consultation.
    #[must_use]
    pub fn process(mut self, id: RecordId) -> Self {
        self.0.process = Some(id);
        self
    }

    /// What hangs on one record.
    #[must_use]
    pub fn parent(mut self, id: RecordId) -> Self {
        self.0.parent = Some(id);
        self
    }

    /// What says something of a record.
    #[must_use]
    pub fn naming(mut self, id: RecordId) -> Self {
        self.0.naming = Some(id);
        self
    }

    /// What is not finished and due on a day or before.
    #[must_use]
    pub const fn due_by(mut self, day: Day) -> Self {
        self.0.due_by = Some(day);
        self
    }

    /// The newest `limit` first.
    #[must_use]
    pub const fn newest(mut self, limit: u32) -> Self {
        self.0.order = Order::Newest;
        self.0.limit = limit;
        self
    }

    /// The oldest first.
    #[must_use]
    pub const fn oldest(mut self) -> Self {
        self.0.order = Order::Oldest;
        self
    }

    /// With a place kept for what is hidden or gone.
    #[must_use]
    pub const fn with_absent(mut self) -> Self {
        self.0.visible_only = false;
        self
    }
}

/// One page of a list.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// What is on it.
    pub items: Vec<Held>,
    /// Where the next one begins.
    pub next: Option<String>,
}

/// A snapshot for one reader.
pub struct Reading {
    tx: Tx,
    /// How it is shown.
    pub desk: Desk,
    /// The allow-list.
    pub partners: Vec<Partner>,
    /// "Incomplete reading on …", per platform whose last reading was not complete.
    pub incomplete: Vec<Html>,
    platforms: Vec<Place>,
}

impl Reading {
    pub(super) async fn begin(web: &WebState, visit: &Visit) -> Result<Self, WebError> {
        let mut tx = web.store().read().await?;
        let partners = tx.list_partners().await?;
        let texts = web.texts(visit.language);
        let mut incomplete = Vec::new();
        for platform in &web.site().platforms {
            // What the reading under way will say is not known yet: the one before it counts.
            let mut runs = tx.last_runs(&platform.name, 2).await?.into_iter();
            let Some(run) = runs.find(|run| run.outcome != RunOutcome::Running) else { continue };
            if matches!(run.outcome, RunOutcome::Partial | RunOutcome::Held | RunOutcome::Failed) {
                let at = run.finished.unwrap_or(run.started);
                let host = platform.url.host_str().unwrap_or(platform.name.as_str());
                incomplete.push(texts.html("reading-incomplete", &[("when", Arg::Moment(at)), ("platform", Arg::Name(host))]));
            }
        }
        let named = partners.iter().filter(|partner| partner.kind == PartnerKind::Partner);
        let desk = Desk {
            texts,
            carried: visit.carried,
            wanted: Wanted(vec![visit.language.content_tag()]),
            actor: web.authority().id.clone(),
            house: web.house(),
            city: web.city(visit.language),
            partners: named.map(|partner| (partner.domain.clone(), partner.name.clone())).collect(),
            now: web.clock().now(),
        };
        let place = |url: &url::Url| Place { url: url.to_string(), host: url.host_str().unwrap_or_default().to_owned() };
        let platforms = web.site().platforms.iter().map(|platform| place(&platform.url)).collect();
        Ok(Self { tx, desk, partners, incomplete, platforms })
    }

    /// The transaction, for what only one page asks.
    pub const fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// The addresses of the city's platforms.
    #[must_use]
    pub fn site_platforms(&self) -> Vec<Place> {
        self.platforms.clone()
    }

    /// The domains of partner gateways.
    #[must_use]
    pub fn partner_domains(&self) -> Vec<PartnerDomain> {
        let gateways = self.partners.iter().filter(|partner| partner.kind == PartnerKind::Partner);
        gateways.map(|partner| partner.domain.clone()).collect()
    }

    /// A record of ours by its class and key.
    pub async fn own(&mut self, class: Class, key: &Key) -> Result<Option<Held>, WebError> {
        let Ok(id) = RecordId::ours(&self.desk.house.public_url, class, key) else { return Ok(None) };
        self.find(&Shelf::Own, &id).await
    }

    /// A copy by its name here; what is frozen or in quarantine is not shown.
    pub async fn copy(&mut self, domain: &PartnerDomain, segment: &str, key: &Key) -> Result<Option<Held>, WebError> {
        Ok(self.tx.copy_by_key(domain, segment, key).await?.and_then(copied))
    }

    /// A record by its address, ours or copied.
    pub async fn find(&mut self, whose: &Shelf, id: &RecordId) -> Result<Option<Held>, WebError> {
        Ok(match whose {
            Shelf::Own => self.tx.lookup_record(id).await?.map(own),
            Shelf::Partner(_) => self.tx.lookup_copy(id).await?.and_then(copied),
        })
    }

    /// One page of a list.
    pub async fn list(&mut self, whose: &Shelf, query: &Query, after: Option<Cursor>) -> Result<Listed, WebError> {
        let filter = RecordQuery { after, ..query.0.clone() };
        Ok(match whose {
            Shelf::Own => {
                let page = self.tx.list_records(&filter).await?;
                Listed { items: page.items.into_iter().map(own).collect(), next: page.next.map(|next| next.to_string()) }
            }
            Shelf::Partner(domain) => {
                let page = self.tx.list_copies(&CopyQuery { domain: Some(domain.clone()), filter }).await?;
                Listed {
                    items: page.items.into_iter().filter_map(copied).collect(),
                    next: page.next.map(|next| next.to_string()),
                }
            }
        })
    }

    /// All pages of a list that is never long, one behind the other.
    pub async fn all(&mut self, whose: &Shelf, query: &Query) -> Result<Vec<Held>, WebError> {
        let mut listed = self.list(whose, query, None).await?;
        let mut all = listed.items;
        while let Some(after) = listed.next.and_then(|next| next.parse().ok()) {
            listed = self.list(whose, query, Some(after)).await?;
            all.append(&mut listed.items);
        }
        Ok(all)
    }

    /// How many there are on all pages.
    pub async fn count(&mut self, whose: &Shelf, query: &Query) -> Result<u64, WebError> {
        Ok(match whose {
            Shelf::Own => self.tx.count_records(&query.0).await?,
            Shelf::Partner(domain) => {
                self.tx.count_copies(&CopyQuery { domain: Some(domain.clone()), filter: query.0.clone() }).await?
            }
        })
    }

    /// The comments below some records, level by level, one level deeper than is shown.
    pub async fn threads(&mut self, whose: &Shelf, roots: &[RecordId]) -> Result<HashMap<RecordId, Vec<Held>>, WebError> {
        let mut children: HashMap<RecordId, Vec<Held>> = HashMap::new();
        let mut level = roots.to_vec();
        for _ in 0..DEPTH {
            let replies = self.replies(whose, &level, &[Class::Comment, Class::Argument]).await?;
            level = replies.iter().map(|held| held.id.clone()).collect();
            for held in replies {
                if let Some(parent) = held.parent.clone() {
                    children.entry(parent).or_default().push(held);
                }
            }
            if level.is_empty() {
                break;
            }
        }
        Ok(children)
    }

    /// How the host treats each of these contributions, where it says so.
    pub async fn dispositions_of(
        &mut self,
        whose: &Shelf,
        subjects: &[Held],
    ) -> Result<HashMap<RecordId, Disposition>, WebError> {
        let of_interest = subjects.iter().filter(|held| held.class == Class::Contribution);
        let ids: Vec<RecordId> = of_interest.map(|held| held.id.clone()).collect();
        let found = self.replies(whose, &ids, &[Class::Disposition]).await?;
        let treated = found.iter().filter_map(|held| match &held.visible()?.body {
            Body::Disposition(body) => Some((body.subject.clone(), body.clone())),
            _ => None,
        });
        Ok(treated.collect())
    }

    async fn replies(&mut self, whose: &Shelf, parents: &[RecordId], classes: &[Class]) -> Result<Vec<Held>, WebError> {
        Ok(match whose {
            Shelf::Own => self.tx.replies_to(parents, classes).await?.into_iter().map(own).collect(),
            Shelf::Partner(domain) => {
                self.tx.copied_replies_to(domain, parents, classes).await?.into_iter().filter_map(copied).collect()
            }
        })
    }

    /// Which version of a record had this digest (UI-41).
    pub async fn version_with(&mut self, held: &Held, digest: &Digest) -> Result<Option<u64>, WebError> {
        if held.is_copy() {
            return Ok(None);
        }
        let mut version = 0;
        for link in self.tx.revisions_of(&held.id).await? {
            version += u64::from(link.material);
            if link.digest == *digest {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// The page of a record, as a link with its name.
    #[must_use]
    pub fn link_to(&self, held: &Held) -> Html {
        Html::link(&self.desk.link(&self.desk.page_of(held)), &self.desk.name_of(held).span())
    }
}

fn own(stored: StoredRecord) -> Held {
    Held {
        id: stored.id,
        class: stored.class,
        process: Some(stored.process),
        parent: stored.parent,
        revision: stored.revision,
        version: Some(stored.version),
        standing: match stored.standing {
            Stored::Live => Standing::Live,
            Stored::Hidden => Standing::Hidden,
            Stored::Deleted => Standing::Deleted,
        },
        record: stored.record,
        digest: stored.digest,
        changed_at: stored.changed_at,
        origin: Origin::Ours,
    }
}

fn copied(copy: StoredCopy) -> Option<Held> {
    let standing = match copy.standing {
        CopyStanding::Live => Standing::Live,
        CopyStanding::Hidden => Standing::Hidden,
        CopyStanding::Deleted => Standing::Deleted,
        CopyStanding::Frozen | CopyStanding::Quarantined => return None,
    };
    Some(Held {
        id: copy.id,
        class: copy.class,
        process: copy.process,
        parent: copy.parent,
        revision: copy.revision,
        version: None,
        standing,
        record: copy.record,
        digest: copy.digest,
        changed_at: copy.confirmed_at,
        origin: Origin::Partner(CopyFacts {
            domain: copy.domain,
            received_at: copy.received_at,
            confirmed_at: copy.confirmed_at,
        }),
    })
}
