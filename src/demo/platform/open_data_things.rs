//! Rows of the open data about meetings, results and projects, with the columns of each generation and what they give
//! away: unpublished meetings, and the report of a meeting before it is visible.

use serde_json::{Map, Value};

use super::open_data::{Cells, Row, moment};
use super::state::{State, Texts};
use super::things::{Budget, Filed, Meeting, On, Outcome, Project};

/// Meetings of public components: hidden, binned and private ones are not there, unpublished ones are.
pub(super) fn meetings(state: &State, base: &str) -> Vec<Row> {
    let listed = state.meetings.iter().filter(|m| !(m.hidden || m.trashed || m.private && m.opaque));
    listed.filter(|m| state.shows_component(m.component)).map(|m| meeting(state, m, base)).collect()
}

/// Results of public components.
pub(super) fn results(state: &State, base: &str) -> Vec<Row> {
    state.results.iter().filter(|r| state.result_is_shown(r)).map(|r| result(state, r, base)).collect()
}

/// Projects of public components.
pub(super) fn projects(state: &State, base: &str) -> Vec<Row> {
    let shown = state.budgets.iter().filter(|b| state.shows_component(b.component));
    let mut projects: Vec<(&Budget, &Project)> = shown.flat_map(|b| b.projects.iter().map(move |p| (b, p))).collect();
    projects.sort_by_key(|(_, project)| project.id);
    projects.into_iter().map(|(budget, project)| self::project(state, budget, project, base)).collect()
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
        _ => None,
    }
}

fn texts(fields: &Map<String, Value>, name: &str) -> Texts {
    fields.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
}

fn at(fields: &Map<String, Value>, name: &str, part: &str) -> Option<String> {
    fields.get(name).and_then(|value| value.get(part)).map(Value::to_string)
}

fn filed(row: &mut Cells, state: &State, filed: &Filed) {
    if state.generation.is_031() {
        row.add("taxonomies/ids", filed.taxonomies.iter().map(u64::to_string).collect::<Vec<_>>().join(","));
        for term in state.taxonomies.iter().filter(|term| filed.taxonomies.contains(&term.id)) {
            row.texts(&format!("taxonomies/{}", term.id), &term.name);
        }
        return;
    }
    for (column, id, terms) in [("category", filed.category, &state.categories), ("scope", filed.scope, &state.scopes)] {
        row.add(format!("{column}/id"), id.map(|id| id.to_string()));
        if let Some(term) = terms.iter().find(|term| Some(term.id) == id) {
            row.texts(&format!("{column}/name"), &term.name);
        }
    }
}

fn placed(row: &mut Cells, state: &State, on: On, id: u64, base: &str) {
    let process = state.component_of(on, id).and_then(|component| state.process(component.process));
    row.add("participatory_space/id", process.map(|process| process.id.to_string()));
    row.add("participatory_space/url", process.map(|process| format!("{base}/processes/{}", process.slug())));
    row.add("component/id", state.component_of(on, id).map(|component| component.id.to_string()));
}

fn page(state: &State, on: On, id: u64, base: &str) -> String {
    state.path_of(on, id).map(|path| format!("{base}{path}")).unwrap_or_default()
}

/// Ids and addresses of linked proposals, as far as anybody may see them.
fn linked(state: &State, proposals: &[u64], base: &str) -> (String, String) {
    let shown: Vec<u64> = proposals.iter().copied().filter(|id| state.is_shown(On::Proposal, *id)).collect();
    let ids = shown.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let pages = shown.iter().map(|id| page(state, On::Proposal, *id, base)).collect::<Vec<_>>().join(", ");
    (ids, pages)
}

fn meeting(state: &State, meeting: &Meeting, base: &str) -> Row {
    let (new, fields) = (state.generation.is_031(), &meeting.fields);
    let mut row = Cells::default();
    row.number("id", meeting.id);
    if !new {
        filed(&mut row, state, &meeting.filed);
    }
    let organiser = meeting.author.and_then(|id| state.users.get(&id).map(|user| (id, user)));
    row.number("author/id", organiser.map_or(1, |(id, _)| id));
    row.add("author/name", organiser.map_or_else(|| "La Ville".to_owned(), |(_, user)| user.name.clone()));
    let profile = organiser.map(|(_, user)| format!("profiles/{}", user.nickname.trim_start_matches('@')));
    row.add("author/url", format!("{base}/{}", profile.unwrap_or_default()));
    placed(&mut row, state, On::Meeting, meeting.id, base);
    if new {
        filed(&mut row, state, &meeting.filed);
    }
    row.markup("title", &texts(fields, "title"));
    row.markup("description", &texts(fields, "description"));
    for (column, name) in [("start_time", "startTime"), ("end_time", "endTime")] {
        row.add(column, text(fields, name).map(|at| moment(state, &at)));
    }
    let figure = |names: [&str; 2]| names.iter().find_map(|name| text(fields, name)).unwrap_or_else(|| "0".to_owned());
    row.add("attendees", figure(["attendeesCount", "attendeeCount"]));
    row.add("contributions", figure(["contributionCount", "contributionsCount"]));
    row.add("organizations", text(fields, "attendingOrganizations"));
    row.add("address", text(fields, "address"));
    row.markup("location", &texts(fields, "location"));
    row.add("reference", text(fields, "reference"));
    let comments = state.count_comments(On::Meeting, meeting.id);
    if !new {
        row.number("comments", comments);
    }
    row.number("attachments", fields.get("attachments").and_then(Value::as_array).map_or(0, Vec::len));
    if !new {
        row.number("followers", 0);
    }
    row.add("url", page(state, On::Meeting, meeting.id, base));
    row.add("related_proposals", String::new());
    row.add("related_results", String::new());
    row.number("published", !meeting.unpublished);
    if new {
        row.number("withdrawn", meeting.withdrawn);
        row.add("created_at", moment(state, &meeting.created));
        row.add("updated_at", moment(state, &meeting.updated));
        row.add("latitude", at(fields, "coordinates", "latitude"));
        row.add("longitude", at(fields, "coordinates", "longitude"));
        row.number("private_meeting", meeting.private);
        row.number("transparent", !meeting.opaque);
        row.number("comments/count", comments);
        row.add("online_meeting_url", text(fields, "onlineMeetingUrl"));
        let closed = fields.contains_key("closingReport");
        row.add("closing_visible", closed.then(|| (!meeting.report_hidden).to_string()));
        row.markup("closing_report", &texts(fields, "closingReport"));
        row.add("type_of_meeting", text(fields, "typeOfMeeting"));
    }
    row.finish()
}

fn result(state: &State, result: &Outcome, base: &str) -> Row {
    let fields = &result.fields;
    let mut row = Cells::default();
    row.number("id", result.id);
    filed(&mut row, state, &result.filed);
    row.add("parent/id", result.parent.map(|id| id.to_string()));
    row.markup("title", &texts(fields, "title"));
    row.markup("description", &texts(fields, "description"));
    row.add("start_date", text(fields, "startDate"));
    row.add("end_date", text(fields, "endDate"));
    let status = fields.get("status").and_then(Value::as_object).cloned().unwrap_or_default();
    row.add("status/id", text(&status, "id"));
    row.add("status/key", text(&status, "key"));
    row.markup("status/name", &texts(&status, "name"));
    row.add("progress", text(fields, "progress"));
    row.add("created_at", moment(state, &result.created));
    if state.generation.is_031() {
        row.add("updated_at", moment(state, &result.updated));
    }
    row.add("url", page(state, On::Result, result.id, base));
    row.number("component/id", result.component);
    row.add("proposal_urls", linked(state, &result.proposals, base).1);
    if state.generation.is_031() {
        row.add("reference", text(fields, "reference"));
        row.number("children_count", state.results.iter().filter(|r| r.parent == Some(result.id) && !r.trashed).count());
        row.number("comments_count", state.count_comments(On::Result, result.id));
        row.add("address", text(fields, "address"));
        row.add("latitude", at(fields, "coordinates", "latitude"));
        row.add("longitude", at(fields, "coordinates", "longitude"));
    }
    row.finish()
}

fn project(state: &State, budget: &Budget, project: &Project, base: &str) -> Row {
    let (new, fields) = (state.generation.is_031(), &project.fields);
    let mut row = Cells::default();
    row.number("id", project.id);
    filed(&mut row, state, &project.filed);
    placed(&mut row, state, On::Project, project.id, base);
    row.markup("title", &texts(fields, "title"));
    row.markup("description", &texts(fields, "description"));
    row.number("budget/id", budget.id);
    if new {
        row.markup("budget/title", &texts(&budget.fields, "title"));
        row.add("budget/url", state.path_of_budget(budget).replace("@base", base));
    }
    row.add("budget_amount", text(fields, "budget_amount"));
    row.number("confirmed_votes", project.votes);
    row.number("comments", state.count_comments(On::Project, project.id));
    row.add("created_at", moment(state, &project.created));
    row.add("url", page(state, On::Project, project.id, base));
    if new {
        row.add("address", text(fields, "address"));
        row.add("updated_at", moment(state, &project.updated));
        row.add("selected_at", text(fields, "selectedAt").map(|at| at.chars().take(10).collect()));
        row.add("reference", text(fields, "reference"));
        row.number("follows_count", 0);
        row.add("latitude", at(fields, "coordinates", "latitude"));
        row.add("longitude", at(fields, "coordinates", "longitude"));
    }
    let (ids, pages) = linked(state, &project.proposals, base);
    row.add("related_proposals", ids);
    row.add("related_proposal_urls", pages);
    row.finish()
}
