//! The proposals of a component, read twice: their ids with the amendments, and then their fields.
//!
//! The look at the ids shows whether the list moved under the reading of the fields (its cursors are row numbers:
//! when one item leaves, the next one is skipped), and which proposals there are whose fields could not be read.
//! It comes first, so that fields can go on page by page: a component may hold more than fits into memory. Where
//! the two differ, the list is read again; what is then still missing makes the reading incomplete.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use url::Url;

use super::PROPOSAL;
use super::attachments::{Holder, attachments_of};
use super::pages::{page_status, stated_host, thing_page};
use super::paging::{Listing, Pages, read_list};
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

/// The second look at a list: which ids it shows, and what amends what.
#[derive(Debug, Default)]
struct Look {
    ids: BTreeSet<String>,
    /// Those of the last look of several: what it does not show any more has left meanwhile.
    newest: Option<BTreeSet<String>>,
    /// By emendation, the proposal that it amends.
    amended: BTreeMap<String, String>,
    told: Listing,
}

impl Look {
    /// Adds what a further look shows. It counts as the newest when it went to the end and failed over no more
    /// than the one before (a hidden amendment makes every look fail a little): what it lacks is not there.
    fn again(&mut self, new: Self) {
        let to_the_end = !new.told.closed && new.told.why_incomplete.is_none();
        let as_good = to_the_end && new.told.failed <= self.told.failed;
        self.told.absorb(&new.told);
        self.amended.extend(new.amended);
        self.ids.extend(new.ids.iter().cloned());
        if as_good {
            self.newest = Some(new.ids);
        }
    }

    /// What the looks show and the list lacks, of which `failed` items could not be read. What only an earlier look
    /// shows has left; but it may also be there, where it is perhaps one that could not be read, or where the list
    /// moved under the newest look, which then skips items: it lacks some that were taken.
    fn lacking<'l>(&'l self, taken: &'l BTreeSet<String>, failed: u64) -> impl Iterator<Item = &'l String> {
        let newest = self.newest.as_ref().filter(|newest| failed == 0 && taken.is_subset(newest));
        newest.unwrap_or(&self.ids).difference(taken)
    }
}

/// The reading of one component's proposals.
struct Course<'c> {
    process: &'c Process,
    component: &'c Component,
    look: Look,
    /// Where the proposals are; read when the first one states an address.
    places: Option<BTreeMap<String, Value>>,
    /// What was taken from the list, sent or not.
    taken: BTreeSet<String>,
    /// What the second look does not show, for the end.
    aside: Vec<Value>,
    known: BTreeMap<String, Known>,
}

impl Scan<'_> {
    /// Reads and sends the proposals of a component: ids first, then their fields, which go on page by page.
    pub(super) async fn read_proposals(
        &mut self,
        process: &Process,
        component: &Component,
    ) -> Result<BTreeMap<String, Known>, ConnectorError> {
        self.progress(PROPOSAL, format!("{} / component {}", process.slug, component.id)).await?;
        let look = self.look(component).await?;
        let (taken, aside, known) = (BTreeSet::new(), Vec::new(), BTreeMap::new());
        let mut course = Course { process, component, look, places: None, taken, aside, known };
        let mut told = self.send_list(&mut course).await?;
        // Where one reading lacks what the other one shows, the list is read again.
        for _ in 0..AGAIN {
            let missed = told.is_whole() && !self.missed(&course, &told).is_empty();
            let vanished = course.look.told.is_whole() && !course.aside.is_empty();
            if told.closed || course.look.told.closed || !(missed || vanished) {
                break;
            }
            if missed {
                told.absorb(&self.send_list(&mut course).await?);
            }
            // What is still missed may have left after the look.
            if vanished || !self.missed(&course, &told).is_empty() {
                let new = self.look(component).await?;
                course.look.again(new);
                let aside = std::mem::take(&mut course.aside);
                let (shown, aside) = aside.into_iter().partition(|fields| course.look.ids.contains(id_of(fields)));
                course.aside = aside;
                self.send_proposals(&mut course, shown).await?;
            }
        }
        self.compare(&course, &told).await?;
        let aside = std::mem::take(&mut course.aside);
        if course.look.told.why_incomplete.is_none() && course.look.told.failed == 0 {
            for fields in &aside {
                self.vanished(process, component, id_of(fields), fields).await?;
            }
        } else {
            self.send_proposals(&mut course, aside).await?;
        }
        Ok(course.known)
    }

    /// Reads the list and sends what is new of it, but for what the second look does not show.
    async fn send_list(&mut self, course: &mut Course<'_>) -> Result<Listing, ConnectorError> {
        let question = self.questions.text_on(Question::Proposals, course.component.kind);
        let mut pages = Pages::new(question, course.component, RICH_PAGE);
        while let Some(mut nodes) = pages.next(self.polite).await? {
            nodes.retain(|fields| course.taken.insert(id_of(fields).to_owned()));
            let (shown, aside): (Vec<_>, Vec<_>) = nodes.into_iter().partition(|fields| course.look.ids.contains(id_of(fields)));
            course.aside.extend(aside);
            self.send_proposals(course, shown).await?;
        }
        Ok(pages.told())
    }

    async fn send_proposals(&mut self, course: &mut Course<'_>, nodes: Vec<Value>) -> Result<(), ConnectorError> {
        let stated = |node: &Value| node["address"].as_str().is_some_and(|address| !address.trim().is_empty());
        if course.places.is_none() && nodes.iter().any(stated) {
            course.places = Some(self.places(course.component).await?);
        }
        let (process, component) = (course.process, course.component);
        let Course { look, places, known, .. } = course;
        for mut fields in nodes {
            let id = id_of(&fields).to_owned();
            if let Some(reason) = foreign(process, &fields) {
                self.withhold(PROPOSAL, &id, reason).await?;
                continue;
            }
            drop_unpublished_answer(&mut fields);
            fields["coordinates"] = places.as_ref().and_then(|places| places.get(&id)).cloned().unwrap_or_default();
            let mut context = process.context(Some(component));
            context["amended"] = look.amended.get(&id).map(|target| json!({ "id": target })).unwrap_or_default();
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
        Ok(())
    }

    /// What the second look shows and the list lacks, apart from what moderation hides.
    fn missed(&self, course: &Course<'_>, told: &Listing) -> Vec<String> {
        let class = course.component.kind.class();
        let hidden: BTreeSet<&str> =
            self.open_data.witness().map_or_else(BTreeSet::new, |witness| witness.hidden_ids(class).collect());
        course.look.lacking(&course.taken, told.failed).filter(|id| !hidden.contains(id.as_str())).cloned().collect()
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

    /// Looks at the ids of a list and at its amendments.
    async fn look(&self, component: &Component) -> Result<Look, ConnectorError> {
        let mut look = Look::default();
        let question = self.questions.text_on(Question::Amendments, component.kind);
        let mut pages = Pages::new(question, component, LIGHT_PAGE);
        while let Some(nodes) = pages.next(self.polite).await? {
            for node in nodes {
                let id = id_of(&node);
                for amendment in node["amendments"].as_array().into_iter().flatten() {
                    if let Some(emendation) = amendment["emendation"]["id"].as_str() {
                        look.amended.insert(emendation.to_owned(), id.to_owned());
                    }
                }
                look.ids.insert(id.to_owned());
            }
        }
        look.told = pages.told();
        Ok(look)
    }

    /// What the two readings of one list say about each other.
    async fn compare(&mut self, course: &Course<'_>, told: &Listing) -> Result<(), ConnectorError> {
        let (component, again) = (course.component, &course.look.told);
        for listing in [told, again] {
            if let Some(why) = &listing.why_incomplete {
                self.incomplete(PROPOSAL, why.clone());
            }
        }
        self.count_withheld(PROPOSAL, told.withheld);
        for id in self.missed(course, told) {
            self.fail(PROPOSAL, &id, "its fields could not be read".to_owned()).await?;
            if told.failed == 0 {
                self.incomplete(PROPOSAL, format!("component {}: the list changed while it was read", component.id));
            }
        }
        if told.failed > 0 && again.failed > 0 {
            self.incomplete(PROPOSAL, format!("component {}: {} proposals could not be read", component.id, again.failed));
        }
        Ok(())
    }

    /// Where the proposals are.
    async fn places(&self, component: &Component) -> Result<BTreeMap<String, Value>, ConnectorError> {
        let question = self.questions.text_on(Question::Places, component.kind);
        let places = read_list(self.polite, &question, component, LIGHT_PAGE).await?;
        let place = |mut node: Value| Some((node["id"].as_str()?.to_owned(), node["coordinates"].take()));
        Ok(places.nodes.into_iter().filter_map(place).collect())
    }
}

fn id_of(fields: &Value) -> &str {
    fields["id"].as_str().unwrap_or_default()
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
    fn what_a_further_look_lacks_has_left_only_where_nothing_else_explains_it() {
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<String>>();
        let lacking = |newest: &[&str], failed: u64| {
            let mut look = Look { ids: set(&["1", "2", "3"]), ..Look::default() };
            look.again(Look { ids: set(newest), ..Look::default() });
            look.lacking(&set(&["1", "2", "4"]), failed).cloned().collect::<Vec<_>>()
        };
        assert_eq!(lacking(&["1", "2", "4"], 0), [""; 0], "3 left");
        assert_eq!(lacking(&["1", "2", "4"], 1), ["3"], "3 may be the one that could not be read");
        assert_eq!(lacking(&["2", "4"], 0), ["3"], "1 left, and 3 may stand where the list moved");
        assert_eq!(lacking(&["1", "2", "4", "5"], 0), ["5"], "5 came");
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
