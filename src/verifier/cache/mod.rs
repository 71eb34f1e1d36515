//! Tokens that were verified before.

mod config;
mod counts;
mod stats;

use std::{
    borrow::Borrow,
    hash::{Hash, Hasher},
};

use foldhash::quality::RandomState;
use quick_cache::{Lifecycle, Weighter, sync::Cache};
use zeroize::Zeroizing;

pub use self::{config::CacheConfig, stats::CacheStats};
use self::{config::TABLES, counts::Counts};
use crate::{
    error::ConfigError, policy, time::UnixTime, verified::AuthContext, verifier::issuers::Issuers,
};

/// Tokens that were accepted, and what they say.
///
/// It knows facts and no decisions: what can be otherwise at the next request is looked at again.
/// What does not hold any more is forgotten, and the token is verified as if it were new, so that
/// there is still one place that refuses.
pub(super) struct TokenCache {
    known: Cache<Token, Known, Bytes, RandomState, Forgotten>,
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
            known: Cache::with_options(options, Bytes, RandomState::default(), Forgotten),
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
        // Longer ones are not there, and need not be hashed to find that out.
        let known = if self.takes(token) { self.known.get(token) } else { None };
        match known {
            Some(known) if still_holds(&known, issuers, now()) => {
                self.counts.hit();
                return Some(known.caller);
            }
            Some(known) => {
                // Unless another request has put it in anew.
                self.known.remove_if(token, |now| now.epoch == known.epoch);
            }
            None => {}
        }
        self.counts.miss();
        None
    }

    /// Remembers a token that was accepted, with a key of these.
    pub(super) fn remember(&self, token: &[u8], caller: &AuthContext, issuer: u32, epoch: u64) {
        if !self.takes(token) {
            return;
        }
        let bytes = TABLES + token.len() + caller.bytes();
        let bytes = u32::try_from(bytes.max(self.least)).unwrap_or(u32::MAX);
        let known = Known { caller: caller.clone(), issuer, bytes, epoch };
        let mut forgotten = Vec::new();
        let own = Token(Zeroizing::new(token.into()));
        self.known.insert_with_lifecycle(own, known, &mut forgotten);
        // The same token made room for nothing: another request had put it in, or it is too large.
        let evicted = forgotten.iter().filter(|(other, _)| **other.0 != *token).count();
        self.counts.evicted(evicted as u64);
    }

    fn takes(&self, token: &[u8]) -> bool {
        token.len() <= self.max_token_len
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
    let keys = trusted.usable_keys(now);
    keys.as_ref().is_some_and(|keys| keys.epoch == known.epoch)
        && policy::check_time(&trusted.policy, grant.claims(), now).is_ok()
        && is_ours()
        && !trusted.revokes(grant)
}

/// A token that was accepted, which whoever has it can present.
struct Token(Zeroizing<Box<[u8]>>);

impl Borrow<[u8]> for Token {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

/// As its bytes, by which it is looked up.
impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self.0).hash(state);
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }
}

impl Eq for Token {}

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
