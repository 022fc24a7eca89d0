//! The two key pairs of a gateway, and the public keys of others.
//!
//! Ed25519 signs records, receipts and requests between gateways; RSA-2048 signs what servers of the
//! Fediverse read. All cryptography is that of aws-lc-rs; this module only knows encodings (PEM, SPKI,
//! PKCS #8, Multikey) and which keys are acceptable (SEC-037). Where the private keys sleep is
//! `keyring`'s business.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKey as RsaDer};
use aws_lc_rs::signature::{
    ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    UnparsedPublicKey,
};

use crate::domain::ActorId;
use crate::domain::partner::Multikey;

/// Longest PEM text we look at, in bytes; an RSA-4096 public key needs 800.
const MAX_PEM_BYTES: usize = 4096;
/// Smallest and largest RSA modulus we accept from others, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
/// Largest public exponent we accept from others.
const MAX_RSA_EXPONENT: u64 = (1 << 33) - 1;

/// A key could not be made, read or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The library could not make a key.
    #[error("the cryptographic library could not make a key")]
    Generate,
    /// Stored private key bytes are not a key.
    #[error("the stored {0} private key cannot be read")]
    Unreadable(&'static str),
    /// The library could not sign.
    #[error("the cryptographic library could not sign")]
    Sign,
}

/// Why a public RSA key of another server is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RsaKeyRefused {
    /// Longer than 4096 bytes of text.
    #[error("the PEM text is longer than {MAX_PEM_BYTES} bytes")]
    TooLong,
    /// Not one PEM block `PUBLIC KEY` or `RSA PUBLIC KEY`.
    #[error("not a PEM block of the kind PUBLIC KEY or RSA PUBLIC KEY")]
    NotPem,
    /// The bytes are no RSA public key.
    #[error("the PEM block holds no valid RSA public key")]
    NotRsa,
    /// Modulus outside 2048 to 4096 bits.
    #[error("the RSA modulus has {0} bits; accepted are 2048 to 4096")]
    Size(usize),
    /// Exponent even, smaller than 3 or larger than 2^33 - 1.
    #[error("the RSA public exponent is not acceptable")]
    Exponent,
    /// The modulus is even.
    #[error("the RSA modulus is even")]
    EvenModulus,
}

/// The signature does not belong to this key and these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// Private keys as bytes (PKCS #8), on their way into or out of the keyring.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyMaterial {
    /// The Ed25519 key pair.
    pub ed25519: Vec<u8>,
    /// The RSA key pair.
    pub rsa: Vec<u8>,
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyMaterial(…)")
    }
}

/// The key pairs of one gateway's actor. Cloning shares them.
#[derive(Clone)]
pub struct Keys(Arc<Pairs>);

struct Pairs {
    actor: ActorId,
    ed25519: Ed25519KeyPair,
    multikey: Multikey,
    rsa: RsaKeyPair,
    rsa_pem: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("actor", &self.0.actor.as_str())
            .field("multikey", &self.0.multikey.to_string())
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// Makes new key pairs. The randomness is that of the cryptographic library, which takes no other.
    ///
    /// # Errors
    /// [`KeyError::Generate`] when the library fails.
    pub fn generate(actor: ActorId) -> Result<Self, KeyError> {
        let ed25519 = Ed25519KeyPair::generate().map_err(|_| KeyError::Generate)?;
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
        Self::from_pairs(actor, ed25519, rsa)
    }

    /// Key pairs from stored bytes.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`] when they are no keys.
    pub fn from_material(actor: ActorId, material: &KeyMaterial) -> Result<Self, KeyError> {
        let ed25519 = Ed25519KeyPair::from_pkcs8(&material.ed25519).map_err(|_| KeyError::Unreadable("Ed25519"))?;
        let rsa = RsaKeyPair::from_pkcs8(&material.rsa).map_err(|_| KeyError::Unreadable("RSA"))?;
        Self::from_pairs(actor, ed25519, rsa)
    }

    /// Key pairs with a known Ed25519 seed and a fresh RSA key: published examples and test cities.
    ///
    /// # Errors
    /// As for [`Keys::generate`].
    pub fn from_seed(actor: ActorId, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let ed25519 = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Unreadable("Ed25519"))?;
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
        Self::from_pairs(actor, ed25519, rsa)
    }

    fn from_pairs(actor: ActorId, ed25519: Ed25519KeyPair, rsa: RsaKeyPair) -> Result<Self, KeyError> {
        let public = ed25519.public_key().as_ref().try_into().map_err(|_| KeyError::Unreadable("Ed25519"))?;
        let spki: PublicKeyX509Der<'_> = rsa.public_key().as_der().map_err(|_| KeyError::Unreadable("RSA"))?;
        let rsa_pem = encode_pem("PUBLIC KEY", spki.as_ref());
        Ok(Self(Arc::new(Pairs { actor, ed25519, multikey: Multikey::new(public), rsa, rsa_pem })))
    }

    /// The private keys as bytes.
    ///
    /// # Errors
    /// When the library cannot write them.
    pub fn material(&self) -> Result<KeyMaterial, KeyError> {
        let ed25519 = self.0.ed25519.to_pkcs8().map_err(|_| KeyError::Unreadable("Ed25519"))?;
        let rsa: Pkcs8V1Der<'_> = self.0.rsa.as_der().map_err(|_| KeyError::Unreadable("RSA"))?;
        Ok(KeyMaterial { ed25519: ed25519.as_ref().to_vec(), rsa: rsa.as_ref().to_vec() })
    }

    /// Whose keys these are.
    #[must_use]
    pub fn actor(&self) -> &ActorId {
        &self.0.actor
    }

    /// The name of the Ed25519 key, `{actor}#ed25519-key`.
    #[must_use]
    pub fn ed25519_id(&self) -> String {
        format!("{}#ed25519-key", self.0.actor)
    }

    /// The name of the RSA key, `{actor}#main-key`.
    #[must_use]
    pub fn rsa_id(&self) -> String {
        format!("{}#main-key", self.0.actor)
    }

    /// The public Ed25519 key.
    #[must_use]
    pub fn multikey(&self) -> &Multikey {
        &self.0.multikey
    }

    /// The public RSA key, SPKI in PEM.
    #[must_use]
    pub fn rsa_pem(&self) -> &str {
        &self.0.rsa_pem
    }

    /// Signs with Ed25519.
    ///
    /// # Errors
    /// [`KeyError::Sign`] when the library fails.
    pub fn sign_ed25519(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        let signature = self.0.ed25519.try_sign(message).map_err(|_| KeyError::Sign)?;
        signature.as_ref().try_into().map_err(|_| KeyError::Sign)
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256.
    ///
    /// # Errors
    /// [`KeyError::Sign`] when the library fails.
    pub fn sign_rsa(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.0.rsa.public_modulus_len()];
        self.0.rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map_err(|_| KeyError::Sign)?;
        Ok(signature)
    }
}

/// Verifies an Ed25519 signature.
///
/// # Errors
/// [`BadSignature`] in every case but success.
pub fn verify_ed25519(key: &Multikey, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
    UnparsedPublicKey::new(&ED25519, key.public_key()).verify(message, signature).map_err(|_| BadSignature)
}

/// A public RSA key of another server that passed our checks.
#[derive(Clone)]
pub struct RsaPublicKey(Arc<ParsedPublicKey>);

impl fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaPublicKey(…)")
    }
}

impl RsaPublicKey {
    /// Reads a PEM text (SPKI or PKCS #1).
    ///
    /// # Errors
    /// Says what is wrong with the key; nothing but 2048 to 4096 bits with an odd modulus and a small
    /// odd exponent is taken (SEC-037).
    pub fn from_pem(text: &str) -> Result<Self, RsaKeyRefused> {
        if text.len() > MAX_PEM_BYTES {
            return Err(RsaKeyRefused::TooLong);
        }
        let block = pem::parse(text).map_err(|_| RsaKeyRefused::NotPem)?;
        if !matches!(block.tag(), "PUBLIC KEY" | "RSA PUBLIC KEY") {
            return Err(RsaKeyRefused::NotPem);
        }
        let der = RsaDer::from_der(block.contents()).map_err(|_| RsaKeyRefused::NotRsa)?;
        let modulus = der.modulus().big_endian_without_leading_zero().to_vec();
        let bits = modulus.len() * 8 - modulus.first().map_or(0, |first| first.leading_zeros() as usize);
        if !RSA_BITS.contains(&bits) {
            return Err(RsaKeyRefused::Size(bits));
        }
        if modulus.last().is_none_or(|last| last % 2 == 0) {
            return Err(RsaKeyRefused::EvenModulus);
        }
        let exponent = der.exponent().big_endian_without_leading_zero();
        let exponent = exponent.iter().try_fold(0_u64, |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte)));
        if !exponent.is_some_and(|e| e >= 3 && e % 2 == 1 && e <= MAX_RSA_EXPONENT) {
            return Err(RsaKeyRefused::Exponent);
        }
        let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der.as_ref()).map_err(|_| RsaKeyRefused::NotRsa)?;
        Ok(Self(Arc::new(parsed)))
    }

    /// Verifies an RSASSA-PKCS1-v1_5 signature with SHA-256.
    ///
    /// # Errors
    /// [`BadSignature`] in every case but success.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        self.0.verify_sig(message, signature).map_err(|_| BadSignature)
    }
}

/// A pinned public key; the algorithm of a signature follows from it, never from a label.
#[derive(Debug, Clone)]
pub enum PublicKey {
    /// Of a gateway.
    Ed25519(Multikey),
    /// Of a server of the Fediverse, or the second key of a gateway.
    Rsa(RsaPublicKey),
}

impl PublicKey {
    /// Verifies a signature with the algorithm of this key.
    ///
    /// # Errors
    /// [`BadSignature`] in every case but success.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        match self {
            Self::Ed25519(key) => verify_ed25519(key, message, signature),
            Self::Rsa(key) => key.verify(message, signature),
        }
    }
}

fn encode_pem(tag: &str, der: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(tag, der), config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::generate("https://a.example/actor".parse().expect("an address")).expect("keys")
    }

    #[test]
    fn what_one_signs_the_other_verifies() {
        let keys = keys();
        let signature = keys.sign_ed25519(b"words").expect("a signature");
        assert_eq!(verify_ed25519(keys.multikey(), b"words", &signature), Ok(()));
        assert_eq!(verify_ed25519(keys.multikey(), b"other", &signature), Err(BadSignature));
        let rsa = RsaPublicKey::from_pem(keys.rsa_pem()).expect("our own key");
        let signature = keys.sign_rsa(b"words").expect("a signature");
        assert_eq!(rsa.verify(b"words", &signature), Ok(()));
        assert_eq!(rsa.verify(b"other", &signature), Err(BadSignature));
    }

    #[test]
    fn stored_keys_come_back_as_they_were() {
        let keys = keys();
        let back = Keys::from_material(keys.actor().clone(), &keys.material().expect("bytes")).expect("keys");
        assert_eq!(back.multikey(), keys.multikey());
        assert_eq!(back.rsa_pem(), keys.rsa_pem());
    }

    #[test]
    fn the_seeds_of_the_reference_give_its_multikeys() {
        for (seed, multikey) in [
            ([1_u8; 32], "z6Mkon3Necd6NkkyfoGoHxid2znGc59LU3K7mubaRcFbLfLX"),
            ([2_u8; 32], "z6Mko9hTggMwjSTEaJaPUfE6tqcy2xvU6BnNq3e3o8qVBiyH"),
        ] {
            let keys = Keys::from_seed("https://a.example/actor".parse().expect("an address"), &seed).expect("keys");
            assert_eq!(keys.multikey().to_string(), multikey);
        }
    }

    #[test]
    fn private_keys_are_not_printed() {
        let keys = keys();
        let material = keys.material().expect("bytes");
        let printed = format!("{keys:?} {material:?}");
        assert!(printed.ends_with("KeyMaterial(…)") && !printed.contains("rsa") && !printed.contains("seed"), "{printed}");
    }

    #[test]
    fn sec_037_text_that_is_no_acceptable_rsa_key_is_refused() {
        let huge = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", "A".repeat(1 << 20));
        assert_eq!(RsaPublicKey::from_pem(&huge).err(), Some(RsaKeyRefused::TooLong));
        assert_eq!(RsaPublicKey::from_pem("garbage").err(), Some(RsaKeyRefused::NotPem));
        let private = encode_pem("PRIVATE KEY", &keys().material().expect("bytes").rsa);
        assert_eq!(RsaPublicKey::from_pem(&private).err(), Some(RsaKeyRefused::NotPem));
        let zeros = encode_pem("PUBLIC KEY", &[0; 64]);
        assert_eq!(RsaPublicKey::from_pem(&zeros).err(), Some(RsaKeyRefused::NotRsa));
    }
}
