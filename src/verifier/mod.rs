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
mod issuers;
mod memo;
mod pipeline;

use std::{fmt, sync::Arc};

pub use self::builder::VerifierBuilder;
use self::{issuers::Issuers, memo::HeaderMemo};
use crate::{
    authenticate::{Attempt, Authenticate, Events},
    crypto::Backend,
    error::{AuthError, AuthErrorKind, ConfigError},
    event::Sink,
    key::KeySet,
    time::Clock,
    token::{PresentedToken, RequestHead},
    verified::{AuthContext, Verified},
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
    clock: Box<dyn Clock>,
    max_token_len: usize,
    headers: HeaderMemo,
    events: Sink,
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
        pipeline::verify(&self.shared, token.as_bytes())
    }

    /// Verifies a token. As all keys are at hand it does not wait; a source of keys that must be
    /// asked would.
    ///
    /// # Errors
    ///
    /// As [`verify_now`](Self::verify_now).
    pub async fn verify(&self, token: &str) -> Result<Verified<C>, AuthError> {
        self.verify_now(token)
    }
}

impl<C> Verifier<C> {
    /// Whether every issuer has keys: an eager check when a service starts.
    ///
    /// # Errors
    ///
    /// [`KeysUnavailable`](AuthErrorKind::KeysUnavailable) if an issuer waits for
    /// [`replace_keys`](Self::replace_keys).
    pub async fn ready(&self) -> Result<(), AuthError> {
        if self.shared.issuers.all_have_keys() {
            Ok(())
        } else {
            Err(AuthErrorKind::KeysUnavailable.into())
        }
    }

    /// Replaces the keys of an issuer while requests are served. Requests that are under way
    /// finish with the keys that they found; the next ones see the new keys only.
    ///
    /// Returns the generation of the new key set, which grows with each replacement.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the issuer is unknown, or none of the keys can be used with its
    /// algorithms; the old keys then stay.
    pub fn replace_keys(&self, issuer: &str, keys: impl Into<KeySet>) -> Result<u64, ConfigError> {
        let Shared { issuers, backend, events, .. } = &*self.shared;
        issuers.replace_keys(issuer, &keys.into(), *backend, events)
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static> Authenticate for Verifier<C> {
    fn authenticate(&self, token: PresentedToken<'_>, _head: &RequestHead<'_>) -> Attempt {
        let verified = pipeline::verify::<C>(&self.shared, token.as_bytes());
        Attempt::Ready(verified.map(AuthContext::from))
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
