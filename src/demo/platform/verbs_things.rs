//! What people do about meetings, results and projects on a simulated platform, moving exactly the dates and the places in
//! lists that the real one moves.

use serde_json::{Map, Value, json};

use super::state::{Comment, State};
use super::things::{Meeting, On, Outcome};

impl State {
    /// Changes a meeting; its date moves, and it moves to the end of its list.
    pub fn change_meeting(&mut self, id: u64, change: impl FnOnce(&mut Meeting)) -> bool {
        let Some(at) = self.meetings.iter().position(|m| m.id == id) else { return false };
        let mut meeting = self.meetings.remove(at);
        change(&mut meeting);
        meeting.updated.clone_from(&self.now);
        self.meetings.push(meeting);
        true
    }

    /// The city closes a meeting with a report, in French, that everybody sees.
    pub fn close_meeting(&mut self, id: u64, attendees: u64, report: &str) -> bool {
        let figure = if self.generation.is_031() { "attendeesCount" } else { "attendeeCount" };
        self.change_meeting(id, |meeting| {
            meeting.report_hidden = false;
            meeting.fields.insert("closed".into(), json!(true));
            meeting.fields.insert(figure.into(), json!(attendees));
            meeting.fields.insert("closingReport".into(), json!({ "fr": report }));
        })
    }

    /// Changes a result; its date moves, and it moves to the end of its list.
    pub fn change_result(&mut self, id: u64, change: impl FnOnce(&mut Outcome)) -> bool {
        let Some(at) = self.results.iter().position(|r| r.id == id) else { return false };
        let mut result = self.results.remove(at);
        change(&mut result);
        result.updated.clone_from(&self.now);
        self.results.push(result);
        true
    }

    /// The city reports how far something is, in percent.
    pub fn report_progress(&mut self, id: u64, percent: f64) -> bool {
        self.change_result(id, |result| {
            result.fields.insert("progress".into(), json!(percent));
        })
    }

    /// The city tells what happened on a day, in French; no date moves. Answers the number.
    pub fn add_milestone(&mut self, result: u64, day: &str, title: &str) -> Option<u64> {
        let number = |milestone: &Map<String, Value>| milestone.get("id")?.as_str()?.parse::<u64>().ok();
        let id = self.results.iter().flat_map(|r| &r.milestones).filter_map(number).max().unwrap_or(0) + 1;
        let milestone = json!({
            "id": id.to_string(), "entryDate": day, "title": { "fr": title }, "createdAt": self.now, "updatedAt": self.now,
        });
        let result = self.results.iter_mut().find(|r| r.id == result)?;
        result.milestones.extend(milestone.as_object().cloned());
        Some(id)
    }

    /// Somebody comments on a meeting, a result or a project; answers the number.
    pub fn comment_on(&mut self, on: On, root: u64, parent: Option<u64>, author: u64, body: &str) -> u64 {
        let id = self.comments.iter().map(|c| c.id).max().unwrap_or(0) + 1;
        self.comments.push(Comment {
            id,
            on,
            root,
            parent,
            author,
            body: body.to_owned(),
            formatted: None,
            alignment: 0,
            up_votes: 0,
            down_votes: 0,
            hidden: false,
            deleted: false,
            created: self.now.clone(),
            updated: self.now.clone(),
        });
        self.touch_root(on, root);
        id
    }

    /// A comment moves the date of what it hangs on.
    pub(super) fn touch_root(&mut self, on: On, root: u64) -> bool {
        match on {
            On::Proposal => self.touch(root, 0, |_| ()),
            On::Meeting => self.change_meeting(root, |_| ()),
            On::Result => self.change_result(root, |_| ()),
            On::Project => true,
        }
    }
}
