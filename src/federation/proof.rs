//! `eddsa-jcs-2022`: the signature inside a document, which holds wherever the document travels.
//!
//! W3C "Data Integrity EdDSA Cryptosuites v1.0" §3.3 and FEP-8b32: SHA-256 of the canonical proof
//! options, then SHA-256 of the canonical document without its proof, signed with Ed25519. Canonical
//! is RFC 8785. Whether the key is the right one is the caller's question; this module asks that the
//! proof names the key it is checked against.

use std::borrow::Borrow;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::domain::digest::{Digest, sha256};
use crate::domain::partner::Multikey;
use crate::domain::{ActorId, Timestamp};

use super::canonical::{self, Gap};
use super::keys::{KeyError, Keys, verify_ed25519};

/// A document with its proof, in canonical form.
#[derive(Debug, Clone, PartialEq)]
pub struct Signed {
    /// The document with `proof`.
    pub document: Value,
    /// Its canonical bytes.
    pub bytes: Bytes,
    /// Digest of the canonical form without `proof`.
    pub digest: Digest,
}

/// What a valid proof says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// Digest of the canonical form without `proof`.
    pub digest: Digest,
    /// When the proof was made, as the signer says.
    pub created: Option<Timestamp>,
}

/// A proof could not be made, or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not a JSON object.
    #[error("the document is not a JSON object")]
    NotAnObject,
    /// It cannot be written canonically.
    #[error("the document has no canonical form: {0}")]
    NotCanonical(String),
    /// There is no `proof`, or it is not exactly one object.
    #[error("the document carries no single proof")]
    Missing,
    /// Another kind of proof.
    #[error("the proof is not a DataIntegrityProof of eddsa-jcs-2022 for assertionMethod")]
    Unsupported,
    /// It names another key.
    #[error("the proof names the key `{0}`, which is not the pinned key of this authority")]
    OtherKey(String),
    /// Its `@context` is not the beginning of the document's.
    #[error("the @context of the proof is not that of the document")]
    Context,
    /// `created` or `expires` is no time, or the proof has expired.
    #[error("the time in the proof is not acceptable")]
    Time,
    /// `proofValue` is not 64 bytes in base58btc.
    #[error("the proofValue is not an Ed25519 signature in base58btc")]
    Encoding,
    /// The signature does not verify.
    #[error("the proof does not verify: the document is not what was signed")]
    Broken,
    /// Our key did not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<serde_json::Error> for ProofError {
    fn from(error: serde_json::Error) -> Self {
        Self::NotCanonical(error.to_string())
    }
}

/// RFC 8785 bytes of a value.
///
/// # Errors
/// [`ProofError::NotCanonical`] when the value has none.
pub fn canonical(value: &Value) -> Result<Vec<u8>, ProofError> {
    Ok(canonical::write(value)?)
}

/// The digest of a document: of its canonical form without `proof` (what `previousDigest` and
/// `subjectDigest` repeat). Whoever needs more of the document than this reads it as [`Written`].
///
/// # Errors
/// As for [`canonical()`].
pub fn digest(document: &Value) -> Result<Digest, ProofError> {
    match document {
        Value::Object(_) => Ok(Written::read(document)?.digest()),
        other => Ok(Digest::of(&canonical(other)?)),
    }
}

/// A document of somebody else, written canonically once for all that is asked of it: its digest, whether
/// its proof holds, and the bytes that are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Written<D> {
    document: D,
    bare: Gap,
    hash: [u8; 32],
}

impl<D: Borrow<Value>> Written<D> {
    /// Writes a document.
    ///
    /// # Errors
    /// [`ProofError::NotAnObject`], or as for [`canonical()`].
    pub fn read(document: D) -> Result<Self, ProofError> {
        let Value::Object(object) = document.borrow() else { return Err(ProofError::NotAnObject) };
        let bare = Gap::write(object, "proof")?;
        let hash = sha256(&bare.bytes);
        Ok(Self { document, bare, hash })
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &Value {
        self.document.borrow()
    }

    /// Digest of the canonical form without `proof`.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_hash(&self.hash)
    }

    /// The canonical bytes, with the `proof` where there is one.
    ///
    /// # Errors
    /// As for [`canonical()`].
    pub fn bytes(&self) -> Result<Bytes, ProofError> {
        Ok(match self.document().get("proof") {
            Some(proof) => self.bare.filled(&canonical(proof)?).into(),
            None => Bytes::copy_from_slice(&self.bare.bytes),
        })
    }

    /// Checks the proof, as [`verify`] does.
    ///
    /// # Errors
    /// As for [`verify`].
    pub fn verify(&self, key: &Multikey, key_id: &str, now: Timestamp) -> Result<Proven, ProofError> {
        let Some(Value::Object(proof)) = self.document().get("proof") else { return Err(ProofError::Missing) };
        let is = |name: &str, word: &str| proof.get(name).and_then(Value::as_str) == Some(word);
        if !is("type", "DataIntegrityProof") || !is("cryptosuite", "eddsa-jcs-2022") || !is("proofPurpose", "assertionMethod") {
            return Err(ProofError::Unsupported);
        }
        let method = proof.get("verificationMethod").and_then(Value::as_str).unwrap_or_default();
        if method != key_id {
            return Err(ProofError::OtherKey(method.chars().take(200).collect()));
        }
        let created = time_of(proof, "created")?;
        if time_of(proof, "expires")?.is_some_and(|expires| expires <= now) {
            return Err(ProofError::Time);
        }
        let signed = self.signed(proof.get("@context"))?;
        let signature = proof
            .get("proofValue")
            .and_then(Value::as_str)
            .filter(|text| text.len() <= 100)
            .and_then(|text| text.strip_prefix('z'))
            .and_then(|text| bs58::decode(text).into_vec().ok())
            .filter(|bytes| bytes.len() == 64)
            .ok_or(ProofError::Encoding)?;
        let options = Gap::write(proof, "proofValue")?;
        let message = hash_data(&options.bytes, &signed);
        verify_ed25519(key, &message, &signature).map_err(|_| ProofError::Broken)?;
        Ok(Proven { digest: self.digest(), created })
    }

    /// The hash that a proof with this `@context` is about (§3.3.2): the document's contexts begin with the
    /// proof's, and the proof's are what was signed. Nearly always they are the same.
    fn signed(&self, context: Option<&Value>) -> Result<[u8; 32], ProofError> {
        let own = self.document().get("@context");
        match context {
            Some(context) if own != Some(context) => {
                if !begins_with(own, context) {
                    return Err(ProofError::Context);
                }
                let mut bare = self.document().as_object().cloned().unwrap_or_default();
                bare.insert("@context".to_owned(), context.clone());
                Ok(sha256(&Gap::write(&bare, "proof")?.bytes))
            }
            _ => Ok(self.hash),
        }
    }
}

/// Signs a document with the authority's Ed25519 key; a `proof` that it already has is replaced.
///
/// # Errors
/// When the document has no canonical form or the key does not sign.
pub fn sign(document: Value, keys: &Keys, created: Timestamp) -> Result<Signed, ProofError> {
    sign_repeating(document, keys, created, true)
}

/// The same without repeating the document's `@context` inside the proof, which a verifier does not need
/// (§3.3.2). The actor is signed so: its last contexts protect terms of the ones before, and a JSON-LD
/// processor refuses to read those again further in.
///
/// # Errors
/// As for [`sign`].
pub fn sign_without_context(document: Value, keys: &Keys, created: Timestamp) -> Result<Signed, ProofError> {
    sign_repeating(document, keys, created, false)
}

fn sign_repeating(document: Value, keys: &Keys, created: Timestamp, context: bool) -> Result<Signed, ProofError> {
    let Value::Object(mut object) = document else { return Err(ProofError::NotAnObject) };
    object.shift_remove("proof");
    let mut options = Map::new();
    options.insert("type".to_owned(), json!("DataIntegrityProof"));
    options.insert("cryptosuite".to_owned(), json!("eddsa-jcs-2022"));
    options.insert("created".to_owned(), json!(created.whole_second()));
    options.insert("verificationMethod".to_owned(), json!(keys.ed25519_id()));
    options.insert("proofPurpose".to_owned(), json!("assertionMethod"));
    if context && let Some(context) = object.get("@context") {
        options.insert("@context".to_owned(), context.clone());
    }
    // The document and the proof are written once each; what is published is the one with the other inside.
    let bare = Gap::write(&object, "proof")?;
    let hash = sha256(&bare.bytes);
    let unsigned = Gap::write(&options, "proofValue")?;
    let signature = keys.sign_ed25519(&hash_data(&unsigned.bytes, &hash))?;
    let value = json!(format!("z{}", bs58::encode(signature).into_string()));
    let bytes = bare.filled(&unsigned.filled(&canonical(&value)?)).into();
    options.insert("proofValue".to_owned(), value);
    object.insert("proof".to_owned(), Value::Object(options));
    Ok(Signed { document: Value::Object(object), bytes, digest: Digest::of_hash(&hash) })
}

/// Checks the proof of a document against `key`, which the proof must name as `key_id`.
///
/// # Errors
/// Says why the proof does not hold; a document without a valid proof is never shown (R4).
pub fn verify(document: &Value, key: &Multikey, key_id: &str, now: Timestamp) -> Result<Proven, ProofError> {
    Written::read(document)?.verify(key, key_id, now)
}

/// The actor that a proof says made it: its verification method without the fragment.
#[must_use]
pub fn signer(document: &Value) -> Option<ActorId> {
    let method = document.get("proof")?.get("verificationMethod")?.as_str()?;
    method.split('#').next()?.parse().ok()
}

/// What is signed: the hash of the canonical proof options, then the hash of the canonical document.
fn hash_data(options: &[u8], document: &[u8; 32]) -> [u8; 64] {
    let mut data = [0; 64];
    data[..32].copy_from_slice(&sha256(options));
    data[32..].copy_from_slice(document);
    data
}

fn time_of(proof: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, ProofError> {
    match proof.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| ProofError::Time),
        Some(_) => Err(ProofError::Time),
    }
}

fn begins_with(whole: Option<&Value>, start: &Value) -> bool {
    let list = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        other => vec![other.clone()],
    };
    whole.is_some_and(|whole| list(whole).starts_with(&list(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::from_seed("https://gateway.lyon.example/actor".parse().expect("an address"), &[1; 32]).expect("keys")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn document() -> Value {
        json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2"],
            "id": "https://gateway.lyon.example/comments/1", "type": "Note", "content": "Bonjour", "count": 1.0
        })
    }

    #[test]
    fn a_signed_document_verifies_until_one_byte_differs() {
        let keys = keys();
        let now = at("2026-09-15T06:30:00Z");
        let signed = sign(document(), &keys, now).expect("a proof");
        let proven = verify(&signed.document, keys.multikey(), &keys.ed25519_id(), now).expect("it holds");
        assert_eq!(proven.digest, signed.digest);
        assert_eq!(proven.created, Some(now));
        assert_eq!(digest(&signed.document).as_ref(), Ok(&signed.digest));
        assert_eq!(digest(&document()).as_ref(), Ok(&signed.digest));
        let mut flipped = signed.document.clone();
        flipped["content"] = json!("bonjour");
        assert_eq!(verify(&flipped, keys.multikey(), &keys.ed25519_id(), now), Err(ProofError::Broken));
        let mut later = signed.document.clone();
        later["proof"]["created"] = json!("2026-09-15T06:30:01Z");
        assert_eq!(verify(&later, keys.multikey(), &keys.ed25519_id(), now), Err(ProofError::Broken));
    }

    #[test]
    fn canonical_bytes_are_read_and_written_again_unchanged() {
        let signed = sign(document(), &keys(), at("2026-09-15T06:30:00Z")).expect("a proof");
        let again: Value = serde_json::from_slice(&signed.bytes).expect("JSON");
        assert_eq!(canonical(&again).as_deref(), Ok(&*signed.bytes));
    }

    #[test]
    fn a_proof_by_another_key_or_of_another_kind_does_not_hold() {
        let keys = keys();
        let now = at("2026-09-15T06:30:00Z");
        let signed = sign(document(), &keys, now).expect("a proof").document;
        let check = |document: &Value| verify(document, keys.multikey(), &keys.ed25519_id(), now);
        for (name, value) in [
            ("type", json!("Ed25519Signature2020")),
            ("cryptosuite", json!("eddsa-rdfc-2022")),
            ("proofPurpose", json!("authentication")),
        ] {
            let mut other = signed.clone();
            other["proof"][name] = value;
            assert_eq!(check(&other), Err(ProofError::Unsupported));
        }
        let mut other = signed.clone();
        other["proof"]["verificationMethod"] = json!("https://b.example/actor#ed25519-key");
        assert!(matches!(check(&other), Err(ProofError::OtherKey(_))));
        let mut other = signed.clone();
        other["proof"] = json!([signed["proof"], signed["proof"]]);
        assert_eq!(check(&other), Err(ProofError::Missing));
        let mut other = signed.clone();
        other["@context"] = json!("https://www.w3.org/ns/activitystreams");
        assert_eq!(check(&other), Err(ProofError::Context));
        let mut other = signed.clone();
        other["proof"]["expires"] = json!("2020-01-01T00:00:00Z");
        assert_eq!(check(&other), Err(ProofError::Time));
        let mut other = signed;
        other["proof"]["proofValue"] = json!("z111");
        assert_eq!(check(&other), Err(ProofError::Encoding));
    }
}
