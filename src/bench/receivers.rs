//! The role that is every partner and every reader at once: any host name, one port. It counts what
//! arrives, what arrives twice and what arrives out of order, and answers as the real ones do.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::content::Pairs;
use super::process::{Caller, cpu};
use crate::domain::receipt::{DeliveryReceipt, DeliveryState};
use crate::domain::time::SystemClock;
use crate::domain::{ActorId, Clock};
use crate::federation::keys::Keys;
use crate::federation::{proof, receipts};

/// How they answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Job {
    /// The keys of each of them.
    pub(super) keys: Pairs,
    /// Whether they are gateways, which owe a signed receipt.
    pub(super) gateways: bool,
    /// How long each answer takes.
    pub(super) answer_after: Duration,
}

/// Where they listen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) port: u16,
}

/// "What have you got?"; optionally answering otherwise from now on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Count;

/// What arrived so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Counted {
    /// Different (receiver, activity).
    pub(super) received: u64,
    /// Those that came again.
    pub(super) again: u64,
    /// Revisions that came after a later one of the same record at the same receiver.
    pub(super) out_of_order: u64,
    /// Actors that were asked for.
    pub(super) fetched: u64,
    /// What this role has spent.
    pub(super) cpu: Duration,
}

#[derive(Default)]
struct Seen {
    activities: HashSet<(String, String)>,
    revisions: HashMap<(String, String), u64>,
    counted: Counted,
}

struct Receivers {
    job: Job,
    keys: Mutex<HashMap<String, Keys>>,
    seen: Mutex<Seen>,
}

/// The role itself.
pub(super) async fn role() -> anyhow::Result<()> {
    let mut caller = Caller::new();
    let Some(job) = caller.next::<Job>().await? else { return Ok(()) };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let receivers = Arc::new(Receivers { job, keys: Mutex::default(), seen: Mutex::default() });
    let router = Router::new().fallback(answer).with_state(Arc::clone(&receivers));
    let server = tokio::spawn(axum::serve(listener, router).into_future());
    caller.answer(&Ready { port }).await?;
    while let Some(Count) = caller.next().await? {
        let counted = receivers.seen.lock().unwrap_or_else(PoisonError::into_inner).counted.clone();
        caller.answer(&Counted { cpu: cpu(std::process::id())?, ..counted }).await?;
    }
    server.abort();
    Ok(())
}

async fn answer(State(all): State<Arc<Receivers>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    if !all.job.answer_after.is_zero() {
        tokio::time::sleep(all.job.answer_after).await;
    }
    let answered = match (&method, uri.path()) {
        (&Method::POST, "/actor/inbox") => all.take(&host, &body),
        (&Method::GET, "/actor") => all.actor(&host),
        _ => Ok(StatusCode::NOT_FOUND.into_response()),
    };
    answered.unwrap_or_else(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response())
}

impl Receivers {
    fn keys_of(&self, host: &str) -> anyhow::Result<Keys> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = keys.get(host) {
            return Ok(keys.clone());
        }
        let made = self.job.keys.owned_by(ActorId::of_gateway(&home(host)?)?)?;
        keys.insert(host.to_owned(), made.clone());
        Ok(made)
    }

    fn take(&self, host: &str, body: &[u8]) -> anyhow::Result<Response> {
        let activity: Value = serde_json::from_slice(body)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (id, object) = (text(&activity["id"]), &activity["object"]);
        self.note(host, &id, object);
        if !self.job.gateways {
            return Ok(StatusCode::ACCEPTED.into_response());
        }
        let (keys, now, home) = (self.keys_of(host)?, SystemClock.now(), home(host)?);
        let carries = object.get("recordType").is_some() || object.get("formerType").is_some();
        let receipt = DeliveryReceipt {
            id: home.join(&format!("/receipts/{}", crate::domain::Key::digest_of(id.as_bytes())))?.to_string(),
            receiver: keys.actor().clone(),
            request_activity: id.clone(),
            receipt_for: if carries { text(&object["id"]) } else { id },
            subject_digest: proof::digest(if carries { object } else { &activity })?,
            received_at: now,
            state: DeliveryState::Received,
            problems: Vec::new(),
        };
        let signed = receipts::sign_delivery(&receipt, &keys, now)?;
        Ok((StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/activity+json")], signed.bytes).into_response())
    }

    fn note(&self, host: &str, id: &str, object: &Value) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.activities.insert((host.to_owned(), id.to_owned())) {
            seen.counted.received += 1;
        } else {
            seen.counted.again += 1;
        }
        let (Some(record), Some(revision)) = (object["id"].as_str(), object["revision"].as_u64()) else { return };
        let last = seen.revisions.insert((host.to_owned(), record.to_owned()), revision);
        if last.is_some_and(|last| last > revision) {
            seen.counted.out_of_order += 1;
        }
    }

    fn actor(&self, host: &str) -> anyhow::Result<Response> {
        let (keys, home) = (self.keys_of(host)?, home(host)?);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).counted.fetched += 1;
        let document = json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": keys.actor(), "type": "Service", "preferredUsername": "city", "inbox": home.join("/actor/inbox")?,
            "publicKey": {"id": keys.rsa_id(), "owner": keys.actor(), "publicKeyPem": keys.rsa_pem()},
        });
        Ok(([(header::CONTENT_TYPE, "application/activity+json")], document.to_string()).into_response())
    }
}

fn home(host: &str) -> anyhow::Result<Url> {
    Ok(format!("http://{host}/").parse()?)
}
