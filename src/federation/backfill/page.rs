//! A page of a partner's stream: asked for, read as far as we use it, and each item judged by itself.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::domain::partner::Partner;
use crate::domain::{ActorId, RecordId, Timestamp};
use crate::federation::fetch::{self, FetchError};
use crate::federation::object::{self, Objection, ProofKey, Read};
use crate::federation::refusal::Refusal;
use crate::federation::verify::proof_keys;
use crate::federation::{Federation, cores, incoming};
use crate::outbound::Response;
use crate::store::StoreError;

/// Items on one page.
const MAX_ITEMS: usize = 100;
/// Longest address of a page, in bytes.
const MAX_ADDRESS: usize = 2048;

/// An item as far as it can be judged without what is held, with its address; or what it says its address is,
/// for people, and why it is none.
pub(super) type Item = Result<(RecordId, Result<Read, Objection>), (String, Refusal)>;

/// A page as it came: of what it says is only read where it leads ahead.
pub(super) struct Fetched {
    response: Response,
    pub(super) ahead: Option<String>,
}

/// Of a page, what the next question needs: it is asked while the page is still being read.
#[derive(Deserialize)]
struct Signpost {
    ahead: Option<String>,
}

/// A page as far as we use it.
pub(super) struct Page {
    pub(super) items: Vec<Item>,
    /// With which keys its proofs were checked.
    pub(super) keys: Arc<Vec<ProofKey>>,
    pub(super) leads: Leads,
}

/// Where a page leads.
pub(super) struct Leads {
    pub(super) next: String,
    /// Where the next one is asked for before this one is kept, if anywhere.
    pub(super) ahead: Option<String>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the page is not usable: {0}")]
    Shape(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A page of the partner's stream, each item judged by itself.
pub(super) async fn page(federation: &Federation, partner: &Partner, at: &str) -> Result<Page, PageError> {
    judged(federation, partner, fetch(federation, partner, at).await?).await
}

/// A page of the partner's stream, as it came.
pub(super) async fn fetch(federation: &Federation, partner: &Partner, at: &str) -> Result<Fetched, PageError> {
    let url: Url = own(partner, at)?;
    let response = fetch::signed_get(federation, partner.kind, &url).await?;
    fetch::is_document(&response)?;
    let signpost = serde_json::from_slice::<Signpost>(&response.body).ok();
    let ahead = signpost.and_then(|signpost| signpost.ahead).filter(|ahead| own(partner, ahead).is_ok());
    Ok(Fetched { response, ahead })
}

/// The same page, each item judged by itself. On one core: the others have the pages behind it.
pub(super) async fn judged(federation: &Federation, partner: &Partner, page: Fetched) -> Result<Page, PageError> {
    let keys = Arc::new(proof_keys(&mut federation.store.read().await?, partner).await?);
    let (partner, own, known, now) = (partner.clone(), federation.actor().clone(), Arc::clone(&keys), federation.now());
    let read = cores::beside(move || {
        let (items, leads) = read_page(&partner, fetch::document(&page.response)?)?;
        let items = items.into_iter().map(|item| judge(item, &partner, &own, &known, now)).collect();
        Ok::<_, PageError>((items, leads))
    });
    let (items, leads) = read.await?;
    Ok(Page { items, keys, leads })
}

/// The address of a page on the partner's own origin.
fn own(partner: &Partner, at: &str) -> Result<Url, PageError> {
    let address: Option<RecordId> = if at.len() <= MAX_ADDRESS { at.parse().ok() } else { None };
    let address = address.filter(|address| partner.actor.owns(address));
    address.map(|address| address.url().clone()).ok_or(PageError::Shape("it leads to another host"))
}

/// What a page says; counts such as `totalItems` are never believed (SEC-137).
fn read_page(partner: &Partner, mut document: Value) -> Result<(Vec<Value>, Leads), PageError> {
    if document.get("type").and_then(Value::as_str) != Some("OrderedCollectionPage") {
        return Err(PageError::Shape("it is not an OrderedCollectionPage"));
    }
    let items = match document.get_mut("orderedItems").map(Value::take) {
        None => Vec::new(),
        Some(Value::Array(items)) if items.len() <= MAX_ITEMS => items,
        Some(Value::Array(_)) => return Err(PageError::Shape("it has more than 100 items")),
        Some(_) => return Err(PageError::Shape("its orderedItems are not a list")),
    };
    let next = document.get("next").and_then(Value::as_str).ok_or(PageError::Shape("it has no next"))?;
    own(partner, next)?;
    let ahead = document.get("ahead").and_then(Value::as_str).filter(|ahead| own(partner, ahead).is_ok());
    Ok((items, Leads { next: next.to_owned(), ahead: ahead.map(str::to_owned) }))
}

fn judge(item: Value, partner: &Partner, own: &ActorId, keys: &[ProofKey], now: Timestamp) -> Item {
    let name = item.get("id").and_then(Value::as_str).unwrap_or("an item without an address").to_owned();
    let alone = incoming::alone(item, &partner.actor, own).map_err(|refusal| (name, refusal))?;
    Ok((alone.record().clone(), object::read(&alone, partner, keys, now)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::partner::{FollowState, PartnerKind};

    fn partner() -> Partner {
        Partner {
            domain: "b.example".parse().expect("a domain"),
            kind: PartnerKind::Partner,
            actor: "https://b.example/actor".parse().expect("an address"),
            name: "B".to_owned(),
            inbox: "https://b.example/actor/inbox".to_owned(),
            records: Some("https://b.example/actor/records".to_owned()),
            key: None,
            key_id: None,
            rsa: None,
            follows_us: FollowState::Accepted,
            followed: FollowState::Accepted,
            since: Timestamp::from_micros(0).expect("1970"),
        }
    }

    #[test]
    fn sec_136_a_page_that_leads_elsewhere_or_nowhere_is_unusable() {
        let page = |next: Value, items: Value| {
            read_page(&partner(), json!({"type": "OrderedCollectionPage", "next": next, "orderedItems": items})).is_ok()
        };
        assert!(page(json!("https://b.example/actor/records?after=x"), json!([])));
        assert!(!page(json!("https://c.example/actor/records?after=x"), json!([])));
        assert!(!page(json!(null), json!([])));
        assert!(!page(json!({"type": "OrderedCollectionPage"}), json!([])));
        assert!(!page(json!("https://b.example/actor/records?after=x"), json!({"1": 2})));
        assert!(!page(json!("https://b.example/actor/records?after=x"), json!(vec![json!({}); 101])));
        assert!(!page(json!(format!("https://b.example/{}", "x".repeat(3000))), json!([])));
    }

    #[test]
    fn sec_137_total_items_are_not_looked_at() {
        for total in [json!(1_000_000_000_000_u64), json!(-1), json!("many")] {
            let document = json!({
                "type": "OrderedCollectionPage", "totalItems": total, "next": "https://b.example/actor/records?after=x",
                "orderedItems": []
            });
            assert!(read_page(&partner(), document).is_ok());
        }
    }
}
