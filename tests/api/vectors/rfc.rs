//! The examples of the RFCs.

use http::{Request, Uri};
use serde_json::Value;
use tower_bearer::{
    Algorithm, AuthErrorKind, AuthLayer, Backend, Issuer, Verifier,
    key::{KeySet, VerifyingKey},
    policy::TokenType,
    scope::ScopeSet,
    test_util::{FrozenClock, TestIssuer, raw::verify_jws},
    time::UnixTime,
    token::{BearerHeader, FindToken, RequestHead},
};

use super::{backends, entry, key, list, read, text};
use crate::support::{Protected, Recorded, assert_refused, challenges, issuer, kind};

/// The second in March 2011 at which the tokens of RFC 7515 and RFC 7519 expire.
const EXPIRY: u64 = 1_300_819_380;

/// The claims of RFC 7519 section 3.1.
#[derive(serde::Deserialize)]
struct Joe {
    #[serde(rename = "http://example.com/is_root")]
    is_root: bool,
}

/// R-JWS-08 (A.1 to A.4), R-JWS-11 (A.5), R-JWS-02 (A.6, A.7)
#[test]
fn the_examples_of_rfc_7515_verify_as_signatures_in_compact_form_only() {
    for backend in backends() {
        for example in list(&read("rfc/rfc7515.json")) {
            let name = format!("{} with {backend:?}", example["id"]);
            let given = example.get("jwk").or_else(|| Some(&example["jwks"]["keys"][1]));
            let key = given.and_then(|jwk| key(&with_algorithm(jwk, &example["alg"])));
            let unsecured = example["alg"] == "none";
            let compact = example["form"] == "compact";
            let known = !(backend == Backend::RustCrypto && example["alg"] == "ES512");
            let expected = compact && !unsecured && known;
            let token = text(&example["jws"]);
            let holds = key.as_ref().is_some_and(|key| verify_jws(backend, key, token));
            assert_eq!(holds, expected, "{name}");
            if expected {
                assert!(!verify_jws(backend, &key.expect("a key"), &tampered(token)), "{name}");
            }
        }
    }
}

/// R-JWT-02, R-JWS-08: A.1 is the token of RFC 7519 section 3.1.
#[test]
fn the_claims_of_rfc_7515_are_accepted_until_they_expire() {
    for backend in backends() {
        for id in ["rfc7515-A.1", "rfc7515-A.2", "rfc7515-A.3"] {
            let example = entry("rfc/rfc7515.json", id);
            let algorithm: Algorithm = text(&example["alg"]).parse().expect("an algorithm");
            let key = key(&with_algorithm(&example["jwk"], &example["alg"])).expect("a key");
            let clock = FrozenClock::at(EXPIRY - 1);
            let joe = Issuer::new("joe")
                .danger_no_audience()
                .algorithms([algorithm])
                .keys(key)
                .leeway(std::time::Duration::ZERO);
            let build = |issuer: &Issuer| {
                let verifier = Verifier::builder().backend(backend).clock(clock.clone());
                verifier.issuer(issuer.clone()).claims::<Joe>().build().expect("a verifier")
            };
            let strict = build(&joe);
            let verifier = build(&joe.token_type(TokenType::AnyJwt));
            let token = text(&example["jws"]);

            let verified = verifier.verify_now(token).expect(id);
            assert!(verified.custom().is_root);
            assert_eq!(verified.issuer(), "joe");
            assert_eq!(verified.expires_at(), UnixTime::from_secs(EXPIRY));
            assert_eq!(verified.subject(), None);
            assert!(verified.scopes().is_empty());

            let refused = |verifier: &Verifier<Joe>, token: &str| {
                verifier.verify_now(token).expect_err(id).kind()
            };
            assert_eq!(refused(&strict, token), AuthErrorKind::WrongTokenType, "{id}");
            assert_eq!(refused(&verifier, &tampered(token)), AuthErrorKind::BadSignature, "{id}");
            clock.set(EXPIRY);
            assert_eq!(refused(&verifier, token), AuthErrorKind::Expired, "{id}");
        }
    }
}

/// R-KEY-09, R-KEY-08: the keys as the RFC prints them, private members and all.
#[test]
fn the_private_keys_of_the_examples_are_no_verifying_keys() {
    let mut seen = 0;
    for example in list(&read("rfc/rfc7515.json")) {
        let Some(jwk) = example.get("jwk") else {
            continue;
        };
        seen += 1;
        assert!(VerifyingKey::from_jwk(&jwk.to_string()).is_err(), "{}", example["id"]);
        let set = KeySet::from_jwks(&serde_json::json!({ "keys": [jwk] }).to_string());
        let set = set.expect("a set of keys");
        assert!(set.is_empty() && set.skipped()[0].is_exposed(), "{}", example["id"]);
    }
    assert_eq!(seen, 5);
}

/// R-JWS-01, R-JWS-11: unsecured and encrypted tokens.
#[test]
fn the_unsecured_and_the_encrypted_tokens_of_rfc_7519_are_refused() {
    let verifier = issuer().verifier();
    for (id, reason) in [
        ("rfc7519-6.1", AuthErrorKind::AlgorithmNotAllowed),
        ("rfc7519-A.1", AuthErrorKind::Malformed),
        ("rfc7519-A.2", AuthErrorKind::Malformed),
    ] {
        let token = entry("rfc/rfc7519.json", id);
        let refused = verifier.verify_now(text(&token["jwt"])).expect_err(id);
        assert_eq!(refused.kind(), reason, "{id}");
    }
    let same = entry("rfc/rfc7519.json", "rfc7519-3.1");
    assert_eq!(same["jwt"], entry("rfc/rfc7515.json", "rfc7515-A.1")["jws"]);
}

/// R-KEY-11
#[test]
fn the_thumbprints_of_rfc_7638_and_rfc_8037_are_ours() {
    for example in list(&read("rfc/rfc7638.json")) {
        let mut jwk = example["jwk"].clone();
        let thumbprint = |jwk: &Value| {
            let key = VerifyingKey::from_jwk(&jwk.to_string()).expect("a key");
            key.thumbprint().expect("a backend")
        };
        assert_eq!(thumbprint(&jwk), example["thumbprint"], "{}", example["id"]);

        // What is not required never changes it.
        let members = jwk.as_object_mut().expect("an object");
        members.remove("kid");
        members.remove("alg");
        assert_eq!(thumbprint(&jwk), example["thumbprint"], "{}", example["id"]);
        jwk["kid"] = "another".into();
        jwk["use"] = "sig".into();
        jwk["x5t"] = "AA".into();
        assert_eq!(thumbprint(&jwk), example["thumbprint"], "{}", example["id"]);
    }
    let (named, thumbprint) =
        (entry("rfc/rfc8037.json", "rfc8037-A.2"), entry("rfc/rfc8037.json", "rfc8037-A.3"));
    let key = VerifyingKey::from_jwk(&named["jwk"].to_string()).expect("a key");
    assert_eq!(key.thumbprint().expect("a backend"), thumbprint["thumbprint"]);
}

/// R-JWS-31
#[test]
fn the_ed25519_example_of_rfc_8037_verifies() {
    let example = entry("rfc/rfc8037.json", "rfc8037-A.4");
    let again = read("jose-cookbook/curve25519/jws.json");
    for backend in backends() {
        for (jwk, token) in [
            (&example["jwk"], &example["jws"]),
            (&again["input"]["key"], &again["output"]["compact"]),
        ] {
            let key = key(jwk).expect("a key");
            assert!(verify_jws(backend, &key, text(token)), "{backend:?}");
            assert!(!verify_jws(backend, &key, &tampered(text(token))), "{backend:?}");
        }
    }
}

/// RFC 7520 section 4; R-JWS-01, R-JWS-02, R-JWS-08
#[test]
fn the_cookbook_verifies_in_compact_form_and_its_json_forms_are_refused() {
    let (mut compact, mut json) = (0, 0);
    for backend in backends() {
        for file in [
            "4_1.rsa_v15_signature.json",
            "4_2.rsa-pss_signature.json",
            "4_3.ecdsa_signature.json",
            "4_4.hmac-sha2_integrity_protection.json",
            "4_5.signature_with_detached_content.json",
            "4_6.protecting_specific_header_fields.json",
            "4_7.protecting_content_only.json",
            "4_8.multiple_signatures.json",
        ] {
            let example = read(&format!("jose-cookbook/jws/{file}"));
            // Of several keys the last one, a secret that really signed.
            let (jwk, alg) = match example["input"]["key"].as_array() {
                Some(several) => (&several[2], &example["input"]["alg"][2]),
                None => (&example["input"]["key"], &example["input"]["alg"]),
            };
            let key = key(&with_algorithm(jwk, alg)).expect("a key");
            let verifier = verifier(backend, &key, alg);
            let refused = |token: &str| match &verifier {
                Some(verifier) => verifier.verify_now(token).expect_err(file).kind(),
                None => AuthErrorKind::Malformed,
            };

            if let Some(token) = example["output"]["compact"].as_str() {
                compact += 1;
                let attached = !token.contains("..") && verifier.is_some();
                assert_eq!(verify_jws(backend, &key, token), attached, "{file} {backend:?}");
                if attached {
                    // The signature holds, and the payload is no claims set.
                    assert_eq!(refused(token), AuthErrorKind::Malformed, "{file}");
                    assert_eq!(refused(&tampered(token)), AuthErrorKind::BadSignature, "{file}");
                }
            }
            for form in ["json", "json_flat"] {
                let Some(form) = example["output"].get(form) else {
                    continue;
                };
                json += 1;
                let token = form.to_string();
                assert!(!verify_jws(backend, &key, &token), "{file} {backend:?}");
                assert_eq!(refused(&token), AuthErrorKind::Malformed, "{file}");
            }
        }
    }
    let backends = backends().len();
    assert_eq!((compact, json), (5 * backends, 15 * backends));
}

/// R-JWS-16: RFC 7797 takes the payload as it is, which nothing here understands.
#[test]
fn an_unencoded_payload_is_refused_for_its_header_whatever_its_signature() {
    for backend in backends() {
        let example = read("jose-cookbook/rfc7797/hmac-sha2_b64_false.json");
        let key = key(&example["input"]["key"]).expect("a key");
        let verifier = verifier(backend, &key, &example["input"]["alg"]).expect("a verifier");
        let token = text(&example["output"]["compact"]);
        assert!(!verify_jws(backend, &key, token));
        let refused = verifier.verify_now(token).expect_err("unencoded");
        assert_eq!(refused.kind(), AuthErrorKind::UnsupportedHeader);

        let detached = read("jose-cookbook/rfc7797/4.2.hmac-sha2_b64_false.json");
        let signing = &detached["signing"];
        let (header, signature) = (text(&signing["protected_b64u"]), text(&signing["sig"]));
        for payload in ["", "JC4wMg", "$"] {
            let token = format!("{header}.{payload}.{signature}");
            let refused = verifier.verify_now(&token).expect_err("unencoded");
            assert_eq!(refused.kind(), AuthErrorKind::UnsupportedHeader, "{payload}");
        }
    }
}

/// R-JWS-19, R-SCOPE-01: header and claims of RFC 9068 section 3, signed by a key of the test.
#[test]
fn the_access_token_of_rfc_9068_is_accepted() {
    let header = entry("rfc/rfc9068.json", "rfc9068-3-header")["header"].clone();
    let claims = entry("rfc/rfc9068.json", "rfc9068-3-claims")["claims"].clone();
    let signer = TestIssuer::named(text(&claims["iss"]), Algorithm::Rs256);
    let token = signer.sign_raw(&header.to_string(), &claims.to_string());

    let key = signer.key().clone().with_id(text(&header["kid"])).expect("a key id");
    let issuer = Issuer::new(text(&claims["iss"]))
        .audience(text(&claims["aud"]))
        .algorithms([Algorithm::Rs256])
        .keys(key);
    let clock = FrozenClock::at(1_618_354_090);
    let verifier = Verifier::builder().issuer(issuer).clock(clock.clone()).build();
    let verifier = verifier.expect("a verifier");

    let verified = verifier.verify_now(&token).expect("the token is good");
    assert_eq!(verified.issuer(), claims["iss"]);
    assert_eq!(verified.subject(), claims["sub"].as_str());
    assert_eq!(verified.client_id(), claims["client_id"].as_str());
    assert_eq!(verified.token_id(), claims["jti"].as_str());
    assert_eq!(verified.audience().collect::<Vec<_>>(), [text(&claims["aud"])]);
    assert_eq!(verified.issued_at(), Some(UnixTime::from_secs(1_618_354_090)));
    assert_eq!(verified.expires_at(), UnixTime::from_secs(1_639_528_912));
    assert_eq!(verified.scopes().iter().collect::<Vec<_>>(), ["openid", "profile", "reademail"]);
    assert!(!verified.is_client());

    clock.set(1_639_528_912 + 60);
    let refused = verifier.verify_now(&token).expect_err("expired");
    assert_eq!(refused.kind(), AuthErrorKind::Expired);
}

/// R-TRANS-01, R-TRANS-10, R-TRANS-11: RFC 6750 sections 2.1 to 2.3.
#[tokio::test]
async fn of_the_three_ways_of_rfc_6750_only_the_header_is_read() {
    let none = entry("rfc/rfc6750.json", "rfc6750-3-none");
    let protected = protected_example(issuer().verifier());
    for (id, is_found) in [("rfc6750-2.1", true), ("rfc6750-2.2", false), ("rfc6750-2.3", false)] {
        let example = entry("rfc/rfc6750.json", id);
        let request = request(&example["request"]);
        let found = BearerHeader.find(&RequestHead::of(&request));
        match found {
            Ok(token) => assert_eq!((token.as_bytes(), is_found), (&b"mF_9.B5f-4.1JqM"[..], true)),
            Err(error) => {
                assert_eq!((error.kind(), is_found), (AuthErrorKind::NoCredentials, false), "{id}");
                let response = protected.send(request).await;
                assert_refused(&response, 401, Some(text(&none["www_authenticate"])));
            }
        }
    }
    assert_eq!(protected.calls(), 0);
}

/// R-CHAL-02, R-CHAL-03, R-CHAL-04: the two challenges of RFC 6750 section 3, byte for byte.
#[tokio::test]
async fn the_challenges_of_rfc_6750_are_ours() {
    let issuer = issuer();
    let protected = protected_example(issuer.verifier());
    for (id, response) in [
        ("rfc6750-3-none", protected.send_lines(&[]).await),
        ("rfc6750-3-expired", protected.send_token(&issuer.token().expired().sign()).await),
    ] {
        let example = entry("rfc/rfc6750.json", id);
        let status = u16::try_from(example["status"].as_u64().expect("a status")).unwrap();
        assert_refused(&response, status, Some(text(&example["www_authenticate"])));
    }
}

/// R-CHAL-08: RFC 6750 section 3.1.
#[tokio::test]
async fn error_codes_have_the_statuses_of_rfc_6750() {
    let expected = entry("rfc/rfc6750.json", "rfc6750-3.1")["status_of_error"].clone();
    let issuer = issuer();
    let protected = protected_example(issuer.verifier());
    for line in [&b"Bearer"[..], b"Bearer a,b", b"Bearer a", b"Bearer a.b.c"] {
        let response = protected.send_lines(&[line]).await;
        let [challenge] = challenges(response.headers())[..] else {
            panic!("one challenge");
        };
        let code = challenge.split("error=\"").nth(1).and_then(|rest| rest.split('"').next());
        let status = expected[code.expect("an error code")].as_u64();
        assert_eq!(Some(u64::from(response.status().as_u16())), status, "{challenge}");
        assert_eq!(kind(&response).map(AuthErrorKind::status), Some(response.status()));
    }
    assert_eq!(
        u64::from(AuthErrorKind::InsufficientScope.status().as_u16()),
        expected["insufficient_scope"]
    );
}

/// R-SCOPE-02: the scope values of RFC 6750 section 3.
#[test]
fn the_scope_values_of_rfc_6750_are_read() {
    let examples = entry("rfc/rfc6750.json", "rfc6750-3-scope-values");
    let read = |example: &Value| ScopeSet::parse(text(example)).expect("scopes");
    let [several, one] = list(&examples["scope_examples"]) else {
        panic!("two examples");
    };
    assert_eq!(read(several).iter().collect::<Vec<_>>(), ["email", "openid", "profile"]);
    assert_eq!(read(one).iter().collect::<Vec<_>>(), [text(one)]);
}

fn protected_example(verifier: Verifier) -> Protected<Verifier> {
    let events = Recorded::default();
    let layer = AuthLayer::builder(verifier).realm("example").on_event(events.clone()).build();
    Protected::with(layer.expect("a layer"), events)
}

/// A verifier for any claims that this key signs, if the backend knows the algorithm.
fn verifier(backend: Backend, key: &VerifyingKey, algorithm: &Value) -> Option<Verifier> {
    let issuer = Issuer::new("joe")
        .danger_no_audience()
        .token_type(TokenType::AnyJwt)
        .algorithms([text(algorithm).parse().expect("an algorithm")])
        .keys(key.clone());
    Verifier::builder().backend(backend).issuer(issuer).build().ok()
}

/// The key with the algorithm that the example uses it for; a secret needs one.
fn with_algorithm(jwk: &Value, algorithm: &Value) -> Value {
    let mut jwk = jwk.clone();
    if let (Some(members), Some(_)) = (jwk.as_object_mut(), algorithm.as_str()) {
        members.insert("alg".to_owned(), algorithm.clone());
    }
    jwk
}

/// The token with another first character of its signature, still well-formed.
fn tampered(token: &str) -> String {
    let at = token.rfind('.').expect("a signature") + 1;
    let other = if token[at..].starts_with('A') { "B" } else { "A" };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}

fn request(example: &Value) -> Request<String> {
    let uri: Uri = text(&example["path"]).parse().expect("a path");
    let mut request = Request::builder().method(text(&example["method"])).uri(uri);
    for header in example["headers"].as_array().into_iter().flatten() {
        request = request.header(text(&header[0]), text(&header[1]));
    }
    request.body(example["body"].as_str().unwrap_or_default().to_owned()).expect("a request")
}
