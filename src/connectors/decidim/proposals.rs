//! The proposals of a component, read twice: their fields, and again their ids with the amendments.
//!
//! The second reading shows whether the list moved under the first one (its cursors are row numbers: when one
//! item leaves, the next one is skipped), and gives the ids of proposals whose fields could not be read. Where
//! the two differ, the list is read again; what is then still missing makes the reading incomplete.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use url::Url;

use super::PROPOSAL;
use super::attachments::{Holder, attachments_of};
use super::pages::{page_status, stated_host, thing_page};
use super::paging::{Listing, read_list};
use super::queries::Question;
use super::scan::{Component, Draft, Process, Scan};
use crate::connectors::{ConnectorError, PageStatus};
use crate::domain::source::Evidence;

/// Rich fields: with 50 a page, the platform's limit of complexity is near.
const RICH_PAGE: u32 = 25;
/// How often a list that moved while it was read is read again.
const AGAIN: u32 = 2;
/// Few fields; the platform never gives more.
const LIGHT_PAGE: u32 = 50;
/// What belongs to an official answer. The platform serves some of it before the answer is published.
const ANSWER_FIELDS: [&str; 6] = ["proposalState", "answer", "answeredAt", "cost", "costReport", "executionPeriod"];

/// Something that was sent out, as far as its discussion needs it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) evidence: Evidence,
    pub(super) url: Option<Url>,
    /// How many visible comments the platform counts on it, at all levels.
    pub(super) comments: u64,
}

impl Scan<'_> {
    /// Reads and sends the proposals of a component.
    pub(super) async fn read_proposals(
        &mut self,
        process: &Process,
        component: &Component,
    ) -> Result<BTreeMap<String, Known>, ConnectorError> {
        self.progress(PROPOSAL, format!("{} / component {}", process.slug, component.id)).await?;
        let (first, again) = self.both_lists(component).await?;
        self.compare(component, &first, &again).await?;
        if first.closed {
            return Ok(BTreeMap::new());
        }
        let places = self.places(component, &first).await?;
        let amended = amended(&again);
        let still_there: BTreeSet<&str> = again.ids().collect();
        let mut known = BTreeMap::new();
        for mut fields in first.nodes {
            let id = fields["id"].as_str().unwrap_or_default().to_owned();
            if again.why_incomplete.is_none() && again.failed == 0 && !still_there.contains(id.as_str()) {
                self.vanished(process, component, &id, &fields).await?;
                continue;
            }
            if let Some(reason) = foreign(process, &fields) {
                self.withhold(PROPOSAL, &id, reason).await?;
                continue;
            }
            drop_unpublished_answer(&mut fields);
            fields["coordinates"] = places.get(&id).cloned().unwrap_or_default();
            let mut context = process.context(component);
            context["amended"] = amended.get(&id).map(|target| json!({ "id": target })).unwrap_or_default();
            let attachments = attachments_of(&mut fields);
            let comments = fields["totalCommentsCount"].as_u64().unwrap_or_default();
            let url = thing_page(self.polite.base(), &fields, &process.slug, component);
            let draft = Draft { url: url.clone(), has_page: true, ..Draft::new(PROPOSAL, fields, context, &process.evidence) };
            if let Some(evidence) = self.send(draft).await? {
                let holder = Holder { process, component: Some(component), entity: PROPOSAL, id: &id, url: &url };
                self.send_attachments(holder, attachments, &evidence).await?;
                known.insert(id, Known { evidence, url, comments });
            }
        }
        Ok(known)
    }

    /// Reads the list twice, and again where one reading lacks what the other one shows.
    async fn both_lists(&self, component: &Component) -> Result<(Listing, Listing), ConnectorError> {
        let mut first = self.list(Question::Proposals, component, RICH_PAGE).await?;
        let mut again = self.list(Question::Amendments, component, LIGHT_PAGE).await?;
        for _ in 0..AGAIN {
            let missed = first.is_whole() && !self.missed(component, &first, &again).is_empty();
            let shown: BTreeSet<&str> = again.ids().collect();
            let vanished = again.is_whole() && first.ids().any(|id| !shown.contains(id));
            if first.closed || again.closed || !(missed || vanished) {
                break;
            }
            if missed {
                first.absorb(self.list(Question::Proposals, component, RICH_PAGE).await?);
            }
            if vanished {
                again.absorb(self.list(Question::Amendments, component, LIGHT_PAGE).await?);
            }
        }
        Ok((first, again))
    }

    /// What the second reading shows and the first one lacks, apart from what moderation hides.
    fn missed(&self, component: &Component, first: &Listing, again: &Listing) -> Vec<String> {
        let class = component.kind.class();
        let hidden: BTreeSet<&str> =
            self.open_data.witness().map_or_else(BTreeSet::new, |witness| witness.hidden_ids(class).collect());
        let seen: BTreeSet<&str> = first.ids().collect();
        again.ids().filter(|id| !seen.contains(id) && !hidden.contains(id)).map(str::to_owned).collect()
    }

    /// A proposal that was in the list and is not any more. Its own page says whether that is so.
    async fn vanished(
        &mut self,
        process: &Process,
        component: &Component,
        id: &str,
        fields: &Value,
    ) -> Result<(), ConnectorError> {
        let page = thing_page(self.polite.base(), fields, &process.slug, component);
        let status = match &page {
            Some(page) => page_status(self.polite, page).await?,
            None => PageStatus::Unclear(0),
        };
        if matches!(status, PageStatus::Hidden(_)) {
            return self.withhold(PROPOSAL, id, "it vanished while the list was read".to_owned()).await;
        }
        self.fail(PROPOSAL, id, "the list lacks it now, and its own page does not say that it is gone".to_owned()).await?;
        self.incomplete(PROPOSAL, format!("component {}: the list changed while it was read", component.id));
        Ok(())
    }

    async fn list(&self, question: Question, component: &Component, first: u32) -> Result<Listing, ConnectorError> {
        read_list(self.polite, &self.questions.text_on(question, component.kind), component, first).await
    }

    /// What the two readings of one list say about each other.
    async fn compare(&mut self, component: &Component, first: &Listing, again: &Listing) -> Result<(), ConnectorError> {
        for listing in [first, again] {
            if let Some(why) = &listing.why_incomplete {
                self.incomplete(PROPOSAL, why.clone());
            }
        }
        self.count_withheld(PROPOSAL, first.withheld);
        for id in self.missed(component, first, again) {
            self.fail(PROPOSAL, &id, "its fields could not be read".to_owned()).await?;
            if first.failed == 0 {
                self.incomplete(PROPOSAL, format!("component {}: the list changed while it was read", component.id));
            }
        }
        if first.failed > 0 && again.failed > 0 {
            self.incomplete(PROPOSAL, format!("component {}: {} proposals could not be read", component.id, again.failed));
        }
        Ok(())
    }

    /// Where the proposals are; only asked when one states an address.
    async fn places(&self, component: &Component, listing: &Listing) -> Result<BTreeMap<String, Value>, ConnectorError> {
        let stated = |node: &Value| node["address"].as_str().is_some_and(|address| !address.trim().is_empty());
        if !listing.nodes.iter().any(stated) {
            return Ok(BTreeMap::new());
        }
        let places = self.list(Question::Places, component, LIGHT_PAGE).await?;
        let place = |node: Value| Some((node["id"].as_str()?.to_owned(), node["coordinates"].clone()));
        Ok(places.nodes.into_iter().filter_map(place).collect())
    }
}

/// Which proposals are amendments of which.
fn amended(listing: &Listing) -> BTreeMap<String, String> {
    let mut amended = BTreeMap::new();
    for node in &listing.nodes {
        for amendment in node["amendments"].as_array().into_iter().flatten() {
            if let (Some(target), Some(emendation)) = (node["id"].as_str(), amendment["emendation"]["id"].as_str()) {
                amended.insert(emendation.to_owned(), target.to_owned());
            }
        }
    }
    amended
}

/// Why something does not belong to this platform, if so.
pub(super) fn foreign(process: &Process, fields: &Value) -> Option<String> {
    let (own, stated) = (process.host.as_deref()?, stated_host(fields)?);
    (own != stated).then(|| format!("it says that it lives at {stated}, its process at {own}"))
}

/// Nulls what belongs to an answer that is not published: its state is null then, or says so.
fn drop_unpublished_answer(fields: &mut Value) {
    let published = !matches!(fields["state"].as_str(), None | Some("not_answered" | "withdrawn"));
    if let (false, Some(fields)) = (published, fields.as_object_mut()) {
        for name in ANSWER_FIELDS {
            if let Some(field) = fields.get_mut(name) {
                *field = Value::Null;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_a_published_state_is_dropped() {
        let with = |state: Value| {
            json!({ "id": "1", "state": state, "answer": { "translations": [] }, "answeredAt": "2026-11-01T00:00:00Z",
                    "proposalState": { "id": "4" } })
        };
        for state in [Value::Null, json!("not_answered"), json!("withdrawn")] {
            let mut fields = with(state);
            drop_unpublished_answer(&mut fields);
            assert!(fields["answer"].is_null() && fields["answeredAt"].is_null() && fields["proposalState"].is_null());
            assert!(fields.get("cost").is_none(), "nothing is added that was not asked");
        }
        let mut fields = with(json!("accepted"));
        drop_unpublished_answer(&mut fields);
        assert_eq!(fields, with(json!("accepted")));
    }

    #[test]
    fn an_object_of_another_host_does_not_belong_here() {
        let evidence = Evidence::Unproven { reason: String::new() };
        let process = |host: Option<&str>| Process {
            id: "1".to_owned(),
            slug: "p".to_owned(),
            host: host.map(str::to_owned),
            evidence: evidence.clone(),
        };
        let fields = json!({ "url": "http://bordeaux.example/processes/p/f/1/proposals/1" });
        assert!(foreign(&process(Some("lyon.example")), &fields).is_some());
        assert!(foreign(&process(Some("bordeaux.example")), &fields).is_none());
        assert!(foreign(&process(None), &fields).is_none(), "0.28 states no addresses");
    }
}
