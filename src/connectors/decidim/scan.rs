//! One whole reading: processes, then component by component its things and their discussions.
//!
//! A component that cannot be read makes its entities incomplete and the reading goes on; only a list of
//! processes that cannot be read ends it with an error.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;

use super::attachments::Holder;
use super::client::{Complaint, Polite, plain};
use super::evidence::{self, Verdict};
use super::kind::Kind;
use super::open_data::{OpenData, is_number};
use super::pages::{process_page, stated_host};
use super::probe::questions_for;
use super::queries::{Question, Questions};
use super::{COMMENT, PROCESS, comments};
use crate::connectors::{ConnectorError, EntityReport, ReadPlan, ScanEvent, ScanReport};
use crate::domain::source::{Evidence, ProofKind, SourceRecord};

/// How long an archive that is being produced is left alone before it is asked for again.
const ARCHIVE_PAUSE: Duration = Duration::from_secs(20);
/// How often it is asked for in one reading.
const ARCHIVE_TRIES: u32 = 6;

/// A process of the tenant, as far as what hangs on it needs it.
#[derive(Debug, Clone)]
pub(super) struct Process {
    pub(super) id: String,
    pub(super) slug: String,
    pub(super) host: Option<String>,
    pub(super) evidence: Evidence,
}

impl Process {
    /// What an item hangs on, for a profile: this, and through which component if it is through one. Only names; what
    /// these say is read with the process.
    pub(super) fn context(&self, component: Option<&Component>) -> Value {
        let mut context = json!({ "process": { "id": self.id } });
        if let Some(component) = component {
            context["component"] = json!({ "id": component.id });
        }
        context
    }
}

/// A component of a process, of a sort that is read.
#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) id: String,
    pub(super) kind: Kind,
}

impl Component {
    /// The component, if it is of a sort that is read.
    pub(super) fn of(fields: &Value) -> Option<Self> {
        let id = fields["id"].as_str().filter(|id| is_number(id))?;
        let kind = Kind::of(fields["__typename"].as_str()?)?;
        Some(Self { id: id.to_owned(), kind })
    }
}

/// An item that is ready to be proven and sent.
pub(super) struct Draft<'a> {
    pub(super) entity: &'a str,
    pub(super) fields: Value,
    pub(super) context: Value,
    pub(super) url: Option<Url>,
    /// Whether `url` is the item's own page, so that its status says something.
    pub(super) has_page: bool,
    /// Whether the fields were read from the open data: those prove nothing about themselves then, where the item has
    /// a page.
    pub(super) from_open_data: bool,
    pub(super) parent: Option<&'a Evidence>,
    /// Why its fields are not whole, if so: it is there, and what it says is not revised.
    pub(super) unread: Option<String>,
}

impl<'a> Draft<'a> {
    /// An item that hangs on something and has no page of its own.
    pub(super) const fn new(entity: &'a str, fields: Value, context: Value, parent: &'a Evidence) -> Self {
        Self { entity, fields, context, url: None, has_page: false, from_open_data: false, parent: Some(parent), unread: None }
    }
}

/// A reading under way.
pub(super) struct Scan<'a> {
    pub(super) polite: &'a Polite,
    pub(super) plan: &'a ReadPlan,
    pub(super) questions: Questions,
    pub(super) open_data: OpenData,
    out: mpsc::Sender<ScanEvent>,
    report: ScanReport,
    archive_asked: Option<(Instant, u32)>,
    /// Some components could not be read.
    components_unread: bool,
    /// What was sent, to tell it from what an older list calls hidden.
    sent: HashSet<(String, String)>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(polite: &'a Polite, plan: &'a ReadPlan, out: mpsc::Sender<ScanEvent>) -> Self {
        let unread = || EntityReport { complete: true, ..EntityReport::default() };
        let entities = plan.proofs.keys().map(|entity| (entity.clone(), unread())).collect();
        let report = ScanReport { entities, ..ScanReport::default() };
        let open_data = OpenData::Unusable("the open data were not asked for".to_owned());
        Self {
            polite,
            plan,
            questions: Questions::default(),
            open_data,
            out,
            report,
            archive_asked: None,
            components_unread: false,
            sent: HashSet::new(),
        }
    }

    pub(super) async fn run(mut self) -> Result<ScanReport, ConnectorError> {
        let before = self.polite.requests();
        self.questions = questions_for(self.polite).await?;
        self.ask_for_archive().await?;
        let components = self.read_components().await?;
        let processes = self.read_processes(&components).await?;
        let mut read = HashSet::new();
        for process in &processes {
            let listed = components.get(&process.id).into_iter().flatten();
            let mut own: Vec<Component> = listed.filter_map(Component::of).collect();
            // Results and projects come from proposals, which stand in any order beside them.
            own.sort_by_key(|component| component.kind);
            for component in &own {
                if read.insert(component.id.clone()) {
                    self.read_component(process, component).await?;
                }
            }
        }
        self.name_hidden().await?;
        if let OpenData::Preparing | OpenData::Unusable(_) = self.open_data {
            self.report.notes.push(self.open_data.silence());
        }
        self.report.requests = self.polite.requests() - before;
        Ok(self.report)
    }

    /// Names what the platform itself lists as hidden by moderation (only ids are read from that list).
    async fn name_hidden(&mut self) -> Result<(), ConnectorError> {
        let things = Kind::ALL.map(|kind| (kind.entity(), kind.class()));
        for (entity, class) in things.into_iter().chain([(COMMENT, comments::CLASS)]) {
            let Some(witness) = self.open_data.witness().filter(|_| self.plan.wants(entity)) else { continue };
            // The list is up to a day old: what was shown just now is shown.
            let shown = |id: &&str| self.sent.contains(&(entity.to_owned(), (*id).to_owned()));
            let hidden: Vec<String> = witness.hidden_ids(class).filter(|id| !shown(id)).map(str::to_owned).collect();
            for local_id in hidden {
                let reason = "the platform lists it as hidden by moderation".to_owned();
                self.tell(ScanEvent::Withheld { entity: entity.to_owned(), local_id, reason }).await?;
            }
        }
        Ok(())
    }

    /// Downloads the archive; the platform produces it when it is asked for, so it is asked for again later.
    async fn ask_for_archive(&mut self) -> Result<(), ConnectorError> {
        let tries = match self.archive_asked {
            None => 0,
            Some((at, tries)) => {
                let again =
                    matches!(self.open_data, OpenData::Preparing) && tries < ARCHIVE_TRIES && at.elapsed() >= ARCHIVE_PAUSE;
                if !again {
                    return Ok(());
                }
                tries
            }
        };
        self.open_data = match OpenData::download(self.polite).await {
            Ok(open_data) if tries == 0 || open_data.witness().is_some() => open_data,
            Err(error) if tries == 0 => return Err(error),
            // Whatever goes wrong now: it was being produced, and the next run finds out.
            Ok(_) | Err(_) => OpenData::Preparing,
        };
        self.archive_asked = Some((Instant::now(), tries + 1));
        Ok(())
    }

    /// While the archive is being produced, nothing is concluded about what it alone shows to be public.
    fn miss_archive(&mut self, kind: Kind) {
        if !matches!(self.open_data, OpenData::Preparing) {
            return;
        }
        for entity in kind.entities() {
            let said = self.report.entities.get(*entity).is_some_and(|report| !report.complete);
            if !said && self.plan.proofs_for(entity) == [ProofKind::OpenDataCsv] {
                self.incomplete(entity, self.open_data.silence());
            }
        }
    }

    async fn read_processes(&mut self, components: &BTreeMap<String, Vec<Value>>) -> Result<Vec<Process>, ConnectorError> {
        let (list, complaint) = self.ask_list(Question::Processes).await?;
        if let Some(complaint) = complaint {
            self.incomplete(PROCESS, format!("the list of processes: {complaint}"));
        }
        let mut processes = Vec::new();
        for mut fields in list {
            let (Some(id), Some(slug)) = (fields["id"].as_str(), fields["slug"].as_str()) else {
                self.incomplete(PROCESS, "an entry of the list of processes cannot be read".to_owned());
                continue;
            };
            let (id, slug, host) = (id.to_owned(), slug.to_owned(), stated_host(&fields));
            if processes.iter().any(|process: &Process| process.id == id) {
                continue;
            }
            if fields["privateSpace"] == json!(true) {
                self.withhold(PROCESS, &id, "it is a private space".to_owned()).await?;
                continue;
            }
            // A consultation is not revised by what could not be read of it.
            let unread = self.components_unread;
            if unread || !components.contains_key(&id) {
                self.unread_components(&format!("process {id}: its components could not be read"));
                self.components_unread = unread;
                self.fail(PROCESS, &id, "its components could not be read".to_owned()).await?;
                continue;
            }
            let mut own = components.get(&id).cloned().unwrap_or_default();
            let unread = self.add_ballots(&mut own).await;
            fields["components"] = own.into();
            let attachments = fields["attachments"].take();
            let url = process_page(self.polite.base(), &fields);
            let (entity, context) = (PROCESS, json!({}));
            let draft =
                Draft { entity, fields, context, url: url.clone(), has_page: true, from_open_data: false, parent: None, unread };
            let Some(evidence) = self.send(draft).await? else { continue };
            let process = Process { id, slug, host, evidence };
            let holder = Holder { process: &process, component: None, entity: PROCESS, id: &process.id, url: &url };
            self.send_attachments(holder, attachments, &process.evidence).await?;
            processes.push(process);
        }
        Ok(processes)
    }

    /// The published components of each process; they are also fields of the process.
    async fn read_components(&mut self) -> Result<BTreeMap<String, Vec<Value>>, ConnectorError> {
        let (list, complaint) = self.ask_list(Question::Components).await?;
        if let Some(complaint) = complaint {
            self.unread_components(&format!("the components: {complaint}"));
        }
        let mut components = BTreeMap::new();
        for mut process in list {
            let Some(of) = process["id"].as_str().map(str::to_owned) else { continue };
            if let Some(Value::Array(list)) = process.get_mut("components").map(Value::take) {
                // A null in this list is an unpublished component; one that comes twice is one.
                let mut seen = HashSet::new();
                let once = |component: &Value| component.is_object() && seen.insert(component["id"].to_string());
                components.insert(of, list.into_iter().filter(once).collect());
            }
        }
        Ok(components)
    }

    /// Some components were not read, so what hangs on them was not either.
    fn unread_components(&mut self, why: &str) {
        self.components_unread = true;
        let entities: HashSet<&str> = Kind::ALL.into_iter().flat_map(Kind::entities).copied().collect();
        for entity in entities {
            self.incomplete(entity, why.to_owned());
        }
    }

    /// Asks for the list of processes, and what the platform complained about beside it; a list that failed as
    /// a whole is an error.
    async fn ask_list(&self, question: Question) -> Result<(Vec<Value>, Option<String>), ConnectorError> {
        let mut answer = self.polite.ask(&self.questions.text(question), json!({})).await?;
        if let Some(Value::Array(list)) = answer.data.get_mut("participatoryProcesses").map(Value::take) {
            return Ok((list, answer.errors.first().map(Complaint::reason)));
        }
        let reason = answer.errors.first().map_or_else(|| "no list of processes".to_owned(), Complaint::reason);
        Err(ConnectorError::Refused { url: plain(&self.polite.address("/api")), reason })
    }

    /// Reads a component; what goes wrong in it makes its entities incomplete and no more.
    async fn read_component(&mut self, process: &Process, component: &Component) -> Result<(), ConnectorError> {
        let kind = component.kind;
        if !kind.entities().iter().any(|entity| self.plan.wants(entity)) {
            return Ok(());
        }
        if !self.questions.know(kind) {
            for entity in kind.entities() {
                self.incomplete(entity, format!("component {}: the platform does not understand the questions", component.id));
            }
            return Ok(());
        }
        self.ask_for_archive().await?;
        self.miss_archive(kind);
        let read = match kind {
            Kind::Proposals => self.read_proposals(process, component).await,
            Kind::Meetings => self.read_meetings(process, component).await,
            Kind::Results => self.read_results(process, component).await,
            Kind::Budgets => self.read_projects(process, component).await.map(|()| BTreeMap::new()),
        };
        let known = match read {
            Ok(known) => known,
            Err(ConnectorError::Stopped) => return Err(ConnectorError::Stopped),
            Err(error) => {
                for entity in kind.entities() {
                    self.incomplete(entity, format!("component {}: {error}", component.id));
                }
                return Ok(());
            }
        };
        if self.plan.wants(COMMENT) && kind.comment_table().is_some() {
            match self.read_comments(process, component, &known).await {
                Ok(()) => {}
                Err(ConnectorError::Stopped) => return Err(ConnectorError::Stopped),
                Err(error) => self.incomplete(COMMENT, format!("component {}: {error}", component.id)),
            }
        }
        Ok(())
    }

    /// Proves and sends an item; `None` when its own page does not show it. What the plan does not want is
    /// neither sent nor proven.
    pub(super) async fn send(&mut self, draft: Draft<'_>) -> Result<Option<Evidence>, ConnectorError> {
        let Some(id) = draft.fields["id"].as_str().map(str::to_owned) else { return Ok(None) };
        if !self.plan.wants(draft.entity) {
            return Ok(Some(draft.parent.cloned().unwrap_or_else(|| unread(draft.entity))));
        }
        let page = draft.url.as_ref().filter(|_| draft.has_page);
        let Draft { entity, parent, from_open_data, .. } = draft;
        let question = evidence::Question { entity, id: &id, page, parent, from_open_data };
        let evidence = match evidence::prove(self.polite, self.plan, &self.open_data, question).await? {
            Verdict::Known(evidence) => evidence,
            Verdict::Withheld(reason) => {
                self.withhold(draft.entity, &id, reason).await?;
                return Ok(None);
            }
        };
        let report = self.report.entities.entry(draft.entity.to_owned()).or_default();
        report.seen += 1;
        report.unproven += u64::from(matches!(evidence, Evidence::Unproven { .. }));
        self.sent.insert((draft.entity.to_owned(), id.clone()));
        if let Some(why) = draft.unread {
            self.fail(draft.entity, &id, why).await?;
            return Ok(Some(evidence));
        }
        let record = SourceRecord {
            entity: draft.entity.to_owned(),
            local_id: id,
            fields: draft.fields,
            context: draft.context,
            url: draft.url,
            evidence: evidence.clone(),
            retrieved_at: self.polite.clock().now(),
        };
        self.tell(ScanEvent::Item(Box::new(record))).await?;
        Ok(Some(evidence))
    }

    pub(super) async fn withhold(&mut self, entity: &str, local_id: &str, reason: String) -> Result<(), ConnectorError> {
        if !self.plan.wants(entity) {
            return Ok(());
        }
        self.count_withheld(entity, 1);
        self.tell(ScanEvent::Withheld { entity: entity.to_owned(), local_id: local_id.to_owned(), reason }).await
    }

    pub(super) async fn fail(&mut self, entity: &str, local_id: &str, reason: String) -> Result<(), ConnectorError> {
        if let Some(report) = self.report.entities.get_mut(entity) {
            report.failed += 1;
            let (entity, local_id) = (entity.to_owned(), local_id.to_owned());
            return self.tell(ScanEvent::FailedRead { entity, local_id, reason }).await;
        }
        Ok(())
    }

    /// Counts items that the platform holds back without telling which.
    pub(super) fn count_withheld(&mut self, entity: &str, count: u64) {
        if let Some(report) = self.report.entities.get_mut(entity) {
            report.withheld += count;
        }
    }

    pub(super) fn incomplete(&mut self, entity: &str, why: String) {
        tracing::warn!(entity, why, "the reading is incomplete");
        if let Some(report) = self.report.entities.get_mut(entity) {
            report.complete = false;
            report.why_incomplete = Some(match report.why_incomplete.take() {
                // The first reasons are enough for a person.
                Some(before) if before.len() < 400 => format!("{before}; {why}"),
                Some(before) => before,
                None => why,
            });
        }
    }

    pub(super) async fn progress(&mut self, entity: &str, doing: String) -> Result<(), ConnectorError> {
        let done = self.report.entities.get(entity).map_or(0, |report| report.seen);
        self.tell(ScanEvent::Progress { entity: entity.to_owned(), done, doing }).await
    }

    async fn tell(&self, event: ScanEvent) -> Result<(), ConnectorError> {
        self.out.send(event).await.map_err(|_| ConnectorError::Stopped)
    }
}

fn unread(entity: &str) -> Evidence {
    Evidence::Unproven { reason: format!("{entity} is not in the reading plan") }
}
