//! `/activities/{key}`: what we sent, answered from the letters, the log of exchanges, and before the
//! answer is in the log from the deliveries under way. An activity whose record has changed since names
//! it instead of carrying old words.

use axum::extract::State;
use serde_json::{Value, json};

use super::document;
use crate::domain::change::ChangeKind;
use crate::domain::id::{Key, PartnerDomain, RecordId, Revision};
use crate::domain::partner::PartnerKind;
use crate::federation::dispatch::{Activity, carrying, carrying_id};
use crate::store::{Disclosure, Exchange, Tx};
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::state::WebState;
use crate::web::urls::Address;
use crate::web::visit::{InPath, Visit};

/// Deliveries under way that are looked through for one that is not in the log yet; more are never sent at once.
const AT_ONCE: u32 = 1_000;

/// `GET /activities/{key}`.
pub async fn activity(State(web): State<WebState>, InPath(key): InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    let id = Address::fixed(format!("/activities/{key}")).absolute(web.public_url(), None);
    let mut tx = web.store().read().await?;
    if let Some(letter) = tx.find_letter(&id).await? {
        return document(&web, &visit, "activity-title", "activity-lead", &letter.body);
    }
    let sent = match tx.exchanges_of_activity(&id).await?.into_iter().next() {
        Some(row) => Sent::logged(row.exchange).ok_or(WebError::NotFound)?,
        None => on_its_way(&web, &mut tx, &id).await?.ok_or(WebError::NotFound)?,
    };
    let body = rebuilt(&web, &mut tx, &id, &sent).await?.ok_or(WebError::NotFound)?;
    document(&web, &visit, "activity-title", "activity-lead", &body)
}

/// What an activity carried to whom.
struct Sent {
    partner: PartnerDomain,
    record: RecordId,
    revision: Revision,
}

impl Sent {
    fn logged(exchange: Exchange) -> Option<Self> {
        Some(Self { partner: exchange.partner, record: exchange.record?, revision: exchange.revision? })
    }
}

/// An activity whose answer is still awaited: a careful receiver asks for it before answering.
async fn on_its_way(web: &WebState, tx: &mut Tx, id: &str) -> Result<Option<Sent>, WebError> {
    let rows = tx.disclosures_on_their_way(AT_ONCE).await?;
    let found = rows.into_iter().find_map(|Disclosure { partner, record, due_revision: revision, due_kind, .. }| {
        let sent = Sent { partner, record, revision };
        Some((kind_of(web, id, &sent)?, due_kind, sent))
    });
    let Some((kind, due, sent)) = found else { return Ok(None) };
    // A partner is told what is due; an inbox of a reader what it lacks, or that it is gone.
    let is_sent = match tx.lookup_partner(&sent.partner).await? {
        Some(partner) if partner.kind == PartnerKind::Reader => {
            let record = tx.lookup_record(&sent.record).await?;
            record.is_some_and(|record| record.takes_back() == (kind == ChangeKind::Deleted))
        }
        _ => kind == due,
    };
    Ok(is_sent.then_some(sent))
}

/// Which of the three kinds an activity was: its id says it.
fn kind_of(web: &WebState, id: &str, sent: &Sent) -> Option<ChangeKind> {
    let named = |kind| carrying_id(web.federation(), &sent.partner, kind, &sent.record, sent.revision);
    ChangeKind::ALL.iter().copied().find(|kind| named(*kind) == id)
}

/// The activity again.
async fn rebuilt(web: &WebState, tx: &mut Tx, id: &str, sent: &Sent) -> Result<Option<String>, WebError> {
    let Some(kind) = kind_of(web, id, sent) else { return Ok(None) };
    let Sent { partner, record, revision } = sent;
    let Some(partner) = tx.lookup_partner(partner).await? else { return Ok(None) };
    let stored = tx.lookup_record(record).await?.filter(|stored| stored.revision == *revision);
    let named = json!(record).to_string();
    let object = stored.as_ref().map_or(named.as_bytes(), |stored| &stored.sealed[..]);
    let process = stored.as_ref().map(|stored| &stored.process);
    let Activity { body, .. } = carrying(web.federation(), &partner, kind, (record, *revision), process, object);
    let text = String::from_utf8(body.to_vec()).map_err(|error| WebError::internal("an activity is not text", &error))?;
    Ok(serde_json::from_str::<Value>(&text).is_ok().then_some(text))
}
