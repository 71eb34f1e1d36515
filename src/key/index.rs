use std::{collections::HashMap, sync::Arc};

use super::set::{Concern, KeySet, SkippedKey};
use crate::{
    crypto::{Algorithm, AlgorithmSet, Backend, PreparedKey},
    error::AuthErrorKind,
};

/// The keys of one issuer, prepared by a backend and indexed so that finding one costs the same
/// among one key and among a hundred.
pub(crate) struct KeyIndex {
    /// Another one whenever the keys of the issuer are not those of before.
    #[cfg(feature = "cache")]
    pub(crate) epoch: u64,
    keys: Vec<Entry>,
    by_id: HashMap<Box<str>, Vec<usize>, foldhash::fast::RandomState>,
    /// For each algorithm the key that serves it, for tokens without a key id.
    by_algorithm: [Candidates; Algorithm::ALL.len()],
}

struct Entry {
    serves: AlgorithmSet,
    key: IndexedKey,
}

/// A key that is ready to verify signatures.
pub(crate) struct IndexedKey {
    pub(crate) prepared: PreparedKey,
    /// Whose tokens the key is for, if it says so.
    pub(crate) issuer: Option<Arc<str>>,
}

#[derive(Clone, Copy)]
enum Candidates {
    None,
    One(usize),
    Several,
}

impl KeyIndex {
    /// Prepares the keys that serve one of the allowed algorithms. Those that the backend cannot
    /// use are returned with the reason.
    pub(crate) fn new(
        set: &KeySet,
        allowed: AlgorithmSet,
        backend: Backend,
    ) -> (Self, Vec<SkippedKey>) {
        let mut index = Self {
            #[cfg(feature = "cache")]
            epoch: 0,
            keys: Vec::new(),
            by_id: HashMap::default(),
            by_algorithm: [Candidates::None; Algorithm::ALL.len()],
        };
        let mut skipped = Vec::new();
        for (position, key) in set.iter().enumerate() {
            let serves = key.serves(allowed);
            // The same key twice would be ambiguous, and leave no token that fits.
            let is_repeated = || set.iter().take(position).any(|earlier| earlier.is_same(key));
            if serves == AlgorithmSet::default() || is_repeated() {
                continue;
            }
            match PreparedKey::new(backend, key.material()) {
                Ok(prepared) => {
                    let issuer = key.issuer().cloned();
                    index.insert(key.id(), Entry { serves, key: IndexedKey { prepared, issuer } });
                }
                Err(rejected) => {
                    let id = key.id().map(str::to_owned);
                    skipped.push(SkippedKey::new(id, rejected.0, Concern::Unusable));
                }
            }
        }
        (index, skipped)
    }

    /// Whether no key can be used.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many keys can be used.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The one key for a token. With a key id only the keys of that id come into question, without
    /// one the key must be the only one for the algorithm; nothing is ever tried out.
    pub(crate) fn select(
        &self,
        key_id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&IndexedKey, AuthErrorKind> {
        let position = match key_id {
            None => match self.by_algorithm[algorithm as usize] {
                Candidates::None => return Err(AuthErrorKind::UnknownKey),
                Candidates::One(position) => position,
                Candidates::Several => return Err(AuthErrorKind::AmbiguousKey),
            },
            Some(key_id) => {
                let named = self.by_id.get(key_id).ok_or(AuthErrorKind::UnknownKey)?;
                let mut fitting = named
                    .iter()
                    .filter(|position| self.keys[**position].serves.contains(algorithm));
                match (fitting.next(), fitting.next()) {
                    (Some(position), None) => *position,
                    // The key is known and serves another algorithm (RFC 8725 section 3.1).
                    (None, _) => return Err(AuthErrorKind::UnknownKey),
                    (Some(_), Some(_)) => return Err(AuthErrorKind::AmbiguousKey),
                }
            }
        };
        Ok(&self.keys[position].key)
    }

    fn insert(&mut self, key_id: Option<&str>, entry: Entry) {
        let position = self.keys.len();
        for algorithm in entry.serves.iter() {
            let candidates = &mut self.by_algorithm[algorithm as usize];
            *candidates = match candidates {
                Candidates::None => Candidates::One(position),
                Candidates::One(_) | Candidates::Several => Candidates::Several,
            };
        }
        if let Some(key_id) = key_id {
            self.by_id.entry(key_id.into()).or_default().push(position);
        }
        self.keys.push(entry);
    }
}
