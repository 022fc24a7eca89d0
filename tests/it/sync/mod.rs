//! What a run makes of what a platform shows, holds back, or no longer shows: architecture §4.6 line by line.
//!
//! The platform is a script: it answers what each test says, and nothing else.

mod absence;
mod again;
mod guard;
mod histories;
mod hostile;
mod revisions;
mod runs;
mod simulated;
mod things;
mod works;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::tz::TimeZone;
use passerelle::connectors::{Connector, ConnectorError, EntityReport, PageStatus, Probe, ReadPlan, ScanEvent, ScanReport};
use passerelle::domain::change::Change;
use passerelle::domain::digest::Digest;
use passerelle::domain::seal::{Seal, SealError, Sealed};
use passerelle::domain::source::{Evidence, ProofKind, SourceRecord};
use passerelle::domain::text::LanguageTag;
use passerelle::domain::time::ManualClock;
use passerelle::domain::tombstone::Tombstone;
use passerelle::domain::{Class, Clock, LocalId, Record, RecordId, Timestamp};
use passerelle::mapping::{Profile, Publisher};
use passerelle::store::{Item, RunOutcome, Standing, Store, StoredRecord};
use passerelle::sync::{Options, Pseudonyms, RunSummary, Sync, SyncError};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::Url;

pub const PROCESS: &str = "participatory_process";
pub const PROPOSAL: &str = "proposal";
pub const COMMENT: &str = "comment";

/// What the platform answers.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// What it shows, in this order.
    pub items: Vec<SourceRecord>,
    /// What it holds back by name.
    pub withheld: Vec<(&'static str, String)>,
    /// What could not be read.
    pub failed: Vec<(&'static str, String)>,
    /// Nulls without a name in its lists.
    pub nulls: BTreeMap<&'static str, u64>,
    /// Entities that were not read to the end.
    pub incomplete: BTreeSet<&'static str>,
    /// Pages that do not answer 200.
    pub pages: BTreeMap<String, u16>,
    /// The scan breaks off after the items.
    pub breaks: bool,
}

/// A platform that follows a script.
#[derive(Clone, Default)]
pub struct Scripted(Arc<Mutex<Script>>);

impl Scripted {
    fn script(&self) -> Script {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what it answers from now on.
    pub fn now(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[async_trait]
impl Connector for Scripted {
    fn system(&self) -> &'static str {
        "decidim"
    }

    async fn probe(&self) -> Result<Probe, ConnectorError> {
        Ok(Probe { system: "decidim".to_owned(), ..Probe::default() })
    }

    async fn scan(&self, plan: &ReadPlan, out: mpsc::Sender<ScanEvent>) -> Result<ScanReport, ConnectorError> {
        let script = self.script();
        let mut report = ScanReport::default();
        for entity in plan.proofs.keys() {
            let complete = !script.incomplete.contains(entity.as_str());
            let named = script.withheld.iter().filter(|(of, _)| of == entity).count() as u64;
            let withheld = script.nulls.get(entity.as_str()).copied().unwrap_or(0) + named;
            let why_incomplete = (!complete).then(|| "the script says so".to_owned());
            report
                .entities
                .insert(entity.clone(), EntityReport { complete, withheld, why_incomplete, ..EntityReport::default() });
        }
        let send = async |event| out.send(event).await.map_err(|_| ConnectorError::Stopped);
        for (entity, local_id) in script.withheld {
            let (entity, reason) = (entity.to_owned(), "the platform holds it back".to_owned());
            send(ScanEvent::Withheld { entity, local_id, reason }).await?;
        }
        for item in script.items {
            send(ScanEvent::Item(Box::new(item))).await?;
        }
        for (entity, local_id) in script.failed {
            let (entity, reason) = (entity.to_owned(), "it could not be read".to_owned());
            send(ScanEvent::FailedRead { entity, local_id, reason }).await?;
        }
        if script.breaks {
            return Err(ConnectorError::Failing { url: "https://participer.lyon.example/api".to_owned(), status: 502 });
        }
        Ok(report)
    }

    async fn page_status(&self, url: &Url) -> Result<PageStatus, ConnectorError> {
        Ok(match self.script().pages.get(url.as_str()).copied().unwrap_or(200) {
            200 => PageStatus::Public,
            status @ (401 | 403 | 404 | 410) => PageStatus::Hidden(status),
            status => PageStatus::Unclear(status),
        })
    }
}

/// Seals with a digest and no proof: what is sealed is not the matter of these tests.
struct PlainSeal;

impl Seal for PlainSeal {
    fn record(&self, record: &Record, previous: Option<&Digest>, _: Timestamp) -> Result<Sealed, SealError> {
        let bytes = json!({ "record": record, "previous": previous }).to_string();
        Ok(Sealed { digest: Digest::of(bytes.as_bytes()), bytes: Bytes::from(bytes) })
    }

    fn tombstone(&self, tombstone: &Tombstone, _: Timestamp) -> Result<Sealed, SealError> {
        let bytes = serde_json::to_string(tombstone).expect("it serialises");
        Ok(Sealed { digest: Digest::of(bytes.as_bytes()), bytes: Bytes::from(bytes) })
    }
}

/// Lyon's gateway in front of the scripted platform.
pub struct Lyon {
    pub platform: Scripted,
    pub clock: ManualClock,
    pub store: Store,
    pub sync: Sync,
    rng: StdRng,
}

impl Lyon {
    pub fn new(store: Store) -> Self {
        let platform = Scripted::default();
        platform.now(|script| script.items = vec![process("1")]);
        let clock = ManualClock::at("2026-11-24T09:00:00Z".parse().expect("an instant"));
        let public_url: Url = "https://passerelle.lyon.example".parse().expect("an address");
        let sync = Sync {
            store: store.clone(),
            connector: Arc::new(platform.clone()),
            profile: Arc::new(Profile::built_in("decidim").expect("it is built in").expect("it parses")),
            publisher: Publisher {
                platform: "lyon".parse().expect("a name"),
                authority: "https://passerelle.lyon.example/actor".parse().expect("an address"),
                rights_contact: "https://passerelle.lyon.example/donnees-personnelles".parse().expect("an address"),
                licence: None,
                language: LanguageTag::french(),
                zone: TimeZone::get("Europe/Paris").expect("a zone"),
            },
            public_url,
            pseudonyms: Pseudonyms::new(&[7; 32]),
            seal: Arc::new(PlainSeal),
            clock: Arc::new(clock.clone()),
        };
        Self { platform, clock, store, sync, rng: StdRng::seed_from_u64(1) }
    }

    /// One run, a quarter of an hour after the last one.
    pub async fn run(&mut self) -> RunSummary {
        self.run_with(Options::default()).await
    }

    pub async fn run_with(&mut self, options: Options) -> RunSummary {
        self.try_run(options).await.expect("the run ends")
    }

    pub async fn try_run(&mut self, options: Options) -> Result<RunSummary, SyncError> {
        self.clock.advance(Duration::from_mins(15));
        self.sync.run(options, &mut self.rng, &mut |_| {}).await
    }

    /// The changes since the last call.
    pub async fn changes(&self) -> Vec<Change> {
        let mut tx = self.store.write().await.expect("it opens");
        let changes = tx.claim_unplanned(100_000).await.expect("it reads");
        tx.mark_planned(&changes.iter().map(|change| change.number).collect::<Vec<_>>()).await.expect("it writes");
        tx.save().await.expect("it saves");
        changes
    }

    pub async fn id(&self, entity: &str, id: &str, class: Class) -> Option<RecordId> {
        let local = LocalId { platform: "lyon".parse().expect("a name"), entity: entity.to_owned(), id: id.to_owned(), class };
        let mut tx = self.store.read().await.expect("it opens");
        let keys = tx.minted(std::slice::from_ref(&local)).await.expect("it reads");
        keys.get(&local).map(|key| RecordId::ours(&self.sync.public_url, class, key).expect("an address"))
    }

    pub async fn record(&self, entity: &str, id: &str, class: Class) -> Option<StoredRecord> {
        let id = self.id(entity, id, class).await?;
        self.store.read().await.expect("it opens").lookup_record(&id).await.expect("it reads")
    }

    pub async fn contribution(&self, id: &str) -> StoredRecord {
        self.record(PROPOSAL, id, Class::Contribution).await.unwrap_or_else(|| panic!("proposal {id} is not stored"))
    }

    pub async fn standing(&self, entity: &str, id: &str) -> Option<Standing> {
        let class = match entity {
            PROCESS => Class::Consultation,
            PROPOSAL => Class::Contribution,
            _ => Class::Comment,
        };
        self.record(entity, id, class).await.map(|record| record.standing)
    }

    pub async fn item(&self, entity: &str, id: &str) -> Option<Item> {
        let mut tx = self.store.read().await.expect("it opens");
        let found = tx.items_by_id(&"lyon".parse().expect("a name"), entity, &[id.to_owned()]).await.expect("it reads");
        found.into_iter().next()
    }

    /// Shows proposals `ids` (and the process), and nothing else.
    pub fn show_proposals(&self, ids: impl IntoIterator<Item = u32>) {
        self.platform.now(|script| {
            script.items = vec![process("1")];
            script.items.extend(ids.into_iter().map(|id| proposal(&id.to_string())));
        });
    }
}

/// The page of a proposal.
pub fn page(id: &str) -> String {
    format!("https://participer.lyon.example/processes/p/f/1/proposals/{id}")
}

fn texts(text: &str) -> Value {
    json!({ "translations": [{ "locale": "fr", "text": text, "machineTranslated": false }] })
}

fn source(entity: &str, id: &str, fields: Value, context: Value, url: Option<String>) -> SourceRecord {
    SourceRecord {
        entity: entity.to_owned(),
        local_id: id.to_owned(),
        fields,
        context,
        url: url.map(|url| url.parse().expect("an address")),
        evidence: Evidence::Proven { by: ProofKind::OpenDataCsv },
        retrieved_at: "2026-11-24T09:00:00Z".parse().expect("an instant"),
    }
}

pub fn process(id: &str) -> SourceRecord {
    let fields = json!({ "id": id, "slug": "p", "title": texts("Rues aux écoles"), "publishedAt": "2026-09-01T08:00:00+02:00", "updatedAt": "2026-09-01T08:00:00+02:00" });
    source(PROCESS, id, fields, json!({}), Some(format!("https://participer.lyon.example/processes/p{id}")))
}

pub fn proposal(id: &str) -> SourceRecord {
    let fields = json!({
        "id": id, "title": texts(&format!("Proposition {id}")), "body": texts("Une barrière amovible."), "state": null, "answer": null,
        "answeredAt": null, "withdrawn": false, "official": false, "createdInMeeting": false, "author": { "__typename": "User", "id": "12" },
        "voteCount": 3, "likesCount": 1, "totalCommentsCount": 0, "publishedAt": "2026-09-15T08:00:00+02:00", "updatedAt": "2026-09-15T08:00:00+02:00",
    });
    source(PROPOSAL, id, fields, json!({ "process": { "id": "1" }, "component": { "id": "1" }, "amended": null }), Some(page(id)))
}

pub fn comment(id: &str, on: &str) -> SourceRecord {
    let fields = json!({
        "id": id, "formattedBody": format!("<p>Avis {id}</p>"), "alignment": 1, "upVotes": 0, "downVotes": 0,
        "createdAt": "2026-09-20T08:00:00+02:00", "author": { "__typename": "User", "id": "13" },
    });
    let context = json!({ "process": { "id": "1" }, "component": { "id": "1" }, "commentable": { "type": "Proposal", "id": on },
                          "parent_comment": null, "root": { "entity": PROPOSAL, "id": on } });
    source(COMMENT, id, fields, context, None)
}

pub fn reply(id: &str, to: &str, on: &str) -> SourceRecord {
    let mut reply = comment(id, on);
    reply.context["parent_comment"] = json!({ "id": to });
    reply
}

/// With a published state, and an answer.
pub fn answered(id: &str, state: &str, text: &str) -> SourceRecord {
    let mut answered = proposal(id);
    answered.fields["state"] = json!(state);
    answered.fields["answer"] = texts(text);
    answered.fields["answeredAt"] = json!("2026-11-01T08:00:00+01:00");
    answered
}

pub fn retitled(id: &str, title: &str) -> SourceRecord {
    let mut retitled = proposal(id);
    retitled.fields["title"] = texts(title);
    retitled.fields["updatedAt"] = json!("2026-11-24T10:05:00+01:00");
    retitled
}

pub fn complete(summary: &RunSummary) {
    assert_eq!(summary.outcome, RunOutcome::Complete, "{:?}", summary.message);
}

pub fn now(lyon: &Lyon) -> Timestamp {
    lyon.clock.now()
}
