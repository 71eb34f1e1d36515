//! What nobody can do without: the signature, with AWS-LC and a key that was read before, and then what
//! the claims type takes of a token that nothing else is asked of.

use std::{convert::Infallible, future::ready, hint::black_box};

use aws_lc_rs::{
    hmac,
    signature::{self, ParsedPublicKey, RsaPublicKeyComponents},
};
use base64_simd::URL_SAFE_NO_PAD;
use http::{Request, Response, StatusCode};
use tower::service_fn;
use tower_bearer::Algorithm;

use super::keys;
use crate::{
    fixture::{Claims, Fixture, SECRET, bearer},
    path::Case,
    shared::Contender,
};

pub(crate) fn alone(case: &Case<'_>) -> Option<Contender> {
    let (input, signature) = case.token?.rsplit_once('.')?;
    let (input, signature) = (input.to_owned(), decoded(signature));
    let is_good = case.token != Some(&case.fixture.bad_signature);
    let key = Key::of(case.fixture);
    Some(Contender::new("", move || {
        assert_eq!(key.verifies(input.as_bytes(), &signature), is_good);
    }))
}

/// A service that believes whatever is signed: `serde_json` reads the claims, and nobody looks at them.
pub(crate) fn and_claims(case: &Case<'_>) -> Option<Contender> {
    case.token.filter(|token| *token == case.fixture.valid)?;
    let key = Key::of(case.fixture);
    let believe = move |request| ready(Ok::<_, Infallible>(believed(&key, request)));
    Some(case.only(service_fn(believe)))
}

fn believed(key: &Key, mut request: Request<()>) -> Response<()> {
    let mut response = Response::new(());
    match claims(key, &request) {
        Some(claims) => drop(request.extensions_mut().insert(claims)),
        None => *response.status_mut() = StatusCode::UNAUTHORIZED,
    }
    black_box(request);
    response
}

fn claims(key: &Key, request: &Request<()>) -> Option<Claims> {
    let (input, signature) = bearer(request)?.rsplit_once('.')?;
    if !key.verifies(input.as_bytes(), &decoded(signature)) {
        return None;
    }
    let (_, payload) = input.split_once('.')?;
    serde_json::from_slice(&decoded(payload)).ok()
}

enum Key {
    Secret(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

impl Key {
    fn of(fixture: &Fixture) -> Self {
        match fixture.algorithm {
            Algorithm::Hs256 => Self::Secret(Box::new(hmac::Key::new(hmac::HMAC_SHA256, SECRET))),
            _ => Self::Public(public_key(fixture)),
        }
    }

    fn verifies(&self, input: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Secret(key) => hmac::verify(key, input, signature).is_ok(),
            Self::Public(key) => key.verify_sig(input, signature).is_ok(),
        }
    }
}

fn public_key(fixture: &Fixture) -> ParsedPublicKey {
    let jwk = keys::jwk(fixture);
    let part = |name: &str| decoded(jwk[name].as_str().expect("a part of the key"));
    let key = match fixture.algorithm {
        Algorithm::Rs256 => RsaPublicKeyComponents { n: part("n"), e: part("e") }
            .to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Es256 => {
            let point = [vec![4], part("x"), part("y")].concat();
            ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
        }
        _ => ParsedPublicKey::new(&signature::ED25519, part("x")),
    };
    key.expect("a key")
}

fn decoded(base64: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode_to_vec(base64).expect("base64url")
}
