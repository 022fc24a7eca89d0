//! Another server, as far as our inbox sees it: keys, activities, and requests that are signed rightly or
//! wrongly. What is signed is computed here from the specifications, not by the code under test.

use std::fmt::Write;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use passerelle::domain::digest::sha256;
use passerelle::domain::partner::{FollowState, Partner, PartnerKind};
use passerelle::domain::seal::Seal;
use passerelle::domain::tombstone::Tombstone;
use passerelle::domain::{Record, Timestamp};
use passerelle::federation::keys::Keys;
use passerelle::federation::seal::Sealer;
use passerelle::federation::signature::window::write_http_date;
use serde_json::{Value, json};
use url::Url;

/// A server with keys.
#[derive(Clone)]
pub struct Peer {
    /// Its keys.
    pub keys: Keys,
    /// Its public address.
    pub url: Url,
}

/// RSA keys take a while to make; every test shares those of the named peers.
fn shared(host: &str) -> Keys {
    static KEYS: OnceLock<Vec<Keys>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        ["b.example", "c.example", "m.example", "reader.example"]
            .iter()
            .zip(1_u8..)
            .map(|(host, seed)| {
                let actor = format!("https://{host}/actor").parse().expect("an address");
                Keys::from_seed(actor, &[seed; 32]).expect("keys")
            })
            .collect()
    });
    let actor = format!("https://{host}/actor");
    keys.iter().find(|keys| keys.actor().as_str() == actor).expect("a named peer").clone()
}

impl Peer {
    /// The peer at `host`: b.example, c.example, m.example or reader.example.
    pub fn at(host: &str) -> Self {
        Self { keys: shared(host), url: format!("https://{host}/").parse().expect("an address") }
    }

    /// How a gateway lists it: its keys pinned.
    pub fn partner(&self, kind: PartnerKind) -> Partner {
        let gateway = kind == PartnerKind::Partner;
        let actor = self.keys.actor().clone();
        Partner {
            domain: actor.domain(),
            kind,
            name: actor.domain().to_string(),
            inbox: format!("{actor}/inbox"),
            records: gateway.then(|| format!("{actor}/records")),
            key: gateway.then(|| self.keys.multikey().clone()),
            key_id: gateway.then(|| self.keys.ed25519_id()),
            rsa: Some((self.keys.rsa_pem().to_owned(), self.keys.rsa_id())),
            follows_us: FollowState::None,
            followed: FollowState::None,
            since: "2026-01-01T00:00:00Z".parse().expect("a time"),
            actor,
        }
    }

    /// Its actor document.
    pub fn actor_document(&self) -> Value {
        let actor = self.keys.actor();
        json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": actor, "type": "Organization", "inbox": format!("{actor}/inbox"),
            "publicKey": {"id": self.keys.rsa_id(), "owner": actor, "publicKeyPem": self.keys.rsa_pem()},
            "assertionMethod": [{"id": self.keys.ed25519_id(), "type": "Multikey", "controller": actor,
                                 "publicKeyMultibase": self.keys.multikey().to_string()}]
        })
    }

    /// An activity of its actor.
    pub fn activity(&self, key: &str, kind: &str, object: &Value) -> Value {
        json!({
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": format!("{}activities/{key}", self.url), "type": kind, "actor": self.keys.actor(), "object": object,
        })
    }

    /// A record with its proof, as JSON.
    pub fn sealed(&self, record: &Record, previous: Option<&Value>, now: Timestamp) -> Value {
        let previous = previous.map(|document| passerelle::federation::proof::digest(document).expect("canonical"));
        let sealed = Sealer::new(self.keys.clone()).record(record, previous.as_ref(), now).expect("sealed");
        serde_json::from_slice(&sealed.bytes).expect("JSON")
    }

    /// The tombstone behind a sealed record, with its proof, as JSON.
    pub fn tombstone(&self, last: &Record, document: &Value, now: Timestamp) -> Value {
        let tombstone = Tombstone {
            id: last.id.clone(),
            authority: self.keys.actor().clone(),
            former_class: last.class(),
            deleted: now,
            revision: Some(last.revision + 1),
            previous_digest: Some(passerelle::federation::proof::digest(document).expect("canonical")),
            reason: None,
        };
        let sealed = Sealer::new(self.keys.clone()).tombstone(&tombstone, now).expect("sealed");
        serde_json::from_slice(&sealed.bytes).expect("JSON")
    }

    /// A POST of `activity` to our inbox, signed as gateways do (RFC 9421, Ed25519).
    pub fn post(&self, activity: &Value, now: Timestamp) -> Knock {
        let mut knock = Knock::post(activity.to_string().into_bytes(), now);
        knock.rfc9421(self, &Rfc9421::usual(self, now));
        knock
    }

    /// A POST of `activity` to our inbox, signed as the Fediverse does (draft-cavage, RSA).
    pub fn post_cavage(&self, activity: &Value, now: Timestamp) -> Knock {
        let mut knock = Knock::post(activity.to_string().into_bytes(), now);
        knock.cavage(self, &Cavage::usual(self));
        knock
    }
}

/// A request that is being made; headers may be repeated.
#[derive(Debug, Clone)]
pub struct Knock {
    /// The method.
    pub method: http::Method,
    /// Path and query.
    pub target: String,
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Knock {
    /// A POST to the inbox with the headers that every sender adds; unsigned.
    pub fn post(body: impl Into<Vec<u8>>, now: Timestamp) -> Self {
        let body = body.into();
        let mut knock =
            Self { method: http::Method::POST, target: "/actor/inbox".to_owned(), headers: Vec::new(), body: body.clone() };
        knock.set("host", "a.example");
        knock.set("date", &write_http_date(now).expect("a date"));
        knock.set("content-type", "application/activity+json");
        knock.set("content-length", &body.len().to_string());
        knock.set("digest", &format!("SHA-256={}", STANDARD.encode(sha256(&body))));
        knock
    }

    /// A GET; unsigned.
    pub fn get(target: &str, now: Timestamp) -> Self {
        let mut knock = Self { method: http::Method::GET, target: target.to_owned(), headers: Vec::new(), body: Vec::new() };
        knock.set("host", "a.example");
        knock.set("date", &write_http_date(now).expect("a date"));
        knock.set("accept", "application/activity+json");
        knock
    }

    /// Replaces a header.
    pub fn set(&mut self, name: &str, value: &str) {
        self.drop(name);
        self.add(name, value);
    }

    /// Adds one more value of a header.
    pub fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Removes a header.
    pub fn drop(&mut self, name: &str) {
        self.headers.retain(|(other, _)| other != name);
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The request as the server hands it on.
    pub fn parts(&self) -> (Parts, Bytes) {
        let mut request = http::Request::builder().method(self.method.clone()).uri(&self.target);
        for (name, value) in &self.headers {
            request = request.header(name, http::HeaderValue::from_bytes(value.as_bytes()).expect("a header"));
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        (parts, Bytes::from(self.body.clone()))
    }

    /// Signs with draft-cavage-12 as `how` says.
    pub fn cavage(&mut self, peer: &Peer, how: &Cavage) {
        let lines: Vec<String> = how
            .headers
            .split(' ')
            .filter(|name| !name.is_empty())
            .map(|name| {
                let value = match name {
                    "(request-target)" => {
                        let target = how.target.as_ref().unwrap_or(&self.target);
                        format!("{} {target}", self.method.as_str().to_lowercase())
                    }
                    "(created)" => how.created.clone().unwrap_or_default(),
                    "(expires)" => how.expires.clone().unwrap_or_default(),
                    name => self.header(name).unwrap_or_default().trim().to_owned(),
                };
                format!("{name}: {value}")
            })
            .collect();
        let message = lines.join("\n");
        let signature = how.signature.clone().unwrap_or_else(|| peer.keys.sign_rsa(message.as_bytes()).expect("signed"));
        let mut value = format!("keyId=\"{}\"", how.key_id);
        for (name, parameter) in [("algorithm", &how.algorithm), ("created", &how.created), ("expires", &how.expires)] {
            if let Some(parameter) = parameter {
                let quote = if name == "algorithm" { "\"" } else { "" };
                let _ = write!(value, ",{name}={quote}{parameter}{quote}");
            }
        }
        if !how.headers.is_empty() {
            let _ = write!(value, ",headers=\"{}\"", how.headers);
        }
        let _ = write!(value, ",signature=\"{}\"", STANDARD.encode(signature));
        self.set("signature", &value);
    }

    /// Signs with RFC 9421 as `how` says; adds `Content-Digest`.
    pub fn rfc9421(&mut self, peer: &Peer, how: &Rfc9421) {
        if self.method == http::Method::POST && self.header("content-digest").is_none() {
            let digest = format!("sha-256=:{}:", STANDARD.encode(sha256(&self.body)));
            self.set("content-digest", &digest);
            self.drop("digest");
        }
        let list = how.components.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" ");
        let parameters = format!("({list}){}", how.parameters);
        let mut base = String::new();
        for name in &how.components {
            let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
            let value = match name.as_str() {
                "@method" => self.method.as_str().to_owned(),
                "@target-uri" => format!("https://a.example{}", self.target),
                "@authority" => "a.example".to_owned(),
                "@path" => path.to_owned(),
                "@query" => format!("?{query}"),
                name => self.header(name).unwrap_or_default().trim().to_owned(),
            };
            let _ = writeln!(base, "\"{name}\": {value}");
        }
        let _ = write!(base, "\"@signature-params\": {parameters}");
        let signature = if how.rsa {
            peer.keys.sign_rsa(base.as_bytes()).expect("signed")
        } else {
            peer.keys.sign_ed25519(base.as_bytes()).expect("signed").to_vec()
        };
        self.set("signature-input", &format!("sig1={parameters}"));
        self.set("signature", &format!("sig1=:{}:", STANDARD.encode(signature)));
    }
}

/// How a draft-cavage signature is made.
#[derive(Debug, Clone)]
pub struct Cavage {
    /// `keyId`.
    pub key_id: String,
    /// `algorithm`, if any.
    pub algorithm: Option<String>,
    /// `headers`; none when empty.
    pub headers: String,
    /// `created`, as written.
    pub created: Option<String>,
    /// `expires`, as written.
    pub expires: Option<String>,
    /// What `(request-target)` pretends.
    pub target: Option<String>,
    /// Other bytes than the RSA signature.
    pub signature: Option<Vec<u8>>,
}

impl Cavage {
    /// As Mastodon signs.
    pub fn usual(peer: &Peer) -> Self {
        Self {
            key_id: peer.keys.rsa_id(),
            algorithm: Some("rsa-sha256".to_owned()),
            headers: "(request-target) host date digest content-type".to_owned(),
            created: None,
            expires: None,
            target: None,
            signature: None,
        }
    }

    /// The same over other headers.
    pub fn over(peer: &Peer, headers: &str) -> Self {
        Self { headers: headers.to_owned(), ..Self::usual(peer) }
    }
}

/// How an RFC 9421 signature is made.
#[derive(Debug, Clone)]
pub struct Rfc9421 {
    /// The covered components.
    pub components: Vec<String>,
    /// The parameters, as written, from the first `;`.
    pub parameters: String,
    /// With the RSA key instead of Ed25519.
    pub rsa: bool,
}

impl Rfc9421 {
    /// As gateways sign a POST.
    pub fn usual(peer: &Peer, now: Timestamp) -> Self {
        Self::over(&["@method", "@target-uri", "content-digest", "content-type", "date"], &Self::named(peer, now))
    }

    /// Over these components, with these parameters.
    pub fn over(components: &[&str], parameters: &str) -> Self {
        let components = components.iter().map(|name| (*name).to_owned()).collect();
        Self { components, parameters: parameters.to_owned(), rsa: false }
    }

    /// The usual parameters.
    pub fn named(peer: &Peer, now: Timestamp) -> String {
        format!(";created={};keyid=\"{}\";alg=\"ed25519\"", now.seconds(), peer.keys.ed25519_id())
    }
}
