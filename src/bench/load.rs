//! The role that knocks: signs every request before the clock starts, sends them over kept connections
//! in a closed loop, and says how long the answers took.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::content::{self, Pairs};
use super::process::{Caller, cpu};
use crate::domain::time::SystemClock;
use crate::domain::{ActorId, Clock, Timestamp};
use crate::federation::keys::Keys;
use crate::federation::signature::{sign_cavage, sign_rfc9421};
use crate::outbound::{Client, Limits, OutboundError, Policy, Request};

/// Connections that one client keeps to one host; more of them need more clients.
const KEPT: usize = 4;

/// What to send.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Job {
    /// The gateway under load.
    pub(super) to: Url,
    /// How many requests are under way at once.
    pub(super) connections: usize,
    /// Which requests.
    pub(super) requests: Requests,
}

/// Which requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Requests {
    /// These paths in turn, `count` times in all.
    Get { paths: Vec<String>, accept: String, count: u64 },
    /// One partner's new contributions, `from` the how manieth on, signed with Ed25519 (RFC 9421).
    Partner { keys: Pairs, port: u16, from: u64, count: u64 },
    /// One reader's activities, signed with RSA-2048 (draft-cavage).
    Reader { keys: Pairs, port: u16, from: u64, count: u64 },
    /// One Follow by each of as many readers, each behind its own host, never seen before.
    Strangers { keys: Pairs, port: u16, from: u64, count: u64 },
}

/// The load is ready to begin.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ready {
    /// How many requests wait.
    pub(super) requests: usize,
}

/// "Begin."
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Go;

/// How it went.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Done {
    /// Answers by status; 0 where there was none.
    pub(super) statuses: BTreeMap<u16, u64>,
    /// From the first request to the last answer.
    pub(super) took: Duration,
    /// What this role spent meanwhile.
    pub(super) cpu: Duration,
    /// Half of the answers came within this.
    pub(super) p50: Duration,
    /// 99 of 100 did.
    pub(super) p99: Duration,
}

impl Done {
    /// Fails unless `count` requests were answered, each of them so: a figure of work that was refused is none.
    pub(super) fn all(&self, status: u16, count: u64) -> anyhow::Result<()> {
        let (so, any) = (self.statuses.get(&status).copied().unwrap_or(0), self.statuses.values().sum::<u64>());
        anyhow::ensure!(so == count && any == count, "{count} answers of {status} were wanted: {:?}", self.statuses);
        Ok(())
    }
}

/// A way out that reaches this machine.
pub(super) fn client() -> Result<Client, OutboundError> {
    Client::new(Policy::with_loopback())
}

/// The role itself.
pub(super) async fn role() -> anyhow::Result<()> {
    let mut caller = Caller::new();
    let mut job: Option<Job> = caller.next().await?;
    while let Some(Job { to, connections, requests }) = job {
        let requests: Vec<Request> = prepare(&to, requests)?.into_iter().map(forwarded).collect();
        caller.answer(&Ready { requests: requests.len() }).await?;
        let Some(Go) = caller.next().await? else { return Ok(()) };
        caller.answer(&send(requests, connections.max(1)).await?).await?;
        job = caller.next().await?;
    }
    Ok(())
}

async fn send(requests: Vec<Request>, connections: usize) -> anyhow::Result<Done> {
    let clients: Vec<Client> = (0..connections.div_ceil(KEPT)).map(|_| client()).collect::<Result<_, _>>()?;
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let (spent, began) = (cpu(std::process::id())?, Instant::now());
    let mut senders = tokio::task::JoinSet::new();
    for number in 0..connections {
        let (client, requests, next) = (clients[number / KEPT].clone(), Arc::clone(&requests), Arc::clone(&next));
        senders.spawn(async move {
            let mut answers = Vec::new();
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let began = Instant::now();
                let status = client.send(request.clone()).await.map_or(0, |answer| answer.status.as_u16());
                answers.push((status, began.elapsed()));
            }
            answers
        });
    }
    let mut answers: Vec<(u16, Duration)> = senders.join_all().await.into_iter().flatten().collect();
    let took = began.elapsed();
    let cpu = cpu(std::process::id())?.saturating_sub(spent);
    let mut statuses = BTreeMap::new();
    for (status, _) in &answers {
        *statuses.entry(*status).or_default() += 1;
    }
    answers.sort_by_key(|(_, took)| *took);
    let at = |percent: usize| {
        answers
            .get((answers.len() * percent / 100).min(answers.len().saturating_sub(1)))
            .map_or(Duration::ZERO, |answer| answer.1)
    };
    Ok(Done { statuses, took, cpu, p50: at(50), p99: at(99) })
}

/// A gateway takes this machine for a reverse proxy; the door counts the client for whom it says that it asks.
fn forwarded(request: Request) -> Request {
    request.header(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static("192.0.2.1"))
}

fn prepare(to: &Url, requests: Requests) -> anyhow::Result<Vec<Request>> {
    let now = SystemClock.now();
    match requests {
        Requests::Get { paths, accept, count } => {
            let accept = HeaderValue::from_str(&accept)?;
            let each =
                |path: &String| -> anyhow::Result<Request> { Ok(Request::get(to.join(path)?).header(ACCEPT, accept.clone())) };
            let paths: Vec<Request> = paths.iter().map(each).collect::<Result<_, _>>()?;
            Ok(paths.iter().cycle().take(usize::try_from(count)?).cloned().collect())
        }
        Requests::Partner { keys, port, from, count } => {
            let home = content::host(0, port)?;
            let keys = keys.owned_by(ActorId::of_gateway(&home)?)?;
            let one = |n| {
                let record = content::contribution(&home, n, now)?;
                let object: Value = serde_json::from_slice(&content::sealed(&keys, &record, now)?.bytes)?;
                let activity = activity(&keys, &home, "Create", n, &object)?;
                post(to, &keys, &activity, true, now)
            };
            (from..from + count).map(one).collect()
        }
        Requests::Reader { keys, port, from, count } => {
            let home = content::host(0, port)?;
            let keys = keys.owned_by(ActorId::of_gateway(&home)?)?;
            let text = "Une réponse écrite ailleurs. ".repeat(20);
            let one = |n| {
                let note = json!({
                    "id": home.join(&format!("/notes/{n}"))?, "type": "Note", "attributedTo": keys.actor(), "content": text,
                    "to": ["https://www.w3.org/ns/activitystreams#Public"], "published": now.whole_second(),
                });
                post(to, &keys, &activity(&keys, &home, "Create", n, &note)?, false, now)
            };
            (from..from + count).map(one).collect()
        }
        Requests::Strangers { keys, port, from, count } => {
            let followed = json!(ActorId::of_gateway(to)?);
            let one = |n| {
                let home = content::host(n, port)?;
                let keys = keys.owned_by(ActorId::of_gateway(&home)?)?;
                post(to, &keys, &activity(&keys, &home, "Follow", n, &followed)?, false, now)
            };
            (from..from + count).map(one).collect()
        }
    }
}

fn activity(keys: &Keys, home: &Url, kind: &str, n: u64, object: &Value) -> anyhow::Result<Value> {
    Ok(json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": home.join(&format!("/activities/{kind}-{n}"))?, "type": kind,
        "actor": keys.actor(), "to": ["https://www.w3.org/ns/activitystreams#Public"], "object": object,
    }))
}

fn post(to: &Url, keys: &Keys, activity: &Value, between_gateways: bool, now: Timestamp) -> anyhow::Result<Request> {
    let (url, body) = (to.join("/actor/inbox")?, Bytes::from(activity.to_string()));
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/activity+json"))]);
    let sign = if between_gateways { sign_rfc9421 } else { sign_cavage };
    sign(keys, &Method::POST, &url, &mut headers, Some(&body), now).context("signing")?;
    let mut request = Request::post(url, body).within(Limits::DELIVERY);
    request.headers = headers;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_was_refused_or_left_out_is_no_figure() {
        let done = |statuses: &[(u16, u64)]| Done {
            statuses: statuses.iter().copied().collect(),
            took: Duration::ZERO,
            cpu: Duration::ZERO,
            p50: Duration::ZERO,
            p99: Duration::ZERO,
        };
        assert!(done(&[(202, 24)]).all(202, 24).is_ok());
        for wrong in [&[(503, 24)][..], &[(202, 23), (503, 1)], &[(202, 23)], &[(202, 24), (503, 1)], &[(202, 25)], &[]] {
            let error = done(wrong).all(202, 24).expect_err("not what was asked for").to_string();
            assert!(error.starts_with("24 answers of 202 were wanted"), "{error}");
        }
    }
}
