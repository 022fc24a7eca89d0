//! `/consultations`: the city's consultations, newest first; and the lists that hang on one of them.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;

use super::{PER_PAGE, Pager, page};
use crate::domain::id::{Class, Key};
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
use crate::web::view::facts::Banner;
use crate::web::view::held::Held;
use crate::web::visit::{InPath, Visit};

/// A list of records.
#[derive(Debug, Template)]
#[template(path = "list.html", config = "src/web/askama.toml")]
pub struct ListPage {
    /// The frame.
    pub f: Frame,
    /// Of a list that hangs on a copy.
    pub banner: Option<Banner>,
    /// The title, with the name of what the list belongs to.
    pub heading: Html,
    /// Sentences before the list: how many, of whom.
    pub intro: Vec<Html>,
    /// Which readings were incomplete.
    pub incomplete: Vec<Html>,
    /// The records.
    pub cards: Vec<Card>,
    /// What is said when there are none.
    pub empty: String,
    /// The other pages.
    pub pager: Pager,
    /// Sentences after the list.
    pub outro: Vec<Html>,
}

/// `GET /consultations`.
pub async fn list(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let mut reading = web.reading(&visit).await?;
    let query = Query::of([Class::Consultation]).newest(PER_PAGE);
    let listed = reading.list(&Shelf::Own, &query, visit.after()?).await?;
    let total = reading.count(&Shelf::Own, &query).await?;
    let mut outro = Vec::new();
    for domain in reading.partner_domains() {
        let words = reading.desk.texts.html("held-link", &[("city", Arg::Name(&reading.desk.city_at(&domain)))]);
        outro.push(Html::link(&reading.desk.link(&Address::held(&domain)), &words));
    }
    let desk = &reading.desk;
    let address = Address::consultations();
    let title = numbered(&reading, desk.texts.say("consultations-title"), &visit);
    let view = ListPage {
        f: desk.frame(title, visit.address(&address)),
        banner: None,
        heading: Html::text(&desk.texts.say("consultations-title")),
        intro: vec![
            desk.texts.html("consultations-count", &[("n", Arg::Number(total)), ("city", Arg::Name(&place_of(&desk.city)))]),
        ],
        incomplete: reading.incomplete.clone(),
        cards: listed.items.iter().map(|held| desk.card(held, None)).collect(),
        empty: desk.texts.say("consultations-none"),
        pager: Pager::new(desk, &address, visit.page(), total, listed.next),
        outro,
    };
    page(StatusCode::OK, &view)
}

/// A list that hangs on a consultation.
#[derive(Debug)]
pub struct ListBelow {
    /// What is in it.
    pub class: Class,
    /// The last part of its address, and the beginning of the keys of its texts.
    pub name: &'static str,
    /// The key of its heading on the page of the consultation, with their number.
    pub heading: &'static str,
    /// The key of the link to the whole list.
    pub all: &'static str,
    /// The key of what is said when there are none.
    pub none: &'static str,
}

/// Every list that hangs on a consultation, in the order of its page.
pub const LISTS: &[ListBelow] = &[
    ListBelow {
        class: Class::OfficialResponse,
        name: "responses",
        heading: "consultation-answers",
        all: "all-answers",
        none: "answer-none",
    },
    ListBelow {
        class: Class::Decision,
        name: "decisions",
        heading: "consultation-decisions",
        all: "all-decisions",
        none: "decisions-none",
    },
    ListBelow {
        class: Class::Commitment,
        name: "commitments",
        heading: "consultation-commitments",
        all: "all-commitments",
        none: "commitments-none",
    },
    ListBelow {
        class: Class::Result,
        name: "results",
        heading: "consultation-results",
        all: "all-results",
        none: "results-none",
    },
    ListBelow {
        class: Class::Contribution,
        name: "contributions",
        heading: "consultation-contributions",
        all: "all-contributions",
        none: "contributions-none",
    },
    ListBelow {
        class: Class::BudgetProject,
        name: "projects",
        heading: "consultation-projects",
        all: "all-projects",
        none: "projects-none",
    },
    ListBelow { class: Class::Poll, name: "polls", heading: "consultation-polls", all: "all-polls", none: "polls-none" },
    ListBelow {
        class: Class::Meeting,
        name: "meetings",
        heading: "consultation-meetings",
        all: "all-meetings",
        none: "meetings-none",
    },
    ListBelow {
        class: Class::Document,
        name: "documents",
        heading: "consultation-documents",
        all: "consultation-documents",
        none: "documents-none",
    },
];

impl ListBelow {
    /// The list at that address.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        LISTS.iter().find(|list| list.name == name)
    }
}

/// `GET /consultations/{key}/{list}`.
pub async fn below(
    State(web): State<WebState>,
    InPath((key, list)): InPath<(Key, String)>,
    visit: Visit,
) -> Result<Answer, WebError> {
    let list = ListBelow::named(&list).ok_or(WebError::NotFound)?;
    let mut reading = web.reading(&visit).await?;
    let process = reading.own(Class::Consultation, &key).await?.ok_or(WebError::NotFound)?;
    if process.visible().is_none() {
        return super::gone::show(&mut reading, &process).await;
    }
    list_of_process(&mut reading, &process, &Shelf::Own, &visit, list).await
}

/// One list of a consultation, ours or a partner's.
pub async fn list_of_process(
    reading: &mut Reading,
    process: &Held,
    shelf: &Shelf,
    visit: &Visit,
    list: &ListBelow,
) -> Result<Answer, WebError> {
    let (title_key, count_key) = (format!("{}-title", list.name), format!("{}-count", list.name));
    let query = Query::of([list.class]).process(process.id.clone()).newest(PER_PAGE);
    let listed = reading.list(shelf, &query, visit.after()?).await?;
    let total = reading.count(shelf, &query).await?;
    let dispositions = reading.dispositions_of(shelf, &listed.items).await?;
    let desk = &reading.desk;
    let home = desk.page_of(process);
    let address = home.below(list.name);
    let name = desk.name_of(process).span();
    let title = desk.texts.plain(&title_key, &[("name", Arg::Text(&desk.plain_name_of(process)))]);
    let view = ListPage {
        f: desk.frame_of(process, numbered(reading, title, visit), visit.address(&address)).after(name.clone(), &home),
        banner: desk.banner(process),
        heading: desk.texts.html(&title_key, &[("name", Arg::Html(&name))]),
        intro: vec![
            desk.texts.html(&count_key, &[("n", Arg::Number(total)), ("city", Arg::Name(&desk.city_of(&process.origin)))]),
        ],
        incomplete: if process.is_copy() { Vec::new() } else { reading.incomplete.clone() },
        cards: listed.items.iter().map(|held| desk.card_in(process, held, dispositions.get(&held.id))).collect(),
        empty: desk.texts.say(list.none),
        pager: Pager::new(desk, &address, visit.page(), total, listed.next),
        outro: Vec::new(),
    };
    page(StatusCode::OK, &view)
}

/// A title that tells the second page from the first (UI-07).
fn numbered(reading: &Reading, title: String, visit: &Visit) -> String {
    match visit.page() {
        0 | 1 => title,
        n => reading.desk.texts.plain("title-page", &[("title", Arg::Text(&title)), ("page", Arg::Number(n))]),
    }
}
