//! The ballots of a component, which are sections of its process, and the projects on them.
//!
//! 0.28 answers null for every project, without a complaint, while its pages and its open data show them all. There the
//! open data are what is read, and the project's own page shows that it is public.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::PROJECT;
use super::attachments::Holder;
use super::kind::Kind;
use super::pages::project_page;
use super::paging::read_list;
use super::proposals::foreign;
use super::queries::Question;
use super::scan::{Component, Draft, Process, Scan};
use super::unordered::LIGHT_PAGE;
use crate::connectors::ConnectorError;

/// A project, the ballot it stands on (its id), and where both were read.
struct Found {
    fields: Value,
    budget: Value,
    from_open_data: bool,
}

impl Scan<'_> {
    /// Gives each component that has ballots their names and words, for the process. Says why one could not be read.
    pub(super) async fn add_ballots(&self, components: &mut [Value]) -> Option<String> {
        if !self.plan.wants(PROJECT) || !self.questions.know(Kind::Budgets) {
            return None;
        }
        let question = self.questions.text_on(Question::Ballots, Kind::Budgets);
        for fields in components {
            let Some(component) = Component::of(fields).filter(|component| component.kind == Kind::Budgets) else { continue };
            let mut listing = match read_list(self.polite, &question, &component, LIGHT_PAGE).await {
                Ok(listing) if listing.closed || listing.is_whole() => listing,
                Ok(listing) => return Some(listing.why_incomplete.unwrap_or_else(|| "a ballot could not be read".to_owned())),
                Err(error) => return Some(format!("component {}: {error}", component.id)),
            };
            // A list that is suddenly empty is not believed while the platform's own open data say otherwise (SEC-198).
            let listed = |id: &str| listing.nodes.iter().any(|ballot| ballot["id"] == id);
            let shown = self.open_data.witness().into_iter().flat_map(|witness| witness.ballots_of(&component.id));
            if let Some(id) = shown.into_iter().find(|id| !listed(id)) {
                let why =
                    format!("component {}: its list lacks ballot {id}, on which the open data show a project", component.id);
                return Some(why);
            }
            // The list has no order, and a new one would be no news.
            listing.nodes.sort_by_key(|ballot| ballot["id"].as_str().and_then(|id| id.parse::<u64>().ok()));
            fields["ballots"] = listing.nodes.into();
        }
        None
    }

    /// Reads and sends the projects of a component.
    pub(super) async fn read_projects(&mut self, process: &Process, component: &Component) -> Result<(), ConnectorError> {
        self.progress(PROJECT, format!("{} / component {}", process.slug, component.id)).await?;
        let list = self.read_unordered(Question::Budgets, process, component).await?;
        let mut found = Vec::new();
        let mut unnamed = 0_usize;
        for mut budget in list.nodes {
            let Value::Array(projects) = budget["projects"].take() else { continue };
            let budget = json!({ "id": budget["id"] });
            let placed = list.places.get(budget["id"].as_str().unwrap_or_default());
            for mut fields in projects {
                if !fields["id"].is_string() {
                    unnamed += 1;
                    continue;
                }
                fields["coordinates"] = place_of(placed, &fields["id"]);
                found.push(Found { fields, budget: budget.clone(), from_open_data: false });
            }
            if unnamed > 0 {
                let rows = self.projects_from_open_data(component, &budget, &found);
                unnamed = unnamed.saturating_sub(rows.len());
                found.extend(rows);
            }
        }
        if unnamed > 0 {
            // Whether they are hidden or only missing in an older file cannot be told.
            self.count_withheld(PROJECT, unnamed as u64);
            let why = format!("component {}: {unnamed} projects are neither shown nor in the open data", component.id);
            self.incomplete(PROJECT, why);
        }
        for project in found {
            self.send_project(process, component, project).await?;
        }
        Ok(())
    }

    /// What the open data hold of a ballot beyond what was read.
    fn projects_from_open_data(&self, component: &Component, budget: &Value, found: &[Found]) -> Vec<Found> {
        let Some(witness) = self.open_data.witness() else { return Vec::new() };
        let known: BTreeSet<&str> = found.iter().filter_map(|project| project.fields["id"].as_str()).collect();
        let rows = witness.projects_of(&component.id, budget["id"].as_str().unwrap_or_default());
        let rows = rows.filter(|row| !known.contains(row.id.as_str()));
        rows.map(|row| Found { fields: row.as_fields(), budget: budget.clone(), from_open_data: true }).collect()
    }

    async fn send_project(&mut self, process: &Process, component: &Component, project: Found) -> Result<(), ConnectorError> {
        let Found { mut fields, budget, from_open_data } = project;
        let id = fields["id"].as_str().unwrap_or_default().to_owned();
        if let Some(reason) = foreign(process, &fields) {
            return self.withhold(PROJECT, &id, reason).await;
        }
        let attachments = fields["attachments"].take();
        let url = project_page(self.polite.base(), &fields, &process.slug, component, &budget);
        let mut context = process.context(Some(component));
        context["budget"] = budget;
        context["proposals"] = fields["relatedProposals"].take();
        let draft =
            Draft { url: url.clone(), has_page: true, from_open_data, ..Draft::new(PROJECT, fields, context, &process.evidence) };
        if let Some(evidence) = self.send(draft).await? {
            let holder = Holder { process, component: Some(component), entity: PROJECT, id: &id, url: &url };
            self.send_attachments(holder, attachments, &evidence).await?;
        }
        Ok(())
    }
}

/// Where a project is, as the second reading of its ballot says.
fn place_of(budget: Option<&Value>, id: &Value) -> Value {
    let mut projects = budget.and_then(|budget| budget["projects"].as_array()).into_iter().flatten();
    projects.find(|project| project["id"] == *id).map(|project| project["coordinates"].clone()).unwrap_or_default()
}
