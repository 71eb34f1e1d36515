//! Both backends say the same about the same token, and `jsonwebtoken` agrees: its tokens verify
//! here, and ours there.

use jsonwebtoken::{DecodingKey, EncodingKey, Validation, crypto::aws_lc};
use tower_bearer::{
    Algorithm, AuthErrorKind as Kind, Backend, ConfigError, Issuer, Verifier, key::VerifyingKey,
    test_util::TestIssuer, time::UnixTime,
};

use crate::support::{
    NOW, claims_text, encode, issuer_with, refusal, sign_elsewhere, with_signature,
};

/// The backends that are compiled in.
pub(crate) fn all() -> Vec<Backend> {
    let mut all = Vec::new();
    if cfg!(feature = "aws-lc-rs") {
        all.push(Backend::AwsLcRs);
    }
    if cfg!(feature = "rust-crypto") {
        all.push(Backend::RustCrypto);
    }
    all
}

/// The algorithms that the backend verifies, and for which the test issuer can sign.
fn algorithms(backend: Backend) -> impl Iterator<Item = Algorithm> {
    let pure_rust =
        backend == Backend::RustCrypto || Backend::compiled() == Ok(Backend::RustCrypto);
    Algorithm::ALL
        .iter()
        .copied()
        .filter(move |algorithm| !pure_rust || *algorithm != Algorithm::Es512)
}

/// A key pair that openssl made for these tests, of no other use.
#[derive(Clone, Copy)]
pub(crate) struct ForeignKey {
    pub(crate) private: &'static str,
    pub(crate) public: &'static str,
}

const RSA: ForeignKey = ForeignKey {
    private: include_str!("backends/rsa.key.pem"),
    public: include_str!("backends/rsa.pub.pem"),
};
const P256: ForeignKey = ForeignKey {
    private: include_str!("backends/p256.key.pem"),
    public: include_str!("backends/p256.pub.pem"),
};
const P384: ForeignKey = ForeignKey {
    private: include_str!("backends/p384.key.pem"),
    public: include_str!("backends/p384.pub.pem"),
};
const ED25519: ForeignKey = ForeignKey {
    private: include_str!("backends/ed25519.key.pem"),
    public: include_str!("backends/ed25519.pub.pem"),
};

/// The public-key algorithms that `jsonwebtoken` knows, each with a key.
pub(crate) fn foreign_keys() -> [(Algorithm, ForeignKey); 9] {
    [
        (Algorithm::Rs256, RSA),
        (Algorithm::Rs384, RSA),
        (Algorithm::Rs512, RSA),
        (Algorithm::Ps256, RSA),
        (Algorithm::Ps384, RSA),
        (Algorithm::Ps512, RSA),
        (Algorithm::Es256, P256),
        (Algorithm::Es384, P384),
        (Algorithm::EdDsa, ED25519),
    ]
}

impl ForeignKey {
    /// A token of these claims, made by `jsonwebtoken` with the key named `test-key`.
    pub(crate) fn token(self, algorithm: Algorithm, claims: &str) -> String {
        let private = self.private.as_bytes();
        let key = match algorithm {
            Algorithm::EdDsa => EncodingKey::from_ed_pem(private),
            Algorithm::Es256 | Algorithm::Es384 => EncodingKey::from_ec_pem(private),
            _ => EncodingKey::from_rsa_pem(private),
        };
        foreign_token(algorithm, &key.expect("a private key"), claims)
    }

    /// The public key as DER (SubjectPublicKeyInfo).
    pub(crate) fn der(self) -> Vec<u8> {
        let body: String = self.public.lines().filter(|line| !line.starts_with('-')).collect();
        base64_simd::STANDARD.decode_to_vec(body).expect("base64")
    }
}

fn foreign_token(algorithm: Algorithm, key: &EncodingKey, claims: &str) -> String {
    let foreign = foreign(algorithm);
    let mut header = jsonwebtoken::Header::new(foreign);
    header.kid = Some("test-key".to_owned());
    header.typ = Some("at+jwt".to_owned());
    let header = serde_json::to_string(&header).expect("a header");
    let input = format!("{}.{}", encode(header), encode(claims));
    with_signature(&input, &sign_elsewhere(foreign, key, input.as_bytes()))
}

fn foreign(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    algorithm.name().parse().expect("an algorithm that both know")
}

fn verifier_of(issuer: &TestIssuer, key: VerifyingKey, backend: Backend) -> Verifier {
    let trusted = Issuer::new(issuer.name())
        .audience(issuer.audience())
        .algorithms([issuer.algorithm()])
        .keys(key);
    let builder = Verifier::builder().issuer(trusted).clock(UnixTime::from_secs(NOW));
    builder.backend(backend).build().expect("a verifier")
}

/// One matrix of tokens for every algorithm and backend, with one expected outcome.
#[test]
fn every_backend_decides_alike() {
    for backend in all() {
        for algorithm in algorithms(backend) {
            let issuer = issuer_with(algorithm);
            let verifier = verifier_of(&issuer, issuer.key().clone(), backend);
            let token = issuer.token();
            let mut empty = token.sign();
            empty.truncate(empty.rfind('.').unwrap() + 1);
            for (case, token, outcome) in [
                ("good", token.sign(), None),
                ("without kid", token.clone().without_header("kid").sign(), None),
                ("foreign", token.clone().foreign_key().sign(), Some(Kind::BadSignature)),
                ("tampered", token.clone().tampered().sign(), Some(Kind::BadSignature)),
                ("empty", empty, Some(Kind::BadSignature)),
                ("none", token.clone().unsigned().sign(), Some(Kind::AlgorithmNotAllowed)),
                ("unknown key", token.clone().unknown_key().sign(), Some(Kind::UnknownKey)),
                ("expired", token.clone().expired().sign(), Some(Kind::Expired)),
                ("future", token.clone().not_yet_valid().sign(), Some(Kind::NotYetValid)),
                ("issuer", token.clone().wrong_issuer().sign(), Some(Kind::UnknownIssuer)),
                ("audience", token.clone().wrong_audience().sign(), Some(Kind::WrongAudience)),
                ("type", token.clone().wrong_type().sign(), Some(Kind::WrongTokenType)),
                ("twice", token.clone().duplicate_members().sign(), Some(Kind::Malformed)),
                ("size", token.clone().oversized().sign(), Some(Kind::TokenTooLong)),
            ] {
                let result = verifier.verify_now(&token).map(drop).map_err(|error| error.kind());
                assert_eq!(result.err(), outcome, "{backend:?}, {algorithm}: {case}");
            }
        }
    }
}

/// Any other signature of the right length is wrong, for both backends and without a panic.
#[test]
fn every_backend_refuses_every_wrong_signature() {
    for backend in all() {
        for algorithm in algorithms(backend) {
            let issuer = issuer_with(algorithm);
            let verifier = verifier_of(&issuer, issuer.key().clone(), backend);
            let good = issuer.token().sign();
            let (input, signature) = crate::support::split_signature(&good);
            let case = format!("{backend:?}, {algorithm}");
            for at in (0..signature.len()).step_by(7) {
                let mut wrong = signature.clone();
                wrong[at] ^= 0x10;
                assert_eq!(
                    refusal(&verifier, &with_signature(input, &wrong)),
                    Kind::BadSignature,
                    "{case}"
                );
            }
            for wrong in
                [vec![0; signature.len()], vec![0xff; signature.len()], vec![0], vec![1; 1024]]
            {
                assert_eq!(
                    refusal(&verifier, &with_signature(input, &wrong)),
                    Kind::BadSignature,
                    "{case}"
                );
            }
            assert!(verifier.verify_now(&good).is_ok(), "{case}");
        }
    }
}

/// R-JWS-31, R-KEY-33: tokens that `jsonwebtoken` made, with keys that openssl made.
#[test]
fn foreign_tokens_verify_here() {
    for backend in all() {
        for (algorithm, key) in foreign_keys() {
            let issuer = issuer_with(algorithm);
            let public = VerifyingKey::from_pem(key.public).and_then(|key| key.with_id("test-key"));
            let verifier = verifier_of(&issuer, public.unwrap(), backend);
            let token = key.token(algorithm, &claims_text(&issuer, &[("scope", "\"a b\"")]));
            let verified = verifier.verify_now(&token).unwrap();
            assert_eq!(verified.scopes().to_string(), "a b");

            let other = key.token(algorithm, &claims_text(&issuer, &[("sub", "\"x\"")]));
            let (_, signature) = token.rsplit_once('.').unwrap();
            let (input, _) = other.rsplit_once('.').unwrap();
            let mixed = format!("{input}.{signature}");
            assert_eq!(refusal(&verifier, &mixed), Kind::BadSignature, "{backend:?}, {algorithm}");
        }
        for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
            let issuer = issuer_with(algorithm);
            let key =
                VerifyingKey::hmac(algorithm, &[9; 64]).and_then(|key| key.with_id("test-key"));
            let verifier = verifier_of(&issuer, key.unwrap(), backend);
            let sign = |secret: &[u8]| {
                let key = EncodingKey::from_secret(secret);
                foreign_token(algorithm, &key, &claims_text(&issuer, &[]))
            };
            assert!(verifier.verify_now(&sign(&[9; 64])).is_ok(), "{backend:?}, {algorithm}");
            assert_eq!(refusal(&verifier, &sign(&[9; 63])), Kind::BadSignature, "{algorithm}");
        }
    }
}

/// What the test issuer signs is a JWT to everybody else.
#[test]
#[expect(clippy::disallowed_methods, reason = "the whole of the other implementation is asked")]
fn our_tokens_verify_elsewhere() {
    // Another test may have chosen it already; there is no other choice here.
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    for algorithm in algorithms(Backend::RustCrypto).filter(|algorithm| !algorithm.is_hmac()) {
        let issuer = issuer_with(algorithm);
        let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&issuer.jwks()).unwrap();
        let key = DecodingKey::from_jwk(&jwks.keys[0]).unwrap();
        let mut validation = Validation::new(foreign(algorithm));
        validation.set_audience(&[issuer.audience()]);
        validation.set_issuer(&[issuer.name()]);
        validation.validate_exp = false;
        let decode = |token: &str| {
            jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation)
                .map(|data| data.claims["sub"].clone())
        };
        let token = issuer.token();
        assert_eq!(decode(&token.sign()).unwrap(), "user-1", "{algorithm}");
        assert!(decode(&token.clone().tampered().sign()).is_err(), "{algorithm}");
        assert!(decode(&token.clone().foreign_key().sign()).is_err(), "{algorithm}");
    }
}

/// The pure-Rust backend knows no P-521: a key of it is skipped, the algorithm refused at build.
#[test]
fn es512_needs_aws_lc() {
    let (x, y) = (encode([1; 66]), encode([1; 66]));
    let jwk = format!(r#"{{"kty":"EC","crv":"P-521","x":"{x}","y":"{y}"}}"#);
    let key = VerifyingKey::from_jwk(&jwk).unwrap();
    assert!(key.clone().with_algorithm(Algorithm::Es512).is_ok());
    for backend in all() {
        let issuer = Issuer::new("https://a.test").audience("a").algorithms([Algorithm::Es512]);
        let built = Verifier::builder()
            .issuer(issuer.keys(key.clone()))
            .backend(backend)
            .on_event(())
            .build();
        let expected = match backend {
            Backend::RustCrypto => ConfigError::UnsupportedAlgorithm {
                issuer: "https://a.test".to_owned(),
                algorithm: "ES512",
                backend: "rust-crypto",
            },
            // The point is made up.
            _ => ConfigError::NoUsableKey {
                issuer: "https://a.test".to_owned(),
                reasons: "a key without an id: the EC point is not on its curve".to_owned(),
            },
        };
        assert_eq!(built.unwrap_err(), expected);
    }
}

/// R-JWS-28: `ES512` with its signature of 132 bytes.
#[cfg(feature = "aws-lc-rs")]
#[test]
fn an_es512_signature_has_132_bytes() {
    let issuer = issuer_with(Algorithm::Es512);
    let verifier = issuer.verifier();
    let good = issuer.token().sign();
    let (input, signature) = crate::support::split_signature(&good);
    assert_eq!(signature.len(), 132);
    for wrong in
        [&signature[1..], &signature[..131], &[&signature[..], &[0]].concat(), &signature[..128]]
    {
        assert_eq!(refusal(&verifier, &with_signature(input, wrong)), Kind::BadSignature);
    }
    assert!(verifier.verify_now(&good).is_ok());
}

/// A backend that is not compiled in is an error at build, never a silent other one.
#[test]
fn a_backend_is_used_only_if_it_is_compiled_in() {
    for backend in [Backend::AwsLcRs, Backend::RustCrypto] {
        let issuer = issuer_with(Algorithm::Es256);
        let built = Verifier::builder().issuer(issuer.trusted()).backend(backend).build();
        match all().contains(&backend) {
            true => assert!(format!("{:?}", built.unwrap()).contains(&format!("{backend:?}"))),
            false => {
                let name = backend.name();
                assert_eq!(built.unwrap_err(), ConfigError::BackendNotCompiled { name });
            }
        }
    }
    assert_eq!(Backend::compiled().ok(), all().first().copied());
}
