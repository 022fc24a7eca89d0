//! What is held of a partner's records: the collection at `/from/{domain}`, written for others and read
//! from them (architecture §3, receipts; §6).
//!
//! Everybody gets the origin ids of what has a page here; of the rest, nothing can be told from what never was
//! (SEC-199). Only the partner whose records they are, on its own signed GET, gets all of them with revision
//! and digest of each, tombstones included: that is the status query which settles a delivery that
//! was answered without a receipt, and what anti-entropy compares.

use std::collections::HashSet;

use serde_json::{Value, json};
use url::Url;

use super::Federation;
use super::fetch::{self, FetchError};
use crate::domain::digest::Digest;
use crate::domain::partner::Partner;
use crate::domain::{PartnerDomain, RecordId, Revision};
use crate::store::{CopyStanding, StoreError};

/// Ids on one page.
const PER_PAGE: u32 = 500;
/// Pages that a status query reads at most.
const MAX_PAGES: usize = 20;

/// Why the collection is not shown.
#[derive(Debug, thiserror::Error)]
pub enum HeldError {
    /// `after` is not a cursor of ours.
    #[error("`after` is not a cursor of this collection")]
    Cursor,
    /// Nobody we know, and nothing that is shown.
    #[error("nothing is held of this domain")]
    Nothing,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The collection of what we hold of `domain`, or one page of it when `after` is given (empty for the
/// first). `reader` is who signed the request, when anybody did.
///
/// # Errors
/// [`HeldError::Cursor`] for a cursor that is not ours, [`HeldError::Nothing`] for a stranger's domain.
pub async fn collection(
    federation: &Federation,
    domain: &PartnerDomain,
    reader: Option<&PartnerDomain>,
    after: Option<&str>,
) -> Result<Value, HeldError> {
    let id = address(&federation.public_url, domain);
    let context = "https://www.w3.org/ns/activitystreams";
    let owner = reader == Some(domain);
    let mut tx = federation.store.read().await?;
    let listed = tx.lookup_partner(domain).await?.is_some();
    let counted = |standing| match standing {
        CopyStanding::Live | CopyStanding::Hidden => true,
        CopyStanding::Frozen | CopyStanding::Quarantined => owner,
        CopyStanding::Deleted => false,
    };
    let counts = tx.copy_counts(domain).await?;
    let total: u64 = counts.iter().filter(|(standing, _)| counted(*standing)).map(|(_, count)| count).sum();
    if !listed && total == 0 {
        return Err(HeldError::Nothing);
    }
    let Some(after) = after else {
        let first = format!("{id}?after=");
        return Ok(json!({"@context": context, "id": id, "type": "OrderedCollection", "totalItems": total, "first": first}));
    };
    let start = if after.is_empty() { None } else { Some(read_cursor(after).ok_or(HeldError::Cursor)?) };
    let heads = if owner {
        tx.copy_heads(domain, start.as_ref(), PER_PAGE).await?
    } else {
        tx.shown_copy_heads(domain, start.as_ref(), PER_PAGE).await?
    };
    let items: Vec<Value> = heads
        .iter()
        .map(|head| {
            if owner {
                let kind = if head.standing == CopyStanding::Deleted { "Tombstone" } else { "Object" };
                json!({"id": head.id, "type": kind, "revision": head.revision, "subjectDigest": head.digest})
            } else {
                json!(head.id)
            }
        })
        .collect();
    let own = federation.public_url.join("/ns/v1").map_or_else(|_| String::new(), |url| url.to_string());
    let mut page = json!({
        "@context": if owner { json!([context, "https://w3id.org/security/data-integrity/v2", own]) } else { json!(context) },
        "id": format!("{id}?after={after}"), "type": "OrderedCollectionPage", "partOf": id, "orderedItems": items,
    });
    if let Some(last) = heads.last().filter(|_| heads.len() == PER_PAGE as usize) {
        page["next"] = json!(format!("{id}?after={}", write_cursor(last.id.as_str())));
    }
    Ok(page)
}

/// What a partner says it holds of one of our records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldThere {
    /// Whether it is a tombstone.
    pub deleted: bool,
    /// Which revision.
    pub revision: Revision,
    /// Its digest.
    pub digest: Digest,
}

/// Why a partner did not say what it holds.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No document.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Not a list that settles anything.
    #[error("its list of what it holds cannot be used: {0}")]
    Shape(&'static str),
}

/// Asks a partner what it holds of one record of ours (the status query); none when it holds nothing.
///
/// # Errors
/// When it does not answer as it should: what cannot be read proves nothing, least of all an absence.
pub async fn ask(federation: &Federation, partner: &Partner, wanted: &RecordId) -> Result<Option<HeldThere>, AskError> {
    let origin = partner.actor.url().join("/").unwrap_or_else(|_| partner.actor.url().clone());
    let start = address(&origin, &federation.domain());
    // The list is in the order of ids: one place before the record, everything before it is passed over.
    let before = wanted.as_str().get(..wanted.as_str().len() - 1).unwrap_or_default();
    match look_for(federation, partner, wanted, format!("{start}?after={}", write_cursor(before))).await {
        Err(AskError::Fetch(error)) if error.status() == Some(400) => {
            look_for(federation, partner, wanted, format!("{start}?after=")).await
        }
        answer => answer,
    }
}

async fn look_for(
    federation: &Federation,
    partner: &Partner,
    wanted: &RecordId,
    mut at: String,
) -> Result<Option<HeldThere>, AskError> {
    let mut seen = HashSet::new();
    for _ in 0..MAX_PAGES {
        let url = at.parse::<RecordId>().ok().filter(|id| partner.actor.owns(id)).map(|id| id.url().clone());
        let url = url.ok_or(AskError::Shape("it leads to another host"))?;
        let page = fetch::document(&fetch::caused_get(federation, partner.kind, &url).await?)?;
        if page.get("type").and_then(Value::as_str) != Some("OrderedCollectionPage") {
            return Err(AskError::Shape("it is not an OrderedCollectionPage"));
        }
        let items = page.get("orderedItems").and_then(Value::as_array).ok_or(AskError::Shape("it has no orderedItems"))?;
        let mut passed = false;
        for item in items {
            let (id, held) = read_item(item).ok_or(AskError::Shape("an item does not say which revision is held"))?;
            if id == *wanted {
                return Ok(Some(held));
            }
            passed |= id.as_str() > wanted.as_str();
        }
        match page.get("next").map(Value::as_str) {
            next if passed || next.is_none() => return Ok(None),
            Some(Some(next)) if seen.insert(next.to_owned()) => next.clone_into(&mut at),
            _ => return Err(AskError::Shape("it leads nowhere")),
        }
    }
    Err(AskError::Shape("it has more pages than we read"))
}

fn read_item(item: &Value) -> Option<(RecordId, HeldThere)> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let id = text("id")?.parse().ok()?;
    let (deleted, revision) = (text("type") == Some("Tombstone"), item.get("revision")?.as_u64()?);
    Some((id, HeldThere { deleted, revision, digest: text("subjectDigest")?.parse().ok()? }))
}

fn address(public_url: &Url, domain: &PartnerDomain) -> String {
    let path = format!("/from/{domain}");
    public_url.join(&path).map_or(path, |url| url.to_string())
}

fn write_cursor(after: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(after.as_bytes())
}

fn read_cursor(text: &str) -> Option<RecordId> {
    if text.len() > 4096 {
        return None;
    }
    String::from_utf8(data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_a_foreign_one_does_not() {
        let id: RecordId = "https://b.example/comments/1".parse().expect("an address");
        assert_eq!(read_cursor(&write_cursor(id.as_str())), Some(id));
        for text in ["x", "====", "aGVsbG8", &"A".repeat(9000), "' OR 1=1", "\u{0}"] {
            assert_eq!(read_cursor(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_partner_holds_is_read_only_when_it_is_whole() {
        let digest = Digest::of(b"x");
        let item = json!({"id": "https://a.example/comments/1", "type": "Tombstone", "revision": 3, "subjectDigest": digest});
        let read = read_item(&item).map(|(_, held)| held);
        assert_eq!(read, Some(HeldThere { deleted: true, revision: 3, digest }));
        assert_eq!(read_item(&json!("https://a.example/comments/1")), None);
        assert_eq!(read_item(&json!({"id": "https://a.example/comments/1", "revision": -1, "subjectDigest": "zQm"})), None);
    }
}
