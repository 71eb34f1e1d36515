use std::{fmt, sync::Arc};

use serde::de::DeserializeOwned;

use super::token::TokenBuilder;
use crate::{
    crypto::{
        Algorithm, Backend,
        sign::{Signer, SigningKey},
    },
    issuer::{Issuer, KeySource},
    jws,
    key::{KeySet, VerifyingKey},
    time::{Clock, SystemClock, UnixTime},
    verifier::Verifier,
};

/// An issuer inside the test: it signs real tokens with a key of its own that was made when the
/// test began. Clones share the key and the clock.
///
/// Its identifier is `https://issuer.test`, the audience of its tokens `https://api.test`, and its
/// key id `test-key`. It lives by the system clock unless it is given
/// [another](Self::with_clock).
#[derive(Clone)]
pub struct TestIssuer {
    name: Arc<str>,
    algorithm: Algorithm,
    key: VerifyingKey,
    signer: Signer,
    clock: Arc<dyn Clock>,
}

/// The audience of its tokens.
const AUDIENCE: &str = "https://api.test";

impl TestIssuer {
    /// An issuer that signs with ES256.
    ///
    /// # Panics
    ///
    /// If no cryptographic backend is compiled in.
    #[must_use]
    pub fn new() -> Self {
        Self::with_algorithm(Algorithm::Es256)
    }

    /// An issuer that signs with this algorithm.
    ///
    /// # Panics
    ///
    /// If no backend is compiled in that can make keys for it.
    #[must_use]
    pub fn with_algorithm(algorithm: Algorithm) -> Self {
        Self::named("https://issuer.test", algorithm)
    }

    /// An issuer with this identifier and algorithm.
    ///
    /// # Panics
    ///
    /// If no backend is compiled in that can make keys for the algorithm.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without a backend cannot go on")]
    pub fn named(issuer: &str, algorithm: Algorithm) -> Self {
        let backend = Backend::compiled().expect("a backend is compiled in");
        let key = SigningKey::generate(backend, algorithm, 2048).expect("a key for the algorithm");
        let (material, signer) = key.into_parts();
        let key = VerifyingKey::of(material)
            .with_algorithm(algorithm)
            .and_then(|key| key.with_id("test-key"))
            .expect("key and algorithm fit");
        Self { name: issuer.into(), algorithm, key, signer, clock: Arc::new(SystemClock) }
    }

    /// The same issuer by another clock: its tokens are issued and expire by it, and so do the
    /// verifiers that it makes. Give a clone of the same clock to any other verifier.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_bearer::{AuthErrorKind, test_util::{FrozenClock, TestIssuer}};
    ///
    /// let clock = FrozenClock::at(1_800_000_000);
    /// let issuer = TestIssuer::new().with_clock(clock.clone());
    /// let (verifier, token) = (issuer.verifier(), issuer.token().sign());
    /// assert!(verifier.verify_now(&token).is_ok());
    ///
    /// clock.advance(Duration::from_secs(660)); // 600 s of life and 60 s of leeway
    /// assert_eq!(verifier.verify_now(&token).unwrap_err().kind(), AuthErrorKind::Expired);
    /// ```
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// What a verifier is told of this issuer.
    pub fn trusted(&self) -> Issuer {
        self.trusted_with(self.key.clone())
    }

    /// What a verifier is told of this issuer, with its keys from elsewhere.
    pub fn trusted_with(&self, keys: impl Into<KeySource>) -> Issuer {
        Issuer::new(&*self.name).audience(AUDIENCE).algorithms([self.algorithm]).keys(keys)
    }

    /// A verifier that trusts this issuer alone and lives by its clock.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        self.verifier_with()
    }

    /// A verifier with the application's claims type.
    ///
    /// # Panics
    ///
    /// Never; the issuer describes itself soundly.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the issuer describes itself soundly")]
    pub fn verifier_with<C: DeserializeOwned + Send + Sync + 'static>(&self) -> Verifier<C> {
        Verifier::builder()
            .issuer(self.trusted())
            .clock(Arc::clone(&self.clock))
            .claims::<C>()
            .build()
            .expect("the issuer describes itself soundly")
    }

    /// A token with good claims; change what the test is about and [sign](TokenBuilder::sign) it.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(self.clone())
    }

    /// The argument that an extractor would give to a handler, for a token with these claims on
    /// top of good ones. The token is really signed and verified.
    ///
    /// ```
    /// use tower_bearer::{Authenticated, test_util::TestIssuer};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct User { tenant: String }
    ///
    /// async fn handler(auth: Authenticated<User>) -> String {
    ///     auth.custom().tenant.clone()
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let auth = TestIssuer::new().authenticated(serde_json::json!({"tenant": "acme"}));
    /// assert_eq!(handler(auth).await, "acme");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If the claims are no JSON object, or the verifier refuses the token.
    #[cfg(feature = "axum")]
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test with bad claims cannot go on")]
    pub fn authenticated<C>(&self, claims: serde_json::Value) -> crate::extract::Authenticated<C>
    where
        C: DeserializeOwned + Send + Sync + 'static,
    {
        let claims = claims.as_object().cloned().expect("the claims are a JSON object");
        let token = claims
            .iter()
            .fold(self.token(), |token, (name, value)| token.claim(name, value.clone()));
        let verified = self.verifier_with().verify_now(&token.sign());
        crate::extract::Authenticated(verified.expect("the claims are those of a good token"))
    }

    /// The time by the clock of the issuer.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// The identifier (`iss`).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The audience of its tokens (`aud`).
    #[must_use]
    pub fn audience(&self) -> &str {
        AUDIENCE
    }

    /// The algorithm that it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key that its tokens verify with: public, or the secret of an HMAC algorithm.
    #[must_use]
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The keys as a set.
    #[must_use]
    pub fn keys(&self) -> KeySet {
        self.key.clone().into()
    }

    /// The keys as a JWKS document; without the secret of an HMAC algorithm, which has no place in
    /// one.
    #[must_use]
    pub fn jwks(&self) -> String {
        super::jwks([&self.key])
    }

    /// Signs any header and payload, however wrong: `part1.part2.signature`.
    ///
    /// # Panics
    ///
    /// If the backend fails to sign.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without a token cannot go on")]
    pub fn sign_raw(&self, header: &str, payload: &str) -> String {
        jws::sign::sign(header, payload, &self.signer).expect("the backend signs")
    }
}

impl Default for TestIssuer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TestIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestIssuer")
            .field("name", &self.name)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
