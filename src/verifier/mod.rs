//! [`Verifier`]: verifies tokens of the issuers it trusts, with or without HTTP around it.
//!
//! ```
//! use tower_bearer::test_util::TestIssuer;
//! use tower_bearer::{AuthErrorKind, Verifier};
//!
//! let issuer = TestIssuer::new();
//! let verifier = Verifier::builder().issuer(issuer.trusted()).build()?;
//!
//! let verified = verifier.verify_now(&issuer.token().subject("alice").scope("reports:read").sign())?;
//! assert_eq!(verified.subject(), Some("alice"));
//! assert!(verified.scopes().contains("reports:read"));
//!
//! let refused = verifier.verify_now(&issuer.token().expired().sign()).unwrap_err();
//! assert_eq!(refused.kind(), AuthErrorKind::Expired);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
#[cfg(feature = "cache")]
mod cache;
mod issuers;
mod memo;
mod pipeline;
mod trusted;

use std::{fmt, sync::Arc};

pub use self::builder::VerifierBuilder;
#[cfg(feature = "cache")]
pub use self::cache::{CacheConfig, CacheStats};
#[cfg(feature = "remote-keys")]
use self::trusted::Trusted;
use self::{issuers::Issuers, memo::HeaderMemo, pipeline::Fault};
use crate::{
    authenticate::{Attempt, Authenticate, Events},
    crypto::Backend,
    error::{AuthError, AuthErrorKind, ConfigError, Signed},
    event::Sink,
    key::KeySet,
    time::Clock,
    token::{PresentedToken, RequestHead},
    verified::{AuthContext, Verified},
};
#[cfg(feature = "remote-keys")]
use crate::{
    remote_keys::{Ask, Outcome, Readiness},
    secret::Secret,
};
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// Verifies bearer tokens; `C` is the application's claims type.
///
/// Cheap to clone; all clones share the keys. See the [module docs](crate::verifier) for an
/// example.
pub struct Verifier<C = ()> {
    shared: Arc<Shared>,
    claims: PhantomData<fn() -> C>,
}

/// What all clones of a verifier share.
struct Shared {
    issuers: Issuers,
    backend: Backend,
    clock: Arc<dyn Clock>,
    max_token_len: usize,
    headers: HeaderMemo,
    events: Sink,
    #[cfg(feature = "cache")]
    cache: Option<cache::TokenCache>,
}

impl Shared {
    /// Who a token speaks for that was verified before.
    #[inline]
    fn recall(&self, token: &[u8]) -> Option<AuthContext> {
        #[cfg(feature = "cache")]
        return self.cache.as_ref()?.recall(token, &self.issuers, || self.clock.now());
        #[cfg(not(feature = "cache"))]
        {
            let _ = token;
            None
        }
    }
}

impl Verifier {
    /// Describes a verifier.
    pub fn builder() -> VerifierBuilder {
        VerifierBuilder::new()
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static> Verifier<C> {
    /// Verifies a token, with the keys that are at hand.
    ///
    /// # Errors
    ///
    /// Why the token is refused, or cannot be decided about
    /// ([`KeysUnavailable`](AuthErrorKind::KeysUnavailable)).
    pub fn verify_now(&self, token: &str) -> Result<Verified<C>, AuthError> {
        match self.recall(token.as_bytes()) {
            Some(verified) => Ok(verified),
            None => pipeline::verify(&self.shared, token.as_bytes()).map_err(Fault::error),
        }
    }

    /// Verifies a token. Waits only if its key must be fetched first; dropping the future then
    /// gives up the waiting and nothing else.
    ///
    /// # Errors
    ///
    /// As [`verify_now`](Self::verify_now).
    pub async fn verify(&self, token: &str) -> Result<Verified<C>, AuthError> {
        let token = token.as_bytes();
        if let Some(verified) = self.recall(token) {
            return Ok(verified);
        }
        match self.start(token) {
            Start::Decided(decided) => decided,
            #[cfg(feature = "remote-keys")]
            Start::Wait(issuer) => self.finish(&issuer, token).await,
        }
    }

    /// The same token, if it was verified before.
    #[inline]
    fn recall(&self, token: &[u8]) -> Option<Verified<C>> {
        self.shared.recall(token).and_then(AuthContext::recalled)
    }

    /// Verifies a token as far as that is possible without waiting.
    #[inline(always)]
    fn start(&self, token: &[u8]) -> Start<C> {
        match pipeline::verify(&self.shared, token) {
            Ok(verified) => Start::Decided(Ok(verified)),
            #[cfg(feature = "remote-keys")]
            Err(Fault::NoKey(issuer, error)) => match issuer.ask() {
                Some(Ask::Wait) => Start::Wait(Arc::clone(issuer)),
                Some(Ask::Settled(outcome)) => Start::Decided(Err(without_key(error, outcome))),
                None => Start::Decided(Err(error)),
            },
            Err(fault) => Start::Decided(Err(fault.error())),
        }
    }

    /// Verifies a token after its issuer's keys were fetched once more.
    #[cfg(feature = "remote-keys")]
    async fn finish(&self, issuer: &Arc<Trusted>, token: &[u8]) -> Result<Verified<C>, AuthError> {
        let outcome = issuer.refreshed().await;
        match pipeline::verify(&self.shared, token) {
            Err(Fault::NoKey(_, error)) => Err(without_key(error, outcome)),
            decided => decided.map_err(Fault::error),
        }
    }
}

/// How far a token got without waiting.
enum Start<C: 'static> {
    Decided(Result<Verified<C>, AuthError>),
    /// For the keys of this issuer.
    #[cfg(feature = "remote-keys")]
    Wait(Arc<Trusted>),
}

/// A key that is unknown after the keys were fetched is unknown; if they could not be fetched, nobody
/// knows.
#[cfg(feature = "remote-keys")]
fn without_key(error: AuthError, outcome: Outcome) -> AuthError {
    match outcome {
        Ok(()) => error,
        Err(source) => error.but(AuthErrorKind::KeysUnavailable).with_source(source),
    }
}

impl<C> Verifier<C> {
    /// Whether every issuer has keys, and everything that was revoked is known: an eager check when a
    /// service starts. Keys that are fetched are fetched now if none are at hand, and the first pass of
    /// a feed of revocations is waited for.
    ///
    /// # Errors
    ///
    /// [`KeysUnavailable`](AuthErrorKind::KeysUnavailable) with the first issuer that has none, or
    /// [`RevocationsUnavailable`](AuthErrorKind::RevocationsUnavailable), and why.
    pub async fn ready(&self) -> Result<(), AuthError> {
        for issuer in self.shared.issuers.iter() {
            let is_ready = || issuer.usable_keys(self.shared.clock.now()).is_some();
            let unavailable = || {
                let error = AuthError::new(AuthErrorKind::KeysUnavailable);
                error.of_issuer(&issuer.policy.issuer, Signed::No)
            };
            #[cfg(feature = "remote-keys")]
            if !is_ready() {
                issuer.refreshed().await.map_err(|source| unavailable().with_source(source))?;
            }
            if !is_ready() {
                return Err(unavailable());
            }
        }
        #[cfg(feature = "revocation-feed")]
        self.revocations_are_known().await?;
        Ok(())
    }

    #[cfg(feature = "revocation-feed")]
    async fn revocations_are_known(&self) -> Result<(), AuthError> {
        for issuer in self.shared.issuers.iter() {
            let Some(revocations) = &issuer.revocations else {
                continue;
            };
            let unavailable = || {
                let error = AuthError::new(AuthErrorKind::RevocationsUnavailable);
                error.of_issuer(&issuer.policy.issuer, Signed::No)
            };
            revocations
                .loaded()
                .await
                .map_err(|source| source.into_iter().fold(unavailable(), AuthError::with_source))?;
            if !revocations.is_current(self.shared.clock.now()) {
                return Err(unavailable());
            }
        }
        Ok(())
    }

    /// How the issuers are doing whose keys are fetched.
    #[cfg(feature = "remote-keys")]
    #[must_use]
    pub fn readiness(&self) -> Vec<Readiness> {
        self.shared.issuers.iter().filter_map(|issuer| issuer.readiness()).collect()
    }

    /// What the [cache](VerifierBuilder::cache) did so far; nothing without one. All clones of a
    /// verifier share it.
    #[cfg(feature = "cache")]
    #[must_use]
    pub fn cache_stats(&self) -> Option<CacheStats> {
        self.shared.cache.as_ref().map(cache::TokenCache::stats)
    }

    /// Replaces the keys of an issuer while requests are served. Requests that are under way
    /// finish with the keys that they found; the next ones see the new keys only.
    ///
    /// Returns the generation of the new key set, which grows with each replacement.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the issuer is unknown, its keys are fetched, or none of the keys can be
    /// used with its algorithms; the old keys then stay.
    pub fn replace_keys(&self, issuer: &str, keys: impl Into<KeySet>) -> Result<u64, ConfigError> {
        self.shared.issuers.replace_keys(issuer, &keys.into())
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static> Authenticate for Verifier<C> {
    fn authenticate(&self, token: PresentedToken<'_>, _head: &RequestHead<'_>) -> Attempt {
        if let Some(caller) = self.shared.recall(token.as_bytes()) {
            return Attempt::Ready(Ok(caller));
        }
        match self.start(token.as_bytes()) {
            Start::Decided(decided) => Attempt::Ready(decided.map(AuthContext::from)),
            #[cfg(feature = "remote-keys")]
            Start::Wait(issuer) => {
                let (verifier, token) = (self.clone(), Secret::new(token.as_bytes().to_vec()));
                Attempt::Later(Box::pin(async move {
                    verifier.finish(&issuer, token.expose()).await.map(AuthContext::from)
                }))
            }
        }
    }

    fn events(&self) -> Events {
        Events(self.shared.events.clone())
    }
}

impl<C> Clone for Verifier<C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), claims: PhantomData }
    }
}

impl<C> fmt::Debug for Verifier<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("issuers", &self.shared.issuers)
            .field("backend", &self.shared.backend)
            .finish_non_exhaustive()
    }
}
