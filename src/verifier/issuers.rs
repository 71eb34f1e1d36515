use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwapOption;

use crate::{
    crypto::Backend,
    error::ConfigError,
    event::{AuthEvent, Sink},
    issuer::Issuer,
    key::{KeyIndex, KeySet, SkippedKey},
    policy::Policy,
};

/// The issuers that a verifier trusts, each with its policy and its keys.
pub(super) struct Issuers {
    all: Vec<Trusted>,
    by_name: HashMap<Arc<str>, usize, foldhash::fast::RandomState>,
}

/// One trusted issuer.
pub(super) struct Trusted {
    pub(super) policy: Policy,
    /// Nothing until there are keys; requests then get 503.
    pub(super) keys: ArcSwapOption<KeyIndex>,
    /// Taken to replace the keys, never to read them.
    generation: Mutex<u64>,
}

impl Issuers {
    pub(super) fn new(
        issuers: Vec<Issuer>,
        backend: Backend,
        events: &Sink,
    ) -> Result<Self, ConfigError> {
        if issuers.is_empty() {
            return Err(ConfigError::NoIssuer);
        }
        let mut trusted = Self { all: Vec::new(), by_name: HashMap::default() };
        for issuer in issuers {
            let (policy, keys) = issuer.into_policy(backend)?;
            let name = Arc::clone(&policy.issuer);
            if trusted.by_name.insert(Arc::clone(&name), trusted.all.len()).is_some() {
                return Err(ConfigError::DuplicateIssuer { issuer: name.to_string() });
            }
            let one = Trusted { policy, keys: ArcSwapOption::empty(), generation: Mutex::new(0) };
            if let Some(keys) = keys {
                one.replace_keys(&keys, backend, events)?;
            }
            trusted.all.push(one);
        }
        Ok(trusted)
    }

    /// The only issuer, if there is just one: a token need not say first whom to ask.
    pub(super) fn only(&self) -> Option<&Trusted> {
        match &*self.all {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The issuer of this name, exactly.
    pub(super) fn get(&self, name: &str) -> Option<&Trusted> {
        self.by_name.get(name).map(|position| &self.all[*position])
    }

    pub(super) fn all_have_keys(&self) -> bool {
        self.all.iter().all(|trusted| trusted.keys.load().is_some())
    }

    pub(super) fn replace_keys(
        &self,
        issuer: &str,
        keys: &KeySet,
        backend: Backend,
        events: &Sink,
    ) -> Result<u64, ConfigError> {
        let unknown = || ConfigError::UnknownIssuer { issuer: issuer.into() };
        let trusted = self.get(issuer).ok_or_else(unknown)?;
        trusted.replace_keys(keys, backend, events)
    }
}

impl Trusted {
    /// Prepares the keys and puts them in place of the old ones, all at once.
    fn replace_keys(
        &self,
        keys: &KeySet,
        backend: Backend,
        events: &Sink,
    ) -> Result<u64, ConfigError> {
        let issuer = Arc::clone(&self.policy.issuer);
        let (index, refused) = KeyIndex::new(keys, self.policy.algorithms, backend);
        let skipped = || keys.skipped().iter().chain(&refused);
        for key in skipped().cloned() {
            events.emit(&AuthEvent::KeySkipped { issuer: Arc::clone(&issuer), key });
        }
        if index.is_empty() {
            let reasons = reasons(skipped(), keys.len() - refused.len());
            events.emit(&AuthEvent::KeysRejected { issuer: Arc::clone(&issuer) });
            return Err(ConfigError::NoUsableKey { issuer: issuer.to_string(), reasons });
        }
        let usable = index.len();
        let generation = self.store(index);
        events.emit(&AuthEvent::KeysReplaced { issuer, generation, keys: usable });
        Ok(generation)
    }

    /// Puts the keys in place and returns the generation that they are. The lock is let go before
    /// anybody is told, so that a sink may replace keys too.
    fn store(&self, index: KeyIndex) -> u64 {
        let mut generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        *generation += 1;
        self.keys.store(Some(Arc::new(index)));
        *generation
    }
}

/// Why no key of a set can be used; `unfit` of them serve other algorithms.
fn reasons<'k>(skipped: impl Iterator<Item = &'k SkippedKey>, unfit: usize) -> String {
    /// A document may have a hundred keys, and one reason is mostly that of all.
    const MOST: usize = 3;
    let other_algorithms = format!("keys for other algorithms: {unfit}");
    let unfit = Some(other_algorithms).filter(|_| unfit > 0);
    let mut reasons: Vec<_> = skipped.map(SkippedKey::to_string).chain(unfit).collect();
    if reasons.is_empty() {
        return "there is no key".to_owned();
    }
    let more = reasons.len().saturating_sub(MOST);
    reasons.truncate(MOST);
    let mut reasons = reasons.join("; ");
    if more > 0 {
        reasons.push_str(&format!("; and {more} more"));
    }
    reasons
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.iter().map(|trusted| &trusted.policy.issuer)).finish()
    }
}
