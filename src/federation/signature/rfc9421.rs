//! RFC 9421 HTTP Message Signatures: one label, a closed list of components, no component parameters.
//!
//! Partners are signed for with Ed25519, which they pinned; servers of the Fediverse that read RFC 9421
//! with `rsa-v1_5-sha256`, which all of them know. Both are read.

use http::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use http::{HeaderName, Method};
use sfv::{BareItem, InnerList, ListEntry, ListSerializer};
use url::Url;

use crate::domain::Timestamp;
use crate::store::Scheme;

use super::super::keys::{KeyError, Keys};
use super::super::refusal::{Code, Refusal};
use super::window::{self, Times};
use super::{
    CONTENT_DIGEST, Candidate, Head, Label, SIGNATURE, SIGNATURE_INPUT, SignError, combined, dictionary, digest_header, has_body,
    host_of, one, target_of,
};

/// Longest header we read, in bytes.
const MAX_LENGTH: usize = 8192;
/// Most covered components.
const MAX_COMPONENTS: usize = 24;
/// How long our own signatures are valid.
const OWN_LIFETIME: std::time::Duration = std::time::Duration::from_mins(5);

fn malformed(why: &str) -> Refusal {
    Refusal::new(Code::MalformedSignatureInput, why)
}

/// Reads `Signature-Input` and `Signature` and asks that they cover enough.
pub(super) fn read(head: &Head<'_>, now: Timestamp) -> Result<Candidate, Refusal> {
    let written = one(head.headers, &SIGNATURE_INPUT)?.unwrap_or_default();
    let (label, input) = single_member(written)?;
    let ListEntry::InnerList(input) = input else { return Err(malformed("Signature-Input holds no list of components")) };
    let signature = one(head.headers, &SIGNATURE)?.ok_or_else(|| malformed("Signature-Input without Signature"))?;
    let (signature_label, signature) = single_member(signature)?;
    if signature_label != label {
        return Err(malformed("Signature and Signature-Input have different labels"));
    }
    let ListEntry::Item(signature) = signature else { return Err(malformed("the Signature is not a byte sequence")) };
    let signature = signature.bare_item.as_byte_sequence().filter(|bytes| !bytes.is_empty() && bytes.len() <= 1024);
    let signature = signature.ok_or_else(|| malformed("the Signature is not a byte sequence"))?.to_vec();

    let components = components(&input)?;
    if dictionary::written_parameters(written) != input.params.len() {
        return Err(malformed("a parameter of the signature is repeated"));
    }
    require(head, &components)?;
    let text = |name: &str| match input.params.get(name) {
        None => Ok(None),
        Some(BareItem::String(text)) => Ok(Some(text.as_str().to_owned())),
        Some(_) => Err(malformed("a parameter of the signature has the wrong type")),
    };
    let time = |name: &str| match input.params.get(name) {
        None => Ok(None),
        Some(BareItem::Integer(seconds)) => window::seconds(&seconds.to_string()).map(Some),
        Some(_) => Err(Refusal::new(Code::BadTime, "created and expires are whole seconds since 1970")),
    };
    let key_id = text("keyid")?.ok_or_else(|| Refusal::new(Code::WeakSignature, "the signature names no keyid"))?;
    let created = time("created")?;
    if created.is_none() {
        return Err(Refusal::new(Code::WeakSignature, "the signature has no created"));
    }
    let label = match text("alg")?.as_deref() {
        None => Label::FromKey,
        Some("ed25519") => Label::Ed25519,
        Some("rsa-v1_5-sha256") => Label::Rsa,
        Some(_) => return Err(Refusal::new(Code::UnsupportedAlgorithm, "alg is neither ed25519 nor rsa-v1_5-sha256")),
    };
    let date = if components.iter().any(|name| name == "date") {
        Some(window::http_date(combined(head.headers, "date").as_deref().unwrap_or_default())?)
    } else {
        None
    };
    Times { created, date, expires: time("expires")? }.check(now)?;
    let base = signature_base(head, &components, &serialize(&input)?)?;
    Ok(Candidate { key_id, scheme: Scheme::Rfc9421, label, base, signature })
}

/// Signs a request with the Ed25519 key, for partners: adds `Date`, `Content-Digest` (with a body),
/// `Signature-Input` and `Signature`.
///
/// # Errors
/// When the key does not sign or a value does not fit into a header.
pub fn sign_rfc9421(
    keys: &Keys,
    method: &Method,
    url: &Url,
    headers: &mut HeaderMap,
    body: Option<&[u8]>,
    now: Timestamp,
) -> Result<(), SignError> {
    let with = (keys.ed25519_id(), "ed25519");
    sign(with, |base| keys.sign_ed25519(base).map(|signature| signature.to_vec()), (method, url), headers, body, now)
}

/// The same with the RSA key, for servers of the Fediverse.
///
/// # Errors
/// As for [`sign_rfc9421`].
pub fn sign_rfc9421_rsa(
    keys: &Keys,
    method: &Method,
    url: &Url,
    headers: &mut HeaderMap,
    body: Option<&[u8]>,
    now: Timestamp,
) -> Result<(), SignError> {
    sign((keys.rsa_id(), "rsa-v1_5-sha256"), |base| keys.sign_rsa(base), (method, url), headers, body, now)
}

fn sign(
    (key_id, algorithm): (String, &str),
    make: impl Fn(&[u8]) -> Result<Vec<u8>, KeyError>,
    (method, url): (&Method, &Url),
    headers: &mut HeaderMap,
    body: Option<&[u8]>,
    now: Timestamp,
) -> Result<(), SignError> {
    let date = window::write_http_date(now).ok_or(SignError::Date)?;
    headers.insert(DATE, HeaderValue::from_str(&date)?);
    let mut components = vec!["@method", "@target-uri"];
    if let Some(body) = body {
        headers.insert(CONTENT_DIGEST, HeaderValue::from_str(&digest_header::write_content_digest(body))?);
        components.push("content-digest");
        if headers.contains_key(CONTENT_TYPE) {
            components.push("content-type");
        }
    }
    components.push("date");
    let covered: Vec<String> = components.iter().map(|name| (*name).to_owned()).collect();
    let list = components.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" ");
    let parameters = format!(
        "({list});created={};expires={};keyid=\"{key_id}\";alg=\"{algorithm}\"",
        now.seconds(),
        now.plus(OWN_LIFETIME).seconds(),
    );
    let target = target_of(url);
    let head = Head { method, origin: url, target: &target, headers };
    let base = signature_base(&head, &covered, &parameters).map_err(|_| SignError::Date)?;
    let signature = data_encoding::BASE64.encode(&make(base.as_bytes())?);
    headers.insert(SIGNATURE_INPUT, HeaderValue::from_str(&format!("sig1={parameters}"))?);
    headers.insert(SIGNATURE, HeaderValue::from_str(&format!("sig1=:{signature}:"))?);
    Ok(())
}

/// The only member of a dictionary header; a second one would be a choice between two truths (SEC-038).
fn single_member(value: &str) -> Result<(String, ListEntry), Refusal> {
    if value.len() > MAX_LENGTH {
        return Err(malformed("the header is longer than 8 KiB"));
    }
    let members = dictionary::read(value).ok_or_else(|| malformed("the header is no dictionary of structured fields"))?;
    let mut members = members.into_iter();
    match (members.next(), members.next()) {
        (Some((label, entry)), None) => Ok((label.as_str().to_owned(), entry)),
        _ => Err(malformed("exactly one signature is accepted")),
    }
}

fn components(input: &InnerList) -> Result<Vec<String>, Refusal> {
    let mut names: Vec<String> = Vec::new();
    for item in &input.items {
        let BareItem::String(name) = &item.bare_item else { return Err(malformed("a component is not a string")) };
        if !item.params.is_empty() {
            return Err(malformed("components with parameters are not accepted"));
        }
        let name = name.as_str().to_owned();
        let derived = matches!(
            name.as_str(),
            "@method" | "@target-uri" | "@authority" | "@scheme" | "@path" | "@query" | "@request-target"
        );
        let header = HeaderName::from_bytes(name.as_bytes()).is_ok_and(|header| header.as_str() == name);
        if !derived && !header {
            return Err(malformed("a component is unknown"));
        }
        if names.contains(&name) {
            return Err(malformed("a component is listed twice"));
        }
        names.push(name);
        if names.len() > MAX_COMPONENTS {
            return Err(malformed("too many components"));
        }
    }
    Ok(names)
}

fn require(head: &Head<'_>, components: &[String]) -> Result<(), Refusal> {
    let covers = |name: &str| components.iter().any(|covered| covered == name);
    if has_body(head) && !covers("content-digest") {
        return Err(if head.headers.contains_key(CONTENT_DIGEST) {
            Refusal::new(Code::DigestUnsigned, "content-digest is not among the signed components")
        } else {
            Refusal::new(Code::DigestMissing, "the request carries no signed Content-Digest header")
        });
    }
    let query = head.target.contains('?');
    let whole_target = covers("@target-uri") || (covers("@authority") && covers("@path") && (!query || covers("@query")));
    if !covers("@method") || !whole_target {
        return Err(Refusal::new(
            Code::WeakSignature,
            "@method and @target-uri (or @authority, @path and @query) must be signed",
        ));
    }
    Ok(())
}

fn serialize(input: &InnerList) -> Result<String, Refusal> {
    let mut writer = ListSerializer::new();
    writer.members([&ListEntry::InnerList(input.clone())]);
    writer.finish().ok_or_else(|| malformed("Signature-Input is empty"))
}

fn signature_base(head: &Head<'_>, components: &[String], parameters: &str) -> Result<String, Refusal> {
    use std::fmt::Write;
    let (path, query) = head.target.split_once('?').map_or((head.target, None), |(path, query)| (path, Some(query)));
    let authority = host_of(head.origin);
    let mut base = String::new();
    for name in components {
        let value = match name.as_str() {
            "@method" => Some(head.method.as_str().to_owned()),
            "@target-uri" => Some(format!("{}://{authority}{}", head.origin.scheme(), head.target)),
            "@authority" => Some(authority.clone()),
            "@scheme" => Some(head.origin.scheme().to_owned()),
            "@path" => Some(path.to_owned()),
            "@query" => Some(format!("?{}", query.unwrap_or_default())),
            "@request-target" => Some(head.target.to_owned()),
            header => combined(head.headers, header),
        };
        let value = value.ok_or_else(|| Refusal::new(Code::WeakSignature, format_args!("{name} is signed but not there")))?;
        let _ = writeln!(base, "\"{name}\": {value}");
    }
    let _ = write!(base, "\"@signature-params\": {parameters}");
    Ok(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_038_two_signatures_or_odd_components_are_refused() {
        for value in ["", "a=1, b=2", "a=1, a=2", "a=(", "é", "a=\"x"] {
            assert!(single_member(value).is_err(), "{value} was taken");
        }
        for list in [
            r#"sig1=("@method";req)"#,
            r#"sig1=("content-digest";bs)"#,
            r#"sig1=("x";tr)"#,
            r#"sig1=("date" "date")"#,
            r#"sig1=("@status")"#,
            r#"sig1=("Date")"#,
            r"sig1=(date)",
        ] {
            let (_, entry) = single_member(list).expect("a dictionary");
            let ListEntry::InnerList(input) = entry else { panic!("a list") };
            assert!(components(&input).is_err(), "{list} was taken");
        }
    }

    #[test]
    fn f_1_a_parameter_that_is_repeated_is_refused() {
        let read = |parameters: &str| {
            let headers: HeaderMap = [
                ("signature-input", format!(r#"sig1=("@method" "@target-uri"){parameters}"#)),
                ("signature", "sig1=:AAAA:".to_owned()),
            ]
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(&value).expect("text")))
            .collect();
            let origin = Url::parse("https://a.example/").expect("a URL");
            let head = Head { method: &Method::GET, origin: &origin, target: "/", headers: &headers };
            super::read(&head, Timestamp::from_seconds(1_789_473_600).expect("a time")).map_err(|refusal| refusal.code())
        };
        for parameters in [
            r#";created=1;created=1789473600;keyid="k""#,
            r#";created=1789473600;keyid="other";keyid="k""#,
            r#";created=1789473600;keyid="k";x;x"#,
        ] {
            assert_eq!(read(parameters).map(|_| ()), Err(Code::MalformedSignatureInput), "{parameters}");
        }
        assert!(read(r#";created=1789473600;keyid="a;b\"c;d";nonce="e\\";x"#).is_ok(), "a semicolon in a text separates nothing");
    }

    #[test]
    fn the_parameters_are_signed_as_they_are_written() {
        let text = r#"("@method" "@target-uri");created=1618884473;keyid="k";alg="ed25519""#;
        let (_, entry) = single_member(&format!("sig1={text}")).expect("a dictionary");
        let ListEntry::InnerList(input) = entry else { panic!("a list") };
        assert_eq!(serialize(&input).as_deref(), Ok(text));
    }

    /// RFC 9421, appendix B.2.6 (code components: Revised BSD), with the public key of B.1.4.
    #[test]
    fn the_signature_of_the_rfc_verifies_over_our_base() {
        let headers: HeaderMap = [
            ("host", "example.com"),
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("content-type", "application/json"),
            ("content-length", "18"),
        ]
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
        let origin = Url::parse("https://example.com/").expect("a URL");
        let head = Head { method: &Method::POST, origin: &origin, target: "/foo?param=Value&Pet=dog", headers: &headers };
        let text = r#"("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#;
        let (_, entry) = single_member(&format!("sig-b26={text}")).expect("a dictionary");
        let ListEntry::InnerList(input) = entry else { panic!("a list") };
        let names = components(&input).expect("known components");
        let base = signature_base(&head, &names, &serialize(&input).expect("text")).expect("a base");
        let signature = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";
        let signature = data_encoding::BASE64.decode(signature.as_bytes()).expect("base64");
        let key = data_encoding::BASE64.decode(b"JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").expect("base64");
        let key = crate::domain::partner::Multikey::new(key.try_into().expect("32 bytes"));
        assert!(super::super::super::keys::verify_ed25519(&key, base.as_bytes(), &signature).is_ok(), "{base}");
        // It covers neither the target nor the content: our profile refuses it all the same.
        assert_eq!(require(&head, &names).map_err(|r| r.code()), Err(Code::DigestMissing));
    }
}
