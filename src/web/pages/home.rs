//! `/`: what is open now, here and at partners; answers given this month; promises that are due; who the
//! partners are.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;

use super::page;
use crate::domain::consultation::LifecycleState;
use crate::domain::id::{Class, RecordId};
use crate::domain::partner::PartnerKind;
use crate::domain::record::Body;
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::frame::Frame;
use crate::web::html::Html;
use crate::web::i18n::Arg;
use crate::web::names::place_of;
use crate::web::reading::{Query, Reading, Shelf};
use crate::web::state::WebState;
use crate::web::urls::Address;
use crate::web::view::card::Card;
use crate::web::view::held::Held;
use crate::web::visit::Visit;

/// Open consultations shown at most; the rest is one link away.
const OPEN_SHOWN: usize = 12;
/// Answers shown at most.
const ANSWERS_SHOWN: usize = 5;
/// Promises shown at most; all of them are one link away.
const PROMISES_SHOWN: usize = 5;
/// A promise is due soon when its day is not further away than this.
const SOON: Duration = Duration::from_hours(60 * 24);
/// Records read at once in search of open consultations, of this month's answers and of promises that are due.
const LOOKED_AT: u32 = 200;

/// The home page.
#[derive(Debug, Template)]
#[template(path = "home.html", config = "src/web/askama.toml")]
pub struct HomePage {
    /// The frame.
    pub f: Frame,
    /// Which readings were incomplete.
    pub incomplete: Vec<Html>,
    /// Our open consultations.
    pub open: Vec<Card>,
    /// What is said when there are none.
    pub nothing: String,
    /// The city's platforms, for the first day.
    pub platforms: Vec<Place>,
    /// Open consultations of partners.
    pub open_partners: Vec<Card>,
    /// Official answers of this month.
    pub answers: Vec<Card>,
    /// How many.
    pub answers_count: u64,
    /// Where all of them are, when some are not shown: by consultation, with how many of this month.
    pub all_answers: Vec<Html>,
    /// Our promises that are due soon or overdue, the most pressing first.
    pub promises: Vec<Card>,
    /// Partner cities.
    pub partners: Vec<Neighbour>,
    /// How many.
    pub partners_count: u64,
}

/// A link out.
#[derive(Debug, Clone)]
pub struct Place {
    /// The address.
    pub url: String,
    /// Its host.
    pub host: String,
}

/// A partner city.
#[derive(Debug, Clone)]
pub struct Neighbour {
    /// Its name.
    pub name: String,
    /// The page about it.
    pub href: String,
    /// What we hold of it.
    pub held_href: String,
    /// The words of that link.
    pub held_words: Html,
}

/// `GET /`.
pub async fn home(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let mut reading = web.reading(&visit).await?;
    let consultations = Query::of([Class::Consultation]).newest(LOOKED_AT);
    let own = reading.list(&Shelf::Own, &consultations, None).await?;
    let partners: Vec<_> = reading.partners.iter().filter(|partner| partner.kind == PartnerKind::Partner).cloned().collect();
    let mut theirs = Vec::new();
    for partner in &partners {
        theirs.extend(reading.list(&Shelf::Partner(partner.domain.clone()), &consultations, None).await?.items);
    }
    let answers = Query::of([Class::OfficialResponse]).newest(LOOKED_AT);
    let mut answers = reading.list(&Shelf::Own, &answers, None).await?.items;
    let month = reading.desk.texts.month_of(reading.desk.now);
    answers.retain(|held| reading.desk.texts.month_of(held.dated()) == month);
    let all_answers = if answers.len() > ANSWERS_SHOWN { by_consultation(&mut reading, &answers).await? } else { Vec::new() };
    let promises = promises(&mut reading).await?;
    let desk = &reading.desk;
    let neighbours = partners.iter().map(|partner| Neighbour {
        name: partner.name.clone(),
        href: desk.link(&Address::partner(&partner.domain)),
        held_href: desk.link(&Address::held(&partner.domain)),
        held_words: desk.texts.html("held-link", &[("city", Arg::Name(&place_of(&partner.name)))]),
    });
    let mut frame = desk
        .frame(desk.texts.plain("home-title", &[("city", Arg::Name(&place_of(&desk.city)))]), visit.address(&Address::home()));
    frame.description = Some(desk.texts.plain("home-lead", &[("city", Arg::Name(&place_of(&desk.city)))]));
    let nothing = if own.items.is_empty() { "home-first-day" } else { "home-none-open" };
    let view = HomePage {
        f: frame,
        incomplete: reading.incomplete.clone(),
        open: open_cards(&reading, &own.items),
        nothing: desk.texts.say(nothing),
        platforms: reading.site_platforms(),
        open_partners: open_cards(&reading, &theirs),
        answers_count: answers.len() as u64,
        all_answers,
        answers: answers.iter().take(ANSWERS_SHOWN).map(|held| desk.card(held, None)).collect(),
        promises: promises.iter().take(PROMISES_SHOWN).map(|held| desk.card(held, None)).collect(),
        partners_count: partners.len() as u64,
        partners: neighbours.collect(),
    };
    page(StatusCode::OK, &view)
}

/// Links to the lists that hold these answers, one for each consultation, in the order of its newest answer.
async fn by_consultation(reading: &mut Reading, answers: &[Held]) -> Result<Vec<Html>, WebError> {
    let mut lists: Vec<(&RecordId, u64)> = Vec::new();
    for process in answers.iter().filter_map(|held| held.process.as_ref()) {
        match lists.iter_mut().find(|(known, _)| *known == process) {
            Some((_, n)) => *n += 1,
            None => lists.push((process, 1)),
        }
    }
    let mut links = Vec::with_capacity(lists.len());
    for (process, n) in lists {
        if let Some(process) = reading.find(&Shelf::Own, process).await? {
            let desk = &reading.desk;
            let name = desk.name_of(&process).span();
            let words = desk.texts.html("home-answers-of", &[("name", Arg::Html(&name)), ("n", Arg::Number(n))]);
            links.push(Html::link(&desk.link(&desk.page_of(&process).below("responses")), &words));
        }
    }
    Ok(links)
}

/// Our open promises whose day is near or past, in the order of their days.
async fn promises(reading: &mut Reading) -> Result<Vec<Held>, WebError> {
    let Some(soon) = reading.desk.texts.day_of(reading.desk.now.plus(SOON)) else { return Ok(Vec::new()) };
    let query = Query::of([Class::Commitment]).due_by(soon).newest(LOOKED_AT);
    let mut found = reading.all(&Shelf::Own, &query).await?;
    let due = |held: &Held| match &held.visible()?.body {
        Body::Commitment(body) if body.is_open() => body.due,
        _ => None,
    };
    found.retain(|held| due(held).is_some());
    found.sort_by_key(due);
    Ok(found)
}

fn open_cards(reading: &Reading, records: &[Held]) -> Vec<Card> {
    let now = reading.desk.now;
    let is_open = |held: &&Held| {
        held.visible().is_some_and(
            |record| matches!(&record.body, Body::Consultation(body) if body.lifecycle_at(now) == Some(LifecycleState::Open)),
        )
    };
    records.iter().filter(is_open).take(OPEN_SHOWN).map(|held| reading.desk.card(held, None)).collect()
}
