//! Digests of canonical bytes, and the salt that makes them useless after erasure.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

/// SHA-256 of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0_u8; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// Multihash prefix of SHA-256: code 0x12, 32 bytes.
const SHA2_256: [u8; 2] = [0x12, 0x20];

/// A multihash (sha2-256) in base58btc multibase, `zQm…`: the form of `previousDigest` and
/// `subjectDigest` (participation.md §4.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// Not a sha2-256 multihash in base58btc.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a digest (a sha2-256 multihash in base58btc, `zQm…`)")]
pub struct NotADigest(String);

impl Digest {
    /// The digest of `bytes`, which the caller has put into canonical form.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_hash(&sha256(bytes))
    }

    /// The digest of bytes whose SHA-256 is `hash`.
    #[must_use]
    pub fn of_hash(hash: &[u8; 32]) -> Self {
        let mut multihash = SHA2_256.to_vec();
        multihash.extend_from_slice(hash);
        Self(format!("z{}", bs58::encode(multihash).into_string()))
    }

    /// The digest as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Digest {
    type Err = NotADigest;
    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let refused = || NotADigest(text.chars().take(80).collect());
        if text.len() > 64 {
            return Err(refused());
        }
        let rest = text.strip_prefix('z').ok_or_else(refused)?;
        let bytes = bs58::decode(rest).into_vec().map_err(|_| refused())?;
        if bytes.len() == 34 && bytes[..2] == SHA2_256 { Ok(Self(text.to_owned())) } else { Err(refused()) }
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;
    fn try_from(text: String) -> Result<Self, NotADigest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Sixteen random bytes inside the hashed form of a record with a citizen's text; destroyed with it,
/// so that a digest kept as evidence says nothing afterwards (P6, R12). Written as base64url, `u…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DigestSalt([u8; 16]);

impl DigestSalt {
    /// A salt from sixteen random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for DigestSalt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "u{}", data_encoding::BASE64URL_NOPAD.encode(&self.0))
    }
}

impl FromStr for DigestSalt {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.strip_prefix('u')
            .and_then(|rest| data_encoding::BASE64URL_NOPAD.decode(rest.as_bytes()).ok())
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| "a digestSalt is 16 bytes in base64url, `u…`".to_owned())
    }
}

impl TryFrom<String> for DigestSalt {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<DigestSalt> for String {
    fn from(salt: DigestSalt) -> Self {
        salt.to_string()
    }
}
