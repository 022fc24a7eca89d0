//! Where the private keys and the city secret sleep: sealed in the store, with a key that lies in a file.
//!
//! A copy of the database alone signs nothing and links no pseudonym to a person. The key-encryption
//! key (KEK) is 32 random bytes in `secrets.kek_file`; a backup of the database without that file
//! cannot be brought back to life, which is why a missing file is an error and never a new key once
//! something was sealed (REL-065).

use std::fmt;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

use crate::domain::{ActorId, Clock};
use crate::store::{Store, StoreError};

use super::keys::{KeyError, KeyMaterial, Keys};

/// First byte of a sealed blob.
const VERSION: u8 = 1;
/// Under which names the blobs are kept.
const ED25519: &str = "ed25519";
const RSA: &str = "rsa";
const CITY_SECRET: &str = "city-secret";

/// Why the keys are not available. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The file with the key-encryption key lacks although something is sealed with it.
    #[error(
        "the key file {} is missing, but this database holds keys sealed with it; put the file back from its backup: nothing else opens them",
        .0.display()
    )]
    FileMissing(PathBuf),
    /// The file cannot be read or written.
    #[error("the key file {} cannot be used: {reason}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The file is not a key.
    #[error("the key file {} does not hold one line of 64 hexadecimal digits; restore it from its backup", .0.display())]
    NotAKey(PathBuf),
    /// The file holds another key than the one the database was sealed with.
    #[error(
        "the key file {} does not fit this database: `{name}` cannot be opened with it; put back the file that belongs to it",
        .path.display()
    )]
    WrongKey {
        /// Which file.
        path: PathBuf,
        /// Which secret.
        name: &'static str,
    },
    /// Some secrets are there and others not: the database was tampered with or half restored.
    #[error("the database holds some of its keys but not `{0}`; restore the last backup")]
    Incomplete(&'static str),
    /// The library failed.
    #[error("the cryptographic library failed")]
    Library,
    /// A key cannot be made or read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The key-encryption key.
struct Kek {
    path: PathBuf,
    key: RandomizedNonceKey,
}

impl Kek {
    fn new(path: &Path, bytes: &[u8; 32]) -> Result<Self, KeyringError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes).map_err(|_| KeyringError::Library)?;
        Ok(Self { path: path.to_owned(), key })
    }

    /// Reads the file; `None` when there is none.
    fn read(path: &Path) -> Result<Option<Self>, KeyringError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(KeyringError::File { path: path.to_owned(), reason: error.to_string() }),
        };
        if let Ok(metadata) = std::fs::metadata(path)
            && metadata.permissions().mode() & 0o077 != 0
        {
            tracing::warn!(path = %path.display(), "the key file is readable by others; `chmod 600` it");
        }
        let bytes = data_encoding::HEXLOWER_PERMISSIVE
            .decode(text.trim().as_bytes())
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or_else(|| KeyringError::NotAKey(path.to_owned()))?;
        Self::new(path, &bytes).map(Some)
    }

    /// Makes the file, for this user alone; one that appeared meanwhile is read instead.
    fn create(path: &Path) -> Result<Self, KeyringError> {
        let failed = |error: std::io::Error| KeyringError::File { path: path.to_owned(), reason: error.to_string() };
        let mut bytes = [0_u8; 32];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KeyringError::Library)?;
        let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Self::read(path)?.ok_or_else(|| KeyringError::NotAKey(path.to_owned()));
            }
            Err(error) => return Err(failed(error)),
        };
        writeln!(file, "{}", data_encoding::HEXLOWER.encode(&bytes)).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        Self::new(path, &bytes)
    }

    /// Version, nonce, ciphertext and tag; the name and the owner are bound to it.
    fn seal(&self, name: &'static str, actor: &ActorId, plain: &[u8]) -> Result<Vec<u8>, KeyringError> {
        let mut sealed = plain.to_vec();
        let nonce = self.key.seal_in_place_append_tag(aad(name, actor), &mut sealed).map_err(|_| KeyringError::Library)?;
        let mut blob = vec![VERSION];
        blob.extend_from_slice(nonce.as_ref());
        blob.extend_from_slice(&sealed);
        Ok(blob)
    }

    fn open(&self, name: &'static str, actor: &ActorId, blob: &[u8]) -> Result<Vec<u8>, KeyringError> {
        let wrong = || KeyringError::WrongKey { path: self.path.clone(), name };
        let (version, rest) = blob.split_first().ok_or_else(wrong)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or_else(wrong)?;
        if *version != VERSION {
            return Err(wrong());
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| wrong())?;
        let mut sealed = sealed.to_vec();
        let plain = self.key.open_in_place(nonce, aad(name, actor), &mut sealed).map_err(|_| wrong())?;
        Ok(plain.to_vec())
    }
}

fn aad(name: &str, actor: &ActorId) -> Aad<Vec<u8>> {
    Aad::from(format!("passerelle/{name}/{actor}").into_bytes())
}

/// The secret from which pseudonyms are computed (`sync::Pseudonyms`); never printed.
#[derive(Clone)]
pub struct CitySecret([u8; 32]);

impl fmt::Debug for CitySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CitySecret(…)")
    }
}

impl CitySecret {
    /// The bytes, for the one who computes pseudonyms.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What the gateway signs and counts with, opened.
#[derive(Debug, Clone)]
pub struct Keyring {
    /// The key pairs.
    pub keys: Keys,
    /// The city secret.
    pub secret: CitySecret,
}

impl Keyring {
    /// Opens the keys in `store` with the file at `kek_file`; makes both at the first start.
    ///
    /// # Errors
    /// [`KeyringError`] says which file or database does not fit; nothing was changed then.
    pub async fn open(store: &Store, kek_file: &Path, actor: &ActorId, clock: &dyn Clock) -> Result<Self, KeyringError> {
        if let Some(found) = Self::load(store, kek_file, actor).await? {
            return Ok(found);
        }
        let kek = match Kek::read(kek_file)? {
            Some(kek) => kek,
            None => Kek::create(kek_file)?,
        };
        let material = Keys::generate(actor.clone())?.material()?;
        let mut secret = [0_u8; 32];
        aws_lc_rs::rand::fill(&mut secret).map_err(|_| KeyringError::Library)?;
        let mut tx = store.write().await?;
        for (name, plain) in [(ED25519, material.ed25519.as_slice()), (RSA, &material.rsa), (CITY_SECRET, &secret)] {
            // A second process that started at the same time may have been first: its keys stay.
            tx.keep_key(name, &kek.seal(name, actor, plain)?, clock.now()).await?;
        }
        tx.save().await?;
        Self::load(store, kek_file, actor).await?.ok_or(KeyringError::Incomplete(ED25519))
    }

    /// Opens what is there; `None` when nothing was ever sealed.
    async fn load(store: &Store, kek_file: &Path, actor: &ActorId) -> Result<Option<Self>, KeyringError> {
        let mut tx = store.read().await?;
        let blobs = [ED25519, RSA, CITY_SECRET];
        let mut found: Vec<Vec<u8>> = Vec::new();
        for name in blobs {
            match tx.lookup_key(name).await? {
                Some(blob) => found.push(blob.sealed),
                None if found.is_empty() => {}
                None => return Err(KeyringError::Incomplete(name)),
            }
        }
        drop(tx);
        let [ed25519, rsa, secret] = match <[Vec<u8>; 3]>::try_from(found) {
            Ok(all) => all,
            Err(some) if some.is_empty() => return Ok(None),
            Err(_) => return Err(KeyringError::Incomplete(ED25519)),
        };
        let kek = Kek::read(kek_file)?.ok_or_else(|| KeyringError::FileMissing(kek_file.to_owned()))?;
        let material = KeyMaterial { ed25519: kek.open(ED25519, actor, &ed25519)?, rsa: kek.open(RSA, actor, &rsa)? };
        let keys = Keys::from_material(actor.clone(), &material)?;
        let secret = kek.open(CITY_SECRET, actor, &secret)?;
        let secret: [u8; 32] =
            secret.try_into().map_err(|_| KeyringError::WrongKey { path: kek_file.to_owned(), name: CITY_SECRET })?;
        Ok(Some(Self { keys, secret: CitySecret(secret) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor() -> ActorId {
        "https://a.example/actor".parse().expect("an address")
    }

    #[test]
    fn a_blob_opens_with_its_own_key_name_and_owner_only() {
        let path = Path::new("kek");
        let kek = Kek::new(path, &[7; 32]).expect("a key");
        let blob = kek.seal(RSA, &actor(), b"secret").expect("a blob");
        assert_eq!(kek.open(RSA, &actor(), &blob).expect("it opens"), b"secret");
        assert!(!blob.windows(6).any(|window| window == b"secret"));
        assert!(kek.open(ED25519, &actor(), &blob).is_err());
        let other: ActorId = "https://b.example/actor".parse().expect("an address");
        assert!(kek.open(RSA, &other, &blob).is_err());
        let error = Kek::new(path, &[8; 32]).expect("a key").open(RSA, &actor(), &blob).expect_err("another key");
        assert!(error.to_string().contains("does not fit this database"), "{error}");
        for cut in [0, 1, 12, blob.len() - 1] {
            assert!(kek.open(RSA, &actor(), &blob[..cut]).is_err());
        }
    }

    #[test]
    fn the_key_file_is_for_this_user_alone_and_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("kek");
        assert!(Kek::read(&path).expect("readable").is_none());
        let kek = Kek::create(&path).expect("made");
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let blob = kek.seal(RSA, &actor(), b"secret").expect("a blob");
        let again = Kek::read(&path).expect("readable").expect("there");
        assert_eq!(again.open(RSA, &actor(), &blob).expect("it opens"), b"secret");
        std::fs::write(&path, "not a key").expect("written");
        assert!(matches!(Kek::read(&path), Err(KeyringError::NotAKey(_))));
    }
}
