//! Another gateway or server on our allow-list, and its standing.

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::id::{ActorId, PartnerDomain};
use super::time::Timestamp;
use crate::words;

words! {
    /// Who is on the allow-list (architecture §3, "who may knock").
    PartnerKind {
        Partner = "partner",
        Reader = "reader",
    }
}

words! {
    /// Where a follow stands, in one direction.
    FollowState {
        None = "none",
        Pending = "pending",
        Accepted = "accepted",
        Rejected = "rejected",
    }
}

/// One listed partner or reader. Its key and endpoints are *pinned*: what its actor says later is a
/// proposal, not a fact (SEC-075, SEC-076).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// Its domain, as in every path.
    pub domain: PartnerDomain,
    /// Partner gateway or reading server.
    pub kind: PartnerKind,
    /// Its actor.
    pub actor: ActorId,
    /// Its name as it was at pairing.
    pub name: String,
    /// Where its activities are posted.
    pub inbox: String,
    /// Its `/actor/records` stream, for a partner gateway.
    pub records: Option<String>,
    /// Its pinned Ed25519 key, `z6Mk…`; none for a reader.
    pub key: Option<Multikey>,
    /// The key id that names it, for example `https://b.example/actor#ed25519-key`.
    pub key_id: Option<String>,
    /// Its RSA key in SPKI PEM, for draft-cavage signatures, with its key id.
    pub rsa: Option<(String, String)>,
    /// Whether it follows us (we push to it only then).
    pub follows_us: FollowState,
    /// Whether we follow it.
    pub followed: FollowState,
    /// When it was listed.
    pub since: Timestamp,
}

/// The public Ed25519 key of a gateway as Multikey text, `z6Mk…` (34 bytes: 0xed 0x01 and the key).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Multikey([u8; 32]);

/// Not an Ed25519 Multikey.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an Ed25519 Multikey (`z6Mk…`)")]
pub struct NotAMultikey(String);

impl Multikey {
    /// From the 32 bytes of the public key.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The 32 bytes of the public key.
    #[must_use]
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 34 bytes that the Multikey text encodes.
    #[must_use]
    pub fn bytes(&self) -> [u8; 34] {
        let mut bytes = [0_u8; 34];
        bytes[..2].copy_from_slice(&[0xed, 0x01]);
        bytes[2..].copy_from_slice(&self.0);
        bytes
    }

    /// What people compare by telephone.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }
}

impl std::str::FromStr for Multikey {
    type Err = NotAMultikey;
    fn from_str(text: &str) -> Result<Self, NotAMultikey> {
        let refused = || NotAMultikey(text.chars().take(80).collect());
        if text.len() > 80 {
            return Err(refused());
        }
        let bytes = text.strip_prefix('z').and_then(|rest| bs58::decode(rest).into_vec().ok()).ok_or_else(refused)?;
        match bytes.split_first_chunk::<2>() {
            Some(([0xed, 0x01], key)) => key.try_into().map(Self).map_err(|_| refused()),
            _ => Err(refused()),
        }
    }
}

impl std::fmt::Display for Multikey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "z{}", bs58::encode(self.bytes()).into_string())
    }
}

impl TryFrom<String> for Multikey {
    type Error = NotAMultikey;
    fn try_from(text: String) -> Result<Self, NotAMultikey> {
        text.parse()
    }
}

impl From<Multikey> for String {
    fn from(key: Multikey) -> Self {
        key.to_string()
    }
}
