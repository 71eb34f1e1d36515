//! Several issuers in one verifier: each has its own keys and rules, and nothing crosses.

use tower_bearer::{
    Algorithm, AuthErrorKind, Issuer, Verifier,
    claims::ScopeClaim,
    key::{KeySet, VerifyingKey},
    policy::TokenType,
    test_util::{FrozenClock, TestIssuer},
};

use crate::support::{NOW, watch_traces};

fn named(name: &str, algorithm: Algorithm) -> TestIssuer {
    watch_traces();
    TestIssuer::named(name, algorithm).with_clock(FrozenClock::at(NOW))
}

fn verifier(issuers: impl IntoIterator<Item = Issuer>) -> Verifier {
    let builder = Verifier::builder().clock(FrozenClock::at(NOW));
    issuers.into_iter().fold(builder, |all, one| all.issuer(one)).build().unwrap()
}

#[track_caller]
fn refused(verifier: &Verifier, token: &str) -> AuthErrorKind {
    verifier.verify_now(token).expect_err("the token is refused").kind()
}

/// R-JWT-09, R-JWT-11
#[test]
fn each_issuer_signs_for_itself_only() {
    let a = named("https://a.test", Algorithm::Es256);
    let b = named("https://b.test", Algorithm::EdDsa);
    let verifier = verifier([a.trusted(), b.trusted()]);

    for issuer in [&a, &b] {
        let verified = verifier.verify_now(&issuer.token().sign()).unwrap();
        assert_eq!(verified.issuer(), issuer.name());
    }
    // Signed by one in the name of the other: algorithm and key are those of the one named.
    let forged = verifier.verify_now(&a.token().claim("iss", b.name()).sign()).unwrap_err();
    assert_eq!(forged.kind(), AuthErrorKind::AlgorithmNotAllowed);
    assert_eq!(forged.issuer(), Some(b.name()));
    let forged = verifier.verify_now(&a.token().claim("iss", "https://c.test").sign()).unwrap_err();
    assert_eq!(forged.kind(), AuthErrorKind::UnknownIssuer);
    assert_eq!(forged.issuer(), None);
    let expired = verifier.verify_now(&a.token().expired().sign()).unwrap_err();
    assert_eq!((expired.kind(), expired.issuer()), (AuthErrorKind::Expired, Some(a.name())));
}

/// R-JWT-09
#[test]
fn a_key_of_one_issuer_never_serves_another() {
    let a = named("https://a.test", Algorithm::Es256);
    let b = named("https://b.test", Algorithm::Es256);
    let key_of_a = a.key().clone().with_id("of-a").unwrap();
    let key_of_b = b.key().clone().with_id("of-b").unwrap();
    let trusted = |issuer: &TestIssuer, key: VerifyingKey| {
        let bare = Issuer::new(issuer.name()).audience("https://api.test");
        bare.algorithms([Algorithm::Es256]).keys(key)
    };
    let verifier = verifier([trusted(&a, key_of_a), trusted(&b, key_of_b)]);
    let good = |issuer: &TestIssuer, id: &str| issuer.token().header("kid", id).sign();
    let forged = || a.token().header("kid", "of-a").claim("iss", b.name()).sign();

    // The keys are those of the issuer that the token names, before and after its header is known.
    assert_eq!(refused(&verifier, &forged()), AuthErrorKind::UnknownKey);
    assert!(verifier.verify_now(&good(&a, "of-a")).is_ok());
    assert!(verifier.verify_now(&good(&b, "of-b")).is_ok());
    assert_eq!(refused(&verifier, &forged()), AuthErrorKind::UnknownKey);
    let with_a_foreign_key_id = b.token().header("kid", "of-a").sign();
    assert_eq!(refused(&verifier, &with_a_foreign_key_id), AuthErrorKind::UnknownKey);
}

/// R-JWT-09
#[test]
fn the_same_key_id_at_two_issuers_means_two_keys() {
    let a = named("https://a.test", Algorithm::Es256);
    let b = named("https://b.test", Algorithm::Es256);
    let verifier = verifier([a.trusted(), b.trusted()]);
    for _ in 0..3 {
        for (issuer, other) in [(&a, &b), (&b, &a)] {
            assert_eq!(
                verifier.verify_now(&issuer.token().sign()).unwrap().issuer(),
                issuer.name()
            );
            let forged = issuer.token().claim("iss", other.name()).sign();
            assert_eq!(refused(&verifier, &forged), AuthErrorKind::BadSignature);
        }
    }
}

/// R-KEY-30
#[test]
fn a_key_that_moves_to_a_second_issuer_is_found_there() {
    let a = named("https://a.test", Algorithm::Es256);
    let b = named("https://b.test", Algorithm::Es256);
    let other = named("https://b.test", Algorithm::Es256).key().clone().with_id("other").unwrap();
    let trusted_b = Issuer::new(b.name())
        .audience("https://api.test")
        .algorithms([Algorithm::Es256])
        .keys(KeySet::new([other]));
    let verifier = verifier([a.trusted(), trusted_b]);

    // Only `a` has a key of that id, until `b` gets one too.
    assert!(verifier.verify_now(&a.token().sign()).is_ok());
    assert!(verifier.verify_now(&b.token().sign()).is_err());
    verifier.replace_keys(b.name(), b.keys()).unwrap();
    for _ in 0..2 {
        assert!(verifier.verify_now(&b.token().sign()).is_ok());
        assert!(verifier.verify_now(&a.token().sign()).is_ok());
    }
}

/// R-KEY-28, R-KEY-30
#[test]
fn an_issuer_without_keys_does_not_touch_the_others() {
    let a = named("https://a.test", Algorithm::Es256);
    let b = named("https://b.test", Algorithm::Es256);
    let waiting = Issuer::new(b.name())
        .audience("https://api.test")
        .algorithms([Algorithm::Es256])
        .keys_later();
    let verifier = verifier([a.trusted(), waiting]);
    for _ in 0..2 {
        assert!(verifier.verify_now(&a.token().sign()).is_ok());
        // The same key id, and no word about the token: that is for the missing keys to decide.
        assert_eq!(refused(&verifier, &b.token().sign()), AuthErrorKind::KeysUnavailable);
    }
    assert_eq!(
        refused(&verifier, &a.token().claim("iss", "https://c.test").sign()),
        AuthErrorKind::UnknownIssuer
    );
}

#[test]
fn each_issuer_has_its_own_audience_type_and_scope_claim() {
    let strict = named("https://strict.test", Algorithm::Es256);
    let lenient = named("https://lenient.test", Algorithm::Es256);
    let trusted_lenient = Issuer::new(lenient.name())
        .audience("api-lenient")
        .algorithms([Algorithm::Es256])
        .token_type(TokenType::AnyJwt)
        .scope_claim(ScopeClaim::named("scp"))
        .keys(lenient.keys());
    let verifier = verifier([strict.trusted(), trusted_lenient]);

    let typ_jwt = |issuer: &TestIssuer| {
        issuer.token().header("typ", "JWT").claim("aud", "api-lenient").claim("scp", vec!["read"])
    };
    let verified = verifier.verify_now(&typ_jwt(&lenient).sign()).unwrap();
    assert!(verified.scopes().contains("read"));
    assert_eq!(refused(&verifier, &typ_jwt(&strict).sign()), AuthErrorKind::WrongTokenType);
    assert_eq!(refused(&verifier, &lenient.token().sign()), AuthErrorKind::WrongAudience);
    let verified = verifier.verify_now(&strict.token().scope("read").sign()).unwrap();
    assert!(verified.scopes().contains("read"));
}

/// R-JWT-10, R-JWT-07, R-JWS-06
#[test]
fn the_issuer_of_a_token_must_be_one_readable_string() {
    let a = named("https://a.test", Algorithm::Es256);
    let b = named("https://b.test", Algorithm::Es256);
    let verifier = verifier([a.trusted(), b.trusted()]);
    let header = r#"{"alg":"ES256","kid":"test-key","typ":"at+jwt"}"#;
    let rest = r#""sub":"s","aud":"https://api.test","client_id":"c","jti":"j","iat":1800000000,"exp":1800000600"#;
    for (iss, kind) in [
        (r#""iss":"https://a.test","#, None),
        (r#""iss":"https:\/\/a.test","#, None),
        (r#""i\u0073s":"https://a.test","#, None),
        (r#""act":{"iss":"https://b.test"},"iss":"https://a.test","#, None),
        ("", Some(AuthErrorKind::MissingClaim)),
        (r#""iss":["https://a.test"],"#, Some(AuthErrorKind::MalformedClaim)),
        (r#""iss":null,"#, Some(AuthErrorKind::MalformedClaim)),
        (r#""iss":1,"#, Some(AuthErrorKind::MalformedClaim)),
        (r#""iss":"https://A.test","#, Some(AuthErrorKind::UnknownIssuer)),
        (r#""iss":"https://a.test/","#, Some(AuthErrorKind::UnknownIssuer)),
        (r#""iss":"https://a.test","iss":"https://b.test","#, Some(AuthErrorKind::Malformed)),
        (r#""iss":"https://b.test","iss":"https://a.test","#, Some(AuthErrorKind::BadSignature)),
    ] {
        let token = a.sign_raw(header, &format!("{{{iss}{rest}}}"));
        assert_eq!(verifier.verify_now(&token).err().map(|error| error.kind()), kind, "{iss}");
    }
}
