//! Partners that only receive: any host name, one port, one key. Writes down what arrived, when it came
//! and when it was answered, and can keep an answer back.

use std::collections::HashMap;
use std::future::IntoFuture;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use passerelle::domain::partner::{FollowState, Partner, PartnerKind};
use passerelle::domain::receipt::{DeliveryReceipt, DeliveryState};
use passerelle::domain::time::SystemClock;
use passerelle::domain::{ActorId, Clock, Key};
use passerelle::federation::keys::{KeyMaterial, Keys};
use passerelle::federation::{proof, receipts};
use serde_json::Value;
use tokio::sync::watch;
use url::Url;

/// One request as a receiver saw it.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Which receiver.
    pub host: String,
    /// The activity.
    pub activity: String,
    /// The record it carried.
    pub record: String,
    /// Its revision.
    pub revision: u64,
    /// When it came.
    pub came: Instant,
    /// When it was answered; never, when the sender died before.
    pub answered: Option<Instant>,
}

/// The receivers; they end with this handle.
pub struct Sink {
    inner: Arc<Inner>,
    port: u16,
    server: tokio::task::JoinHandle<()>,
}

struct Inner {
    material: KeyMaterial,
    keys: Mutex<HashMap<String, Keys>>,
    arrivals: Mutex<Vec<Arrival>>,
    answer_after: Duration,
    /// The next request waits for this.
    gate: Mutex<Option<watch::Receiver<bool>>>,
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sink {
    /// Receivers that answer after a while.
    pub async fn start(answer_after: Duration) -> Self {
        let keys = Keys::generate("http://p0.localhost/actor".parse().expect("an address")).expect("keys");
        let inner = Arc::new(Inner {
            material: keys.material().expect("bytes"),
            keys: Mutex::default(),
            arrivals: Mutex::default(),
            answer_after,
            gate: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let router = Router::new().fallback(receive).with_state(Arc::clone(&inner));
        let server = tokio::spawn(async move {
            drop(axum::serve(listener, router).into_future().await);
        });
        Self { inner, port, server }
    }

    /// How a gateway lists the `n`th of them.
    pub fn partner(&self, n: usize) -> Partner {
        let host = format!("p{n}.localhost:{}", self.port);
        let keys = self.inner.keys_of(&host);
        let actor = keys.actor().clone();
        Partner {
            domain: actor.domain(),
            kind: PartnerKind::Partner,
            name: host,
            inbox: format!("{actor}/inbox"),
            records: None,
            key: Some(keys.multikey().clone()),
            key_id: Some(keys.ed25519_id()),
            rsa: None,
            follows_us: FollowState::Accepted,
            followed: FollowState::None,
            since: "2026-01-01T00:00:00Z".parse().expect("a time"),
            actor,
        }
    }

    /// Everything that arrived so far.
    pub fn arrivals(&self) -> Vec<Arrival> {
        lock(&self.inner.arrivals).clone()
    }

    /// Keeps the answer of the next request back until the sender sends `true` or is dropped.
    pub fn hold_next(&self) -> watch::Sender<bool> {
        let (open, gate) = watch::channel(false);
        *lock(&self.inner.gate) = Some(gate);
        open
    }
}

impl Inner {
    fn keys_of(&self, host: &str) -> Keys {
        let make = || {
            let actor = ActorId::of_gateway(&home(host)).expect("an actor");
            Keys::from_material(actor, &self.material).expect("keys")
        };
        lock(&self.keys).entry(host.to_owned()).or_insert_with(make).clone()
    }

    fn receipt(&self, host: &str, activity: &Value) -> Bytes {
        let (keys, now, home, object) = (self.keys_of(host), SystemClock.now(), home(host), &activity["object"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = Key::digest_of(text(&activity["id"]).as_bytes());
        let receipt = DeliveryReceipt {
            id: home.join(&format!("/receipts/{name}")).expect("an address").to_string(),
            receiver: keys.actor().clone(),
            request_activity: text(&activity["id"]),
            receipt_for: text(&object["id"]),
            subject_digest: proof::digest(object).expect("canonical"),
            received_at: now,
            state: DeliveryState::Received,
            problems: Vec::new(),
        };
        receipts::sign_delivery(&receipt, &keys, now).expect("a proof").bytes
    }
}

fn home(host: &str) -> Url {
    format!("http://{host}/").parse().expect("an address")
}

async fn receive(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let Ok(activity) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = {
        let mut arrivals = lock(&inner.arrivals);
        arrivals.push(Arrival {
            host: host.clone(),
            activity: text(&activity["id"]),
            record: text(&activity["object"]["id"]),
            revision: activity["object"]["revision"].as_u64().unwrap_or(0),
            came: Instant::now(),
            answered: None,
        });
        arrivals.len() - 1
    };
    let gate = lock(&inner.gate).take();
    match gate {
        Some(mut gate) => drop(gate.wait_for(|open| *open).await),
        None => tokio::time::sleep(inner.answer_after).await,
    }
    let receipt = inner.receipt(&host, &activity);
    lock(&inner.arrivals)[number].answered = Some(Instant::now());
    (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/activity+json")], receipt).into_response()
}
