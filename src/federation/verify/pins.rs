//! Pinned keys: those in the partner's row, and those it had before.
//!
//! A key that was replaced still signs requests for a day (SEC-076), and still proves the records that
//! were sealed while it was valid (R19).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;
use crate::domain::partner::{Multikey, Partner};
use crate::store::{AuditEntry, StoreError, Tx};

use super::super::keys::{PublicKey, RsaPublicKey};
use super::actor_keys::ListedKey;

/// How long a replaced key still signs requests.
const GRACE: Duration = Duration::from_hours(24);

/// A key that was pinned before the present one.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Former {
    key_id: String,
    key: Multikey,
    replaced_at: Timestamp,
}

fn fact(partner: &Partner) -> String {
    format!("former-keys/{}", partner.domain)
}

async fn former(tx: &mut Tx, partner: &Partner) -> Result<Vec<Former>, StoreError> {
    let text = tx.fact(&fact(partner)).await?;
    // Written by `replace` below; an unreadable value means no former key.
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// The key in the partner's row with exactly this id.
pub(super) fn current(partner: &Partner, key_id: &str) -> Option<PublicKey> {
    if let (Some(key), Some(id)) = (&partner.key, &partner.key_id)
        && id == key_id
    {
        return Some(PublicKey::Ed25519(key.clone()));
    }
    let (pem, _) = partner.rsa.as_ref().filter(|(_, id)| id == key_id)?;
    RsaPublicKey::from_pem(pem).ok().map(PublicKey::Rsa)
}

/// The key that was pinned under exactly this id until less than a day ago.
pub(super) async fn in_grace(
    tx: &mut Tx,
    partner: &Partner,
    key_id: &str,
    now: Timestamp,
) -> Result<Option<PublicKey>, StoreError> {
    let former = former(tx, partner).await?;
    let valid = former.into_iter().find(|former| former.key_id == key_id && former.replaced_at.plus(GRACE) > now);
    Ok(valid.map(|former| PublicKey::Ed25519(former.key)))
}

/// The Ed25519 keys with which the partner's proofs are checked: the pinned one first, then former
/// ones, each with its id and the instant after which its proofs count no more.
///
/// # Errors
/// When the store fails.
pub async fn proof_keys(tx: &mut Tx, partner: &Partner) -> Result<Vec<(String, Multikey, Option<Timestamp>)>, StoreError> {
    let mut keys = Vec::new();
    if let (Some(key), Some(id)) = (&partner.key, &partner.key_id) {
        keys.push((id.clone(), key.clone(), None));
    }
    for former in former(tx, partner).await? {
        keys.push((former.key_id, former.key, Some(former.replaced_at)));
    }
    Ok(keys)
}

/// The key of `keys` that a document's proof names.
#[must_use]
pub fn proof_key<'a>(
    keys: &'a [(String, Multikey, Option<Timestamp>)],
    document: &serde_json::Value,
) -> Option<&'a (String, Multikey, Option<Timestamp>)> {
    let method = document.get("proof")?.get("verificationMethod")?.as_str()?;
    keys.iter().find(|(id, ..)| id == method)
}

/// Pins a key that was fetched from the partner's own origin and has just verified a request; writes
/// an audit row. What the actor says about its endpoints stays a proposal (SEC-075).
pub(super) async fn replace(
    tx: &mut Tx,
    fetched: &Partner,
    key_id: &str,
    key: &ListedKey,
    now: Timestamp,
) -> Result<(), StoreError> {
    // The row may have changed while the network was asked; only the pins are ours to write.
    let mut partner = tx.lookup_partner(&fetched.domain).await?.unwrap_or_else(|| fetched.clone());
    match key {
        ListedKey::Ed25519(new) => {
            if let (Some(old), Some(old_id)) = (partner.key.take(), partner.key_id.take())
                && old != *new
            {
                let mut all = former(tx, &partner).await?;
                all.push(Former { key_id: old_id, key: old, replaced_at: now });
                let text = serde_json::to_string(&all).unwrap_or_default();
                tx.put_fact(&fact(&partner), &text).await?;
            }
            partner.key = Some(new.clone());
            partner.key_id = Some(key_id.to_owned());
        }
        ListedKey::Rsa(_, pem) => partner.rsa = Some((pem.clone(), key_id.to_owned())),
    }
    tx.put_partner(&partner).await?;
    let entry = AuditEntry {
        at: now,
        who: partner.domain.to_string(),
        action: "key-replaced".to_owned(),
        subject: key_id.to_owned(),
        detail: "fetched from the partner's own origin after a request that was signed with it".to_owned(),
    };
    tx.append_audit(&[entry]).await
}
