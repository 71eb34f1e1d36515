#[cfg(feature = "remote-keys")]
use std::sync::Weak;
#[cfg(feature = "cache")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwapOption, Guard};

#[cfg(feature = "remote-keys")]
use crate::remote_keys::{Ask, Install, Outcome, Readiness, Remote};
use crate::{
    crypto::Backend,
    error::{AuthErrorKind, ConfigError},
    event::{AuthEvent, Sink},
    issuer::Source,
    key::{Follow, KeyIndex, KeySet, SkippedKey},
    policy::Policy,
    revocation::Revocations,
    time::{Clock, UnixTime},
    verified::Grant,
};

/// One trusted issuer.
pub(super) struct Trusted {
    pub(super) policy: Policy,
    pub(super) revocations: Option<Revocations>,
    /// Nothing until there are keys; requests then get 503.
    keys: ArcSwapOption<KeyIndex>,
    /// Taken to replace the keys, never to read them.
    installed: Mutex<Installed>,
    /// That of the keys.
    #[cfg(feature = "cache")]
    epoch: AtomicU64,
    /// Its place among those of the verifier.
    #[cfg(feature = "cache")]
    pub(super) place: u32,
    /// Who fetches the keys, if they are not given.
    #[cfg(feature = "remote-keys")]
    remote: Option<Remote>,
    /// Whether whoever made the keys replaces them.
    is_live: bool,
    backend: Backend,
    events: Sink,
}

/// What the keys are that were put in place last.
#[derive(Default)]
struct Installed {
    generation: u64,
    /// Which generation whoever made them says that they are.
    made: u64,
    #[cfg(feature = "cache")]
    keys: KeySet,
}

impl Trusted {
    /// One without keys yet; `place` is its own among those of the verifier.
    pub(super) fn new(
        policy: Policy,
        revocations: Option<Revocations>,
        source: &Source,
        #[cfg_attr(not(feature = "cache"), expect(unused_variables, reason = "is remembered"))]
        place: usize,
        backend: Backend,
        #[cfg_attr(not(feature = "remote-keys"), expect(unused_variables, reason = "is asked"))]
        clock: &Arc<dyn Clock>,
        events: &Sink,
    ) -> Self {
        Self {
            policy,
            revocations,
            keys: ArcSwapOption::empty(),
            installed: Mutex::default(),
            #[cfg(feature = "cache")]
            epoch: AtomicU64::new(0),
            #[cfg(feature = "cache")]
            place: u32::try_from(place).unwrap_or(u32::MAX),
            #[cfg(feature = "remote-keys")]
            remote: match source {
                Source::Remote(plan) => {
                    Some(Remote::new((**plan).clone(), Arc::clone(clock), events.clone()))
                }
                Source::Fixed(_) | Source::Live(_) | Source::Later => None,
            },
            is_live: matches!(source, Source::Live(_)),
            backend,
            events: events.clone(),
        }
    }

    pub(super) fn has_keys(&self) -> bool {
        self.keys.load().is_some()
    }

    /// Whether whoever made the keys, or fetches them, replaces them.
    pub(super) fn has_keys_of_others(&self) -> bool {
        self.is_live || self.fetches_keys()
    }

    /// Whether the token was revoked, or nobody knows.
    #[inline]
    pub(super) fn check_revoked(&self, grant: &Grant, now: UnixTime) -> Result<(), AuthErrorKind> {
        let Some(list) = &self.revocations else {
            return Ok(());
        };
        // First, so that what makes the list current later is not taken for what was looked at.
        let is_current = list.is_current(now);
        match list.is_revoked(grant) {
            true => Err(AuthErrorKind::Revoked),
            false if !is_current => Err(AuthErrorKind::RevocationsUnavailable),
            false => Ok(()),
        }
    }

    /// Whether keys that are not at hand may be had.
    pub(super) fn fetches_keys(&self) -> bool {
        #[cfg(feature = "remote-keys")]
        return self.remote.is_some();
        #[cfg(not(feature = "remote-keys"))]
        false
    }

    /// The keys at hand, unless they are too old to be used.
    #[inline]
    pub(super) fn usable_keys(self: &Arc<Self>, now: UnixTime) -> Guard<Option<Arc<KeyIndex>>> {
        if self.has_usable_keys(now) { self.keys.load() } else { Guard::from_inner(None) }
    }

    /// The epoch of the keys at hand, unless they are too old to be used.
    #[cfg(feature = "cache")]
    #[inline]
    pub(super) fn usable_epoch(self: &Arc<Self>, now: UnixTime) -> Option<u64> {
        self.has_usable_keys(now).then(|| self.epoch.load(Ordering::Acquire))
    }

    /// Whether the keys, if there are any, are not too old to be used; has them looked after.
    #[inline]
    fn has_usable_keys(self: &Arc<Self>, now: UnixTime) -> bool {
        #[cfg(feature = "remote-keys")]
        if let Some(remote) = &self.remote {
            if !remote.is_usable(now) {
                return false;
            }
            remote.look_after(|| Installer(Arc::downgrade(self)));
        }
        let _ = now;
        true
    }

    /// Whether it is worth waiting for the keys to be fetched once more; nothing if they are not
    /// fetched.
    #[cfg(feature = "remote-keys")]
    pub(super) fn ask(&self) -> Option<Ask> {
        self.remote.as_ref().map(Remote::ask)
    }

    /// How the keys are doing that are fetched.
    #[cfg(feature = "remote-keys")]
    pub(super) fn readiness(&self) -> Option<Readiness> {
        let keys = self.keys.load().as_ref().map_or(0, |keys| keys.len());
        self.remote.as_ref().map(|remote| remote.readiness(keys))
    }

    /// Fetches the keys once more and waits for the outcome.
    #[cfg(feature = "remote-keys")]
    pub(super) async fn refreshed(self: &Arc<Self>) -> Outcome {
        match &self.remote {
            Some(remote) => remote.refreshed(Installer(Arc::downgrade(self))).await,
            None => Ok(()),
        }
    }

    /// Prepares the keys and puts them in place of the old ones, all at once. Returns the
    /// generation that they are.
    pub(super) fn replace_keys(&self, keys: &KeySet) -> Result<u64, ConfigError> {
        self.replace_keys_made(keys, 0)
    }

    /// The same, unless these keys, or some that whoever made them made later, are in place: of two
    /// threads that hand over keys, the one with the older ones may come last. Then the generation is
    /// that of the keys in place.
    fn replace_keys_made(&self, keys: &KeySet, made: u64) -> Result<u64, ConfigError> {
        if let Some(generation) = self.installed().superseding(made) {
            return Ok(generation);
        }
        let Self { backend, events, .. } = self;
        let issuer = Arc::clone(&self.policy.issuer);
        let (index, refused) = KeyIndex::new(keys, self.policy.algorithms, *backend);
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
        let (generation, is_replaced) = self.store(index, keys, made);
        if is_replaced {
            events.emit(&AuthEvent::KeysReplaced { issuer, generation, keys: usable });
        }
        Ok(generation)
    }

    fn installed(&self) -> MutexGuard<'_, Installed> {
        self.installed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the keys in place, unless those that are there were made later, and returns the generation
    /// that is in place then. The lock is let go before anybody is told, so that a sink may replace
    /// keys too.
    fn store(
        &self,
        #[cfg_attr(not(feature = "cache"), expect(unused_mut, reason = "has no epoch"))]
        mut index: KeyIndex,
        keys: &KeySet,
        made: u64,
    ) -> (u64, bool) {
        let mut installed = self.installed();
        if let Some(generation) = installed.superseding(made) {
            return (generation, false);
        }
        installed.made = made;
        installed.generation += 1;
        #[cfg(feature = "cache")]
        {
            // The same one if the keys are those of before, as they are nearly always when they are
            // fetched once more. Else before the keys: what the old ones let in is not known any more.
            if !installed.keys.is_same(keys) {
                installed.keys = keys.clone();
                self.epoch.fetch_add(1, Ordering::AcqRel);
            }
            index.epoch = self.epoch.load(Ordering::Acquire);
        }
        #[cfg(not(feature = "cache"))]
        let _ = keys;
        self.keys.store(Some(Arc::new(index)));
        (installed.generation, true)
    }
}

impl Installed {
    /// The generation in place, if keys that were made as such a one have nothing to add to it; zero is
    /// for keys of which nobody counts the generations.
    fn superseding(&self, made: u64) -> Option<u64> {
        (made < self.made || (made == self.made && made > 0)).then_some(self.generation)
    }
}

/// A set that cannot be used is turned down with an event.
impl Follow for Trusted {
    fn follow(&self, keys: &KeySet, generation: u64) {
        let _ = self.replace_keys_made(keys, generation);
    }
}

/// Puts fetched keys in place, as long as there is a verifier.
#[cfg(feature = "remote-keys")]
struct Installer(Weak<Trusted>);

#[cfg(feature = "remote-keys")]
impl Install for Installer {
    fn install(&self, keys: &KeySet) -> Option<Result<(), ConfigError>> {
        let trusted = self.0.upgrade()?;
        Some(trusted.replace_keys(keys).map(drop))
    }

    fn is_needed(&self) -> bool {
        self.0.strong_count() > 0
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

#[cfg(all(test, any(feature = "aws-lc-rs", feature = "rust-crypto")))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::{super::issuers::Issuers, *};
    use crate::{crypto::Algorithm, issuer::Issuer, key::VerifyingKey, time::SystemClock};

    #[test]
    fn keys_that_come_after_later_ones_are_not_put_in_place() {
        let set = |id: &str| -> KeySet {
            let key = VerifyingKey::hmac(Algorithm::Hs256, &[7; 32]).unwrap();
            [key.with_id(id).unwrap()].into_iter().collect()
        };
        let issuer = Issuer::new("https://issuer.test")
            .audience("https://api.test")
            .algorithms([Algorithm::Hs256])
            .keys(set("first"));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let backend = Backend::compiled().unwrap();
        let replaced = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&replaced);
        let sink = Sink::new(move |event: &AuthEvent| {
            let is_one = matches!(event, AuthEvent::KeysReplaced { .. });
            counter.fetch_add(usize::from(is_one), SeqCst);
        });
        let issuers = Issuers::new(vec![issuer], backend, &clock, &sink).unwrap();
        let trusted = issuers.only().unwrap();
        let has = |id| {
            let keys = trusted.usable_keys(clock.now());
            keys.as_ref().unwrap().select(Some(id), Algorithm::Hs256).is_ok()
        };
        trusted.follow(&set("third"), 3);
        trusted.follow(&set("second"), 2);
        trusted.follow(&set("third"), 3);
        assert!(has("third") && !has("second"));
        trusted.follow(&set("fourth"), 4);
        assert!(has("fourth") && !has("third"));
        assert_eq!(replaced.load(SeqCst), 3, "the first, the third and the fourth, once each");
    }
}
