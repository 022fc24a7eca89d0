//! The role that is a platform: a simulated one, whose answers are kept and given again. Simulating a
//! page costs more than reading it; so one reading fills the memory, and the next one is measured.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::load;
use super::process::{Caller, cpu};
use super::receivers::Ready;
use crate::outbound::{Client, Limits, Request};

/// A simulated platform, wherever it comes from.
pub trait Simulator: Send {
    /// `http://host:port`, without a slash at the end.
    fn url(&self) -> String;
    /// Changes the text of so many items.
    fn change(&mut self, items: u64);
}

/// Makes a platform with so many proposals.
pub type MakeSimulator = fn(u64) -> Starting;

/// A simulator that is being started.
pub type Starting = Pin<Box<dyn Future<Output = anyhow::Result<Box<dyn Simulator>>> + Send>>;

/// How large it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) items: u64,
}

/// What happens on it; nothing, to ask what it has cost.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Change {
    pub(super) items: u64,
}

/// Where it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stands {
    /// What this role has spent.
    pub(super) cpu: Duration,
    /// Requests that were answered from memory.
    pub(super) remembered: u64,
}

struct Memory {
    upstream: String,
    client: Client,
    kept: Mutex<HashMap<Vec<u8>, Kept>>,
    remembered: std::sync::atomic::AtomicU64,
}

#[derive(Clone)]
struct Kept {
    status: StatusCode,
    content_type: Option<header::HeaderValue>,
    location: Option<header::HeaderValue>,
    body: Bytes,
}

/// The role itself.
pub(super) async fn role(make: MakeSimulator) -> anyhow::Result<()> {
    let mut caller = Caller::new();
    let Some(Job { items }) = caller.next().await? else { return Ok(()) };
    let mut simulator = make(items).await?;
    let memory = Arc::new(Memory {
        upstream: simulator.url(),
        client: load::client()?,
        kept: Mutex::default(),
        remembered: std::sync::atomic::AtomicU64::new(0),
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let server =
        tokio::spawn(axum::serve(listener, Router::new().fallback(answer).with_state(Arc::clone(&memory))).into_future());
    caller.answer(&Ready { port }).await?;
    while let Some(Change { items }) = caller.next().await? {
        if items > 0 {
            simulator.change(items);
            memory.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        let remembered = memory.remembered.load(std::sync::atomic::Ordering::Relaxed);
        caller.answer(&Stands { cpu: cpu(std::process::id())?, remembered }).await?;
    }
    server.abort();
    Ok(())
}

async fn answer(State(memory): State<Arc<Memory>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let key = [method.as_str().as_bytes(), uri.to_string().as_bytes(), &body].join(&b' ');
    let known = memory.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    let kept = match known {
        Some(kept) => {
            memory.remembered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            kept
        }
        None => match memory.ask(method, &uri, &headers, body).await {
            Ok(kept) => {
                memory.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(key, kept.clone());
                kept
            }
            Err(error) => return (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
        },
    };
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = kept.status;
    for (name, value) in [(header::CONTENT_TYPE, kept.content_type), (header::LOCATION, kept.location)] {
        if let Some(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

impl Memory {
    /// Asks the simulator; addresses in its answers become ours.
    async fn ask(&self, method: Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> anyhow::Result<Kept> {
        let mut request = Request::get(format!("{}{uri}", self.upstream).parse()?).within(Limits::DOWNLOAD);
        request.method = method;
        request.body = body;
        if let Some(value) = headers.get(header::CONTENT_TYPE) {
            request = request.header(header::CONTENT_TYPE, value.clone());
        }
        let answer = self.client.send(request).await?;
        let own = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(|host| format!("http://{host}"));
        let own = own.unwrap_or_else(|| self.upstream.clone());
        let location = answer.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        let location = location.map(|text| text.replace(&self.upstream, &own).parse()).transpose()?;
        let body = match std::str::from_utf8(&answer.body) {
            Ok(text) => Bytes::from(text.replace(&self.upstream, &own)),
            Err(_) => answer.body,
        };
        Ok(Kept { status: answer.status, content_type: answer.headers.get(header::CONTENT_TYPE).cloned(), location, body })
    }
}
