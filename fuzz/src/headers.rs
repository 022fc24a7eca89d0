//! F-1: the headers that say who signed a request, over what, and when.
//!
//! * No bytes make a reader panic.
//! * What is accepted reads the same in its canonical print: `Signature`, `Signature-Input`, `Date`.
//! * A digest that is accepted is right wherever a second reader could look for it.
//! * What is accepted covers what security.md §0.3 asks for, within the window of time.
//! * The bytes that were signed are those that the two specifications say: a signature made here, over a
//!   base put together here, verifies. That base can be taken apart again into exactly the names and values
//!   it was made of, and a request that differs in one covered thing does not verify.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use http::{HeaderValue, Method};
use sfv::{BareItem, Dictionary, FieldType, InnerList, ListEntry, Parser};
use url::Url;

use passerelle::domain::Timestamp;
use passerelle::domain::partner::Multikey;
use passerelle::federation::fetch::is_activity;
use passerelle::federation::keys::PublicKey;
use passerelle::federation::signature::cavage::Parameters;
use passerelle::federation::signature::{Candidate, digest_header, read, single_valued, window};
use passerelle::outbound::{MAX_RETRY_AFTER, retry_after};

use super::request::Request;

/// 2026-09-15T12:00:00Z.
const NOW: i64 = 1_789_473_600;
/// Longest header that is read, in bytes.
const MAX_LENGTH: usize = 8192;

static PAIR: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("32 bytes are a seed"));
static KEY: LazyLock<PublicKey> =
    LazyLock::new(|| PublicKey::Ed25519(Multikey::new(PAIR.public_key().as_ref().try_into().expect("32 bytes"))));
static ORIGIN: LazyLock<Url> = LazyLock::new(|| Url::parse("https://a.example/").expect("a URL"));
static OTHER_ORIGIN: LazyLock<Url> = LazyLock::new(|| Url::parse("http://a.example:8080/").expect("a URL"));

/// Asks all of it; whether the request was accepted and its signature could be made.
///
/// # Panics
/// When something does not hold.
pub fn check(data: &[u8]) -> bool {
    let Some(request) = Request::read(data) else { return false };
    let now = Timestamp::from_seconds(NOW).expect("a time");
    for (name, value) in &request.headers {
        let Ok(text) = value.to_str() else { continue };
        match name.as_str() {
            "date" => date(text),
            "signature" => parameters(text),
            "content-type" => media_type(text),
            _ => {}
        }
    }
    if let Some(wait) = retry_after(&request.headers, now) {
        assert!(wait <= MAX_RETRY_AFTER);
    }
    let once = single_valued(&request.headers).is_ok();
    if digest_header::check(&request.headers, &request.body).is_ok() && once {
        digests(&request);
    }
    if let Ok(candidate) = read(&request.head(&ORIGIN), now)
        && once
    {
        let signable = if request.headers.contains_key("signature-input") {
            rfc9421(&request, &candidate, now)
        } else {
            cavage(&request, &candidate, now)
        };
        if let Some(signable) = &signable {
            signed(signable, now);
        }
        return signable.is_some();
    }
    false
}

fn media_type(text: &str) {
    if is_activity(text) {
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        assert!(["application/activity+json", "application/ld+json"].contains(&essence.as_str()), "{text}");
    }
}

/// `Date` is an IMF-fixdate or refused; a number of seconds is digits or refused.
fn date(text: &str) {
    let read = window::http_date(text).ok();
    assert_eq!(read, imf_fixdate(text), "{text:?}");
    if let Some(time) = read {
        assert_eq!(window::write_http_date(time).as_deref(), Some(text));
    }
    if let Ok(time) = window::seconds(text) {
        assert!(text.bytes().all(|byte| byte.is_ascii_digit()));
        assert_eq!(
            time.seconds().to_string(),
            text.trim_start_matches('0').to_owned() + if time.seconds() == 0 { "0" } else { "" }
        );
    }
}

/// RFC 9110 §5.6.7, read by position.
fn imf_fixdate(text: &str) -> Option<Timestamp> {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    if text.len() != 29 || !text.is_ascii() {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        let digits = &text[range];
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i64>().ok()).flatten()
    };
    let (day, year) = (number(5..7)?, number(12..16)?);
    let month = MONTHS.iter().position(|name| *name == &text[8..11])?;
    let (hour, minute, second) = (number(17..19)?, number(20..22)?, number(23..25)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if year == 0 || !(1..=length[month]).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let before = year - 1;
    let days = before * 365 + before / 4 - before / 100 + before / 400 + length[..month].iter().sum::<i64>() + day - 1 - 719_162;
    let weekday = DAYS[usize::try_from(days.rem_euclid(7)).ok()?];
    let written = format!("{weekday}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", day, MONTHS[month], year, hour, minute, second);
    (written == text).then(|| Timestamp::from_seconds(days * 86_400 + hour * 3600 + minute * 60 + second)).flatten()
}

/// A `Signature` of draft-cavage prints in one way, which reads the same.
fn parameters(text: &str) {
    let Ok(read) = text.parse::<Parameters>() else { return };
    assert!(text.len() <= MAX_LENGTH && text.is_ascii());
    let print = read.to_string();
    let again = print.parse::<Parameters>();
    assert_eq!(again.as_ref(), Ok(&read), "{print}");
}

/// Every SHA-256 and SHA-512 that stands in either header is that of the body.
fn digests(request: &Request) {
    let right = |name: &str| match name {
        "sha-256" => Some(digest(&SHA256, &request.body)),
        "sha-512" => Some(digest(&SHA512, &request.body)),
        _ => None,
    };
    let (old, new) = (request.text("digest"), request.text("content-digest"));
    assert!(old.is_some() || new.is_some());
    if let Some(text) = old {
        let mut found = 0;
        for part in text.split(',') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if let Some(right) = right(&name.trim().to_ascii_lowercase()) {
                assert_eq!(value.trim(), STANDARD.encode(right), "Digest: {text}");
                found += 1;
            }
        }
        assert!(found > 0, "Digest: {text}");
    }
    if let Some(text) = new {
        let lenient = GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let lenient = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
        let mut found = 0;
        for part in split_outside_quotes(text, b',') {
            let part = part.trim();
            let name = part.split(['=', ';']).next().unwrap_or_default().trim();
            if let Some(right) = right(&name.to_ascii_lowercase()) {
                let value = part[name.len()..].strip_prefix("=:").and_then(|rest| rest.split(':').next());
                let value = value.and_then(|value| lenient.decode(value).ok());
                assert_eq!(value.as_deref(), Some(right.as_ref()), "Content-Digest: {text}");
                found += 1;
            }
        }
        assert!(found > 0, "Content-Digest: {text}");
    }
}

/// The parts of a structured field between separators that stand in no string.
fn split_outside_quotes(text: &str, separator: u8) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A request whose signature can be made here: what it covers, with the values, and the base.
struct Signable {
    request: Request,
    /// The names that are covered.
    names: Vec<String>,
    /// The bytes to sign.
    base: Vec<u8>,
    /// The header that carries a signature.
    write: Box<dyn Fn(&str) -> String>,
}

/// A time that a signature may begin at.
fn within_the_window(seconds: i64) {
    assert!((NOW - 65 * 60..=NOW + 5 * 60).contains(&seconds), "{seconds}");
}

/// All values of a header in one line; none where one is not plain text.
fn line(request: &Request, name: &str) -> Option<String> {
    let values: Option<Vec<&str>> = request
        .headers
        .get_all(name)
        .iter()
        .map(|value| value.to_str().ok().map(|text| text.trim_matches([' ', '\t'])))
        .collect();
    values.filter(|values| !values.is_empty()).map(|values| values.join(", "))
}

fn target_parts(target: &str) -> (&str, Option<&str>) {
    target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)))
}

/// A signature that covers itself can be read, but nobody can make it.
fn covers_itself(names: &[String]) -> bool {
    names.iter().any(|name| matches!(name.as_str(), "signature" | "signature-input"))
}

fn cavage(request: &Request, candidate: &Candidate, now: Timestamp) -> Option<Signable> {
    let text = request.text("signature").expect("it was read");
    let print = text.parse::<Parameters>().expect("it was read").to_string();
    // In the canonical print every second piece between quotation marks is a value, and no value holds one.
    let pieces: Vec<&str> = print.split('"').collect();
    let value =
        |name: &str| pieces.chunks(2).find(|pair| pair[0].trim_matches([',', '=']) == name).and_then(|pair| pair.get(1).copied());
    let names: Vec<String> = value("headers").expect("it was accepted").split(' ').map(str::to_ascii_lowercase).collect();
    let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
    let covers = |name: &str| names.iter().any(|covered| covered == name);
    assert!(covers("(request-target)") && covers("host") && (covers("digest") || !request.has_body()), "{text}");
    assert!(covers("date") || covers("(created)"), "{text}");
    if covers("date") {
        within_the_window(imf_fixdate(&line(request, "date").expect("it is covered")).expect("it was accepted").seconds());
    }
    if covers("(created)") {
        within_the_window(value("created").and_then(|text| text.parse().ok()).expect("it was accepted"));
    }
    if covers_itself(&names) {
        return None;
    }
    let again = read(&request.clone().with("signature", &print).head(&ORIGIN), now);
    assert_eq!(again.as_ref(), Ok(candidate), "{print}");

    let pairs: Vec<(&str, String)> = names
        .iter()
        .map(|name| {
            let value = match name.as_str() {
                "(request-target)" => Some(format!("{} {}", request.method.as_str().to_lowercase(), request.target)),
                "(created)" => value("created").map(str::to_owned),
                "(expires)" => value("expires").map(str::to_owned),
                header => line(request, header),
            };
            (name.as_str(), value.expect("what is covered is there"))
        })
        .collect();
    let base = pairs.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n");
    let apart: Vec<(&str, String)> = base
        .split('\n')
        .map(|line| line.split_once(": ").map(|(name, value)| (name, value.to_owned())).expect("a name and a value"))
        .collect();
    assert_eq!(apart, pairs, "{base}");
    let at = print.rfind(",signature=\"").expect("the print ends with the signature");
    // The key made here is no RSA key, and the label is not part of what is signed.
    let head = print[..at].replace(",algorithm=\"rsa-sha256\"", ",algorithm=\"hs2019\"");
    Some(Signable {
        request: request.clone(),
        names,
        base: base.into_bytes(),
        write: Box::new(move |signature| format!("{head},signature=\"{signature}\"")),
    })
}

/// None where the text is not the canonical one, which is what a signer signs.
fn rfc9421(request: &Request, candidate: &Candidate, now: Timestamp) -> Option<Signable> {
    let (text, signature) =
        (request.text("signature-input").expect("it was read"), request.text("signature").expect("it was read"));
    let dictionary: Dictionary = Parser::new(text).parse().expect("it was read");
    assert_eq!(dictionary.len(), 1, "{text}");
    let (label, entry) = dictionary.iter().next().expect("there is one");
    let ListEntry::InnerList(input) = entry else { panic!("{text}") };
    let semicolons = split_outside_quotes(text, b';').len() - 1;
    assert_eq!(semicolons, input.params.len(), "a parameter is repeated: {text}");
    let names: Vec<String> = input
        .items
        .iter()
        .map(|item| match &item.bare_item {
            BareItem::String(name) if item.params.is_empty() => name.as_str().to_owned(),
            _ => panic!("{text}"),
        })
        .collect();
    let covers = |name: &str| names.iter().any(|covered| covered == name);
    let (_, query) = target_parts(&request.target);
    let whole = covers("@authority") && covers("@path") && (covers("@query") || query.is_none());
    assert!(covers("@method") && (covers("@target-uri") || whole) && (covers("content-digest") || !request.has_body()), "{text}");
    within_the_window(i64::from(input.params.get("created").and_then(BareItem::as_integer).expect("it was accepted")));
    if covers_itself(&names) {
        return None;
    }
    let canonical = dictionary.serialize().expect("it has a member");
    let signatures: Dictionary = Parser::new(signature).parse().expect("it was read");
    let printed =
        request.clone().with("signature-input", &canonical).with("signature", &signatures.serialize().expect("it has a member"));
    assert_eq!(read(&printed.head(&ORIGIN), now).as_ref(), Ok(candidate), "{canonical}");

    if canonical != text {
        return None;
    }
    let written = text.split_once('=').map(|(_, written)| written.to_owned()).expect("it has a member");
    let (written, request) = match input.params.get("alg").map(|label| label.as_string().map(sfv::StringRef::as_str)) {
        Some(Some("ed25519")) | None => (written, request.clone()),
        _ => return relabelled(request, label.as_str(), input, now),
    };
    let pairs: Vec<(String, String)> = names.iter().map(|name| (name.clone(), component(&request, name))).collect();
    let mut base = pairs.iter().map(|(name, value)| format!("\"{name}\": {value}\n")).collect::<Vec<_>>().concat();
    base.push_str("\"@signature-params\": ");
    base.push_str(&written);
    let mut lines: Vec<&str> = base.split('\n').collect();
    assert_eq!(lines.pop().and_then(|line| line.strip_prefix("\"@signature-params\": ")), Some(written.as_str()));
    let apart: Vec<(String, String)> = lines
        .iter()
        .map(|line| {
            line.split_once(": ")
                .map(|(name, value)| (name.trim_matches('"').to_owned(), value.to_owned()))
                .expect("a name and a value")
        })
        .collect();
    assert_eq!(apart, pairs, "{base}");
    let label = label.as_str().to_owned();
    Some(Signable { request, names, base: base.into_bytes(), write: Box::new(move |signature| format!("{label}=:{signature}:")) })
}

/// The same with a label that belongs to the key made here.
fn relabelled(request: &Request, label: &str, input: &InnerList, now: Timestamp) -> Option<Signable> {
    let mut input = input.clone();
    let name = sfv::Key::from_string("alg".to_owned()).ok()?;
    input.params.insert(name, BareItem::String(sfv::String::from_string("ed25519".to_owned()).ok()?));
    let name = sfv::Key::from_string(label.to_owned()).ok()?;
    let text = Dictionary::from_iter([(name, ListEntry::InnerList(input))]).serialize()?;
    let request = request.clone().with("signature-input", &text);
    let candidate = read(&request.head(&ORIGIN), now).expect("only the label differs");
    rfc9421(&request, &candidate, now)
}

/// The value of a component of RFC 9421 §2.
fn component(request: &Request, name: &str) -> String {
    let (path, query) = target_parts(&request.target);
    match name {
        "@method" => request.method.as_str().to_owned(),
        "@target-uri" => format!("https://a.example{}", request.target),
        "@authority" => "a.example".to_owned(),
        "@scheme" => "https".to_owned(),
        "@path" => path.to_owned(),
        "@query" => format!("?{}", query.unwrap_or_default()),
        "@request-target" => request.target.clone(),
        header => line(request, header).expect("what is covered is there"),
    }
}

/// A signature over the base verifies; over anything else it does not.
fn signed(signable: &Signable, now: Timestamp) {
    let signature = PAIR.sign(&signable.base);
    let value = (signable.write)(&STANDARD.encode(signature.as_ref()));
    let request = signable.request.clone().with("signature", &value);
    let candidate = read(&request.head(&ORIGIN), now).expect("only the signature differs");
    assert!(candidate.verify(&KEY).is_ok(), "{}", String::from_utf8_lossy(&signable.base));
    // One change for each input: another input changes another thing.
    let choice = request.body.iter().fold(request.target.len(), |sum, byte| sum + usize::from(*byte)) % signable.names.len();
    let name = &signable.names[choice];
    let mut other = request.clone();
    let mut origin = &*ORIGIN;
    match name.as_str() {
        "(created)" | "(expires)" => return,
        "@method" => other.method = if other.method == Method::POST { Method::PUT } else { Method::POST },
        "@authority" | "@scheme" => origin = &OTHER_ORIGIN,
        "@path" => other.target.insert_str(0, "/x"),
        "(request-target)" | "@target-uri" | "@query" | "@request-target" => other.target.push('x'),
        header => {
            let mut value = other.headers[header].as_bytes().to_vec();
            value.push(b'x');
            *other.headers.get_mut(header).expect("it is covered") = HeaderValue::from_bytes(&value).expect("one letter more");
        }
    }
    if let Ok(candidate) = read(&other.head(origin), now) {
        assert!(candidate.verify(&KEY).is_err(), "{name} may change: {}", String::from_utf8_lossy(&signable.base));
    }
}
