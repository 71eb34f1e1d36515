//! Tokens that were verified before.

mod config;
mod counts;
mod stats;
mod token;

use std::hash::BuildHasherDefault;

use foldhash::quality::RandomState;
use quick_cache::{Lifecycle, Weighter, sync::Cache};

pub use self::{config::CacheConfig, stats::CacheStats};
use self::{
    config::TABLES,
    counts::Counts,
    token::{Asked, Hashed, Token},
};
use crate::{
    error::ConfigError, policy, time::UnixTime, verified::AuthContext, verifier::issuers::Issuers,
};

/// Tokens that were accepted, and what they say.
///
/// It knows facts and no decisions: what can be otherwise at the next request is looked at again.
/// What does not hold any more is forgotten, and the token is verified as if it were new, so that
/// there is still one place that refuses.
pub(super) struct TokenCache {
    known: Cache<Token, Known, Bytes, BuildHasherDefault<Hashed>, Forgotten>,
    /// With a random key of this process.
    hasher: RandomState,
    max_token_len: usize,
    /// The least that an entry counts, so that the bound of the bytes is also one of the entries.
    least: usize,
    counts: Counts,
}

/// What is known of a token.
#[derive(Clone)]
struct Known {
    caller: AuthContext,
    /// The place of its issuer among those of the verifier.
    issuer: u32,
    /// What it counts.
    bytes: u32,
    /// The keys among which its key was found.
    epoch: u64,
}

impl TokenCache {
    pub(super) fn new(config: &CacheConfig) -> Result<Self, ConfigError> {
        let options = config.options()?;
        Ok(Self {
            known: Cache::with_options(options, Bytes, BuildHasherDefault::new(), Forgotten),
            hasher: RandomState::default(),
            max_token_len: config.max_token_len,
            least: config.least(),
            counts: Counts::default(),
        })
    }

    /// The caller that this token speaks for, if that was found out before and still holds.
    #[inline]
    pub(super) fn recall(
        &self,
        token: &[u8],
        issuers: &Issuers,
        now: impl FnOnce() -> UnixTime,
    ) -> Option<AuthContext> {
        if let Some(token) = self.asked(token)
            && let Some(known) = self.known.get(&token)
        {
            if still_holds(&known, issuers, now()) {
                self.counts.hit();
                return Some(known.caller);
            }
            // Unless another request has put it in anew.
            self.known.remove_if(&token, |now| now.epoch == known.epoch);
        }
        self.counts.miss();
        None
    }

    /// Remembers a token that was accepted, with a key of these.
    pub(super) fn remember(&self, token: &[u8], caller: &AuthContext, issuer: u32, epoch: u64) {
        let Some(asked) = self.asked(token) else {
            return;
        };
        let bytes = TABLES + token.len() + caller.bytes();
        let bytes = u32::try_from(bytes.max(self.least)).unwrap_or(u32::MAX);
        let known = Known { caller: caller.clone(), issuer, bytes, epoch };
        let mut forgotten = Vec::new();
        self.known.insert_with_lifecycle(asked.to_token(), known, &mut forgotten);
        // The same token made room for nothing: another request had put it in, or it is too large.
        let evicted = forgotten.iter().filter(|(other, _)| !other.is(token)).count();
        self.counts.evicted(evicted as u64);
    }

    /// Longer ones are not there, and need not be hashed to find that out.
    #[inline]
    fn asked<'t>(&self, token: &'t [u8]) -> Option<Asked<'t>> {
        (token.len() <= self.max_token_len).then(|| Asked::new(token, &self.hasher))
    }

    pub(super) fn stats(&self) -> CacheStats {
        self.counts.stats(self.known.len() as u64, self.known.weight())
    }
}

/// Whether everything that can change is as it was: the keys, the time, whose tokens are taken, and
/// that nothing was revoked.
#[inline]
fn still_holds(known: &Known, issuers: &Issuers, now: UnixTime) -> bool {
    let (Some(trusted), Some(grant)) = (issuers.at(known.issuer), known.caller.grant()) else {
        return false;
    };
    // Which tenants are ours is the application's to say, each time.
    let is_ours = || {
        trusted.policy.tenants.is_none()
            || issuers.get(grant.issuer()).is_some_and(|trusted| trusted.place == known.issuer)
    };
    trusted.usable_epoch(now) == Some(known.epoch)
        && policy::check_time(&trusted.policy, grant.claims(), now).is_ok()
        && is_ours()
        && trusted.check_revoked(grant, now).is_ok()
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Token, Known> for Bytes {
    fn weight(&self, _token: &Token, known: &Known) -> u64 {
        known.bytes.into()
    }
}

/// Collects what is forgotten, to be dropped when no lock is held any more: it holds a value of the
/// application's type.
#[derive(Clone)]
struct Forgotten;

impl Lifecycle<Token, Known> for Forgotten {
    type RequestState = Vec<(Token, Known)>;

    fn on_evict(&self, forgotten: &mut Self::RequestState, token: Token, known: Known) {
        forgotten.push((token, known));
    }
}
