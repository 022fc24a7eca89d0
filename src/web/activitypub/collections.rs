//! The actor's ordinary collections: outbox (what is public, newest first) and followers. Partners read
//! `/actor/records` instead, which knows what each of them is due.

use axum::extract::State;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::raw;
use crate::domain::id::{Class, Key};
use crate::domain::partner::{FollowState, PartnerKind};
use crate::store::{RecordQuery, StoredRecord, Tx};
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::html::Html;
use crate::web::negotiate::Form;
use crate::web::pages::notices::{Part, write};
use crate::web::state::WebState;
use crate::web::urls::Address;
use crate::web::visit::{InPath, Visit};

const CONTEXT: &str = "https://www.w3.org/ns/activitystreams";
const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
/// Activities on one page of the outbox.
const PER_PAGE: u32 = 20;

/// Addresses on one page of the news about a promise.
const NEWS_PER_PAGE: u32 = 100;

#[derive(Serialize)]
struct CollectionPage<T> {
    #[serde(rename = "@context")]
    context: &'static str,
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "partOf")]
    part_of: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(rename = "orderedItems")]
    items: Vec<T>,
}

/// One page of `query` in the collection at `address`, or, unless a page is asked for, how many it has in all
/// and where they begin.
async fn paged<T: Serialize>(
    web: &WebState,
    tx: &mut Tx,
    visit: &Visit,
    (address, query): (&Address, &RecordQuery),
    item: impl Fn(StoredRecord) -> Result<T, WebError>,
) -> Result<Answer, WebError> {
    let id = address.absolute(web.public_url(), None);
    let at = |after: &str| address.clone().with("after", after).absolute(web.public_url(), None);
    let Some(after) = visit.after_text() else {
        let total = tx.count_records(query).await?;
        return Ok(Answer::activity(&json!({
            "@context": CONTEXT, "id": id, "type": "OrderedCollection", "totalItems": total, "first": at(""),
        })));
    };
    let cursor = if after.is_empty() { None } else { visit.after()? };
    let listed = tx.list_records(&RecordQuery { after: cursor, ..query.clone() }).await?;
    let page = CollectionPage {
        context: CONTEXT,
        id: at(after),
        kind: "OrderedCollectionPage",
        part_of: id,
        next: listed.next.map(|next| at(&next.to_string())),
        items: listed.items.into_iter().map(item).collect::<Result<Vec<T>, WebError>>()?,
    };
    let text = serde_json::to_string(&page).map_err(|error| WebError::internal("a page of a collection", &error))?;
    Ok(Answer::activity_text(text))
}

#[derive(Serialize)]
struct Published {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    actor: String,
    #[serde(rename = "published")]
    when: String,
    to: [&'static str; 1],
    object: Box<RawValue>,
}

/// `GET /actor/outbox`; people are led to the consultations.
pub async fn outbox(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    let address = Address::fixed("/actor/outbox");
    if visit.form == Form::Page {
        return Ok(Answer::see_other(Address::consultations().href(visit.carried)));
    }
    let query = RecordQuery { limit: PER_PAGE, ..RecordQuery::default() };
    let mut tx = web.store().read().await?;
    let actor = web.authority().id.to_string();
    let published = |stored: StoredRecord| {
        let when = stored.record.as_ref().and_then(|record| record.published).unwrap_or(stored.changed_at);
        Ok(Published {
            id: format!("{}#published", stored.id),
            kind: "Create",
            actor: actor.clone(),
            when: when.to_string(),
            to: [PUBLIC],
            object: raw(&stored.sealed)?,
        })
    };
    paged(&web, &mut tx, &visit, (&address, &query), published).await
}

/// `GET /actor/followers`: how many follow, never who; people are led to the partners.
pub async fn followers(State(web): State<WebState>, visit: Visit) -> Result<Answer, WebError> {
    if visit.form == Form::Page {
        return Ok(Answer::see_other(Address::partners().href(visit.carried)));
    }
    let mut tx = web.store().read().await?;
    let partners = tx.list_partners().await?;
    let gateways =
        partners.iter().filter(|partner| partner.kind == PartnerKind::Partner && partner.follows_us == FollowState::Accepted);
    let total = u64::try_from(gateways.count()).unwrap_or(u64::MAX).saturating_add(tx.count_followers(None).await?);
    Ok(counted(&web, "/actor/followers", total))
}

/// `GET /consultations/{key}/followers`: how many follow this consultation by itself, never who.
pub async fn consultation_followers(
    State(web): State<WebState>,
    InPath(key): InPath<Key>,
    visit: Visit,
) -> Result<Answer, WebError> {
    let mut reading = web.reading(&visit).await?;
    let process = reading.own(Class::Consultation, &key).await?.ok_or(WebError::NotFound)?;
    let total = web.store().read().await?.count_followers(Some(&process.id)).await?;
    if visit.form == Form::Machine {
        return Ok(counted(&web, &visit.path, total));
    }
    let texts = web.texts(visit.language);
    let back = Html::link(&Address::record(&process.id).href(visit.carried), &texts.html("followers-back", &[]));
    let lines = vec![Html::text(&texts.count("followers-count", total)), texts.html("followers-lead", &[]), back];
    write(&web, &visit, &visit.path, "followers-title", vec![Part { lines, ..Part::default() }])
}

/// A collection that says only how many it has.
fn counted(web: &WebState, path: &str, total: u64) -> Answer {
    Answer::activity(&json!({
        "@context": CONTEXT, "id": Address::fixed(path).absolute(web.public_url(), None), "type": "OrderedCollection",
        "totalItems": total,
    }))
}

/// `GET /commitments/{key}/progress`: the news about a promise, newest first; people are led to its page.
pub async fn progress(State(web): State<WebState>, InPath(key): InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    let mut reading = web.reading(&visit).await?;
    let promise = reading.own(Class::Commitment, &key).await?.ok_or(WebError::NotFound)?;
    if visit.form == Form::Page {
        return Ok(Answer::see_other(Address::record(&promise.id).href(visit.carried)));
    }
    let address = Address::record(&promise.id).below("progress");
    let classes = vec![Class::ProgressUpdate];
    let query = RecordQuery { classes, parent: Some(promise.id), limit: NEWS_PER_PAGE, ..RecordQuery::default() };
    paged(&web, reading.tx(), &visit, (&address, &query), |stored| Ok(stored.id.to_string())).await
}

/// A collection of addresses.
#[must_use]
pub fn collection(web: &WebState, path: &str, items: &[String]) -> Answer {
    Answer::activity(&json!({
        "@context": CONTEXT, "id": Address::fixed(path).absolute(web.public_url(), None), "type": "OrderedCollection",
        "totalItems": items.len(), "orderedItems": items,
    }))
}
