use std::{
    fmt,
    future::pending,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    Throttle,
    counts::{Counts, Keys},
    external::{GuessAttempt, GuessLimiter},
    permit::{Outcome, Permit},
    shared::Shared,
    throttled::Throttled,
};
use crate::{
    crypto::MacKey,
    issue::{GuessEntry, GuessLog, Source, StoreError},
    time::UnixTime,
};

/// How many records are read at a time.
const READ_AT_ONCE: usize = 10_000;

/// Says who has to wait.
///
/// Not knowing which applications exist, it cannot tell it to anybody. Every memory is bounded, and
/// an entry has the same size whatever the name is.
pub(crate) struct Limiter {
    /// Random, so that nobody can find names that share an entry; where servers count together they hash
    /// under a key that they share instead.
    hasher: RandomState,
    counts: Mutex<Counts>,
    shared: Option<Shared>,
    external: Option<Arc<dyn GuessLimiter>>,
}

impl Limiter {
    /// Nothing has failed yet. The settings are [checked](Throttle::check).
    pub(crate) fn new(settings: &Throttle) -> Self {
        let counts = Mutex::new(Counts::new(settings));
        Self { hasher: RandomState::new(), counts, shared: None, external: None }
    }

    /// Counts under hashes of this key, which all servers of a store have, and exchanges with them what
    /// failed.
    pub(crate) fn with_shared(self, key: Arc<MacKey>) -> Self {
        Self { shared: Some(Shared::new(key)), ..self }
    }

    /// Asks and tells another one, too.
    pub(crate) fn with_external(self, external: Option<Arc<dyn GuessLimiter>>) -> Self {
        Self { external, ..self }
    }

    /// Whether an attempt may be made, as [`admit`](Self::admit), by the other limiter, too.
    pub(crate) async fn admit_by_all<'a>(
        &'a self,
        who: &'a str,
        source: Source,
        now: UnixTime,
    ) -> Result<Permit<'a>, Throttled> {
        let permit = self.admit(who, source, now)?;
        let Some(external) = self.external.as_deref() else {
            return Ok(permit);
        };
        let attempt = GuessAttempt { application: Some(who), source };
        match external.admit(attempt).await {
            Ok(()) => Ok(permit.telling(external, attempt)),
            Err(wait) => Err(Throttled::external(wait)),
        }
    }

    /// Whether the source may present a token, as [`check`](Self::check), by the other limiter, too.
    pub(crate) async fn check_by_all(
        &self,
        source: Source,
        now: UnixTime,
    ) -> Result<(), Throttled> {
        self.check(source, now)?;
        match &self.external {
            Some(external) => {
                let attempt = GuessAttempt { application: None, source };
                external.admit(attempt).await.map_err(Throttled::external)
            }
            None => Ok(()),
        }
    }

    /// Whether an attempt may be made, to be asked before anything else is done for it. `who` is
    /// the application name or client id as presented. `now` was asked for just before: by an older
    /// time the clock would count as set back.
    pub(crate) fn admit(
        &self,
        who: &str,
        source: Source,
        now: UnixTime,
    ) -> Result<Permit<'_>, Throttled> {
        let keys = source.network().map(|network| Keys {
            pair: self.hash(Some(who), network),
            source: self.hash(None, network),
        });
        self.counts().admit(keys, now)?;
        Ok(Permit::new(self, keys))
    }

    /// Whether the source may present something to be looked up that needs no application, such as
    /// a token. `now` as for [`admit`](Self::admit).
    pub(crate) fn check(&self, source: Source, now: UnixTime) -> Result<(), Throttled> {
        let key = self.source_key(source);
        self.counts().check(key, now)
    }

    /// Counts it as a failure of the source's that what it presented does not exist.
    pub(crate) fn note_miss(&self, source: Source, now: UnixTime) {
        let key = self.source_key(source);
        self.counts().note_miss(key, now);
        if let Some(shared) = &self.shared {
            shared.failed(None, key);
        }
        if let Some(external) = &self.external {
            external.failed(GuessAttempt { application: None, source });
        }
    }

    /// Whether an application that authenticated may ask about a token. `now` as for
    /// [`admit`](Self::admit).
    pub(crate) fn check_caller(&self, caller: &str, now: UnixTime) -> Result<(), Throttled> {
        let key = self.hasher.hash_one(caller);
        self.counts().check_caller(key, now)
    }

    /// Counts it for that application that the token came to nothing.
    pub(crate) fn note_caller_miss(&self, caller: &str, now: UnixTime) {
        let key = self.hasher.hash_one(caller);
        self.counts().note_caller_miss(key, now);
    }

    pub(super) fn settle(&self, keys: Option<Keys>, outcome: Outcome) {
        let mut counts = self.counts();
        let Some(shared) = &self.shared else {
            counts.settle(keys, outcome);
            return;
        };
        match (outcome, keys) {
            (Outcome::Succeeded(_), Some(keys)) => {
                let is_told =
                    counts.is_to_be_told(keys) && shared.succeeded(keys.pair, keys.source);
                counts.settle(Some(keys), outcome);
                if is_told {
                    counts.note_told(keys.pair, 0);
                }
            }
            (Outcome::Failed(_) | Outcome::Dropped, keys) => {
                counts.settle(keys, outcome);
                shared.failed(keys.map(|keys| keys.pair), keys.map(|keys| keys.source));
            }
            _ => counts.settle(keys, outcome),
        }
    }

    /// Uses another key from now on; what was counted under the one before is forgotten in time.
    pub(crate) fn replace_key(&self, key: Arc<MacKey>) {
        if let Some(shared) = &self.shared {
            shared.replace_key(key);
        }
    }

    /// Tells the other servers what failed here, and counts what failed at theirs.
    pub(crate) async fn exchange(
        &self,
        log: &dyn GuessLog,
        now: UnixTime,
    ) -> Result<(), StoreError> {
        let Some(shared) = &self.shared else {
            return Ok(());
        };
        let mut place = shared.place.lock().await;
        let untold = shared.take();
        // Whoever cannot tell hears all the same.
        let told = if untold.is_empty() { Ok(()) } else { log.add(untold).await };
        loop {
            let page = log.after(*place, READ_AT_ONCE).await?;
            let mut counts = self.counts();
            for GuessEntry { record, age } in &page.entries {
                if !shared.is_own(record) {
                    counts.learn(&record.guess, age.as_secs(), now);
                }
            }
            drop(counts);
            *place = page.next;
            if !page.has_more {
                return told;
            }
        }
    }

    /// Waits until there is something to tell.
    pub(crate) async fn has_untold(&self) {
        match &self.shared {
            Some(shared) => shared.has_untold.notified().await,
            None => pending().await,
        }
    }

    fn source_key(&self, source: Source) -> Option<u64> {
        source.network().map(|network| self.hash(None, network))
    }

    /// Under what a source counts, with an application or without.
    fn hash(&self, who: Option<&str>, network: IpAddr) -> u64 {
        match &self.shared {
            Some(shared) => shared.hash(who, network),
            None => self.hasher.hash_one((who, network)),
        }
    }

    /// A panic of another thread leaves numbers behind that are still numbers.
    pub(super) fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").finish_non_exhaustive()
    }
}
