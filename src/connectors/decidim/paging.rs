//! Through a component's list to a proven end.
//!
//! The platform's cursors are row numbers: rubbish restarts at the first row, `first` is capped in silence,
//! and an empty page can claim that there is more. So a list only counts as complete when the last page
//! says so itself and no page came twice.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::client::{Answer, Complaint, Polite, plain};
use super::scan::Component;
use crate::connectors::ConnectorError;

/// More pages than this is not a component, it is a trap.
const MAX_PAGES: u32 = 5_000;

/// One page of a component's list.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    /// The items; `None` where the platform puts a null.
    pub(super) nodes: Vec<Option<Value>>,
    /// What the platform complained about on this page.
    pub(super) complaints: Vec<String>,
    more: bool,
    end: Option<String>,
}

impl Page {
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().flatten().filter_map(|node| node["id"].as_str())
    }

    pub(super) fn nulls(&self) -> u64 {
        self.nodes.iter().filter(|node| node.is_none()).count() as u64
    }
}

/// A list that was read as far as it went.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    pub(super) nodes: Vec<Value>,
    /// Nulls on pages without complaints: held back by the platform.
    pub(super) withheld: u64,
    /// Nulls on pages with complaints: perhaps our question's fault.
    pub(super) failed: u64,
    /// The component itself is not shown (any more).
    pub(super) closed: bool,
    pub(super) why_incomplete: Option<String>,
    /// In how many answers it came.
    pub(super) pages: u32,
}

impl Listing {
    /// Adds what a further reading of the same list said beside its items.
    pub(super) fn absorb(&mut self, other: &Self) {
        // A row number that shifts counts a null twice, or not at all.
        self.withheld = self.withheld.max(other.withheld);
        self.failed = self.failed.max(other.failed);
    }

    /// Whether it was read from its beginning to its end, everything in it.
    pub(super) fn is_whole(&self) -> bool {
        !self.closed && self.failed == 0 && self.why_incomplete.is_none()
    }
}

/// Where a walk through the pages of a list is.
#[derive(Debug, Default)]
pub(super) struct Walk {
    after: Option<String>,
    cursors: HashSet<String>,
    ids: HashSet<String>,
    pages: u32,
}

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    More,
    End,
    Lost(&'static str),
}

impl Walk {
    /// The cursor of the page to be asked for.
    pub(super) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Looks at a page and decides whether there is another one.
    pub(super) fn take(&mut self, page: &Page) -> Step {
        self.pages += 1;
        let known = self.ids.len();
        let shown = page.ids().count();
        self.ids.extend(page.ids().map(str::to_owned));
        if shown > 0 && self.ids.len() == known {
            return Step::Lost("a page came twice");
        }
        if !page.more {
            return Step::End;
        }
        if page.nodes.is_empty() {
            return Step::Lost("an empty page says that there is more");
        }
        let Some(end) = page.end.as_deref().filter(|end| !end.is_empty()) else {
            return Step::Lost("a page says that there is more and gives no cursor");
        };
        if !self.cursors.insert(end.to_owned()) {
            return Step::Lost("a cursor came twice");
        }
        if self.pages >= MAX_PAGES {
            return Step::Lost("the list does not end");
        }
        self.after = Some(end.to_owned());
        Step::More
    }
}

/// Asks for one page; `None` when the component is not shown.
pub(super) async fn read_page(
    polite: &Polite,
    question: &str,
    component: &Component,
    first: u32,
    after: Option<&str>,
) -> Result<Option<Page>, ConnectorError> {
    let answer = polite.ask(question, variables(component, first, after)).await?;
    page_of(polite, component, answer)
}

/// As [`read_page`], for a question that may itself be what the platform stumbles over.
pub(super) async fn try_page(
    polite: &Polite,
    question: &str,
    component: &Component,
    first: u32,
    after: Option<&str>,
) -> Result<Option<Page>, ConnectorError> {
    let answer = polite.ask_trying(question, variables(component, first, after), 1).await?;
    page_of(polite, component, answer)
}

fn variables(component: &Component, first: u32, after: Option<&str>) -> Value {
    json!({ "id": component.id, "first": first, "after": after })
}

fn page_of(polite: &Polite, component: &Component, mut answer: Answer) -> Result<Option<Page>, ConnectorError> {
    let complaints: Vec<String> = answer.errors.iter().map(Complaint::reason).collect();
    let refused = || {
        let reason = complaints.first().cloned().unwrap_or_else(|| "no list in the answer".to_owned());
        ConnectorError::Refused { url: plain(&polite.address("/api")), reason }
    };
    let shown = answer.data["component"].take();
    if shown.is_null() {
        // A null with complaints is a failed question, without: an unpublished component.
        return if complaints.is_empty() { Ok(None) } else { Err(refused()) };
    }
    let mut list = shown;
    let mut list = list[component.kind.list()].take();
    let (Value::Array(edges), Some(more)) = (list["edges"].take(), list["pageInfo"]["hasNextPage"].as_bool()) else {
        return Err(refused());
    };
    let mut nodes = Vec::with_capacity(edges.len());
    for mut edge in edges {
        // Only a null is held back by the platform. What has no id is an answer that we do not understand.
        nodes.push(match edge.get_mut("node").map(Value::take) {
            Some(Value::Null) => None,
            Some(node) if node["id"].is_string() => Some(node),
            _ => {
                let reason = "an item of the list has no id that is a text".to_owned();
                return Err(ConnectorError::Refused { url: plain(&polite.address("/api")), reason });
            }
        });
    }
    let end = list["pageInfo"]["endCursor"].as_str().map(str::to_owned);
    Ok(Some(Page { nodes, complaints, more, end }))
}

/// A component's list, page by page, each item once.
#[derive(Debug)]
pub(super) struct Pages<'c> {
    question: String,
    component: &'c Component,
    first: u32,
    walk: Walk,
    seen: HashSet<String>,
    told: Listing,
    ended: bool,
}

impl<'c> Pages<'c> {
    pub(super) fn new(question: String, component: &'c Component, first: u32) -> Self {
        let (walk, seen, told) = (Walk::default(), HashSet::new(), Listing::default());
        Self { question, component, first, walk, seen, told, ended: false }
    }

    /// The new items of the next page; `None` after the last one.
    pub(super) async fn next(&mut self, polite: &Polite) -> Result<Option<Vec<Value>>, ConnectorError> {
        if self.ended {
            return Ok(None);
        }
        let Some(page) = read_page(polite, &self.question, self.component, self.first, self.walk.after()).await? else {
            (self.told.closed, self.ended) = (true, true);
            return Ok(None);
        };
        let nulls = if page.complaints.is_empty() { &mut self.told.withheld } else { &mut self.told.failed };
        *nulls += page.nulls();
        self.told.pages += 1;
        match self.walk.take(&page) {
            Step::More => {}
            Step::End => self.ended = true,
            Step::Lost(why) => {
                self.told.why_incomplete = Some(format!("component {}: {why}", self.component.id));
                self.ended = true;
            }
        }
        let mut new = page.nodes.into_iter().flatten().collect::<Vec<_>>();
        new.retain(|node| self.seen.insert(node["id"].as_str().unwrap_or_default().to_owned()));
        Ok(Some(new))
    }

    /// What the pages said beside their items.
    pub(super) fn told(self) -> Listing {
        self.told
    }
}

/// Reads a whole list.
pub(super) async fn read_list(
    polite: &Polite,
    question: &str,
    component: &Component,
    first: u32,
) -> Result<Listing, ConnectorError> {
    let mut pages = Pages::new(question.to_owned(), component, first);
    let mut nodes = Vec::new();
    while let Some(new) = pages.next(polite).await? {
        nodes.extend(new);
    }
    Ok(Listing { nodes, ..pages.told() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[&str], more: bool, end: Option<&str>) -> Page {
        let nodes = ids.iter().map(|id| (!id.is_empty()).then(|| json!({ "id": id }))).collect();
        Page { nodes, complaints: Vec::new(), more, end: end.map(str::to_owned) }
    }

    #[test]
    fn a_list_ends_where_its_last_page_says_so() {
        let mut walk = Walk::default();
        assert_eq!(walk.take(&page(&["1", ""], true, Some("Mg"))), Step::More);
        assert_eq!(walk.after(), Some("Mg"));
        assert_eq!(walk.take(&page(&["", ""], true, Some("NA"))), Step::More, "a page of hidden items is a page");
        assert_eq!(walk.take(&page(&["5"], false, Some("NQ"))), Step::End);
        assert_eq!(Walk::default().take(&page(&[], false, None)), Step::End, "an empty list");
    }

    #[test]
    fn a_list_that_turns_in_circles_is_left_and_called_incomplete() {
        let mut walk = Walk::default();
        assert_eq!(walk.take(&page(&["1"], true, Some("MQ"))), Step::More);
        assert_eq!(walk.take(&page(&["1"], true, Some("Mg"))), Step::Lost("a page came twice"));
        let mut walk = Walk::default();
        assert_eq!(walk.take(&page(&["1"], true, Some("MQ"))), Step::More);
        assert_eq!(walk.take(&page(&["2"], true, Some("MQ"))), Step::Lost("a cursor came twice"));
        for (end, why) in [(None, "gives no cursor"), (Some(""), "gives no cursor")] {
            let step = Walk::default().take(&page(&["1"], true, end));
            assert!(matches!(step, Step::Lost(text) if text.ends_with(why)), "{step:?}");
        }
        let empty = Walk::default().take(&page(&[], true, Some("MQ")));
        assert_eq!(empty, Step::Lost("an empty page says that there is more"));
    }
}
