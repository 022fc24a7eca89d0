//! `/themes/{key}`: a subject as the city calls it, because signed records name these addresses.

use axum::extract::State;
use axum::http::StatusCode;

use super::consultations::ListPage;
use super::{Pager, page};
use crate::domain::id::{Class, Key};
use crate::domain::theme::Theme;
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::html::Html;
use crate::web::i18n::Arg;
use crate::web::names::place_of;
use crate::web::reading::{Query, Shelf};
use crate::web::state::WebState;
use crate::web::urls::Address;
use crate::web::view::held::Held;
use crate::web::visit::{InPath, Visit};

/// Records read at a time in search of a theme.
const AT_A_TIME: u32 = 500;
/// Records read at most: the newest ones that carry the theme are what a reader looks for.
const LOOKED_AT: usize = 5_000;
/// Records shown.
const SHOWN: usize = 20;

/// `GET /themes/{key}`.
pub async fn theme(State(web): State<WebState>, InPath(key): InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    let mut reading = web.reading(&visit).await?;
    let address = Address::fixed(format!("/themes/{key}"));
    let query = Query::of([Class::Consultation, Class::Contribution, Class::Meeting, Class::BudgetProject, Class::Result])
        .newest(AT_A_TIME);
    let (mut found, mut seen, mut after): (Vec<Held>, usize, Option<String>) = (Vec::new(), 0, None);
    loop {
        let cursor = after.as_deref().map(str::parse).transpose().map_err(|_| WebError::NotFound)?;
        let listed = reading.list(&Shelf::Own, &query, cursor).await?;
        seen += listed.items.len();
        found.extend(listed.items.into_iter().filter(|held| theme_at(held, address.path()).is_some()));
        after = listed.next;
        if after.is_none() || found.len() >= SHOWN || seen >= LOOKED_AT {
            break;
        }
    }
    found.truncate(SHOWN);
    let Some(theme) = found.iter().find_map(|held| theme_at(held, address.path())) else { return Err(WebError::NotFound) };
    let desk = &reading.desk;
    let label = desk.wanted.label(&theme.label);
    let plain = crate::web::view::desk::unescape(label.html.as_str());
    let same = theme.exact_match.iter().map(|concept| {
        let known = if concept.starts_with("http") { Html::link_out(concept, &Html::text(concept)) } else { Html::text(concept) };
        desk.texts.html("theme-same", &[("concept", Arg::Html(&known))])
    });
    let view = ListPage {
        f: desk.frame(desk.texts.plain("theme-title", &[("name", Arg::Text(&plain))]), address.clone()),
        banner: None,
        heading: desk.texts.html("theme-title", &[("name", Arg::Html(&label.span()))]),
        intro: same.chain([desk.texts.html("theme-lead", &[("city", Arg::Name(&place_of(&desk.city)))])]).collect(),
        incomplete: Vec::new(),
        cards: found.iter().map(|held| desk.card(held, None)).collect(),
        empty: String::new(),
        pager: Pager::new(desk, &address, 1, 1, None),
        outro: Vec::new(),
    };
    page(StatusCode::OK, &view)
}

fn theme_at<'a>(held: &'a Held, path: &str) -> Option<&'a Theme> {
    held.visible()?.themes.iter().find(|theme| theme.id.path() == path)
}
