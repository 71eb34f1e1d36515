//! What a token says: times, registered claims, and the application's own type.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    error::Error as _,
    fmt,
    marker::PhantomData,
    time::{Duration, UNIX_EPOCH},
};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value, json};
use tower_bearer::{
    Algorithm, AuthErrorKind as Kind, Issuer, Verified, Verifier,
    policy::TokenType,
    test_util::{FrozenClock, TestIssuer},
    time::{Clock, UnixTime},
};

use crate::support::{NOW, Protected, claims_text, header_text, issuer, refusal, token_with};

/// A verifier for the issuer's tokens by this clock, with this leeway and type of token.
fn verifier_at(issuer: &TestIssuer, now: u64, leeway: u64, token_type: TokenType) -> Verifier {
    let trusted = issuer.trusted().leeway(Duration::from_secs(leeway)).token_type(token_type);
    Verifier::builder().issuer(trusted).clock(UnixTime::from_secs(now)).build().unwrap()
}

fn lenient(issuer: &TestIssuer) -> Verifier {
    verifier_at(issuer, NOW, 60, TokenType::AnyJwt)
}

/// What a good token with these changes yields in the application's type, or why it is refused.
fn read<C>(changes: &[(&str, &str)]) -> Result<Verified<C>, tower_bearer::AuthError>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let issuer = issuer();
    issuer.verifier_with::<C>().verify_now(&token_with(&issuer, changes))
}

/// The kind of a refusal and the claim at fault.
#[track_caller]
fn fault<C>(changes: &[(&str, &str)]) -> (Kind, Option<String>)
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let error = read::<C>(changes).expect_err("a refusal");
    (error.kind(), error.claim().map(str::to_owned))
}

/// R-JWT-01, R-AT-03: one failing step at a time over a good token.
#[tokio::test]
async fn each_failing_step_alone_refuses_the_token() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let token = issuer.token();
    protected.accepts(&token.clone().sign(), "nothing fails").await;
    for (token, reason) in [
        (token.clone().header("crit", json!(["exp"])), Kind::UnsupportedHeader),
        (token.clone().header("alg", "RS256"), Kind::AlgorithmNotAllowed),
        (token.clone().unknown_key(), Kind::UnknownKey),
        (token.clone().foreign_key(), Kind::BadSignature),
        (token.clone().tampered(), Kind::BadSignature),
        (token.clone().subject("somebody-else").tampered(), Kind::BadSignature),
        (token.clone().duplicate_members(), Kind::Malformed),
        (token.clone().wrong_type(), Kind::WrongTokenType),
        (token.clone().wrong_issuer(), Kind::UnknownIssuer),
        (token.clone().wrong_audience(), Kind::WrongAudience),
        (token.clone().without_claim("sub"), Kind::MissingClaim),
        (token.clone().claim("sub", 1), Kind::MalformedClaim),
        (token.clone().claim("cnf", json!({"jkt": "x"})), Kind::UnsupportedConfirmation),
        (token.clone().not_yet_valid(), Kind::NotYetValid),
        (token.clone().claim("iat", NOW + 3600), Kind::IssuedInFuture),
        (token.clone().expired(), Kind::Expired),
    ] {
        protected.refuses(&token.sign(), reason, reason.code()).await;
    }
    assert_eq!(protected.calls(), 1);
}

/// R-JWT-02
#[test]
fn the_second_of_exp_is_too_late() {
    let issuer = issuer();
    for (leeway, exp, good) in [
        (0, NOW - 1, false),
        (0, NOW, false),
        (0, NOW + 1, true),
        (60, NOW - 59, true),
        (60, NOW - 60, false),
        (60, NOW - 61, false),
        (300, NOW - 299, true),
        (300, NOW - 300, false),
    ] {
        let verifier = verifier_at(&issuer, NOW, leeway, TokenType::AtJwt);
        let token = token_with(&issuer, &[("iat", "1"), ("exp", &exp.to_string())]);
        let result = verifier.verify_now(&token).map(drop).map_err(|error| error.kind());
        assert_eq!(result, if good { Ok(()) } else { Err(Kind::Expired) }, "{leeway} {exp}");
    }
}

/// R-JWT-02
#[tokio::test]
async fn an_expired_token_is_told_so_and_nothing_else_is() {
    let clock = FrozenClock::at(NOW);
    let issuer = issuer().with_clock(clock.clone());
    let protected = Protected::by(issuer.verifier());
    let token = issuer.token().sign();
    clock.set(NOW + 659);
    protected.accepts(&token, "the last second").await;
    clock.set(NOW + 660);
    protected.refuses(&token, Kind::Expired, "the second after").await;
}

/// R-JWT-03
#[test]
fn nbf_is_checked_whenever_it_is_there() {
    let issuer = issuer();
    for (leeway, nbf, good) in [
        (0, NOW, true),
        (0, NOW + 1, false),
        (60, NOW + 60, true),
        (60, NOW + 61, false),
        (60, 0, true),
        (60, i64::MAX as u64, false),
    ] {
        for token_type in [TokenType::AtJwt, TokenType::AnyJwt] {
            let verifier = verifier_at(&issuer, NOW, leeway, token_type);
            let token = token_with(&issuer, &[("nbf", &nbf.to_string())]);
            let result = verifier.verify_now(&token).map(drop).map_err(|error| error.kind());
            assert_eq!(
                result,
                if good { Ok(()) } else { Err(Kind::NotYetValid) },
                "{leeway} {nbf}"
            );
        }
    }
}

/// R-JWT-04
#[test]
fn a_token_from_the_future_is_refused() {
    let issuer = issuer();
    for (leeway, iat, good) in [
        (0, NOW, true),
        (0, NOW + 1, false),
        (60, NOW + 60, true),
        (60, NOW + 61, false),
        (60, NOW + 3600, false),
    ] {
        let changes = [("iat", &*iat.to_string()), ("exp", &*(NOW + 9999).to_string())];
        for token_type in [TokenType::AtJwt, TokenType::AnyJwt] {
            let verifier = verifier_at(&issuer, NOW, leeway, token_type);
            let result = verifier.verify_now(&token_with(&issuer, &changes));
            let result = result.map(drop).map_err(|error| error.kind());
            let expected = if good { Ok(()) } else { Err(Kind::IssuedInFuture) };
            assert_eq!(result, expected, "{leeway} {iat}");
        }
    }
}

/// R-JWT-05
#[test]
fn a_numeric_date_may_have_a_fraction_or_an_exponent() {
    let issuer = issuer();
    for (exp, seconds) in [
        ("1800000600", NOW + 600),
        ("1800000600.0", NOW + 600),
        ("1.8000006e9", NOW + 600),
        ("1.8000006E+9", NOW + 600),
        ("18000006e2", NOW + 600),
        ("180000060000e-2", NOW + 600),
        ("1800000599.5", NOW + 600),
        ("9223372036854775807", i64::MAX as u64),
        ("9.2e18", 9_200_000_000_000_000_000),
    ] {
        let verified = issuer.verifier().verify_now(&token_with(&issuer, &[("exp", exp)]));
        assert_eq!(verified.expect(exp).expires_at(), UnixTime::from_secs(seconds), "{exp}");
    }
    for (name, zero) in
        [("iat", "0"), ("nbf", "0"), ("iat", "-0"), ("nbf", "-0.0"), ("nbf", "0e99")]
    {
        let token = token_with(&issuer, &[(name, zero)]);
        assert!(issuer.verifier().verify_now(&token).is_ok(), "{name} {zero}");
    }
}

/// R-JWT-05: a fraction is neither cut off where that makes a token live longer, nor where it
/// makes it valid sooner.
#[test]
fn a_fraction_of_a_second_counts() {
    let issuer = issuer();
    let outcome = |now: u64, name: &str, value: &str| {
        let changes = [("iat", "1"), (name, value)];
        let verifier = verifier_at(&issuer, now, 0, TokenType::AtJwt);
        verifier.verify_now(&token_with(&issuer, &changes)).map(drop).map_err(|error| error.kind())
    };
    assert_eq!(outcome(NOW, "exp", "1800000000.5"), Ok(()));
    assert_eq!(outcome(NOW + 1, "exp", "1800000000.5"), Err(Kind::Expired));
    assert_eq!(outcome(NOW, "nbf", "1800000000.5"), Err(Kind::NotYetValid));
    assert_eq!(outcome(NOW + 1, "nbf", "1800000000.5"), Ok(()));
}

/// R-JWT-05, R-JWT-07, R-JWT-04
#[test]
fn an_impossible_numeric_date_is_refused() {
    let issuer = issuer();
    for name in ["exp", "nbf", "iat"] {
        for value in [
            r#""1800000600""#,
            r#""x""#,
            r#""""#,
            "true",
            "null",
            "[1800000600]",
            "[]",
            "{}",
            r#"{"$serde_json::private::Number":"1"}"#,
            "-1",
            "-0.5",
            "-1e300",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "9.3e18",
            "1e19",
            "1e308",
            "1e400",
            "-1e400",
            "99999999999999999999999999999999999999999999",
        ] {
            for verifier in [issuer.verifier(), lenient(&issuer)] {
                let error =
                    verifier.verify_now(&token_with(&issuer, &[(name, value)])).unwrap_err();
                assert_eq!(error.kind(), Kind::MalformedClaim, "{name} {value}");
                assert_eq!(error.claim(), Some(name), "{value}");
            }
        }
    }
}

/// R-JWT-28
#[test]
fn no_clock_makes_it_overflow() {
    let issuer = issuer();
    let largest = i64::MAX.to_string();
    for leeway in [0, 60, 300] {
        for now in [0, 1, u64::MAX - 1, u64::MAX, i64::MAX as u64] {
            let verifier = verifier_at(&issuer, now, leeway, TokenType::AtJwt);
            for (iat, exp) in
                [("0", "0"), ("0", &*largest), (&*largest, &*largest), (&*largest, "0")]
            {
                let token = token_with(&issuer, &[("iat", iat), ("exp", exp), ("nbf", iat)]);
                let accepted = verifier.verify_now(&token).is_ok();
                let (iat, exp) = (iat.parse::<u64>().unwrap(), exp.parse::<u64>().unwrap());
                let (now, leeway) = (u128::from(now), u128::from(leeway));
                let sound = u128::from(iat) <= now + leeway && now < u128::from(exp) + leeway;
                assert_eq!(accepted, sound, "at {now}, {leeway} s: {iat} to {exp}");
            }
        }
    }
}

/// R-JWT-28: by a clock before 1970 it is 1970, and tokens are judged by that.
#[test]
fn a_clock_before_1970_reads_as_1970() {
    struct BeforeItAll(Duration);
    impl Clock for BeforeItAll {
        fn now(&self) -> UnixTime {
            (UNIX_EPOCH - self.0).into()
        }
    }
    let issuer = issuer();
    for before in [Duration::from_nanos(1), Duration::from_secs(1), Duration::from_secs(NOW)] {
        assert_eq!(UnixTime::from(UNIX_EPOCH - before), UnixTime::from_secs(0));
        let trusted = issuer.trusted().leeway(Duration::ZERO);
        let verifier = Verifier::builder().issuer(trusted).clock(BeforeItAll(before));
        let verifier = verifier.build().unwrap();
        for (iat, exp, nbf, reason) in [
            ("0", "1", "0", None),
            ("0", "0", "0", Some(Kind::Expired)),
            ("0", "600", "1", Some(Kind::NotYetValid)),
            ("1", "600", "0", Some(Kind::IssuedInFuture)),
        ] {
            let token = token_with(&issuer, &[("iat", iat), ("exp", exp), ("nbf", nbf)]);
            let refused = verifier.verify_now(&token).err().map(|error| error.kind());
            assert_eq!(refused, reason, "{before:?}: {iat}, {exp}, {nbf}");
        }
        assert_eq!(refusal(&verifier, &issuer.token().sign()), Kind::IssuedInFuture);
    }
}

/// R-JWT-27
#[test]
fn a_lifetime_can_be_capped() {
    let issuer = issuer();
    let day = 24 * 3600;
    let verifier = |token_type| {
        let trusted =
            issuer.trusted().token_type(token_type).max_lifetime(Duration::from_secs(day));
        Verifier::builder().issuer(trusted).clock(UnixTime::from_secs(NOW)).build().unwrap()
    };
    let strict = verifier(TokenType::AtJwt);
    let lives = |seconds: u64| token_with(&issuer, &[("exp", &(NOW + seconds).to_string())]);
    assert!(strict.verify_now(&lives(day)).is_ok());
    assert_eq!(refusal(&strict, &lives(day + 1)), Kind::LifetimeTooLong);
    assert_eq!(refusal(&strict, &lives(10 * 365 * day)), Kind::LifetimeTooLong);
    assert_eq!(
        refusal(&strict, &token_with(&issuer, &[("exp", &i64::MAX.to_string())])),
        Kind::LifetimeTooLong
    );
    // Unlimited unless configured.
    assert!(issuer.verifier().verify_now(&lives(10 * 365 * day)).is_ok());
    // What cannot be counted is not let through.
    let error = verifier(TokenType::AnyJwt).verify_now(&token_with(&issuer, &[("iat", "")]));
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.claim()), (Kind::MissingClaim, Some("iat")));
}

/// Time is checked last: "expired" means that nothing else is wrong.
#[test]
fn a_token_that_is_also_expired_is_refused_for_the_other_reason() {
    let issuer = issuer();
    let verifier = issuer.verifier();
    let expired = issuer.token().expired();
    for (token, reason) in [
        (expired.clone().wrong_audience(), Kind::WrongAudience),
        (expired.clone().wrong_issuer(), Kind::UnknownIssuer),
        (expired.clone().wrong_type(), Kind::WrongTokenType),
        (expired.clone().without_claim("jti"), Kind::MissingClaim),
        (expired.clone().claim("sub", ""), Kind::MalformedClaim),
        (expired.clone().claim("nbf", "x"), Kind::MalformedClaim),
        (expired.clone().claim("cnf", json!({})), Kind::UnsupportedConfirmation),
        (expired.clone().claim("scope", 1), Kind::MalformedClaim),
        (expired.clone().claim("nbf", NOW + 100), Kind::NotYetValid),
        (expired.clone().claim("iat", NOW + 100), Kind::IssuedInFuture),
        (expired.clone().foreign_key(), Kind::BadSignature),
        (expired, Kind::Expired),
    ] {
        assert_eq!(refusal(&verifier, &token.sign()), reason);
    }
}

/// R-JWT-07: a claim of the wrong type is a failure, never "absent"; also where the claim is not
/// required.
#[tokio::test]
async fn a_mistyped_claim_is_malformed() {
    let issuer = issuer();
    let (strict, lenient) = (Protected::by(issuer.verifier()), Protected::by(lenient(&issuer)));
    let wrong = ["1", "null", "true", "{}", r#"["a"]"#, "[]", "1.5"];
    for name in ["iss", "sub", "client_id", "jti", "scope"] {
        for value in wrong {
            let token = token_with(&issuer, &[(name, value)]);
            let case = format!("{name}: {value}");
            strict.refuses(&token, Kind::MalformedClaim, &case).await;
            lenient.refuses(&token, Kind::MalformedClaim, &case).await;
            let error = issuer.verifier().verify_now(&token).unwrap_err();
            assert_eq!(error.claim(), Some(name), "{case}");
        }
    }
    for value in [
        "null",
        "1",
        "true",
        "{}",
        r#"["https://api.test",1]"#,
        r#"[null,"https://api.test"]"#,
        r#"[["https://api.test"]]"#,
    ] {
        let token = token_with(&issuer, &[("aud", value)]);
        strict.refuses(&token, Kind::MalformedClaim, value).await;
        lenient.refuses(&token, Kind::MalformedClaim, value).await;
    }
}

/// R-JWT-08, R-JWT-25
#[tokio::test]
async fn iss_is_compared_by_code_point() {
    let issuer = TestIssuer::named("https://as.example/caf\u{e9}", Algorithm::Es256)
        .with_clock(FrozenClock::at(NOW));
    let protected = Protected::by(issuer.verifier());
    for other in [
        "https://as.example/caf\u{e9}/",
        "https://as.example/cafe\u{301}",
        "https://as.example/caf%C3%A9",
        "https://AS.example/caf\u{e9}",
        "HTTPS://as.example/caf\u{e9}",
        "https://as.example:443/caf\u{e9}",
        "https://as.example/CAF\u{c9}",
        "https://as.example//caf\u{e9}",
        " https://as.example/caf\u{e9}",
        "https://as.example/caf\u{e9}\0",
        "https://as.example/caf",
        "as.example",
        "",
    ] {
        protected
            .refuses(&issuer.token().claim("iss", other).sign(), Kind::UnknownIssuer, other)
            .await;
    }
    // The same code points, written with an escape.
    let escaped = token_with(&issuer, &[("iss", r#""https:\/\/as.example\/caf\u00e9""#)]);
    protected.accepts(&escaped, "escapes").await;
}

/// R-JWT-10
#[tokio::test]
async fn iss_is_required() {
    let issuer = issuer();
    for verifier in [issuer.verifier(), lenient(&issuer)] {
        let protected = Protected::by(verifier);
        let token = issuer.token().without_claim("iss").sign();
        protected.refuses(&token, Kind::MissingClaim, "no iss").await;
    }
}

/// R-JWT-12, R-JWT-13, R-JWT-25
#[tokio::test]
async fn aud_names_this_service_exactly() {
    let issuer = issuer();
    let trusted = Issuer::new(issuer.name())
        .audience("api")
        .audience("caf\u{e9}")
        .algorithms([Algorithm::Es256])
        .keys(issuer.keys());
    let builder = Verifier::builder().issuer(trusted).clock(UnixTime::from_secs(NOW));
    let protected = Protected::by(builder.build().unwrap());
    for aud in [
        json!("api"),
        json!(["x", "api"]),
        json!(["api"]),
        json!(["api", "api"]),
        json!(["", "api"]),
        json!("caf\u{e9}"),
    ] {
        let token = issuer.token().claim("aud", aud.clone()).sign();
        protected.accepts(&token, &aud.to_string()).await;
    }
    for aud in [
        json!("API"),
        json!("api/"),
        json!("ap"),
        json!("apis"),
        json!(" api"),
        json!("api api"),
        json!("x,api"),
        json!(["ap", "i"]),
        json!(["x"]),
        json!(["x", "API"]),
        json!([]),
        json!(""),
        json!([""]),
        json!("*"),
        json!("cafe\u{301}"),
    ] {
        let token = issuer.token().claim("aud", aud.clone()).sign();
        protected.refuses(&token, Kind::WrongAudience, &aud.to_string()).await;
    }
    for aud in [
        json!(["api", 1]),
        json!([1, "api"]),
        json!(["api", null]),
        json!({"api": "api"}),
        json!(null),
        json!(7),
    ] {
        let token = issuer.token().claim("aud", aud.clone()).sign();
        protected.refuses(&token, Kind::MalformedClaim, &aud.to_string()).await;
    }
    let absent = issuer.token().without_claim("aud").sign();
    protected.refuses(&absent, Kind::MissingClaim, "absent").await;
}

/// R-JWT-13: only by its dangerous name, and even then a mistyped audience is refused.
#[test]
fn without_an_audience_only_danger_helps() {
    let issuer = issuer();
    let trusted = Issuer::new(issuer.name())
        .algorithms([Algorithm::Es256])
        .keys(issuer.keys())
        .danger_no_audience();
    let builder = Verifier::builder().issuer(trusted).clock(UnixTime::from_secs(NOW));
    let verifier = builder.build().unwrap();
    assert!(verifier.verify_now(&issuer.token().without_claim("aud").sign()).is_ok());
    assert!(verifier.verify_now(&issuer.token().wrong_audience().sign()).is_ok());
    let mistyped = issuer.token().claim("aud", json!(["x", 1])).sign();
    assert_eq!(refusal(&verifier, &mistyped), Kind::MalformedClaim);
}

/// R-JWT-17, R-JWT-25
#[test]
fn subject_client_and_token_id_are_non_empty_and_kept_as_they_are() {
    for name in ["sub", "client_id", "jti"] {
        assert_eq!(fault::<()>(&[(name, r#""""#)]), (Kind::MalformedClaim, Some(name.to_owned())));
        assert_eq!(fault::<()>(&[(name, "")]), (Kind::MissingClaim, Some(name.to_owned())));
        assert_eq!(fault::<()>(&[(name, "1")]), (Kind::MalformedClaim, Some(name.to_owned())));
    }
    let subject = |text: &str| read::<()>(&[("sub", text)]).unwrap().subject().unwrap().to_owned();
    assert_ne!(subject(r#""caf\u00e9""#), subject(r#""cafe\u0301""#));
    assert_ne!(subject(r#""user""#), subject(r#""User""#));
    assert_eq!(subject(r#"" user\t\"1\" ""#), " user\t\"1\" ");
}

/// R-JWT-18
#[tokio::test]
async fn unknown_claims_are_ignored() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    for value in ["1", "null", "\"x\"", "[[{\"iss\":1}]]", "{\"exp\":0,\"aud\":1}", "1e400", "-1"] {
        protected.accepts(&token_with(&issuer, &[("extra", value)]), value).await;
    }
    for name in ["EXP", "Exp", "aud ", "exp\\u0000", "", "__proto__", "constructor"] {
        protected.accepts(&token_with(&issuer, &[(name, "0")]), name).await;
    }
}

/// R-JWT-19
#[test]
fn a_user_is_the_pair_of_issuer_and_subject() {
    let verified = read::<()>(&[]).unwrap();
    let principal = verified.principal().unwrap();
    assert_eq!((principal.issuer, principal.subject), ("https://issuer.test", "user-1"));

    let other =
        TestIssuer::named("https://other.test", Algorithm::Es256).with_clock(FrozenClock::at(NOW));
    let elsewhere = other.verifier().verify_now(&other.token().sign()).unwrap();
    assert_eq!(elsewhere.subject(), verified.subject());
    assert_ne!(elsewhere.principal(), verified.principal());
}

/// R-JWT-20
#[test]
fn a_client_on_its_own_is_told_from_a_user() {
    let is_client = |sub: &str, client: &str| {
        read::<()>(&[("sub", sub), ("client_id", client)]).unwrap().is_client()
    };
    assert!(is_client("\"client-1\"", "\"client-1\""));
    assert!(is_client("\"client-1\"", r#""client\u002d1""#));
    assert!(!is_client("\"user-1\"", "\"client-1\""));
    assert!(!is_client("\"Client-1\"", "\"client-1\""));

    let issuer = issuer();
    let neither = issuer.token().without_claim("sub").without_claim("client_id").sign();
    assert!(!lenient(&issuer).verify_now(&neither).unwrap().is_client());
}

/// The registered claims are typed.
#[test]
fn registered_claims_can_be_read() {
    let changes =
        [("aud", r#"["a","https:\/\/api.test"]"#), ("nbf", "1800000000"), ("scope", "\"b a\"")];
    let verified = read::<()>(&changes).unwrap();
    assert_eq!(verified.issuer(), "https://issuer.test");
    assert_eq!(verified.subject(), Some("user-1"));
    assert_eq!(verified.client_id(), Some("client-1"));
    assert_eq!(verified.token_id(), Some("token-1"));
    assert_eq!(verified.audience().collect::<Vec<_>>(), ["a", "https://api.test"]);
    assert_eq!(verified.expires_at(), UnixTime::from_secs(NOW + 600));
    assert_eq!(verified.issued_at(), Some(UnixTime::from_secs(NOW)));
    assert_eq!(verified.not_before(), Some(UnixTime::from_secs(NOW)));
    assert!(verified.scopes().contains("a") && verified.scopes().contains("b"));
}

/// R-JWT-21: with the right key, issuer and audience, another kind of JWT is no access token.
#[tokio::test]
async fn other_kinds_of_jwt_are_refused_by_their_type() {
    let issuer = issuer();
    let (strict, lenient) = (Protected::by(issuer.verifier()), Protected::by(lenient(&issuer)));
    for typ in [
        "id+jwt",
        "logout+jwt",
        "dpop+jwt",
        "token-introspection+jwt",
        "statuslist+jwt",
        "secevent+jwt",
        "client-authentication+jwt",
        "oauth-authz-req+jwt",
        "application/dpop+jwt",
    ] {
        let token = issuer.token().header("typ", typ).sign();
        strict.refuses(&token, Kind::WrongTokenType, typ).await;
        // R-JWT-23: a type that is there must be an allowed one.
        lenient.refuses(&token, Kind::WrongTokenType, typ).await;
    }
}

/// R-JWT-22, R-JWT-23
#[tokio::test]
async fn in_lenient_mode_other_kinds_are_refused_by_their_claims() {
    let issuer = issuer();
    let protected = Protected::by(lenient(&issuer));
    let tokens = || {
        let token = issuer.token();
        [
            token.clone().without_header("typ"),
            token.clone().header("typ", "JWT"),
            token.clone().header("typ", "application/jwt"),
            token,
        ]
    };
    for token in tokens() {
        protected.accepts(&token.sign(), "an access token").await;
        for name in ["nonce", "at_hash", "c_hash", "events", "token_introspection"] {
            for value in [json!("x"), json!(null), json!({}), json!(0)] {
                let token = token.clone().claim(name, value).sign();
                protected.refuses(&token, Kind::WrongTokenType, name).await;
                let error = lenient(&issuer).verify_now(&token).unwrap_err();
                assert_eq!(error.claim(), Some(name));
            }
        }
    }
    // The strict mode goes by the type alone.
    let strict = issuer.verifier();
    assert!(strict.verify_now(&issuer.token().claim("nonce", "x").sign()).is_ok());
    // Spelling does not hide the claim, neither from us nor behind the application's type.
    let claims = claims_text(&issuer, &[(r"\u006eonce", "\"x\"")]);
    let token = issuer.sign_raw(r#"{"alg":"ES256","kid":"test-key","typ":"JWT"}"#, &claims);
    protected.refuses(&token, Kind::WrongTokenType, "escaped").await;
}

/// R-AT-02: what the lenient mode may relax, and what never.
#[tokio::test]
async fn the_lenient_mode_still_requires_iss_exp_and_aud() {
    let issuer = issuer();
    let protected = Protected::by(lenient(&issuer));
    for name in ["iss", "exp", "aud"] {
        let token = token_with(&issuer, &[(name, "")]);
        protected.refuses(&token, Kind::MissingClaim, name).await;
    }
    let least = [("sub", ""), ("client_id", ""), ("iat", ""), ("jti", "")];
    protected.accepts(&token_with(&issuer, &least), "without the rest").await;
    let verified = lenient(&issuer).verify_now(&token_with(&issuer, &least)).unwrap();
    assert_eq!((verified.subject(), verified.principal()), (None, None));
    // What is there tells callers apart, or it is of no use.
    for name in ["sub", "client_id", "jti"] {
        let empty = token_with(&issuer, &[(name, "\"\"")]);
        protected.refuses(&empty, Kind::MalformedClaim, name).await;
    }
}

/// R-DPOP-19, R-MTLS-08, R-MTLS-10: a bound token without its proof would be a downgrade.
#[tokio::test]
async fn a_bound_token_is_refused() {
    let issuer = issuer();
    for verifier in [issuer.verifier(), lenient(&issuer)] {
        let protected = Protected::by(verifier);
        for cnf in [
            r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
            r#"{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}"#,
            r#"{"x5t#S256":1}"#,
            r#"{"kid":"1"}"#,
            r#"{"jwk":{}}"#,
            "{}",
            r#""x""#,
            "null",
            "[]",
            "1",
            "false",
        ] {
            let token = token_with(&issuer, &[("cnf", cnf)]);
            protected.refuses(&token, Kind::UnsupportedConfirmation, cnf).await;
        }
        let escaped = token_with(&issuer, &[(r"\u0063nf", "{}")]);
        protected.refuses(&escaped, Kind::UnsupportedConfirmation, "escaped").await;
    }
}

/// R-JWS-06: a member that stands twice is refused, whether anybody reads it or not and whatever
/// the application's type is.
#[test]
fn a_claim_that_stands_twice_is_refused_for_every_type() {
    #[derive(Deserialize)]
    struct Flattened {
        #[serde(flatten)]
        _rest: HashMap<String, Value>,
    }
    #[derive(Deserialize)]
    struct One {
        #[serde(default)]
        _tenant: Option<String>,
    }
    fn check<C: DeserializeOwned + Send + Sync + 'static>() {
        let issuer = issuer();
        let verifier = issuer.verifier_with::<C>();
        let many: String = (0..30).map(|number| format!(r#","m{number}":0"#)).collect();
        let good = claims_text(&issuer, &[]);
        let inner = &good[1..good.len() - 1];
        assert!(verifier.verify_now(&token_with(&issuer, &[("tenant", "\"x\"")])).is_ok());
        for more in [
            r#""aud":"https://api.test""#.to_owned(),
            r#""aud":["https://api.test"]"#.to_owned(),
            r#""iss":"https://issuer.test""#.to_owned(),
            r#""sub":"user-1""#.to_owned(),
            r#""exp":1900000000"#.to_owned(),
            r#""\u0065xp":1900000000"#.to_owned(),
            r#""jti":"token-1""#.to_owned(),
            r#""tenant":"a","tenant":"a""#.to_owned(),
            r#""tenant":"a","t\u0065nant":"b""#.to_owned(),
            r#""unread":1,"unread":2"#.to_owned(),
            r#""scope":"a","scope":"b""#.to_owned(),
            r#""cnf":1,"cnf":2"#.to_owned(),
            r#""":1,"":2"#.to_owned(),
            r#""deep":{"a":1,"a":2}"#.to_owned(),
            r#""deep":[[{"a":{"b":1,"c":2,"\u0062":3}}]]"#.to_owned(),
            format!(r#""x":1{many},"x":1"#),
            format!(r#""x":1{many},"m29":1"#),
            format!(r#""x":1{many},"sub":"user-1""#),
        ] {
            for claims in [format!("{{{inner},{more}}}"), format!("{{{more},{inner}}}")] {
                let token = issuer.sign_raw(&header_text(&issuer), &claims);
                assert_eq!(refusal(&verifier, &token), Kind::Malformed, "{claims}");
            }
        }
    }
    check::<()>();
    check::<IgnoredAny>();
    check::<One>();
    check::<Flattened>();
    check::<Value>();
    check::<HashMap<String, Value>>();
    check::<Option<One>>();
    check::<ByHand<StopsEarly>>();
    check::<ByHand<Forgiving>>();
}

/// R-JWS-05: what is no JSON makes the token malformed, also in a value that nobody reads and in
/// one that does not fit the application's type.
#[test]
fn malformed_json_is_malformed_whoever_reads_it() {
    #[derive(Deserialize)]
    struct One {
        _tenant: u64,
    }
    fn check<C: DeserializeOwned + Send + Sync + 'static>() {
        let issuer = issuer();
        for value in [
            "tru",
            "01",
            "\"\\x\"",
            "[1,]",
            "{\"a\" 1}",
            "{a:1}",
            "nan",
            "'x'",
            "\"\u{1}\"",
            "[1}",
            "\"\\ud800\"",
            "1 2",
        ] {
            for name in ["_tenant", "unread"] {
                let token = token_with(&issuer, &[("_tenant", "1"), (name, value)]);
                let verifier = issuer.verifier_with::<C>();
                assert_eq!(refusal(&verifier, &token), Kind::Malformed, "{name}: {value}");
            }
        }
    }
    check::<()>();
    check::<One>();
    check::<Value>();
    check::<HashMap<String, Value>>();
    check::<ByHand<StopsEarly>>();
}

/// The claims arrive in the application's own type, whatever shape that has.
#[test]
fn the_application_chooses_the_type_of_its_claims() {
    #[derive(Deserialize)]
    struct Plain {
        tenant: String,
        level: u8,
        #[serde(default)]
        tags: Vec<String>,
        #[serde(rename = "https://example.com/team")]
        team: Option<String>,
    }
    #[derive(Deserialize)]
    struct WithRest {
        tenant: String,
        #[serde(flatten)]
        rest: HashMap<String, Value>,
    }
    #[derive(Deserialize)]
    struct Nested {
        level: u8,
        #[serde(flatten)]
        inner: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        tenant: Cow<'static, str>,
        exp: u64,
        aud: String,
    }
    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Tagged {
        User { tenant: String, sub: String, exp: u64 },
        Robot { serial: u64 },
    }
    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(untagged)]
    enum Untagged {
        Robot { serial: u64 },
        User { tenant: String, sub: String },
    }
    #[derive(Deserialize)]
    struct Newtype(Map<String, Value>);
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Transparent {
        inner: BTreeMap<String, Value>,
    }
    #[derive(Deserialize)]
    struct Empty {}
    #[derive(Deserialize)]
    struct Unit;
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct AllOptional {
        tenant: Option<String>,
        missing: Option<u64>,
        nothing: Option<u64>,
        deep: Option<Option<Deep>>,
    }
    #[derive(Deserialize)]
    struct Deep {
        list: Vec<(u8, char)>,
    }

    let changes = [
        ("tenant", "\"a\\u00e9\\n\""),
        ("level", "3"),
        ("kind", "\"user\""),
        ("https://example.com/team", "\"blue\""),
        ("nothing", "null"),
        ("deep", r#"{"list":[[1,"x"]]}"#),
    ];
    let plain = read::<Plain>(&changes).unwrap();
    let claims = plain.custom();
    assert_eq!((&*claims.tenant, claims.level, claims.tags.len()), ("aé\n", 3, 0));
    assert_eq!(claims.team.as_deref(), Some("blue"));

    let with_rest = read::<WithRest>(&changes).unwrap();
    assert_eq!(with_rest.custom().tenant, "aé\n");
    assert_eq!(with_rest.custom().rest["exp"], json!(NOW + 600));
    assert_eq!(with_rest.custom().rest["aud"], json!("https://api.test"));
    assert_eq!(with_rest.custom().rest["level"], json!(3));
    assert!(!with_rest.custom().rest.contains_key("tenant"));

    let nested = read::<Nested>(&changes).unwrap();
    assert_eq!((nested.custom().level, &*nested.custom().inner.tenant), (3, "aé\n"));
    assert_eq!(
        (nested.custom().inner.exp, &*nested.custom().inner.aud),
        (NOW + 600, "https://api.test")
    );

    let user = Tagged::User { tenant: "aé\n".into(), sub: "user-1".into(), exp: NOW + 600 };
    assert_eq!(*read::<Tagged>(&changes).unwrap().custom(), user);
    let user = Untagged::User { tenant: "aé\n".into(), sub: "user-1".into() };
    assert_eq!(*read::<Untagged>(&changes).unwrap().custom(), user);
    let robot = read::<Untagged>(&[("serial", "7")]).unwrap();
    assert_eq!(*robot.custom(), Untagged::Robot { serial: 7 });

    let all = |value: &Map<String, Value>| {
        value["iss"] == "https://issuer.test" && value["level"] == 3 && value.len() == 13
    };
    assert!(all(read::<Value>(&changes).unwrap().custom().as_object().unwrap()));
    assert!(all(read::<Map<String, Value>>(&changes).unwrap().custom()));
    assert!(all(&read::<Newtype>(&changes).unwrap().custom().0));
    assert!(all(&read::<Box<Newtype>>(&changes).unwrap().custom().0));
    assert_eq!(read::<HashMap<String, Value>>(&changes).unwrap().custom()["deep"]["list"][0][0], 1);
    assert_eq!(read::<Transparent>(&changes).unwrap().custom().inner["iat"], NOW);

    let optional = read::<AllOptional>(&changes).unwrap();
    let claims = optional.custom();
    assert_eq!(claims.tenant.as_deref(), Some("aé\n"));
    assert_eq!((claims.missing, claims.nothing), (None, None));
    assert_eq!(claims.deep.as_ref().unwrap().as_ref().unwrap().list, [(1, 'x')]);

    assert!(read::<()>(&changes).is_ok());
    assert!(read::<Empty>(&changes).is_ok());
    assert!(read::<Unit>(&changes).is_ok());
    assert!(read::<IgnoredAny>(&changes).is_ok());
    assert!(read::<Option<Plain>>(&changes).unwrap().custom().is_some());
    assert!(read::<PhantomData<u8>>(&changes).is_ok());
}

/// Registered claims and scopes are there for the application's type too, in every shape that
/// JSON itself would give them.
#[test]
fn the_application_may_read_registered_claims_in_its_own_way() {
    #[derive(Deserialize, Debug, PartialEq)]
    struct Name(String);
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(Name),
        Many(Vec<Name>),
    }
    #[derive(Deserialize, Debug, PartialEq)]
    enum Client {
        #[serde(rename = "client-1")]
        First,
    }
    #[derive(Deserialize)]
    struct Options {
        iss: Option<String>,
        sub: Option<Name>,
        client_id: Option<Client>,
        jti: Name,
        aud: OneOrMany,
        exp: Option<u64>,
        iat: Option<i64>,
        nbf: Option<f64>,
        scope: Option<Name>,
        extra: Option<Name>,
    }
    #[derive(Deserialize)]
    struct Seconds(f64);
    #[derive(Deserialize)]
    struct Others {
        aud: Option<Vec<Option<Name>>>,
        exp: Seconds,
        iat: u32,
        nbf: Option<u64>,
        #[serde(deserialize_with = "hour_of")]
        extra: u64,
        scope: Box<str>,
        sub: Cow<'static, str>,
    }
    fn hour_of<'de, D: Deserializer<'de>>(value: D) -> Result<u64, D::Error> {
        Ok(u64::deserialize(value)? / 3600)
    }
    #[derive(Deserialize)]
    struct Hours {
        #[serde(deserialize_with = "hour_of")]
        exp: u64,
        aud: (String, String),
    }

    let changes = [
        ("nbf", "1800000000"),
        ("scope", "\"a b\""),
        ("extra", "\"x\""),
        ("client_id", "\"client-1\""),
    ];
    let verified = read::<Options>(&changes).unwrap();
    let claims = verified.custom();
    assert_eq!(claims.iss.as_deref(), Some("https://issuer.test"));
    assert_eq!(claims.sub, Some(Name("user-1".into())));
    assert_eq!(claims.client_id, Some(Client::First));
    assert_eq!(claims.jti, Name("token-1".into()));
    assert!(matches!(&claims.aud, OneOrMany::One(Name(name)) if name == "https://api.test"));
    assert_eq!(
        (claims.exp, claims.iat, claims.nbf),
        (Some(NOW + 600), Some(NOW as i64), Some(NOW as f64))
    );
    assert_eq!(
        (&claims.scope, &claims.extra),
        (&Some(Name("a b".into())), &Some(Name("x".into())))
    );

    let many = [
        ("aud", r#"["https://api.test","\u0078"]"#),
        ("extra", "7200"),
        ("scope", r#""a\u0020b""#),
    ];
    let verified = read::<Others>(&many).unwrap();
    let claims = verified.custom();
    assert_eq!(claims.aud.as_ref().unwrap()[1], Some(Name("x".into())));
    assert_eq!(
        (claims.exp.0, claims.iat, claims.nbf, claims.extra),
        ((NOW + 600) as f64, NOW as u32, None, 2)
    );
    assert_eq!((&*claims.scope, &*claims.sub), ("a b", "user-1"));
    assert!(verified.scopes().contains("b"));

    let verified = read::<Options>(&[("jti", "\"j\""), many[0]]).unwrap();
    assert!(matches!(&verified.custom().aud, OneOrMany::Many(names) if names.len() == 2));

    let verified = read::<Hours>(&many).unwrap();
    assert_eq!(verified.custom().exp, (NOW + 600) / 3600);
    assert_eq!(verified.custom().aud, ("https://api.test".into(), "x".into()));
    let fractional = read::<HashMap<String, Value>>(&[("exp", "1800000600.5")]).unwrap();
    assert_eq!(fractional.custom()["exp"], json!(1_800_000_600.5));
    let fraction = [("aud", r#"["https://api.test","x"]"#), ("exp", "1800000600.5")];
    assert_eq!(fault::<Hours>(&fraction), (Kind::ClaimsMismatch, Some("exp".to_owned())));
}

/// Keys of maps are typed as well.
#[test]
fn member_names_may_have_a_type_of_their_own() {
    #[derive(Deserialize, PartialEq, Eq, Hash)]
    struct Name(String);
    #[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    #[serde(rename_all = "lowercase")]
    enum Known {
        Exp,
        #[serde(other)]
        Other,
    }
    let named = read::<HashMap<Name, Value>>(&[]).unwrap();
    assert_eq!(named.custom()[&Name("exp".into())], NOW + 600);
    let known = read::<ByHand<NamesOf<Known>>>(&[]).unwrap();
    assert_eq!(known.custom().0.0.iter().filter(|name| **name == Known::Exp).count(), 1);
}

/// R-JWT-26
#[tokio::test]
async fn claims_that_do_not_fit_are_named_and_their_values_kept_secret() {
    #[derive(Deserialize)]
    struct User {
        #[expect(dead_code, reason = "only has to be there")]
        tenant: u64,
    }
    let issuer = issuer();
    let verifier = issuer.verifier_with::<User>();
    let token = issuer.token().claim("tenant", "unmistakable-value").sign();

    // With the default sink, so that what would be logged is searched.
    let layer = tower_bearer::AuthLayer::new(verifier.clone());
    let protected = Protected::with(layer, crate::support::Recorded::default());
    protected.refuses(&token, Kind::ClaimsMismatch, "tenant").await;
    {
        assert!(crate::support::traced(r#"claim="tenant""#));
        assert!(crate::support::traced("claims_mismatch"));
        assert!(!crate::support::traced("unmistakable-value"));
    }

    let error = verifier.verify_now(&token).unwrap_err();
    assert_eq!(error.claim(), Some("tenant"));
    assert_eq!(error.to_string(), r#"the claims do not fit the application's type: "tenant""#);
    assert!(!format!("{error:?}").contains("unmistakable-value"));
    assert!(error.source().is_none());

    let recorded = Protected::by(verifier);
    recorded.refuses(&issuer.token().sign(), Kind::ClaimsMismatch, "missing").await;
    recorded.accepts(&issuer.token().claim("tenant", 7).sign(), "a number").await;
    assert_eq!(recorded.events.codes(), ["claims_mismatch", "accepted"]);
}

/// R-JWT-26: the name is known where the type itself says which member it read.
#[test]
fn a_mismatch_names_the_claim_where_it_is_known() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only has to be there")]
    struct User {
        tenant: u8,
        sub: String,
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only has to be there")]
    struct Times {
        exp: u8,
        aud: Vec<u64>,
    }
    #[derive(Deserialize)]
    struct Flat {
        #[serde(flatten)]
        _user: User,
    }
    #[derive(Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        User { _tenant: u8 },
    }
    let named = |name: &str| (Kind::ClaimsMismatch, Some(name.to_owned()));
    assert_eq!(fault::<User>(&[]), named("tenant"));
    for value in ["\"x\"", "256", "-1", "1.5", "null", "[1]", "{}"] {
        assert_eq!(fault::<User>(&[("tenant", value)]), named("tenant"), "{value}");
    }
    assert_eq!(fault::<Times>(&[]), named("aud"));
    assert_eq!(fault::<HashMap<String, String>>(&[]), named("iat"));
    assert_eq!(fault::<Flat>(&[("tenant", "1000")]).0, Kind::ClaimsMismatch);
    assert_eq!(fault::<Tagged>(&[]), named("kind"));
    assert_eq!(fault::<Tagged>(&[("kind", "\"Robot\"")]).0, Kind::ClaimsMismatch);
    // Types that no object fits.
    assert_eq!(fault::<String>(&[]), (Kind::ClaimsMismatch, None));
    assert_eq!(fault::<u64>(&[]), (Kind::ClaimsMismatch, None));
    assert_eq!(fault::<Vec<Value>>(&[]), (Kind::ClaimsMismatch, None));
    // A name from the token is cut and escaped.
    let long = "n".repeat(1000);
    let error = read::<HashMap<String, IfString>>(&[(&long, "1")]).unwrap_err();
    assert_eq!(error.claim().map(str::len), Some(64));
    let error = read::<HashMap<String, IfString>>(&[(r"a\nb\u001b", "1")]).unwrap_err();
    assert_eq!(error.to_string(), r#"the claims do not fit the application's type: "a\nb\u{1b}""#);
}

/// A type that reads less than everything, or forgives everything, changes nothing of what is
/// verified.
#[test]
fn a_type_that_stops_early_or_forgives_weakens_no_check() {
    fn check<C: DeserializeOwned + Send + Sync + 'static>() {
        let issuer = issuer();
        let lenient = || {
            let trusted = issuer.trusted().token_type(TokenType::AnyJwt);
            let builder = Verifier::builder().issuer(trusted).clock(UnixTime::from_secs(NOW));
            builder.claims::<C>().build().unwrap()
        };
        for verifier in [issuer.verifier_with::<C>(), lenient()] {
            assert!(verifier.verify_now(&issuer.token().sign()).is_ok());
            for (changes, reason) in [
                ([("exp", "1")], Kind::Expired),
                ([("exp", "")], Kind::MissingClaim),
                ([("exp", "\"x\"")], Kind::MalformedClaim),
                ([("nbf", "1900000000")], Kind::NotYetValid),
                ([("nbf", "\"x\"")], Kind::MalformedClaim),
                ([("nbf", "null")], Kind::MalformedClaim),
                ([("iat", "[]")], Kind::MalformedClaim),
                ([("aud", "\"x\"")], Kind::WrongAudience),
                ([("aud", "[1]")], Kind::MalformedClaim),
                ([("iss", "\"x\"")], Kind::UnknownIssuer),
                ([("sub", "1")], Kind::MalformedClaim),
                ([("jti", "{}")], Kind::MalformedClaim),
                ([("scope", "[\"a\"]")], Kind::MalformedClaim),
                ([("scope", "\"a\\u0001\"")], Kind::MalformedClaim),
                ([("cnf", "{}")], Kind::UnsupportedConfirmation),
            ] {
                let token = token_with(&issuer, &changes);
                assert_eq!(refusal(&verifier, &token), reason, "{changes:?}");
            }
        }
    }
    check::<ByHand<StopsEarly>>();
    check::<ByHand<StopsAfterOne>>();
    check::<ByHand<Forgiving>>();
    check::<()>();
    check::<Value>();
}

/// A type that does not look at its input at all is served all the same: what verification needs
/// was read without it.
#[test]
fn a_type_that_reads_nothing_at_all_weakens_no_check() {
    #[derive(Debug)]
    struct Blind;
    impl<'de> Deserialize<'de> for Blind {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }
    let verified = read::<Blind>(&[("scope", "\"a b\"")]).expect("a good token");
    assert_eq!(verified.scopes().len(), 2);
    for (claim, value, reason) in [
        ("iss", "\"https://other.test\"", Kind::UnknownIssuer),
        ("aud", "\"other\"", Kind::WrongAudience),
        ("exp", "\"never\"", Kind::MalformedClaim),
        ("exp", "1", Kind::Expired),
        ("x", "\"\\ud800\"", Kind::Malformed),
        ("x", "1}", Kind::Malformed),
    ] {
        assert_eq!(fault::<Blind>(&[(claim, value)]).0, reason, "{claim}: {value}");
    }
}

/// Claims that do not fit the application's type are told of tokens that are for this service: the
/// operator is warned of a fault that is his own, or the issuer's.
#[test]
fn a_mismatch_is_told_after_everything_but_time() {
    #[derive(Debug, Deserialize)]
    struct User {
        #[expect(dead_code, reason = "only has to be there")]
        tenant: u64,
    }
    let issuer = issuer();
    let verifier = issuer.verifier_with::<User>();
    let token = issuer.token();
    for (token, reason) in [
        (token.clone().wrong_issuer(), Kind::UnknownIssuer),
        (token.clone().wrong_audience(), Kind::WrongAudience),
        (token.clone().wrong_type(), Kind::WrongTokenType),
        (token.clone().without_claim("jti"), Kind::MissingClaim),
        (token.clone().duplicate_members(), Kind::Malformed),
        (token.clone().claim("scope", 1), Kind::MalformedClaim),
        (token.clone().expired(), Kind::ClaimsMismatch),
        (token.clone().not_yet_valid(), Kind::ClaimsMismatch),
        (token, Kind::ClaimsMismatch),
    ] {
        let refused = verifier.verify_now(&token.sign()).expect_err("a refusal");
        assert_eq!(refused.kind(), reason);
    }
}

/// R-JWS-07: only members count, wherever colons stand.
#[test]
fn colons_in_strings_are_no_members() {
    let list = |count: usize| format!("[{}]", vec![r#""urn:acme:perm:x""#; count].join(","));
    for count in [1, 84, 85, 100, 250, 300] {
        let (array, object) = (list(count), format!(r#"{{"a:b":{}}}"#, list(count)));
        for value in [array, object] {
            assert!(read::<()>(&[("perm", &value), ("a", "1"), ("b", "2")]).is_ok(), "{count}");
        }
    }
}

/// R-JWT-26: a type gets the value that stands there, or none.
#[test]
fn values_are_neither_cut_nor_taken_for_another_form() {
    #[derive(Debug, Deserialize)]
    struct Wide {
        #[expect(dead_code, reason = "only has to be there")]
        x: u128,
    }
    #[derive(Debug, Deserialize)]
    #[serde(tag = "x")]
    enum Tagged {
        First {},
        Second {},
    }
    assert!(read::<Wide>(&[("x", "340282366920938463463374607431768211455")]).is_ok());
    for value in ["1.5", "1e2", "1e400", "-1"] {
        assert_eq!(fault::<Wide>(&[("x", value)]).0, Kind::ClaimsMismatch, "{value}");
    }
    assert!(read::<Tagged>(&[("x", "\"Second\"")]).is_ok());
    for value in ["0", "1", "true", "[]"] {
        assert_eq!(fault::<Tagged>(&[("x", value)]).0, Kind::ClaimsMismatch, "{value}");
    }
}

/// R-JWT-29
#[tokio::test]
async fn claims_are_escaped_in_logs() {
    let issuer = issuer();
    let layer = tower_bearer::AuthLayer::new(issuer.verifier());
    let protected = Protected::with(layer, crate::support::Recorded::default());
    let token = issuer.token().subject("mallory\r\nERROR forged-line \u{1b}[31m").sign();
    protected.accepts(&token, "odd, and still a subject").await;
    assert!(crate::support::traced(r"mallory\\r\\nERROR forged-line \\u{1b}[31m"));
    assert!(!crate::support::traced("mallory\r"));
}

/// A type that reads the members of an object by hand.
struct ByHand<T>(T);

trait FromMembers: Sized {
    fn from_members<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;
}

impl<'de, T: FromMembers> Deserialize<'de> for ByHand<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: FromMembers> Visitor<'de> for Members<T> {
            type Value = ByHand<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ByHand<T>, A::Error> {
                T::from_members(map).map(ByHand)
            }
        }

        value.deserialize_map(Members(PhantomData))
    }
}

/// Reads no member at all of the object that it asks for.
struct StopsEarly;

impl FromMembers for StopsEarly {
    fn from_members<'de, A: MapAccess<'de>>(_: A) -> Result<Self, A::Error> {
        Ok(Self)
    }
}

/// Reads the first member and leaves the others.
struct StopsAfterOne;

impl FromMembers for StopsAfterOne {
    fn from_members<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        map.next_entry::<String, Value>().map(|_| Self)
    }
}

/// Takes no error for an answer.
struct Forgiving;

impl FromMembers for Forgiving {
    fn from_members<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while let Ok(Some(_)) = map.next_key::<String>() {
            let _ = map.next_value::<Value>();
        }
        Ok(Self)
    }
}

/// Keeps the names of all members, in the order of the token.
struct NamesOf<K>(Vec<K>);

impl<K: DeserializeOwned> FromMembers for NamesOf<K> {
    fn from_members<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut names = Vec::new();
        while let Some((name, IgnoredAny)) = map.next_entry()? {
            names.push(name);
        }
        Ok(Self(names))
    }
}

/// A string, or anything but a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum IfString {
    #[expect(dead_code, reason = "only has to be there")]
    Text(String),
    Registered(RegisteredNumber),
}

/// A number as large as a date.
#[derive(Debug)]
struct RegisteredNumber;

impl<'de> Deserialize<'de> for RegisteredNumber {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        match u64::deserialize(value)? {
            NOW.. => Ok(Self),
            _ => Err(serde::de::Error::custom("too small")),
        }
    }
}
