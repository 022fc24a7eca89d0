//! The projects of the ballots of a component.
//!
//! 0.28 answers null for every project, without a complaint, while its pages and its open data show them all. There the
//! open data are what is read, and the project's own page shows that it is public.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::PROJECT;
use super::attachments::Holder;
use super::pages::project_page;
use super::proposals::foreign;
use super::queries::Question;
use super::scan::{Component, Draft, Process, Scan};
use crate::connectors::ConnectorError;

/// A project, the ballot it stands on, and where both were read.
struct Found {
    fields: Value,
    budget: Value,
    from_open_data: bool,
}

impl Scan<'_> {
    /// Reads and sends the projects of a component.
    pub(super) async fn read_projects(&mut self, process: &Process, component: &Component) -> Result<(), ConnectorError> {
        self.progress(PROJECT, format!("{} / component {}", process.slug, component.id)).await?;
        let list = self.read_unordered(Question::Budgets, process, component).await?;
        let mut found = Vec::new();
        let mut unnamed = 0_usize;
        for mut budget in list.nodes {
            let Value::Array(projects) = budget["projects"].take() else { continue };
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
        let mut context = process.context(component);
        context["budget"] = budget;
        context["proposals"] = fields["relatedProposals"].take();
        context["from_open_data"] = json!(from_open_data);
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
