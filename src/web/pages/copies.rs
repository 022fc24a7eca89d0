//! What we hold of a partner's records: the list, and the page of each copy. A copy is never answered
//! as our own ActivityPub: who asks for JSON is sent to the origin (architecture §6).

use std::str::FromStr;

use axum::extract::State;
use axum::http::StatusCode;

use super::consultations::{ListBelow, ListPage, list_of_process};
use super::{PER_PAGE, Pager, page, records};
use crate::domain::id::{Class, Key, PartnerDomain};
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::html::Html;
use crate::web::i18n::Arg;
use crate::web::negotiate::Form;
use crate::web::reading::{Query, Reading, Shelf};
use crate::web::state::WebState;
use crate::web::urls::Address;
use crate::web::view::held::{Held, Standing};
use crate::web::visit::{InPath, Visit};

/// `GET /from/{domain}` as a page: every copy, newest first.
pub async fn held(web: &WebState, domain: &PartnerDomain, visit: &Visit) -> Result<Answer, WebError> {
    let mut reading = web.reading(visit).await?;
    let shelf = Shelf::Partner(domain.clone());
    let query = Query::of(Class::ALL.iter().copied()).newest(PER_PAGE);
    let total = reading.count(&shelf, &query).await?;
    if total == 0 && !reading.partner_domains().contains(domain) {
        return Err(WebError::NotFound);
    }
    let listed = reading.list(&shelf, &query, visit.after()?).await?;
    let dispositions = reading.dispositions_of(&shelf, &listed.items).await?;
    let desk = &reading.desk;
    let city = desk.city_at(domain);
    let address = Address::held(domain);
    let title = desk.texts.plain("held-title", &[("city", Arg::Name(&city))]);
    let title = if visit.page() > 1 {
        desk.texts.plain("title-page", &[("title", Arg::Text(&title)), ("page", Arg::Number(visit.page()))])
    } else {
        title
    };
    let about = Html::link(&desk.link(&Address::partner(domain)), &desk.texts.html("held-about", &[("city", Arg::Name(&city))]));
    let view = ListPage {
        f: desk
            .frame(title, visit.address(&address))
            .after(Html::text(&desk.texts.say("nav-partners")), &Address::partners())
            .after(Html::name(&city), &Address::partner(domain))
            .with_machine_form()
            .unlisted(),
        banner: None,
        heading: desk.texts.html("held-title", &[("city", Arg::Name(&city))]),
        intro: vec![
            desk.texts.html("held-count", &[("n", Arg::Number(total)), ("city", Arg::Name(&city))]),
            desk.texts.html("held-lead", &[("city", Arg::Name(&city))]),
        ],
        incomplete: Vec::new(),
        cards: listed.items.iter().map(|held| desk.card(held, dispositions.get(&held.id))).collect(),
        empty: desk.texts.say("held-none"),
        pager: Pager::new(desk, &address, visit.page(), total, listed.next),
        outro: vec![about],
    };
    page(StatusCode::OK, &view)
}

/// `GET /from/{domain}/{class}/{key}`.
pub async fn copy(
    State(web): State<WebState>,
    InPath((domain, segment, key)): InPath<(String, String, String)>,
    visit: Visit,
) -> Result<Answer, WebError> {
    let mut reading = web.reading(&visit).await?;
    let (shelf, held) = find(&mut reading, &domain, &segment, &key).await?;
    match (visit.form, held.standing) {
        (Form::Machine, Standing::Deleted) => return Ok(super::gone::copy_gone(&reading.desk.texts, &held)),
        (Form::Machine, _) => return Ok(Answer::see_other(held.id.to_string())),
        (Form::Page, _) => {}
    }
    records::page_of(&mut reading, &shelf, &held, &visit).await
}

/// `GET /from/{domain}/consultations/{key}/{list}`: the lists of a partner's consultation.
pub async fn list(
    State(web): State<WebState>,
    InPath((domain, segment, key, list)): InPath<(String, String, String, String)>,
    visit: Visit,
) -> Result<Answer, WebError> {
    let of_consultation = ListBelow::named(&list).filter(|_| segment == Class::Consultation.segment());
    let list = of_consultation.ok_or(WebError::NotFound)?;
    let mut reading = web.reading(&visit).await?;
    let (shelf, held) = find(&mut reading, &domain, &segment, &key).await?;
    if held.visible().is_none() {
        return records::page_of(&mut reading, &shelf, &held, &visit).await;
    }
    list_of_process(&mut reading, &held, &shelf, &visit, list).await
}

async fn find(reading: &mut Reading, domain: &str, segment: &str, key: &str) -> Result<(Shelf, Held), WebError> {
    let domain = PartnerDomain::from_str(domain).map_err(|_| WebError::NotFound)?;
    let key = Key::from_str(key).map_err(|_| WebError::NotFound)?;
    let held = reading.copy(&domain, segment, &key).await?.ok_or(WebError::NotFound)?;
    Ok((Shelf::Partner(domain), held))
}
