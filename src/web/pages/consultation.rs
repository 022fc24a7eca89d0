//! One consultation (interface.md §5.1), ours or a partner's: where it stands, its steps, its text,
//! what the city answered, what residents said.

use askama::Template;
use axum::http::StatusCode;

use super::consultations::LISTS;
use super::page;
use crate::domain::consultation::Consultation;
use crate::domain::id::Class;
use crate::domain::record::{Body, Record};
use crate::domain::time::Timestamp;
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::frame::Frame;
use crate::web::html::Html;
use crate::web::i18n::{Arg, Texts};
use crate::web::reading::{Query, Reading, Shelf};
use crate::web::urls::Address;
use crate::web::view::card::{Card, TopicView};
use crate::web::view::desk::Desk;
use crate::web::view::dossier::Attachment;
use crate::web::view::facts::{Banner, Facts};
use crate::web::view::held::Held;
use crate::web::view::state::Tag;
use crate::web::view::thread::Branch;
use crate::web::view::words::Words;

/// Records of each sort shown here; the whole lists are one link away.
const EXCERPT: u32 = 6;
/// Documents of the consultation itself shown here.
const DOCUMENTS: u32 = 20;

/// The page of a consultation.
#[derive(Debug, Template)]
#[template(path = "consultation.html", config = "src/web/askama.toml")]
pub struct ConsultationPage {
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
    /// Dates, counts, kind.
    pub summary_line: Vec<Html>,
    /// Which readings were incomplete.
    pub incomplete: Vec<Html>,
    /// A few words.
    pub summary: Option<Words>,
    /// Where to take part.
    pub take_part: Option<TakePart>,
    /// Its steps.
    pub phases: Vec<PhaseView>,
    /// Its text.
    pub text: Option<Words>,
    /// Its questions.
    pub topics: Vec<TopicView>,
    /// The latest of everything that hangs on it.
    pub lists: Vec<ListView>,
    /// What is attached to it.
    pub documents: Vec<Attachment>,
    /// The list of every document, those of its meetings and results too.
    pub all_documents: Option<(String, String)>,
    /// What was said about the consultation as a whole.
    pub discussion: Branch,
    /// How it can be checked.
    pub facts: Facts,
}

/// The button that leads to the platform.
#[derive(Debug, Clone)]
pub struct TakePart {
    /// The platform's page.
    pub url: String,
    /// "Take part on …".
    pub words: String,
}

/// The latest records of one sort.
#[derive(Debug, Clone)]
pub struct ListView {
    /// What they are, and how many there are.
    pub heading: String,
    /// Some of them.
    pub cards: Vec<Card>,
    /// What is said when there are none.
    pub none: String,
    /// The list of all of them, and the words of the link.
    pub all: Option<(String, String)>,
}

/// One step.
#[derive(Debug, Clone)]
pub struct PhaseView {
    /// The name of its place in the page: records refer to it.
    pub fragment: String,
    /// Its name.
    pub name: Words,
    /// From when to when, or "no dates".
    pub dates: Html,
    /// A word for where it stands.
    pub state: Option<String>,
    /// Whether it is the present one.
    pub current: bool,
}

/// The page of `held`, which is live and a consultation.
pub async fn show(reading: &mut Reading, shelf: &Shelf, held: &Held) -> Result<Answer, WebError> {
    let (record, body) = match held.visible() {
        Some(record) => match &record.body {
            Body::Consultation(body) => (record, body),
            _ => return Err(WebError::NotFound),
        },
        None => return Err(WebError::NotFound),
    };
    let lists = lists(reading, shelf, held).await?;
    let attached = Query::of([Class::Document]).parent(held.id.clone()).newest(DOCUMENTS).oldest();
    let documents = reading.list(shelf, &attached, None).await?.items;
    let all_documents = reading.count(shelf, &Query::of([Class::Document]).process(held.id.clone())).await?;
    let children = reading.threads(shelf, std::slice::from_ref(&held.id)).await?;
    let desk = &reading.desk;
    let texts = &desk.texts;
    let home = desk.page_of(held);
    let mut summary_line = dates(texts, body, desk.now);
    summary_line.extend(body.kind.map(|kind| Html::text(&texts.say(&format!("process-kind-{}", kind.word())))));
    summary_line.extend(record.themes.iter().take(4).map(|theme| theme_link(desk, theme)));
    let title = desk.name_of(held);
    let view = ConsultationPage {
        f: frame(desk, held, home.clone(), record),
        banner: desk.banner(held),
        state: desk.state(held, None),
        owner: Html::name(desk.body_of(&held.origin)),
        title,
        summary_line,
        incomplete: if held.is_copy() { Vec::new() } else { reading.incomplete.clone() },
        summary: record.summary.as_ref().map(|text| desk.wanted.text(text, record)),
        take_part: take_part(texts, record, desk.state(held, None).as_ref()),
        phases: body.phases.iter().filter_map(|phase| phase_view(desk, record, body, phase)).collect(),
        text: record.content.as_ref().map(|text| desk.wanted.text(text, record)),
        topics: body.topics.iter().filter_map(|topic| desk.topic(topic, record)).collect(),
        lists,
        documents: documents.iter().filter_map(|held| desk.attachment(held)).collect(),
        all_documents: (all_documents > 0)
            .then(|| (desk.link(&home.below("documents")), texts.count("consultation-documents", all_documents))),
        discussion: desk.branch(&held.id, &children, 1),
        facts: desk.facts(held),
    };
    page(StatusCode::OK, &view)
}

/// The latest of each sort of record that hangs on a consultation. Answers and contributions are always
/// spoken of; the rest only where there is some. Documents have a list of another form.
async fn lists(reading: &mut Reading, shelf: &Shelf, held: &Held) -> Result<Vec<ListView>, WebError> {
    let mut views = Vec::new();
    for list in LISTS.iter().filter(|list| list.class != Class::Document) {
        let query = Query::of([list.class]).process(held.id.clone()).newest(EXCERPT);
        let count = reading.count(shelf, &query).await?;
        let always = matches!(list.class, Class::OfficialResponse | Class::Contribution);
        if count == 0 && !always {
            continue;
        }
        let found = reading.list(shelf, &query, None).await?.items;
        let dispositions = reading.dispositions_of(shelf, &found).await?;
        let desk = &reading.desk;
        let linked = count > 0 || list.class == Class::Contribution;
        views.push(ListView {
            heading: desk.texts.count(list.heading, count),
            cards: found.iter().map(|it| desk.card_in(held, it, dispositions.get(&it.id))).collect(),
            none: desk.texts.say(list.none),
            all: linked.then(|| (desk.link(&desk.page_of(held).below(list.name)), desk.texts.say(list.all))),
        });
    }
    Ok(views)
}

/// The frame of a record's page: copies point to their origin and ask search engines to stay away.
#[must_use]
pub fn frame(desk: &Desk, held: &Held, here: Address, record: &Record) -> Frame {
    let city = desk.city_of(&held.origin);
    let name = desk.plain_name_of(held);
    let key = if held.is_copy() { "title-of-copy" } else { "title-of-record" };
    let kind = desk.texts.say(&crate::web::view::desk::class_key(held));
    let values = [("name", Arg::Text(&name)), ("kind", Arg::Text(&kind)), ("city", Arg::Name(&city))];
    let mut frame = desk.frame_of(held, desk.texts.plain(key, &values), here);
    frame.canonical = held.is_copy().then(|| held.id.to_string());
    frame.machine_form = !held.is_copy();
    frame.description = desk.wanted.excerpt(record).map(|words| crate::web::view::desk::unescape(words.html.as_str()));
    frame
}

/// A theme as a link to its page when it is ours.
#[must_use]
pub fn theme_link(desk: &Desk, theme: &crate::domain::theme::Theme) -> Html {
    let label = desk.wanted.label(&theme.label).span();
    if desk.actor.owns(&theme.id) { Html::link(&desk.link(&Address::record(&theme.id)), &label) } else { label }
}

fn take_part(texts: &Texts, record: &Record, state: Option<&Tag>) -> Option<TakePart> {
    let url = record.source.as_ref()?.url.as_ref()?;
    let host = url.host_str()?;
    let key = if state.is_some_and(|tag| tag.word == texts.say("lifecycle-open")) { "take-part" } else { "see-platform" };
    Some(TakePart { url: url.to_string(), words: texts.plain(key, &[("host", Arg::Text(host))]) })
}

fn dates(texts: &Texts, body: &Consultation, now: Timestamp) -> Vec<Html> {
    let line = match (body.starts, body.ends) {
        (Some(starts), Some(ends)) => Some(texts.html("from-to", &[("from", Arg::Day(starts)), ("to", Arg::Day(ends))])),
        (Some(starts), None) if starts > now => Some(texts.html("opens-day", &[("day", Arg::Day(starts))])),
        (Some(starts), None) => Some(texts.html("since-day", &[("day", Arg::Day(starts))])),
        (None, Some(ends)) if ends > now => Some(texts.html("until-day", &[("day", Arg::Day(ends))])),
        (None, Some(ends)) => Some(texts.html("ended-day", &[("day", Arg::Day(ends))])),
        (None, None) => None,
    };
    line.into_iter().collect()
}

fn phase_view(
    desk: &Desk,
    record: &Record,
    body: &Consultation,
    phase: &crate::domain::consultation::Phase,
) -> Option<PhaseView> {
    let texts = &desk.texts;
    let dates = match (phase.starts, phase.ends) {
        (Some(starts), Some(ends)) => texts.html("from-to", &[("from", Arg::Day(starts)), ("to", Arg::Day(ends))]),
        (Some(starts), None) => texts.html("since-day", &[("day", Arg::Day(starts))]),
        (None, Some(ends)) => texts.html("until-day", &[("day", Arg::Day(ends))]),
        (None, None) => Html::text(&texts.say("no-dates")),
    };
    Some(PhaseView {
        fragment: phase.fragment.clone(),
        name: desk.wanted.line(&phase.name, record)?,
        dates,
        state: phase.state.map(|state| Tag::phase(texts, state).word),
        current: body.current_phase.as_deref() == Some(phase.fragment.as_str()),
    })
}
