//! What Fedify and a gateway said to each other once, replayed: Fedify's requests against our verifier and
//! our inbox, ours against an independent reading of the same rules, on the clock of that day.
//!
//! The keys were made for the recording and are nowhere kept; the people in it are the simulator's.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use passerelle::domain::account::Account;
use passerelle::domain::authority::{AuthorityKind, PublicAuthority};
use passerelle::domain::change::ChangeKind;
use passerelle::domain::partner::{FollowState, Multikey, Partner, PartnerKind};
use passerelle::domain::seal::Seal;
use passerelle::domain::text::{LanguageTag, Localized, PlainText};
use passerelle::domain::time::ManualClock;
use passerelle::domain::{ActorId, Clock, PartnerDomain, Record, RecordId, Timestamp};
use passerelle::federation::inbox::Inbox;
use passerelle::federation::keys::{Keys, PublicKey, RsaPublicKey};
use passerelle::federation::refusal::Counters;
use passerelle::federation::seal::Sealer;
use passerelle::federation::signature::window::http_date;
use passerelle::federation::signature::{self, Head, digest_header};
use passerelle::federation::{Context, Federation, Outcome, dispatch, effect, proof, wire};
use passerelle::outbound::{Client, Policy};
use passerelle::store::RecordWrite;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use url::Url;

use crate::store_tests;
use crate::support::stores::Databases;

/// With which scheme Fedify knocks first.
pub const SCHEMES: [&str; 2] = ["draft-cavage", "rfc9421"];

/// Where a transcript is kept.
pub fn path(scheme: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/fedify/{scheme}.json"))
}

/// One request and its answer.
struct Exchange {
    to: String,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    status: u64,
    answer: String,
}

impl Exchange {
    fn read(value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().expect("text").to_owned();
        let mut headers = HeaderMap::new();
        for (name, value) in value["headers"].as_object().expect("headers") {
            let name: HeaderName = name.parse().expect("a header");
            headers.insert(name, HeaderValue::from_str(value.as_str().expect("text")).expect("a header"));
        }
        let url: Url = text("url").parse().expect("an address");
        if !headers.contains_key("host") {
            let host = PartnerDomain::of(&url).to_string();
            headers.insert("host", HeaderValue::from_str(&host).expect("a header"));
        }
        Self {
            to: text("to"),
            method: text("method").parse().expect("a method"),
            url,
            headers,
            body: Bytes::from(text("body")),
            status: value["status"].as_u64().expect("a status"),
            answer: text("answer"),
        }
    }

    fn target(&self) -> String {
        self.url.query().map_or_else(|| self.url.path().to_owned(), |query| format!("{}?{query}", self.url.path()))
    }

    fn parts(&self) -> Parts {
        let (mut parts, ()) =
            http::Request::builder().method(self.method.clone()).uri(self.target()).body(()).expect("a request").into_parts();
        parts.headers = self.headers.clone();
        parts
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// When it was signed.
    fn date(&self) -> Timestamp {
        http_date(self.header("date").expect("a Date")).expect("a date")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// A whole transcript.
struct Transcript {
    gateway: Url,
    actor: ActorId,
    exchanges: Vec<Exchange>,
}

impl Transcript {
    fn read(scheme: &str) -> Self {
        let text = std::fs::read_to_string(path(scheme)).expect("a transcript");
        let whole: Value = serde_json::from_str(&text).expect("JSON");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        Self {
            gateway: text(&whole["gateway"]).parse().expect("an address"),
            actor: text(&whole["fedify"]["actor"]).parse().expect("an address"),
            exchanges: whole["requests"].as_array().expect("requests").iter().map(Exchange::read).collect(),
        }
    }

    /// The document that somebody got from this address.
    fn document(&self, url: &str) -> Value {
        let found = self.exchanges.iter().find(|one| one.method == Method::GET && one.url.as_str() == url && one.status == 200);
        serde_json::from_str(&found.expect("it was read").answer).expect("JSON")
    }

    /// The consultation that Fedify read and then followed.
    fn followed(&self) -> Record {
        let follow = self.knocks().find(|knock| knock.method == Method::POST).expect("a Follow").json();
        let document = self.document(follow["object"].as_str().expect("an address"));
        wire::record_from_json(&document).expect("a record").0
    }

    fn knocks(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(|one| one.to == "gateway" && one.header("signature").is_some())
    }

    fn deliveries(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(|one| one.to == "fedify" && one.method == Method::POST)
    }
}

/// The gateway of the recording with another key: what it knew of Fedify's account, and the consultation.
async fn gateway(databases: &Databases, transcript: &Transcript, clock: &ManualClock) -> anyhow::Result<Federation> {
    let actor = ActorId::of_gateway(&transcript.gateway)?;
    let keys = Keys::from_seed(actor.clone(), &[5; 32])?;
    let authority = PublicAuthority {
        id: actor,
        name: Localized::one(LanguageTag::french(), PlainText::new("Lyon").expect("a name")),
        handle: "lyon".to_owned(),
        kind: AuthorityKind::Municipality,
        identifiers: Vec::new(),
        territory: None,
        rights_contact: transcript.gateway.join("/contact")?,
    };
    let federation = Federation::new(Context {
        store: databases.store().await,
        keys,
        client: Client::new(Policy::with_loopback())?,
        clock: Arc::new(clock.clone()),
        rng: Mutex::new(Box::new(StdRng::seed_from_u64(1))),
        authority,
        public_url: transcript.gateway.clone(),
        backup_keep: Duration::from_hours(24),
        refusals: Counters::default(),
    });
    let seal = Sealer::new(federation.keys.clone());
    let mut followed = transcript.followed();
    followed.revision = 1;
    let write = RecordWrite {
        local: None,
        sealed: seal.record(&followed, None, clock.now())?,
        record: followed,
        previous: None,
        kind: ChangeKind::Created,
        material: true,
        at: clock.now(),
    };
    let document = transcript.document(transcript.actor.as_str());
    let key = document["publicKey"].as_object().expect("a key");
    let mut tx = federation.store.write().await?;
    tx.put_records(&[write]).await?;
    tx.put_partner(&Partner {
        domain: transcript.actor.domain(),
        kind: PartnerKind::Reader,
        actor: transcript.actor.url().join("/actor")?.as_str().parse()?,
        name: "Fedify".to_owned(),
        inbox: transcript.actor.url().join("/inbox")?.to_string(),
        records: None,
        key: None,
        key_id: None,
        rsa: None,
        follows_us: FollowState::None,
        followed: FollowState::None,
        since: clock.now(),
    })
    .await?;
    tx.put_account(&Account {
        actor: transcript.actor.clone(),
        partner: transcript.actor.domain(),
        inbox: document["inbox"].as_str().expect("an inbox").to_owned(),
        shared_inbox: document["endpoints"]["sharedInbox"].as_str().map(ToOwned::to_owned),
        key_id: key["id"].as_str().expect("an id").to_owned(),
        key: key["publicKeyPem"].as_str().expect("a key").to_owned(),
        seen_at: clock.now(),
    })
    .await?;
    tx.save().await?;
    Ok(federation)
}

store_tests! {
    async fn what_fedify_sent_is_verified_and_done(databases: Databases) {
        for scheme in SCHEMES {
            let transcript = Transcript::read(scheme);
            let clock = ManualClock::at(transcript.knocks().next().expect("a request").date());
            let federation = gateway(&databases, &transcript, &clock).await?;
            let inbox = Inbox::start(federation.clone());
            let mut kinds = Vec::new();
            for knock in transcript.knocks() {
                clock.set(knock.date());
                let (parts, at) = (knock.parts(), format!("{scheme}: {} {}", knock.method, knock.url));
                if knock.method == Method::GET {
                    let reader = inbox.verifier().get(&parts).await.map_err(|refusal| anyhow::anyhow!("{at}: {refusal}"))?;
                    assert_eq!(reader.partner().domain, transcript.actor.domain());
                    continue;
                }
                // Changed on the way, or late: refused, and nothing is kept.
                let mut other = knock.body.to_vec();
                let place = other.len() - 2;
                other[place] ^= 1;
                assert_eq!(inbox.receive(&parts, &Bytes::from(other)).await.status, 401, "{at}");
                clock.advance(Duration::from_mins(66));
                assert_eq!(inbox.receive(&parts, &knock.body).await.status, 401, "{at}");
                clock.set(knock.date());
                let activity = knock.json();
                let answer = inbox.receive(&parts, &knock.body).await;
                assert_eq!(u64::from(answer.status.as_u16()), knock.status, "{at}: {}", String::from_utf8_lossy(&answer.body));
                assert_eq!((knock.status, parts.headers.contains_key("signature-input")), (202, scheme == "rfc9421"), "{at}");
                while effect::step(&federation).await? != Outcome::Idle {}
                let mut tx = federation.store.read().await?;
                kinds.push((
                    activity["type"].as_str().expect("a type").to_owned(),
                    tx.count_followers(Some(&transcript.followed().id)).await?,
                ));
                // What it is answered is what it was answered then, but for the name of the answer and for the
                // contexts that a letter had at that time.
                let answers = tx.letters_of(&transcript.actor.domain(), 10).await?;
                if activity["type"] == "Follow" {
                    let mut accept: Value = serde_json::from_str(&answers.first().expect("an Accept").body)?;
                    let mut then = transcript.deliveries().next().expect("an Accept").json();
                    for name in ["id", "@context"] {
                        accept[name].take();
                        then[name].take();
                    }
                    assert_eq!(accept, then, "{at}");
                }
            }
            assert_eq!(kinds, [("Follow".to_owned(), 1), ("Undo".to_owned(), 0)], "{scheme}");
        }
    }

    async fn what_the_gateway_sent_is_what_it_would_send_today(databases: Databases) {
        for scheme in SCHEMES {
            let transcript = Transcript::read(scheme);
            let clock = ManualClock::at(transcript.knocks().next().expect("a request").date());
            let federation = gateway(&databases, &transcript, &clock).await?;
            let domain = transcript.actor.domain();
            let reader = federation.store.read().await?.lookup_partner(&domain).await?.expect("it is listed");
            let process = transcript.followed().id;
            let mut kinds = Vec::new();
            for delivery in transcript.deliveries() {
                let mut then = delivery.json();
                let object = then["object"].clone();
                let kind = match then["type"].as_str().expect("a type") {
                    "Create" => ChangeKind::Created,
                    "Update" => ChangeKind::Updated,
                    "Delete" => ChangeKind::Deleted,
                    // Compared where it is written: it is named after the moment.
                    _ => continue,
                };
                if kind == ChangeKind::Deleted {
                    // Since that day a reader gets no more of a tombstone than whose it is.
                    then["object"] = json!({"id": object["id"], "type": "Tombstone"});
                } else {
                    let (record, previous) = wire::record_from_json(&object)?;
                    let mut written = wire::record_to_json(&record, previous.as_ref());
                    written["proof"] = object["proof"].clone();
                    assert_eq!(written, object, "{scheme}: {kind}");
                    if record.takes_words_back() {
                        // Today this leaves as a Delete.
                        continue;
                    }
                }
                let record: RecordId = object["id"].as_str().expect("an address").parse()?;
                let revision = (&record, object["revision"].as_u64().expect("a number"));
                let sealed = serde_json::to_vec(&object)?;
                let now = dispatch::carrying(&federation, &reader, kind, revision, Some(&process), &sealed);
                let mut now: Value = serde_json::from_slice(&now.body)?;
                // How an activity is named has changed since.
                now["id"].take();
                then["id"].take();
                assert_eq!(now, then, "{scheme}: {kind}");
                kinds.push(kind);
            }
            kinds.dedup();
            assert_eq!(kinds, [ChangeKind::Created, ChangeKind::Updated, ChangeKind::Deleted], "{scheme}");
        }
    }
}

#[test]
fn what_the_gateway_sent_is_signed_and_proven_as_fedify_saw_it() {
    for scheme in SCHEMES {
        let transcript = Transcript::read(scheme);
        let actor = transcript.document(&format!("{}actor", transcript.gateway));
        let rsa = RsaPublicKey::from_pem(actor["publicKey"]["publicKeyPem"].as_str().expect("a key")).expect("a key");
        let method = &actor["assertionMethod"][0];
        let multikey: Multikey = method["publicKeyMultibase"].as_str().expect("a key").parse().expect("a Multikey");
        let key_id = method["id"].as_str().expect("an id");
        let (mut kinds, mut proofs) = (Vec::new(), 0);
        for delivery in transcript.deliveries() {
            assert_eq!(delivery.status, 202, "{scheme}: Fedify took it");
            let origin = delivery.url.join("/").expect("an address");
            let target = delivery.target();
            let head = Head { method: &delivery.method, origin: &origin, target: &target, headers: &delivery.headers };
            let candidate = signature::read(&head, delivery.date()).expect("it is strong enough");
            candidate.verify(&PublicKey::Rsa(rsa.clone())).expect("it verifies");
            digest_header::check(&delivery.headers, &delivery.body).expect("its digest is right");
            // What it sends itself is what it gets.
            assert_eq!(delivery.headers.contains_key("signature-input"), scheme == "rfc9421", "{scheme}");
            let activity = delivery.json();
            kinds.push(activity["type"].as_str().expect("a type").to_owned());
            if activity["object"].get("proof").is_some() {
                let late = delivery.date().plus(Duration::from_mins(1));
                proof::verify(&activity["object"], &multikey, key_id, late).expect("its proof holds");
                proofs += 1;
            }
        }
        kinds.dedup();
        assert_eq!(kinds.first().map(String::as_str), Some("Accept"), "{scheme}: {kinds:?}");
        assert_eq!(kinds.last().map(String::as_str), Some("Delete"), "{scheme}: {kinds:?}");
        assert!(kinds.contains(&"Update".to_owned()) && proofs >= 3, "{scheme}: {kinds:?}, {proofs} proofs");
    }
}
