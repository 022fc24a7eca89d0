//! A whole gateway in the test's process: its database, keys and federation, served over real HTTP on a
//! `*.localhost` port. Its workers do nothing by themselves: the test makes the steps, on a clock that
//! stands still until it is moved.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use passerelle::delivery::{Settings, Worker};
use passerelle::domain::authority::{AuthorityKind, PublicAuthority};
use passerelle::domain::change::ChangeKind;
use passerelle::domain::partner::{FollowState, Partner, PartnerKind};
use passerelle::domain::seal::Seal;
use passerelle::domain::text::{LanguageTag, Localized, PlainText};
use passerelle::domain::time::ManualClock;
use passerelle::domain::tombstone::Tombstone;
use passerelle::domain::{ActorId, PartnerDomain, Record, RecordId};
use passerelle::federation::inbox::Inbox;
use passerelle::federation::keys::Keys;
use passerelle::federation::pairing::{self, Introduction};
use passerelle::federation::refusal::Counters;
use passerelle::federation::seal::Sealer;
use passerelle::federation::signature::sign_rfc9421;
use passerelle::federation::{Context, Federation, Outcome, actor, backfill, effect, held, planner, records};
use passerelle::outbound::{Client, Limits, Policy, Request as OutboundRequest};
use passerelle::store::{Burial, RecordWrite, Store, StoredRecord};
use rand::SeedableRng;
use rand::rngs::StdRng;
use url::Url;

use super::stores::Databases;

/// The media type of everything that gateways say to each other.
const ACTIVITY_JSON: &str = "application/activity+json";
/// Rounds of steps after which a test that does not come to rest fails.
const ROUNDS: usize = 500;

/// A request as it was received and what was answered, for tests that look at the wire.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Method and path with query.
    pub line: String,
    /// The body.
    pub body: Bytes,
    /// The body of the answer.
    pub answer: Bytes,
}

/// Instead of the gateway's own answer: what a broken or hostile one says.
pub type Disturbance = Arc<dyn Fn(&axum::http::request::Parts, &Bytes) -> Option<Response> + Send + Sync>;
/// What becomes of the gateway's own answer to a POST on its way back.
pub type Loss = Arc<dyn Fn(Response) -> Response + Send + Sync>;

/// A gateway under test.
pub struct TestGateway {
    /// Its federation: store, keys, clock.
    pub federation: Federation,
    /// Its delivery worker.
    pub worker: Worker,
    /// Its domain, as partners write it.
    pub domain: PartnerDomain,
    /// Where it is reached.
    pub url: Url,
    /// The address of its database.
    pub database: String,
    sealer: Sealer,
    front: Arc<Front>,
    server: tokio::task::JoinHandle<()>,
}

/// What stands before the gateway's answers.
struct Front {
    federation: Federation,
    inbox: Inbox,
    disturbance: Mutex<Option<Disturbance>>,
    loss: Mutex<Option<Loss>>,
    seen: Mutex<Vec<Seen>>,
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl TestGateway {
    /// Starts the gateway of `name` (`lyon` is reached under `http://lyon.localhost:PORT`).
    pub async fn start(databases: &Databases, name: &str, clock: &ManualClock) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let url: Url = format!("http://{name}.localhost:{port}").parse().expect("an address");
        let database = databases.url().await;
        let store = Store::open(&database).await.expect("a new database opens");
        let mut tx = store.write().await.expect("a transaction");
        tx.belong_to(&url).await.expect("a new database");
        tx.save().await.expect("saved");
        let actor = ActorId::of_gateway(&url).expect("an actor");
        let mut seed = [0_u8; 32];
        for (place, byte) in seed.iter_mut().zip(name.bytes()) {
            *place = byte;
        }
        let keys = Keys::from_seed(actor.clone(), &seed).expect("keys");
        let authority = PublicAuthority {
            id: actor,
            name: Localized::one(LanguageTag::french(), PlainText::new(name).expect("a name")),
            handle: name.to_owned(),
            kind: AuthorityKind::Municipality,
            identifiers: Vec::new(),
            territory: None,
            rights_contact: url.join("/contact").expect("an address"),
        };
        let federation = Federation::new(Context {
            store,
            keys: keys.clone(),
            client: Client::new(Policy::with_loopback()).expect("a client"),
            clock: Arc::new(clock.clone()),
            rng: Mutex::new(Box::new(StdRng::seed_from_u64(u64::from(port)))),
            authority,
            public_url: url.clone(),
            backup_keep: Duration::from_hours(30 * 24),
            refusals: Counters::default(),
        });
        let inbox = Inbox::start(federation.clone());
        let settings =
            Settings { limits: Limits { deadline: Duration::from_secs(1), ..Limits::DELIVERY }, ..Settings::default() };
        let front = Arc::new(Front {
            federation: federation.clone(),
            inbox,
            disturbance: Mutex::new(None),
            loss: Mutex::new(None),
            seen: Mutex::new(Vec::new()),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&front));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self {
            worker: Worker::new(federation.clone(), settings),
            domain: federation.domain(),
            sealer: Sealer::new(keys),
            federation,
            url,
            database,
            front,
            server,
        }
    }

    /// Two gateways, `lyon` and `bordeaux`, that do not know each other yet.
    pub async fn two(databases: &Databases, clock: &ManualClock) -> (Self, Self) {
        (Self::start(databases, "lyon", clock).await, Self::start(databases, "bordeaux", clock).await)
    }

    /// Two gateways that follow each other and have read each other's records.
    pub async fn two_paired(databases: &Databases, clock: &ManualClock) -> anyhow::Result<(Self, Self)> {
        let (lyon, bordeaux) = Self::two(databases, clock).await;
        lyon.accept(&bordeaux).await?;
        bordeaux.accept(&lyon).await?;
        settle(&[&lyon, &bordeaux]).await?;
        Ok((lyon, bordeaux))
    }

    /// What `partner accept DOMAIN --fingerprint F` does.
    pub async fn accept(&self, other: &Self) -> anyhow::Result<()> {
        let typed = other.federation.keys.multikey().fingerprint().digits();
        pairing::accept(&self.federation, &other.domain, &Introduction::Fingerprint(typed)).await?;
        Ok(())
    }

    /// Lists a partner as if it had been paired, without asking it anything.
    pub async fn list(&self, partner: &Partner) -> anyhow::Result<()> {
        let mut tx = self.federation.store.write().await?;
        tx.put_partner(partner).await?;
        Ok(tx.save().await?)
    }

    /// How others list this gateway.
    pub fn as_partner(&self, follows_us: FollowState, followed: FollowState) -> Partner {
        let keys = &self.federation.keys;
        Partner {
            domain: self.domain.clone(),
            kind: PartnerKind::Partner,
            actor: keys.actor().clone(),
            name: self.federation.authority.handle.clone(),
            inbox: format!("{}/inbox", keys.actor()),
            records: Some(format!("{}/records", keys.actor())),
            key: Some(keys.multikey().clone()),
            key_id: Some(keys.ed25519_id()),
            rsa: Some((keys.rsa_pem().to_owned(), keys.rsa_id())),
            follows_us,
            followed,
            since: self.federation.now(),
        }
    }

    /// What signs this gateway's records.
    pub fn sealer(&self) -> Sealer {
        self.sealer.clone()
    }

    /// Publishes new records.
    pub async fn publish(&self, records: &[Record]) -> anyhow::Result<()> {
        let now = self.federation.now();
        let mut writes = Vec::new();
        for record in records {
            let sealed = self.sealer.record(record, None, now)?;
            let (local, previous, kind) = (None, None, ChangeKind::Created);
            writes.push(RecordWrite { local, record: record.clone(), sealed, previous, kind, material: true, at: now });
        }
        let mut tx = self.federation.store.write().await?;
        tx.put_records(&writes).await?;
        Ok(tx.save().await?)
    }

    /// Publishes a new record in a transaction that is not saved yet.
    pub async fn prepare(&self, record: &Record) -> anyhow::Result<passerelle::store::Tx> {
        let now = self.federation.now();
        let sealed = self.sealer.record(record, None, now)?;
        let (local, previous, kind) = (None, None, ChangeKind::Created);
        let write = RecordWrite { local, record: record.clone(), sealed, previous, kind, material: true, at: now };
        let mut tx = self.federation.store.write().await?;
        tx.put_records(&[write]).await?;
        Ok(tx)
    }

    /// Publishes the next revision of a record; returns it.
    pub async fn edit(&self, id: &RecordId, change: impl FnOnce(&mut Record)) -> anyhow::Result<Record> {
        let now = self.federation.now();
        let stored = self.record(id).await?;
        let mut record = stored.record.ok_or_else(|| anyhow::anyhow!("{id} is gone"))?;
        change(&mut record);
        record.revision = stored.revision + 1;
        record.updated = Some(now.whole_second());
        let sealed = self.sealer.record(&record, Some(&stored.digest), now)?;
        let (local, previous, kind) = (stored.local, Some(stored.digest), ChangeKind::Updated);
        let write = RecordWrite { local, record: record.clone(), sealed, previous, kind, material: true, at: now };
        let mut tx = self.federation.store.write().await?;
        tx.put_records(&[write]).await?;
        tx.save().await?;
        Ok(record)
    }

    /// Deletes a record; a signed tombstone stays.
    pub async fn delete(&self, id: &RecordId) -> anyhow::Result<()> {
        let now = self.federation.now();
        let stored = self.record(id).await?;
        let tombstone = Tombstone {
            id: id.clone(),
            authority: self.federation.actor().clone(),
            former_class: stored.class,
            deleted: now.whole_second(),
            revision: Some(stored.revision + 1),
            previous_digest: Some(stored.digest),
            reason: None,
        };
        let sealed = self.sealer.tombstone(&tombstone, now)?;
        let mut tx = self.federation.store.write().await?;
        tx.bury_records(&[Burial { tombstone, sealed, at: now }]).await?;
        Ok(tx.save().await?)
    }

    /// A record of this gateway.
    pub async fn record(&self, id: &RecordId) -> anyhow::Result<StoredRecord> {
        let record = self.federation.store.read().await?.lookup_record(id).await?;
        record.ok_or_else(|| anyhow::anyhow!("{} has no {id}", self.domain))
    }

    /// What this gateway holds of a record of another.
    pub async fn copy(&self, id: &RecordId) -> anyhow::Result<Option<passerelle::store::StoredCopy>> {
        Ok(self.federation.store.read().await?.lookup_copy(id).await?)
    }

    /// What this gateway's ledger says about a record and a partner.
    pub async fn ledger(
        &self,
        partner: &Self,
        record: &RecordId,
    ) -> anyhow::Result<Option<passerelle::store::disclosures::Disclosure>> {
        Ok(self.federation.store.read().await?.lookup_disclosure(&partner.domain, record).await?)
    }

    /// One step of everything; whether anything was done.
    pub async fn step(&self) -> anyhow::Result<bool> {
        let federation = &self.federation;
        let outcomes = [
            planner::step(federation).await?,
            self.worker.step().await?,
            effect::step(federation).await?,
            backfill::step(federation).await?,
        ];
        Ok(outcomes.iter().any(|outcome| *outcome != Outcome::Idle))
    }

    /// From now on, requests to this gateway may be answered by `disturbance` instead.
    pub fn disturb(&self, disturbance: impl Fn(&axum::http::request::Parts, &Bytes) -> Option<Response> + Send + Sync + 'static) {
        *self.front.disturbance.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(disturbance));
    }

    /// From now on, every POST to the inbox is answered by `status` (and done nothing with).
    pub fn answer_posts_with(&self, make: impl Fn() -> Response + Send + Sync + 'static) {
        self.disturb(move |parts, _| (parts.method == "POST").then(&make));
    }

    /// From now on, POSTs are done as they should be, but their answers are changed by `loss`.
    pub fn lose(&self, loss: impl Fn(Response) -> Response + Send + Sync + 'static) {
        *self.front.loss.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(loss));
    }

    /// The gateway answers for itself again.
    pub fn heal(&self) {
        *self.front.loss.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.front.disturbance.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Every POST to the inbox since this was asked last.
    pub fn posts(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.line.starts_with("POST ")).collect()
    }

    /// Every request and its answer since this was asked last.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.front.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The tests' morning.
pub fn morning() -> ManualClock {
    ManualClock::at("2026-09-15T06:30:00Z".parse().expect("a date"))
}

/// What a POST was answered.
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// Posts an activity to `to` as `from` signs it, once.
pub async fn post_as(from: &TestGateway, to: &TestGateway, body: &Bytes) -> anyhow::Result<Answered> {
    let url: Url = to.url.join("/actor/inbox")?;
    let mut headers = axum::http::HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(ACTIVITY_JSON));
    let keys = &from.federation.keys;
    sign_rfc9421(keys, &axum::http::Method::POST, &url, &mut headers, Some(body), from.federation.now())?;
    let mut request = OutboundRequest::post(url, body.clone());
    request.headers = headers;
    let response = from.federation.client.send(request).await?;
    Ok(Answered { status: response.status.as_u16(), body: response.body })
}

/// A signed GET of `path` at `at`, as `from` makes it.
pub async fn get_as(from: &TestGateway, at: &TestGateway, path: &str) -> anyhow::Result<Answered> {
    let url: Url = at.url.join(path)?;
    let response = passerelle::federation::fetch::signed_get(&from.federation, PartnerKind::Partner, &url).await?;
    Ok(Answered { status: response.status.as_u16(), body: response.body })
}

/// Steps of all gateways until none has anything to do.
pub async fn settle(gateways: &[&TestGateway]) -> anyhow::Result<()> {
    for _ in 0..ROUNDS {
        let mut worked = false;
        for gateway in gateways {
            worked |= gateway.step().await?;
        }
        if !worked {
            return Ok(());
        }
    }
    anyhow::bail!("the gateways do not come to rest")
}

/// Settles, moves the clock, and settles again, so often that everything that waits gets its turn.
pub async fn settle_for(gateways: &[&TestGateway], clock: &ManualClock, steps: usize, each: Duration) -> anyhow::Result<()> {
    settle(gateways).await?;
    for _ in 0..steps {
        clock.advance(each);
        settle(gateways).await?;
    }
    Ok(())
}

/// The front of a gateway: the addresses that gateways ask each other, as `web` serves them.
async fn answer(State(front): State<Arc<Front>>, request: Request) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 2 << 20).await.unwrap_or_default();
    let disturbance = front.disturbance.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let response = if let Some(response) = disturbance.and_then(|disturb| disturb(&parts, &body)) {
        response
    } else {
        let loss = front.loss.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer = front.serve(&parts, &body).await;
        match loss.filter(|_| parts.method == "POST") {
            Some(loss) => loss(answer),
            None => answer,
        }
    };
    let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let line = format!("{} {target}", parts.method);
    let (head, answer) = response.into_parts();
    // What hangs up in the middle of its answer does so here, and for the one who asked.
    let Ok(answer) = to_bytes(answer, 4 << 20).await else {
        let broken = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("it broke off")) });
        return Ok(Response::from_parts(head, Body::from_stream(broken)));
    };
    let seen = Seen { line, body, answer: answer.clone() };
    front.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    Ok(Response::from_parts(head, Body::from(answer)))
}

impl Front {
    async fn serve(&self, parts: &axum::http::request::Parts, body: &Bytes) -> Response {
        let path = parts.uri.path();
        let pairs: Vec<_> = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).collect();
        let asked = records::Asked::of(&pairs);
        match path {
            "/actor" => {
                let Context { authority, keys, public_url, .. } = &*self.federation;
                match actor::signed(authority, keys, public_url, &LanguageTag::french(), self.federation.now()) {
                    Ok(signed) => json(signed.bytes),
                    Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR),
                }
            }
            "/actor/inbox" => {
                let answer = self.inbox.receive(parts, body).await;
                let mut response = Response::new(Body::from(answer.body));
                (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers);
                response
            }
            "/actor/records" => match self.inbox.verifier().get(parts).await {
                Err(_) => plain(StatusCode::UNAUTHORIZED),
                Ok(reader) => match records::page(&self.federation, reader.partner(), asked).await {
                    Ok(page) => json(page),
                    Err(records::RecordsError::NotFollowing(_)) => plain(StatusCode::UNAUTHORIZED),
                    Err(records::RecordsError::Cursor(_)) => plain(StatusCode::BAD_REQUEST),
                    Err(records::RecordsError::Store(_)) => plain(StatusCode::SERVICE_UNAVAILABLE),
                },
            },
            _ => match path.strip_prefix("/from/").and_then(|domain| domain.parse::<PartnerDomain>().ok()) {
                Some(domain) => {
                    let reader = self.inbox.verifier().get(parts).await.ok();
                    let reader = reader.as_ref().map(|reader| &reader.partner().domain);
                    match held::collection(&self.federation, &domain, reader, asked.after).await {
                        Ok(collection) => json(collection.to_string()),
                        Err(_) => plain(StatusCode::BAD_REQUEST),
                    }
                }
                None => self.object(path).await,
            },
        }
    }

    async fn object(&self, path: &str) -> Response {
        let id = self.federation.public_url.join(path).ok().and_then(|url| url.as_str().parse::<RecordId>().ok());
        let Some(id) = id else { return plain(StatusCode::NOT_FOUND) };
        let Ok(mut tx) = self.federation.store.read().await else { return plain(StatusCode::SERVICE_UNAVAILABLE) };
        match tx.lookup_record(&id).await {
            Ok(Some(record)) => {
                let gone = record.record.is_none();
                let mut response = json(record.sealed);
                if gone {
                    *response.status_mut() = StatusCode::GONE;
                }
                response
            }
            _ => plain(StatusCode::NOT_FOUND),
        }
    }
}

/// An ActivityPub document.
pub fn json(body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(ACTIVITY_JSON));
    response
}

/// A status without a body.
pub fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
