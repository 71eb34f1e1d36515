use std::{collections::HashMap, fmt, sync::Arc};

use super::trusted::Trusted;
use crate::{
    crypto::Backend,
    error::ConfigError,
    event::Sink,
    issuer::{Issuer, Source},
    key::KeySet,
    time::Clock,
};

/// The issuers that a verifier trusts, each with its policy and its keys.
pub(super) struct Issuers {
    all: Vec<Arc<Trusted>>,
    /// The positions of those that stand for several by a template.
    of_tenants: Vec<usize>,
    by_name: HashMap<Arc<str>, usize, foldhash::fast::RandomState>,
}

impl Issuers {
    pub(super) fn new(
        issuers: Vec<Issuer>,
        backend: Backend,
        clock: &Arc<dyn Clock>,
        events: &Sink,
    ) -> Result<Self, ConfigError> {
        if issuers.is_empty() {
            return Err(ConfigError::NoIssuer);
        }
        let mut trusted =
            Self { all: Vec::new(), of_tenants: Vec::new(), by_name: HashMap::default() };
        for issuer in issuers {
            let revocations = issuer.attached_revocations();
            let (policy, source) = issuer.into_policy(backend)?;
            let name = Arc::clone(&policy.issuer);
            if trusted.by_name.insert(Arc::clone(&name), trusted.all.len()).is_some() {
                return Err(ConfigError::DuplicateIssuer { issuer: name.to_string() });
            }
            if policy.tenants.is_some() {
                trusted.of_tenants.push(trusted.all.len());
            }
            let place = trusted.all.len();
            let one = Trusted::new(policy, revocations, &source, place, backend, clock, events);
            let one = Arc::new(one);
            match &source {
                Source::Fixed(keys) => drop(one.replace_keys(keys)?),
                Source::Live(live) => {
                    live.follow_with(&one);
                    if !one.has_keys() {
                        one.replace_keys(&live.now())?;
                    }
                }
                _ => {}
            }
            trusted.all.push(one);
        }
        Ok(trusted)
    }

    /// The only issuer, if there is just one: a token need not say first whom to ask.
    pub(super) fn only(&self) -> Option<&Arc<Trusted>> {
        match &*self.all {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The issuer of this name, exactly, or with this tenant.
    pub(super) fn get(&self, name: &str) -> Option<&Arc<Trusted>> {
        match self.by_name.get(name) {
            Some(position) => Some(&self.all[*position]),
            None => self
                .of_tenants
                .iter()
                .map(|position| &self.all[*position])
                .find(|trusted| trusted.policy.is_of(name)),
        }
    }

    /// The one at this place.
    #[cfg(feature = "cache")]
    pub(super) fn at(&self, place: u32) -> Option<&Arc<Trusted>> {
        self.all.get(place as usize)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Trusted>> {
        self.all.iter()
    }

    pub(super) fn replace_keys(&self, issuer: &str, keys: &KeySet) -> Result<u64, ConfigError> {
        let unknown = || ConfigError::UnknownIssuer { issuer: issuer.into() };
        let trusted = self.get(issuer).ok_or_else(unknown)?;
        if trusted.has_keys_of_others() {
            return Err(ConfigError::KeysAreRemote { issuer: issuer.into() });
        }
        trusted.replace_keys(keys)
    }
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.iter().map(|trusted| &trusted.policy.issuer)).finish()
    }
}
