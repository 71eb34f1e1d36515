//! What nobody can do without: the signature, with AWS-LC and a key that was read before.

use aws_lc_rs::{
    hmac,
    signature::{self, ParsedPublicKey, RsaPublicKeyComponents},
};
use base64_simd::URL_SAFE_NO_PAD;
use tower_bearer::Algorithm;

use super::keys;
use crate::{
    fixture::{Fixture, SECRET},
    path::Case,
    shared::Contender,
};

pub(crate) fn alone(case: &Case<'_>) -> Option<Contender> {
    let (input, signature) = case.token?.rsplit_once('.')?;
    let (input, signature) = (input.to_owned(), decoded(signature));
    let is_good = case.token != Some(&case.fixture.bad_signature);
    if case.fixture.algorithm == Algorithm::Hs256 {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
        return Some(Contender::new("", move || {
            assert_eq!(hmac::verify(&key, input.as_bytes(), &signature).is_ok(), is_good);
        }));
    }
    let key = public_key(case.fixture);
    Some(Contender::new("", move || {
        assert_eq!(key.verify_sig(input.as_bytes(), &signature).is_ok(), is_good);
    }))
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
