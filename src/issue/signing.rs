//! The keys that access tokens are signed with, and their life: published, active, retired,
//! removed.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::json;

use super::{
    server_keys::{KeyTag, Ring},
    store::StoreError,
};
use crate::{
    crypto::{
        AeadKey, Algorithm, Backend, KeyRejected, NoRandom,
        sign::{Signer, SigningKey},
    },
    error::BoxError,
    jws,
    key::{KeySet, VerifyingKey},
    secret::Secret,
    time::UnixTime,
};

/// What a store keeps of a signing key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The key id (`kid`).
    pub id: String,
    /// The only algorithm that it signs with.
    pub algorithm: Algorithm,
    /// When it was made.
    pub created_at: UnixTime,
    /// From when on it signs; it is published before.
    pub active_at: UnixTime,
    /// The public key as a JWK; nothing for a secret.
    pub public: Option<String>,
    /// The private key, sealed; nothing once it signs no more.
    pub sealed: Option<Vec<u8>>,
    /// Since when it is not published any more, and nothing that it signed is accepted.
    pub removed_at: Option<UnixTime>,
    /// Why the key was made: `first`, `scheduled`, `requested`, `compromised`, or `missing` if no
    /// other one could sign.
    pub reason: String,
}

/// Leaves the keys out.
impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .field("active_at", &self.active_at)
            .finish_non_exhaustive()
    }
}

/// Where a signing key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyState {
    /// It is published, so that it is known everywhere before the first token that it signs.
    Published,
    /// It signs.
    Active,
    /// It signs no more; what it signed is still verified.
    Retired,
    /// Nothing that it signed is accepted.
    Removed,
}

impl KeyState {
    /// A stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Removed => "removed",
        }
    }
}

/// One line of the inventory of signing keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// The key id (`kid`).
    pub id: String,
    /// The only algorithm that it signs with.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was made.
    pub created_at: UnixTime,
    /// From when on it signs; earlier if there is no other, as after a clock was set back.
    pub active_at: UnixTime,
    /// From when on it signs no more, if that is known.
    pub retired_at: Option<UnixTime>,
    /// When it was removed.
    pub removed_at: Option<UnixTime>,
    /// Why it was made: `first`, `scheduled`, `requested`, `compromised`, or `missing` if no other
    /// one could sign.
    pub reason: String,
}

/// The signing keys as they are in the store, opened. Immutable; another takes its place.
///
/// The one that signs is the one that became active last, so that all servers of one store agree
/// without asking each other.
pub(super) struct SigningRing {
    /// In the order of activation.
    keys: Vec<OpenKey>,
}

struct OpenKey {
    record: KeyRecord,
    verifying: Option<VerifyingKey>,
    signs: Option<Signs>,
}

/// What a token is made with.
#[derive(Clone)]
pub(super) struct Signs {
    pub(super) signer: Signer,
    /// The JOSE header, encoded.
    pub(super) header: Arc<str>,
}

impl SigningRing {
    pub(super) fn open(
        records: Vec<KeyRecord>,
        sealing: &Ring<AeadKey>,
        backend: Backend,
    ) -> Result<Self, StoreError> {
        let open = |record| OpenKey::open(record, sealing, backend);
        Ok(Self { keys: records.into_iter().map(open).collect::<Result<_, _>>()? })
    }

    /// The records, in the order of activation.
    pub(super) fn records(&self) -> impl DoubleEndedIterator<Item = &KeyRecord> {
        self.keys.iter().map(|key| &key.record)
    }

    /// What signs at this time.
    pub(super) fn active(&self, now: UnixTime) -> Option<&Signs> {
        self.keys.get(self.active_at(now)?)?.signs.as_ref()
    }

    /// The place of the key that signs at this time. A clock that was set back may stand before the
    /// first one became active; as it is published, it signs all the same.
    fn active_at(&self, now: UnixTime) -> Option<usize> {
        let is_active = |key: &OpenKey| key.record.active_at <= now && key.can_sign();
        let active = self.keys.iter().rposition(is_active);
        active.or_else(|| self.keys.iter().position(OpenKey::can_sign))
    }

    /// Whether any key signs, now or later.
    pub(super) fn can_sign(&self) -> bool {
        self.keys.iter().any(OpenKey::can_sign)
    }

    /// When the key at this place retires: when the next one that is not removed becomes active.
    fn retired_at(&self, place: usize) -> Option<UnixTime> {
        let later = self.keys.iter().skip(place + 1);
        later.map(|key| &key.record).find(|key| key.removed_at.is_none()).map(|key| key.active_at)
    }

    /// The state of the key at this place. One whose private part is gone never signs again, even
    /// if a clock was set back.
    fn state(&self, place: usize, record: &KeyRecord, now: UnixTime) -> KeyState {
        if record.removed_at.is_some() {
            KeyState::Removed
        } else if self.active_at(now) == Some(place) {
            KeyState::Active
        } else if record.active_at > now && record.sealed.is_some() {
            KeyState::Published
        } else {
            KeyState::Retired
        }
    }

    pub(super) fn inventory(&self, now: UnixTime) -> Vec<KeyInfo> {
        let line = |(place, key): (usize, &OpenKey)| KeyInfo {
            id: key.record.id.clone(),
            algorithm: key.record.algorithm,
            state: self.state(place, &key.record, now),
            created_at: key.record.created_at,
            active_at: key.record.active_at,
            retired_at: self.retired_at(place),
            removed_at: key.record.removed_at,
            reason: key.record.reason.clone(),
        };
        self.keys.iter().enumerate().map(line).collect()
    }

    /// All keys that tokens may be verified with, secrets among them.
    pub(super) fn verifying(&self) -> KeySet {
        self.published().cloned().collect()
    }

    /// The algorithms of those keys.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        let keys = self.keys.iter().filter(|key| key.record.removed_at.is_none());
        keys.map(|key| key.record.algorithm).collect()
    }

    /// The key document: public members only (RFC 7517 section 9.2).
    pub(super) fn jwks(&self) -> String {
        let keys: Vec<_> = self.published().filter_map(VerifyingKey::to_jwk).collect();
        json!({ "keys": keys }).to_string()
    }

    fn published(&self) -> impl Iterator<Item = &VerifyingKey> {
        let keys = self.keys.iter().filter(|key| key.record.removed_at.is_none());
        keys.filter_map(|key| key.verifying.as_ref())
    }

    /// The records that are to be changed as time goes by: keys that nothing is verified with any
    /// more are removed, private keys that sign no more are destroyed, and what was sealed with an
    /// old key is sealed again.
    pub(super) fn due(
        &self,
        sealing: &Ring<AeadKey>,
        keep: Duration,
        now: UnixTime,
    ) -> Result<Vec<(KeyRecord, Change)>, StoreError> {
        let mut due = Vec::new();
        for (place, record) in self.records().enumerate() {
            due.extend(self.due_of(place, record, sealing, keep, now)?);
        }
        Ok(due)
    }

    fn due_of(
        &self,
        place: usize,
        record: &KeyRecord,
        sealing: &Ring<AeadKey>,
        keep: Duration,
        now: UnixTime,
    ) -> Result<Option<(KeyRecord, Change)>, StoreError> {
        let is_retired = self.state(place, record, now) == KeyState::Retired;
        let retired_at = self.retired_at(place).unwrap_or(now);
        if is_retired && now >= retired_at.saturating_add(keep) {
            return Ok(Some((removed(record, now), Change::Removed)));
        }
        let Some(sealed) = &record.sealed else {
            return Ok(None);
        };
        // A secret also verifies, so it stays until nothing is verified with it.
        if is_retired && !record.algorithm.is_hmac() {
            let record = KeyRecord { sealed: None, ..record.clone() };
            return Ok(Some((record, Change::Retired)));
        }
        if is_sealed_with(sealed, sealing.current().0) {
            return Ok(None);
        }
        let private = unseal(sealing, &record.id, sealed)?;
        let sealed = seal(sealing, &record.id, &private)
            .map_err(|error| StoreError::new("sealing a signing key", error))?;
        Ok(Some((KeyRecord { sealed: Some(sealed), ..record.clone() }, Change::Resealed)))
    }
}

/// The record of a key that is not to be believed any more.
pub(super) fn removed(record: &KeyRecord, now: UnixTime) -> KeyRecord {
    KeyRecord { sealed: None, removed_at: Some(now), ..record.clone() }
}

/// What happens to a key as time goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Retired,
    Removed,
    Resealed,
}

impl OpenKey {
    fn can_sign(&self) -> bool {
        self.record.removed_at.is_none() && self.signs.is_some()
    }

    fn open(
        record: KeyRecord,
        sealing: &Ring<AeadKey>,
        backend: Backend,
    ) -> Result<Self, StoreError> {
        let (mut verifying, mut signs) = (None, None);
        if record.removed_at.is_some() {
            return Ok(Self { record, verifying, signs });
        }
        if let Some(sealed) = &record.sealed {
            let private = unseal(sealing, &record.id, sealed)?;
            let key = SigningKey::read(backend, record.algorithm, private.expose())
                .map_err(|error| StoreError::new("reading a signing key", error))?;
            let (material, signer) = key.into_parts();
            let header =
                json!({ "alg": record.algorithm.name(), "kid": record.id, "typ": "at+jwt" });
            let header = jws::encode(header.to_string()).into();
            signs = Some(Signs { signer, header });
            verifying = Some(VerifyingKey::of(material));
        } else if let Some(public) = &record.public {
            let key = VerifyingKey::from_jwk(public);
            verifying = Some(key.map_err(|error| StoreError::new("reading a signing key", error))?);
        }
        let named = |key: VerifyingKey| key.with_algorithm(record.algorithm)?.with_id(&record.id);
        let verifying = verifying
            .map(named)
            .transpose()
            .map_err(|error| StoreError::new("reading a signing key", error))?;
        Ok(Self { record, verifying, signs })
    }
}

/// The least bits of an RSA key that is generated (NIST SP 800-57 part 1).
const RSA_BITS: usize = 3072;

/// A new key. Takes up to seconds for RSA.
pub(super) fn generate(
    algorithm: Algorithm,
    backend: Backend,
    sealing: &Ring<AeadKey>,
    created_at: UnixTime,
    active_at: UnixTime,
    reason: &str,
) -> Result<KeyRecord, BoxError> {
    let key = SigningKey::generate(backend, algorithm, RSA_BITS)?;
    let id = jws::encode(crate::crypto::random::<16>()?);
    let sealed = seal(sealing, &id, key.private())?;
    let (material, _) = key.into_parts();
    let public = VerifyingKey::of(material).with_algorithm(algorithm)?.with_id(&id)?;
    Ok(KeyRecord {
        public: public.to_jwk().map(|jwk| jwk.to_string()),
        id,
        algorithm,
        created_at,
        active_at,
        sealed: Some(sealed),
        removed_at: None,
        reason: reason.to_owned(),
    })
}

/// The tag of the sealing key, and what it sealed for the key of this id only.
fn seal(
    sealing: &Ring<AeadKey>,
    id: &str,
    private: &Secret<Vec<u8>>,
) -> Result<Vec<u8>, KeyRejected> {
    let (tag, key) = sealing.current();
    let sealed = key.seal(&context(id), private.expose());
    sealed.map(|sealed| [&tag[..], &sealed].concat()).map_err(|error: NoRandom| error.into())
}

fn unseal(sealing: &Ring<AeadKey>, id: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, StoreError> {
    let opened = sealed.split_first_chunk::<4>().and_then(|(tag, sealed)| {
        sealing.tagged(*tag).find_map(|key| key.open(&context(id), sealed))
    });
    opened.ok_or(StoreError::corrupt(
        "a signing key does not open: give the server the root key that it was sealed with",
    ))
}

fn is_sealed_with(sealed: &[u8], tag: KeyTag) -> bool {
    sealed.starts_with(&tag)
}

fn context(id: &str) -> Vec<u8> {
    [b"signing key ", id.as_bytes()].concat()
}
