//! The keys that the server holds and its store does not.

use std::{fmt, path::Path, sync::Arc};

use super::key_file;
pub use super::key_file::KeyFileError;
use crate::{
    crypto::{AeadKey, MacKey, NoRandom, random},
    secret::Secret,
};

/// The keys that the issuing side needs and that must not be where its store is: for refresh
/// tokens, for the digests of secrets (the pepper), and for the sealing of private keys; and one under
/// which the [throttle](super::Throttle) hashes whoever guesses.
///
/// Each of the first three is a ring: the first key is used for what is new, all are tried for what
/// there is. So a key is rotated by putting another before it, with
/// [`AuthorizationServer::replace_server_keys`](super::AuthorizationServer::replace_server_keys),
/// and dropped when nothing needs it any more: after the absolute end of refresh families, when all
/// secrets were used or replaced, and after the next maintenance, which seals again. Where several
/// servers share a store, all must accept the new key before one of them uses it: first the old key
/// with the new one as previous, then the other way round.
///
/// The last one changes with the first root key at once. What failed before is counted no more then, and
/// who succeeded before is a stranger again, so choose a quiet time.
///
/// All come from one [`RootKey`] unless said otherwise, through HMAC with a label each, so
/// that none can be computed from another (NIST SP 800-108).
///
/// ```
/// use tower_bearer::issue::{RootKey, ServerKeys};
///
/// let root = RootKey::from_bytes([7; 32]);                  // from a secret manager
/// let keys = ServerKeys::new(&root);
///
/// // Later: a new one, while what the old one made is still accepted.
/// let rotated = ServerKeys::new(&RootKey::from_bytes([8; 32])).with_previous(&root);
/// assert_eq!(format!("{root:?}"), "RootKey([redacted])");
/// # let _ = (keys, rotated);
/// ```
#[derive(Clone)]
#[must_use]
pub struct ServerKeys {
    pub(super) refresh: Ring<MacKey>,
    pub(super) pepper: Ring<MacKey>,
    pub(super) sealing: Ring<AeadKey>,
    /// Hashes whoever guesses, in what servers tell each other: of no use for anything else, and never
    /// needed for what is old.
    pub(super) guesses: Arc<MacKey>,
}

impl ServerKeys {
    /// The keys that come from this root key.
    pub fn new(root: &RootKey) -> Self {
        Self {
            refresh: Ring::of(refresh_key(root)),
            pepper: Ring::of(pepper(root)),
            sealing: Ring::of(sealing_key(root)),
            guesses: Arc::new(guess_key(root)),
        }
    }

    /// Still accepts what was made with the keys of this root key.
    pub fn with_previous(self, root: &RootKey) -> Self {
        self.with_previous_refresh(root).with_previous_pepper(root).with_previous_sealing(root)
    }

    /// Still accepts refresh tokens of this root key.
    pub fn with_previous_refresh(mut self, root: &RootKey) -> Self {
        self.refresh.push(refresh_key(root));
        self
    }

    /// Still accepts secrets whose digests were made with the pepper of this root key.
    pub fn with_previous_pepper(mut self, root: &RootKey) -> Self {
        self.pepper.push(pepper(root));
        self
    }

    /// Still opens private keys that were sealed with this root key.
    pub fn with_previous_sealing(mut self, root: &RootKey) -> Self {
        self.sealing.push(sealing_key(root));
        self
    }
}

impl fmt::Debug for ServerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerKeys")
            .field("refresh", &self.refresh)
            .field("pepper", &self.pepper)
            .field("sealing", &self.sealing)
            .finish()
    }
}

/// 256 random bits that all keys of a server can be computed from.
#[derive(Clone)]
pub struct RootKey(Secret<[u8; 32]>);

impl RootKey {
    /// The key with these bytes. They must be random: a password is no key.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// A new key from the random generator of the system.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes, or no cryptographic backend is compiled in.
    pub fn generate() -> Result<Self, KeyFileError> {
        random().map(Self::from_bytes).map_err(|NoRandom| KeyFileError::NoRandom)
    }

    /// The key in this file, 64 hexadecimal digits. Nothing is written: this is the one for a store
    /// that was used before, where a new key in the place of one that is lost would open nothing.
    ///
    /// Keep the file apart from the store and its backups: whoever has both can do all that the
    /// server can.
    ///
    /// ```
    /// use tower_bearer::{issue::{RootKey, Store}, store::Memory};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = Memory::new();
    /// # let path = std::env::temp_dir().join(format!("tower-bearer-doc-{}.key", std::process::id()));
    /// assert!(RootKey::load(&path).is_err()); // there is none yet
    ///
    /// let is_new = store.signing_keys().await?.is_empty();
    /// let root = if is_new { RootKey::load_or_create(&path)? } else { RootKey::load(&path)? };
    /// # let _ = root;
    /// # std::fs::remove_file(&path)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyFileError`] if there is no such file, it cannot be read, is no key, or can be read by
    /// others than its owner.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        key_file::load(path.as_ref()).map(Self::from_bytes)
    }

    /// The key in this file, as [`load`](Self::load) reads it; if there is no such file, a new key
    /// that is written to it first. On Unix the file is for its owner only (mode 0600).
    ///
    /// This is for the first start, while the store has no signing keys. Later it would make up for
    /// a file that is lost with a key that opens nothing.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`] if the file cannot be read or written, is no key, or can be read by others.
    pub fn load_or_create(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        key_file::load_or_create(path.as_ref()).map(Self::from_bytes)
    }

    fn derive(&self, label: &[u8]) -> Secret<[u8; 32]> {
        Secret::new(MacKey::new(self.0.expose()).tag(label))
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey([redacted])")
    }
}

/// Names a key of a ring in what was made with it, so that mostly one is tried.
pub(super) type KeyTag = [u8; 4];

/// Keys for one purpose; the first one is used for what is new.
pub(super) struct Ring<K> {
    first: Arc<(KeyTag, K)>,
    others: Vec<Arc<(KeyTag, K)>>,
}

impl<K> Ring<K> {
    fn of(key: (KeyTag, K)) -> Self {
        Self { first: key.into(), others: Vec::new() }
    }

    fn push(&mut self, key: (KeyTag, K)) {
        self.others.push(key.into());
    }

    /// The key for what is new.
    pub(super) fn current(&self) -> (KeyTag, &K) {
        (self.first.0, &self.first.1)
    }

    /// The keys of this tag: one, none, or by a rare chance several.
    pub(super) fn tagged(&self, tag: KeyTag) -> impl Iterator<Item = &K> {
        self.all().filter(move |key| key.0 == tag).map(|key| &key.1)
    }

    /// All keys with their tags.
    pub(super) fn iter(&self) -> impl Iterator<Item = (KeyTag, &K)> {
        self.all().map(|key| (key.0, &key.1))
    }

    fn all(&self) -> impl Iterator<Item = &(KeyTag, K)> {
        std::iter::once(&self.first).chain(&self.others).map(|key| &**key)
    }
}

impl<K> Clone for Ring<K> {
    fn clone(&self) -> Self {
        Self { first: Arc::clone(&self.first), others: self.others.clone() }
    }
}

/// The tags, which say nothing of the keys.
impl<K> fmt::Debug for Ring<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all().map(|key| u32::from_be_bytes(key.0))).finish()
    }
}

fn refresh_key(root: &RootKey) -> (KeyTag, MacKey) {
    let key = root.derive(b"tower-bearer refresh tokens 1");
    (tag_of(&key), MacKey::new(key.expose()))
}

fn pepper(root: &RootKey) -> (KeyTag, MacKey) {
    let key = root.derive(b"tower-bearer secrets 1");
    (tag_of(&key), MacKey::new(key.expose()))
}

fn sealing_key(root: &RootKey) -> (KeyTag, AeadKey) {
    let key = root.derive(b"tower-bearer sealing 1");
    (tag_of(&key), AeadKey::new(key.expose()))
}

fn guess_key(root: &RootKey) -> MacKey {
    MacKey::new(root.derive(b"tower-bearer guesses 1").expose())
}

fn tag_of(key: &Secret<[u8; 32]>) -> KeyTag {
    let [a, b, c, d, ..] = MacKey::new(key.expose()).tag(b"tower-bearer tag");
    [a, b, c, d]
}
