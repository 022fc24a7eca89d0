//! Comments, with what each generation gives away and withholds (measured tables of the recordings).

use super::super::state::Comment;
use super::super::things::On;
use super::execute::Context;
use super::resolve::{Call, Failure, Node, Resolved, account_of, fallback};
use super::resolve_proposal::address;
use super::values::to_i;

const COMMENT: &str = "Decidim::Comments::Comment";

/// The comments under a thing or a comment: hidden ones are left out, a deleted one is a null that spoils the list.
pub(super) fn replies<'a>(
    context: Context<'a>,
    on: On,
    root: u64,
    parent: Option<u64>,
    call: &Call<'_>,
) -> Result<Resolved<'a>, Failure> {
    let (state, leaks) = (context.state, context.asked.distortion.leaks);
    let mut comments = state.comments_under(on, root, parent, leaks);
    // Comments on results are a crash as soon as there is one.
    if on == On::Result && !state.generation.is_031() && !comments.is_empty() {
        return Err(Failure::Crash);
    }
    let node = |comment: &'a Comment| if comment.deleted { Resolved::NULL } else { Resolved::Node(Node::Comment(comment)) };
    if let Some(single) = call.arguments.get("singleCommentId").filter(|single| !single.is_null()) {
        let found = state.comment(to_i(single)).filter(|c| c.on == on && c.root == root && (leaks || !c.hidden));
        return Ok(Resolved::List(found.map(node).into_iter().collect()));
    }
    match call.text("orderBy") {
        Some("best_rated" | "most_discussed") => return Err(Failure::Crash),
        Some("recent") => comments.reverse(),
        _ => {}
    }
    Ok(Resolved::List(comments.into_iter().map(node).collect()))
}

pub(super) fn comment<'a>(context: Context<'a>, comment: &'a Comment, call: &Call<'_>) -> Result<Resolved<'a>, Failure> {
    let state = context.state;
    Ok(match call.name {
        "id" => Resolved::leaf(comment.id),
        "type" => Resolved::leaf(COMMENT),
        "sgid" => Resolved::leaf(format!("eyJjb21tZW50Ijo{}--simulated", comment.id)),
        "body" => Resolved::leaf(comment.body.as_str()),
        "formattedBody" => Resolved::leaf(comment.formatted.clone().unwrap_or_else(|| {
            let escaped = comment.body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            format!("<div><p>{escaped}</p></div>")
        })),
        "alignment" => Resolved::leaf(comment.alignment),
        "upVotes" => Resolved::leaf(comment.up_votes),
        "downVotes" => Resolved::leaf(comment.down_votes),
        "createdAt" | "formattedCreatedAt" => Resolved::leaf(comment.created.as_str()),
        "updatedAt" => Resolved::leaf(comment.updated.as_str()),
        "author" => account_of(state, comment.author),
        // The platform does not know where the page of a result is.
        "url" if comment.on == On::Result => Resolved::leaf("/"),
        "url" => {
            let discussed = address(state, comment.on, comment.root);
            Resolved::leaf(format!("{discussed}#comment_{}", comment.id))
        }
        "comments" => replies(context, comment.on, comment.root, Some(comment.id), call)?,
        "hasComments" => {
            let leaks = context.asked.distortion.leaks;
            Resolved::leaf(!state.comments_under(comment.on, comment.root, Some(comment.id), leaks).is_empty())
        }
        "acceptsNewComments" | "userAllowedToComment" => Resolved::leaf(true),
        _ => fallback(context.schema, call.result),
    })
}

/// `commentable(id, type, locale, toggleTranslations)`: what is not public is null; 0.28 crashes over what it does not know.
pub(super) fn commentable<'a>(context: Context<'a>, call: &Call<'_>) -> Result<Resolved<'a>, Failure> {
    let state = context.state;
    let new = state.generation.is_031();
    let locale = call.text("locale").unwrap_or_default();
    if new && !["fr", "en"].contains(&locale) {
        return Err(Failure::Field(format!("{locale} is not a valid locale")));
    }
    let id = to_i(call.argument("id"));
    let shown = |on| state.is_shown(on, id);
    let known = match call.text("type") {
        // 0.28 crashes over comments on results and projects here too.
        Some(COMMENT) => state.comment(id).filter(|c| new || !matches!(c.on, On::Result | On::Project)).map(|c| {
            let shown = !c.hidden && !c.deleted && state.is_shown(c.on, c.root);
            shown.then_some(Node::Comment(c))
        }),
        Some(class) if class == On::Proposal.class() => {
            state.proposal(id).map(|p| Some(Node::Proposal(p)).filter(|_| shown(On::Proposal)))
        }
        Some(class) if class == On::Meeting.class() => {
            state.meeting(id).map(|m| Some(Node::Meeting(m)).filter(|_| shown(On::Meeting)))
        }
        Some(class) if class == On::Result.class() => {
            state.result(id).map(|r| Some(Node::Result(r)).filter(|_| shown(On::Result)))
        }
        // 0.28 answers null for every project.
        Some(class) if class == On::Project.class() => {
            state.project(id).map(|(b, p)| Some(Node::Project(b, p)).filter(|_| new && shown(On::Project)))
        }
        _ if new => return Err(Failure::Field("Invalid commentable type".to_owned())),
        _ => return Err(Failure::Crash),
    };
    match known {
        Some(node) => Ok(node.map_or(Resolved::NULL, Resolved::Node)),
        None if new => Ok(Resolved::NULL),
        None => Err(Failure::Crash),
    }
}
