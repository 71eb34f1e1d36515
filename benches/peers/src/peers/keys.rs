//! The key that all of them get, as those who read a JWK or a JWKS want it.

use serde_json::{Value, json};
use tower_bearer::Algorithm;

use crate::fixture::{Fixture, SECRET};

/// A key document with the one key, and with its `alg`, without which some drop a key.
pub(crate) fn jwks(fixture: &Fixture) -> String {
    json!({ "keys": [jwk(fixture)] }).to_string()
}

pub(crate) fn jwk(fixture: &Fixture) -> Value {
    let mut key = if fixture.algorithm == Algorithm::Hs256 {
        let secret = base64_simd::URL_SAFE_NO_PAD.encode_to_string(SECRET);
        json!({ "kty": "oct", "use": "sig", "kid": "test-key", "k": secret })
    } else {
        let document: Value = serde_json::from_str(&fixture.jwks()).expect("a document");
        document["keys"][0].clone()
    };
    key["alg"] = fixture.algorithm.name().into();
    key
}
