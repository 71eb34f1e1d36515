use std::{
    convert::Infallible,
    fmt,
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::Duration,
};

use arc_swap::ArcSwap;

use super::{
    application::ApplicationRecord,
    applications::{Applications, checks},
    builder::ServerBuilder,
    error::{Kind, Refusal},
    feed::Pages,
    following::Following,
    hashing::Hashing,
    maintenance,
    rotation::Rules,
    server_keys::ServerKeys,
    signing::{KeyInfo, SigningRing},
    source::Source,
    store::{Store, StoreError, Write},
    throttle::Limiter,
    turns::Turns,
};
use crate::{
    crypto::{Algorithm, Backend},
    event::{AuthEvent, IssuingAction, IssuingEvent, Sink},
    issuer::Issuer,
    key::LiveKeys,
    revocation::{Revocation, Revocations},
    time::{Clock, UnixTime},
    verifier::Verifier,
};

/// The authorization server (RFC 6749 section 1.1): issues tokens to applications, refreshes,
/// revokes and explains them.
///
/// It keeps no session: what it must remember is in its [`Store`]. Cheap to clone; all clones are
/// one server. See the [module docs](crate::issue) for an example. It is mounted with
/// [`Endpoints`](crate::issue::endpoints::Endpoints).
#[derive(Clone)]
pub struct AuthorizationServer {
    pub(super) core: Arc<Core>,
}

pub(super) struct Core {
    pub(super) settings: Settings,
    pub(super) store: Arc<dyn Store>,
    pub(super) keys: ArcSwap<ServerKeys>,
    pub(super) ring: ArcSwap<SigningRing>,
    pub(super) live: LiveKeys,
    /// One maintenance at a time.
    pub(super) maintaining: tokio::sync::Mutex<()>,
    /// One at a time of those that end old families of an application.
    pub(super) turns: Turns,
    pub(super) revocations: Revocations,
    /// When the signing keys were read, in seconds since 1970.
    pub(super) keys_read_at: AtomicU64,
    /// One at a time of those that read them because they need them.
    pub(super) freshening: tokio::sync::Mutex<()>,
    /// How often they were begun to be read, and which of these read what is in use.
    pub(super) reads: AtomicU64,
    pub(super) last_read: Mutex<u64>,
    /// How far those of the store are known.
    pub(super) following: tokio::sync::Mutex<Following>,
    /// What those are told who follow this server.
    pub(super) pages: Pages,
    /// Verifies the server's own access tokens, whoever they are for.
    pub(super) verifier: Verifier,
    pub(super) limiter: Limiter,
    pub(super) hashing: Hashing,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) events: Sink,
}

/// What a server is configured with; checked.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) issuer: Arc<str>,
    pub(super) backend: Backend,
    pub(super) algorithm: Algorithm,
    pub(super) access_lifetime: Duration,
    pub(super) absolute: Duration,
    pub(super) rules: Rules,
    pub(super) max_families: usize,
    pub(super) secret_prefix: String,
    pub(super) secret_lifetime: Duration,
    pub(super) rotate_every: Duration,
    pub(super) publish_ahead: Duration,
    /// When the server was opened: what it is configured with is as old.
    pub(super) opened_at: UnixTime,
}

/// The longest that an access token lives (RFC 6750 section 5.3: one hour or less).
pub(super) const MAX_ACCESS_LIFETIME: Duration = Duration::from_secs(3600);
/// How much longer than that a token may be accepted somewhere: the largest leeway of a verifier.
pub(super) const MAX_LEEWAY: Duration = Duration::from_secs(300);

impl AuthorizationServer {
    /// Describes a server that keeps what it must in this store.
    pub fn builder(store: impl Store) -> ServerBuilder {
        ServerBuilder::new(Arc::new(store))
    }

    /// The issuer identifier (`iss` of its tokens).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.core.settings.issuer
    }

    /// What a verifier in the same process is told of this server: its keys, which follow every
    /// rotation, and its revocations, which the next request obeys. Add the audience of the
    /// service.
    ///
    /// Clocks do not differ inside one process, so the leeway is 5 s.
    ///
    /// What other servers of the same store revoke is known here through [`run`](Self::run) or
    /// [`maintain`](Self::maintain); while the store is out of reach it is not, and its tokens are
    /// accepted. Who wants them to be refused then gives the issuer a
    /// [feed](crate::revocation::RevocationFeed) instead.
    pub fn trusted(&self) -> Issuer {
        self.core.trusted()
    }

    /// What was revoked, for verifiers that are told of this server by other ways than
    /// [`trusted`](Self::trusted).
    #[must_use]
    pub fn revocations(&self) -> Revocations {
        self.core.revocations.clone()
    }

    /// The administration of applications.
    #[must_use]
    pub fn applications(&self) -> Applications {
        Applications::new(Arc::clone(&self.core))
    }

    /// The key document (JWKS, RFC 7517 section 5) as it is published now. Secrets are never in it.
    #[must_use]
    pub fn jwks(&self) -> String {
        self.core.ring.load().jwks()
    }

    /// All signing keys that there are and were, in the order of their activation.
    #[must_use]
    pub fn signing_keys(&self) -> Vec<KeyInfo> {
        self.core.ring.load().inventory(self.core.now())
    }

    /// Makes the next signing key and publishes it. It signs once it is known everywhere, after the
    /// time that is [configured](ServerBuilder::key_rotation); nothing changes if there is such a
    /// key already.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails or the key cannot be made.
    pub async fn rotate_signing_key(&self) -> Result<(), StoreError> {
        maintenance::run(&self.core, maintenance::Wish::NextKey).await
    }

    /// Makes a signing key that signs at once, removes all others, and revokes every access token
    /// that they signed: for when a private key may be known to somebody. Verifiers elsewhere obey
    /// when they next fetch the key document; refresh tokens stay good, as no signing key makes
    /// them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails or the key cannot be made.
    pub async fn replace_compromised_signing_keys(&self) -> Result<(), StoreError> {
        maintenance::run(&self.core, maintenance::Wish::OtherKeys).await
    }

    /// Looks after the server for as long as it is polled: does [what time demands](Self::maintain)
    /// once a minute, and keeps up with the other servers of the same store, so that what they revoke is
    /// refused here within a second, their signing keys are published here within two, and what fails at
    /// one of them counts at the others.
    ///
    /// ```
    /// # use tower_bearer::{issue::{AuthorizationServer, RootKey, ServerKeys}, store::Memory};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = AuthorizationServer::builder(Memory::new())
    /// #     .issuer("https://id.example.com")
    /// #     .keys(ServerKeys::new(&RootKey::from_bytes([7; 32])))
    /// #     .open()
    /// #     .await?;
    /// let background = server.clone();
    /// tokio::spawn(async move { background.run().await });
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A store that fails is asked again until it is back; the first failure is an event. Dropping the
    /// future ends it, and leaves nothing half-done.
    pub async fn run(&self) -> Infallible {
        self.core.run().await
    }

    /// Does what time demands: rotates signing keys by schedule, destroys private keys that sign no
    /// more, removes keys that nothing is verified with any more, seals again what was sealed with
    /// an old key, reads what other servers of the same store did, exchanges failed guesses with them,
    /// and forgets what has expired.
    ///
    /// [`run`](Self::run) does it, or call it every minute or so; when nothing is due it costs a few
    /// short reads. Several servers may do so at once.
    ///
    /// Ended families and revocations are kept a day longer than needed, so that no token revives
    /// if the clock jumps ahead and is set right within that day. So the revocations of a whole day
    /// are in memory, each of about 24 bytes. Signing keys are known for a year after they were
    /// removed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails, or a key cannot be made or opened; whatever was done
    /// before stays done, and the server goes on with what it has.
    pub async fn maintain(&self) -> Result<(), StoreError> {
        let done = maintenance::run(&self.core, maintenance::Wish::Nothing).await;
        done.and(self.core.exchange_guesses().await)
    }

    /// Replaces the keys of the server, while it serves. Signing keys are sealed again with the
    /// first of the new ones before it returns.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a signing key does not open with the new keys, which are then not taken,
    /// or if the store fails.
    pub async fn replace_server_keys(&self, keys: ServerKeys) -> Result<(), StoreError> {
        let core = &self.core;
        SigningRing::open(core.store.signing_keys().await?, &keys.sealing, core.settings.backend)?;
        core.limiter.replace_key(Arc::clone(&keys.guesses));
        core.keys.store(Arc::new(keys));
        core.tell(IssuingEvent::new(IssuingAction::ServerKeysReplaced));
        self.maintain().await
    }

    /// Revokes one access token by its id (`jti`); `expires_at` is its `exp`, until which that must
    /// be remembered. Its refresh family goes on. Nothing happens if no token can have such an id.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails; this process refuses the token all the same.
    pub async fn revoke_token(&self, id: &str, expires_at: UnixTime) -> Result<(), StoreError> {
        match checks::is_label(id) {
            true => self.core.revoke_token(id, expires_at).await,
            false => Ok(()),
        }
    }

    /// Revokes one refresh family, by the `sid` of its access tokens or as an event names it, and
    /// those access tokens with it. Nothing happens if there is no such family, or it has ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails; this process refuses the access tokens all the same.
    pub async fn revoke_family(&self, family: &str) -> Result<(), StoreError> {
        self.core.revoke_family(family).await
    }

    /// Revokes every access token that was issued at this time or before, of every application;
    /// a time that is yet to come counts as now. Refresh tokens stay good.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails; this process refuses the tokens all the same.
    pub async fn revoke_access_tokens_until(&self, time: UnixTime) -> Result<(), StoreError> {
        let core = &self.core;
        let now = core.now();
        let revocation = Revocation::issuer(time.min(now), remembered_until(now));
        core.revoke(revocation, Vec::new()).await?;
        core.tell(IssuingEvent::new(IssuingAction::EverythingRevoked));
        Ok(())
    }

    /// Revokes every access token that was issued until now, of every application. Refresh tokens
    /// stay good.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails; this process refuses the tokens all the same.
    pub async fn revoke_access_tokens(&self) -> Result<(), StoreError> {
        self.revoke_access_tokens_until(self.core.now()).await
    }
}

/// Until when it matters that tokens of this time are revoked.
pub(super) fn remembered_until(now: UnixTime) -> UnixTime {
    now.saturating_add(MAX_ACCESS_LIFETIME).saturating_add(MAX_LEEWAY)
}

impl Core {
    pub(super) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(super) fn trusted(&self) -> Issuer {
        trusted(&self.settings, &self.ring.load(), &self.live, &self.revocations)
    }

    pub(super) fn tell(&self, event: IssuingEvent) {
        self.events.emit(&AuthEvent::Issuing(event));
    }

    /// The application with this client id; the store is not asked for what no application can have.
    pub(super) async fn application(
        &self,
        id: &str,
    ) -> Result<Option<ApplicationRecord>, StoreError> {
        match checks::is_label(id) {
            true => self.store.application(id).await,
            false => Ok(None),
        }
    }

    /// The application with this name. The store is not asked for what no application can be called:
    /// some refuse U+0000 in a text, which is no outage.
    pub(super) async fn application_named(
        &self,
        name: &str,
    ) -> Result<Option<ApplicationRecord>, StoreError> {
        match checks::is_label(name) {
            true => self.store.application_named(name).await,
            false => Ok(None),
        }
    }

    /// Revokes in this process first, so that nothing that happens to the store or to whoever waits
    /// for this lets a token live on here; then in the store, with the other writes.
    pub(super) async fn revoke(
        &self,
        revocation: Revocation,
        mut others: Vec<Write>,
    ) -> Result<(), StoreError> {
        self.revocations.revoke(&revocation);
        others.push(Write::Revoke(revocation));
        // Whoever revokes has no condition.
        let _ = self.store.apply(others).await?;
        Ok(())
    }

    /// A refusal of what is malformed, or asks for what is not granted; told.
    pub(super) fn request_refused(
        &self,
        refusal: Refusal,
        client: Option<&str>,
        source: Source,
    ) -> Refusal {
        let mut event = IssuingEvent::new(IssuingAction::RequestRefused).from(source);
        event.application = client.map(Into::into);
        self.refused(refusal, event)
    }

    /// Tells of a refusal, and hands it on.
    pub(super) fn refused(&self, refusal: Refusal, mut event: IssuingEvent) -> Refusal {
        match refusal.kind {
            Kind::Unavailable => {
                event.action = IssuingAction::StoreFailed;
                event.error = refusal.error.clone();
            }
            Kind::Throttled(_) => event.action = IssuingAction::Throttled,
            _ => {}
        }
        event.reason = Some(refusal.reason);
        self.tell(event);
        refusal
    }
}

/// What a verifier is told of a server.
pub(super) fn trusted(
    settings: &Settings,
    ring: &SigningRing,
    live: &LiveKeys,
    revocations: &Revocations,
) -> Issuer {
    // Each key serves one algorithm, and another server of the store may choose the next one. But
    // secrets and public keys exclude each other: what the other kind signed ends when the kind is
    // changed. What only some backends verify is named when it is needed.
    let everywhere = Algorithm::ALL.iter().filter(|all| Backend::RustCrypto.supports(**all));
    let algorithms = ring.algorithms().into_iter().chain([settings.algorithm]);
    let is_usable = |algorithm: &Algorithm| algorithm.is_hmac() == settings.algorithm.is_hmac();
    let algorithms = algorithms.chain(everywhere.copied()).filter(is_usable);
    Issuer::new(&*settings.issuer)
        .algorithms(algorithms)
        .keys(live.clone())
        .revocations(revocations.clone())
        .leeway(Duration::from_secs(5))
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServer")
            .field("issuer", &self.issuer())
            .finish_non_exhaustive()
    }
}
