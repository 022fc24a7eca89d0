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
/// After this a look-up that did not end is given up.
const ABANDONED: Duration = Duration::from_mins(1);
/// Most partners remembered; the allow-list is shorter, this is a belt to its braces.
const MAX_REMEMBERED: usize = 1000;

/// The last look-up at each partner.
#[derive(Default)]
pub(super) struct Refetches(Mutex<HashMap<PartnerDomain, Last>>);

#[derive(Clone)]
struct Last {
    at: Timestamp,
    state: State,
}

#[derive(Clone)]
enum State {
    /// Somebody asks just now.
    Running,
    /// The keys that the actor listed: whoever names another key meanwhile is answered from here, so
    /// that a stranger who asks for nonsense does not keep a new key out.
    Listed { actor: ActorId, document: Value },
    /// It did not answer well.
    Failed(Refusal),
}

impl Refetches {
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Takes the key with this id from the actor's own document, asking for it if the pause is over.
    pub(super) async fn fetch(
        &self,
        federation: &Federation,
        partner: &Partner,
        actor: &ActorId,
        key_id: &str,
    ) -> Result<(Partner, ListedKey), Refusal> {
        if let Some(remembered) = self.begin(&partner.domain, actor, federation.now())? {
            return take(partner, actor, &remembered, key_id);
        }
        let answer = fetch_actor(federation, actor, partner.kind).await;
        let state = match &answer {
            Ok(document) => State::Listed { actor: actor.clone(), document: keys_of(document) },
            Err(refusal) => State::Failed(refusal.clone()),
        };
        if let Some(last) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&partner.domain) {
            last.state = state;
        }
        take(partner, actor, &answer?, key_id)
    }

    /// Reserves the look-up (`None`), or answers from memory.
    fn begin(&self, domain: &PartnerDomain, actor: &ActorId, now: Timestamp) -> Result<Option<Value>, Refusal> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = last.get(domain).filter(|entry| now >= entry.at) {
            let age = now.since(entry.at);
            match &entry.state {
                // A look-up whose caller went away is over after a minute.
                State::Running if age < ABANDONED => {
                    let busy = Refusal::new(Code::KeyUnavailable, "this partner's key is being looked up");
                    return Err(busy.retry_after(Duration::from_secs(5)));
                }
                State::Failed(refusal) if age < PAUSE => return Err(refusal.clone()),
                State::Listed { actor: asked, document } if age < PAUSE && asked == actor => return Ok(Some(document.clone())),
                State::Listed { .. } if age < PAUSE => {
                    return Err(Refusal::new(
                        Code::UnknownKey,
                        "another actor of this host was looked up less than 5 minutes ago",
                    ));
                }
                State::Running | State::Failed(_) | State::Listed { .. } => {}
            }
        }
        if last.len() >= MAX_REMEMBERED && !last.contains_key(domain) {
            let idle = last.iter().filter(|(_, entry)| !matches!(entry.state, State::Running));
            if let Some(oldest) = idle.min_by_key(|(_, entry)| entry.at).map(|(domain, _)| domain.clone()) {
                last.remove(&oldest);
            }
        }
        last.insert(domain.clone(), Last { at: now, state: State::Running });
        Ok(None)
    }
}

/// What is remembered of an actor document: who it is and which keys it lists.
fn keys_of(document: &Value) -> Value {
    let kept = ["id", "inbox", "publicKey", "assertionMethod"];
    kept.iter()
        .filter_map(|name| Some(((*name).to_owned(), document.get(*name)?.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn take(partner: &Partner, actor: &ActorId, document: &Value, key_id: &str) -> Result<(Partner, ListedKey), Refusal> {
    let refused = |error: ActorRefused| {
        let code = if error == ActorRefused::NotListed { Code::UnknownKey } else { Code::KeyOwner };
        Refusal::new(code, error)
    };
    let read = ActorDocument::of(actor, document).map_err(refused)?;
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
