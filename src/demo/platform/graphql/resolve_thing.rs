//! Meetings, results, ballots and projects, with what each generation gives away and withholds (measured tables of the
//! recordings).

use serde_json::{Map, Value, json};

use super::super::state::{Component, State};
use super::super::things::{Budget, Filed, Meeting, On, Outcome, Project};
use super::connection;
use super::execute::Context;
use super::resolve::{Call, Failure, Node, Resolved, account_of, fallback, plain, terms};
use super::resolve_comment::replies;
use super::resolve_proposal::address;
use super::values::to_i;

/// Whether a component of this type has this field for its things.
pub(super) fn lists(kind: &str, name: &str) -> bool {
    matches!(
        (kind, name),
        ("Meetings", "meetings" | "meeting") | ("Accountability", "results" | "result") | ("Budgets", "budgets" | "budget")
    )
}

/// The things of a component, or one of them: hidden ones are null nodes, unpublished and binned ones are not there.
pub(super) fn list<'a>(context: Context<'a>, component: &'a Component, call: &Call<'_>) -> Resolved<'a> {
    let (state, id, leaks) = (context.state, component.id, context.asked.distortion.leaks);
    let rows: Vec<(u64, Option<Node<'a>>)> = match component.kind.as_str() {
        "Meetings" => {
            let listed = state.meetings.iter().filter(|m| m.component == id && (leaks || m.is_listed()));
            listed.map(|m| (m.id, (leaks || !m.hidden).then_some(Node::Meeting(m)))).collect()
        }
        "Accountability" => {
            let listed = state.results.iter().filter(|r| r.component == id && (leaks || !r.trashed));
            listed.map(|r| (r.id, Some(Node::Result(r)))).collect()
        }
        _ => state.budgets.iter().filter(|b| b.component == id).map(|b| (b.id, Some(Node::Budget(b)))).collect(),
    };
    let shown = |node: Option<Node<'a>>| node.map_or(Resolved::NULL, Resolved::Node);
    if call.arguments.contains_key("id") {
        let asked = to_i(call.argument("id"));
        return shown(rows.into_iter().find(|(id, _)| *id == asked).and_then(|(_, node)| node));
    }
    connection::page(context, rows.into_iter().map(|(_, node)| shown(node)).collect(), call)
}

/// What all of them have in common: numbers, words they are filed under, comments.
struct Common<'a> {
    on: On,
    id: u64,
    filed: &'a Filed,
    created: &'a str,
    updated: &'a str,
    fields: &'a Map<String, Value>,
}

impl<'a> Common<'a> {
    fn field(&self, context: Context<'a>, call: &Call<'_>) -> Result<Resolved<'a>, Failure> {
        let state: &'a State = context.state;
        let count = || state.count_comments(self.on, self.id);
        Ok(match call.name {
            "id" => Resolved::leaf(self.id),
            "type" => Resolved::leaf(self.on.class()),
            "url" => Resolved::leaf(address(state, self.on, self.id)),
            "createdAt" => Resolved::leaf(self.created),
            "updatedAt" => Resolved::leaf(self.updated),
            "category" => terms("Category", &state.categories, self.filed.category).pop().unwrap_or(Resolved::NULL),
            "scope" => terms("Scope", &state.scopes, self.filed.scope).pop().unwrap_or(Resolved::NULL),
            "taxonomies" => Resolved::List(terms("Taxonomy", &state.taxonomies, self.filed.taxonomies.iter().copied())),
            "coordinates" => {
                let nowhere = json!({ "latitude": null, "longitude": null });
                plain(context.schema, call.result, self.fields.get("coordinates").cloned().unwrap_or(nowhere))
            }
            "comments" => replies(context, self.on, self.id, None, call)?,
            "totalCommentsCount" => Resolved::leaf(count()),
            "hasComments" => Resolved::leaf(count() > 0),
            "acceptsNewComments" | "userAllowedToComment" | "commentsHaveVotes" => Resolved::leaf(true),
            "commentsHaveAlignment" => Resolved::leaf(self.on != On::Project),
            name => match self.fields.get(name) {
                Some(value) => plain(context.schema, call.result, value.clone()),
                None => fallback(context.schema, call.result),
            },
        })
    }
}

pub(super) fn meeting<'a>(context: Context<'a>, meeting: &'a Meeting, call: &Call<'_>) -> Result<Resolved<'a>, Failure> {
    let Meeting { id, filed, created, updated, fields, .. } = meeting;
    Ok(match call.name {
        "author" => meeting.author.map_or(Resolved::NULL, |id| account_of(context.state, id)),
        "privateMeeting" => Resolved::leaf(meeting.private),
        "transparent" => Resolved::leaf(!meeting.opaque),
        "withdrawn" | "isWithdrawn" => Resolved::leaf(meeting.withdrawn),
        // Only the report itself waits: the figures are given away.
        "closingReport" | "videoUrl" | "audioUrl" if meeting.report_hidden => Resolved::NULL,
        // Null where there is none, although the type forbids it: the meeting is taken away.
        "onlineMeetingUrl" => fields.get("onlineMeetingUrl").cloned().map_or(Resolved::NULL, Resolved::Leaf),
        "userAllowedToComment" => Resolved::leaf(!meeting.private),
        _ => return Common { on: On::Meeting, id: *id, filed, created, updated, fields }.field(context, call),
    })
}

pub(super) fn result<'a>(context: Context<'a>, result: &'a Outcome, call: &Call<'_>) -> Result<Resolved<'a>, Failure> {
    let Outcome { id, filed, created, updated, fields, .. } = result;
    let children = || context.state.results.iter().filter(|r| r.parent == Some(*id) && !r.trashed);
    Ok(match call.name {
        "parent" => {
            result.parent.and_then(|id| context.state.result(id)).map_or(Resolved::NULL, |r| Resolved::Node(Node::Result(r)))
        }
        "children" => Resolved::List(children().map(|r| Resolved::Node(Node::Result(r))).collect()),
        "childrenCount" => Resolved::leaf(children().count()),
        "timelineEntries" | "milestones" => {
            let whole = json!({ "id": id.to_string() });
            let entry = |milestone: &Map<String, Value>| {
                milestone.clone().into_iter().chain([("result".to_owned(), whole.clone())]).collect::<Map<_, _>>()
            };
            plain(context.schema, call.result, result.milestones.iter().map(entry).collect::<Vec<_>>().into())
        }
        "proposals" => proposals(context.state, &result.proposals),
        _ => return Common { on: On::Result, id: *id, filed, created, updated, fields }.field(context, call),
    })
}

pub(super) fn budget<'a>(context: Context<'a>, budget: &'a Budget, call: &Call<'_>) -> Resolved<'a> {
    let Budget { id, filed, created, updated, fields, .. } = budget;
    match call.name {
        "projects" => {
            let new = context.state.generation.is_031();
            let node = |p: &'a Project| if new { Resolved::Node(Node::Project(budget, p)) } else { Resolved::NULL };
            Resolved::List(budget.projects.iter().map(node).collect())
        }
        "url" => Resolved::leaf(context.state.path_of_budget(budget)),
        _ => {
            // A ballot itself is not discussed: none of the fields that can fail is one of its type.
            let common = Common { on: On::Project, id: *id, filed, created, updated, fields };
            common.field(context, call).unwrap_or(Resolved::NULL)
        }
    }
}

pub(super) fn project<'a>(
    context: Context<'a>,
    budget: &'a Budget,
    project: &'a Project,
    call: &Call<'_>,
) -> Result<Resolved<'a>, Failure> {
    let Project { id, filed, created, updated, fields, .. } = project;
    Ok(match call.name {
        "confirmedVotes" => Resolved::leaf(project.votes),
        "relatedProposals" => proposals(context.state, &project.proposals),
        "budgetUrl" => Resolved::leaf(context.state.path_of_budget(budget)),
        _ => return Common { on: On::Project, id: *id, filed, created, updated, fields }.field(context, call),
    })
}

/// Linked proposals: one that nobody may see is a null.
fn proposals<'a>(state: &'a State, ids: &[u64]) -> Resolved<'a> {
    let node = |id: &u64| {
        let found = state.proposal(*id).filter(|p| state.proposal_is_public(p));
        found.map_or(Resolved::NULL, |p| Resolved::Node(Node::Proposal(p)))
    };
    Resolved::List(ids.iter().map(node).collect())
}
