//! Wycheproof's files of signature primitives: the signature alone, over any bytes.

use serde_json::Value;
use tower_bearer::{Algorithm, Backend, key::VerifyingKey, test_util::raw::verify_signature};

use super::{Difference, backends, hex, judge};

/// Where the labels say what the primitive does, and JWS wants something else.
const DIFFERENCES: &[Difference] = &[
    Difference {
        file: "hmac_sha256_test.json",
        cases: &[82..=108, 172..=174],
        accepted: false,
        reason: TRUNCATED,
    },
    Difference {
        file: "hmac_sha384_test.json",
        cases: &[82..=108, 172..=174],
        accepted: false,
        reason: TRUNCATED,
    },
    Difference {
        file: "hmac_sha512_test.json",
        cases: &[82..=108, 172..=174],
        accepted: false,
        reason: TRUNCATED,
    },
    Difference {
        file: "hmac_sha256_test.json",
        cases: &[163..=168],
        accepted: false,
        reason: SHORT_SECRET,
    },
    Difference {
        file: "hmac_sha384_test.json",
        cases: &[163..=168],
        accepted: false,
        reason: SHORT_SECRET,
    },
    Difference {
        file: "hmac_sha512_test.json",
        cases: &[163..=168],
        accepted: false,
        reason: SHORT_SECRET,
    },
    Difference {
        file: "rsa_signature_2048_sha256_test.json",
        cases: &[258..=259],
        accepted: false,
        reason: SMALL_EXPONENT,
    },
    Difference {
        file: "rsa_signature_2048_sha512_test.json",
        cases: &[259..=259],
        accepted: false,
        reason: SMALL_EXPONENT,
    },
    Difference {
        file: "rsa_signature_3072_sha256_test.json",
        cases: &[259..=259],
        accepted: false,
        reason: SMALL_EXPONENT,
    },
    Difference {
        file: "rsa_signature_3072_sha512_test.json",
        cases: &[260..=260],
        accepted: false,
        reason: SMALL_EXPONENT,
    },
    Difference {
        file: "rsa_pss_2048_sha256_mgf1_0_test.json",
        cases: &[1..=61],
        accepted: false,
        reason: "no salt: RFC 7518 section 3.5 wants as many bytes as the hash has",
    },
    Difference {
        file: "rsa_pss_2048_sha256_mgf1_0_test.json",
        cases: &[69..=69],
        accepted: true,
        reason: "the salt was changed to 32 bytes, which is what PS256 wants",
    },
    Difference {
        file: "rsa_pss_2048_sha256_mgf1sha1_20_test.json",
        cases: &[1..=61, 73..=74],
        accepted: false,
        reason: "MGF1 with SHA-1 and 20 bytes of salt: RFC 7518 section 3.5 wants SHA-256 and 32",
    },
];

const TRUNCATED: &str = "half a tag: a JWS has the full one (RFC 7518 section 3.2)";
const SHORT_SECRET: &str = "the secret is shorter than the hash (RFC 7518 section 3.2)";
const SMALL_EXPONENT: &str = "exponent 3: this library takes 65537 and more";

/// R-JWS-28, R-JWS-30
#[test]
fn ecdsa_signatures_are_judged_as_labelled() {
    for backend in backends() {
        run(backend, Algorithm::Es256, "ecdsa_secp256r1_sha256_p1363_test.json");
        run(backend, Algorithm::Es384, "ecdsa_secp384r1_sha384_p1363_test.json");
    }
}

/// R-JWS-28: with the one backend that knows P-521; the other refuses all of them.
#[test]
fn es512_signatures_are_judged_as_labelled_where_the_backend_knows_the_curve() {
    const FILE: &str = "ecdsa_secp521r1_sha512_p1363_test.json";
    for backend in backends() {
        match backend {
            Backend::RustCrypto => judge(
                FILE,
                backend,
                &[Difference {
                    file: FILE,
                    cases: &[
                        1..=1,
                        60..=184,
                        186..=189,
                        191..=191,
                        193..=193,
                        195..=195,
                        197..=197,
                        199..=199,
                        203..=209,
                        211..=211,
                        213..=213,
                        215..=215,
                        217..=217,
                        219..=233,
                        235..=269,
                        274..=285,
                        290..=309,
                        313..=313,
                        317..=318,
                    ],
                    accepted: false,
                    reason: "all valid ones: this backend has no P-521",
                }],
                public_key,
                |key, case| holds(backend, key.as_ref(), Algorithm::Es512, case, "sig"),
            ),
            _ => run(backend, Algorithm::Es512, FILE),
        }
    }
}

/// R-JWS-31, R-JWS-32
#[test]
fn ed25519_signatures_are_judged_as_labelled() {
    for backend in backends() {
        run(backend, Algorithm::EdDsa, "ed25519_test.json");
    }
}

/// R-JWS-23: of 522 cases 108 differ, 90 with half a tag and 18 with too short a secret.
#[test]
fn hmac_tags_count_in_full_length_and_with_long_secrets_only() {
    for backend in backends() {
        for (algorithm, file) in [
            (Algorithm::Hs256, "hmac_sha256_test.json"),
            (Algorithm::Hs384, "hmac_sha384_test.json"),
            (Algorithm::Hs512, "hmac_sha512_test.json"),
        ] {
            let accepts = |(): &(), case: &Value| {
                let secret = VerifyingKey::hmac(algorithm, &hex(&case["key"])).ok();
                holds(backend, secret.as_ref(), algorithm, case, "tag")
            };
            judge(file, backend, DIFFERENCES, |_| (), accepts);
        }
    }
}

/// R-JWS-26
#[test]
fn rsa_pkcs1_signatures_of_2048_bits_are_judged_as_labelled() {
    run_pkcs1("2048");
}

/// R-JWS-26
#[test]
fn rsa_pkcs1_signatures_of_3072_bits_are_judged_as_labelled() {
    run_pkcs1("3072");
}

/// R-JWS-26
#[test]
fn rsa_pkcs1_signatures_of_4096_bits_are_judged_as_labelled() {
    run_pkcs1("4096");
}

/// R-JWS-27
#[test]
fn rsa_pss_signatures_are_judged_as_labelled_unless_their_parameters_are_not_those_of_jws() {
    for backend in backends() {
        for (algorithm, file) in [
            (Algorithm::Ps256, "rsa_pss_2048_sha256_mgf1_0_test.json"),
            (Algorithm::Ps256, "rsa_pss_2048_sha256_mgf1_32_test.json"),
            (Algorithm::Ps256, "rsa_pss_2048_sha256_mgf1sha1_20_test.json"),
            (Algorithm::Ps256, "rsa_pss_3072_sha256_mgf1_32_test.json"),
            (Algorithm::Ps256, "rsa_pss_4096_sha256_mgf1_32_test.json"),
            (Algorithm::Ps384, "rsa_pss_2048_sha384_mgf1_48_test.json"),
            (Algorithm::Ps384, "rsa_pss_4096_sha384_mgf1_48_test.json"),
            (Algorithm::Ps512, "rsa_pss_4096_sha512_mgf1_64_test.json"),
        ] {
            run(backend, algorithm, file);
        }
    }
}

#[track_caller]
fn run_pkcs1(bits: &str) {
    for backend in backends() {
        for (algorithm, hash) in [
            (Algorithm::Rs256, "sha256"),
            (Algorithm::Rs384, "sha384"),
            (Algorithm::Rs512, "sha512"),
        ] {
            run(backend, algorithm, &format!("rsa_signature_{bits}_{hash}_test.json"));
        }
    }
}

#[track_caller]
fn run(backend: Backend, algorithm: Algorithm, file: &str) {
    judge(file, backend, DIFFERENCES, public_key, |key, case| {
        holds(backend, key.as_ref(), algorithm, case, "sig")
    });
}

fn holds(
    backend: Backend,
    key: Option<&VerifyingKey>,
    algorithm: Algorithm,
    case: &Value,
    signature: &str,
) -> bool {
    key.is_some_and(|key| {
        verify_signature(backend, key, algorithm, &hex(&case["msg"]), &hex(&case[signature]))
    })
}

/// The key of a group. Every form that it is given in must be the same key, or none.
fn public_key(group: &Value) -> Option<VerifyingKey> {
    let key = VerifyingKey::from_der(hex(&group["publicKeyDer"])).ok();
    let pem = group["publicKeyPem"].as_str().expect("PEM");
    let mut forms = vec![VerifyingKey::from_pem(pem).ok()];
    for jwk in ["publicKeyJwk", "keyJwk"] {
        if group[jwk].is_object() {
            forms.push(VerifyingKey::from_jwk(&group[jwk].to_string()).ok());
        }
    }
    let name = |key: &VerifyingKey| key.thumbprint().expect("a backend");
    for form in forms {
        assert_eq!(form.as_ref().map(name), key.as_ref().map(name), "{}", group["publicKey"]);
    }
    key
}
