use std::{
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::Duration,
};

use arc_swap::ArcSwap;

use super::{
    feed::Pages,
    following::Following,
    hashing::Hashing,
    maintenance::{self, Keeping},
    rotation::Rules,
    secret,
    server::{AuthorizationServer, Core, MAX_ACCESS_LIFETIME, Settings, trusted},
    server_keys::ServerKeys,
    store::{Store, StoreError},
    throttle::{GuessLimiter, Limiter, Throttle},
    turns::Turns,
};
use crate::{
    crypto::{Algorithm, Backend},
    error::ConfigError,
    event::{OnEvent, Sink},
    key::LiveKeys,
    revocation::Revocations,
    time::{Clock, SystemClock},
    url::secure_url,
    verifier::Verifier,
};

const DAY: u64 = 24 * 3600;

/// Describes an [`AuthorizationServer`].
#[must_use]
pub struct ServerBuilder {
    store: Arc<dyn Store>,
    issuer: Option<String>,
    keys: Option<ServerKeys>,
    backend: Option<Backend>,
    algorithm: Algorithm,
    access_lifetime: Duration,
    idle: Duration,
    absolute: Duration,
    grace: Duration,
    max_families: usize,
    secret_prefix: String,
    secret_lifetime: Duration,
    rotate_every: Duration,
    publish_ahead: Duration,
    throttle: Throttle,
    guess_limiter: Option<Arc<dyn GuessLimiter>>,
    clock: Arc<dyn Clock>,
    events: Sink,
}

/// Why a server cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The description is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store fails, or a signing key cannot be made or opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ServerBuilder {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            issuer: None,
            keys: None,
            backend: None,
            algorithm: Algorithm::Es256,
            access_lifetime: Duration::from_secs(600),
            idle: Duration::from_secs(15 * DAY),
            absolute: Duration::from_secs(30 * DAY),
            grace: Duration::from_secs(10),
            max_families: 100,
            secret_prefix: "tbs".to_owned(),
            secret_lifetime: Duration::from_secs(365 * DAY),
            rotate_every: Duration::from_secs(90 * DAY),
            publish_ahead: Duration::from_secs(DAY),
            throttle: Throttle::default(),
            guess_limiter: None,
            clock: Arc::new(SystemClock),
            events: Sink::default(),
        }
    }

    /// The issuer identifier: an https URL without query and fragment (RFC 8414 section 2), or an
    /// http one on a loopback address. It is the `iss` of all tokens, byte for byte.
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// The keys that the server holds and its store does not.
    pub fn keys(self, keys: ServerKeys) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// What access tokens are signed with; ES256 unless said otherwise. With HS256 whoever verifies
    /// can also sign, so it suits services in the same process only (RFC 9068 section 4 wants
    /// public keys). The backend `rust-crypto` does not sign with RSA.
    pub fn algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// How long access tokens live, in whole seconds: 600 s unless said otherwise, 30 s to one hour
    /// (RFC 6750 section 5.3).
    pub fn access_lifetime(self, lifetime: Duration) -> Self {
        Self { access_lifetime: lifetime, ..self }
    }

    /// How long refresh families live, in whole seconds: without use, 15 days unless said
    /// otherwise; and at most, 30 days, which no use extends. One minute to a year.
    pub fn refresh_lifetime(self, idle: Duration, absolute: Duration) -> Self {
        Self { idle, absolute, ..self }
    }

    /// How long the refresh token before the current one is still answered, with the current one,
    /// for clients whose answer was lost: 10 s unless said otherwise, at most 60 s; with zero it
    /// never is.
    ///
    /// A store may fail after it has done what it was asked, so an outage that outlasts the grace
    /// can look like reuse to the first refresh after it: the family ends, and the application
    /// authenticates again.
    pub fn refresh_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// How many refresh families of one application may live at once: 100 unless said otherwise, 1
    /// to 10 000. One more ends the oldest. Those that are opened at the same moment can be more
    /// together; the next one ends them.
    pub fn max_families(self, families: usize) -> Self {
        Self { max_families: families, ..self }
    }

    /// What generated secrets begin with, so that scanners find those that leaked: `tbs` unless
    /// said otherwise, 2 to 16 lower-case letters and digits.
    pub fn secret_prefix(self, prefix: impl Into<String>) -> Self {
        Self { secret_prefix: prefix.into(), ..self }
    }

    /// How long secrets live, in whole seconds: a year unless said otherwise, one hour to ten years.
    pub fn secret_lifetime(self, lifetime: Duration) -> Self {
        Self { secret_lifetime: lifetime, ..self }
    }

    /// How often the signing key is replaced, 90 days unless said otherwise, and how long the next
    /// one is published before it signs, 24 hours. The latter must be longer than anybody keeps the
    /// key document: five minutes at least.
    pub fn key_rotation(self, every: Duration, publish_ahead: Duration) -> Self {
        Self { rotate_every: every, publish_ahead, ..self }
    }

    /// The limits on guessing.
    pub fn throttle(self, throttle: Throttle) -> Self {
        Self { throttle, ..self }
    }

    /// Another limiter, which is asked and told beside the built-in one.
    pub fn guess_limiter(self, limiter: impl GuessLimiter) -> Self {
        Self { guess_limiter: Some(Arc::new(limiter)), ..self }
    }

    /// The cryptographic backend; [`Backend::compiled`] unless said otherwise.
    pub fn backend(self, backend: Backend) -> Self {
        Self { backend: Some(backend), ..self }
    }

    /// The clock; the system's unless said otherwise.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Where events go; to `tracing` unless said otherwise, if the feature is on.
    pub fn on_event(self, sink: impl OnEvent) -> Self {
        Self { events: Sink::new(sink), ..self }
    }

    /// Checks the description, reads the signing keys and revocations from the store, and makes the
    /// first signing key if there is none.
    ///
    /// # Errors
    ///
    /// [`OpenError`] names the value that does not do and the remedy, or says how the store failed.
    pub async fn open(self) -> Result<AuthorizationServer, OpenError> {
        let settings = self.settings()?;
        let keys = self.keys.clone().ok_or(ConfigError::NoServerKeys)?;
        self.throttle.check()?;
        let now = self.clock.now();
        let mut limiter = Limiter::new(&self.throttle).with_external(self.guess_limiter);
        if self.store.guess_log().is_some() {
            limiter = limiter.with_shared(Arc::clone(&keys.guesses));
        }
        let keeping = Keeping {
            settings: &settings,
            store: &*self.store,
            sealing: &keys.sealing,
            events: &self.events,
            now,
        };
        let ring = keeping.bring_up_to_date(maintenance::Wish::Nothing).await?;
        let live = LiveKeys::new(ring.verifying());
        let revocations = Revocations::new();
        let mut following = Following::default();
        following.catch_up(&*self.store, &revocations).await?;
        let own = trusted(&settings, &ring, &live, &revocations).danger_no_audience();
        let verifier = Verifier::builder()
            .issuer(own)
            .backend(settings.backend)
            .clock(Arc::clone(&self.clock))
            .on_event(())
            .build()?;
        let core = Core {
            settings,
            store: self.store,
            keys: ArcSwap::from_pointee(keys),
            ring: ArcSwap::from_pointee(ring),
            live,
            maintaining: tokio::sync::Mutex::default(),
            turns: Turns::default(),
            revocations,
            keys_read_at: AtomicU64::new(now.as_secs()),
            freshening: tokio::sync::Mutex::default(),
            reads: AtomicU64::new(0),
            last_read: Mutex::default(),
            following: tokio::sync::Mutex::new(following),
            pages: Pages::default(),
            verifier,
            limiter,
            hashing: Hashing::default(),
            clock: self.clock,
            events: self.events,
        };
        // Without it the server counts for itself, which is no reason not to serve.
        core.tell_failure(&core.exchange_guesses().await, "guess_log", &mut false);
        Ok(AuthorizationServer { core: Arc::new(core) })
    }

    fn settings(&self) -> Result<Settings, ConfigError> {
        let issuer = self.issuer.clone().ok_or(ConfigError::NoIssuerIdentifier)?;
        if secure_url(&issuer).is_none_or(|url| url.query().is_some()) {
            let remedy = "use an https URL without query and fragment (RFC 8414 section 2)";
            return Err(ConfigError::InvalidUrl { name: "issuer", value: issuer, remedy });
        }
        let backend = match self.backend {
            Some(backend) => backend.checked()?,
            None => Backend::compiled()?,
        };
        if !backend.signs(self.algorithm) {
            return Err(ConfigError::UnsupportedSigning {
                algorithm: self.algorithm.name(),
                backend: backend.name(),
            });
        }
        if !secret::is_prefix(&self.secret_prefix) {
            return Err(ConfigError::InvalidText {
                name: "secret_prefix",
                value: self.secret_prefix.clone(),
                remedy: "use 2 to 16 lower-case letters and digits, a letter first",
            });
        }
        self.check_times()?;
        Ok(Settings {
            issuer: issuer.into(),
            backend,
            algorithm: self.algorithm,
            access_lifetime: self.access_lifetime,
            absolute: self.absolute,
            rules: Rules { idle: self.idle, grace: self.grace, grace_cap: 3 },
            max_families: self.max_families,
            secret_prefix: self.secret_prefix.clone(),
            secret_lifetime: self.secret_lifetime,
            rotate_every: self.rotate_every,
            publish_ahead: self.publish_ahead,
            opened_at: self.clock.now(),
        })
    }

    fn check_times(&self) -> Result<(), ConfigError> {
        let seconds = ConfigError::whole_seconds;
        let access_lifetime = seconds("access_lifetime", self.access_lifetime)?;
        let absolute = seconds("refresh_lifetime (absolute)", self.absolute)?;
        let idle = seconds("refresh_lifetime (idle)", self.idle)?;
        let grace = seconds("refresh_grace", self.grace)?;
        let secret_lifetime = seconds("secret_lifetime", self.secret_lifetime)?;
        let publish_ahead = seconds("key_rotation (publish_ahead)", self.publish_ahead)?;
        let rotate_every = seconds("key_rotation (every)", self.rotate_every)?;
        let least_every = publish_ahead.saturating_mul(2);
        for (name, value, min, max) in [
            ("access_lifetime", access_lifetime, 30, MAX_ACCESS_LIFETIME.as_secs()),
            ("refresh_lifetime (absolute)", absolute, 60, 366 * DAY),
            ("refresh_lifetime (idle)", idle, 60, absolute),
            ("refresh_grace", grace, 0, 60),
            ("max_families", self.max_families as u64, 1, 10_000),
            ("secret_lifetime", secret_lifetime, 3600, 3660 * DAY),
            ("key_rotation (publish_ahead)", publish_ahead, 300, 30 * DAY),
            ("key_rotation (every)", rotate_every, least_every, 730 * DAY),
        ] {
            ConfigError::in_range(name, value, min..=max)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerBuilder").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
