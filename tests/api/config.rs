//! Mistakes in a description: each is found when the thing is built, with the value and the remedy.

use std::time::Duration;

use tower_bearer::{
    Algorithm, AuthLayer, Backend, Issuer, Verifier,
    claims::ScopeClaim,
    key::{KeySet, VerifyingKey},
    policy::TokenType,
    scope,
    token::CookieToken,
};

use crate::support::issuer_with;

/// A sound issuer, which each test spoils.
fn sound() -> Issuer {
    bare().audience("https://api.test").algorithms([Algorithm::Hs256]).keys(secret())
}

fn bare() -> Issuer {
    Issuer::new("https://issuer.test")
}

fn secret() -> VerifyingKey {
    VerifyingKey::hmac(Algorithm::Hs256, b"s3cr3t s3cr3t s3cr3t s3cr3t s3cr3t").unwrap()
}

#[track_caller]
fn assert_mistake(issuer: Issuer, text: &str) {
    let error = Verifier::builder().issuer(issuer).build().expect_err("a mistake");
    assert_eq!(error.to_string(), text);
    assert!(!format!("{error:?}").contains("s3cr3t"));
}

#[test]
fn a_sound_issuer_makes_a_verifier() {
    assert!(Verifier::builder().issuer(sound()).build().is_ok());
    assert!(Verifier::builder().issuer(sound().keys(vec![secret()])).build().is_ok());
}

#[test]
fn a_verifier_needs_an_issuer() {
    let error = Verifier::builder().build().expect_err("no issuer");
    assert_eq!(
        error.to_string(),
        "no issuer: give the verifier at least one with `.issuer(Issuer::new(..))`"
    );
}

/// R-JWT-08
#[test]
fn an_issuer_needs_an_identifier() {
    for (name, shown) in
        [("", r#""""#), ("https://a\n", r#""https://a\n""#), ("\u{7f}", r#""\u{7f}""#)]
    {
        let issuer = Issuer::new(name).audience("a").algorithms([Algorithm::Hs256]).keys(secret());
        assert_mistake(
            issuer,
            &format!(
                "issuer {shown}: the identifier must be non-empty text without control characters"
            ),
        );
    }
}

#[test]
fn an_issuer_stands_once() {
    let error = Verifier::builder().issuer(sound()).issuer(sound()).build().expect_err("twice");
    assert_eq!(
        error.to_string(),
        r#"issuer "https://issuer.test" is configured twice: merge the two, as keys and policy belong to one issuer"#
    );
}

/// R-JWT-13
#[test]
fn an_issuer_needs_an_audience() {
    assert_mistake(
        bare().algorithms([Algorithm::Hs256]).keys(secret()),
        r#"issuer "https://issuer.test" has no audience: name this service with `.audience(..)`"#,
    );
    assert_mistake(
        sound().audience(""),
        r#"issuer "https://issuer.test" has an empty audience: an audience is a non-empty identifier"#,
    );
    assert_mistake(
        sound().danger_no_audience(),
        r#"issuer "https://issuer.test" has audiences that `danger_no_audience` would leave unchecked: keep one of the two"#,
    );
}

/// R-JWS-12
#[test]
fn an_issuer_needs_algorithms() {
    assert_mistake(
        bare().audience("https://api.test").keys(secret()),
        r#"issuer "https://issuer.test" has no algorithm: list what it signs with in `.algorithms([..])`"#,
    );
}

/// R-JWS-15
#[test]
fn an_issuer_has_secrets_or_public_keys_but_not_both() {
    assert_mistake(
        sound().algorithms([Algorithm::Rs256]),
        r#"issuer "https://issuer.test" mixes HMAC with public-key algorithms: an issuer uses one of the two"#,
    );
}

/// R-JWS-11, R-JWS-10, R-JWS-34
#[test]
fn none_and_unknown_algorithms_have_no_value() {
    for name in ["none", "None", "nOnE", "", "es256", "RS1", "HS1", "ES256K", "HS256 "] {
        let error = name.parse::<Algorithm>().expect_err(name);
        assert_eq!(
            error.to_string(),
            format!(
                "unknown algorithm {name:?}: use a name of RFC 7518 or RFC 9864 such as ES256; `none` is never accepted"
            )
        );
    }
    for algorithm in Algorithm::ALL.iter().copied() {
        assert_eq!(algorithm.name().parse(), Ok(algorithm));
    }
    assert_eq!("Ed25519".parse(), Ok(Algorithm::EdDsa));
}

#[test]
fn an_issuer_needs_keys() {
    assert_mistake(
        bare().audience("https://api.test").algorithms([Algorithm::Hs256]),
        r#"issuer "https://issuer.test" has no keys: give it some with `.keys(..)`, or say `.keys_later()`"#,
    );
    assert_mistake(
        bare().audience("https://api.test").algorithms([Algorithm::Es256]).keys(secret()),
        r#"issuer "https://issuer.test": no usable key: keys for other algorithms: 1; compare kty, crv, alg and use of the keys with `.algorithms([..])` and the backend"#,
    );
    let empty = KeySet::from_jwks(r#"{"keys": []}"#).unwrap();
    assert_mistake(
        bare().audience("https://api.test").algorithms([Algorithm::Es256]).keys(empty),
        r#"issuer "https://issuer.test": no usable key: there is no key; compare kty, crv, alg and use of the keys with `.algorithms([..])` and the backend"#,
    );
}

/// R-JWT-24
#[test]
fn the_leeway_is_at_most_five_minutes() {
    let leeway = |seconds| sound().leeway(Duration::from_secs(seconds));
    assert!(Verifier::builder().issuer(leeway(300)).build().is_ok());
    assert_mistake(
        leeway(301),
        r#"issuer "https://issuer.test": a leeway of 301 s is more than the 300 s that clock differences can justify"#,
    );
}

#[test]
fn a_fraction_of_a_second_is_no_part_of_a_time_in_whole_seconds() {
    let half = Duration::from_millis(60_500);
    for (issuer, name) in
        [(sound().leeway(half), "leeway"), (sound().max_lifetime(half), "max_lifetime")]
    {
        let text = format!("{name} must be whole seconds, not 60.5s: leave the fraction out");
        assert_mistake(issuer, &text);
    }
    let verifier = Verifier::builder().issuer(sound()).build().unwrap();
    let error = AuthLayer::builder(verifier).retry_after(half).build().expect_err("a mistake");
    assert_eq!(
        error.to_string(),
        "retry_after must be whole seconds, not 60.5s: leave the fraction out"
    );
}

/// R-SCOPE-03
#[test]
fn a_scope_claim_must_be_one_that_can_hold_scopes() {
    let no_steps: [&str; 0] = [];
    for claim in [
        ScopeClaim::named(""),
        ScopeClaim::path(no_steps),
        ScopeClaim::path(["realm_access", ""]),
        ScopeClaim::named("aud"),
        ScopeClaim::path(["cnf", "x"]),
        ScopeClaim::scope().prefix("a b"),
    ] {
        assert_mistake(
            sound().scope_claim(claim),
            r#"issuer "https://issuer.test": a scope claim needs a path without empty steps that starts at no registered claim, and a prefix of scope characters"#,
        );
    }
}

/// R-TRANS-15
#[test]
fn the_token_size_has_bounds() {
    for (bytes, sound_size) in [(255, false), (256, true), (65_536, true), (65_537, false)] {
        let built = Verifier::builder().issuer(sound()).max_token_len(bytes).build();
        match built {
            Ok(_) => assert!(sound_size, "{bytes}"),
            Err(error) => assert_eq!(
                error.to_string(),
                format!("max_token_len must be between 256 and 65536, not {bytes}")
            ),
        }
    }
}

#[test]
fn an_algorithm_that_the_backend_lacks_is_a_mistake() {
    if Verifier::builder().issuer(sound()).backend(Backend::RustCrypto).build().is_err() {
        return; // Not compiled in, which `tests/no_backend.rs` looks at.
    }
    let issuer = bare().audience("a").algorithms([Algorithm::Es512]).keys(secret());
    let error = Verifier::builder().issuer(issuer).backend(Backend::RustCrypto).build();
    assert_eq!(
        error.expect_err("ES512").to_string(),
        r#"issuer "https://issuer.test" allows ES512, which the backend rust-crypto cannot verify: take another backend or leave the algorithm out"#
    );
}

/// R-CHAL-07
#[test]
fn a_realm_and_a_metadata_url_must_fit_into_a_challenge() {
    let verifier = issuer_with(Algorithm::Es256).verifier();
    for realm in ["", "two\nlines", "caf\u{e9}", "tab\t"] {
        let error = AuthLayer::builder(verifier.clone()).realm(realm).build().expect_err(realm);
        assert_eq!(
            error.to_string(),
            format!("realm {realm:?}: use one or more printable ASCII characters")
        );
    }
    for url in [
        "http://api.example.com/m",
        "/m",
        "api.example.com",
        "https://api.example.com/\"",
        "https://api.example.com/a b",
        "ftp://api.example.com/m",
        "https://api.example.com/m#f",
        "https://user@api.example.com/m",
        "https://api.example.com:99999/m",
        "https://api.example.com:/m",
        "",
    ] {
        let error = AuthLayer::builder(verifier.clone()).resource_metadata(url).build();
        assert_eq!(
            error.expect_err(url).to_string(),
            format!(
                "resource_metadata {url:?}: use an absolute https URL without user and fragment"
            )
        );
    }
    assert!(
        AuthLayer::builder(verifier).resource_metadata("http://localhost:3000/m").build().is_ok()
    );
}

/// R-TRANS-22
#[test]
fn a_token_cookie_must_be_one_that_browsers_keep_on_tls() {
    for name in ["token", "__Host-", "__Secure-a b", "__host-token", "__Secure-\u{e9}", ""] {
        let error = CookieToken::danger_without_csrf_defence(name).expect_err(name);
        assert!(
            error.to_string().starts_with(&format!("{name:?} cannot name the place of a token: "))
        );
    }
    assert!(CookieToken::danger_without_csrf_defence("__Host-token").is_ok());
}

#[test]
fn backends_and_token_types_have_names() {
    for backend in [Backend::AwsLcRs, Backend::RustCrypto] {
        assert_eq!(backend.to_string().parse(), Ok(backend));
        assert_eq!(backend.to_string(), backend.name());
    }
    for token_type in [TokenType::AtJwt, TokenType::AnyJwt] {
        assert_eq!(token_type.to_string().parse(), Ok(token_type));
        assert_eq!(token_type.to_string(), token_type.name());
    }
    let error = "AWS-LC".parse::<Backend>().expect_err("another spelling");
    assert_eq!(error.to_string(), r#"unknown backend "AWS-LC": use one of aws-lc-rs, rust-crypto"#);
    let error = "JWT".parse::<TokenType>().expect_err("the header's value");
    assert_eq!(error.to_string(), r#"unknown token type "JWT": use one of at+jwt, any"#);
}

#[test]
fn an_issuer_is_a_plain_value_that_can_be_built_from_text() {
    let settings =
        [("https://a.test", "ES256,RS256", "at+jwt"), ("https://b.test", "EdDSA", "any")];
    let issuers = settings.map(|(name, algorithms, token_type)| {
        let algorithms = algorithms.split(',').map(|name| name.parse().unwrap());
        Issuer::new(name)
            .audience("https://api.test")
            .algorithms(algorithms.collect::<Vec<_>>())
            .token_type(token_type.parse().unwrap())
            .implies(scope!("admin"), [scope!("read")])
            .keys_later()
    });
    let builder = issuers.into_iter().fold(Verifier::builder(), |all, one| all.issuer(one));
    assert!(builder.build().is_ok());
}
