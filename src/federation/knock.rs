//! Requests to others, each signed as its receiver reads it (architecture §3, "HTTP signatures").
//!
//! Partners pinned our Ed25519 key: RFC 9421 with it, always. A server of the Fediverse gets draft-cavage
//! with RSA-2048, which everybody reads, until its host showed that it reads RFC 9421: it signed so
//! itself, it asked for it (`Accept-Signature`), or it refused the one and took the other. What a host
//! showed is remembered in the store for a while, a fallback too, so that no host is knocked at twice for
//! long. Only 400, 401 and 403 are a reason to knock again: everything else says nothing of a signature.

use std::collections::BTreeMap;

use http::{HeaderMap, Method, StatusCode};
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use url::Url;

use crate::domain::partner::PartnerKind;
use crate::domain::{PartnerDomain, Timestamp};
use crate::outbound::{OutboundError, Request, Response};
use crate::store::{Evidence, Preference, Scheme, StoreError, Tx};

use super::Federation;
use super::keys::Keys;
use super::signature::{SignError, sign_cavage, sign_rfc9421, sign_rfc9421_rsa};

/// Longest `Accept-Signature` header we look at, in bytes.
const MAX_WISH: usize = 2048;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum KnockError {
    /// Nobody answered.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// We could not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Signs a request for a receiver of this kind and sends it; any status is an answer.
///
/// # Errors
/// When it cannot be signed, or there is no answer.
pub async fn send(federation: &Federation, kind: PartnerKind, request: Request) -> Result<Response, KnockError> {
    let known = if kind == PartnerKind::Partner {
        None
    } else {
        let host = PartnerDomain::of(&request.url);
        remembered(federation, &host, federation.now()).await.unwrap_or_else(|error| {
            tracing::warn!(%host, %error, "what this host showed could not be read; it gets draft-cavage");
            None
        })
    };
    send_as_known(federation, kind, known, request).await
}

/// The same to a host of which it was read a moment ago what it showed.
///
/// # Errors
/// As for [`send`].
pub async fn send_as_known(
    federation: &Federation,
    kind: PartnerKind,
    known: Option<Preference>,
    request: Request,
) -> Result<Response, KnockError> {
    let now = federation.now();
    if kind == PartnerKind::Partner {
        return Ok(federation.client.send(signed(&federation.keys, request, sign_rfc9421, now)?).await?);
    }
    let host = PartnerDomain::of(&request.url);
    let scheme = known.map_or(Scheme::Cavage, |known| known.scheme);
    let first = knock(federation, &request, scheme, now).await?;
    if first.status.is_success() {
        if scheme == Scheme::Cavage && wishes_rfc9421(&first.headers) {
            learn(federation, &host, known, Scheme::Rfc9421, Evidence::Asked, now).await;
        } else if known.is_some() {
            learn(federation, &host, known, scheme, Evidence::Taken, now).await;
        }
        return Ok(first);
    }
    if !refused(first.status) {
        return Ok(first);
    }
    let other = if scheme == Scheme::Cavage { Scheme::Rfc9421 } else { Scheme::Cavage };
    match knock(federation, &request, other, now).await {
        Ok(second) if second.status.is_success() => {
            learn(federation, &host, known, other, Evidence::Taken, now).await;
            Ok(second)
        }
        Ok(second) if !refused(second.status) => Ok(second),
        // Refused both ways, or away meanwhile: it was not the scheme.
        Ok(_) | Err(_) => Ok(first),
    }
}

/// Remembers that a server sent us a request with a verified signature of this scheme.
pub async fn signed_so(federation: &Federation, host: &PartnerDomain, scheme: Scheme) {
    if scheme != Scheme::Rfc9421 {
        // Whoever sends draft-cavage may read both: it shows nothing.
        return;
    }
    let now = federation.now();
    match remembered(federation, host, now).await {
        Ok(known) => learn(federation, host, known, scheme, Evidence::Sent, now).await,
        Err(error) => tracing::warn!(%host, %error, "what this host showed could not be read"),
    }
}

/// What these hosts showed. Not knowing it costs a second knock, never a delivery: what cannot be read is told and
/// left out. Ask nothing more in this transaction.
pub async fn shown(tx: &mut Tx, hosts: &[&PartnerDomain], now: Timestamp) -> BTreeMap<PartnerDomain, Preference> {
    tx.preferred_schemes(hosts, now).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "what hosts showed could not be read; they get draft-cavage");
        BTreeMap::new()
    })
}

async fn remembered(federation: &Federation, host: &PartnerDomain, now: Timestamp) -> Result<Option<Preference>, StoreError> {
    Ok(federation.store.read().await?.preferred_schemes(&[host], now).await?.remove(host))
}

/// Writes down what a host showed, where that is news. Losing it costs a second knock, never a delivery.
async fn learn(
    federation: &Federation,
    host: &PartnerDomain,
    known: Option<Preference>,
    scheme: Scheme,
    evidence: Evidence,
    now: Timestamp,
) {
    if known.is_some_and(|known| !known.yields_to(scheme, evidence, now)) {
        return;
    }
    let written = async {
        let mut tx = federation.store.write().await?;
        tx.put_scheme(host, scheme, evidence, now).await?;
        tx.save().await
    };
    match written.await {
        Ok(()) => tracing::info!(%host, %scheme, %evidence, "a host showed how to sign for it"),
        Err(error) => tracing::warn!(%host, %error, "what a host showed was not written down"),
    }
}

async fn knock(federation: &Federation, request: &Request, scheme: Scheme, now: Timestamp) -> Result<Response, KnockError> {
    let sign = match scheme {
        Scheme::Cavage => sign_cavage,
        Scheme::Rfc9421 => sign_rfc9421_rsa,
    };
    Ok(federation.client.send(signed(&federation.keys, request.clone(), sign, now)?).await?)
}

type Sign = fn(&Keys, &Method, &Url, &mut HeaderMap, Option<&[u8]>, Timestamp) -> Result<(), SignError>;

fn signed(keys: &Keys, mut request: Request, sign: Sign, now: Timestamp) -> Result<Request, SignError> {
    let body = (request.method == Method::POST).then_some(&request.body[..]);
    sign(keys, &request.method, &request.url, &mut request.headers, body, now)?;
    Ok(request)
}

/// The statuses by which servers refuse a signature.
const fn refused(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 401 | 403)
}

/// Whether `Accept-Signature` (RFC 9421 §5.1) asks for a signature that we can make.
fn wishes_rfc9421(headers: &HeaderMap) -> bool {
    let Some(wish) = headers.get("accept-signature").and_then(|value| value.to_str().ok()) else { return false };
    if wish.len() > MAX_WISH {
        return false;
    }
    let Ok(wishes) = Parser::new(wish).parse::<Dictionary>() else { return false };
    wishes.values().any(|entry| match entry {
        ListEntry::InnerList(list) => {
            let algorithm = list.params.get("alg").and_then(BareItem::as_string);
            list.params.get("alg").is_none() || algorithm.is_some_and(|alg| alg.as_str() == "rsa-v1_5-sha256")
        }
        ListEntry::Item(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_granted_only_if_we_can() {
        for (wish, good) in [
            (r#"sig1=("@method" "@target-uri" "content-digest");created;keyid"#, true),
            (r#"sig1=("@method");alg="rsa-v1_5-sha256""#, true),
            (r#"sig1=("@method");alg="ed25519""#, false),
            (r#"a=("@method");alg="ed25519", b=("@method")"#, true),
            ("sig1=1", false),
            ("yes", false),
            ("(", false),
            ("", false),
        ] {
            let headers =
                HeaderMap::from_iter([(http::HeaderName::from_static("accept-signature"), http::HeaderValue::from_static(wish))]);
            assert_eq!(wishes_rfc9421(&headers), good, "{wish}");
        }
        assert!(!wishes_rfc9421(&HeaderMap::new()));
    }
}
