//! Wycheproof's JOSE files: whole tokens. Their payloads are no claims, so a token that passes all
//! checks of its header and signature is refused for its payload in the end.

use serde_json::Value;
use tower_bearer::{
    Algorithm, AuthErrorKind, Backend, Issuer, Verifier, key::VerifyingKey, policy::TokenType,
    test_util::raw::verify_jws,
};

use super::{Difference, backends, judge, key, list, read};

/// Where a strict verifier cannot, or need not, follow the labels.
const DIFFERENCES: &[Difference] = &[
    Difference {
        file: "json_web_signature_test.json",
        cases: &[346..=346, 350..=350],
        accepted: false,
        reason: "PS384 in the header, PS256 in the key (RFC 8725 section 3.1)",
    },
    Difference {
        file: "json_web_signature_test.json",
        cases: &[347..=347, 351..=351],
        accepted: false,
        reason: "ES521 in the key is no algorithm (RFC 7518 section 3.4 has ES512)",
    },
    Difference {
        file: "json_web_signature_test.json",
        cases: &[367..=367, 370..=370],
        accepted: true,
        reason: "the very token that is valid as case 357: the padding was lost on the way",
    },
    Difference {
        file: "json_web_signature_test.json",
        cases: &[372..=373],
        accepted: false,
        reason: "a question mark is no base64url (RFC 7515 section 2)",
    },
    Difference {
        file: "json_web_key_test.json",
        cases: &[7..=7],
        accepted: true,
        reason: "a modulus with the ROCA fingerprint is not looked for",
    },
    Difference {
        file: "json_web_crypto_test.json",
        cases: &[46..=46],
        accepted: true,
        reason: "a modulus with the ROCA fingerprint is not looked for",
    },
    Difference {
        file: "json_web_crypto_test.json",
        cases: &[50..=50, 67..=67],
        accepted: false,
        reason: "encrypted tokens are not supported",
    },
];

/// R-JWS-01, R-JWS-02, R-JWS-03, R-JWS-04, R-JWS-08, R-JWS-11, R-JWS-13, R-JWS-18, R-JWS-28, R-KEY-06
#[test]
fn signed_tokens_are_judged_as_labelled() {
    run("json_web_signature_test.json");
}

/// R-KEY-01, R-KEY-04, R-KEY-06, R-JWS-13, R-JWS-15, R-JWS-22, R-JWS-23, R-JWS-26, R-JWS-30
#[test]
fn keys_are_judged_as_labelled() {
    run("json_web_key_test.json");
}

/// R-JWS-01, R-JWS-02, R-JWS-03, R-JWS-11, R-JWS-15, R-JWS-18
#[test]
fn the_older_mix_is_judged_as_labelled() {
    run("json_web_crypto_test.json");
}

/// R-JWS-01, R-JWS-36: whatever the label, with the reason that stands for bad form.
#[test]
fn every_encrypted_token_is_refused() {
    for backend in backends() {
        let verifier = tower_bearer::test_util::TestIssuer::new().verifier();
        let vectors = read("wycheproof/json_web_encryption_test.json");
        let mut seen = 0;
        for group in list(&vectors["testGroups"]) {
            let keys = Keys::of(group);
            for case in list(&group["tests"]) {
                seen += 1;
                let token = token(&case["jwe"]);
                assert!(!keys.accept(backend, &token), "{backend:?}: {case}");
                let refused = verifier.verify_now(&token).expect_err("not signed at all");
                assert_eq!(refused.kind(), AuthErrorKind::Malformed, "{case}");
            }
        }
        assert_eq!(seen, 139);
    }
}

#[track_caller]
fn run(file: &str) {
    for backend in backends() {
        judge(file, backend, DIFFERENCES, Keys::of, |keys, case| {
            let jose = if case.get("jws").is_some() { "jws" } else { "jwe" };
            keys.accept(backend, &token(&case[jose]))
        });
    }
}

/// The text of a token; JSON serialisations stand in the files as objects.
fn token(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The keys of a group that this library takes, each with its algorithm.
struct Keys(Vec<(VerifyingKey, Algorithm)>);

impl Keys {
    fn of(group: &Value) -> Self {
        let given = group.get("public").unwrap_or(&group["private"]);
        let jwks = given.get("keys").map_or(std::slice::from_ref(given), list);
        let usable = |jwk: &Value| Some((key(jwk)?, jwk["alg"].as_str()?.parse().ok()?));
        Self(jwks.iter().filter_map(usable).collect())
    }

    /// Whether the token passes all checks but those of its claims, in an issuer with these keys.
    fn accept(&self, backend: Backend, token: &str) -> bool {
        let signed = self.0.iter().any(|(key, _)| verify_jws(backend, key, token));
        let issuer = Issuer::new("https://issuer.test")
            .danger_no_audience()
            .token_type(TokenType::AnyJwt)
            .algorithms(self.0.iter().map(|(_, algorithm)| *algorithm))
            .keys(self.0.iter().map(|(key, _)| key.clone()).collect::<tower_bearer::key::KeySet>());
        // A set that mixes secrets and public keys, or has nothing usable, makes no issuer.
        let Ok(verifier) = Verifier::builder().backend(backend).issuer(issuer).build() else {
            return false;
        };
        let refused = verifier.verify_now(token).expect_err("the payload is no claims set").kind();
        // The signature alone and the whole way must not contradict each other: a signature that
        // holds is refused only because two keys fit.
        if signed {
            let known = [AuthErrorKind::Malformed, AuthErrorKind::AmbiguousKey];
            assert!(known.contains(&refused), "{backend:?}: {refused:?} for {token}");
        }
        signed && refused == AuthErrorKind::Malformed
    }
}
