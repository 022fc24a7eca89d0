//! Looking up an unknown key of a listed partner: at most once in five minutes, from the actor's own
//! origin, and remembered when it fails (SEC-033, SEC-046).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::domain::partner::{Partner, PartnerKind};
use crate::domain::{ActorId, PartnerDomain, Timestamp};

use super::super::Federation;
use super::super::fetch::{self, FetchError};
use super::super::refusal::{Code, Refusal};
use super::actor_keys::{ActorDocument, ActorRefused, ListedKey};

/// Between two look-ups at one partner.
const PAUSE: Duration = Duration::from_mins(5);
/// Most partners remembered; the allow-list is shorter, this is a belt to its braces.
const MAX_REMEMBERED: usize = 1000;

/// The last look-up at each partner.
#[derive(Default)]
pub(super) struct Refetches(Mutex<HashMap<PartnerDomain, Last>>);

#[derive(Clone)]
struct Last {
    at: Timestamp,
    /// `None` while it runs and after it succeeded.
    refusal: Option<Refusal>,
    running: bool,
}

impl Refetches {
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Fetches the actor and takes the key with this id from it.
    pub(super) async fn fetch(
        &self,
        federation: &Federation,
        partner: &Partner,
        actor: &ActorId,
        key_id: &str,
    ) -> Result<(Partner, ListedKey), Refusal> {
        self.begin(&partner.domain, federation.now())?;
        let answer = look_up(federation, partner, actor, key_id).await;
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.get_mut(&partner.domain) {
            last.running = false;
            last.refusal = answer.as_ref().err().cloned();
        }
        answer
    }

    /// Reserves the look-up, or answers from memory.
    fn begin(&self, domain: &PartnerDomain, now: Timestamp) -> Result<(), Refusal> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = last.get(domain) {
            // A look-up whose caller went away is over after a minute.
            if entry.running && now.since(entry.at) < Duration::from_mins(1) {
                let busy = Refusal::new(Code::KeyUnavailable, "this partner's key is being looked up");
                return Err(busy.retry_after(Duration::from_secs(5)));
            }
            if now.since(entry.at) < PAUSE && now >= entry.at {
                let unknown = || Refusal::new(Code::UnknownKey, "this key is unknown; it was looked up less than 5 minutes ago");
                return Err(entry.refusal.clone().unwrap_or_else(unknown));
            }
        }
        if last.len() >= MAX_REMEMBERED && !last.contains_key(domain) {
            let oldest = last.iter().filter(|(_, entry)| !entry.running).min_by_key(|(_, entry)| entry.at);
            if let Some(oldest) = oldest.map(|(domain, _)| domain.clone()) {
                last.remove(&oldest);
            }
        }
        last.insert(domain.clone(), Last { at: now, refusal: None, running: true });
        Ok(())
    }
}

async fn look_up(
    federation: &Federation,
    partner: &Partner,
    actor: &ActorId,
    key_id: &str,
) -> Result<(Partner, ListedKey), Refusal> {
    let document = fetch_actor(federation, actor, partner.kind).await?;
    let refused = |error: ActorRefused| {
        let code = match error {
            ActorRefused::NotListed => Code::UnknownKey,
            _ => Code::KeyOwner,
        };
        Refusal::new(code, error)
    };
    let read = ActorDocument::of(actor, &document).map_err(refused)?;
    let key = read.key(key_id).map_err(refused)?;
    let mut partner = partner.clone();
    partner.actor = actor.clone();
    if partner.rsa.is_none() && partner.key.is_none() {
        partner.inbox = read.inbox().map_err(refused)?;
    }
    Ok((partner, key))
}

/// Fetches an actor document from its own address; no redirect is followed.
async fn fetch_actor(federation: &Federation, actor: &ActorId, kind: PartnerKind) -> Result<Value, Refusal> {
    let response = fetch::signed_get(federation, kind, actor.url()).await;
    response.and_then(|response| fetch::document(&response)).map_err(|error| {
        let passing = match &error {
            FetchError::Outbound(error) => error.is_transient(),
            FetchError::Sign(_) => true,
            FetchError::Status { status, .. } => *status >= 500 || matches!(status, 408 | 429),
            FetchError::MediaType { .. } | FetchError::Json { .. } => false,
        };
        Refusal::new(if passing { Code::KeyUnavailable } else { Code::KeyOwner }, error)
    })
}
