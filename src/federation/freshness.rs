//! A copy is a cache: it lives 90 days from its last confirmation, which its holder renews at half time by
//! a GET at its origin; one that nobody confirms is erased, and its owner gets a receipt (R6, R7,
//! architecture §4.10).

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;

use super::object::{self, Judged, Objection};
use super::receipts;
use super::verify::proof_keys;
use super::{Federation, Outcome, dispatch, fetch, strict_json};
use crate::domain::partner::Partner;
use crate::domain::receipt::{Erased, PurgeCause, PurgeReceipt, Residual};
use crate::domain::{Key, PartnerDomain, RecordId, Timestamp};
use crate::store::StoreError;

/// How long a copy lives from its last confirmation.
pub const LIFETIME: Duration = Duration::from_hours(90 * 24);
/// When its holder begins to ask.
pub const HALF_TIME: Duration = Duration::from_hours(45 * 24);
/// How often somebody looks; what could not be renewed waits that long.
const EVERY: Duration = Duration::from_hours(6);
/// Copies in one step.
const BATCH: u32 = 200;
/// Where the time of the last look is kept.
const LAST_LOOK: &str = "freshness-looked-at";

/// Renews what is past half of its life and erases what is past its end; every few hours.
///
/// # Errors
/// Only of the database; an origin that does not answer is asked again.
pub async fn step(federation: &Federation) -> Result<Outcome, StoreError> {
    let now = federation.now();
    let mut tx = federation.store.read().await?;
    let last: Option<Timestamp> = tx.fact(LAST_LOOK).await?.and_then(|text| text.parse().ok());
    if last.is_some_and(|last| now.since(last) < EVERY && last <= now) {
        return Ok(Outcome::Idle);
    }
    let stale = tx.stale_copies(now.minus(HALF_TIME), BATCH).await?;
    drop(tx);
    let more = stale.len() == BATCH as usize;
    let (mut silent, mut done) = (HashSet::<PartnerDomain>::new(), 0);
    for (domain, id, confirmed) in stale {
        let renewed = !silent.contains(&domain) && renew(federation, &domain, &id).await?;
        if !renewed && confirmed <= now.minus(LIFETIME) {
            expire(federation, &domain, &id).await?;
            done += 1;
        } else if renewed {
            done += 1;
        } else {
            // One refusal is enough for now: the others of this origin are asked at the next look.
            silent.insert(domain);
        }
    }
    // After a full batch that moved, the next step goes on at once.
    if !more || done == 0 {
        let mut tx = federation.store.write().await?;
        tx.put_fact(LAST_LOOK, &now.to_string()).await?;
        tx.save().await?;
    }
    Ok(if done > 0 { Outcome::Worked(done) } else { Outcome::Idle })
}

/// Asks the origin for a record of which we hold a copy. Whether it said what the record is now.
async fn renew(federation: &Federation, domain: &PartnerDomain, id: &RecordId) -> Result<bool, StoreError> {
    let mut tx = federation.store.read().await?;
    let Some(partner) = tx.lookup_partner(domain).await? else { return Ok(false) };
    let keys = proof_keys(&mut tx, &partner).await?;
    drop(tx);
    let response = match fetch::signed_get(federation, partner.kind, id.url()).await {
        Ok(response) if matches!(response.status.as_u16(), 200 | 410) => response,
        Ok(response) => {
            tracing::info!(%id, status = response.status.as_u16(), "an origin did not renew a copy");
            return Ok(false);
        }
        Err(error) => {
            tracing::info!(%id, %error, "an origin did not answer for a copy");
            return Ok(false);
        }
    };
    let now = federation.now();
    let document = strict_json::parse(&response.body).ok();
    let claim = document.and_then(|document| object::claimed(&document, &partner.actor, federation.actor()).ok());
    let Some((_, asked)) = claim.filter(|(named, _)| named == id) else { return Ok(false) };
    let mut tx = federation.store.write().await?;
    let copy = tx.lookup_copy(id).await?;
    match object::judge(&asked, &partner, &keys, copy.as_ref(), now) {
        Ok(Judged::Hold(write)) => {
            tx.put_copy(&write).await?;
        }
        Ok(Judged::Bury(tombstone, sealed)) => {
            tx.bury_copy(domain, &tombstone, &sealed, now).await?;
        }
        Err(objection) => {
            if let Objection::Contradicts(write, _) = &objection {
                tx.put_copy(write).await?;
                tx.append_audit(&[object::equivocation(&partner, id, &objection, now)]).await?;
                tx.save().await?;
            }
            tracing::warn!(%id, problem = objection.detail(), "what an origin says of its record is not believed");
            return Ok(false);
        }
    }
    tx.save().await?;
    Ok(true)
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
        let receipt = receipt(federation, &partner, id, copy.digest, now);
        let signed = receipts::sign_purge(&receipt, &federation.public_url, &federation.keys, now);
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

fn receipt(
    federation: &Federation,
    partner: &Partner,
    id: &RecordId,
    digest: crate::domain::digest::Digest,
    now: Timestamp,
) -> PurgeReceipt {
    let key = Key::digest_of(format!("expired {} {id} {}", partner.domain, now.micros()).as_bytes());
    let keep = federation.backup_keep;
    let mut residual = vec![Residual::AuditHash];
    if !keep.is_zero() {
        residual.push(Residual::Backup);
    }
    PurgeReceipt {
        id: federation.address("receipts", &key).map_or_else(|_| String::new(), |url| url.to_string()),
        holder: federation.actor().clone(),
        request_activity: None,
        receipt_for: id.to_string(),
        subject_digest: Some(digest),
        cause: PurgeCause::CacheExpiry,
        purged_at: now,
        erased: Erased::ALL.to_vec(),
        residual,
        backups_until: (!keep.is_zero()).then(|| now.plus(keep)),
    }
}
