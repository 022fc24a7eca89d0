//! The discussion of proposals, meetings and results: the comments of two levels a page, deeper ones one by one.
//!
//! One comment that its author deleted nulls the thing it hangs on, and one of a deleted account does
//! when authors are asked. So a page that complains is asked again without authors, and a discussion that
//! still fails is put together comment by comment: the open data say which ids there are, the platform is
//! asked for each through `singleCommentId`, and its own count says whether all were found.
//!
//! 0.28 answers nothing at all as soon as comments on a result are asked for. There the words are read from the open
//! data, which list neither hidden nor deleted comments.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::COMMENT;
use super::kind::Kind;
use super::open_data::is_number;
use super::pages::comment_page;
use super::paging::{Page, Step, Walk, read_page, try_page};
use super::proposals::Known;
use super::queries::{Question, Questions};
use super::rows::CommentRow;
use super::scan::{Component, Draft, Process, Scan};
use crate::connectors::ConnectorError;
use crate::domain::source::Evidence;

/// Things a page.
const PAGE: u32 = 20;
/// Comments a question: no more aliases are allowed.
const ALIASES: usize = 5;
/// Replies reach this depth; the first comment has depth 0.
const DEEPEST: u32 = 5;
/// What the platform calls a comment.
pub(super) const CLASS: &str = "Decidim::Comments::Comment";

/// A comment and where it stands.
#[derive(Debug, Clone)]
struct Placed {
    fields: Value,
    parent: Option<String>,
    depth: u32,
}

/// The comments on one thing, as far as they were read.
#[derive(Debug, Clone, Default)]
struct Discussion {
    found: BTreeMap<String, Placed>,
    /// Exist, but hang on something hidden.
    held: BTreeSet<String>,
    failed: bool,
}

/// A comment that is asked for by id.
#[derive(Debug, Clone)]
struct Ask {
    on: String,
    comment: String,
}

/// What a question for one comment brought.
#[derive(Debug, Clone, PartialEq)]
enum Single {
    /// It, or its replies.
    Found(Vec<Value>),
    /// The platform does not show it.
    Absent,
    /// Something in it cannot be shown: it was deleted by its author (or one of its replies was).
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Itself,
    Replies,
}

impl Scan<'_> {
    /// Reads and sends the comments on the things of a component.
    pub(super) async fn read_comments(
        &mut self,
        process: &Process,
        component: &Component,
        things: &BTreeMap<String, Known>,
    ) -> Result<(), ConnectorError> {
        if things.values().all(|known| known.comments == 0) {
            return Ok(());
        }
        self.progress(COMMENT, format!("{} / component {}", process.slug, component.id)).await?;
        let read = self.first_levels(component, things).await?;
        let broken = read.is_none();
        let mut discussions = read.unwrap_or_default();
        self.deeper_levels(component, &mut discussions).await?;
        for (id, known) in things {
            let mut discussion = discussions.remove(id).unwrap_or(Discussion { failed: true, ..Discussion::default() });
            if broken {
                self.add_from_open_data(component, id, &mut discussion).await?;
            } else if discussion.failed {
                self.recover(component, id, &mut discussion).await?;
            }
            if discussion.failed {
                self.check_count(component, id, known, &discussion);
            }
            self.send_discussion(process, component, id, known, discussion).await?;
        }
        Ok(())
    }

    /// The two levels that one question can hold, page by page; `None` when the platform breaks over the question.
    async fn first_levels(
        &mut self,
        component: &Component,
        things: &BTreeMap<String, Known>,
    ) -> Result<Option<BTreeMap<String, Discussion>>, ConnectorError> {
        let with_authors = self.questions.text_on(Question::Comments, component.kind);
        let without = self.without_authors().text_on(Question::Comments, component.kind);
        let (mut walk, mut discussions) = (Walk::default(), BTreeMap::new());
        loop {
            let after = walk.after().map(str::to_owned);
            // A generation breaks over comments on results every time: patience would only cost time.
            let read = async |text: &str| match component.kind {
                Kind::Results => try_page(self.polite, text, component, PAGE, after.as_deref()).await,
                _ => read_page(self.polite, text, component, PAGE, after.as_deref()).await,
            };
            let page = match read(&with_authors).await {
                Ok(Some(page)) if page.complaints.is_empty() => page,
                // Authors that are gone take discussions away, or the whole answer: try without them.
                Ok(Some(page)) => merge(page, read(&without).await?),
                Ok(None) => return Ok(Some(discussions)),
                Err(ConnectorError::Failing { status: 500, .. }) => match read(&without).await {
                    Ok(page) => page.unwrap_or_default(),
                    // It is the comments that it breaks over, if it still answers for the things they hang on.
                    Err(error @ ConnectorError::Failing { status: 500, .. }) => {
                        return if self.still_answers(component).await { Ok(None) } else { Err(error) };
                    }
                    Err(error) => return Err(error),
                },
                Err(error) => return Err(error),
            };
            for node in page.nodes.iter().flatten() {
                let id = node["id"].as_str().unwrap_or_default();
                if things.contains_key(id) {
                    let mut discussion = Discussion::default();
                    place(&mut discussion.found, &node["comments"], None, 0);
                    discussions.insert(id.to_owned(), discussion);
                }
            }
            match walk.take(&page) {
                Step::More => {}
                Step::End => return Ok(Some(discussions)),
                Step::Lost(why) => {
                    self.incomplete(COMMENT, format!("component {}: {why}", component.id));
                    return Ok(Some(discussions));
                }
            }
        }
    }

    /// Whether the platform answers another question about the same things.
    async fn still_answers(&self, component: &Component) -> bool {
        let ids = self.questions.text_on(Question::Places, component.kind);
        matches!(try_page(self.polite, &ids, component, PAGE, None).await, Ok(Some(_)))
    }

    /// Takes a discussion as the open data hold it.
    async fn add_from_open_data(&mut self, component: &Component, on: &str, into: &mut Discussion) -> Result<(), ConnectorError> {
        for row in self.rows_on(component.kind, on) {
            let Some(fields) = row.as_fields() else { continue };
            // The nearest come first: a parent that is not there is hidden, or deleted, which cannot be told here.
            if row.parent.as_ref().is_some_and(|parent| !into.found.contains_key(parent)) {
                self.withhold(COMMENT, &row.id, "it replies to a comment that is not shown".to_owned()).await?;
                into.held.insert(row.id);
            } else {
                into.found.insert(row.id, Placed { fields, parent: row.parent, depth: row.depth });
            }
        }
        Ok(())
    }

    fn rows_on(&self, kind: Kind, on: &str) -> Vec<CommentRow> {
        self.open_data.witness().map_or_else(Vec::new, |witness| witness.comments_on(kind, on).into_iter().cloned().collect())
    }

    /// Replies below the second level, through the comment they hang on.
    async fn deeper_levels(
        &mut self,
        component: &Component,
        discussions: &mut BTreeMap<String, Discussion>,
    ) -> Result<(), ConnectorError> {
        for depth in 1..DEEPEST {
            let mut asks = Vec::new();
            for (on, discussion) in discussions.iter() {
                let parents = discussion.found.iter().filter(|(_, placed)| placed.depth == depth && has_replies(placed));
                asks.extend(parents.map(|(id, _)| Ask { on: on.clone(), comment: id.clone() }));
            }
            for (ask, single) in self.singles(component, asks, Part::Replies).await? {
                let Some(discussion) = discussions.get_mut(&ask.on) else { continue };
                match single {
                    Single::Found(replies) => {
                        place(&mut discussion.found, &Value::Array(replies), Some(&ask.comment), depth + 1);
                    }
                    Single::Absent | Single::Failed => discussion.failed = true,
                }
            }
        }
        Ok(())
    }

    /// Puts a discussion together comment by comment, from the ids in the open data.
    async fn recover(&mut self, component: &Component, on: &str, into: &mut Discussion) -> Result<(), ConnectorError> {
        let rows = self.rows_on(component.kind, on);
        let missing = rows.iter().filter(|row| !into.found.contains_key(&row.id));
        let asks = missing.map(|row| Ask { on: on.to_owned(), comment: row.id.clone() }).collect();
        let mut read = BTreeMap::new();
        for (ask, single) in self.singles(component, asks, Part::Itself).await? {
            if let Single::Found(mut fields) = single {
                read.extend(fields.pop().map(|fields| (ask.comment, fields)));
            }
        }
        let hidden = self.hidden_parents(component, on, &rows, into, &read).await?;
        for row in rows {
            let Some(fields) = read.remove(&row.id) else { continue };
            let under_hidden = row.parent.as_ref().is_some_and(|parent| hidden.contains(parent) || into.held.contains(parent));
            if under_hidden {
                self.withhold(COMMENT, &row.id, "it replies to a comment that is not shown".to_owned()).await?;
                into.held.insert(row.id);
            } else {
                into.found.insert(row.id, Placed { fields, parent: row.parent, depth: row.depth });
            }
        }
        Ok(())
    }

    /// Which parents are hidden (as against deleted by their author: replies to those stay visible).
    async fn hidden_parents(
        &self,
        component: &Component,
        on: &str,
        rows: &[CommentRow],
        discussion: &Discussion,
        read: &BTreeMap<String, Value>,
    ) -> Result<BTreeSet<String>, ConnectorError> {
        let known = |id: &String| read.contains_key(id) || discussion.found.contains_key(id);
        let parents: BTreeSet<&String> = rows.iter().filter_map(|row| row.parent.as_ref()).filter(|id| !known(id)).collect();
        let asks = parents.into_iter().map(|id| Ask { on: on.to_owned(), comment: id.clone() }).collect();
        let answers = self.singles(component, asks, Part::Itself).await?;
        Ok(answers.into_iter().filter(|(_, single)| *single == Single::Absent).map(|(ask, _)| ask.comment).collect())
    }

    /// Whether a discussion that had to be put together is whole, by the platform's own count.
    fn check_count(&mut self, component: &Component, on: &str, known: &Known, discussion: &Discussion) {
        let accounted = (discussion.found.len() + discussion.held.len()) as u64;
        if accounted < known.comments {
            let missing = known.comments - accounted;
            let source =
                if self.open_data.witness().is_some() { "its open data do not name" } else { "there are no open data to name" };
            let thing = component.kind.one();
            self.incomplete(COMMENT, format!("{thing} {on}: {missing} comments cannot be read, and {source} them"));
        }
    }

    async fn send_discussion(
        &mut self,
        process: &Process,
        component: &Component,
        on: &str,
        known: &Known,
        discussion: Discussion,
    ) -> Result<(), ConnectorError> {
        let mut evidence: BTreeMap<String, Evidence> = BTreeMap::new();
        let mut comments: Vec<_> = discussion.found.into_iter().collect();
        comments.sort_by_key(|(id, placed)| (placed.depth, id.len(), id.clone()));
        for (id, Placed { mut fields, parent, .. }) in comments {
            // The number of the author's account, where the discussion did not tell it.
            strip(&mut fields, self.row_of(&id).and_then(|row| row.author.clone()));
            let mut context = process.context(Some(component));
            context["parent_comment"] = parent.as_ref().map(|parent| json!({ "id": parent })).unwrap_or_default();
            context["root"] = json!({ "entity": component.kind.entity(), "id": on });
            context["language"] = json!(self.row_of(&id).and_then(|row| row.language.as_deref()));
            let above = parent.as_ref().and_then(|parent| evidence.get(parent)).unwrap_or(&known.evidence).clone();
            let url = comment_page(self.polite.base(), &fields, known.url.as_ref());
            let draft = Draft { url, ..Draft::new(COMMENT, fields, context, &above) };
            if let Some(proven) = self.send(draft).await? {
                evidence.insert(id, proven);
            }
        }
        Ok(())
    }

    fn row_of(&self, comment: &str) -> Option<&CommentRow> {
        self.open_data.witness()?.comment(comment)
    }

    fn without_authors(&self) -> Questions {
        self.questions.without("Comment", "author")
    }

    /// Asks for comments by id, five at a time; with their authors, and those that fail again without.
    async fn singles(&self, component: &Component, asks: Vec<Ask>, part: Part) -> Result<Vec<(Ask, Single)>, ConnectorError> {
        let mut done = Vec::new();
        let mut again = Vec::new();
        for (ask, single) in self.singles_as(&self.questions, component, asks, part).await? {
            if single == Single::Failed { again.push(ask) } else { done.push((ask, single)) }
        }
        done.extend(self.singles_as(&self.without_authors(), component, again, part).await?);
        Ok(done)
    }

    async fn singles_as(
        &self,
        questions: &Questions,
        component: &Component,
        asks: Vec<Ask>,
        part: Part,
    ) -> Result<Vec<(Ask, Single)>, ConnectorError> {
        let mut done = Vec::new();
        let asks: Vec<Ask> = asks.into_iter().filter(|ask| is_number(&ask.on) && is_number(&ask.comment)).collect();
        for chunk in asks.chunks(ALIASES) {
            let text = questions.text_with(Question::SingleComments, component.kind, &asked(component.kind, chunk, part));
            let answer = match self.polite.ask_trying(&text, json!({ "id": component.id }), 1).await {
                Ok(answer) => answer,
                Err(ConnectorError::Failing { status: 500, .. }) => {
                    done.extend(chunk.iter().map(|ask| (ask.clone(), Single::Failed)));
                    continue;
                }
                Err(error) => return Err(error),
            };
            for (index, ask) in chunk.iter().enumerate() {
                let node = &answer.data["component"][format!("c{index}")];
                done.push((ask.clone(), single(node, !answer.errors.is_empty(), part)));
            }
        }
        Ok(done)
    }
}

/// The lines of a question for a few comments.
fn asked(kind: Kind, asks: &[Ask], part: Part) -> String {
    let wanted = match part {
        Part::Itself => "...CommentFields",
        Part::Replies => "id comments(orderBy: \"older\") { ...CommentFields }",
    };
    let one = kind.one();
    let line = |(index, Ask { on, comment }): (usize, &Ask)| {
        format!("c{index}: {one}(id: \"{on}\") {{ id comments(singleCommentId: \"{comment}\") {{ {wanted} }} }}")
    };
    asks.iter().enumerate().map(line).collect::<Vec<_>>().join("\n      ")
}

/// Reads the answer for one comment.
fn single(node: &Value, complaints: bool, part: Part) -> Single {
    match (node["comments"].as_array(), part) {
        (Some(list), Part::Itself) if !list.is_empty() => Single::Found(list.clone()),
        (Some(list), Part::Replies) if !list.is_empty() => {
            Single::Found(list[0]["comments"].as_array().cloned().unwrap_or_default())
        }
        (None, _) if complaints => Single::Failed,
        (Some(_) | None, _) => Single::Absent,
    }
}

/// Puts a list of comments and their replies where they belong.
fn place(found: &mut BTreeMap<String, Placed>, list: &Value, parent: Option<&str>, depth: u32) {
    for comment in list.as_array().into_iter().flatten() {
        let Some(id) = comment["id"].as_str() else { continue };
        place(found, &comment["comments"], Some(id), depth + 1);
        found.insert(id.to_owned(), Placed { fields: comment.clone(), parent: parent.map(str::to_owned), depth });
    }
}

fn has_replies(placed: &Placed) -> bool {
    placed.fields["hasComments"] == json!(true)
}

/// Leaves the comment itself: its replies are items of their own, and a missing author gets its number.
fn strip(fields: &mut Value, author: Option<String>) {
    if let Some(fields) = fields.as_object_mut() {
        fields.remove("comments");
        if fields.get("author").is_none_or(Value::is_null) {
            fields.insert("author".to_owned(), author.map_or(Value::Null, |id| json!({ "id": id })));
        }
    }
}

/// The page without authors, with what the first answer could show.
fn merge(with: Page, without: Option<Page>) -> Page {
    let Some(mut page) = without else { return with };
    let mut shown: BTreeMap<String, Value> = BTreeMap::new();
    for node in with.nodes.into_iter().flatten() {
        if let Some(id) = node["id"].as_str() {
            shown.insert(id.to_owned(), node);
        }
    }
    for node in page.nodes.iter_mut().flatten() {
        if let Some(full) = node["id"].as_str().and_then(|id| shown.remove(id)) {
            *node = full;
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_placed_under_their_comment() {
        let list = json!([{ "id": "1", "hasComments": true, "comments": [{ "id": "2", "comments": [] }] }, { "id": "3" }]);
        let mut found = BTreeMap::new();
        place(&mut found, &list, None, 0);
        let places: Vec<_> = found.iter().map(|(id, p)| (id.as_str(), p.parent.as_deref(), p.depth)).collect();
        assert_eq!(places, [("1", None, 0), ("2", Some("1"), 1), ("3", None, 0)]);
        let mut fields = found["1"].fields.clone();
        strip(&mut fields, Some("7".to_owned()));
        assert_eq!(fields, json!({ "id": "1", "hasComments": true, "author": { "id": "7" } }));
    }

    #[test]
    fn an_empty_list_is_not_shown_and_a_null_with_a_complaint_is_a_failure() {
        assert_eq!(single(&json!({ "comments": [] }), false, Part::Itself), Single::Absent);
        assert_eq!(single(&Value::Null, true, Part::Itself), Single::Failed);
        assert_eq!(single(&Value::Null, false, Part::Itself), Single::Absent);
        let one = json!({ "comments": [{ "id": "1", "comments": [{ "id": "2" }] }] });
        assert_eq!(single(&one, true, Part::Replies), Single::Found(vec![json!({ "id": "2" })]));
    }

    #[test]
    fn at_most_five_comments_stand_in_a_question_and_none_nests_deeper_than_allowed() {
        let ask = |n: u32| Ask { on: "1".to_owned(), comment: n.to_string() };
        let asks: Vec<Ask> = (0..5).map(ask).collect();
        let text = asked(Kind::Meetings, &asks, Part::Replies);
        let text = Questions::default().text_with(Question::SingleComments, Kind::Meetings, &text);
        assert!(text.contains("... on Meetings") && text.contains("c4: meeting(id"));
        assert_eq!(text.matches("singleCommentId").count(), ALIASES);
        assert_eq!(text.lines().find(|line| line.contains("c0:")).unwrap().matches("comments(").count(), 2);
    }
}
