//! Proposals, with what each generation gives away and withholds (measured tables of the recordings).

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

use super::super::state::{Amendment, Component, Proposal, State, Texts};
use super::super::things::On;
use super::execute::Context;
use super::resolve::{Call, Failure, Node, Resolved, account_of, fallback, plain, terms};
use super::resolve_comment::replies;

const PROPOSAL: &str = On::Proposal.class();

pub(super) fn component_address(state: &State, component: &Component) -> String {
    let slug = state.process(component.process).map(|p| p.slug().to_owned()).unwrap_or_default();
    let list = match component.kind.as_str() {
        "Proposals" => "proposals",
        "Meetings" => "meetings",
        "Debates" => "debates",
        "Blogs" => "posts",
        "Sortitions" => "sortitions",
        "CollaborativeTexts" => "documents",
        "Component" => "elections",
        _ => "",
    };
    format!("@base/processes/{slug}/f/{}/{list}", component.id)
}

/// The address of something's own page.
pub(super) fn address(state: &State, on: On, id: u64) -> String {
    state.path_of(on, id).map(|path| format!("@base{path}")).unwrap_or_default()
}

fn optional<'a>(text: Option<&String>) -> Resolved<'a> {
    text.map_or(Resolved::NULL, |text| Resolved::leaf(text.as_str()))
}

pub(super) fn proposal<'a>(context: Context<'a>, proposal: &'a Proposal, call: &Call<'_>) -> Result<Resolved<'a>, Failure> {
    let (state, schema) = (context.state, context.schema);
    let new = state.generation.is_031();
    let component = state.component(proposal.component);
    let texts = |texts: &Map<String, Value>| plain(schema, call.result, Value::Object(texts.clone()));
    // 0.31 keeps an answer back until its state is published; 0.28 gives it away.
    let answered = !new || proposal.answer_is_public();
    Ok(match call.name {
        "id" => Resolved::leaf(proposal.id),
        "type" => Resolved::leaf(PROPOSAL),
        "url" => Resolved::leaf(address(state, On::Proposal, proposal.id)),
        "title" => texts(&proposal.title),
        "body" => texts(&proposal.body),
        "state" => optional(proposal.state.as_ref()),
        "answer" => proposal.answer.as_ref().filter(|_| answered).map_or(Resolved::NULL, texts),
        "answeredAt" => optional(proposal.answered.as_ref().filter(|_| answered)),
        "proposalState" => decision(context, proposal, call),
        "author" => {
            let first = proposal.authors.first().filter(|_| !proposal.official && !proposal.from_meeting);
            first.map_or(Resolved::NULL, |id| account_of(state, *id))
        }
        "authors" => Resolved::List(proposal.authors.iter().map(|id| account_of(state, *id)).collect()),
        "authorsCount" => Resolved::leaf(proposal.authors.len().max(1)),
        "official" => Resolved::leaf(proposal.official),
        "createdInMeeting" => Resolved::leaf(proposal.from_meeting),
        "withdrawn" => Resolved::leaf(proposal.withdrawn),
        "withdrawnAt" => optional(proposal.withdrawn_at.as_ref()),
        "createdAt" => Resolved::leaf(proposal.created.as_str()),
        "publishedAt" => optional(proposal.published.as_ref()),
        "updatedAt" => Resolved::leaf(proposal.updated.as_str()),
        "voteCount" if component.is_some_and(|c| c.votes_hidden) => Resolved::NULL,
        "voteCount" => Resolved::leaf(proposal.votes),
        "likesCount" | "endorsementsCount" => Resolved::leaf(proposal.likes.len()),
        "likes" | "endorsements" => Resolved::List(proposal.likes.iter().map(|id| account_of(state, *id)).collect()),
        "versionsCount" => Resolved::leaf(proposal.versions),
        "versions" => plain(schema, call.result, versions(proposal)),
        "fingerprint" => plain(schema, call.result, fingerprint(proposal)),
        "taxonomies" => Resolved::List(terms("Taxonomy", &state.taxonomies, proposal.taxonomies.iter().copied())),
        "category" => terms("Category", &state.categories, proposal.category).pop().unwrap_or(Resolved::NULL),
        "scope" => terms("Scope", &state.scopes, proposal.scope).pop().unwrap_or(Resolved::NULL),
        "coordinates" => {
            // Without a place the object is there and its fields fail: null and one error.
            let nowhere = json!({ "latitude": null, "longitude": null });
            plain(schema, call.result, proposal.fields.get("coordinates").cloned().unwrap_or(nowhere))
        }
        "amendments" => {
            Resolved::List(proposal.amendments.iter().map(|a| Resolved::Node(Node::Amendment(proposal, a))).collect())
        }
        "comments" => replies(context, On::Proposal, proposal.id, None, call)?,
        "totalCommentsCount" => Resolved::leaf(state.count_comments(On::Proposal, proposal.id)),
        "hasComments" => Resolved::leaf(state.count_comments(On::Proposal, proposal.id) > 0),
        "acceptsNewComments" | "userAllowedToComment" => Resolved::leaf(component.is_some_and(|c| !c.comments_closed)),
        "commentsHaveVotes" => Resolved::leaf(true),
        "commentsHaveAlignment" => Resolved::leaf(component.is_some_and(|c| !c.no_alignment)),
        name => match proposal.fields.get(name) {
            Some(value) => plain(schema, call.result, value.clone()),
            None => fallback(schema, call.result),
        },
    })
}

/// A hidden emendation takes its amendment away: null and one error.
pub(super) fn amendment<'a>(
    context: Context<'a>,
    amended: &'a Proposal,
    amendment: &'a Amendment,
    call: &Call<'_>,
) -> Resolved<'a> {
    let emendation = context.state.proposal(amendment.emendation).filter(|p| context.state.proposal_is_public(p));
    match call.name {
        "id" => Resolved::leaf(amendment.id),
        "state" => Resolved::leaf(amendment.state.as_str()),
        "amendableType" | "emendationType" => Resolved::leaf(PROPOSAL),
        "amendable" => Resolved::Node(Node::Proposal(amended)),
        "emendation" => emendation.map_or(Resolved::NULL, |p| Resolved::Node(Node::Proposal(p))),
        "amender" => emendation.and_then(|p| p.authors.first()).map_or(Resolved::NULL, |id| account_of(context.state, *id)),
        _ => fallback(context.schema, call.result),
    }
}

/// 0.31 names the decision even before it is published.
fn decision<'a>(context: Context<'a>, proposal: &Proposal, call: &Call<'_>) -> Resolved<'a> {
    let Some((id, fields)) = proposal.decision.and_then(|id| context.state.states.get_key_value(&id)) else {
        return Resolved::NULL;
    };
    let mut fields = fields.clone();
    let count = context.state.proposals.iter().filter(|p| p.decision == Some(*id)).count();
    fields.insert("id".into(), json!(id));
    fields.insert("proposalsCount".into(), json!(count));
    plain(context.schema, call.result, Value::Object(fields))
}

/// One entry per version; of the changes only an answer is kept, which is what leaks before it is published.
fn versions(proposal: &Proposal) -> Value {
    let one = |number: u64| {
        let changeset = match &proposal.answer {
            Some(answer) if number == proposal.versions => json!({ "answer": [null, answer] }),
            _ => json!({}),
        };
        json!({ "id": proposal.id * 1000 + number, "createdAt": proposal.updated, "editor": null, "changeset": changeset })
    };
    (1..=proposal.versions).map(one).collect()
}

/// The digest of title and body, as the platform forms it.
fn fingerprint(proposal: &Proposal) -> Value {
    let form = |texts: &Texts| {
        let (typed, machine): (Texts, Texts) = texts.clone().into_iter().partition(|(_, text)| text.is_string());
        let machine = machine.into_iter().map(|(locale, text)| (locale, text["machine"].clone())).collect::<Map<_, _>>();
        let machine = (!machine.is_empty()).then(|| ("machine_translations".to_owned(), Value::Object(machine)));
        typed.into_iter().chain(machine).collect::<Map<_, _>>()
    };
    let source = json!({ "body": form(&proposal.body), "title": form(&proposal.title) }).to_string();
    json!({ "value": HEXLOWER.encode(digest(&SHA256, source.as_bytes()).as_ref()), "source": source })
}
