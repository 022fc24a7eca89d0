//! A server of the Fediverse, as far as a gateway meets one: accounts with keys and inboxes, shared or not,
//! and a front that refuses, accepts and asks as the test says. It speaks HTTP on a `*.localhost` port.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use passerelle::domain::{ActorId, PartnerDomain, Timestamp};
use passerelle::federation::keys::{KeyMaterial, Keys};
use passerelle::federation::pairing::{self, Introduction};
use passerelle::federation::signature::{sign_cavage, sign_rfc9421_rsa};
use passerelle::outbound::Request as OutboundRequest;
use serde_json::{Value, json};
use url::Url;

use super::gateway::{self, TestGateway, plain};

/// What the server says to a request, instead of taking it.
type Answer = Arc<dyn Fn(&Post) -> Option<Response> + Send + Sync>;

/// A request to an inbox, as it was received.
#[derive(Debug, Clone)]
pub struct Post {
    /// The path of the inbox.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The activity.
    pub activity: Value,
}

impl Post {
    /// Whether it is signed with RFC 9421; else with draft-cavage.
    pub fn is_rfc9421(&self) -> bool {
        self.headers.contains_key("signature-input")
    }

    /// The activity's type.
    pub fn kind(&self) -> &str {
        self.activity["type"].as_str().unwrap_or_default()
    }

    /// What the activity is about: the id of its object.
    pub fn object(&self) -> &str {
        let object = &self.activity["object"];
        object.as_str().or_else(|| object["id"].as_str()).unwrap_or_default()
    }
}

/// The server; ends when it is dropped.
pub struct Fediverse {
    /// Where it is reached.
    pub url: Url,
    /// Its domain.
    pub domain: PartnerDomain,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    actors: Mutex<BTreeMap<String, Value>>,
    posts: Mutex<Vec<Post>>,
    gets: Mutex<Vec<String>>,
    answer: Mutex<Option<Answer>>,
}

impl Drop for Fediverse {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An account of the server.
#[derive(Clone)]
pub struct Account {
    /// Its key pairs; the server signs with the RSA one.
    pub keys: Keys,
}

/// RSA keys take a while to make: the nth account of every server has the nth of these.
fn material(n: usize) -> KeyMaterial {
    static MADE: OnceLock<Vec<KeyMaterial>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let actor: ActorId = "http://social.localhost/users/x".parse().expect("an address");
        (1..=4_u8).map(|seed| Keys::from_seed(actor.clone(), &[seed; 32]).expect("keys").material().expect("bytes")).collect()
    });
    made[n % made.len()].clone()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fediverse {
    /// Starts the server of `name` (`social` is reached under `http://social.localhost:PORT`).
    pub async fn start(name: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let url: Url = format!("http://{name}.localhost:{port}/").parse().expect("an address");
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { domain: PartnerDomain::of(&url), url, shared, server }
    }

    /// Makes an account, with an inbox of its own and where `shared` says so the one of the server.
    pub fn account(&self, name: &str, shared: bool) -> Account {
        let actor: ActorId = self.url.join(&format!("/users/{name}")).expect("a path").as_str().parse().expect("an address");
        let number = lock(&self.shared.actors).len();
        let keys = Keys::from_material(actor.clone(), &material(number)).expect("keys");
        let mut document = json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": actor, "type": "Person", "preferredUsername": name, "inbox": format!("{actor}/inbox"),
            "publicKey": {"id": keys.rsa_id(), "owner": actor, "publicKeyPem": keys.rsa_pem()},
        });
        if shared {
            document["endpoints"] = json!({"sharedInbox": self.url.join("/inbox").expect("a path")});
        }
        lock(&self.shared.actors).insert(actor.url().path().to_owned(), document);
        Account { keys }
    }

    /// What `partner accept DOMAIN --reader` does at `gateway`.
    pub async fn listed_by(&self, gateway: &TestGateway) -> anyhow::Result<()> {
        pairing::accept(&gateway.federation, &self.domain, &Introduction::Reader).await?;
        Ok(())
    }

    /// From now on requests to inboxes are answered so; none: taken with 202.
    pub fn answer(&self, answer: impl Fn(&Post) -> Option<Response> + Send + Sync + 'static) {
        *lock(&self.shared.answer) = Some(Arc::new(answer));
    }

    /// The server takes everything again.
    pub fn heal(&self) {
        *lock(&self.shared.answer) = None;
    }

    /// What came to its inboxes since this was asked last, refused requests too.
    pub fn posts(&self) -> Vec<Post> {
        std::mem::take(&mut lock(&self.shared.posts))
    }

    /// The paths that were read since this was asked last.
    pub fn gets(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.shared.gets))
    }
}

impl Account {
    /// Its actor.
    pub fn actor(&self) -> &ActorId {
        self.keys.actor()
    }

    /// An activity of this account.
    pub fn activity(&self, key: &str, kind: &str, object: &Value) -> Value {
        let id = self.actor().url().join(&format!("/activities/{key}")).expect("a path");
        json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": kind, "actor": self.actor(), "object": object,
        })
    }

    /// Posts an activity as Mastodon does; returns the status.
    pub async fn post(&self, to: &TestGateway, activity: &Value) -> anyhow::Result<u16> {
        self.post_signed(to, activity, sign_cavage).await
    }

    /// The same, signed with RFC 9421.
    pub async fn post_rfc9421(&self, to: &TestGateway, activity: &Value) -> anyhow::Result<u16> {
        self.post_signed(to, activity, sign_rfc9421_rsa).await
    }

    /// Posts a Follow and lets the gateway work.
    pub async fn follow(&self, to: &TestGateway, key: &str, object: &str) -> anyhow::Result<()> {
        let status = self.post(to, &self.activity(key, "Follow", &json!(object))).await?;
        anyhow::ensure!(status == 202, "the Follow was answered {status}");
        gateway::settle(&[to]).await
    }

    async fn post_signed(&self, to: &TestGateway, activity: &Value, sign: Sign) -> anyhow::Result<u16> {
        let body = Bytes::from(activity.to_string());
        let url = to.url.join("/actor/inbox")?;
        let mut request = OutboundRequest::post(url.clone(), body.clone());
        request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/activity+json"));
        sign(&self.keys, &Method::POST, &url, &mut request.headers, Some(&body), to.federation.now())?;
        Ok(to.federation.client.send(request).await?.status.as_u16())
    }
}

type Sign = fn(
    &Keys,
    &Method,
    &Url,
    &mut HeaderMap,
    Option<&[u8]>,
    Timestamp,
) -> Result<(), passerelle::federation::signature::SignError>;

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    if parts.method == Method::POST {
        let body = to_bytes(body, 2 << 20).await.unwrap_or_default();
        let post = Post { path, headers: parts.headers, activity: serde_json::from_slice(&body).unwrap_or_default() };
        let answer = lock(&shared.answer).clone();
        let answer = answer.and_then(|answer| answer(&post));
        lock(&shared.posts).push(post);
        return Ok(answer.unwrap_or_else(|| plain(StatusCode::ACCEPTED)));
    }
    lock(&shared.gets).push(path.clone());
    let document = lock(&shared.actors).get(&path).cloned();
    Ok(document.map_or_else(|| plain(StatusCode::NOT_FOUND), |document| gateway::json(Body::from(document.to_string()))))
}
