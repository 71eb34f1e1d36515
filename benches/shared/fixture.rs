//! The token of the benchmarks, 8 claims and 5 scopes, and the service that one would write by hand.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use http::{HeaderValue, Request, Response, StatusCode, header};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, jwk::JwkSet};
use serde::{Deserialize, Serialize};
use tower::Service;
use tower_bearer::{
    Algorithm, Issuer,
    key::{KeySet, VerifyingKey},
    test_util::{self, TestIssuer},
};

pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const AUDIENCE: &str = "https://api.test";
const SCOPE: &str = "reports:read reports:write files:read files:write profile";
pub(crate) const SECRET: &[u8; 32] = b"a secret for benchmarks, 32 byte";

/// The claims type of both contenders: what a handler or an access log asks for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) client_id: String,
    pub(crate) jti: String,
    pub(crate) scope: String,
    pub(crate) exp: u64,
    pub(crate) iat: u64,
}

/// One algorithm with its key and its tokens.
pub(crate) struct Fixture {
    pub(crate) algorithm: Algorithm,
    issuer: TestIssuer,
    pub(crate) valid: String,
    pub(crate) expired: String,
    pub(crate) wrong_audience: String,
    pub(crate) bad_signature: String,
    /// Of a key that is not there.
    pub(crate) unknown: String,
    key: VerifyingKey,
    foreign_key: DecodingKey,
}

impl Fixture {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        Self::named(ISSUER, algorithm)
    }

    /// With the tokens of this issuer.
    pub(crate) fn named(name: &'static str, algorithm: Algorithm) -> Self {
        let issuer = TestIssuer::named(name, algorithm);
        let token = || issuer.token().scope(SCOPE);
        let tokens = [
            token().sign(),
            token().expired().sign(),
            token().wrong_audience().sign(),
            token().tampered().sign(),
        ];
        let set: JwkSet = serde_json::from_str(&issuer.jwks()).expect("a JWKS");
        let (key, foreign_key, tokens) = match set.keys.first() {
            Some(jwk) => {
                let foreign = DecodingKey::from_jwk(jwk).expect("a key");
                (issuer.key().clone(), foreign, tokens)
            }
            // The issuer does not give its secret away, so these tokens are signed here.
            None => {
                let key =
                    VerifyingKey::hmac(algorithm, SECRET).and_then(|key| key.with_id("test-key"));
                (
                    key.expect("a key"),
                    DecodingKey::from_secret(SECRET),
                    tokens.map(|token| resign(&token)),
                )
            }
        };
        let [valid, expired, wrong_audience, bad_signature] = tokens;
        let bad_signature = damage(&bad_signature);
        let unknown = issuer.token().unknown_key().sign();
        Self {
            issuer,
            algorithm,
            valid,
            expired,
            wrong_audience,
            bad_signature,
            unknown,
            key,
            foreign_key,
        }
    }

    /// So many good tokens.
    pub(crate) fn many(&self, count: usize) -> Vec<String> {
        let sign =
            |number| self.issuer.token().scope(SCOPE).subject(&format!("user-{number}")).sign();
        let tokens = (0..count).map(sign);
        match self.algorithm.is_hmac() {
            true => tokens.map(|token| resign(&token)).collect(),
            false => tokens.collect(),
        }
    }

    /// The issuer for our verifier, with this many keys and the right one last.
    pub(crate) fn trusted(&self, keys: usize) -> Issuer {
        let others = (1..keys).map(|number| {
            let id = format!("other-{number}");
            self.key.clone().with_id(id).expect("an id")
        });
        let set: KeySet = others.chain([self.key.clone()]).collect();
        self.described().keys(set)
    }

    /// The issuer without its keys.
    pub(crate) fn described(&self) -> Issuer {
        Issuer::new(self.issuer.name()).audience(AUDIENCE).algorithms([self.algorithm])
    }

    /// The key document.
    pub(crate) fn jwks(&self) -> String {
        test_util::jwks([&self.key])
    }

    /// The service that one would write by hand, around an empty one.
    pub(crate) fn by_hand<S>(&self, inner: S) -> ByHand<S> {
        let algorithm = self.algorithm.name().parse().expect("an algorithm");
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[self.issuer.name()]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_nbf = true;
        let keys = HashMap::from([("test-key".to_owned(), self.foreign_key.clone())]);
        ByHand { inner, keys, validation }
    }
}

/// The same token with a longer payload, about this many bytes in all.
pub(crate) fn padded(fixture: &Fixture, bytes: usize) -> (Issuer, String) {
    let issuer = TestIssuer::named(ISSUER, fixture.algorithm);
    let token = issuer.token().scope("reports:read");
    let missing = bytes.saturating_sub(token.sign().len()) * 3 / 4;
    (issuer.trusted(), token.claim("padding", "x".repeat(missing)).sign())
}

/// A GET request with this bearer token.
pub(crate) fn request(token: &str) -> impl FnMut() -> Request<()> + use<> {
    requests(&[token.to_owned()])
}

/// The bearer token of a request, as one would take it by hand.
pub(crate) fn bearer(request: &Request<()>) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// GET requests with these bearer tokens in turns.
pub(crate) fn requests(tokens: &[String]) -> impl FnMut() -> Request<()> + use<> {
    let value = |token| HeaderValue::try_from(format!("Bearer {token}")).expect("a header value");
    let values: Vec<_> = tokens.iter().map(value).collect();
    let mut next = 0;
    move || {
        let value = values[next].clone();
        next = if next + 1 == values.len() { 0 } else { next + 1 };
        let mut request = Request::new(());
        request.headers_mut().insert(header::AUTHORIZATION, value);
        request
    }
}

type Answer = Ready<Result<Response<()>, Infallible>>;

/// A bearer service as one would write it with `jsonwebtoken` alone.
#[derive(Clone)]
pub(crate) struct ByHand<S> {
    inner: S,
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
}

impl<S> ByHand<S> {
    fn claims(&self, request: &Request<()>) -> Option<Claims> {
        self.verify(bearer(request)?)
    }

    #[expect(clippy::disallowed_methods, reason = "this is what is compared with")]
    pub(crate) fn verify(&self, token: &str) -> Option<Claims> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let data = jsonwebtoken::decode(token, self.keys.get(&kid)?, &self.validation).ok()?;
        Some(data.claims)
    }
}

impl<S> Service<Request<()>> for ByHand<S>
where
    S: Service<Request<()>, Response = Response<()>, Error = Infallible, Future = Answer>,
{
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<()>) -> Self::Future {
        match self.claims(&request) {
            Some(claims) => {
                request.extensions_mut().insert(claims);
                self.inner.call(request)
            }
            None => {
                let mut response = Response::new(());
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                ready(Ok(response))
            }
        }
    }
}

/// Signs the header and payload of an HS256 token again, with the secret that both contenders have.
#[expect(clippy::disallowed_methods, reason = "the secret is ours")]
fn resign(token: &str) -> String {
    let payload = token.split('.').nth(1).expect("a payload");
    let payload = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(payload).expect("base64url");
    let claims: serde_json::Value = serde_json::from_slice(&payload).expect("claims");
    let mut header = Header::new(jsonwebtoken::Algorithm::HS256);
    header.kid = Some("test-key".to_owned());
    header.typ = Some("at+jwt".to_owned());
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(SECRET)).expect("a token")
}

/// Changes one character in the middle of the signature.
fn damage(token: &str) -> String {
    let at = token.len() - 20;
    let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}
