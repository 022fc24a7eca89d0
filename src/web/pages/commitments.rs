//! `/commitments`: what the city and its partners promised, until when, and how far it has come
//! (interface.md §5). Figures of two cities stand side by side and are never added up.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;

use super::page;
use crate::domain::id::Class;
use crate::domain::progress::CommitmentState;
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
use crate::web::view::held::Held;
use crate::web::view::state::Tag;
use crate::web::view::words::said;
use crate::web::visit::Visit;

/// Promises of one city that are shown.
const SHOWN: u32 = 200;

/// The page of promises.
#[derive(Debug, Template)]
#[template(path = "commitments.html", config = "src/web/askama.toml")]
pub struct CommitmentsPage {
    /// The frame.
    pub f: Frame,
    /// Which readings were incomplete.
    pub incomplete: Vec<Html>,
    /// One table for each city that promised something, ours first.
    pub cities: Vec<CityTable>,
}

/// The promises of one city.
#[derive(Debug, Clone)]
pub struct CityTable {
    /// The city.
    pub heading: Html,
    /// The same without markup, for the name of the table.
    pub name: String,
    /// That only the newest are counted, where there are more than are shown.
    pub among: Option<String>,
    /// How many stand where.
    pub counts: Vec<String>,
    /// The promises, the ones due first on top.
    pub rows: Vec<Row>,
    /// That there are more than are shown.
    pub more: Option<String>,
}

/// One promise.
#[derive(Debug, Clone)]
pub struct Row {
    /// What is promised, as a link to its page.
    pub promise: Html,
    /// Who answers for it.
    pub responsible: Option<Html>,
    /// Until when.
    pub due: Option<Html>,
    /// Where it stands.
    pub state: Option<Tag>,
    /// How far it has come.
    pub progress: String,
}

/// `GET /commitments`.
pub async fn list(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let mut reading = web.reading(&visit).await?;
    let mut shelves = vec![Shelf::Own];
    shelves.extend(reading.partner_domains().into_iter().map(Shelf::Partner));
    let mut cities = Vec::new();
    for shelf in shelves {
        cities.extend(table(&mut reading, &shelf).await?);
    }
    let desk = &reading.desk;
    let title = desk.texts.say("nav-commitments");
    let view = CommitmentsPage {
        f: desk.frame(title, visit.address(&Address::fixed("/commitments"))),
        incomplete: reading.incomplete.clone(),
        cities,
    };
    page(StatusCode::OK, &view)
}

/// The promises of one city; none when it made none.
async fn table(reading: &mut Reading, shelf: &Shelf) -> Result<Option<CityTable>, WebError> {
    let query = Query::of([Class::Commitment]).newest(SHOWN);
    let total = reading.count(shelf, &query).await?;
    let mut promises = reading.list(shelf, &query, None).await?.items;
    if promises.is_empty() {
        return Ok(None);
    }
    // What is due first comes first; what has no day comes last.
    promises.sort_by_key(|held| (due(held).is_none(), due(held)));
    let desk = &reading.desk;
    let texts = &desk.texts;
    let city = match shelf {
        Shelf::Own => place_of(&desk.city),
        Shelf::Partner(domain) => desk.city_at(domain),
    };
    let rows: Vec<Row> = promises.iter().filter_map(|held| row(reading, held)).collect();
    // Counted is the word that stands in the table: what is late is late, whatever else is said of it.
    let states = CommitmentState::ALL.iter().map(|state| format!("commitment-{}", state.word()));
    let words = ["commitment-overdue".to_owned()].into_iter().chain(states).map(|key| texts.say(&key));
    let counts = words.filter_map(|word| {
        let n = rows.iter().filter(|row| row.state.as_ref().is_some_and(|tag| tag.word == word)).count() as u64;
        (n > 0).then(|| texts.plain("commitments-state", &[("state", Arg::Text(&word)), ("n", Arg::Number(n))]))
    });
    let more = total.checked_sub(promises.len() as u64).filter(|more| *more > 0);
    Ok(Some(CityTable {
        heading: texts.html("commitments-of", &[("city", Arg::Name(&city))]),
        name: texts.plain("commitments-of", &[("city", Arg::Name(&city))]),
        counts: counts.collect(),
        among: more.map(|_| texts.count("commitments-among", promises.len() as u64)),
        more: more.map(|more| texts.count("commitments-more", more)),
        rows,
    }))
}

fn due(held: &Held) -> Option<crate::domain::calendar::Day> {
    match &held.visible()?.body {
        Body::Commitment(body) => body.due,
        _ => None,
    }
}

fn row(reading: &Reading, held: &Held) -> Option<Row> {
    let desk = &reading.desk;
    let record = held.visible()?;
    let Body::Commitment(body) = &record.body else { return None };
    Some(Row {
        promise: reading.link_to(held),
        responsible: body.responsible.as_ref().map(|role| said(record, role, 120)),
        due: body.due.map(|due| desk.texts.date_tag(due)),
        state: desk.state(held, None),
        progress: body.completion.map_or_else(|| desk.texts.say("progress-unknown"), |done| desk.texts.percent(done)),
    })
}
