//! A meeting, a project of a budget, a poll, a decision, a promise, a result: what is told of it, what led to it, what followed, its
//! documents and its discussion (interface.md §5).

use askama::Template;
use axum::http::StatusCode;

use super::consultation::{frame, theme_link};
use super::{Pager, discussion, page};
use crate::domain::calendar::Day;
use crate::domain::id::{Class, RecordId};
use crate::domain::record::{Body, Record};
use crate::federation::seal::reopen;
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::frame::Frame;
use crate::web::html::Html;
use crate::web::i18n::Arg;
use crate::web::reading::{Query, Reading, Shelf};
use crate::web::view::card::Card;
use crate::web::view::count;
use crate::web::view::desk::{Desk, class_key};
use crate::web::view::dossier::{Attachment, Outline};
use crate::web::view::facts::{Banner, Facts};
use crate::web::view::held::Held;
use crate::web::view::state::Tag;
use crate::web::view::thread::Sides;
use crate::web::view::words::Words;
use crate::web::visit::Visit;

/// Records of one sort that are shown; nobody has seen more than some dozens.
const SHOWN: u32 = 100;
/// Revisions read in search of an earlier promised day.
const REVISIONS: usize = 20;

/// The page of a dossier.
#[derive(Debug, Template)]
#[template(path = "dossier.html", config = "src/web/askama.toml")]
pub struct DossierPage {
    /// The frame.
    pub f: Frame,
    /// Of a copy.
    pub banner: Option<Banner>,
    /// Where it stands.
    pub state: Option<Tag>,
    /// Whose it is.
    pub owner: Html,
    /// Its title.
    pub title: Words,
    /// What it is, when it was published, in which consultation.
    pub summary_line: Vec<Html>,
    /// Which readings were incomplete.
    pub incomplete: Vec<Html>,
    /// What is told of it.
    pub outline: Outline,
    /// A few words.
    pub summary: Option<Words>,
    /// Its text.
    pub text: Option<Words>,
    /// Its counts.
    pub counts: Vec<Html>,
    /// About what.
    pub themes: Vec<Html>,
    /// That a promised day was moved, once for each time.
    pub moves: Vec<Html>,
    /// The link to the original of a file whose copy nobody holds.
    pub file: Option<(String, Html)>,
    /// What led to it, what followed.
    pub sections: Vec<Section>,
    /// What is attached to it.
    pub documents: Vec<Attachment>,
    /// Whether people can speak about it.
    pub discussed: bool,
    /// What was said about it.
    pub sides: Sides,
    /// More of that.
    pub pager: Pager,
    /// How it can be checked.
    pub facts: Facts,
}

/// Some records under a heading.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// The records.
    pub cards: Vec<Card>,
}

/// The page of `held`, which is live.
pub async fn show(reading: &mut Reading, shelf: &Shelf, held: &Held, visit: &Visit) -> Result<Answer, WebError> {
    let record = held.visible().ok_or(WebError::NotFound)?;
    let process = match &held.process {
        Some(process) if *process != held.id => reading.find(shelf, process).await?,
        _ => None,
    };
    let sections = sections(reading, shelf, held, record).await?;
    let attached = Query::of([Class::Document]).parent(held.id.clone()).newest(SHOWN).oldest();
    let documents = reading.list(shelf, &attached, None).await?.items;
    let moves = moves(reading, held).await?;
    let discussion = discussion::of(reading, shelf, held, visit).await?;
    let discussed = matches!(held.class, Class::Meeting | Class::BudgetProject | Class::Result) || discussion.total > 0;
    let desk = &reading.desk;
    let texts = &desk.texts;
    let city = desk.city_of(&held.origin);
    let mut f = frame(desk, held, visit.address(&desk.page_of(held)), record);
    if let Some(process) = &process {
        f = f.after(desk.name_of(process).span(), &desk.page_of(process));
    }
    if visit.page() > 1 {
        f.title = texts.plain("title-page", &[("title", Arg::Text(&f.title)), ("page", Arg::Number(visit.page()))]);
    }
    let file = (held.class == Class::Document && held.is_copy())
        .then(|| (held.id.to_string(), texts.html("document-at", &[("city", Arg::Name(&city))])));
    let view = DossierPage {
        f,
        banner: desk.banner(held),
        state: desk.state(held, None),
        owner: Html::name(desk.body_of(&held.origin)),
        title: desk.name_of(held),
        summary_line: summary_line(desk, held, record, process.as_ref()),
        incomplete: if held.is_copy() { Vec::new() } else { reading.incomplete.clone() },
        outline: desk.outline(record),
        summary: record.summary.as_ref().map(|text| desk.wanted.text(text, record)),
        text: record.content.as_ref().map(|text| desk.wanted.text(text, record)),
        counts: record.tallies().iter().map(|tally| count::sentence(texts, tally, &city)).collect(),
        themes: record.themes.iter().map(|theme| theme_link(desk, theme)).collect(),
        moves,
        file,
        sections,
        documents: documents.iter().filter_map(|held| desk.attachment(held)).collect(),
        discussed,
        sides: discussion.sides,
        pager: discussion.pager,
        facts: desk.facts(held),
    };
    page(StatusCode::OK, &view)
}

fn summary_line(desk: &Desk, held: &Held, record: &Record, process: Option<&Held>) -> Vec<Html> {
    let texts = &desk.texts;
    let mut line = vec![Html::text(&texts.say(&class_key(held)))];
    line.push(texts.html("published-day", &[("day", Arg::Day(held.dated()))]));
    if let Some(updated) = record.updated.filter(|updated| *updated > held.dated()) {
        line.push(texts.html("changed-day", &[("day", Arg::Day(updated))]));
    }
    if let Some(process) = process {
        let name = Html::link(&desk.link(&desk.page_of(process)), &desk.name_of(process).span());
        line.push(texts.html("in-consultation", &[("name", Arg::Html(&name))]));
        if let Some(topic) = desk.topic_of(held, process) {
            let place = format!("{}#{}", desk.link(&desk.page_of(process)), topic.fragment);
            line.push(Html::link(&place, &topic.words.span()));
        }
    }
    line
}

/// Every time a promised day was moved, newest first: the earlier day stays to be seen (UI-40). What earlier
/// revisions of a copy said is at its origin.
async fn moves(reading: &mut Reading, held: &Held) -> Result<Vec<Html>, WebError> {
    if held.class != Class::Commitment || held.is_copy() {
        return Ok(Vec::new());
    }
    let links = reading.tx().revisions_of(&held.id).await?;
    let mut days: Vec<Day> = Vec::new();
    for link in links.iter().filter(|link| link.material).rev().take(REVISIONS) {
        let sealed = reading.tx().sealed_revision(&held.id, link.revision).await?;
        let due = sealed.as_deref().and_then(reopen).and_then(|record| match record.body {
            Body::Commitment(body) => body.due,
            _ => None,
        });
        if due.is_some() && due != days.last().copied() {
            days.extend(due);
        }
    }
    let texts = &reading.desk.texts;
    let moved = |pair: &[Day]| {
        let (to, from) = (texts.date_tag(pair[0]), texts.date_tag(pair[1]));
        texts.html("due-moved", &[("from", Arg::Html(&from)), ("to", Arg::Html(&to))])
    };
    Ok(days.windows(2).map(moved).collect())
}

/// What led to a record and what followed, both ways.
async fn sections(reading: &mut Reading, shelf: &Shelf, held: &Held, record: &Record) -> Result<Vec<Section>, WebError> {
    let mut sections = Vec::new();
    let texts = reading.desk.texts.clone();
    match &record.body {
        Body::BudgetProject(body) => {
            sections.push(named(reading, shelf, texts.say("section-origin"), &body.derived_from).await?);
            sections.push(named(reading, shelf, texts.say("section-promises"), &body.commitments).await?);
            sections.push(naming(reading, shelf, held, texts.say("section-next")).await?);
        }
        Body::Decision(body) => {
            sections.push(named(reading, shelf, texts.say("section-origin"), &body.arises_from).await?);
            sections.push(naming(reading, shelf, held, texts.say("section-next")).await?);
        }
        Body::Commitment(body) => {
            sections.push(named(reading, shelf, texts.say("section-origin"), &body.arises_from).await?);
            sections.push(below(reading, shelf, held, texts.say("section-progress"), Class::ProgressUpdate).await?);
            sections.push(naming(reading, shelf, held, texts.say("section-next")).await?);
        }
        Body::Result(body) => {
            let roots: Vec<RecordId> = body
                .part_of
                .iter()
                .chain(&body.result_of)
                .chain(&body.arises_from)
                .filter(|id| **id != body.process)
                .cloned()
                .collect();
            sections.push(named(reading, shelf, texts.say("section-origin"), &roots).await?);
            sections.push(below(reading, shelf, held, texts.say("section-progress"), Class::ProgressUpdate).await?);
            sections.push(below(reading, shelf, held, texts.say("section-parts"), Class::Result).await?);
        }
        Body::ProgressUpdate(body) => {
            sections.push(named(reading, shelf, texts.say("section-news-of"), std::slice::from_ref(&body.in_reply_to)).await?);
        }
        Body::Document(body) => {
            let to: Vec<RecordId> = body.attached_to.iter().filter(|id| Some(*id) != body.process.as_ref()).cloned().collect();
            sections.push(named(reading, shelf, texts.say("section-attached"), &to).await?);
        }
        _ => {}
    }
    sections.retain(|section| !section.cards.is_empty());
    Ok(sections)
}

/// The records of these addresses that may be seen here.
async fn named(reading: &mut Reading, shelf: &Shelf, heading: String, ids: &[RecordId]) -> Result<Section, WebError> {
    let mut found = Vec::new();
    for id in ids.iter().take(50) {
        found.extend(reading.find(shelf, id).await?.filter(|held| held.visible().is_some()));
    }
    cards(reading, shelf, heading, &found).await
}

/// What of a class hangs on a record, newest first.
async fn below(reading: &mut Reading, shelf: &Shelf, held: &Held, heading: String, class: Class) -> Result<Section, WebError> {
    let query = Query::of([class]).parent(held.id.clone()).newest(SHOWN);
    let found = reading.list(shelf, &query, None).await?.items;
    cards(reading, shelf, heading, &found).await
}

/// What of the same consultation followed from a record: it names the record as its root.
pub async fn naming(reading: &mut Reading, shelf: &Shelf, held: &Held, heading: String) -> Result<Section, WebError> {
    let Some(process) = &held.process else { return Ok(Section { heading, cards: Vec::new() }) };
    let followers = [Class::BudgetProject, Class::Decision, Class::Commitment, Class::Result];
    let query = Query::of(followers).process(process.clone()).naming(held.id.clone()).newest(SHOWN);
    let mut found = reading.list(shelf, &query, None).await?.items;
    found.retain(|other| other.visible().is_some_and(|record| roots_of(record).contains(&&held.id)));
    cards(reading, shelf, heading, &found).await
}

/// What a record says that it comes from.
fn roots_of(record: &Record) -> Vec<&RecordId> {
    match &record.body {
        Body::BudgetProject(body) => body.derived_from.iter().collect(),
        Body::Decision(body) => body.arises_from.iter().collect(),
        Body::Commitment(body) => body.arises_from.iter().collect(),
        Body::Result(body) => body.result_of.iter().chain(&body.arises_from).chain(&body.fulfils).collect(),
        _ => Vec::new(),
    }
}

async fn cards(reading: &mut Reading, shelf: &Shelf, heading: String, records: &[Held]) -> Result<Section, WebError> {
    let dispositions = reading.dispositions_of(shelf, records).await?;
    let desk = &reading.desk;
    Ok(Section { heading, cards: records.iter().map(|held| desk.card(held, dispositions.get(&held.id))).collect() })
}
