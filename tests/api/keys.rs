//! Keys: which are taken, from which texts, why others are not, and how they are replaced.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::{Value, json};
use tower_bearer::{
    Algorithm, AuthErrorKind as Kind, Backend, ConfigError, Issuer, Verifier,
    event::AuthEvent,
    key::{KeySet, VerifyingKey},
    test_util::TestIssuer,
    time::UnixTime,
};

use crate::{
    backends,
    support::{
        C3, NOW, Protected, Recorded, assert_refused, claims_text, decode, der, der_integer,
        encode, issuer, issuer_with, kind, refusal, sign_elsewhere, with_signature,
    },
};

/// A P-256 key of RFC 9449 section 6.1, and its thumbprint.
const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#;
const P256_THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
/// The Ed25519 key of RFC 8037 appendix A.2, and its thumbprint.
const ED25519: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const ED25519_THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
/// The RSA key of RFC 7638 section 3.1, and its thumbprint.
const RSA_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
const RSA_THUMBPRINT: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

/// The object with these members set, or left out where the value is null.
fn with(jwk: &str, changes: Value) -> String {
    let mut jwk: Value = serde_json::from_str(jwk).unwrap();
    let members = jwk.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    jwk.to_string()
}

fn rsa(n: &[u8], e: &[u8]) -> String {
    format!(r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#, encode(n), encode(e))
}

/// An odd number of exactly so many bits.
fn odd(bits: usize) -> Vec<u8> {
    let mut number = vec![0xff; bits.div_ceil(8)];
    number[0] = 0xff >> (number.len() * 8 - bits);
    number
}

fn jwks(keys: &[&str]) -> String {
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// Why the JWK is not taken.
#[track_caller]
fn jwk_fault(jwk: &str) -> String {
    VerifyingKey::from_jwk(jwk).expect_err(jwk).to_string()
}

fn trusted(issuer: &TestIssuer, keys: impl Into<tower_bearer::issuer::KeySource>) -> Issuer {
    Issuer::new(issuer.name())
        .audience(issuer.audience())
        .algorithms([issuer.algorithm()])
        .keys(keys)
}

fn verifier_of(trusted: Issuer, events: &Recorded) -> Result<Verifier, ConfigError> {
    let builder = Verifier::builder().issuer(trusted).clock(UnixTime::from_secs(NOW));
    builder.on_event(events.clone()).build()
}

/// R-KEY-01
#[tokio::test]
async fn odd_keys_are_skipped_and_the_rest_is_used() {
    let issuer = issuer();
    let good: Value = serde_json::from_str(&issuer.jwks()).unwrap();
    let good = with(&good["keys"][0].to_string(), json!({"foo": 1, "x5c": [], "bar": {"d": 1}}));
    let odd_keys = [
        r#"{"kty":"AKP","alg":"ML-DSA-44","pub":"AAAA","kid":"akp"}"#,
        r#"{"kty":"RSA","kid":"bad-rsa","n":"AQAB","e":"AQAB"}"#,
        r#"{"kty":"RSA","kid":"no-n","e":"AQAB"}"#,
        r#"{"kty":"ec","crv":"P-256","kid":"case","x":"AA","y":"AA"}"#,
        r#"{"kty":7}"#,
        r#"{"kid":"no-kty"}"#,
        "{}",
        "null",
        "17",
        r#""key""#,
        "[]",
        "[{}]",
        "true",
    ];
    for position in [0, 5, odd_keys.len()] {
        let mut keys = odd_keys.to_vec();
        keys.insert(position, &good);
        let set = KeySet::from_jwks(&jwks(&keys)).unwrap();
        assert_eq!((set.len(), set.skipped().len()), (1, odd_keys.len()));
        let ids: Vec<_> = set.skipped().iter().filter_map(|key| key.key_id()).collect();
        assert_eq!(ids, ["akp", "bad-rsa", "no-n", "case", "no-kty"]);
        assert!(set.skipped().iter().all(|key| !key.is_exposed() && !key.reason().is_empty()));

        let events = Recorded::default();
        let verifier = verifier_of(trusted(&issuer, set), &events).unwrap();
        assert_eq!(events.codes(), [&["key_skipped"; 13][..], &["keys_replaced"]].concat());
        Protected::by(verifier).accepts(&issuer.token().sign(), "the good key").await;
    }
}

/// R-KEY-01, R-JWS-13, R-JWS-06: the exact reasons.
#[test]
fn a_jwk_is_refused_with_its_reason() {
    const UNKNOWN: &str = "kty or crv of the JWK is not known here, or a member is missing";
    const BASE64: &str = "a member of the JWK is no base64url";
    const WIDTH: &str = "an EC coordinate must have the full width of its curve";
    const AGREE: &str = "kty, crv and alg of the JWK do not agree";
    let ec = |changes: Value| with(P256, changes);
    let okp = |changes: Value| with(ED25519, changes);
    let cases = [
        (String::new(), "the JWK is malformed"),
        ("[]".to_owned(), "the JWK is malformed"),
        (format!("{P256}{P256}"), "the JWK is malformed"),
        (format!("{P256}x"), "the JWK is malformed"),
        (format!("\u{feff}{P256}"), "the JWK is malformed"),
        (P256.replacen('{', r#"{"kty":"EC","#, 1), "the JWK is malformed"),
        (P256.replacen('{', r#"{"\u006bty":"EC","#, 1), "the JWK is malformed"),
        (P256.replacen('{', r#"{"kid":"a","kid":"b","#, 1), "the JWK is malformed"),
        (P256.replacen('{', r#"{"foo":1,"foo":1,"#, 1), "the JWK is malformed"),
        (P256.replacen('{', r#"{"x":"AA","#, 1), "the JWK is malformed"),
        (ec(json!({"kid": 1})), "the JWK is malformed"),
        (ec(json!({"kty": 1})), "the JWK is malformed"),
        (ec(json!({"alg": 1})), "the JWK is malformed"),
        (ec(json!({"use": ["sig"]})), "the JWK is malformed"),
        (ec(json!({"key_ops": "verify"})), "the JWK is malformed"),
        (ec(json!({"key_ops": [1]})), "the JWK is malformed"),
        ("{}".to_owned(), UNKNOWN),
        (ec(json!({"kty": null})), UNKNOWN),
        (ec(json!({"kty": "ec"})), UNKNOWN),
        (ec(json!({"kty": "AKP"})), UNKNOWN),
        (ec(json!({"crv": null})), UNKNOWN),
        (ec(json!({"crv": "secp256k1"})), UNKNOWN),
        (ec(json!({"crv": "p-256"})), UNKNOWN),
        (ec(json!({"crv": "Ed25519"})), UNKNOWN),
        (ec(json!({"x": null})), UNKNOWN),
        (ec(json!({"y": null})), UNKNOWN),
        (ec(json!({"x": 1})), UNKNOWN),
        (okp(json!({"x": null})), UNKNOWN),
        (okp(json!({"crv": "Ed448"})), UNKNOWN),
        (okp(json!({"crv": "X25519"})), UNKNOWN),
        (okp(json!({"crv": "P-256"})), UNKNOWN),
        (format!(r#"{{"kty":"RSA","n":"{RSA_N}"}}"#), UNKNOWN),
        (r#"{"kty":"RSA","e":"AQAB"}"#.to_owned(), UNKNOWN),
        (ec(json!({"x": "l8tFrhx+34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs"})), BASE64),
        (ec(json!({"x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs="})), BASE64),
        (ec(json!({"x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFt"})), BASE64),
        (okp(json!({"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp"})), BASE64),
        (format!(r#"{{"kty":"RSA","n":"{RSA_N} ","e":"AQAB"}}"#), BASE64),
        // R-KEY-04
        (ec(json!({"x": encode([1; 31])})), WIDTH),
        (ec(json!({"x": encode([1; 33])})), WIDTH),
        (ec(json!({"y": encode([1; 31])})), WIDTH),
        (ec(json!({"y": ""})), WIDTH),
        (ec(json!({"crv": "P-384"})), WIDTH),
        (ec(json!({"crv": "P-384", "x": encode([1; 47]), "y": encode([1; 48])})), WIDTH),
        (ec(json!({"crv": "P-521", "x": encode([1; 65]), "y": encode([1; 66])})), WIDTH),
        (okp(json!({"x": encode([1; 31])})), "an Ed25519 key must have 32 bytes"),
        (okp(json!({"x": encode([1; 33])})), "an Ed25519 key must have 32 bytes"),
        (ec(json!({"alg": "ES384"})), AGREE),
        (ec(json!({"alg": "RS256"})), AGREE),
        (ec(json!({"alg": "HS256"})), AGREE),
        (ec(json!({"alg": "EdDSA"})), AGREE),
        (okp(json!({"alg": "ES256"})), AGREE),
        (format!(r#"{{"kty":"RSA","alg":"ES256","n":"{RSA_N}","e":"AQAB"}}"#), AGREE),
        (ec(json!({"alg": "ECDH-ES"})), "the algorithm of the JWK is not known here"),
        (ec(json!({"alg": "es256"})), "the algorithm of the JWK is not known here"),
        (ec(json!({"alg": "none"})), "the algorithm of the JWK is not known here"),
        (ec(json!({"alg": ""})), "the algorithm of the JWK is not known here"),
        (ec(json!({"kid": ""})), "a key id must have 1 to 256 bytes"),
        (ec(json!({"kid": "k".repeat(257)})), "a key id must have 1 to 256 bytes"),
    ];
    for (jwk, reason) in cases {
        assert_eq!(jwk_fault(&jwk), format!("the key cannot be used: {reason}"), "{jwk}");
        if serde_json::from_str::<Value>(&jwk).is_ok() {
            let set = KeySet::from_jwks(&jwks(&[P256, &jwk])).unwrap();
            assert_eq!((set.len(), set.skipped()[0].reason()), (1, reason), "{jwk}");
        }
    }
    assert!(VerifyingKey::from_jwk(&ec(json!({"kid": "k".repeat(256)}))).is_ok());
}

/// R-KEY-01: what is not known is ignored, whatever it is, and so are the members of other kinds.
#[test]
fn unknown_members_of_a_jwk_do_no_harm() {
    for odd in [
        r#""foo":1e999"#,
        r#""foo":"\ud800""#,
        r#""foo":{"a":1,"a":2}"#,
        r#""foo":null,"ext":true,"x5c":[1]"#,
        r#""n":1,"e":"?""#,
    ] {
        let jwk = P256.replacen('{', &format!("{{{odd},"), 1);
        assert!(VerifyingKey::from_jwk(&jwk).is_ok(), "{jwk}");
    }
    let rsa = format!(r#"{{"kty":"RSA","n":"{RSA_N}","e":"AQAB","crv":7,"x":[],"y":null}}"#);
    assert!(VerifyingKey::from_jwk(&rsa).is_ok());
}

/// R-KEY-10: the same key twice is one key.
#[test]
fn a_key_that_stands_twice_is_not_ambiguous() {
    for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa, Algorithm::Hs256] {
        let issuer = issuer_with(algorithm);
        let twice = KeySet::new([issuer.key().clone(), issuer.key().clone()]);
        let verifier = verifier_of(trusted(&issuer, twice), &Recorded::default()).unwrap();
        assert!(verifier.verify_now(&issuer.token().sign()).is_ok(), "{algorithm:?}");
        // Neither a key of another id nor another key of this id is the same.
        let anonymous = issuer.token().without_header("kid").sign();
        let other = issuer.key().clone().with_id("other").unwrap();
        let both = KeySet::new([issuer.key().clone(), other]);
        let verifier = verifier_of(trusted(&issuer, both), &Recorded::default()).unwrap();
        assert_eq!(refusal(&verifier, &anonymous), Kind::AmbiguousKey, "{algorithm:?}");
    }
}

/// R-KEY-06
#[test]
fn use_and_key_ops_must_allow_verifying() {
    let fault = |changes: Value| {
        VerifyingKey::from_jwk(&with(P256, changes)).err().map(|error| error.to_string())
    };
    for good in [
        json!({"use": "sig"}),
        json!({"key_ops": ["verify"]}),
        json!({"key_ops": ["sign", "verify"]}),
        json!({"use": "sig", "key_ops": ["verify"]}),
        json!({"use": "sig", "key_ops": ["verify", "sign"]}),
        json!({"key_ops": ["verify", "deriveKey"]}),
    ] {
        assert_eq!(fault(good.clone()), None, "{good}");
    }
    for (bad, reason) in [
        (json!({"use": "enc"}), "the JWK is not for signatures (use)"),
        (json!({"use": "SIG"}), "the JWK is not for signatures (use)"),
        (json!({"use": ""}), "the JWK is not for signatures (use)"),
        (json!({"use": "enc", "key_ops": ["verify"]}), "the JWK is not for signatures (use)"),
        (json!({"key_ops": []}), "the JWK is not for verifying (key_ops)"),
        (json!({"key_ops": ["sign"]}), "the JWK is not for verifying (key_ops)"),
        (json!({"key_ops": ["Verify"]}), "the JWK is not for verifying (key_ops)"),
        (json!({"key_ops": ["verify", "verify"]}), "key_ops of the JWK has repeats"),
        (
            json!({"use": "sig", "key_ops": ["verify", "encrypt"]}),
            "use and key_ops of the JWK contradict each other",
        ),
    ] {
        assert_eq!(fault(bad.clone()), Some(format!("the key cannot be used: {reason}")), "{bad}");
    }
}

/// R-KEY-06
#[test]
fn a_key_for_encryption_verifies_nothing_though_its_kid_matches() {
    let issuer = issuer();
    let own: Value = serde_json::from_str(&issuer.jwks()).unwrap();
    let encryption = with(&own["keys"][0].to_string(), json!({"use": "enc"}));
    let set = KeySet::from_jwks(&jwks(&[&encryption, P256])).unwrap();
    let verifier = verifier_of(trusted(&issuer, set), &Recorded::default()).unwrap();
    assert_eq!(refusal(&verifier, &issuer.token().sign()), Kind::UnknownKey);
}

/// R-KEY-08, R-JWS-15: not even the right secret.
#[test]
fn a_secret_in_a_key_document_is_not_used() {
    let oct =
        format!(r#"{{"kty":"oct","alg":"HS256","kid":"test-key","k":"{}"}}"#, encode([7; 32]));
    let set = KeySet::from_jwks(&jwks(&[&oct])).unwrap();
    assert!(set.is_empty() && set.skipped()[0].is_exposed());
    assert_eq!(set.skipped()[0].reason(), "a secret (kty oct) has no place in a key document");
    assert!(jwk_fault(&oct).contains("kty oct"));
    assert!(VerifyingKey::from_jwk(r#"{"kty":"oct"}"#).is_err());

    let issuer = issuer_with(Algorithm::Hs256);
    let events = Recorded::default();
    let error = verifier_of(trusted(&issuer, set), &events).unwrap_err();
    let reasons = r#"key "test-key": a secret (kty oct) has no place in a key document"#.to_owned();
    assert_eq!(error, ConfigError::NoUsableKey { issuer: issuer.name().to_owned(), reasons });
    assert_eq!(events.codes(), ["key_exposed", "keys_rejected"]);

    // Beside a good key, for an issuer of public-key algorithms.
    let es256 = crate::support::issuer();
    let own = es256.jwks();
    let both = own.replacen('[', &format!("[{oct},"), 1);
    let verifier =
        verifier_of(trusted(&es256, KeySet::from_jwks(&both).unwrap()), &Recorded::default())
            .unwrap();
    let input = format!(
        "{}.{}",
        encode(r#"{"alg":"HS256","kid":"test-key","typ":"at+jwt"}"#),
        encode(claims_text(&es256, &[]))
    );
    let secret = jsonwebtoken::EncodingKey::from_secret(&[7; 32]);
    let tag = sign_elsewhere(jsonwebtoken::Algorithm::HS256, &secret, input.as_bytes());
    assert_eq!(refusal(&verifier, &with_signature(&input, &tag)), Kind::AlgorithmNotAllowed);
}

/// R-KEY-09
#[test]
fn a_private_key_in_a_key_document_is_skipped_and_reported() {
    let rsa = format!(r#"{{"kty":"RSA","kid":"r","n":"{RSA_N}","e":"AQAB"}}"#);
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        for value in [json!("AAAA"), json!([]), json!(1), json!("")] {
            for public in [&*rsa, P256, ED25519] {
                let jwk = with(public, json!({name: value}));
                let set = KeySet::from_jwks(&jwks(&[&jwk])).unwrap();
                assert_eq!((set.len(), set.skipped().len()), (0, 1), "{jwk}");
                assert!(set.skipped()[0].is_exposed(), "{jwk}");
                assert_eq!(set.skipped()[0].reason(), "the JWK has private members", "{jwk}");
            }
        }
    }
    // However odd the key is otherwise, the secret is out.
    for jwk in [
        with(P256, json!({"d": "AAAA", "kid": 1})),
        with(P256, json!({"d": "AAAA", "use": "enc"})),
        with(P256, json!({"d": "AAAA", "alg": "none"})),
        with(P256, json!({"d": "AAAA", "kty": "AKP"})),
        with(P256, json!({"d": null, "x": null})).replacen('{', r#"{"\u0064":"AAAA","#, 1),
        P256.replacen('{', r#"{"d":"AAAA","d":"AAAA","#, 1),
        P256.replacen('{', r#"{"kty":"EC","d":"AAAA","#, 1),
    ] {
        let set = KeySet::from_jwks(&jwks(&[&jwk])).unwrap();
        assert!(set.is_empty() && set.skipped()[0].is_exposed(), "{jwk}");
    }
    // A member of a member is nobody's secret.
    let nested = with(P256, json!({"ext": {"d": 1}}));
    assert_eq!(KeySet::from_jwks(&jwks(&[&nested])).unwrap().len(), 1);
}

/// R-KEY-09
#[test]
fn an_exposed_key_is_a_grave_event_with_the_name_of_the_issuer() {
    let issuer = issuer();
    let exposed = with(P256, json!({"kid": "leaked", "d": "s3cr3tAA"}));
    let set = KeySet::from_jwks(&issuer.jwks().replacen('[', &format!("[{exposed},"), 1)).unwrap();
    let events = Recorded::default();
    let verifier = verifier_of(trusted(&issuer, set.clone()), &events).unwrap();
    assert_eq!(events.codes(), ["key_exposed", "keys_replaced"]);
    let AuthEvent::KeySkipped { issuer: name, key } = &events.all()[0] else { panic!() };
    assert_eq!((&**name, key.key_id(), key.is_exposed()), (issuer.name(), Some("leaked"), true));
    assert!(!format!("{:?} {set:?} {verifier:?}", events.all()).contains("s3cr3t"));

    verifier.replace_keys(issuer.name(), set).unwrap();
    assert_eq!(events.codes(), ["key_exposed", "keys_replaced"].repeat(2));
    // The default sink says the same, and still no secret; see `watch_traces`.
    let set = KeySet::from_jwks(&jwks(&[&exposed, P256])).unwrap();
    let traced = Verifier::builder().issuer(trusted(&issuer, set)).build();
    assert!(traced.is_ok());
    {
        assert!(crate::support::traced("the key document gives a private or secret key away"));
        assert!(crate::support::traced(r#"kid="leaked""#));
    }
}

/// R-KEY-10
#[test]
fn keys_of_a_document_that_share_a_kid_are_all_kept() {
    let (ec, rsa) = (issuer(), issuer_with(Algorithm::Rs256));
    let keys: Vec<Value> = [&ec, &rsa]
        .map(|issuer| serde_json::from_str::<Value>(&issuer.jwks()).unwrap()["keys"][0].clone())
        .into();
    let set = KeySet::from_jwks(&json!({ "keys": keys }).to_string()).unwrap();
    assert_eq!(set.len(), 2);
    assert!(set.iter().all(|key| key.id() == Some("test-key")));
    let trusted = Issuer::new(ec.name())
        .audience(ec.audience())
        .algorithms([Algorithm::Es256, Algorithm::Rs256])
        .keys(set);
    let verifier = verifier_of(trusted, &Recorded::default()).unwrap();
    assert!(verifier.verify_now(&ec.token().sign()).is_ok());
    assert!(verifier.verify_now(&rsa.token().sign()).is_ok());
}

/// R-KEY-11
#[test]
fn thumbprints_are_those_of_rfc_7638() {
    let rsa = format!(r#"{{"kty":"RSA","n":"{RSA_N}","e":"AQAB"}}"#);
    for (jwk, thumbprint) in
        [(P256, P256_THUMBPRINT), (ED25519, ED25519_THUMBPRINT), (&*rsa, RSA_THUMBPRINT)]
    {
        let key = VerifyingKey::from_jwk(jwk).unwrap();
        assert_eq!(key.thumbprint().unwrap(), thumbprint);
        // R-KEY-13: the thumbprint can be the id, and the id does not change it.
        let named = key.clone().with_id(thumbprint).unwrap();
        assert_eq!(
            (named.id(), named.thumbprint().unwrap()),
            (Some(thumbprint), thumbprint.to_owned())
        );

        let serves = |algorithm: &Algorithm| key.clone().with_algorithm(*algorithm).is_ok();
        let alg = Algorithm::ALL.iter().copied().find(serves).unwrap().name();
        for optional in [
            json!({"kid": "2011-04-29"}),
            json!({"alg": alg}),
            json!({"use": "sig", "key_ops": ["verify"]}),
            json!({"x5c": ["AA"], "a": 1, "zzz": {}}),
        ] {
            let key = VerifyingKey::from_jwk(&with(jwk, optional.clone())).unwrap();
            assert_eq!(key.thumbprint().unwrap(), thumbprint, "{optional}");
        }
    }
    let secret = VerifyingKey::hmac(Algorithm::Hs256, &[7; 32]).unwrap();
    // SHA-256 of {"k":"BwcH...","kty":"oct"}
    assert_eq!(secret.thumbprint().unwrap(), "X7ZeXWu3bq09ofncmqKiVAjOnOY7Pqoi80PIsv-egCI");
}

/// R-KEY-05
#[test]
fn a_leading_zero_of_an_rsa_number_is_dropped() {
    let n = decode(RSA_N);
    for (n, e) in [
        ([&[0][..], &n].concat(), vec![1, 0, 1]),
        ([&[0, 0, 0][..], &n].concat(), vec![0, 1, 0, 1]),
        (n.clone(), vec![0, 0, 0, 0, 0, 1, 0, 1]),
    ] {
        let key = VerifyingKey::from_jwk(&rsa(&n, &e)).unwrap();
        assert_eq!(key.thumbprint().unwrap(), RSA_THUMBPRINT);
    }
    // What is emitted is minimal.
    let own: Value = serde_json::from_str(&issuer_with(Algorithm::Rs256).jwks()).unwrap();
    assert_eq!(own["keys"][0]["e"], "AQAB");
    assert_eq!(decode(own["keys"][0]["n"].as_str().unwrap()).len(), 256);

    // And such a key verifies.
    let issuer = issuer_with(Algorithm::Rs256);
    let own: Value = serde_json::from_str(&issuer.jwks()).unwrap();
    let n = decode(own["keys"][0]["n"].as_str().unwrap());
    let jwk = with(&own["keys"][0].to_string(), json!({"n": encode([&[0][..], &n].concat())}));
    let set = KeySet::from_jwks(&jwks(&[&jwk])).unwrap();
    let verifier = verifier_of(trusted(&issuer, set), &Recorded::default()).unwrap();
    assert!(verifier.verify_now(&issuer.token().sign()).is_ok());
}

/// R-JWS-26, R-KEY-33
#[test]
fn rsa_keys_have_2048_to_8192_bits_and_a_sound_exponent() {
    const BITS: &str = "an RSA modulus must have 2048 to 8192 bits";
    const EXPONENT: &str = "an RSA exponent must be odd, at least 65537 and below 2^32";
    let three = [1, 0, 1];
    let even = |bits| {
        let mut n = odd(bits);
        *n.last_mut().unwrap() = 0xfe;
        n
    };
    type Outcome = Result<(), &'static str>;
    let cases: &[(Vec<u8>, &[u8], Outcome)] = &[
        (odd(2048), &three, Ok(())),
        (odd(2049), &three, Ok(())),
        (odd(3072), &three, Ok(())),
        (odd(4096), &three, Ok(())),
        (odd(8192), &three, Ok(())),
        (odd(1024), &three, Err(BITS)),
        (odd(2047), &three, Err(BITS)),
        (odd(8193), &three, Err(BITS)),
        (odd(16384), &three, Err(BITS)),
        (Vec::new(), &three, Err(BITS)),
        (vec![0; 256], &three, Err(BITS)),
        ([vec![0; 128], odd(1024)].concat(), &three, Err(BITS)),
        (even(2048), &three, Err("an RSA modulus must be odd")),
        (odd(2048), &[], Err(EXPONENT)),
        (odd(2048), &[0], Err(EXPONENT)),
        (odd(2048), &[1], Err(EXPONENT)),
        (odd(2048), &[3], Err(EXPONENT)),
        (odd(2048), &[0xff, 0xff], Err(EXPONENT)),
        (odd(2048), &[1, 0, 0], Err(EXPONENT)),
        (odd(2048), &[1, 0, 2], Err(EXPONENT)),
        (odd(2048), &[1, 0, 3], Ok(())),
        (odd(2048), &[0xff, 0xff, 0xff, 0xff], Ok(())),
        (odd(2048), &[1, 0, 0, 0, 1], Err(EXPONENT)),
        (odd(2048), &[0xff; 256], Err(EXPONENT)),
    ];
    for (n, e, expected) in cases {
        let expected = expected.map_err(|reason| format!("the key cannot be used: {reason}"));
        let case = format!("{} bytes, e = {e:?}", n.len());
        let jwk = VerifyingKey::from_jwk(&rsa(n, e)).map(drop).map_err(|error| error.to_string());
        assert_eq!(jwk, expected, "JWK of {case}");
        let der =
            VerifyingKey::from_der(rsa_spki(n, e)).map(drop).map_err(|error| error.to_string());
        assert_eq!(der, expected, "DER of {case}");
        let pem = VerifyingKey::from_pem(pem("PUBLIC KEY", &rsa_spki(n, e)));
        assert_eq!(pem.map(drop).map_err(|error| error.to_string()), expected, "PEM of {case}");
    }
}

/// R-JWS-23
#[test]
fn an_hmac_secret_is_at_least_as_long_as_the_hash() {
    for (algorithm, least) in
        [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)]
    {
        let fault = |length: usize| {
            let key = VerifyingKey::hmac(algorithm, &vec![7; length]);
            key.err().map(|error| error.to_string())
        };
        let text = format!(
            "the key cannot be used: an {algorithm} key must have at least {least} random bytes"
        );
        for length in [0, 1, least - 1] {
            assert_eq!(fault(length), Some(text.clone()));
        }
        assert_eq!(fault(least), None);
        assert_eq!(fault(1000), None);
        let key = VerifyingKey::hmac(algorithm, &[7; 64]).unwrap();
        assert_eq!(key.clone().with_algorithm(algorithm).unwrap().algorithm(), Some(algorithm));
        for other in Algorithm::ALL.iter().copied().filter(|other| *other != algorithm) {
            assert!(key.clone().with_algorithm(other).is_err(), "{algorithm} for {other}");
        }
    }
    for algorithm in Algorithm::ALL.iter().copied().filter(|algorithm| !algorithm.is_hmac()) {
        let error = VerifyingKey::hmac(algorithm, &[7; 64]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the key cannot be used: a secret fits HS256, HS384 and HS512 only"
        );
    }
}

/// R-JWS-30: only the backend can tell, so it is found when the verifier is built.
#[test]
fn a_point_that_is_not_on_its_curve_is_skipped() {
    let issuer = issuer();
    let p = decode("_____wAAAAEAAAAAAAAAAAAAAAD_______________8");
    assert_eq!(p.len(), 32);
    let good: Value = serde_json::from_str(P256).unwrap();
    let coordinate = |name: &str| decode(good[name].as_str().unwrap());
    let (x, y) = (coordinate("x"), coordinate("y"));
    let mut other_y = y.clone();
    other_y[31] ^= 1;
    for (case, x, y) in [
        ("y changed", &x, &other_y),
        ("swapped", &y, &x),
        ("zero", &vec![0; 32], &vec![0; 32]),
        ("x = p", &p, &y),
        ("all ones", &vec![0xff; 32], &vec![0xff; 32]),
        ("(1, 1)", &[vec![0; 31], vec![1]].concat(), &[vec![0; 31], vec![1]].concat()),
    ] {
        let off = with(P256, json!({"kid": "off", "x": encode(x), "y": encode(y)}));
        let set = || KeySet::from_jwks(&jwks(&[&off])).unwrap();
        for backend in backends::all() {
            let build = |trusted: Issuer, events: &Recorded| {
                let builder = Verifier::builder().issuer(trusted).backend(backend);
                builder.on_event(events.clone()).build()
            };
            let events = Recorded::default();
            let error = build(trusted(&issuer, set()), &events).unwrap_err();
            let ConfigError::NoUsableKey { reasons, .. } = error else { panic!("{error}") };
            assert_eq!(reasons, r#"key "off": the EC point is not on its curve"#, "{case}");
            assert_eq!(events.codes(), ["key_skipped", "keys_rejected"], "{case}");
            let AuthEvent::KeySkipped { key, .. } = &events.all()[0] else { panic!() };
            assert_eq!((key.key_id(), key.is_exposed()), (Some("off"), false));

            let events = Recorded::default();
            let both = set().with(issuer.key().clone());
            assert!(build(trusted(&issuer, both), &events).is_ok(), "{case}");
            assert_eq!(events.codes(), ["key_skipped", "keys_replaced"], "{case}");
        }
    }
}

/// R-JWS-30: 2 is the y coordinate of no point.
#[test]
fn an_ed25519_key_that_is_no_point_is_skipped() {
    let jwk = with(ED25519, json!({"x": encode([vec![2], vec![0; 31]].concat())}));
    assert!(jwk_fault(&jwk).contains("not a point of the curve"));
    let set = KeySet::from_jwks(&jwks(&[&jwk, ED25519])).unwrap();
    assert_eq!((set.len(), set.skipped().len()), (1, 1));

    let key = VerifyingKey::from_jwk(ED25519).unwrap();
    for backend in backends::all() {
        let issuer = Issuer::new("i").audience("a").algorithms([Algorithm::EdDsa]);
        let builder = Verifier::builder().issuer(issuer.keys(key.clone())).backend(backend);
        assert!(builder.on_event(()).build().is_ok(), "{backend:?}");
    }
}

/// R-JWS-32
#[test]
fn ed25519_keys_of_small_order_or_with_two_encodings_are_refused() {
    const ORDER_8: [&str; 2] = [
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ];
    let bytes = |digits: &str| -> Vec<u8> {
        (0..64).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    };
    let mut points = ORDER_8.map(bytes).to_vec();
    points.push(vec![0; 32]);
    points.push([vec![1], vec![0; 31]].concat());
    // p - 1, then everything from p up: what is below 2^255 and still no canonical number.
    for low in 0xec..=0xff {
        points.push([vec![low], vec![0xff; 30], vec![0x7f]].concat());
    }
    for mut point in points {
        for sign in [0, 0x80] {
            point[31] = point[31] & 0x7f | sign;
            let jwk = with(ED25519, json!({"x": encode(&point)}));
            let reason = "an Ed25519 key must be canonical and not of small order";
            assert_eq!(jwk_fault(&jwk), format!("the key cannot be used: {reason}"), "{point:?}");
            assert!(VerifyingKey::from_der(ed25519_spki(&point)).is_err(), "{point:?}");
        }
    }
}

/// R-KEY-33: a static key in PEM or DER, made elsewhere, verifies a token signed elsewhere.
#[test]
fn pem_and_der_keys_verify() {
    for (algorithm, key) in backends::foreign_keys() {
        let issuer = issuer_with(algorithm);
        let token = key.token(algorithm, &claims_text(&issuer, &[]));
        let named = |key: VerifyingKey| key.with_id("test-key").unwrap();
        let from_pem = named(VerifyingKey::from_pem(key.public).unwrap());
        let from_der = named(VerifyingKey::from_der(key.der()).unwrap());
        assert_eq!(from_pem.thumbprint(), from_der.thumbprint());
        for key in [from_pem, from_der] {
            let verifier = verifier_of(trusted(&issuer, key), &Recorded::default()).unwrap();
            assert!(verifier.verify_now(&token).is_ok(), "{algorithm}");
            assert_eq!(
                refusal(&verifier, &issuer.token().sign()),
                Kind::BadSignature,
                "{algorithm}"
            );
        }
        // The same key as DER that is written here, and in a PEM with text around it.
        let bundle =
            format!("an issuer's key\n{}\nand no more\n", key.public.replace('\n', "\r\n"));
        assert!(VerifyingKey::from_pem(bundle).is_ok(), "{algorithm}");
    }
}

/// R-KEY-33
#[test]
fn pem_texts_that_are_no_single_public_key_are_refused_with_the_remedy() {
    let (_, key) = backends::foreign_keys()
        .into_iter()
        .find(|(algorithm, _)| *algorithm == Algorithm::Es256)
        .unwrap();
    let spki = p256_spki();
    let two = "there is more than one PEM section: read one key at a time";
    let private = "this is a private key: a verifier needs the public one only";
    for (text, reason) in [
        (
            String::new(),
            "there is no PEM section PUBLIC KEY (convert RSA PUBLIC KEY with openssl rsa -RSAPublicKey_in -pubout)",
        ),
        (
            "hunter2".to_owned(),
            "there is no PEM section PUBLIC KEY (convert RSA PUBLIC KEY with openssl rsa -RSAPublicKey_in -pubout)",
        ),
        (
            P256.to_owned(),
            "there is no PEM section PUBLIC KEY (convert RSA PUBLIC KEY with openssl rsa -RSAPublicKey_in -pubout)",
        ),
        (
            pem(
                "RSA PUBLIC KEY",
                &der(0x30, &[&der_integer(&odd(2048)), &der_integer(&[1, 0, 1])]),
            ),
            "there is no PEM section PUBLIC KEY (convert RSA PUBLIC KEY with openssl rsa -RSAPublicKey_in -pubout)",
        ),
        (format!("{0}{0}", key.public), two),
        (format!("{}{}", key.public, key.private), two),
        (key.private.to_owned(), private),
        (pem("RSA PRIVATE KEY", &spki), private),
        (pem("EC PRIVATE KEY", &spki), private),
        (
            pem("CERTIFICATE", &spki),
            "this is a certificate: extract its public key (openssl x509 -pubkey -noout)",
        ),
        (pem("CERTIFICATE REQUEST", &spki), "the PEM section is no public key"),
        (pem("PUBLIC KEY", b"nonsense"), "the DER is no SubjectPublicKeyInfo"),
        (pem("PUBLIC KEY", &spki).replace("-----END", "---END"), "the PEM is malformed"),
        (pem("PUBLIC KEY", &spki).replacen('M', "\u{e4}", 1), "the PEM is malformed"),
    ] {
        let error = VerifyingKey::from_pem(&text).unwrap_err();
        assert_eq!(error.to_string(), format!("the key cannot be used: {reason}"), "{text}");
    }
}

/// R-KEY-33, R-KEY-04
#[test]
fn der_that_is_no_sound_public_key_is_refused() {
    let spki = p256_spki();
    let point = &spki[spki.len() - 65..];
    let oid = |dotted: &[u8]| der(6, &[dotted]);
    let ec = [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    let p256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    let key = |algorithm: &[&[u8]], key: &[u8]| {
        der(0x30, &[&der(0x30, algorithm), &der(3, &[&[0], key])])
    };
    assert_eq!(key(&[&oid(&ec), &oid(&p256)], point), spki, "the helper writes the same");
    assert!(VerifyingKey::from_der(&spki).is_ok());
    let compressed = [&[2 + (point[64] & 1)][..], &point[1..33]].concat();
    let hybrid = [&[6 + (point[64] & 1)][..], &point[1..]].concat();
    let no_spki = "the DER is no SubjectPublicKeyInfo";
    let form = "an EC point must be uncompressed and of full width";
    let curve = "the curve is not one of P-256, P-384, P-521";
    for (der, reason) in [
        (Vec::new(), no_spki),
        (spki[..spki.len() - 1].to_vec(), no_spki),
        ([&spki[..], &[0]].concat(), no_spki),
        (P256.as_bytes().to_vec(), no_spki),
        (key(&[&oid(&ec), &oid(&p256)], &compressed), form),
        (key(&[&oid(&ec), &oid(&p256)], &hybrid), form),
        (key(&[&oid(&ec), &oid(&p256)], &point[..64]), form),
        (key(&[&oid(&ec), &oid(&p256)], &[point, &[0]].concat()), form),
        (key(&[&oid(&ec), &oid(&p256)], &[0]), form),
        (key(&[&oid(&ec), &oid(&p256)], &[]), form),
        (key(&[&oid(&ec), &oid(&[0x2b, 0x81, 4, 0, 10])], point), curve),
        (key(&[&oid(&ec)], point), curve),
        (key(&[&oid(&ec), &[5, 0]], point), curve),
        (key(&[&oid(&[0x2b, 0x65, 0x6e])], &[9; 32]), "the key is not RSA, EC or Ed25519"),
        (key(&[&oid(&[0x2b, 0x65, 0x71])], &[9; 57]), "the key is not RSA, EC or Ed25519"),
        (key(&[&oid(&[0x2b, 0x65, 0x70])], &[9; 31]), "an Ed25519 key must have 32 bytes"),
        (
            key(&[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]), &[5, 0]], b"x"),
            "the DER is no RSAPublicKey",
        ),
        (
            der(
                0x30,
                &[&der(0x30, &[&oid(&ec), &oid(&p256)]), &der(3, &[&[1], &point[..64], &[0]])],
            ),
            "the key is not a whole number of bytes",
        ),
    ] {
        let error = VerifyingKey::from_der(&der).unwrap_err();
        assert_eq!(error.to_string(), format!("the key cannot be used: {reason}"), "{der:02x?}");
    }
    // Every cut and every changed byte of a key is an error or another sound key, never a panic.
    let rsa = rsa_spki(&odd(2048), &[1, 0, 1]);
    for der in [spki, rsa] {
        for at in 0..der.len() {
            assert!(VerifyingKey::from_der(&der[..at]).is_err(), "cut at {at}");
            let mut changed = der.clone();
            changed[at] ^= 0x81;
            let _ = VerifyingKey::from_der(changed);
        }
    }
}

/// R-KEY-18: the shape of the document, and nothing else, is insisted on.
#[test]
fn a_key_document_is_an_object_with_an_array_of_keys() {
    for document in [
        "",
        "[]",
        "null",
        "1",
        "\"keys\"",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        r#"{"keys":"x"}"#,
        r#"{"Keys":[]}"#,
        r#"{"keys":[]"#,
        r#"{"keys":[]}x"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[],"\u006beys":[]}"#,
        r#"{"keys":[,]}"#,
        r#"{"keys":[{]}"#,
        "\u{feff}{\"keys\":[]}",
        P256,
    ] {
        let error = KeySet::from_jwks(document).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the key cannot be used: the key document is no JSON object with an array `keys`",
            "{document}"
        );
    }
    for document in [
        format!(r#"{{"issuer":"x","keys":[{P256}],"keys_":{{"d":1}}}}"#),
        format!(" \r\n{{\"\\u006beys\" : [ {P256} ] }}\n"),
    ] {
        assert_eq!(KeySet::from_jwks(&document).unwrap().len(), 1, "{document}");
    }
    assert!(KeySet::from_jwks(r#"{"keys":[]}"#).unwrap().is_empty());
}

/// R-KEY-19: the bounds that hold wherever the text comes from.
#[test]
fn a_key_document_is_bounded() {
    let keys = |count: usize| jwks(&vec![P256; count]);
    assert_eq!(KeySet::from_jwks(&keys(100)).unwrap().len(), 100);
    let error = KeySet::from_jwks(&keys(101)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the key cannot be used: the key document has more than 100 keys"
    );
    let error = KeySet::from_jwks(&jwks(&["1"; 101])).unwrap_err();
    assert!(error.to_string().contains("more than 100 keys"));

    let padded = |length: usize| {
        let document = jwks(&[P256]);
        let padding = " ".repeat(length - document.len());
        document + &padding
    };
    assert_eq!(KeySet::MAX_DOCUMENT, 256 * 1024);
    assert_eq!(KeySet::from_jwks(&padded(KeySet::MAX_DOCUMENT)).unwrap().len(), 1);
    let error = KeySet::from_jwks(&padded(KeySet::MAX_DOCUMENT + 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the key cannot be used: the key document is longer than 256 KiB"
    );
}

/// R-JWS-07: whatever the form of a key, only so much of it is looked at.
#[test]
fn a_key_that_is_too_long_is_refused_in_every_form() {
    let too_long = "the key cannot be used: the key is longer than 64 KiB";
    let padded = |length: usize| format!("{P256}{}", " ".repeat(length - P256.len()));
    assert!(VerifyingKey::from_jwk(&padded(VerifyingKey::MAX_LEN)).is_ok());
    for refused in [
        VerifyingKey::from_jwk(&padded(VerifyingKey::MAX_LEN + 1)),
        VerifyingKey::from_pem(vec![b'-'; VerifyingKey::MAX_LEN + 1]),
        VerifyingKey::from_der(vec![0x30; VerifyingKey::MAX_LEN + 1]),
    ] {
        assert_eq!(refused.unwrap_err().to_string(), too_long);
    }
}

/// R-JWS-07: one key that is out of bounds is skipped, and said to be.
#[test]
fn a_jwk_that_is_nested_too_deeply_is_skipped() {
    let deep = format!("{}{}", "[".repeat(32), "]".repeat(32));
    let members: Vec<_> = (0..260).map(|number| format!(r#""{number}":0"#)).collect();
    for more in
        [format!(r#""kid":"odd","z":{deep}"#), format!(r#""kid":"odd",{}"#, members.join(","))]
    {
        let odd = P256.replacen('{', &format!("{{{more},"), 1);
        let set = KeySet::from_jwks(&jwks(&[&odd, P256])).unwrap();
        assert_eq!((set.len(), set.skipped().len()), (1, 1));
        let skipped = &set.skipped()[0];
        assert_eq!(skipped.reason(), "the JWK is nested too deeply or has too many members");
        assert_eq!(skipped.key_id(), Some("odd"));
        assert!(jwk_fault(&odd).contains("nested too deeply or has too many members"));
    }
    for deep in ["[".repeat(100_000), "{\"a\":".repeat(40_000)] {
        assert!(KeySet::from_jwks(&format!(r#"{{"keys":[{deep}"#)).is_err());
        assert!(VerifyingKey::from_jwk(&format!(r#"{{"kty":{deep}"#)).is_err());
        assert!(VerifyingKey::from_jwk(&deep).is_err());
    }
    let closed = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(KeySet::from_jwks(&jwks(&[&closed])).unwrap().skipped().len(), 1);
}

/// The name of a skipped key is bounded, as it comes from the document.
#[test]
fn the_name_of_a_skipped_key_is_bounded() {
    for long in ["k".repeat(100_000), "é".repeat(50_000), format!("k{}", "é".repeat(1000))] {
        let set = KeySet::from_jwks(&jwks(&[&with(P256, json!({"kid": long}))])).unwrap();
        let id = set.skipped()[0].key_id().unwrap();
        assert!((254..=257).contains(&id.len()) && long.starts_with(id), "{}", id.len());
    }
}

/// R-KEY-25, R-JWT-30: also for a token whose header, and the token itself, were seen before.
#[tokio::test]
async fn a_removed_key_is_refused_at_once() {
    let (old, new) = (issuer(), issuer());
    let verifier = old.verifier();
    let protected = Protected::by(verifier.clone());
    let (old_token, new_token) = (old.token().sign(), new.token().sign());
    for _ in 0..3 {
        protected.accepts(&old_token, "the old key").await;
        protected.refuses(&new_token, Kind::BadSignature, "the new key is not there yet").await;
        verifier.replace_keys(old.name(), new.keys()).unwrap();
        protected.refuses(&old_token, Kind::BadSignature, "the old key is gone").await;
        protected.accepts(&new_token, "the new key").await;
        verifier.replace_keys(old.name(), new.key().clone().with_id("other").unwrap()).unwrap();
        protected.refuses(&new_token, Kind::UnknownKey, "the key has another name").await;
        verifier.replace_keys(old.name(), old.keys()).unwrap();
    }
}

/// Each replacement is a new generation, and told with the number of usable keys.
#[test]
fn a_replacement_is_a_generation_and_an_event() {
    let issuer = issuer();
    let events = Recorded::default();
    let verifier = verifier_of(issuer.trusted(), &events).unwrap();
    let two = [issuer.key().clone(), VerifyingKey::from_jwk(P256).unwrap()];
    assert_eq!(verifier.replace_keys(issuer.name(), two), Ok(2));
    // A key that serves no algorithm of the issuer is none of its usable keys, and no fault.
    let other = [issuer.key().clone(), VerifyingKey::from_jwk(ED25519).unwrap()];
    assert_eq!(verifier.clone().replace_keys(issuer.name(), other), Ok(3));
    let told: Vec<_> = events
        .all()
        .iter()
        .map(|event| match event {
            AuthEvent::KeysReplaced { issuer, generation, keys } => {
                (issuer.to_string(), *generation, *keys)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let name = || issuer.name().to_owned();
    assert_eq!(told, [(name(), 1, 1), (name(), 2, 2), (name(), 3, 1)]);
}

/// R-KEY-27
#[test]
fn an_unusable_set_is_turned_down_and_the_old_keys_stay() {
    let issuer = issuer();
    let off_curve = with(P256, json!({"x": encode([1; 32])}));
    let encryption = with(P256, json!({"kid": "enc", "use": "enc"}));
    for (document, reasons, skipped) in [
        (jwks(&[]), "there is no key", 0),
        (
            jwks(&["{}", "1"]),
            "a key without an id: kty or crv of the JWK is not known here, or a member is missing; a key without an id: the JWK is malformed",
            2,
        ),
        (jwks(&[ED25519]), "keys for other algorithms: 1", 0),
        (jwks(&[&off_curve]), "a key without an id: the EC point is not on its curve", 1),
        (
            jwks(&[&encryption, ED25519]),
            r#"key "enc": the JWK is not for signatures (use); keys for other algorithms: 1"#,
            1,
        ),
        (
            jwks(&["1", "2", "3", "4", "5"]),
            "a key without an id: the JWK is malformed; a key without an id: the JWK is malformed; a key without an id: the JWK is malformed; and 2 more",
            5,
        ),
    ] {
        let events = Recorded::default();
        let verifier = verifier_of(issuer.trusted(), &events).unwrap();
        let set = KeySet::from_jwks(&document).unwrap();
        let error = verifier.replace_keys(issuer.name(), set).unwrap_err();
        let reasons = reasons.to_owned();
        assert_eq!(error, ConfigError::NoUsableKey { issuer: issuer.name().to_owned(), reasons });
        let codes = [&["keys_replaced"], &vec!["key_skipped"; skipped][..], &["keys_rejected"]];
        assert_eq!(events.codes(), codes.concat(), "{document}");
        assert!(verifier.verify_now(&issuer.token().sign()).is_ok(), "{document}");
        // It took no generation.
        assert_eq!(verifier.replace_keys(issuer.name(), issuer.keys()), Ok(2), "{document}");
    }
}

/// R-KEY-28, R-KEY-29, R-KEY-27
#[tokio::test]
async fn without_keys_the_answer_is_503_until_there_are_some() {
    let issuer = issuer();
    let later = Issuer::new(issuer.name())
        .audience(issuer.audience())
        .algorithms([Algorithm::Es256])
        .keys_later();
    let verifier = verifier_of(later, &Recorded::default()).unwrap();
    let protected = Protected::by(verifier.clone());
    assert_eq!(verifier.ready().await.unwrap_err().kind(), Kind::KeysUnavailable);

    let unavailable = |response: &http::Response<String>| {
        assert_refused(response, 503, None);
        assert_eq!(response.headers()["retry-after"], "5");
        assert_eq!(kind(response), Some(Kind::KeysUnavailable));
    };
    unavailable(&protected.send_token(&issuer.token().sign()).await);
    // The token may be anything: nobody can tell yet.
    unavailable(&protected.send_token(&issuer.token().tampered().sign()).await);
    unavailable(&protected.send_token(&issuer.token().unknown_key().sign()).await);
    unavailable(&protected.send_token(&issuer.token().expired().sign()).await);
    // What is wrong whatever the keys are is refused all the same.
    for (token, reason) in [
        (issuer.token().wrong_issuer().sign(), Kind::UnknownIssuer),
        (issuer.token().without_claim("iss").sign(), Kind::MissingClaim),
        (issuer.token().claim("iss", 1).sign(), Kind::MalformedClaim),
        (issuer.token().unsigned().sign(), Kind::AlgorithmNotAllowed),
        (issuer.token().key_confusion().sign(), Kind::AlgorithmNotAllowed),
        ("a.b.c".to_owned(), Kind::Malformed),
    ] {
        protected.refuses(&token, reason, reason.code()).await;
    }
    let empty = verifier.replace_keys(issuer.name(), KeySet::default());
    assert!(matches!(empty, Err(ConfigError::NoUsableKey { .. })));
    unavailable(&protected.send_token(&issuer.token().sign()).await);

    assert_eq!(verifier.replace_keys(issuer.name(), issuer.keys()), Ok(1));
    verifier.ready().await.unwrap();
    protected.accepts(&issuer.token().sign(), "there are keys now").await;
    let response = protected.send_token(&issuer.token().tampered().sign()).await;
    assert_refused(&response, 401, Some(C3));
    assert_eq!(protected.calls(), 1);
}

/// While keys are replaced, a token whose key is in the old and in the new set is never refused,
/// and one whose key is in neither is never accepted.
#[test]
fn keys_are_replaced_while_tokens_are_verified() {
    let (issuer, other, foreign) = (issuer(), issuer(), issuer());
    let other_key = other.key().clone().with_id("other").unwrap();
    let verifier = issuer.verifier();
    let (good, bad) = (issuer.token().sign(), foreign.token().sign());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert!(verifier.verify_now(&good).is_ok());
                    assert!(verifier.verify_now(&bad).is_err());
                }
            });
        }
        for _ in 0..200 {
            verifier
                .replace_keys(issuer.name(), [issuer.key().clone(), other_key.clone()])
                .unwrap();
            verifier.replace_keys(issuer.name(), issuer.keys()).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(verifier.replace_keys(issuer.name(), issuer.keys()), Ok(402));
}

/// R-TRANS-21: what is printed of keys and verifiers is their kind and name.
#[test]
fn debug_shows_no_key() {
    let secret = b"s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t";
    let key = VerifyingKey::hmac(Algorithm::Hs256, secret).unwrap().with_id("2026-11").unwrap();
    assert_eq!(
        format!("{key:?}"),
        r#"VerifyingKey { kind: "HMAC", id: Some("2026-11"), algorithm: None, .. }"#
    );
    let issuer = Issuer::new("https://a.test")
        .audience("a")
        .algorithms([Algorithm::Hs256])
        .keys(key.clone());
    let builder = Verifier::builder().issuer(issuer.clone());
    let mut printed = format!("{:?} {issuer:?} {builder:?} {issuer:#?}", KeySet::from(key));
    printed += &format!("{:?}", builder.build().unwrap());
    for shown in [
        String::from_utf8_lossy(secret).as_ref(),
        &encode(secret),
        &format!("{secret:?}"),
        "115, 51, 99",
    ] {
        assert!(!printed.contains(shown), "{shown} in {printed}");
    }
    let public = VerifyingKey::from_jwk(P256).unwrap();
    assert_eq!(
        format!("{public:?}"),
        r#"VerifyingKey { kind: "P-256", id: None, algorithm: None, .. }"#
    );
    for algorithm in [Algorithm::Rs256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Hs512] {
        let test = issuer_with(algorithm);
        let printed = format!("{:?} {:?} {:?}", test, test.key(), test.verifier());
        assert!(printed.len() < 400, "{printed}");
    }
}

/// A key that says its algorithm is held to it.
#[test]
fn a_key_can_be_restricted_to_an_algorithm_that_it_can_serve() {
    let rsa =
        VerifyingKey::from_jwk(&format!(r#"{{"kty":"RSA","n":"{RSA_N}","e":"AQAB"}}"#)).unwrap();
    let restricted = rsa.clone().with_algorithm(Algorithm::Ps384).unwrap();
    assert_eq!((rsa.algorithm(), restricted.algorithm()), (None, Some(Algorithm::Ps384)));
    let error = rsa.with_algorithm(Algorithm::Es256).unwrap_err();
    assert_eq!(error.to_string(), "the key cannot be used: the key cannot serve this algorithm");
    for (length, sound) in [(0, false), (1, true), (256, true), (257, false)] {
        let named = restricted.clone().with_id("k".repeat(length));
        assert_eq!(named.is_ok(), sound, "{length}");
    }
    // The issuer allows another one only.
    let issuer = issuer_with(Algorithm::Ps256);
    let error = verifier_of(trusted(&issuer, restricted), &Recorded::default()).unwrap_err();
    let reasons = "keys for other algorithms: 1".to_owned();
    assert_eq!(error, ConfigError::NoUsableKey { issuer: issuer.name().to_owned(), reasons });
}

/// The pure-Rust backend takes RSA keys of up to 4096 bits; larger ones are skipped with an event.
#[test]
fn an_rsa_key_that_a_backend_cannot_take_is_skipped() {
    let issuer = issuer_with(Algorithm::Rs256);
    for (bits, pure_rust) in [(4096, true), (4104, false), (8192, false)] {
        let large = VerifyingKey::from_jwk(&rsa(&odd(bits), &[1, 0, 1])).unwrap();
        let large = large.with_id("large").unwrap();
        for backend in backends::all() {
            let events = Recorded::default();
            let trusted = trusted(&issuer, [issuer.key().clone(), large.clone()]);
            let builder =
                Verifier::builder().issuer(trusted).backend(backend).on_event(events.clone());
            let built = builder.clock(UnixTime::from_secs(NOW)).build();
            assert!(built.unwrap().verify_now(&issuer.token().sign()).is_ok());
            if backend == Backend::AwsLcRs || pure_rust {
                assert_eq!(events.codes(), ["keys_replaced"], "{backend:?}, {bits} bits");
            } else {
                assert_eq!(events.codes(), ["key_skipped", "keys_replaced"], "{bits} bits");
                let AuthEvent::KeySkipped { key, .. } = &events.all()[0] else { panic!() };
                assert_eq!(key.reason(), "this backend takes RSA keys of up to 4096 bits");
            }
        }
    }
}

/// The `SubjectPublicKeyInfo` of an RSA key.
fn rsa_spki(n: &[u8], e: &[u8]) -> Vec<u8> {
    let algorithm =
        der(0x30, &[&der(6, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]]), &[5, 0]]);
    let key = der(0x30, &[&der_integer(n), &der_integer(e)]);
    der(0x30, &[&algorithm, &der(3, &[&[0], &key])])
}

/// The `SubjectPublicKeyInfo` of an Ed25519 key.
fn ed25519_spki(point: &[u8]) -> Vec<u8> {
    der(0x30, &[&der(0x30, &[&[6, 3, 0x2b, 0x65, 0x70]]), &der(3, &[&[0], point])])
}

/// The `SubjectPublicKeyInfo` of [`P256`].
fn p256_spki() -> Vec<u8> {
    let jwk: Value = serde_json::from_str(P256).unwrap();
    let coordinate = |name: &str| decode(jwk[name].as_str().unwrap());
    let prefix = [
        0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 3, 1, 7, 3, 0x42, 0, 4,
    ];
    [&prefix[..], &coordinate("x"), &coordinate("y")].concat()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64_simd::STANDARD.encode_to_string(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
