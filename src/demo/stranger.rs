//! Somebody who knows nothing but addresses: plain GETs, no signature, no session.

use std::time::Duration;

use anyhow::Context;
use http::HeaderValue;
use http::header::ACCEPT;
use serde_json::Value;
use url::Url;

use crate::domain::digest::Digest;
use crate::domain::partner::Multikey;
use crate::domain::time::{Clock, SystemClock};
use crate::domain::{ActorId, RecordId};
use crate::federation::proof;
use crate::federation::receipts::Pinned;
use crate::outbound::{Client, Policy, Request};

/// What came back.
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Seen {
    /// Whether the words of the page contain `text`, whatever the markup.
    pub(super) fn shows(&self, text: &str) -> bool {
        super::crawl::words(&self.body).contains(text)
    }
}

/// A visitor with a browser and a machine client.
pub(super) struct Stranger(Client);

impl Stranger {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self(Client::new(Policy::with_loopback())?))
    }

    async fn get(&self, url: &Url, accept: &'static str) -> anyhow::Result<Seen> {
        let request = Request::get(url.clone()).header(ACCEPT, HeaderValue::from_static(accept));
        let response = self.0.send(request).await.with_context(|| format!("GET {url}"))?;
        Ok(Seen { status: response.status.as_u16(), body: String::from_utf8_lossy(&response.body).into_owned() })
    }

    /// A page, as a browser asks for it.
    pub(super) async fn page(&self, url: &Url) -> anyhow::Result<Seen> {
        self.get(url, "text/html").await
    }

    /// The same address, as a machine asks for it.
    pub(super) async fn machine(&self, url: &Url) -> anyhow::Result<(u16, Value)> {
        let seen = self.get(url, "application/activity+json").await?;
        Ok((seen.status, serde_json::from_str(&seen.body).unwrap_or(Value::Null)))
    }

    /// The key that a gateway's actor document states.
    pub(super) async fn key_of(&self, public_url: &Url) -> anyhow::Result<Pinned> {
        let actor = ActorId::of_gateway(public_url)?;
        let (status, document) = self.machine(actor.url()).await?;
        let methods = document.get("assertionMethod").cloned().unwrap_or_default();
        let methods = methods.as_array().cloned().unwrap_or_else(|| vec![methods]);
        let found = methods.iter().find_map(|method| {
            let key: Multikey = method.get("publicKeyMultibase")?.as_str()?.parse().ok()?;
            Some((key, method.get("id")?.as_str()?.to_owned()))
        });
        let (key, key_id) = found.with_context(|| format!("{} ({status}) states no Ed25519 key", actor.url()))?;
        let pinned = Pinned { actor, key, key_id };
        proof::verify(&document, &pinned.key, &pinned.key_id, SystemClock.now()).context("the proof of the actor document")?;
        Ok(pinned)
    }

    /// Fetches a record at its origin, verifies its proof, and gives its digest with the document.
    pub(super) async fn record(&self, id: &RecordId, key: &Pinned) -> anyhow::Result<(Digest, Value)> {
        let (status, document) = self.machine(id.url()).await?;
        anyhow::ensure!(status == 200, "{id} answers {status}");
        let proven =
            proof::verify(&document, &key.key, &key.key_id, SystemClock.now()).with_context(|| format!("the proof of {id}"))?;
        Ok((proven.digest, document))
    }
}

/// Asks again and again until there is an answer, or time is up: waiting for a fact, never for a while.
pub(super) async fn until<T>(
    what: &str,
    patience: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        let missing = match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if tokio::time::Instant::now() >= deadline {
            let told = format!("not within {} s: {what}", patience.as_secs());
            return Err(missing.map_or_else(|| anyhow::anyhow!(told.clone()), |error| error.context(told.clone())));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
