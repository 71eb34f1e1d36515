use std::fmt;

use serde_json::{Map, Value, json};

use super::issuer::TestIssuer;
use crate::{
    crypto::{Algorithm, Backend, sign::SigningKey},
    jws,
};

/// A token in the making: good unless it is made bad, one line for each way.
///
/// It starts with the header `alg`, `kid`, `typ: at+jwt` and the claims `iss`, `sub` (`user-1`),
/// `aud`, `client_id` (`client-1`), `iat` (now), `exp` (in 600 s) and `jti`.
#[derive(Clone)]
#[must_use]
pub struct TokenBuilder {
    issuer: TestIssuer,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    flaw: Flaw,
}

/// What is wrong with a token beyond its header and claims.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    ForeignKey,
    Unsigned,
    PublicKeyAsSecret,
    Tampered,
    DuplicateClaim,
}

impl TokenBuilder {
    pub(super) fn new(issuer: TestIssuer) -> Self {
        let header = json!({
            "alg": issuer.algorithm().name(),
            "kid": issuer.key().id(),
            "typ": "at+jwt",
        });
        let now = issuer.now().as_secs();
        let claims = json!({
            "iss": issuer.name(),
            "sub": "user-1",
            "aud": issuer.audience(),
            "client_id": "client-1",
            "iat": now,
            "exp": now.saturating_add(600),
            "jti": "token-1",
        });
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        let (header, claims) = (object(header), object(claims));
        Self { issuer, header, claims, flaw: Flaw::None }
    }

    /// Sets a claim to any JSON value.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Leaves a claim out.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets a header parameter to any JSON value.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    /// Leaves a header parameter out.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// The subject.
    pub fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// The scopes, separated by spaces.
    pub fn scope(self, scope: &str) -> Self {
        self.claim("scope", scope)
    }

    /// Expired an hour ago.
    pub fn expired(self) -> Self {
        let now = self.now();
        self.claim("iat", now.saturating_sub(7200)).claim("exp", now.saturating_sub(3600))
    }

    /// Valid in an hour.
    pub fn not_yet_valid(self) -> Self {
        let now = self.now();
        self.claim("nbf", now.saturating_add(3600)).claim("exp", now.saturating_add(7200))
    }

    /// From another issuer, but signed with the key of this one.
    pub fn wrong_issuer(self) -> Self {
        self.claim("iss", "https://other-issuer.test")
    }

    /// For another service.
    pub fn wrong_audience(self) -> Self {
        self.claim("aud", "https://other-api.test")
    }

    /// Another kind of JWT: an ID token.
    pub fn wrong_type(self) -> Self {
        self.header("typ", "JWT").claim("nonce", "n-0S6_WzA2Mj")
    }

    /// Names a key that the issuer does not have.
    pub fn unknown_key(self) -> Self {
        self.header("kid", "unknown-key")
    }

    /// Signed with another key of the same kind, under the name of the right one.
    pub fn foreign_key(self) -> Self {
        self.with(Flaw::ForeignKey)
    }

    /// With `alg: none` and without a signature.
    pub fn unsigned(self) -> Self {
        self.header("alg", "none").with(Flaw::Unsigned)
    }

    /// `HS256` with the public key as the secret: the classic confusion (RFC 8725 section 2.1).
    pub fn key_confusion(self) -> Self {
        self.header("alg", "HS256").with(Flaw::PublicKeyAsSecret)
    }

    /// Changed after it was signed: the subject is another one.
    pub fn tampered(self) -> Self {
        self.with(Flaw::Tampered)
    }

    /// Larger than the default limit of 8 KiB.
    pub fn oversized(self) -> Self {
        self.claim("padding", "x".repeat(8 * 1024))
    }

    /// With the claim `aud` twice, first that of another service.
    pub fn duplicate_members(self) -> Self {
        self.with(Flaw::DuplicateClaim)
    }

    /// The compact token.
    ///
    /// # Panics
    ///
    /// If the backend fails to sign, or to make the other key that the token is to be signed with.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without a token cannot go on")]
    pub fn sign(&self) -> String {
        let header = Value::Object(self.header.clone()).to_string();
        let payload = Value::Object(self.claims.clone()).to_string();
        let input = format!("{}.{}", jws::encode(&header), jws::encode(&payload));
        match self.flaw {
            Flaw::None => self.issuer.sign_raw(&header, &payload),
            Flaw::Unsigned => format!("{input}."),
            Flaw::DuplicateClaim => {
                let doubled = payload.replacen('{', r#"{"aud":"https://other-api.test","#, 1);
                self.issuer.sign_raw(&header, &doubled)
            }
            Flaw::Tampered => {
                let token = self.issuer.sign_raw(&header, &payload);
                let signature = token.rsplit('.').next().unwrap_or_default();
                let mut claims = self.claims.clone();
                let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
                let other = format!("not-{subject}");
                claims.insert("sub".to_owned(), other.into());
                let changed = jws::encode(Value::Object(claims).to_string());
                format!("{}.{changed}.{signature}", jws::encode(&header))
            }
            Flaw::ForeignKey => {
                let other = TestIssuer::with_algorithm(self.issuer.algorithm());
                other.sign_raw(&header, &payload)
            }
            Flaw::PublicKeyAsSecret => {
                let backend = Backend::compiled().expect("a backend is compiled in");
                // The document of an HMAC issuer is empty, and a secret needs 32 bytes.
                let public = format!("{:32}", self.issuer.jwks());
                let secret = SigningKey::hmac(backend, Algorithm::Hs256, public.as_bytes());
                let (_, signer) = secret.expect("32 bytes are enough").into_parts();
                jws::sign::sign(&header, &payload, &signer).expect("the backend signs")
            }
        }
    }

    fn now(&self) -> u64 {
        self.issuer.now().as_secs()
    }

    fn with(self, flaw: Flaw) -> Self {
        Self { flaw, ..self }
    }
}

impl fmt::Debug for TokenBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBuilder").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
