use std::{marker::PhantomData, sync::Arc};

use serde::de::DeserializeOwned;

#[cfg(feature = "cache")]
use super::cache::{CacheConfig, TokenCache};
use super::{Shared, Verifier, issuers::Issuers, memo::HeaderMemo};
use crate::{
    crypto::Backend,
    error::ConfigError,
    event::{OnEvent, Sink},
    issuer::Issuer,
    time::{Clock, SystemClock},
};

/// The least and the most bytes of a token that can be configured.
const TOKEN_LEN: std::ops::RangeInclusive<u64> = 256..=64 * 1024;

/// Describes a [`Verifier`].
#[must_use]
pub struct VerifierBuilder<C = ()> {
    issuers: Vec<Issuer>,
    backend: Option<Backend>,
    clock: Arc<dyn Clock>,
    max_token_len: usize,
    events: Sink,
    #[cfg(feature = "cache")]
    cache: Option<CacheConfig>,
    claims: PhantomData<fn() -> C>,
}

impl VerifierBuilder {
    pub(super) fn new() -> Self {
        Self {
            issuers: Vec::new(),
            backend: None,
            clock: Arc::new(SystemClock),
            max_token_len: 8 * 1024,
            events: Sink::default(),
            #[cfg(feature = "cache")]
            cache: None,
            claims: PhantomData,
        }
    }
}

impl<C> VerifierBuilder<C> {
    /// Trusts this issuer; call it once for each.
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// The application's own claims type; `()` unless said otherwise. See the
    /// [claims module](crate::claims) for what fits.
    pub fn claims<D>(self) -> VerifierBuilder<D> {
        VerifierBuilder {
            issuers: self.issuers,
            backend: self.backend,
            clock: self.clock,
            max_token_len: self.max_token_len,
            events: self.events,
            #[cfg(feature = "cache")]
            cache: self.cache,
            claims: PhantomData,
        }
    }

    /// The cryptographic backend; [`Backend::compiled`] unless said otherwise.
    pub fn backend(self, backend: Backend) -> Self {
        Self { backend: Some(backend), ..self }
    }

    /// The clock; the system's unless said otherwise.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The longest token that is looked at, in bytes: 8 KiB unless said otherwise, 256 bytes to
    /// 64 KiB.
    pub fn max_token_len(self, bytes: usize) -> Self {
        Self { max_token_len: bytes, ..self }
    }

    /// Remembers tokens that were accepted, so that the next request with the same one costs no
    /// signature; nothing is remembered unless said so.
    ///
    /// What can be otherwise at the next request is looked at each time: whether the token has expired,
    /// is revoked, is of a tenant that is ours, and whether the keys of its issuer are the same. Guards
    /// and extractors do not know where the claims come from. Refusals are never remembered.
    ///
    /// All requests with one token share one value of the application's type, which is made once and
    /// dropped when the token makes room, perhaps while another request is verified: it must not depend
    /// on anything but the claims. Whoever can read the memory of the process finds tokens there that
    /// are still good.
    #[cfg(feature = "cache")]
    pub fn cache(self, config: CacheConfig) -> Self {
        Self { cache: Some(config), ..self }
    }

    /// Where events go: of the keys, and of the requests of every layer with this verifier. Without
    /// it they go to `tracing`, if the feature is on.
    pub fn on_event(self, sink: impl OnEvent) -> Self {
        Self { events: Sink::new(sink), ..self }
    }

    /// Checks the description and prepares the keys. Does no I/O and spawns nothing.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the value that does not do, and the remedy.
    pub fn build(self) -> Result<Verifier<C>, ConfigError>
    where
        C: DeserializeOwned + Send + Sync + 'static,
    {
        let backend = match self.backend {
            Some(backend) => backend.checked()?,
            None => Backend::compiled()?,
        };
        ConfigError::in_range("max_token_len", self.max_token_len as u64, TOKEN_LEN)?;
        let shared = Shared {
            issuers: Issuers::new(self.issuers, backend, &self.clock, &self.events)?,
            backend,
            clock: self.clock,
            max_token_len: self.max_token_len,
            headers: HeaderMemo::new(),
            events: self.events,
            #[cfg(feature = "cache")]
            cache: self.cache.as_ref().map(TokenCache::new).transpose()?,
        };
        Ok(Verifier { shared: Arc::new(shared), claims: PhantomData })
    }
}

impl<C> std::fmt::Debug for VerifierBuilder<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifierBuilder").field("issuers", &self.issuers).finish_non_exhaustive()
    }
}
