//! `/activities/{key}`: what we sent, answered from the log of exchanges and the letters. An activity
//! whose record has changed since names it instead of carrying old words.

use axum::extract::State;
use serde_json::{Value, json};

use super::document;
use crate::domain::change::ChangeKind;
use crate::domain::id::Key;
use crate::federation::dispatch::{Activity, carrying};
use crate::store::Exchange;
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::state::WebState;
use crate::web::urls::Address;
use crate::web::visit::{InPath, Visit};

/// `GET /activities/{key}`.
pub async fn activity(State(web): State<WebState>, InPath(key): InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    let id = Address::fixed(format!("/activities/{key}")).absolute(web.public_url(), None);
    let mut tx = web.store().read().await?;
    if let Some(letter) = tx.find_letter(&id).await? {
        return document(&web, &visit, "activity-title", "activity-lead", &letter.body);
    }
    let exchanges = tx.exchanges_of_activity(&id).await?;
    let exchange = exchanges.into_iter().next().ok_or(WebError::NotFound)?.exchange;
    let body = rebuilt(&web, &id, &exchange).await?.ok_or(WebError::NotFound)?;
    document(&web, &visit, "activity-title", "activity-lead", &body)
}

/// The activity again: its id says which of the three kinds it was.
async fn rebuilt(web: &WebState, id: &str, exchange: &Exchange) -> Result<Option<String>, WebError> {
    let (Some(record), Some(revision)) = (&exchange.record, exchange.revision) else { return Ok(None) };
    let mut tx = web.store().read().await?;
    let Some(partner) = tx.lookup_partner(&exchange.partner).await? else { return Ok(None) };
    let stored = tx.lookup_record(record).await?.filter(|stored| stored.revision == revision);
    let named = json!(record).to_string();
    let object = stored.as_ref().map_or(named.as_bytes(), |stored| &stored.sealed[..]);
    let tried = ChangeKind::ALL.iter().map(|kind| carrying(web.federation(), &partner, *kind, record, revision, object));
    let Some(Activity { body, .. }) = tried.into_iter().find(|activity| activity.id == id) else { return Ok(None) };
    let text = String::from_utf8(body.to_vec()).map_err(|error| WebError::internal("an activity is not text", &error))?;
    Ok(serde_json::from_str::<Value>(&text).is_ok().then_some(text))
}
