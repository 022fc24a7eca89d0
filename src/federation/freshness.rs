//! A copy is a cache: it lives 90 days from its last confirmation, which its holder renews at half time by
//! a GET at its origin; one that nobody confirms is erased, and its owner gets a receipt (R6, R7,
//! architecture §4.10).
//!
//! A step claims a few stale copies of every origin, those confirmed longest ago first, so that one city's
//! refusals take no other's place and two processes never ask for the same. An origin that does not answer is
//! left alone until the next look, except for copies whose time is over: none is erased unasked.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;

use super::object::{self, Judged, Objection};
use super::receipts;
use super::verify::proof_keys;
use super::{Federation, Outcome, dispatch, fetch, incoming, strict_json};
use crate::domain::receipt::{PurgeCause, PurgeReceipt};
use crate::domain::{Key, PartnerDomain, RecordId, Timestamp};
use crate::store::{PutCopy, StoreError};

/// How long a copy lives from its last confirmation.
pub const LIFETIME: Duration = Duration::from_hours(90 * 24);
/// When its holder begins to ask.
pub const HALF_TIME: Duration = Duration::from_hours(45 * 24);
/// How often somebody looks; what could not be renewed waits that long.
const EVERY: Duration = Duration::from_hours(6);
/// Copies of one origin in one step.
const BATCH: u32 = 20;
/// Where the time of the last look is kept.
const LAST_LOOK: &str = "freshness-looked-at";

/// What an origin says when it is asked for a record of which we hold a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// What the record is now; our copy is that.
    Renewed,
    /// Nothing that renews this one copy.
    Refused,
    /// Nothing at all, or nothing to us.
    Silent,
}

/// Renews what is past half of its life and erases what is past its end; every few hours.
///
/// # Errors
/// Only of the database; an origin that does not answer is asked again.
pub async fn step(federation: &Federation) -> Result<Outcome, StoreError> {
    let now = federation.now();
    let last: Option<Timestamp> = federation.store.read().await?.fact(LAST_LOOK).await?.and_then(|text| text.parse().ok());
    if last.is_some_and(|last| now.since(last) < EVERY && last <= now) {
        return Ok(Outcome::Idle);
    }
    let mut tx = federation.store.write().await?;
    let stale = tx.claim_stale_copies(now.minus(HALF_TIME), now, now.minus(EVERY), BATCH).await?;
    if stale.is_empty() {
        tx.put_fact(LAST_LOOK, &now.to_string()).await?;
    }
    tx.save().await?;
    let mut silent = HashSet::<PartnerDomain>::new();
    for (domain, id, confirmed) in &stale {
        let over = *confirmed <= now.minus(LIFETIME);
        if silent.contains(domain) && !over {
            continue;
        }
        let answer = ask(federation, domain, id).await?;
        if answer == Answer::Silent && silent.insert(domain.clone()) {
            let mut tx = federation.store.write().await?;
            tx.note_silence(domain, now, now.minus(LIFETIME)).await?;
            tx.save().await?;
        }
        if answer != Answer::Renewed && over {
            expire(federation, domain, id).await?;
        }
    }
    Ok(if stale.is_empty() { Outcome::Idle } else { Outcome::Worked(stale.len()) })
}

/// Asks the origin for a record of which we hold a copy.
async fn ask(federation: &Federation, domain: &PartnerDomain, id: &RecordId) -> Result<Answer, StoreError> {
    let mut tx = federation.store.read().await?;
    let Some(partner) = tx.lookup_partner(domain).await? else { return Ok(Answer::Refused) };
    let keys = proof_keys(&mut tx, &partner).await?;
    drop(tx);
    let response = match fetch::signed_get(federation, partner.kind, id.url()).await {
        Ok(response) => response,
        Err(error) => {
            tracing::info!(%id, %error, "an origin did not answer for a copy");
            return Ok(Answer::Silent);
        }
    };
    match response.status.as_u16() {
        200 | 410 => {}
        status => {
            tracing::info!(%id, status, "an origin did not renew a copy");
            // Of these, the next record would get the same answer.
            return Ok(if matches!(status, 401 | 403 | 408 | 429 | 500..) { Answer::Silent } else { Answer::Refused });
        }
    }
    let now = federation.now();
    let document = strict_json::parse(&response.body).ok();
    let alone = document.and_then(|document| incoming::alone(document, &partner.actor, federation.actor()).ok());
    let Some(alone) = alone.filter(|alone| alone.record() == id) else { return Ok(Answer::Refused) };
    let mut tx = federation.store.write().await?;
    let copy = tx.lookup_copy(id).await?;
    let put = match object::judge(&alone, &partner, &keys, copy.as_ref(), now) {
        Ok(Judged::Hold(write)) => tx.put_copy(&write).await?,
        Ok(Judged::Bury(tombstone, sealed)) => tx.bury_copy(domain, &tombstone, &sealed, now).await?,
        Err(objection) => {
            if let Objection::Contradicts(write, _) | Objection::TakesBack(write, _) = &objection {
                tx.put_copy(write).await?;
                if matches!(objection, Objection::Contradicts(..)) {
                    tx.append_audit(&[object::equivocation(&partner, id, &objection, now)]).await?;
                }
                tx.save().await?;
            }
            tracing::warn!(%id, problem = objection.detail(), "what an origin says of its record is not believed");
            return Ok(Answer::Refused);
        }
    };
    tx.save().await?;
    // An origin that is behind what it sent us confirms nothing.
    Ok(if matches!(put, PutCopy::Applied | PutCopy::Same) { Answer::Renewed } else { Answer::Refused })
}

/// Erases a copy whose time is over, and tells its owner with a signed receipt.
async fn expire(federation: &Federation, domain: &PartnerDomain, id: &RecordId) -> Result<(), StoreError> {
    let now = federation.now();
    let mut tx = federation.store.write().await?;
    let copy = tx.lookup_copy(id).await?;
    if !tx.expire_copy(id, now.minus(LIFETIME)).await? {
        return Ok(());
    }
    if let (Some(copy), Some(partner)) = (copy, tx.lookup_partner(domain).await?) {
        let key = Key::digest_of(format!("expired {domain} {id} {}", now.micros()).as_bytes());
        let address = federation.address("receipts", &key).map_or_else(|_| String::new(), |url| url.to_string());
        let erased = receipts::erased(federation, address, id, PurgeCause::CacheExpiry, now);
        let receipt = PurgeReceipt { subject_digest: Some(copy.digest), ..erased };
        let signed = receipts::sign_purge(&receipt, &federation.keys, now);
        match signed {
            Ok(signed) => {
                let letter = dispatch::letter(federation, &partner, "Accept", &json!(id), Some(signed.document), now);
                tx.put_letter(domain, &letter.id, &String::from_utf8_lossy(&letter.body), now).await?;
            }
            Err(error) => tracing::error!(%id, %error, "a copy expired, but its receipt could not be signed"),
        }
    }
    tx.save().await
}
