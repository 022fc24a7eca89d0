//! Lists without an order: meetings, results, ballots.
//!
//! The platform gives them as its database happens to hold them, and a row that changes moves to the end. Reading by
//! pages can then skip one and show another twice. So such a list is read twice, the second time only ids (and places);
//! what only one of the readings showed is looked for in a third.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::kind::Kind;
use super::pages::{page_status, thing_page};
use super::paging::{Listing, read_list};
use super::queries::Question;
use super::scan::{Component, Process, Scan};
use crate::connectors::{ConnectorError, PageStatus};

/// Rich fields: with 50 a page, the platform's limit of complexity would be passed.
const RICH_PAGE: u32 = 20;
/// Few fields; the platform never gives more.
pub(super) const LIGHT_PAGE: u32 = 50;

/// A list as it was read, and the second look at it.
#[derive(Debug, Default)]
pub(super) struct Unordered {
    pub(super) nodes: Vec<Value>,
    /// The same things by id, with their places.
    pub(super) places: BTreeMap<String, Value>,
}

impl Scan<'_> {
    /// Reads a list that has no order; says what it could not make sure of.
    pub(super) async fn read_unordered(
        &mut self,
        question: Question,
        process: &Process,
        component: &Component,
    ) -> Result<Unordered, ConnectorError> {
        let rich = self.questions.text_on(question, component.kind);
        let first = read_list(self.polite, &rich, component, RICH_PAGE).await?;
        if first.closed {
            return Ok(Unordered::default());
        }
        let light = self.questions.text_on(Question::Places, component.kind);
        let again = read_list(self.polite, &light, component, LIGHT_PAGE).await?;
        let entity = component.kind.entity();
        // Ballots are no items: an id of one is nobody's.
        let named = component.kind != Kind::Budgets;
        for why in [&first, &again].into_iter().filter_map(|listing| listing.why_incomplete.as_ref()) {
            self.incomplete(entity, why.clone());
        }
        self.count_withheld(entity, first.withheld);
        let mut nodes = first.nodes;
        let shown = ids(&again.nodes);
        let missed: BTreeSet<String> = shown.difference(&ids(&nodes)).cloned().collect();
        if !missed.is_empty() {
            let third = read_list(self.polite, &rich, component, RICH_PAGE).await?;
            nodes.extend(third.nodes.into_iter().filter(|node| id(node).is_some_and(|id| missed.contains(id))));
            for id in missed.difference(&ids(&nodes)) {
                if named {
                    self.fail(entity, id, "its fields could not be read".to_owned()).await?;
                }
                self.incomplete(entity, format!("component {}: {} {id} could not be read", component.id, component.kind.one()));
            }
        }
        if first.failed > 0 && again.failed > 0 {
            self.incomplete(entity, format!("component {}: {} of its list could not be read", component.id, first.failed));
        }
        // A second look that fitted on one page saw everything there was. What it did not show may be gone.
        if again.is_one_page() {
            for node in nodes.iter().filter(|node| id(node).is_some_and(|id| !shown.contains(id))) {
                self.vanished_from(process, component, node).await?;
            }
            nodes.retain(|node| id(node).is_some_and(|id| shown.contains(id)));
        }
        let places = again.nodes.into_iter().filter_map(|node| Some((id(&node)?.to_owned(), node))).collect();
        Ok(Unordered { nodes, places })
    }

    /// A thing that was in the list and is not any more. Its own page says whether that is so.
    async fn vanished_from(&mut self, process: &Process, component: &Component, node: &Value) -> Result<(), ConnectorError> {
        let (entity, id) = (component.kind.entity(), id(node).unwrap_or_default());
        let page = thing_page(self.polite.base(), node, &process.slug, component).filter(|_| component.kind != Kind::Budgets);
        let status = match &page {
            Some(page) => page_status(self.polite, page).await?,
            None => PageStatus::Unclear(0),
        };
        if matches!(status, PageStatus::Hidden(_)) {
            return self.withhold(entity, id, "it vanished while the list was read".to_owned()).await;
        }
        self.incomplete(entity, format!("component {}: the list changed while it was read", component.id));
        Ok(())
    }
}

fn id(node: &Value) -> Option<&str> {
    node["id"].as_str()
}

fn ids(nodes: &[Value]) -> BTreeSet<String> {
    nodes.iter().filter_map(id).map(str::to_owned).collect()
}

impl Listing {
    /// Whether it was read whole, without a failure, in one answer.
    fn is_one_page(&self) -> bool {
        self.pages == 1 && self.failed == 0 && self.why_incomplete.is_none()
    }
}
