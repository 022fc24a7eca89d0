//! What people do on a simulated platform, moving exactly the dates and counters that the real one moves
//! (measured tables "what moves when" of the recordings, 0.28.6 and 0.31.8).

use serde_json::{Map, Value, json};

use super::state::{Comment, Proposal, State, Texts};
use super::things::On;

/// A proposal to be published.
#[derive(Debug, Clone)]
pub struct NewProposal<'a> {
    /// The component it goes to.
    pub component: u64,
    /// The author's account.
    pub author: u64,
    /// Title, in French.
    pub title: &'a str,
    /// Body, in French.
    pub body: &'a str,
    /// Latitude and longitude, if it has a place.
    pub place: Option<(f64, f64)>,
}

fn french(text: &str) -> Texts {
    Map::from_iter([("fr".to_owned(), Value::from(text))])
}

impl State {
    pub(super) fn touch(&mut self, id: u64, versions: u64, change: impl FnOnce(&mut Proposal)) -> bool {
        let now = self.now.clone();
        let Some(proposal) = self.proposals.iter_mut().find(|p| p.id == id) else { return false };
        change(proposal);
        proposal.versions += versions;
        proposal.updated = now;
        true
    }

    /// Publishes a new proposal at the end of its component; answers its number.
    pub fn add_proposal(&mut self, new: &NewProposal<'_>) -> u64 {
        let id = self.proposals.iter().map(|p| p.id).max().unwrap_or(0) + 1;
        let mut fields = Map::new();
        fields.insert("reference".into(), json!(format!("DEM-PROP-2026-11-{id}")));
        if let Some((latitude, longitude)) = new.place {
            fields.insert("coordinates".into(), json!({ "latitude": latitude, "longitude": longitude }));
        }
        self.proposals.push(Proposal {
            id,
            component: new.component,
            title: french(new.title),
            body: french(new.body),
            authors: vec![new.author],
            official: false,
            from_meeting: false,
            hidden: false,
            draft: false,
            trashed: false,
            withdrawn: false,
            withdrawn_at: None,
            state: None,
            decision: None,
            answer: None,
            answered: None,
            votes: 0,
            likes: Vec::new(),
            taxonomies: Vec::new(),
            category: None,
            scope: None,
            amendments: Vec::new(),
            versions: 1,
            created: self.now.clone(),
            published: Some(self.now.clone()),
            updated: self.now.clone(),
            fields,
        });
        id
    }

    /// Its author rewrites a proposal.
    pub fn edit_proposal(&mut self, id: u64, title: &str, body: &str) -> bool {
        self.touch(id, 1, |p| (p.title, p.body) = (french(title), french(body)))
    }

    /// One more supporter; `updatedAt` moves in 0.31 only.
    pub fn vote(&mut self, id: u64) -> bool {
        let moves = self.generation.is_031();
        let Some(proposal) = self.proposals.iter_mut().find(|p| p.id == id) else { return false };
        proposal.votes += 1;
        if moves {
            proposal.updated.clone_from(&self.now);
        }
        true
    }

    /// A like (0.31) or endorsement (0.28); moves no date.
    pub fn like(&mut self, id: u64, user: u64) -> bool {
        self.proposals.iter_mut().find(|p| p.id == id).is_some_and(|p| {
            p.likes.push(user);
            true
        })
    }

    /// The number of the state called `token` that a component uses (0.31).
    fn decision(&self, proposal: u64, token: &str) -> Option<u64> {
        let component = self.proposal(proposal)?.component;
        let named = |fields: &&Map<String, Value>| fields.get("token").and_then(Value::as_str) == Some(token);
        let of_component = |fields: &Map<String, Value>| fields.get("component").and_then(Value::as_u64) == Some(component);
        let mut candidates: Vec<_> = self.states.iter().filter(|(_, fields)| named(fields)).collect();
        candidates.sort_by_key(|(_, fields)| !of_component(fields));
        candidates.first().map(|(id, _)| **id)
    }

    /// The city answers and publishes the answer.
    pub fn answer(&mut self, id: u64, state: &str, text: &str) -> bool {
        let (decision, now) = (self.decision(id, state), self.now.clone());
        self.touch(id, 1, |p| {
            (p.state, p.decision) = (Some(state.to_owned()), decision);
            (p.answer, p.answered) = (Some(french(text)), Some(now));
        })
    }

    /// The city prepares an answer that is not published yet (both generations leak parts of it).
    pub fn prepare_answer(&mut self, id: u64, state: &str, text: &str) -> bool {
        let (decision, now) = (self.decision(id, state), self.now.clone());
        self.touch(id, 1, |p| {
            (p.state, p.decision) = (None, decision);
            (p.answer, p.answered) = (Some(french(text)), Some(now));
            p.fields.insert("prepared".into(), json!(state));
        })
    }

    /// The prepared answer becomes public; its date stays.
    pub fn publish_answer(&mut self, id: u64) -> bool {
        let decided = self.proposal(id).and_then(|p| p.decision).and_then(|decision| self.states.get(&decision));
        let decided = decided.and_then(|fields| fields.get("token").and_then(Value::as_str).map(str::to_owned));
        self.touch(id, 1, |p| {
            let prepared = p.fields.remove("prepared").and_then(|token| token.as_str().map(str::to_owned));
            p.state = Some(decided.or(prepared).unwrap_or_else(|| "rejected".to_owned()));
        })
    }

    /// Its author withdraws a proposal; it stays visible.
    pub fn withdraw(&mut self, id: u64) -> bool {
        let (new, now) = (self.generation.is_031(), self.now.clone());
        self.touch(id, 1, |p| {
            (p.withdrawn, p.withdrawn_at) = (true, Some(now));
            let state = if new { p.state.take().unwrap_or_else(|| "not_answered".to_owned()) } else { "withdrawn".to_owned() };
            p.state = Some(state);
        })
    }

    /// Somebody reports a proposal: nothing visible but `updatedAt`.
    pub fn report(&mut self, id: u64) -> bool {
        self.touch(id, 0, |_| ())
    }

    /// Moderation hides a proposal: a null node in lists, 404 on its page.
    pub fn hide(&mut self, id: u64) -> bool {
        self.touch(id, 0, |p| p.hidden = true)
    }

    /// Moderation shows it again, with a newer `updatedAt`.
    pub fn unhide(&mut self, id: u64) -> bool {
        self.touch(id, 0, |p| p.hidden = false)
    }

    /// The administration bins a proposal (0.31): later ones of the component move, their cursors shift.
    pub fn trash(&mut self, id: u64) -> bool {
        let Some(component) = self.proposal(id).map(|p| p.component) else { return false };
        let now = self.now.clone();
        for later in self.proposals.iter_mut().filter(|p| p.component == component && p.id > id) {
            later.updated.clone_from(&now);
        }
        self.touch(id, 0, |p| p.trashed = true)
    }

    /// Takes it out of the bin, into its old place.
    pub fn restore(&mut self, id: u64) -> bool {
        self.touch(id, 1, |p| p.trashed = false)
    }

    /// Deletes the row and its comments: the edge disappears, later cursors shift.
    pub fn delete_proposal(&mut self, id: u64) -> bool {
        let before = self.proposals.len();
        self.proposals.retain(|p| p.id != id);
        self.comments.retain(|c| c.on != On::Proposal || c.root != id);
        self.proposals.len() < before
    }

    /// Changes the category (0.28); moves nothing else, not even the number of versions.
    pub fn categorize(&mut self, id: u64, category: Option<u64>) -> bool {
        self.proposals.iter_mut().find(|p| p.id == id).is_some_and(|p| {
            p.category = category;
            true
        })
    }

    /// Changes the taxonomies (0.31); moves nothing else.
    pub fn classify(&mut self, id: u64, taxonomies: &[u64]) -> bool {
        self.proposals.iter_mut().find(|p| p.id == id).is_some_and(|p| {
            p.taxonomies = taxonomies.to_vec();
            true
        })
    }

    /// Somebody comments on a proposal, or answers the comment `parent`; answers the number.
    pub fn add_comment(&mut self, root: u64, parent: Option<u64>, author: u64, alignment: i64, body: &str) -> u64 {
        let id = self.comments.iter().map(|c| c.id).max().unwrap_or(0) + 1;
        self.comments.push(Comment {
            id,
            on: On::Proposal,
            root,
            parent,
            author,
            body: body.to_owned(),
            formatted: None,
            alignment,
            up_votes: 0,
            down_votes: 0,
            hidden: false,
            deleted: false,
            created: self.now.clone(),
            updated: self.now.clone(),
        });
        self.touch(root, 0, |_| ());
        id
    }

    fn touch_comment(&mut self, id: u64, change: impl FnOnce(&mut Comment)) -> bool {
        let now = self.now.clone();
        let Some(comment) = self.comments.iter_mut().find(|c| c.id == id) else { return false };
        change(comment);
        comment.updated = now;
        let (on, root) = (comment.on, comment.root);
        self.touch_root(on, root)
    }

    /// Its author rewrites a comment.
    pub fn edit_comment(&mut self, id: u64, body: &str) -> bool {
        self.touch_comment(id, |c| body.clone_into(&mut c.body))
    }

    /// Somebody votes for a comment.
    pub fn vote_comment(&mut self, id: u64) -> bool {
        self.touch_comment(id, |c| c.up_votes += 1)
    }

    /// Moderation hides a comment: it is left out, its replies with it.
    pub fn hide_comment(&mut self, id: u64) -> bool {
        self.touch_comment(id, |c| c.hidden = true)
    }

    /// Moderation shows a comment again.
    pub fn unhide_comment(&mut self, id: u64) -> bool {
        self.touch_comment(id, |c| c.hidden = false)
    }

    /// Its author deletes a comment: from now on asking for the tree nulls whatever carries it.
    pub fn delete_comment(&mut self, id: u64) -> bool {
        self.touch_comment(id, |c| c.deleted = true)
    }

    /// Another step becomes the present one; 0.31 moves the dates of both steps and of the process.
    pub fn activate_step(&mut self, process: u64, step: &str) -> bool {
        let (new, now) = (self.generation.is_031(), json!(self.now));
        let Some(process) = self.processes.iter_mut().find(|p| p.id == process) else { return false };
        for fields in &mut process.steps {
            let chosen = fields.get("id").and_then(Value::as_str) == Some(step);
            let active = fields.get("active").and_then(Value::as_bool) == Some(true);
            if chosen != active {
                fields.insert("active".into(), json!(chosen));
                if new {
                    fields.insert("updatedAt".into(), now.clone());
                    process.fields.insert("updatedAt".into(), now.clone());
                }
            }
        }
        true
    }

    /// Publishes or unpublishes a component; the process does not move.
    pub fn publish_component(&mut self, id: u64, published: bool) -> bool {
        self.components.iter_mut().find(|c| c.id == id).is_some_and(|c| {
            c.unpublished = !published;
            true
        })
    }

    /// Publishes (with a new `publishedAt`) or unpublishes a process.
    pub fn publish_process(&mut self, id: u64, published: bool) -> bool {
        let now = json!(self.now);
        self.processes.iter_mut().find(|p| p.id == id).is_some_and(|p| {
            p.unpublished = !published;
            p.fields.insert("updatedAt".into(), now.clone());
            if published {
                p.fields.insert("publishedAt".into(), now);
            }
            true
        })
    }

    /// Somebody closes their account: authors become null everywhere, no date moves.
    pub fn delete_account(&mut self, id: u64) -> bool {
        self.users.get_mut(&id).is_some_and(|user| {
            *user = super::state::User { deleted: true, ..Default::default() };
            true
        })
    }
}
