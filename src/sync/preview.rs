//! What a reading would publish, before anything is public: nothing is written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::Url;

use super::names::{address, theme_address};
use super::{AHEAD, EntitySummary, Progress, Pseudonyms, Sync, SyncError};
use crate::connectors::{Probe, ScanEvent, ScanReport};
use crate::domain::author::AuthorKind;
use crate::domain::record::Body;
use crate::domain::source::{Evidence, SourceRecord};
use crate::domain::{Class, Key, LocalId, PlatformName, Record, RecordId, Timestamp};
use crate::mapping::{Coverage, Mapped, Names, SourceSchema, Standing};

/// What a reading would publish.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Which platform.
    pub platform: PlatformName,
    /// What it is and can do.
    pub probe: Probe,
    /// The generation of the platform by its capabilities, for example `0.31`.
    pub generation: Option<String>,
    /// Per entity; `published` counts what would be.
    pub entities: BTreeMap<String, EntitySummary>,
    /// The entities in the order of what hangs on what, with what one item, and several, are called.
    pub called: Vec<(String, (String, String))>,
    /// Records by class.
    pub records: BTreeMap<Class, u64>,
    /// Every source field.
    pub coverage: Coverage,
    /// Persons' names in records: none, or something is wrong.
    pub personal_kept: u64,
    /// One item of each entity beside its record.
    pub samples: Vec<Sample>,
    /// How long it took, in seconds.
    pub seconds: u64,
    /// How many requests it took.
    pub requests: u64,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// One source row beside its record beside its public page.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The platform's type word.
    pub entity: String,
    /// The platform's id.
    pub local_id: String,
    /// The fields that the profile reads, with their values (cut, masked where personal).
    pub source: Vec<(String, String)>,
    /// What would be published, the main record first.
    pub records: Vec<Record>,
    /// The item's own page.
    pub page: Option<Url>,
}

impl Sync {
    /// Reads the platform and shows what would be published. Writes nothing.
    ///
    /// # Errors
    /// When the platform cannot be read, or the database fails.
    pub async fn preview(&self, progress: &mut (dyn FnMut(&Progress) + Send)) -> Result<Preview, SyncError> {
        let began = self.clock.now();
        let probe = self.connector.probe().await?;
        let mut preview = Preview {
            platform: self.publisher.platform.clone(),
            generation: self.profile.generation(&probe.capabilities).map(str::to_owned),
            entities: self.profile.entities().map(|name| (name.to_owned(), EntitySummary::default())).collect(),
            called: self.profile.in_order().into_iter().map(|name| (name.to_owned(), self.profile.called(name))).collect(),
            records: BTreeMap::new(),
            coverage: self.expected(&probe),
            personal_kept: 0,
            samples: Vec::new(),
            seconds: 0,
            requests: 0,
            notes: probe.notes.clone(),
            probe,
        };
        let (sender, mut events) = mpsc::channel(AHEAD);
        let plan = self.plan();
        let connector = Arc::clone(&self.connector);
        let scan = async move { connector.scan(&plan, sender).await };
        let look = async {
            let mut seen = HashSet::new();
            while let Some(event) = events.recv().await {
                preview.take(self, event, &mut seen, progress).await?;
            }
            Ok::<_, SyncError>(())
        };
        let (report, looked) = tokio::join!(scan, look);
        looked?;
        preview.end(&report?, self.clock.now(), began);
        Ok(preview)
    }

    /// The fields that the platform's types have: its own introspection where it is open, else the schema
    /// kept beside the profile for what the probe found.
    fn schema(&self, probe: &Probe) -> Option<SourceSchema> {
        let generation = self.profile.generation(&probe.capabilities)?;
        let kept = SourceSchema::built_in(self.profile.system(), generation)?;
        Some(match &probe.types {
            Some(types) => kept.with_fields(types),
            None => kept,
        })
    }

    /// The account of fields before anything was read.
    fn expected(&self, probe: &Probe) -> Coverage {
        let mut coverage = Coverage::new();
        if let Some(schema) = self.schema(probe) {
            coverage.expect(&self.profile, &schema);
        }
        for (table, columns) in &probe.columns {
            coverage.columns(&self.profile, table, columns);
        }
        coverage
    }
}

/// Names as they are where something is published already, and provisional ones elsewhere.
struct Provisional<'a> {
    public_url: &'a Url,
    platform: &'a PlatformName,
    pseudonyms: &'a Pseudonyms,
    keys: &'a HashMap<LocalId, Key>,
    own: (&'a str, &'a str),
    seen: &'a HashSet<(String, String)>,
}

impl Names for Provisional<'_> {
    fn record(&self, local: &LocalId) -> Option<RecordId> {
        let own = self.own == (local.entity.as_str(), local.id.as_str());
        if !own && !self.seen.contains(&(local.entity.clone(), local.id.clone())) {
            return None;
        }
        let provisional = || Key::digest_of(local.to_string().as_bytes());
        address(self.public_url, local.class, &self.keys.get(local).cloned().unwrap_or_else(provisional))
    }

    fn theme(&self, scheme: &str, id: &str) -> Option<RecordId> {
        theme_address(self.public_url, self.platform, scheme, id)
    }

    fn pseudonym(&self, person: &str, process: &RecordId) -> String {
        self.pseudonyms.of(self.platform, person, process)
    }
}

impl Preview {
    /// Whether a person has something to decide (exit code 1 of `platform preview`).
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        !self.coverage.is_complete() || self.entities.values().any(|entity| entity.held_back_in_all() > 0 || !entity.complete)
    }

    async fn take(
        &mut self,
        sync: &Sync,
        event: ScanEvent,
        seen: &mut HashSet<(String, String)>,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<(), SyncError> {
        let source = match event {
            ScanEvent::Item(source) => source,
            ScanEvent::Withheld { .. } => return Ok(()),
            ScanEvent::FailedRead { entity, .. } => {
                self.entities.entry(entity).or_default().failed_reads += 1;
                return Ok(());
            }
            ScanEvent::Progress { entity, done, doing } => {
                progress(&Progress { entity, done, doing });
                return Ok(());
            }
        };
        let summary = self.entities.entry(source.entity.clone()).or_default();
        summary.read += 1;
        if let Evidence::Unproven { reason } = &source.evidence {
            summary.hold_back(reason);
            self.coverage.see(&sync.profile, &source, &Mapped::default());
            return Ok(());
        }
        let locals = sync.profile.references(&source, &sync.publisher);
        let keys = sync.store.read().await?.minted(&locals).await?;
        let names = Provisional {
            public_url: &sync.public_url,
            platform: &sync.publisher.platform,
            pseudonyms: &sync.pseudonyms,
            keys: &keys,
            own: (&source.entity, &source.local_id),
            seen,
        };
        let mapped = sync.profile.map(&source, &sync.publisher, &names);
        self.coverage.see(&sync.profile, &source, &mapped);
        if mapped.drafts.is_empty() {
            summary.hold_back(mapped.held.as_deref().unwrap_or("the profile makes nothing of it"));
            return Ok(());
        }
        summary.published += 1;
        seen.insert((source.entity.clone(), source.local_id.clone()));
        self.show(sync, &source, mapped);
        Ok(())
    }

    /// Counts what an item would become, and keeps the richest one of each entity as a sample.
    fn show(&mut self, sync: &Sync, source: &SourceRecord, mapped: Mapped) {
        for draft in &mapped.drafts {
            *self.records.entry(draft.record.class()).or_default() += 1;
            let author = match &draft.record.body {
                Body::Contribution(body) => body.author.as_ref(),
                Body::Comment(body) => body.author.as_ref(),
                _ => None,
            };
            let named = author.is_some_and(|author| author.kind == AuthorKind::Person && author.name.is_some());
            self.personal_kept += u64::from(named);
        }
        let known = self.samples.iter_mut().find(|sample| sample.entity == source.entity);
        if known.as_ref().is_some_and(|sample| sample.records.len() >= mapped.drafts.len()) {
            return;
        }
        let made = Sample {
            entity: source.entity.clone(),
            local_id: source.local_id.clone(),
            source: sync.profile.row(source),
            records: mapped.drafts.into_iter().map(|draft| draft.record).collect(),
            page: source.url.clone(),
        };
        match known {
            Some(sample) => *sample = made,
            None => self.samples.push(made),
        }
    }

    fn end(&mut self, report: &ScanReport, now: Timestamp, began: Timestamp) {
        for (entity, told) in &report.entities {
            self.entities.entry(entity.clone()).or_default().reported(told);
        }
        self.requests = report.requests;
        self.notes.extend(report.notes.iter().cloned());
        self.seconds = now.since(began).as_secs();
    }

    /// The whole preview as one JSON document (`passerelle.preview/1`).
    #[must_use]
    pub fn to_json(&self) -> Value {
        let totals = self.coverage.totals();
        let fields: Vec<Value> = self
            .coverage
            .fields()
            .map(|(entity, name, field)| {
                let (standing, because) = match &field.standing {
                    Standing::Mapped => ("mapped", None),
                    Standing::Dropped(reason) => ("dropped", Some(reason)),
                    Standing::NotUnderstood => ("not understood", None),
                };
                json!({ "entity": entity, "field": name, "standing": standing, "because": because,
                        "count": field.count, "example": field.example })
            })
            .collect();
        let troubles: Vec<Value> = self
            .coverage
            .troubles()
            .map(
                |(entity, property, what, count)| json!({ "entity": entity, "property": property, "what": what, "count": count }),
            )
            .collect();
        let samples: Vec<Value> = self
            .samples
            .iter()
            .map(|sample| {
                let source: BTreeMap<&str, &str> = sample.source.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                json!({ "entity": sample.entity, "id": sample.local_id, "source": source, "records": sample.records, "page": sample.page })
            })
            .collect();
        json!({
            "schema": "passerelle.preview/1",
            "platform": self.platform,
            "system": self.probe.system,
            "version": self.probe.version,
            "generation": self.generation,
            "entities": self.entities,
            "records": self.records.iter().map(|(class, count)| (class.word(), count)).collect::<BTreeMap<_, _>>(),
            "totals": { "mapped": totals.mapped, "dropped": totals.dropped, "notUnderstood": totals.not_understood },
            "fields": fields,
            "troubles": troubles,
            "states": self.coverage.states(),
            "personalKept": self.personal_kept,
            "samples": samples,
            "seconds": self.seconds,
            "requests": self.requests,
            "notes": self.notes,
        })
    }
}
