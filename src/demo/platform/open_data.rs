//! The open-data archive of a simulated Decidim: the CSV files of its generation, with the columns it writes (the union
//! over the rows in order of appearance, so they differ from day to day) and with what it gives away by mistake.

use std::collections::HashMap;
use std::io::{Cursor, Write};

use serde_json::{Map, Value};
use zip::write::SimpleFileOptions;

use super::open_data_things;
use super::state::{Comment, Proposal, State, Texts};
use super::things::On;

/// The locales of the whole installation, which appear as empty columns.
const LOCALES_028: [&str; 4] = ["fr", "en", "es", "ca"];
const LOCALES_031: [&str; 7] = ["fr", "en", "es", "ca", "it", "ar", "de"];

/// Files of 0.31 that hold nothing here, because the simulator knows no such things.
const EMPTY_031: [&str; 9] = [
    "assemblies",
    "conferences",
    "debate_comments",
    "debates",
    "initiatives",
    "pages",
    "post_comments",
    "posts",
    "moderated_users",
];

/// One row: columns in order, each with nothing, an empty text or a text.
pub(super) type Row = Vec<(String, Option<String>)>;

/// `(name, text)` of every file, names without the host's prefix.
pub(super) fn files(state: &State, base: &str) -> Vec<(String, String)> {
    let new = state.generation.is_031();
    let shown = state.proposals.iter().filter(|p| state.proposal_is_public(p));
    let amended = amended(state);
    let row = |proposal: &Proposal| {
        let amended = amended.get(&proposal.id).copied();
        if new { proposal_031(state, proposal, amended, base) } else { proposal_028(state, proposal, amended, base) }
    };
    let proposals: Vec<Row> = shown.map(row).collect();
    // Comments under a hidden thing are given away; hidden and deleted ones are not. Those on projects are in no file.
    let comments = |on: On| {
        let listed = state.comments.iter().filter(move |c| c.on == on && !c.hidden && !c.deleted);
        sheet(&listed.filter_map(|c| comment(state, c, base)).collect::<Vec<Row>>())
    };
    let mut files = vec![
        ("proposals".to_owned(), sheet(&proposals)),
        ("meetings".to_owned(), sheet(&open_data_things::meetings(state, base))),
        ("results".to_owned(), sheet(&open_data_things::results(state, base))),
        ("projects".to_owned(), sheet(&open_data_things::projects(state, base))),
        ("proposal_comments".to_owned(), comments(On::Proposal)),
        ("meeting_comments".to_owned(), comments(On::Meeting)),
        ("result_comments".to_owned(), comments(On::Result)),
    ];
    if new {
        files.push(("participatory_processes".to_owned(), sheet(&processes(state, base))));
        files.push(("taxonomies".to_owned(), sheet(&taxonomies(state))));
        files.push(("users".to_owned(), sheet(&users(state, base))));
        files.push(("moderations".to_owned(), sheet(&moderations(state))));
        files.extend(EMPTY_031.iter().map(|name| ((*name).to_owned(), String::new())));
    }
    files.sort();
    files
}

/// By emendation, the proposal that it amends.
fn amended(state: &State) -> HashMap<u64, &Proposal> {
    let mut amended = HashMap::new();
    for proposal in &state.proposals {
        for amendment in &proposal.amendments {
            amended.entry(amendment.emendation).or_insert(proposal);
        }
    }
    amended
}

/// The files as a zip, named `HOST-open-data-NAME.csv`.
pub(super) fn archive(host: &str, files: &[(String, String)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(format!("{host}-open-data-{name}.csv"), SimpleFileOptions::default())?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

fn sheet(rows: &[Row]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    if columns.is_empty() {
        return String::new();
    }
    let mut text = columns.join(";") + "\n";
    for row in rows {
        let cell = |column: &&str| {
            row.iter().find(|(name, _)| name == column).map_or_else(String::new, |(_, value)| quoted(value.as_deref()))
        };
        text += &(columns.iter().map(cell).collect::<Vec<_>>().join(";") + "\n");
    }
    text
}

fn quoted(value: Option<&str>) -> String {
    match value {
        None => String::new(),
        Some("") => "\"\"".to_owned(),
        Some(text) if text.contains([';', '"', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ') => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Some(text) => text.to_owned(),
    }
}

/// Typed text as a cell: no markup, folded at 65 columns, no formula.
fn prose(text: &str) -> String {
    let mut words = String::new();
    let mut inside = false;
    for c in text.replace("</p><p>", "\n\n").chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if inside => {}
            _ => words.push(c),
        }
    }
    let mut lines = Vec::new();
    for paragraph in words.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > 65 {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
        lines.push(line);
    }
    guarded(&lines.join("\n"))
}

/// A cell that a spreadsheet would run gets an apostrophe.
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() }
}

/// `2026-09-16 10:00:00 +0200` (0.31) or `2026-09-16 08:00:00 UTC` (0.28).
pub(super) fn moment(state: &State, written: &str) -> String {
    if state.generation.is_031() {
        // `…T10:00:00+02:00` to `… 10:00:00 +0200`
        let (head, zone) = written.split_at(written.len().min(19));
        return format!("{} {}", head.replace('T', " "), zone.replace(':', ""));
    }
    written.parse::<jiff::Timestamp>().map_or_else(|_| written.to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

#[derive(Default)]
pub(super) struct Cells(Row);

impl Cells {
    pub(super) fn finish(self) -> Row {
        self.0
    }

    /// Texts with their markup: of meetings, results and projects the platform takes nothing away.
    pub(super) fn markup(&mut self, name: &str, texts: &Texts) {
        for (locale, text) in texts {
            self.add(format!("{name}/{locale}"), text.as_str().map(guarded));
        }
    }

    pub(super) fn add(&mut self, name: impl Into<String>, value: impl Into<Option<String>>) {
        self.0.push((name.into(), value.into()));
    }

    pub(super) fn number(&mut self, name: &str, value: impl std::fmt::Display) {
        self.add(name, Some(value.to_string()));
    }

    fn nothing(&mut self, names: &[&str]) {
        for name in names {
            self.add(*name, None);
        }
    }

    pub(super) fn texts(&mut self, name: &str, texts: &Texts) {
        for (locale, text) in texts {
            match text.get("machine").and_then(Value::as_str) {
                Some(text) => self.add(format!("{name}/machine_translations/{locale}"), prose(text)),
                None => self.add(format!("{name}/{locale}"), text.as_str().map(prose)),
            }
        }
    }

    fn amends(&mut self, state: &State, amended: Option<&Proposal>, base: &str) {
        self.number("is_amend", amended.is_some());
        match amended {
            Some(amended) => self.texts("original_proposal/title", &amended.title),
            None => self.nothing(&["original_proposal/title"]),
        }
        self.add("original_proposal/url", amended.and_then(|p| where_it_is(state, p, base)).map(|(_, _, page)| page));
    }

    fn every_locale(&mut self, name: &str, locales: &[&str], texts: Option<&Texts>) {
        for locale in locales {
            let text = texts.and_then(|texts| texts.get(*locale)).and_then(Value::as_str).unwrap_or_default();
            self.add(format!("{name}/{locale}"), text.to_owned());
        }
    }
}

/// Names and pages of the authors, as far as their accounts exist.
fn authors(state: &State, proposal: &Proposal, base: &str) -> [String; 3] {
    let ids: Vec<String> = proposal.authors.iter().map(u64::to_string).collect();
    let of = |id: &u64| state.users.get(id);
    let names: Vec<String> = proposal.authors.iter().map(|id| of(id).map(|u| u.name.clone()).unwrap_or_default()).collect();
    let page =
        |id: &u64| of(id).filter(|u| !u.is_gone()).map(|u| format!("{base}/profiles/{}", u.nickname.trim_start_matches('@')));
    let pages: Vec<String> = proposal.authors.iter().filter_map(page).collect();
    [ids.join(","), names.join(","), pages.join(",")]
}

fn place(proposal: &Proposal, name: &str) -> Option<String> {
    proposal.fields.get("coordinates").and_then(|place| place.get(name)).map(Value::to_string)
}

fn field(proposal: &Proposal, name: &str) -> Option<String> {
    proposal.fields.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn where_it_is(state: &State, proposal: &Proposal, base: &str) -> Option<(u64, String, String)> {
    let component = state.component(proposal.component)?;
    let process = state.process(component.process)?;
    let space = format!("{base}/processes/{}", process.slug());
    let page = format!("{space}/f/{}/proposals/{}", component.id, proposal.id);
    Some((process.id, space, page))
}

fn votes(state: &State, proposal: &Proposal) -> Option<String> {
    let hidden = state.component(proposal.component).is_some_and(|c| c.votes_hidden);
    (!hidden).then(|| proposal.votes.to_string())
}

/// The state column is empty until the answer is published; the answer columns are not.
fn proposal_031(state: &State, proposal: &Proposal, amended: Option<&Proposal>, base: &str) -> Row {
    let mut row = Cells(Row::new());
    let [ids, names, pages] = authors(state, proposal, base);
    let (process, space, page) = where_it_is(state, proposal, base).unwrap_or_default();
    row.number("id", proposal.id);
    row.add("author/id", ids);
    row.add("author/name", names);
    row.add("author/url", pages);
    row.add("taxonomies/ids", proposal.taxonomies.iter().map(u64::to_string).collect::<Vec<_>>().join(","));
    for term in state.taxonomies.iter().filter(|term| proposal.taxonomies.contains(&term.id)) {
        row.texts(&format!("taxonomies/{}", term.id), &term.name);
    }
    row.number("participatory_space/id", process);
    row.add("participatory_space/url", space);
    row.number("component/id", proposal.component);
    row.texts("title", &proposal.title);
    row.texts("body", &proposal.body);
    row.add("address", field(proposal, "address"));
    row.add("latitude", place(proposal, "latitude"));
    row.add("longitude", place(proposal, "longitude"));
    row.add("state", proposal.state.clone().filter(|state| state != "not_answered"));
    row.add("state_published_at", proposal.answered.as_ref().filter(|_| proposal.state.is_some()).map(|at| moment(state, at)));
    row.add("reference", field(proposal, "reference"));
    row.every_locale("answer", &LOCALES_031, proposal.answer.as_ref());
    row.add("answered_at", proposal.answered.as_ref().map(|at| moment(state, at)));
    row.add("votes", votes(state, proposal));
    row.number("likes/total_count", proposal.likes.len());
    let likers = proposal.likes.iter().filter_map(|id| state.users.get(id)).map(|u| u.name.clone()).collect::<Vec<_>>();
    row.add("likes/user_likes", likers.join(", "));
    row.number("comments", state.count_comments(On::Proposal, proposal.id));
    row.number("attachments", proposal.fields.get("attachments").and_then(Value::as_array).map_or(0, Vec::len));
    row.number("follows_count", proposal.fields.get("followsCount").and_then(Value::as_u64).unwrap_or(0));
    row.add("published_at", proposal.published.as_ref().map(|at| moment(state, at)));
    row.add("url", page);
    row.add("meeting_urls", String::new());
    row.add("related_proposals", String::new());
    row.amends(state, amended, base);
    row.number("withdrawn", proposal.withdrawn);
    row.add("withdrawn_at", proposal.withdrawn_at.as_ref().map(|at| moment(state, at)));
    row.add("created_at", moment(state, &proposal.created));
    row.add("updated_at", moment(state, &proposal.updated));
    row.number("created_in_meeting", proposal.from_meeting);
    row.number("coauthorships_count", proposal.authors.len().max(1));
    row.nothing(&["cost", "cost_report", "execution_period"]);
    row.0
}

fn proposal_028(state: &State, proposal: &Proposal, amended: Option<&Proposal>, base: &str) -> Row {
    let mut row = Cells(Row::new());
    let [ids, names, pages] = authors(state, proposal, base);
    let (process, space, page) = where_it_is(state, proposal, base).unwrap_or_default();
    let name = |terms: &[super::state::Term], id: Option<u64>| terms.iter().find(|t| Some(t.id) == id).map(|t| t.name.clone());
    row.number("id", proposal.id);
    row.add("author/id", ids);
    row.add("author/name", names);
    row.add("author/url", pages);
    for (column, id, terms) in [("category", proposal.category, &state.categories), ("scope", proposal.scope, &state.scopes)] {
        row.add(format!("{column}/id"), id.map(|id| id.to_string()));
        match name(terms, id) {
            Some(texts) => row.texts(&format!("{column}/name"), &texts),
            None => row.every_locale(&format!("{column}/name"), &LOCALES_028, None),
        }
    }
    row.number("participatory_space/id", process);
    row.add("participatory_space/url", space);
    row.number("component/id", proposal.component);
    row.texts("title", &proposal.title);
    row.texts("body", &proposal.body);
    let place_text = place(proposal, "latitude").zip(place(proposal, "longitude")).map(|(a, b)| format!("{a}, {b}"));
    row.add("address", field(proposal, "address").or(place_text));
    row.add("latitude", place(proposal, "latitude"));
    row.add("longitude", place(proposal, "longitude"));
    row.add("state", proposal.state.clone());
    row.add("reference", field(proposal, "reference"));
    row.every_locale("answer", &LOCALES_028, proposal.answer.as_ref());
    row.add("answered_at", proposal.answered.as_ref().map(|at| moment(state, at)));
    row.add("supports", votes(state, proposal));
    row.number("endorsements/total_count", proposal.likes.len());
    let likers = proposal.likes.iter().filter_map(|id| state.users.get(id)).map(|u| u.name.clone()).collect::<Vec<_>>();
    row.add("endorsements/user_endorsements", likers.join(", "));
    row.number("comments", state.count_comments(On::Proposal, proposal.id));
    row.number("attachments", proposal.fields.get("attachments").and_then(Value::as_array).map_or(0, Vec::len));
    row.number("followers", 0);
    row.add("published_at", proposal.published.as_ref().map(|at| moment(state, at)));
    row.add("url", page);
    row.add("meeting_urls", String::new());
    row.add("related_proposals", String::new());
    row.amends(state, amended, base);
    row.0
}

/// A comment of a public component, whatever became of what it stands under.
fn comment(state: &State, comment: &Comment, base: &str) -> Option<Row> {
    let new = state.generation.is_031();
    state.component_of(comment.on, comment.root).filter(|c| state.component_is_public(c))?;
    let page = format!("{base}{}", state.path_of(comment.on, comment.root)?);
    let depth = std::iter::successors(comment.parent, |id| state.comment(*id)?.parent).count();
    let mut row = Cells(Row::new());
    row.number("id", comment.id);
    row.add("created_at", moment(state, &comment.created));
    row.add("body", guarded(&comment.body));
    row.add("locale", "fr".to_owned());
    row.number("author/id", comment.author);
    row.add("author/name", state.users.get(&comment.author).map(|u| u.name.clone()));
    row.number("alignment", comment.alignment);
    row.number("depth", depth);
    if !new {
        row.nothing(&["user_group/id"]);
        row.every_locale("user_group/name", &LOCALES_028, None);
    }
    row.number("commentable_id", comment.parent.unwrap_or(comment.root));
    let kind = if comment.parent.is_some() { "Decidim::Comments::Comment" } else { comment.on.class() };
    row.add("commentable_type", kind.to_owned());
    row.add("root_commentable_url", page);
    Some(row.0)
}

fn processes(state: &State, base: &str) -> Vec<Row> {
    let row = |process: &super::state::Process| {
        let mut row = Cells(Row::new());
        let text = |name: &str| process.fields.get(name).and_then(Value::as_str);
        let texts = |name: &str| process.fields.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        row.number("id", process.id);
        row.texts("title", &texts("title"));
        row.add("slug", process.slug().to_owned());
        row.add("reference", text("reference").map(str::to_owned));
        for (column, name) in [("created_at", "createdAt"), ("updated_at", "updatedAt"), ("published_at", "publishedAt")] {
            row.add(column, text(name).map(|at| moment(state, at)));
        }
        row.texts("short_description", &texts("shortDescription"));
        row.texts("description", &texts("description"));
        row.add("url", format!("{base}/processes/{}", process.slug()));
        row.texts("subtitle", &texts("subtitle"));
        row.add("start_date", text("startDate").map(str::to_owned));
        row.add("end_date", text("endDate").map(str::to_owned));
        row.0
    };
    state.processes.iter().filter(|p| p.is_public()).map(row).collect()
}

fn taxonomies(state: &State) -> Vec<Row> {
    let row = |term: &super::state::Term| {
        let mut row = Cells(Row::new());
        row.number("id", term.id);
        row.texts("name", &term.name);
        row.add("parent_id", term.parent.map(|id| id.to_string()));
        row.number("weight", 0);
        row.number("children_count", state.taxonomies.iter().filter(|t| t.parent == Some(term.id)).count());
        row.number("taxonomizations_count", state.proposals.iter().filter(|p| p.taxonomies.contains(&term.id)).count());
        row.number("is_root", term.parent.is_none());
        row.0
    };
    state.taxonomies.iter().map(row).collect()
}

fn users(state: &State, base: &str) -> Vec<Row> {
    let row = |(id, user): (&u64, &super::state::User)| {
        let mut row = Cells(Row::new());
        let nickname = user.nickname.trim_start_matches('@');
        row.number("id", id);
        row.add("name", user.name.clone());
        row.add("nickname", guarded(&user.nickname));
        row.add("profile_url", format!("{base}/profiles/{nickname}"));
        row.number("deleted", user.deleted);
        row.0
    };
    state.users.iter().filter(|(_, user)| !user.is_gone()).map(row).collect()
}

/// What moderation hid, with its text: the platform publishes it.
fn moderations(state: &State) -> Vec<Row> {
    let first = |texts: &Texts| texts.values().find_map(Value::as_str).unwrap_or_default().to_owned();
    let proposals = state.proposals.iter().filter(|p| p.hidden);
    let proposals = proposals.map(|p| (On::Proposal, p.id, &p.updated, format!("{}\n{}", first(&p.title), first(&p.body))));
    let title = |fields: &Map<String, Value>| fields.get("title").and_then(Value::as_object).map(first).unwrap_or_default();
    let meetings = state.meetings.iter().filter(|m| m.hidden);
    let meetings = meetings.map(|m| (On::Meeting, m.id, &m.updated, title(&m.fields)));
    let row = |(number, (on, id, updated, content)): (usize, (On, u64, &String, String))| {
        let mut row = Cells(Row::new());
        row.number("id", number + 1);
        row.add("hidden_at", moment(state, updated));
        row.number("report_count", 1);
        row.add("reportable_type", on.class().to_owned());
        row.number("reportable_id", id);
        row.add("reported_content", content);
        row.0
    };
    proposals.chain(meetings).enumerate().map(row).collect()
}
