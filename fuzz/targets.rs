//! What the fuzz targets do with their input. `tests/corpus.rs` includes this file too, so the
//! corpus is replayed by the same code on every test run.
//!
//! Each function panics if the library does not keep its word, and tells whether the input was
//! good enough to get all the way.

use std::{
    convert::Infallible,
    future::Future,
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
};

use http::{HeaderValue, Request, Response, header};
use tower::{Layer, ServiceExt, service_fn};
use tower_bearer::{
    Algorithm, AuthError, AuthErrorKind, AuthLayer, Issuer, RequireScope, Verifier,
    key::{KeySet, VerifyingKey},
    policy::TokenType,
    scope::{Requirement, ScopeSet, ScopeToken},
    test_util::{FrozenClock, TestIssuer, get},
};

const NOW: u64 = 1_800_000_000;

static ISSUER: LazyLock<TestIssuer> =
    LazyLock::new(|| TestIssuer::with_algorithm(Algorithm::Hs256).with_clock(FrozenClock::at(NOW)));

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| ISSUER.verifier());

/// The same issuer among others and with weaker demands, so that more code is reached.
static LENIENT: LazyLock<Verifier<serde_json::Value>> = LazyLock::new(|| {
    let places = [
        tower_bearer::claims::ScopeClaim::scope(),
        tower_bearer::claims::ScopeClaim::named("scp").prefix("p:"),
        tower_bearer::claims::ScopeClaim::path(["realm_access", "roles"]),
    ];
    let ours = ISSUER.trusted().token_type(TokenType::AnyJwt);
    let ours = places.into_iter().fold(ours, Issuer::scope_claim);
    let other = TestIssuer::named("https://other.test", Algorithm::Es256);
    Verifier::builder()
        .issuer(ours)
        .issuer(other.trusted())
        .clock(FrozenClock::at(NOW))
        .claims()
        .build()
        .expect("the issuers are sound")
});

/// A token: as it is, and as the header and the payload (first line, rest) of a signed one.
pub(crate) fn compact_jws(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    for refused in [VERIFIER.verify_now(&text).err(), LENIENT.verify_now(&text).err()] {
        assert_invalid(&refused.expect("nobody but the issuer can sign"));
    }

    let (header, payload) = text.split_once('\n').unwrap_or((GOOD_HEADER, &text));
    let token = ISSUER.sign_raw(header, payload);
    let accepted = VERIFIER.verify_now(&token);
    let all_the_way = accepted.is_ok();
    match accepted {
        Err(refused) => assert_invalid(&refused),
        Ok(verified) => {
            let claims: serde_json::Value =
                serde_json::from_str(payload).expect("accepted claims are JSON");
            assert_eq!(claims["iss"], ISSUER.name());
            assert_eq!(claims["sub"].as_str(), verified.subject());
            assert!(verified.audience().any(|audience| audience == ISSUER.audience()));
            assert!(verified.expires_at().as_secs() + 60 > NOW);
            let scopes = claims.get("scope").map_or("", |scope| scope.as_str().expect("a string"));
            assert_eq!(verified.scopes(), &ScopeSet::parse(scopes).expect("scopes"));
        }
    }
    match LENIENT.verify_now(&token) {
        Err(refused) => assert_invalid(&refused),
        Ok(verified) => {
            let claims: serde_json::Value =
                serde_json::from_str(payload).expect("accepted claims are JSON");
            assert_eq!(verified.custom(), &claims);
            assert!(!verified.scopes().iter().any(|scope| ScopeToken::new(scope).is_err()));
        }
    }
    all_the_way
}

/// A key document, and the same text as one key, PEM and DER.
pub(crate) fn jwks(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let mut all_the_way = false;
    if let Ok(set) = KeySet::from_jwks(&text) {
        let document: serde_json::Value = serde_json::from_str(&text).expect("a document is JSON");
        let keys = document["keys"].as_array().expect("a document has keys").len();
        assert_eq!(set.len() + set.skipped().len(), keys, "every key is used or reported");
        assert!(keys <= KeySet::MAX_KEYS);
        for key in set.iter() {
            let thumbprint = key.thumbprint().expect("a backend is compiled in");
            assert_eq!(thumbprint.len(), 43);
            assert!(!format!("{key:?}").contains(&thumbprint));
            all_the_way = true;
        }
        judge_unsigned(set);
    }
    let as_set = KeySet::from_jwks(&format!(r#"{{"keys":[{text}]}}"#));
    if let Ok(key) = VerifyingKey::from_jwk(&text) {
        let set = as_set.expect("a key can stand in a document");
        assert_eq!((set.len(), set.skipped().len()), (1, 0));
        assert!(set.iter().all(|same| same.thumbprint() == key.thumbprint()));
    }
    for key in [VerifyingKey::from_pem(data), VerifyingKey::from_der(data)].into_iter().flatten() {
        judge_unsigned(key.into());
    }
    all_the_way
}

/// The lines of a request's `Authorization` header.
pub(crate) fn authorization_header(data: &[u8]) -> bool {
    let lines = data.split(|byte| *byte == b'\n').take(3).map(HeaderValue::from_bytes);
    let Ok(lines) = lines.collect::<Result<Vec<_>, _>>() else {
        return false;
    };
    let mut request = Request::new(String::new());
    let several = lines.len() > 1;
    for line in lines {
        request.headers_mut().append(header::AUTHORIZATION, line);
    }
    let service = AuthLayer::new(VERIFIER.clone()).layer(service_fn(ok));
    let Ok(response) = now(service.oneshot(request));
    let challenges: Vec<_> = response.headers().get_all(header::WWW_AUTHENTICATE).iter().collect();
    let [challenge] = challenges[..] else {
        panic!("a refusal has one challenge: {challenges:?}");
    };
    let challenge = challenge.to_str().expect("a challenge is visible ASCII");
    assert!(KNOWN.contains(&(response.status().as_u16(), challenge)), "{challenge}");
    assert!(!several || response.status() == 400, "several lines are never looked into");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    challenge.contains("invalid_token")
}

/// Scopes and requirements from text.
pub(crate) fn scope_parse(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let parts: std::collections::BTreeSet<_> =
        text.split(' ').filter(|part| !part.is_empty()).collect();
    let is_token = |part: &&str| ScopeToken::new(part).is_ok();
    match ScopeSet::parse(&text) {
        Err(_) => assert!(!parts.iter().all(is_token)),
        Ok(set) => {
            assert!(set.iter().eq(parts.iter().copied()));
            assert!(parts.iter().all(|part| is_token(part) && set.contains(part)));
            assert_eq!(ScopeSet::parse(&set.to_string()).as_ref(), Ok(&set));
            let tokens: Vec<_> = parts.iter().map(ScopeToken::new).collect();
            let tokens = tokens.into_iter().collect::<Result<Vec<_>, _>>().expect("tokens");
            assert_eq!(tokens.iter().collect::<ScopeSet>(), set);
        }
    }
    let Ok(need) = Requirement::parse(&text) else {
        return false;
    };
    let named = ScopeSet::parse(need.challenge_scope()).expect("scopes are named");
    assert!(!named.is_empty() && need.is_met_by(&named));
    assert!(!need.is_met_by(&ScopeSet::empty()));
    for alternative in text.split('|') {
        assert!(need.is_met_by(&ScopeSet::parse(alternative).expect("scopes")));
    }
    true
}

/// A realm, scopes and the URL of the metadata, a line each: what is sent is read by a plain
/// parser as what was meant.
pub(crate) fn challenge(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let (realm, scopes) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let Ok(need) = Requirement::parse(scopes) else {
        return false;
    };
    let mut layer = AuthLayer::builder(VERIFIER.clone()).realm(realm);
    let metadata = lines.next();
    if let Some(url) = metadata {
        layer = layer.resource_metadata(url);
    }
    let Ok(layer) = layer.build() else {
        return false;
    };
    let service = layer.layer(RequireScope::new(need.clone()).layer(service_fn(ok)));
    let Ok(response) = now(service.oneshot(get("/", &ISSUER.token().sign())));
    assert_eq!(response.status(), 403);
    let value = response.headers()[header::WWW_AUTHENTICATE].to_str().expect("visible ASCII");
    let parameters = read_challenge(value).expect("a challenge of RFC 9110");
    let mut expected = vec![
        ("realm", realm),
        ("error", "insufficient_scope"),
        (
            "error_description",
            "The request requires higher privileges than provided by the access token",
        ),
        ("scope", need.challenge_scope()),
    ];
    expected.extend(metadata.map(|url| ("resource_metadata", url)));
    let read: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(read, expected);
    true
}

const GOOD_HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt","kid":"test-key"}"#;

/// All answers to a request whose token nobody signed.
const KNOWN: [(u16, &str); 4] = [
    (401, r#"Bearer realm="api""#),
    (
        400,
        r#"Bearer realm="api", error="invalid_request", error_description="The access token is missing""#,
    ),
    (
        400,
        r#"Bearer realm="api", error="invalid_request", error_description="Multiple methods used to include access token""#,
    ),
    (
        401,
        r#"Bearer realm="api", error="invalid_token", error_description="The access token is invalid""#,
    ),
];

fn assert_invalid(refused: &AuthError) {
    assert!(AuthErrorKind::ALL.contains(&refused.kind()));
    assert_eq!(refused.kind().status(), 401, "{refused}");
}

/// Whatever keys an issuer has, a token that nobody signed is refused.
fn judge_unsigned(keys: KeySet) {
    use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    let issuer = Issuer::new(ISSUER.name())
        .audience(ISSUER.audience())
        .algorithms([EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512])
        .keys(keys.clone());
    let Ok(verifier) = Verifier::builder().issuer(issuer).build() else {
        return;
    };
    for key in keys.iter() {
        let algorithm = key.algorithm().unwrap_or(Es256);
        let token = ISSUER.token().header("alg", algorithm.name()).header("kid", key.id());
        let refused = verifier.verify_now(&token.sign()).expect_err("nobody signed");
        assert_invalid(&refused);
    }
}

async fn ok(_: Request<String>) -> Result<Response<String>, Infallible> {
    Ok(Response::new(String::new()))
}

/// The output of a future that never waits.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}

/// Reads one `Bearer` challenge with quoted parameters (RFC 9110 sections 5.6.4 and 11.6.1).
fn read_challenge(value: &str) -> Option<Vec<(&str, String)>> {
    let mut rest = value.strip_prefix("Bearer ")?;
    let mut parameters = Vec::new();
    loop {
        let (name, quoted) = rest.split_once("=\"")?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            return None;
        }
        let (mut text, mut characters) = (String::new(), quoted.char_indices());
        let end = loop {
            match characters.next()? {
                (end, '"') => break end,
                (_, '\\') => text.push(characters.next()?.1),
                (_, character @ ' '..='~') => text.push(character),
                _ => return None,
            }
        };
        parameters.push((name, text));
        match &quoted[end + 1..] {
            "" => return Some(parameters),
            more => rest = more.strip_prefix(", ")?,
        }
    }
}
