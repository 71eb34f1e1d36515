//! Without a cryptographic backend nothing can be verified, and that is said when a verifier is
//! built, not at the first request.

#![cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]

use tower_bearer::{Algorithm, Backend, ConfigError, Issuer, Verifier, key::VerifyingKey};

fn issuer() -> Issuer {
    let key = VerifyingKey::hmac(Algorithm::Hs256, &[7; 32]);
    Issuer::new("https://issuer.test")
        .audience("https://api.test")
        .algorithms([Algorithm::Hs256])
        .keys(key.expect("32 bytes are enough"))
}

#[test]
fn a_verifier_without_a_backend_cannot_be_built() {
    let error = Verifier::builder().issuer(issuer()).build().expect_err("there is no backend");
    assert_eq!(error, ConfigError::NoBackend);
    assert_eq!(
        error.to_string(),
        "no cryptographic backend: enable the feature `aws-lc-rs` or `rust-crypto`"
    );
}

#[test]
fn a_backend_that_is_not_compiled_in_cannot_be_chosen() {
    for (backend, name) in [(Backend::AwsLcRs, "aws-lc-rs"), (Backend::RustCrypto, "rust-crypto")] {
        let verifier = Verifier::builder().issuer(issuer()).backend(backend).build();
        let error = verifier.expect_err("it is not compiled in");
        assert_eq!(error, ConfigError::BackendNotCompiled { name });
    }
}
