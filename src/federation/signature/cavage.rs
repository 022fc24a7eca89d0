//! draft-cavage-http-signatures-12, as the Fediverse uses it: `rsa-sha256`, called that, `hs2019` or
//! nothing. Reading accepts spaces where they do no harm and refuses everything ambiguous (SEC-040).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, CONTENT_TYPE, DATE, HOST, HeaderMap, HeaderValue};
use http::{HeaderName, Method};
use url::Url;

use crate::domain::Timestamp;
use crate::store::Scheme;

use super::super::keys::Keys;
use super::super::refusal::{Code, Refusal};
use super::window::{self, Times};
use super::{Candidate, DIGEST, Head, Label, SIGNATURE, SignError, combined, digest_header, has_body, host_of, target_of};

/// Longest header we read, in bytes.
const MAX_LENGTH: usize = 8192;
/// Most parameters.
const MAX_PARAMETERS: usize = 12;
/// Most signed headers.
const MAX_HEADERS: usize = 24;

/// Reads a `Signature` header and asks that it covers enough.
pub(super) fn read(head: &Head<'_>, value: &str, now: Timestamp) -> Result<Candidate, Refusal> {
    let parameters: Parameters = value.parse()?;
    let label = match parameters.algorithm.as_deref() {
        None | Some("hs2019") => Label::FromKey,
        Some("rsa-sha256") => Label::Rsa,
        Some(_) => return Err(Refusal::new(Code::UnsupportedAlgorithm, "the algorithm label is neither rsa-sha256 nor hs2019")),
    };
    let names = parameters
        .headers
        .as_deref()
        .ok_or_else(|| Refusal::new(Code::WeakSignature, "the signature does not say which headers it covers"))?;
    let names = header_names(names)?;
    let covers = |name: &str| names.iter().any(|covered| covered == name);
    if has_body(head) && !covers("digest") {
        return Err(if head.headers.contains_key(DIGEST) {
            Refusal::new(Code::DigestUnsigned, "the Digest header is not among the signed headers")
        } else {
            Refusal::new(Code::DigestMissing, "the request carries no signed Digest header")
        });
    }
    for name in ["(request-target)", "host"] {
        if !covers(name) {
            return Err(Refusal::new(Code::WeakSignature, format_args!("{name} is not signed")));
        }
    }
    let time = |wanted: bool, text: Option<&str>| match text {
        Some(text) => window::seconds(text).map(Some),
        None if wanted => Err(Refusal::new(Code::BadTime, "a signed time has no value")),
        None => Ok(None),
    };
    let created = time(covers("(created)"), parameters.created.as_deref())?;
    let expires = time(covers("(expires)"), parameters.expires.as_deref())?;
    if label == Label::Rsa && (covers("(created)") || covers("(expires)")) {
        // §2.3: these two belong to hs2019.
        return Err(Refusal::new(Code::WeakSignature, "(created) and (expires) do not go with rsa-sha256"));
    }
    let date = if covers("date") {
        Some(window::http_date(combined(head.headers, "date").as_deref().unwrap_or_default())?)
    } else {
        None
    };
    Times { created: created.filter(|_| covers("(created)")), date, expires }.check(now)?;

    let base = signing_string(head, &names, parameters.created.as_deref(), parameters.expires.as_deref())?;
    let signature = STANDARD
        .decode(&parameters.signature)
        .ok()
        .filter(|bytes| !bytes.is_empty() && bytes.len() <= 1024)
        .ok_or_else(|| malformed("the signature is not base64"))?;
    Ok(Candidate { key_id: parameters.key_id, scheme: Scheme::Cavage, label, base, signature })
}

/// Signs a request with the RSA key as everybody understands it: adds `Date`, `Digest` (with a body)
/// and `Signature`. `Host` is set by the client and signed here from the URL.
///
/// # Errors
/// When the key does not sign or a value does not fit into a header.
pub fn sign_cavage(
    keys: &Keys,
    method: &Method,
    url: &Url,
    headers: &mut HeaderMap,
    body: Option<&[u8]>,
    now: Timestamp,
) -> Result<(), SignError> {
    let date = window::write_http_date(now).ok_or(SignError::Date)?;
    headers.insert(DATE, HeaderValue::from_str(&date)?);
    let mut names = vec!["(request-target)", "host", "date"];
    if let Some(body) = body {
        headers.insert(DIGEST, HeaderValue::from_str(&digest_header::write_digest(body))?);
        names.push("digest");
    }
    for (name, text) in [(CONTENT_TYPE, "content-type"), (ACCEPT, "accept")] {
        let wanted = if body.is_some() { text == "content-type" } else { text == "accept" };
        if wanted && headers.contains_key(name) {
            names.push(text);
        }
    }
    let mut signed = headers.clone();
    signed.insert(HOST, HeaderValue::from_str(&host_of(url))?);
    let target = target_of(url);
    let head = Head { method, origin: url, target: &target, headers: &signed };
    let covered: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let base = signing_string(&head, &covered, None, None).map_err(|_| SignError::Date)?;
    let signature = STANDARD.encode(keys.sign_rsa(base.as_bytes())?);
    let value =
        format!(r#"keyId="{}",algorithm="rsa-sha256",headers="{}",signature="{signature}""#, keys.rsa_id(), names.join(" "));
    headers.insert(SIGNATURE, HeaderValue::from_str(&value)?);
    Ok(())
}

/// A `Signature` header, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    key_id: String,
    algorithm: Option<String>,
    headers: Option<String>,
    created: Option<String>,
    expires: Option<String>,
    signature: String,
}

impl fmt::Display for Parameters {
    /// The header in the one way that every reader reads alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keyId=\"{}\"", self.key_id)?;
        let optional =
            [("algorithm", &self.algorithm), ("headers", &self.headers), ("created", &self.created), ("expires", &self.expires)];
        for (name, value) in optional {
            if let Some(value) = value {
                write!(f, ",{name}=\"{value}\"")?;
            }
        }
        write!(f, ",signature=\"{}\"", self.signature)
    }
}

fn malformed(why: &str) -> Refusal {
    Refusal::new(Code::MalformedSignature, why)
}

impl FromStr for Parameters {
    type Err = Refusal;

    /// Reads the header, and refuses what two readers could read differently (SEC-040).
    fn from_str(value: &str) -> Result<Self, Refusal> {
        parse(value)
    }
}

fn parse(value: &str) -> Result<Parameters, Refusal> {
    if value.len() > MAX_LENGTH || !value.is_ascii() {
        return Err(malformed("the Signature header is longer than 8 KiB or not ASCII"));
    }
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = value.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or_else(|| malformed("a parameter has no value"))?;
        let name = name.trim().to_owned();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(malformed("a parameter has no proper name"));
        }
        let after = after.trim_start();
        let (text, after) = if let Some(quoted) = after.strip_prefix('"') {
            quoted.split_once('"').ok_or_else(|| malformed("a quotation mark is not closed"))?
        } else {
            let end = after.find(',').unwrap_or(after.len());
            let (bare, after) = after.split_at(end);
            (bare.trim_end(), after)
        };
        if text.contains(['\\', '\0']) || text.contains('"') || text.is_empty() {
            return Err(malformed("a parameter has no proper value"));
        }
        if found.iter().any(|(other, _)| *other == name) {
            return Err(malformed("a parameter is repeated"));
        }
        found.push((name, text.to_owned()));
        if found.len() > MAX_PARAMETERS {
            return Err(malformed("too many parameters"));
        }
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(next) if !next.trim_start().is_empty() => next.trim_start(),
            Some(_) => return Err(malformed("the header ends with a comma")),
            None if after.is_empty() => after,
            None => return Err(malformed("parameters are not separated by commas")),
        };
    }
    let mut parameters = Parameters::default();
    let mut take = |name: &str| found.iter().position(|(other, _)| other == name).map(|at| found.swap_remove(at).1);
    parameters.algorithm = take("algorithm");
    parameters.headers = take("headers");
    parameters.created = take("created");
    parameters.expires = take("expires");
    parameters.key_id = take("keyId").ok_or_else(|| malformed("there is no keyId"))?;
    parameters.signature = take("signature").ok_or_else(|| malformed("there is no signature"))?;
    Ok(parameters)
}

fn header_names(list: &str) -> Result<Vec<String>, Refusal> {
    let mut names: Vec<String> = Vec::new();
    for name in list.split(' ').filter(|name| !name.is_empty()) {
        let name = name.to_ascii_lowercase();
        let pseudo = matches!(name.as_str(), "(request-target)" | "(created)" | "(expires)");
        if !pseudo && HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(malformed("the list of headers holds something that is no header"));
        }
        if names.contains(&name) {
            return Err(malformed("a header is listed twice"));
        }
        names.push(name);
        if names.len() > MAX_HEADERS {
            return Err(malformed("too many headers are listed"));
        }
    }
    Ok(names)
}

fn signing_string(head: &Head<'_>, names: &[String], created: Option<&str>, expires: Option<&str>) -> Result<String, Refusal> {
    let mut lines = Vec::with_capacity(names.len());
    for name in names {
        let line = match name.as_str() {
            "(request-target)" => Some(format!("{} {}", head.method.as_str().to_ascii_lowercase(), head.target)),
            "(created)" => created.map(str::to_owned),
            "(expires)" => expires.map(str::to_owned),
            header => combined(head.headers, header),
        };
        let value = line.ok_or_else(|| Refusal::new(Code::WeakSignature, format_args!("{name} is signed but not there")))?;
        lines.push(format!("{name}: {value}"));
    }
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_with_and_without_spaces() {
        for text in [
            r#"keyId="k",algorithm="hs2019",headers="date host",created=12,signature="AA==""#,
            r#"keyId = "k" , algorithm = "hs2019", headers="date host" ,created = 12 , signature="AA==""#,
        ] {
            let read = parse(text).expect("it is readable");
            assert_eq!(parse(&read.to_string()), Ok(read.clone()), "what is read is written again");
            assert_eq!((read.key_id.as_str(), read.created.as_deref()), ("k", Some("12")));
            assert_eq!(read.headers.as_deref(), Some("date host"));
        }
    }

    #[test]
    fn sec_040_what_two_readers_could_read_differently_is_refused() {
        let many = (0..10_000).map(|n| format!("p{n}=\"x\"")).collect::<Vec<_>>().join(",");
        let long = format!("keyId=\"{}\",signature=\"AA==\"", "k".repeat(64 * 1024));
        for text in [
            r#"keyId="k",signature="AA=="#,
            r#"keyId="k",keyId="l",signature="AA==""#,
            r#"keyId="k""#,
            r#"signature="AA==""#,
            r#"keyId="k" signature="AA==""#,
            r#"keyId="k",signature="AA==","#,
            r#"keyId="k\"l",signature="AA==""#,
            r#"keyId="",signature="AA==""#,
            r#"="k",signature="AA==""#,
            "",
            ",",
            &many,
            &long,
        ] {
            let refusal = parse(text).expect_err("it was read");
            assert_eq!(refusal.code(), Code::MalformedSignature, "{text:.60}");
        }
        for list in ["(request-target), host", "host host", "(other)", "a\u{7f}b"] {
            assert!(header_names(list).is_err(), "{list} was taken");
        }
    }
}
