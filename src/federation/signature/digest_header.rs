//! `Digest` (RFC 3230) and `Content-Digest` (RFC 9530): that the body is the one that was signed.
//!
//! Every SHA-256 and SHA-512 value that is there must be right, whichever header it stands in
//! (SEC-006); at least one must be there; other algorithms count for nothing (SEC-009).

use aws_lc_rs::digest::{SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use sfv::ListEntry;

use crate::domain::digest::sha256;

use super::super::refusal::{Code, Refusal};
use super::{CONTENT_DIGEST, DIGEST, dictionary, one};

/// Longest header we read, in bytes; both digests together need 200.
const MAX_LENGTH: usize = 1024;

/// Compares both headers, as far as they are there, with the raw body.
///
/// # Errors
/// `digest_missing`, `digest_unsupported`, `digest_mismatch`.
pub fn check(headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let old = one(headers, &DIGEST)?;
    let new = one(headers, &CONTENT_DIGEST)?;
    if old.is_none() && new.is_none() {
        return Err(Refusal::new(Code::DigestMissing, "the request carries neither Digest nor Content-Digest"));
    }
    if let Some(value) = old {
        compare("Digest", &read_digest(value)?, body)?;
    }
    if let Some(value) = new {
        compare("Content-Digest", &read_content_digest(value)?, body)?;
    }
    Ok(())
}

/// The `Digest` header of a body.
#[must_use]
pub fn write_digest(body: &[u8]) -> String {
    format!("SHA-256={}", STANDARD.encode(sha256(body)))
}

/// The `Content-Digest` header of a body.
#[must_use]
pub fn write_content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(sha256(body)))
}

/// A digest of an algorithm that counts.
enum Strong {
    Sha256(Vec<u8>),
    Sha512(Vec<u8>),
}

fn unsupported(name: &str) -> Refusal {
    Refusal::new(Code::DigestUnsupported, format_args!("the {name} header holds no readable SHA-256 or SHA-512 value"))
}

fn strong(algorithm: &str, value: Vec<u8>) -> Option<Strong> {
    if algorithm.eq_ignore_ascii_case("sha-256") {
        Some(Strong::Sha256(value))
    } else if algorithm.eq_ignore_ascii_case("sha-512") {
        Some(Strong::Sha512(value))
    } else {
        None
    }
}

fn read_digest(value: &str) -> Result<Vec<Strong>, Refusal> {
    let refused = || unsupported("Digest");
    if value.len() > MAX_LENGTH {
        return Err(refused());
    }
    let mut found = Vec::new();
    for part in value.split(',') {
        let (algorithm, encoded) = part.trim().split_once('=').ok_or_else(refused)?;
        // No such space is allowed, and others overlook it.
        let algorithm = algorithm.trim_end();
        if algorithm.is_empty() {
            return Err(refused());
        }
        if !algorithm.eq_ignore_ascii_case("sha-256") && !algorithm.eq_ignore_ascii_case("sha-512") {
            continue;
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| refused())?;
        found.extend(strong(algorithm, bytes));
    }
    Ok(found)
}

fn read_content_digest(value: &str) -> Result<Vec<Strong>, Refusal> {
    let refused = || unsupported("Content-Digest");
    if value.len() > MAX_LENGTH {
        return Err(refused());
    }
    let mut found = Vec::new();
    for (algorithm, entry) in dictionary::read(value).ok_or_else(refused)? {
        let bytes = match &entry {
            ListEntry::Item(item) => item.bare_item.as_byte_sequence(),
            ListEntry::InnerList(_) => None,
        };
        // What is no byte sequence is no right digest either.
        found.extend(strong(algorithm.as_str(), bytes.unwrap_or_default().to_vec()));
    }
    Ok(found)
}

fn compare(name: &str, digests: &[Strong], body: &[u8]) -> Result<(), Refusal> {
    if digests.is_empty() {
        return Err(unsupported(name));
    }
    let right = digests.iter().all(|value| match value {
        Strong::Sha256(value) => value.as_slice() == sha256(body),
        Strong::Sha512(value) => value.as_slice() == digest(&SHA512, body).as_ref(),
    });
    if right {
        Ok(())
    } else {
        Err(Refusal::new(Code::DigestMismatch, format_args!("the {name} header does not belong to the body that was received")))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_str(value).expect("text")))
            .collect()
    }

    fn code(pairs: &[(&'static str, &str)]) -> Option<Code> {
        check(&headers(pairs), b"body").err().map(|refusal| refusal.code())
    }

    #[test]
    fn our_own_headers_are_right() {
        assert_eq!(code(&[("digest", &write_digest(b"body"))]), None);
        assert_eq!(code(&[("content-digest", &write_content_digest(b"body"))]), None);
        assert_eq!(code(&[("digest", &write_digest(b"other"))]), Some(Code::DigestMismatch));
        assert_eq!(code(&[]), Some(Code::DigestMissing));
    }

    #[test]
    fn sec_006_two_headers_must_both_be_right() {
        let (right, wrong) = (write_digest(b"body"), write_content_digest(b"other"));
        assert_eq!(code(&[("digest", &right), ("content-digest", &wrong)]), Some(Code::DigestMismatch));
    }

    #[test]
    fn sec_009_weak_or_nameless_algorithms_do_not_count() {
        let value = STANDARD.encode(sha256(b"body"));
        for header in [
            format!("MD5={value}"),
            format!("SHA-1={value}"),
            "UNIXSUM=1".to_owned(),
            format!("={value}"),
            value.clone(),
            String::new(),
            "SHA-256=".to_owned(),
        ] {
            assert!(code(&[("digest", &header)]).is_some(), "{header} was taken");
        }
    }

    #[test]
    fn f_1_every_value_that_a_second_reader_could_take_is_right() {
        let (right, wrong) = (STANDARD.encode(sha256(b"body")), STANDARD.encode(sha256(b"other")));
        for digest in [format!("SHA-256 ={wrong},SHA-256={right}"), format!("SHA-256={right}, sha-512\t={wrong}")] {
            assert_eq!(code(&[("digest", &digest)]), Some(Code::DigestMismatch), "{digest}");
        }
        for content_digest in [
            format!("sha-256=:{wrong}:, sha-256=:{right}:"),
            format!("sha-256=:{right}:, sha-256=:{right}:"),
            format!("sha-256=:{right}:, sha-512=\"{wrong}\""),
            format!("sha-256=:{right}:, sha-512"),
            format!("sha-256=:{right}:, sha-512=(:{wrong}:)"),
        ] {
            assert!(code(&[("content-digest", &content_digest)]).is_some(), "{content_digest} was taken");
        }
        assert_eq!(code(&[("content-digest", &format!("sha-256=:{right}:;x, md5=1, unixsum"))]), None);
    }

    #[test]
    fn sec_010_spellings_and_second_algorithms_are_understood() {
        let sha512 = STANDARD.encode(digest(&SHA512, b"body").as_ref());
        let sha256 = STANDARD.encode(sha256(b"body"));
        assert_eq!(code(&[("digest", &format!("sha-256={sha256}"))]), None);
        assert_eq!(code(&[("digest", &format!("SHA-512={sha512},SHA-256={sha256}"))]), None);
        assert_eq!(code(&[("digest", &format!("SHA-512={sha256},SHA-256={sha256}"))]), Some(Code::DigestMismatch));
    }
}
