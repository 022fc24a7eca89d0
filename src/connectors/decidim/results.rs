//! The results of a component, each with its milestones, which are items of their own.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::attachments::Holder;
use super::open_data::OpenData;
use super::pages::thing_page;
use super::proposals::{Known, foreign};
use super::queries::Question;
use super::scan::{Component, Draft, Process, Scan};
use super::{MILESTONE, RESULT};
use crate::connectors::ConnectorError;

/// What the generations call the same list.
const MILESTONES: [&str; 2] = ["timelineEntries", "milestones"];

impl Scan<'_> {
    /// Reads and sends the results of a component and what happened to them.
    pub(super) async fn read_results(
        &mut self,
        process: &Process,
        component: &Component,
    ) -> Result<BTreeMap<String, Known>, ConnectorError> {
        self.progress(RESULT, format!("{} / component {}", process.slug, component.id)).await?;
        let mut list = self.read_unordered(Question::Results, process, component).await?;
        // A part of a result comes after the whole.
        list.nodes.sort_by_key(|fields| fields["parent"].is_object());
        let mut known = BTreeMap::new();
        for mut fields in list.nodes {
            let id = fields["id"].as_str().unwrap_or_default().to_owned();
            if let Some(reason) = foreign(process, &fields) {
                self.withhold(RESULT, &id, reason).await?;
                continue;
            }
            fields["coordinates"] = list.places.get_mut(&id).map(|node| node["coordinates"].take()).unwrap_or_default();
            let mut context = process.context(Some(component));
            context["parent"] = fields["parent"].take();
            context["proposals"] = fields["proposals"].take();
            // Older generations tell where a result comes from in their open data only.
            let mut unread = None;
            if context["proposals"].is_null() {
                if matches!(self.open_data, OpenData::Preparing) {
                    unread = Some(format!("what it comes from: {}", self.open_data.silence()));
                }
                let origins = self.open_data.witness().map(|witness| witness.origins_of(&id)).unwrap_or_default();
                context["proposals"] = origins.iter().map(|proposal| json!({ "id": proposal })).collect();
            }
            let milestones: Vec<Value> = MILESTONES.into_iter().filter_map(|name| fields.as_object_mut()?.remove(name)).collect();
            let attachments = fields["attachments"].take();
            let comments = fields["totalCommentsCount"].as_u64().unwrap_or_default();
            let url = thing_page(self.polite.base(), &fields, &process.slug, component);
            let draft =
                Draft { url: url.clone(), has_page: true, unread, ..Draft::new(RESULT, fields, context, &process.evidence) };
            let Some(evidence) = self.send(draft).await? else { continue };
            for milestone in milestones.iter().flat_map(|list| list.as_array().into_iter().flatten()).filter(|m| m.is_object()) {
                let mut context = process.context(Some(component));
                context["result"] = json!({ "id": id });
                let draft = Draft { url: url.clone(), ..Draft::new(MILESTONE, milestone.clone(), context, &evidence) };
                self.send(draft).await?;
            }
            let holder = Holder { process, component: Some(component), entity: RESULT, id: &id, url: &url };
            self.send_attachments(holder, attachments, &evidence).await?;
            known.insert(id, Known { evidence, url, comments });
        }
        Ok(known)
    }
}
