//! Who speaks: the inbound verification profile, security.md §0.3, steps 1 to 8.
//!
//! The order is fixed, each step may only end in refusal, and nothing is written before the end but a
//! counter and a bounded log line. What comes out is a [`Verified`], which nobody else can make; the
//! inbox takes nothing else (SEC-041). A partner's keys are pinned; of a reader server any account may
//! speak ([`accounts`]). How an unknown key is looked up, at most once in five minutes, is [`refetch`]'s matter.

mod accounts;
pub mod actor_keys;
mod pins;
mod refetch;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::Value;

use crate::domain::account::Account;
use crate::domain::partner::{Partner, PartnerKind};
use crate::domain::{ActorId, PartnerDomain, Timestamp};
use crate::store::{Found, Roll, Scheme, Sought};

use super::Federation;
use super::fetch::is_activity;
use super::knock;
use super::refusal::{Code, Refusal};
use super::signature::{self, Candidate, Head, digest_header};
use super::strict_json;

pub use pins::{proof_key, proof_keys};
use refetch::Refetches;

/// The one path that takes activities.
pub const INBOX_PATH: &str = "/actor/inbox";
/// Longest key id we look at, in bytes.
const MAX_KEY_ID: usize = 2048;

/// A request whose sender is known: signed with a key of `actor`, which is `partner` itself or an account
/// of that reader server, over this very body, by the actor that the activity names.
#[derive(Debug, Clone)]
pub struct Verified {
    partner: Partner,
    actor: ActorId,
    key_id: String,
    scheme: Scheme,
    activity: Value,
    body: String,
    received_at: Timestamp,
}

impl Verified {
    /// Who speaks.
    #[must_use]
    pub const fn partner(&self) -> &Partner {
        &self.partner
    }

    /// The actor that signed; the owner of the key and of the activity.
    #[must_use]
    pub const fn actor(&self) -> &ActorId {
        &self.actor
    }

    /// Which scheme it was signed with.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The key it was signed with.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The activity, strictly read, for whoever takes it apart.
    pub(super) fn take_activity(&mut self) -> Value {
        self.activity.take()
    }

    /// The raw body.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The raw body, for whoever keeps it.
    pub(super) fn take_body(&mut self) -> String {
        std::mem::take(&mut self.body)
    }

    /// When it arrived.
    #[must_use]
    pub const fn received_at(&self) -> Timestamp {
        self.received_at
    }
}

/// Who asked in a signed GET.
#[derive(Debug, Clone)]
pub struct VerifiedReader {
    partner: Partner,
    key_id: String,
}

impl VerifiedReader {
    /// Who asks.
    #[must_use]
    pub const fn partner(&self) -> &Partner {
        &self.partner
    }

    /// The key it was signed with.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }
}

/// Decides who speaks.
pub struct Verifier {
    federation: Federation,
    roll: Roll,
    refetches: Refetches,
}

/// Who a request claims to be from, and what is known of them.
struct Listed {
    /// Who owns the key, as its name says.
    owner: ActorId,
    /// Who the request says it is from; where it does not say, the owner of the key.
    actor: ActorId,
    /// The listed partner on their host.
    partner: Partner,
    /// The account, where it is a known one of a reader server.
    account: Option<Account>,
}

/// The only part of a body that is looked at before its signature is verified.
#[derive(Deserialize)]
struct Peek<'a> {
    #[serde(borrow, default)]
    actor: Option<std::borrow::Cow<'a, str>>,
}

impl Verifier {
    /// A verifier with an empty memory of refetches.
    #[must_use]
    pub fn new(federation: Federation) -> Self {
        Self { roll: Roll::new(federation.store.clone()), federation, refetches: Refetches::default() }
    }

    /// Verifies a POST to the inbox.
    ///
    /// # Errors
    /// The [`Refusal`] to answer with; it is counted and logged already.
    pub async fn post(&self, parts: &Parts, body: &Bytes) -> Result<Verified, Refusal> {
        self.verify_post(parts, body).await.inspect_err(|refusal| self.record(refusal, &parts.headers))
    }

    /// Verifies a signed GET (`/actor/records`, `/from/{domain}`).
    ///
    /// # Errors
    /// The [`Refusal`] to answer with; it is counted and logged already.
    pub async fn get(&self, parts: &Parts) -> Result<VerifiedReader, Refusal> {
        self.verify_get(parts).await.inspect_err(|refusal| self.record(refusal, &parts.headers))
    }

    /// How many partners the memory of refetches holds (bounded, SEC-046).
    #[must_use]
    pub fn remembered_refetches(&self) -> usize {
        self.refetches.len()
    }

    fn record(&self, refusal: &Refusal, headers: &HeaderMap) {
        let peer = headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok());
        self.federation.refusals.record(refusal, peer);
    }

    async fn verify_post(&self, parts: &Parts, body: &Bytes) -> Result<Verified, Refusal> {
        // 1 and 2: size, route, method, media type.
        if body.len() > strict_json::MAX_BYTES {
            return Err(Refusal::new(Code::TooLarge, format_args!("at most {} bytes are read", strict_json::MAX_BYTES)));
        }
        if parts.uri.path() != INBOX_PATH || parts.uri.query().is_some() {
            return Err(Refusal::new(Code::NotFound, "activities are posted to /actor/inbox, without a query"));
        }
        if parts.method != Method::POST {
            return Err(Refusal::new(Code::MethodNotAllowed, "activities are posted"));
        }
        if parts.headers.get("early-data").is_some() {
            return Err(Refusal::new(Code::EarlyData, "a request in TLS early data may be a replay: send it again"));
        }
        // 3: one value each.
        signature::single_valued(&parts.headers)?;
        if parts.headers.contains_key(CONTENT_ENCODING) {
            return Err(Refusal::new(Code::UnsupportedMediaType, "compressed requests are not read"));
        }
        if !parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_activity) {
            return Err(Refusal::new(Code::UnsupportedMediaType, "send application/activity+json"));
        }
        self.own_host(parts)?;
        // 4: the signature, its coverage, its time.
        let now = self.federation.now();
        let candidate = signature::read(&self.head(parts)?, now)?;
        // 5: who it claims to be, against the allow-list, before any network.
        let claimed = serde_json::from_slice::<Peek<'_>>(body).ok().and_then(|peek| peek.actor);
        let claimed = claimed.as_deref();
        let listed = self.listed(&candidate.key_id, claimed).await?;
        // 7 before 6 where it costs nothing: a body that is not the signed one needs no key.
        digest_header::check(&parts.headers, body)?;
        // 6 and 7: the pinned key, and the signature.
        let (partner, speaker) = self.check_key(&candidate, listed).await?;
        // 8: strict JSON; the actor is the owner of the key.
        let activity = strict_json::parse(body).map_err(|error| Refusal::new(Code::InvalidJson, error))?;
        let actor = activity.get("actor").and_then(one_id);
        let actor = actor.ok_or_else(|| Refusal::new(Code::InvalidActivity, "the activity does not name exactly one actor"))?;
        if !actor.parse::<ActorId>().is_ok_and(|actor| actor == speaker) {
            return Err(Refusal::new(Code::ActorMismatch, "the activity's actor does not own the key it was signed with"));
        }
        let body = String::from_utf8(body.to_vec()).map_err(|_| Refusal::new(Code::InvalidJson, "the document is not UTF-8"))?;
        let (key_id, scheme) = (candidate.key_id, candidate.scheme);
        Ok(Verified { partner, actor: speaker, key_id, scheme, activity, body, received_at: now })
    }

    async fn verify_get(&self, parts: &Parts) -> Result<VerifiedReader, Refusal> {
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(Refusal::new(Code::MethodNotAllowed, "this address is read"));
        }
        signature::single_valued(&parts.headers)?;
        self.own_host(parts)?;
        let candidate = signature::read(&self.head(parts)?, self.federation.now())?;
        let listed = self.listed(&candidate.key_id, None).await?;
        let (partner, _) = self.check_key(&candidate, listed).await?;
        if partner.kind == PartnerKind::Reader {
            knock::signed_so(&self.federation, &partner.domain, candidate.scheme).await;
        }
        Ok(VerifiedReader { partner, key_id: candidate.key_id })
    }

    fn head<'a>(&'a self, parts: &'a Parts) -> Result<Head<'a>, Refusal> {
        let target = parts.uri.path_and_query().ok_or_else(|| Refusal::new(Code::NotFound, "the request names no path"))?;
        Ok(Head { method: &parts.method, origin: &self.federation.public_url, target: target.as_str(), headers: &parts.headers })
    }

    /// Step 3: the request is for us. What was signed for another host ends here (SEC-015).
    fn own_host(&self, parts: &Parts) -> Result<(), Refusal> {
        let own = self.federation.domain();
        let same = |text: &str| {
            let scheme = self.federation.public_url.scheme();
            let port_free = text.strip_suffix(if scheme == "http" { ":80" } else { ":443" }).unwrap_or(text);
            port_free.parse::<PartnerDomain>().is_ok_and(|domain| domain == own)
        };
        let header = parts.headers.get(HOST).and_then(|value| value.to_str().ok());
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        if let (Some(header), Some(authority)) = (header, authority)
            && !header.eq_ignore_ascii_case(authority)
        {
            return Err(Refusal::new(Code::MalformedHeader, "Host and the request's authority differ"));
        }
        let Some(host) = header.or(authority) else {
            return Err(Refusal::new(Code::MalformedHeader, "the request names no host"));
        };
        if same(host) {
            return Ok(());
        }
        let signed = parts.headers.contains_key(signature::SIGNATURE);
        let code = if signed { Code::CrossRecipientReplay } else { Code::WrongHost };
        Err(Refusal::new(code, format_args!("this gateway is {own}")))
    }

    /// Step 5: the owner of the key as its name says, and the listed partner on that host.
    async fn listed(&self, key_id: &str, claimed: Option<&str>) -> Result<Listed, Refusal> {
        let malformed = || Refusal::new(Code::MalformedKeyId, "the key id is not an https address");
        if key_id.len() > MAX_KEY_ID {
            return Err(malformed());
        }
        let owner = key_id.split('#').next().unwrap_or_default();
        let owner: ActorId = owner.parse().map_err(|_| malformed())?;
        // Plain http is for installations whose own address is plain http: tests and rehearsals.
        if owner.url().scheme() != "https" && self.federation.public_url.scheme() == "https" {
            return Err(malformed());
        }
        let domain = owner.domain();
        let mismatch = || Refusal::new(Code::ActorMismatch, "the activity's actor does not own the key it was signed with");
        let claimed = claimed.and_then(|actor| actor.parse::<ActorId>().ok());
        if claimed.as_ref().is_some_and(|actor| actor.domain() != domain) {
            return Err(mismatch());
        }
        let named = claimed.is_some();
        let actor = claimed.unwrap_or_else(|| owner.clone());
        let sought = Sought { domain: domain.clone(), actor: actor.clone() };
        let Found { partner, account } = self.roll.find(sought).await.map_err(busy)?;
        let partner = partner.ok_or_else(|| Refusal::new(Code::NotListed, format_args!("{domain} is not on our list")))?;
        if partner.kind == PartnerKind::Partner && named && actor != partner.actor {
            return Err(mismatch());
        }
        Ok(Listed { owner, actor, partner, account })
    }

    /// Steps 6 and 7: finds the key and verifies; returns the partner, and which actor of it speaks.
    async fn check_key(&self, candidate: &Candidate, listed: Listed) -> Result<(Partner, ActorId), Refusal> {
        if listed.partner.kind == PartnerKind::Reader {
            return self.check_account(candidate, listed).await;
        }
        let Listed { owner, partner, .. } = listed;
        let now = self.federation.now();
        let mut pinned = pins::current(&partner, &candidate.key_id);
        if pinned.is_none() {
            let mut tx = self.federation.store.read().await.map_err(busy)?;
            pinned = pins::in_grace(&mut tx, &partner, &candidate.key_id, now).await.map_err(busy)?;
        }
        let actor = partner.actor.clone();
        if let Some(key) = &pinned {
            // A partner's key is a promise: nothing is looked up because a signature is wrong.
            return candidate.verify(key).map(|()| (partner, actor));
        }
        if owner != actor {
            return Err(Refusal::new(Code::UnknownKey, "this key is not one of the partner's actor"));
        }
        let found = self.refetches.fetch(&self.federation, &partner, &actor, &candidate.key_id).await?;
        // A key that was just fetched is pinned only once it has verified something.
        candidate.verify(&found.key.key())?;
        let mut tx = self.federation.store.write().await.map_err(busy)?;
        pins::replace(&mut tx, &partner, &candidate.key_id, &found.key, now).await.map_err(busy)?;
        tx.save().await.map_err(busy)?;
        Ok((partner, actor))
    }
}

/// A store that is busy or away is never the sender's fault.
pub(super) fn busy<E: std::error::Error>(error: E) -> Refusal {
    tracing::error!(%error, "the store did not answer the inbox");
    Refusal::new(Code::Busy, "the store is busy; send it again")
}

/// The one id that a value names: a string, an object with an `id`, or a list of exactly one of these.
/// Everything else names nobody or several (SEC-053).
#[must_use]
pub fn one_id(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Object(object) => object.get("id")?.as_str(),
        Value::Array(items) => match items.as_slice() {
            [Value::String(text)] => Some(text),
            [Value::Object(object)] => object.get("id")?.as_str(),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sec_053_a_reference_names_one_or_none() {
        assert_eq!(one_id(&json!("https://b/x")), Some("https://b/x"));
        assert_eq!(one_id(&json!({"id": "https://b/x"})), Some("https://b/x"));
        assert_eq!(one_id(&json!(["https://b/x"])), Some("https://b/x"));
        for value in [
            json!(["https://b/x", "https://c/x"]),
            json!([["https://b/x"]]),
            json!([]),
            json!({}),
            json!({"id": ["https://b/x"]}),
            json!(1),
            json!(null),
        ] {
            assert_eq!(one_id(&value), None, "{value}");
        }
    }
}
