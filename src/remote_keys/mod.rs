//! [`RemoteKeys`]: the keys of an issuer from the network, found, fetched and kept fresh.
//!
//! ```
//! # fn main() -> Result<(), tower_bearer::ConfigError> {
//! use tower_bearer::{Algorithm, Issuer, Verifier, remote_keys::RemoteKeys};
//! # use tower_bearer::remote_keys::Fetching;
//! # let client = |_: http::Request<()>| -> Fetching { Box::pin(async { Err("offline".into()) }) };
//!
//! let verifier = Verifier::builder()
//!     // The address of the keys is in the metadata of the issuer.
//!     .issuer(Issuer::new("https://id.example.com")
//!         .audience("https://api.example.com")
//!         .algorithms([Algorithm::Es256])
//!         .keys(RemoteKeys::discovered().fetch(client)))
//!     // Or it is configured.
//!     .issuer(Issuer::new("https://other.example.com")
//!         .audience("https://api.example.com")
//!         .algorithms([Algorithm::Rs256])
//!         .keys(RemoteKeys::new("https://other.example.com/jwks.json").fetch(client)))
//!     .build()?; // no I/O yet
//! # let _ = verifier;
//! # Ok(())
//! # }
//! ```
//!
//! Building does no I/O and spawns nothing. The first request that needs the keys fetches them, or
//! [`Verifier::ready`](crate::Verifier::ready) does at start. From then on one task per issuer keeps
//! them fresh, off the path of requests, and ends with the last clone of the verifier.
//!
//! - An answer is fresh as long as its HTTP headers say, 60 s to 24 h, and five minutes if they do
//!   not; it is fetched again when about three quarters of that have passed, with its validators.
//! - A key that the issuer withdrew stops verifying when it is fetched the next time.
//! - A token with an unknown key id has the keys fetched once more, if its issuer, algorithm and type
//!   are right, and waits; but at most once in 30 s, whoever asks and whatever the outcome.
//! - Through an outage the last keys serve for another hour; then, and before the first keys, the
//!   answer is 503 with `Retry-After`, never 401. Each failure is an event.
//! - Nothing of a token ever becomes part of an address.
//!
//! [`Verifier::readiness`](crate::Verifier::readiness) tells how each issuer is doing.

#[cfg(feature = "reqwest")]
mod client;
mod discovery;
mod error;
mod fetch;
mod freshness;
mod readiness;
mod refresh;
mod source;

use std::{fmt, ops::RangeInclusive, sync::Arc, time::Duration};

#[cfg(feature = "reqwest")]
pub use self::client::HttpFetch;
pub use self::{
    error::RefreshError,
    fetch::{Fetch, Fetching, MAX_BODY},
    readiness::Readiness,
};
pub(crate) use self::{
    refresh::{Ask, Install, Outcome, Remote},
    source::{Place, Plan},
};
use crate::{
    error::ConfigError,
    url::{SECURE_URL, secure_url},
};

/// Where the keys of an issuer are, and how they are kept.
///
/// See the [module docs](crate::remote_keys) for an example.
#[derive(Clone)]
#[must_use]
pub struct RemoteKeys {
    /// The address of the key document; the metadata of the issuer says it if there is none.
    jwks_uri: Option<String>,
    fetch: Option<Arc<dyn Fetch>>,
    fresh_for: Duration,
    cooldown: Duration,
    stale_for: Duration,
    timeout: Duration,
}

impl RemoteKeys {
    /// The key document at this address: https, or http on a loopback address.
    pub fn new(jwks_uri: impl Into<String>) -> Self {
        Self { jwks_uri: Some(jwks_uri.into()), ..Self::discovered() }
    }

    /// The key document that the issuer's metadata names (RFC 8414, OpenID Connect Discovery 1.0).
    /// The identifier of the issuer must be a URL then.
    pub fn discovered() -> Self {
        Self {
            jwks_uri: None,
            fetch: None,
            fresh_for: Duration::from_secs(5 * 60),
            cooldown: Duration::from_secs(30),
            stale_for: Duration::from_secs(60 * 60),
            timeout: Duration::from_secs(5),
        }
    }

    /// The HTTP client; `HttpFetch` unless said otherwise, if the
    /// feature `reqwest` is on.
    pub fn fetch(self, fetch: impl Fetch) -> Self {
        Self { fetch: Some(Arc::new(fetch)), ..self }
    }

    /// How long keys are fresh if HTTP does not say, in whole seconds: 5 min unless said otherwise,
    /// 60 s to 24 h.
    pub fn fresh_for(self, fresh_for: Duration) -> Self {
        Self { fresh_for, ..self }
    }

    /// The least time from one attempt to the next that a request asks for, in whole seconds: 30 s
    /// unless said otherwise, 5 s to 1 h. After a failure the next one is due in 30 s at the latest.
    pub fn cooldown(self, cooldown: Duration) -> Self {
        Self { cooldown, ..self }
    }

    /// How long keys serve beyond their freshness while they cannot be fetched, in whole seconds:
    /// 1 h unless said otherwise, at most 24 h.
    pub fn stale_for(self, stale_for: Duration) -> Self {
        Self { stale_for, ..self }
    }

    /// How long one attempt may take, in whole seconds: 5 s unless said otherwise, 1 s to 60 s.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Checks the description.
    pub(crate) fn plan(self, issuer: &str) -> Result<Plan, ConfigError> {
        const SETTINGS: [(&str, RangeInclusive<u64>); 4] = [
            ("fresh_for", 60..=24 * 60 * 60),
            ("cooldown", 5..=60 * 60),
            ("stale_for", 0..=24 * 60 * 60),
            ("timeout", 1..=60),
        ];
        let values = [self.fresh_for, self.cooldown, self.stale_for, self.timeout];
        for ((name, range), value) in SETTINGS.into_iter().zip(values) {
            ConfigError::in_range(name, ConfigError::whole_seconds(name, value)?, range)?;
        }
        let place = match self.jwks_uri {
            Some(value) => match secure_url(&value) {
                Some(uri) => Place::KeyDocument(uri),
                None => {
                    let (name, remedy) = ("jwks_uri", SECURE_URL);
                    return Err(ConfigError::InvalidUrl { name, value, remedy });
                }
            },
            None => Place::Metadata(discovery::locations(issuer)?),
        };
        #[cfg(feature = "reqwest")]
        let fetch = Some(self.fetch.unwrap_or_else(|| Arc::new(HttpFetch::new())));
        #[cfg(not(feature = "reqwest"))]
        let fetch = self.fetch;
        let fetch = fetch.ok_or_else(|| ConfigError::NoFetch { issuer: issuer.into() })?;
        let Self { fresh_for, cooldown, stale_for, timeout, .. } = self;
        Ok(Plan { issuer: issuer.into(), place, fetch, fresh_for, cooldown, stale_for, timeout })
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys").field("jwks_uri", &self.jwks_uri).finish_non_exhaustive()
    }
}
