use std::fmt;

use serde::de::MapAccess;
use serde_json::value::RawValue;

use super::{
    fixed::{KeyError, VerifyingKey},
    jwk::{Jwk, NOT_FOR_SIGNATURES, has_private_members},
};
use crate::json::{Members, Taken, Unique};

/// The keys of one issuer.
///
/// See the [module docs](crate::key) for an example.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
    skipped: Vec<SkippedKey>,
}

impl KeySet {
    /// The longest key document, in bytes.
    pub const MAX_DOCUMENT: usize = 256 * 1024;
    /// The most keys in one document.
    pub const MAX_KEYS: usize = 100;

    /// A set of these keys.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        Self { keys: keys.into_iter().collect(), skipped: Vec::new() }
    }

    /// Reads a JWKS document (RFC 7517 section 5).
    ///
    /// A key that is unknown, incomplete, weak, secret or not for verifying signatures is
    /// [skipped](Self::skipped); the others are used. Several keys may share a key id.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the text is no JSON object with an array `keys`, is longer than
    /// [`MAX_DOCUMENT`](Self::MAX_DOCUMENT), or has more than [`MAX_KEYS`](Self::MAX_KEYS) keys. A
    /// set without any usable key is no error here; a verifier refuses it.
    pub fn from_jwks(json: &str) -> Result<Self, KeyError> {
        if json.len() > Self::MAX_DOCUMENT {
            return Err(KeyError::new("the key document is longer than 256 KiB"));
        }
        let malformed = KeyError::new("the key document is no JSON object with an array `keys`");
        let document = Unique::read(json, Document::default()).ok();
        let elements = document.and_then(|document| document.keys).ok_or(malformed)?;
        if elements.len() > Self::MAX_KEYS {
            return Err(KeyError::new("the key document has more than 100 keys"));
        }
        let mut set = Self::default();
        for element in elements {
            set.read(element.get());
        }
        Ok(set)
    }

    /// Adds a key.
    #[must_use]
    pub fn with(mut self, key: VerifyingKey) -> Self {
        self.keys.push(key);
        self
    }

    /// How many usable keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no usable key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The usable keys.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// The keys of the document that cannot be used, each with the reason.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// Whether the other set has the same keys in the same order.
    #[cfg(feature = "cache")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let mut pairs = self.keys.iter().zip(&other.keys);
        self.keys.len() == other.keys.len() && pairs.all(|(one, other)| one.is_same(other))
    }

    /// Adds the keys of another set.
    pub(crate) fn extend(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.skipped.extend(other.skipped);
    }

    fn read(&mut self, json: &str) {
        match VerifyingKey::from_jwk(json) {
            Ok(key) => self.keys.push(key),
            Err(error) => {
                let key_id = Jwk::parse(json).ok().and_then(|jwk| jwk.id);
                let concern = if has_private_members(json) {
                    Concern::Exposed
                } else if error.reason() == NOT_FOR_SIGNATURES {
                    Concern::OtherUse
                } else {
                    Concern::Unusable
                };
                self.skipped.push(SkippedKey::new(key_id, error.reason(), concern));
            }
        }
    }
}

impl From<VerifyingKey> for KeySet {
    fn from(key: VerifyingKey) -> Self {
        Self::new([key])
    }
}

impl<const N: usize> From<[VerifyingKey; N]> for KeySet {
    fn from(keys: [VerifyingKey; N]) -> Self {
        Self::new(keys)
    }
}

impl From<Vec<VerifyingKey>> for KeySet {
    fn from(keys: Vec<VerifyingKey>) -> Self {
        Self::new(keys)
    }
}

impl FromIterator<VerifyingKey> for KeySet {
    fn from_iter<I: IntoIterator<Item = VerifyingKey>>(keys: I) -> Self {
        Self::new(keys)
    }
}

impl<'a> IntoIterator for &'a KeySet {
    type Item = &'a VerifyingKey;
    type IntoIter = std::slice::Iter<'a, VerifyingKey>;

    fn into_iter(self) -> Self::IntoIter {
        self.keys.iter()
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.keys).finish()
    }
}

/// A key of a document that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    key_id: Option<Box<str>>,
    reason: &'static str,
    concern: Concern,
}

/// How much a skipped key matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concern {
    /// It was never meant for signatures.
    OtherUse,
    Unusable,
    Exposed,
}

impl SkippedKey {
    pub(crate) fn new(key_id: Option<String>, reason: &'static str, concern: Concern) -> Self {
        // At most 256 bytes: the id comes from a document that this library did not write.
        let key_id = key_id.map(|id| match id.char_indices().find(|(at, _)| *at >= 256) {
            Some((end, _)) => id[..end].into(),
            None => id.into_boxed_str(),
        });
        Self { key_id, reason, concern }
    }

    /// The key id, at most 256 bytes of it. Escape it where it is shown.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Why the key cannot be used.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// Whether the document gives the secret part of the key away. Whoever can read the document
    /// can then sign: the issuer must replace the key at once.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.concern == Concern::Exposed
    }

    /// Whether the key says that it is for another use, such as encryption, which is no fault.
    #[must_use]
    pub fn is_for_another_use(&self) -> bool {
        self.concern == Concern::OtherUse
    }
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key_id() {
            Some(key_id) => write!(f, "key {key_id:?}: {}", self.reason),
            None => write!(f, "a key without an id: {}", self.reason),
        }
    }
}

/// The top level of a JWKS document; other members are ignored.
#[derive(Default)]
struct Document<'de> {
    keys: Option<Vec<&'de RawValue>>,
}

impl<'de> Members<'de> for Document<'de> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<Taken, A::Error> {
        if name != "keys" {
            return Ok(Taken::No);
        }
        self.keys = Some(object.next_value()?);
        Ok(Taken::Yes)
    }
}
