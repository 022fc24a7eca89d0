//! Looking up an unknown key of a listed partner, or of an account of a listed reader server: at most once
//! in five minutes an actor, from the actor's own origin, and remembered when it fails (SEC-033, SEC-046).
//!
//! A reader server has many accounts, and whoever likes can name some more: so there is a budget a host,
//! and what is beyond it is told to come again.

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

/// Between two look-ups of one actor.
const PAUSE: Duration = Duration::from_mins(5);
/// After this a look-up that did not end is given up.
const ABANDONED: Duration = Duration::from_mins(1);
/// Most actors remembered; beyond that the oldest is forgotten.
const MAX_REMEMBERED: usize = 1000;
/// Most look-ups at one reader server in five minutes: a busy server's new followers come through, a flood
/// of invented accounts does not become a flood of ours.
pub(super) const PER_HOST: u32 = 60;

/// The last look-up of each actor, and how many there were at each host.
#[derive(Default)]
pub(super) struct Refetches(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    actors: HashMap<ActorId, Last>,
    hosts: HashMap<PartnerDomain, Spent>,
}

/// What a host was asked since `since`.
struct Spent {
    since: Timestamp,
    lookups: u32,
}

#[derive(Clone)]
struct Last {
    at: Timestamp,
    state: State,
}

#[derive(Clone)]
enum State {
    /// Somebody asks just now.
    Running,
    /// What the actor listed: whoever names another key meanwhile is answered from here, so that a
    /// stranger who asks for nonsense does not keep a new key out.
    Listed(Value),
    /// It did not answer well.
    Failed(Refusal),
}

/// What an actor document says of a key and of where to write.
pub(super) struct Found {
    /// The key.
    pub key: ListedKey,
    /// The actor's own inbox.
    pub inbox: String,
    /// The inbox of its server.
    pub shared_inbox: Option<String>,
}

impl Refetches {
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).actors.len()
    }

    /// Takes the key with this id from the actor's own document, asking for it if the pause is over.
    pub(super) async fn fetch(
        &self,
        federation: &Federation,
        partner: &Partner,
        actor: &ActorId,
        key_id: &str,
    ) -> Result<Found, Refusal> {
        if let Some(remembered) = self.begin(partner, actor, federation.now())? {
            return take(partner, actor, &remembered, key_id);
        }
        let answer = fetch_actor(federation, actor, partner.kind).await;
        let state = match &answer {
            Ok(document) => State::Listed(needed_of(document)),
            Err(refusal) => State::Failed(refusal.clone()),
        };
        if let Some(last) = self.0.lock().unwrap_or_else(PoisonError::into_inner).actors.get_mut(actor) {
            last.state = state;
        }
        take(partner, actor, &answer?, key_id)
    }

    /// Reserves the look-up (`None`), or answers from memory.
    fn begin(&self, partner: &Partner, actor: &ActorId, now: Timestamp) -> Result<Option<Value>, Refusal> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = memory.actors.get(actor).filter(|entry| now >= entry.at) {
            let age = now.since(entry.at);
            match &entry.state {
                // A look-up whose caller went away is over after a minute.
                State::Running if age < ABANDONED => {
                    let busy = Refusal::new(Code::KeyUnavailable, "this actor's key is being looked up");
                    return Err(busy.retry_after(Duration::from_secs(5)));
                }
                State::Failed(refusal) if age < PAUSE => return Err(refusal.clone()),
                State::Listed(document) if age < PAUSE => return Ok(Some(document.clone())),
                State::Running | State::Failed(_) | State::Listed(_) => {}
            }
        }
        if partner.kind == PartnerKind::Reader {
            memory.spend(&partner.domain, now)?;
        }
        if memory.actors.len() >= MAX_REMEMBERED && !memory.actors.contains_key(actor) {
            let idle = memory.actors.iter().filter(|(_, entry)| !matches!(entry.state, State::Running));
            if let Some(oldest) = idle.min_by_key(|(_, entry)| entry.at).map(|(actor, _)| actor.clone()) {
                memory.actors.remove(&oldest);
            }
        }
        memory.actors.insert(actor.clone(), Last { at: now, state: State::Running });
        Ok(None)
    }
}

impl Memory {
    /// One more look-up at this host, if its budget has one left. Hosts are on the allow-list: there are few.
    fn spend(&mut self, host: &PartnerDomain, now: Timestamp) -> Result<(), Refusal> {
        let spent = self.hosts.entry(host.clone()).or_insert(Spent { since: now, lookups: 0 });
        let age = now.since(spent.since);
        if age >= PAUSE {
            *spent = Spent { since: now, lookups: 0 };
        } else if spent.lookups >= PER_HOST {
            let busy = Refusal::new(Code::KeyUnavailable, "too many new accounts of this server at once");
            return Err(busy.retry_after(PAUSE.saturating_sub(age)));
        }
        spent.lookups += 1;
        Ok(())
    }
}

/// What is remembered of an actor document: who it is, where it is written to, and which keys it lists.
fn needed_of(document: &Value) -> Value {
    let kept = ["id", "type", "inbox", "endpoints", "publicKey", "assertionMethod"];
    kept.iter()
        .filter_map(|name| Some(((*name).to_owned(), document.get(*name)?.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn take(partner: &Partner, actor: &ActorId, document: &Value, key_id: &str) -> Result<Found, Refusal> {
    let refused = |error: ActorRefused| {
        let code = if error == ActorRefused::NotListed { Code::UnknownKey } else { Code::KeyOwner };
        Refusal::new(code, error)
    };
    let read = ActorDocument::of(actor, document).map_err(refused)?;
    let key = read.key(key_id).map_err(refused)?;
    if partner.kind == PartnerKind::Partner {
        // Where a partner is written to was pinned at pairing.
        return Ok(Found { key, inbox: partner.inbox.clone(), shared_inbox: None });
    }
    if !read.is_actor() {
        return Err(refused(ActorRefused::NotAnActor));
    }
    Ok(Found { key, inbox: read.inbox().map_err(refused)?, shared_inbox: read.shared_inbox() })
}

/// Fetches an actor document from its own address; no redirect is followed.
async fn fetch_actor(federation: &Federation, actor: &ActorId, kind: PartnerKind) -> Result<Value, Refusal> {
    let response = fetch::caused_get(federation, kind, actor.url()).await;
    response.and_then(|response| fetch::document(&response)).map_err(|error| {
        if kind == PartnerKind::Reader && matches!(error.status(), Some(404 | 410)) {
            return Refusal::new(Code::ActorGone, "there is no such account on its own host");
        }
        let passing = match &error {
            FetchError::Outbound(error) => error.is_transient(),
            FetchError::Sign(_) | FetchError::Budget { .. } => true,
            FetchError::Status { status, .. } => *status >= 500 || matches!(status, 408 | 429),
            FetchError::MediaType { .. } | FetchError::Json { .. } => false,
        };
        Refusal::new(if passing { Code::KeyUnavailable } else { Code::KeyOwner }, error)
    })
}
