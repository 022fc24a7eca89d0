//! One contribution (interface.md §5.2): its words, its counts, the official answers, how the city
//! treats it, and the discussion.

use askama::Template;
use axum::http::StatusCode;

use super::consultation::{frame, theme_link};
use super::dossier::{Section, naming};
use super::{Pager, discussion, page};
use crate::domain::contribution::{AuthorState, Contribution};
use crate::domain::id::Class;
use crate::domain::record::{Body, Record};
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::frame::Frame;
use crate::web::html::Html;
use crate::web::i18n::Arg;
use crate::web::reading::{Query, Reading, Shelf};
use crate::web::view::answer::{Answer as OfficialAnswer, Treatment};
use crate::web::view::count;
use crate::web::view::desk::Desk;
use crate::web::view::dossier::place_lines;
use crate::web::view::facts::{Banner, Facts};
use crate::web::view::held::Held;
use crate::web::view::state::Tag;
use crate::web::view::thread::Sides;
use crate::web::view::words::Words;
use crate::web::visit::Visit;

/// Official answers and treatments of one contribution that are shown; nobody has seen more than a few.
const STATEMENTS: u32 = 50;

/// The page of a contribution.
#[derive(Debug, Template)]
#[template(path = "contribution.html", config = "src/web/askama.toml")]
pub struct ContributionPage {
    /// The frame.
    pub f: Frame,
    /// Of a copy.
    pub banner: Option<Banner>,
    /// How the city treats it, in a word.
    pub state: Option<Tag>,
    /// Whose it is.
    pub owner: Html,
    /// Its title.
    pub title: Words,
    /// Who, when, which version, in which consultation.
    pub summary_line: Vec<Html>,
    /// Which readings were incomplete.
    pub incomplete: Vec<Html>,
    /// That its author took it back.
    pub notice: Option<Html>,
    /// A few words.
    pub summary: Option<Words>,
    /// Its text.
    pub text: Option<Words>,
    /// Its counts.
    pub counts: Vec<Html>,
    /// Where.
    pub place: Option<Html>,
    /// About what.
    pub themes: Vec<Html>,
    /// Official answers, newest first.
    pub answers: Vec<OfficialAnswer>,
    /// Whether the lack of an answer is worth a word.
    pub asks_for_answer: bool,
    /// How the city treats it.
    pub treatments: Vec<Treatment>,
    /// What followed from it.
    pub next: Section,
    /// The discussion.
    pub sides: Sides,
    /// More of the discussion.
    pub pager: Pager,
    /// How it can be checked.
    pub facts: Facts,
}

/// The page of `held`, which is live and a contribution.
pub async fn show(reading: &mut Reading, shelf: &Shelf, held: &Held, visit: &Visit) -> Result<Answer, WebError> {
    let Some((record, body)) = held.visible().and_then(|record| match &record.body {
        Body::Contribution(body) => Some((record, body)),
        _ => None,
    }) else {
        return Err(WebError::NotFound);
    };
    let on_it = |classes: &[Class], limit| Query::of(classes.iter().copied()).parent(held.id.clone()).newest(limit);
    let answers = reading.list(shelf, &on_it(&[Class::OfficialResponse], STATEMENTS), None).await?.items;
    let dispositions = reading.list(shelf, &on_it(&[Class::Disposition], STATEMENTS), None).await?.items;
    let discussion = discussion::of(reading, shelf, held, visit).await?;
    let heading = reading.desk.texts.say("section-next");
    let next = naming(reading, shelf, held, heading).await?;
    let process = reading.find(shelf, &body.process).await?;
    let older = older_answers(reading, held, &answers).await?;

    let desk = &reading.desk;
    let texts = &desk.texts;
    let city = desk.city_of(&held.origin);
    let here = desk.page_of(held);
    let treatments: Vec<Treatment> = dispositions.iter().filter_map(|held| desk.treatment(held)).collect();
    let disposition = dispositions.iter().find_map(|held| match &held.visible()?.body {
        Body::Disposition(body) => Some(body),
        _ => None,
    });
    let mut f = frame(desk, held, visit.address(&here), record);
    if let Some(process) = &process {
        f = f.after(desk.name_of(process).span(), &desk.page_of(process));
    }
    if visit.page() > 1 {
        f.title = texts.plain("title-page", &[("title", Arg::Text(&f.title)), ("page", Arg::Number(visit.page()))]);
    }
    let view = ContributionPage {
        f,
        banner: desk.banner(held),
        state: desk.state(held, disposition),
        owner: Html::name(desk.body_of(&held.origin)),
        title: desk.name_of(held),
        summary_line: summary_line(desk, held, record, body, process.as_ref()),
        incomplete: if held.is_copy() { Vec::new() } else { reading.incomplete.clone() },
        notice: (body.author_state == AuthorState::Withdrawn).then(|| withdrawn_notice(desk, record)),
        summary: record.summary.as_ref().map(|text| desk.wanted.text(text, record)),
        text: record.content.as_ref().map(|text| desk.wanted.text(text, record)),
        counts: body.tallies.iter().map(|tally| count::sentence(texts, tally, &city)).collect(),
        place: place_lines(desk, body.location.as_ref()),
        themes: record.themes.iter().map(|theme| theme_link(desk, theme)).collect(),
        asks_for_answer: body.author_state != AuthorState::Withdrawn,
        answers: answers.iter().zip(older).filter_map(|(held, older)| desk.answer(held, older)).collect(),
        treatments,
        next,
        sides: discussion.sides,
        pager: discussion.pager,
        facts: desk.facts(held),
    };
    page(StatusCode::OK, &view)
}

/// For each answer, the sentence that it judged an older version, when it did (UI-41).
async fn older_answers(reading: &mut Reading, held: &Held, answers: &[Held]) -> Result<Vec<Option<String>>, WebError> {
    let mut sentences = Vec::with_capacity(answers.len());
    for answer in answers {
        let judged = answer.record.as_ref().and_then(|record| match &record.body {
            Body::OfficialResponse(body) => body.subject_digest.clone(),
            _ => None,
        });
        let versions = match judged {
            Some(digest) => reading.version_with(held, &digest).await?.zip(held.version.map(u64::from)),
            None => None,
        };
        let texts = &reading.desk.texts;
        sentences.push(
            versions.filter(|(judged, current)| judged < current).map(|(judged, current)| {
                texts.plain("answer-revision", &[("a", Arg::Number(judged)), ("b", Arg::Number(current))])
            }),
        );
    }
    Ok(sentences)
}

fn summary_line(desk: &Desk, held: &Held, record: &Record, body: &Contribution, process: Option<&Held>) -> Vec<Html> {
    let texts = &desk.texts;
    let city = desk.city_of(&held.origin);
    let mut line = Vec::new();
    if body.author_state != AuthorState::Withdrawn {
        line.push(desk.author(body.author.as_ref(), &city));
    }
    line.push(Html::text(&texts.say(&format!("contribution-kind-{}", body.kind.word()))));
    line.push(texts.html("published-day", &[("day", Arg::Day(held.dated()))]));
    if let Some(updated) = record.updated.filter(|updated| *updated > held.dated()) {
        line.push(texts.html("changed-day", &[("day", Arg::Day(updated))]));
    }
    if let Some(version) = held.version.filter(|version| *version > 1) {
        let words = Html::text(&texts.count("version-see", u64::from(version)));
        line.push(Html::link(&desk.link(&desk.page_of(held).below("revisions")), &words));
    }
    if let Some(process) = process {
        let name = Html::link(&desk.link(&desk.page_of(process)), &desk.name_of(process).span());
        line.push(texts.html("in-consultation", &[("name", Arg::Html(&name))]));
        if let Some(topic) = desk.topic_of(held, process) {
            let place = format!("{}#{}", desk.link(&desk.page_of(process)), topic.fragment);
            line.push(Html::link(&place, &topic.words.span()));
        }
    }
    if let Some(amended) = &body.amends {
        let words = Html::text(&texts.say("amends"));
        line.push(Html::link(&desk.page_of_id(amended), &words));
    }
    line
}

/// "Withdrawn by its author", with the date.
#[must_use]
pub fn withdrawn_notice(desk: &Desk, record: &Record) -> Html {
    let Some(when) = record.updated.or(record.published) else { return Html::text(&desk.texts.say("withdrawn-notice")) };
    desk.texts.html("withdrawn-notice-day", &[("day", Arg::Day(when))])
}
