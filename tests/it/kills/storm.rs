//! REL-002 under load: a partner posts 200 activities a second to an inbox whose process dies. What the
//! partner was answered is compared with what the journal holds; nothing else is believed.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use passerelle::domain::Clock;
use passerelle::domain::partner::PartnerKind;
use passerelle::domain::time::SystemClock;
use passerelle::federation::signature::sign_rfc9421;
use passerelle::outbound::{Client, Limits, Policy, Request};
use passerelle::store::Store;
use passerelle::store::journal::{JournalRow, JournalState};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;
use url::Url;

use super::long::let_go;
use super::{is_long, items};
use crate::support::content;
use crate::support::peer::Peer;
use crate::support::program::{Installation, was_killed};
use crate::support::stores::Databases;

/// Between two requests: 200 a second.
const PACE: Duration = Duration::from_millis(5);
/// Requests under way at once, at most; the pace suffers when more would be needed.
const UNDER_WAY: usize = 64;
/// How long everything may take.
const PATIENCE: Duration = Duration::from_mins(15);

/// What the partner wrote down about one activity.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    /// How often it was sent.
    sent: u32,
    /// How often it was answered with 202.
    accepted: u32,
}

/// A partner that sends each activity until it is accepted.
struct Sender {
    peer: Peer,
    client: Client,
    inbox: Url,
    activities: Vec<(String, Bytes)>,
    log: Mutex<Vec<Told>>,
    waiting: Mutex<VecDeque<usize>>,
}

impl Sender {
    fn new(peer: Peer, city: &Installation) -> anyhow::Result<Arc<Self>> {
        let now = SystemClock.now();
        let activities = (0..u32::try_from(items())?).map(|n| {
            let record = content::contribution(&peer.url, n);
            let activity = peer.activity(&format!("create-{n}"), "Create", &peer.sealed(&record, None, now));
            (activity["id"].as_str().unwrap_or_default().to_owned(), Bytes::from(activity.to_string()))
        });
        Ok(Arc::new(Self {
            client: Client::new(Policy::with_loopback())?,
            inbox: format!("http://lyon.localhost:{}/actor/inbox", city.port).parse()?,
            log: Mutex::new(vec![Told::default(); items()]),
            waiting: Mutex::new((0..items()).collect()),
            activities: activities.collect(),
            peer,
        }))
    }

    /// Posts at the pace, for as long as anything is not accepted.
    async fn run(self: Arc<Self>) -> anyhow::Result<()> {
        let (mut pace, free) = (tokio::time::interval(PACE), Arc::new(Semaphore::new(UNDER_WAY)));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut under_way = tokio::task::JoinSet::new();
        while lock(&self.log).iter().any(|told| told.accepted == 0) {
            pace.tick().await;
            while let Some(ended) = under_way.try_join_next() {
                ended??;
            }
            let Some(n) = lock(&self.waiting).pop_front() else { continue };
            let (sender, permit) = (Arc::clone(&self), Arc::clone(&free).acquire_owned().await?);
            under_way.spawn(async move {
                let _permit = permit;
                sender.post(n).await
            });
        }
        while let Some(ended) = under_way.join_next().await {
            ended??;
        }
        Ok(())
    }

    async fn post(&self, n: usize) -> anyhow::Result<()> {
        let (now, (_, body)) = (SystemClock.now(), &self.activities[n]);
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/activity+json"))]);
        sign_rfc9421(&self.peer.keys, &Method::POST, &self.inbox, &mut headers, Some(body), now)?;
        let mut request = Request::post(self.inbox.clone(), body.clone()).within(Limits::DELIVERY);
        request.headers = headers;
        lock(&self.log)[n].sent += 1;
        match self.client.send(request).await.map(|answer| answer.status.as_u16()) {
            Ok(202) => lock(&self.log)[n].accepted += 1,
            // Nobody is there, or whoever was has died, or has too much to do: as a gateway, it comes again.
            Err(_) | Ok(503) => lock(&self.waiting).push_back(n),
            Ok(status) => anyhow::bail!("activity {n} was answered with {status}"),
        }
        Ok(())
    }

    fn told(&self) -> Vec<Told> {
        lock(&self.log).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The inbox dies at `point`, in the long form again and again, while the partner goes on.
pub async fn survives(databases: Databases, point: &str) -> anyhow::Result<()> {
    let database = databases.url().await;
    let city = Installation::new("lyon", &database, None);
    let store = Store::open(&database).await?;
    let peer = Peer::at("b.example");
    let mut tx = store.write().await?;
    tx.put_partner(&peer.partner(PartnerKind::Partner)).await?;
    tx.save().await?;

    let sender = Sender::new(peer, &city)?;
    let mut chance = StdRng::seed_from_u64(2);
    let mut child = city.serve(Some(&moment(point, &mut chance))).await;
    let mut sending = tokio::spawn(Arc::clone(&sender).run());
    let wanted = if is_long() { 50 } else { 1 };
    let mut kills = 0;
    while kills < wanted {
        let status = tokio::select! {
            status = child.wait() => status?,
            ended = &mut sending => {
                ended??;
                break;
            }
        };
        ensure!(was_killed(status), "it ended with {status}, not at {point}: {}", city.log());
        kills += 1;
        let told = sender.told();
        let unanswered = compare(&sender, &told, &journal(&store, &sender).await?)?;
        ensure!(unanswered > 0 || point != "inbox.after-commit", "it died after nothing was kept");
        let_go(&database).await?;
        child = city.serve((kills < wanted).then(|| moment(point, &mut chance)).as_deref()).await;
    }
    ensure!(kills == wanted, "{kills} of {wanted} kills: everything was accepted before");
    if !sending.is_finished() {
        tokio::time::timeout(PATIENCE, sending).await.context("not everything was accepted in time")???;
    }

    let told = sender.told();
    ensure!(told.iter().all(|told| told.accepted == 1), "each was accepted once, as far as the partner knows");
    ensure!(compare(&sender, &told, &journal(&store, &sender).await?)? == 0, "and nothing else is kept");
    let applied = async {
        while journal(&store, &sender).await?.iter().any(|row| row.state != JournalState::Applied) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, applied).await.context("not everything had its effect in time")??;
    let held = store.read().await?.copy_heads(&sender.peer.keys.actor().domain(), None, u32::try_from(items())? + 1).await?;
    ensure!(held.len() == items(), "{} of {} records are held", held.len(), items());
    child.kill().await?;
    let again: u32 = told.iter().map(|told| told.sent - 1).sum();
    eprintln!("storm: {point}: {} activities, {kills} kills, {again} sent again, sound", items());
    Ok(())
}

/// The next passing at which to die: under this load a commit holds few activities.
fn moment(point: &str, chance: &mut StdRng) -> String {
    format!("{point}:{}", if is_long() { chance.random_range(1..=80) } else { 20 })
}

/// Everything the journal holds of the partner.
async fn journal(store: &Store, sender: &Sender) -> anyhow::Result<Vec<JournalRow>> {
    let domain = sender.peer.keys.actor().domain();
    Ok(store.read().await?.list_journal(&domain, None, u32::try_from(items())? * 2).await?)
}

/// Whatever the partner knows to be accepted is kept once, and nothing is kept that was not sent. Returns how many
/// activities are kept of which the partner does not know.
fn compare(sender: &Sender, told: &[Told], rows: &[JournalRow]) -> anyhow::Result<usize> {
    let mut kept: HashMap<&str, u32> = HashMap::new();
    for row in rows {
        *kept.entry(&row.activity_id).or_default() += 1;
    }
    let mut unanswered = 0;
    for ((id, _), told) in sender.activities.iter().zip(told) {
        let times = kept.remove(id.as_str()).unwrap_or(0);
        ensure!(times <= 1, "{id} is kept {times} times");
        ensure!(times == 1 || told.accepted == 0, "lost: {id} was answered with 202 and is not kept");
        ensure!(times == 0 || told.sent > 0, "invented: {id} was never sent");
        unanswered += usize::from(times == 1 && told.accepted == 0);
    }
    ensure!(kept.is_empty(), "invented: {:?}", kept.keys().next());
    Ok(unanswered)
}
