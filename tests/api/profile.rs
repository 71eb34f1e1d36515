//! The access token profile of RFC 9068, and what is relaxed for issuers that do not follow it.

use tower_bearer::{AuthErrorKind, Verifier, policy::TokenType, test_util::TestIssuer};

use crate::support::{C3X, Protected, assert_invalid, assert_refused, issuer, kind};

fn lenient(issuer: &TestIssuer) -> Protected<Verifier> {
    let clock = tower_bearer::time::UnixTime::from_secs(crate::support::NOW);
    let trusted = issuer.trusted().token_type(TokenType::AnyJwt);
    Protected::by(Verifier::builder().issuer(trusted).clock(clock).build().unwrap())
}

/// R-AT-01, R-JWS-19
#[tokio::test]
async fn the_type_is_at_jwt_in_any_spelling_of_the_media_type() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    for typ in [
        "at+jwt",
        "at+JWT",
        "AT+JWT",
        "application/at+jwt",
        "application/AT+JWT",
        "APPLICATION/at+jwt",
    ] {
        let response = protected.send_token(&issuer.token().header("typ", typ).sign()).await;
        assert_eq!(response.status(), 200, "{typ}");
    }
    for typ in [
        "JWT",
        "jwt",
        "id+jwt",
        "dpop+jwt",
        "logout+jwt",
        "token-introspection+jwt",
        "statuslist+jwt",
        "secevent+jwt",
        "client-authentication+jwt",
        "at+jwt;x=1",
        "at+jwt ",
        " at+jwt",
        "application/application/at+jwt",
        "text/at+jwt",
        "at",
        "",
        "/at+jwt",
        "application/",
    ] {
        let response = protected.send_token(&issuer.token().header("typ", typ).sign()).await;
        assert_invalid(&response, AuthErrorKind::WrongTokenType);
    }
    let response = protected.send_token(&issuer.token().without_header("typ").sign()).await;
    assert_invalid(&response, AuthErrorKind::WrongTokenType);
    let response = protected.send_token(&issuer.token().header("typ", 1).sign()).await;
    assert_invalid(&response, AuthErrorKind::Malformed);
}

/// R-AT-02, R-JWT-17
#[tokio::test]
async fn every_claim_of_the_profile_is_required() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        let response = protected.send_token(&issuer.token().without_claim(claim).sign()).await;
        assert_invalid(&response, AuthErrorKind::MissingClaim);
        let error = response.extensions().get::<tower_bearer::AuthError>().unwrap();
        assert_eq!(error.claim(), Some(claim));
    }
    for claim in ["sub", "client_id", "jti"] {
        let response = protected.send_token(&issuer.token().claim(claim, "").sign()).await;
        assert_invalid(&response, AuthErrorKind::MalformedClaim);
    }
}

/// R-AT-02
#[tokio::test]
async fn the_lenient_type_still_needs_issuer_audience_and_expiry() {
    let issuer = issuer();
    let protected = lenient(&issuer);
    let bare = ["sub", "client_id", "iat", "jti"];
    let token = bare.iter().fold(issuer.token(), |token, claim| token.without_claim(claim));
    assert_eq!(protected.send_token(&token.sign()).await.status(), 200);
    for claim in ["iss", "exp", "aud"] {
        let response = protected.send_token(&token.clone().without_claim(claim).sign()).await;
        assert_invalid(&response, AuthErrorKind::MissingClaim);
    }
}

/// R-JWT-22, R-JWT-23, R-JWT-21
#[tokio::test]
async fn the_lenient_type_is_no_door_for_other_kinds_of_jwt() {
    let issuer = issuer();
    let protected = lenient(&issuer);
    let token = issuer.token();
    for typ in ["at+jwt", "JWT", "jwt", "application/jwt"] {
        let response = protected.send_token(&token.clone().header("typ", typ).sign()).await;
        assert_eq!(response.status(), 200, "{typ}");
    }
    assert_eq!(
        protected.send_token(&token.clone().without_header("typ").sign()).await.status(),
        200
    );
    for typ in ["dpop+jwt", "id+jwt", "logout+jwt", ""] {
        let response = protected.send_token(&token.clone().header("typ", typ).sign()).await;
        assert_invalid(&response, AuthErrorKind::WrongTokenType);
    }
    for claim in ["nonce", "at_hash", "c_hash", "events", "token_introspection"] {
        let response = protected.send_token(&token.clone().claim(claim, "x").sign()).await;
        assert_invalid(&response, AuthErrorKind::WrongTokenType);
    }
    // With the right type nobody takes it for anything else.
    let strict = Protected::by(issuer.verifier());
    assert_eq!(strict.send_token(&token.claim("nonce", "x").sign()).await.status(), 200);
}

/// R-AT-03, R-JWT-01
#[tokio::test]
async fn each_step_of_the_validation_refuses_by_itself() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let token = issuer.token();
    for (bad, reason) in [
        (token.clone().wrong_type(), AuthErrorKind::WrongTokenType),
        (token.clone().foreign_key(), AuthErrorKind::BadSignature),
        (token.clone().tampered(), AuthErrorKind::BadSignature),
        (token.clone().unsigned(), AuthErrorKind::AlgorithmNotAllowed),
        (token.clone().key_confusion(), AuthErrorKind::AlgorithmNotAllowed),
        (token.clone().unknown_key(), AuthErrorKind::UnknownKey),
        (token.clone().wrong_issuer(), AuthErrorKind::UnknownIssuer),
        (token.clone().wrong_audience(), AuthErrorKind::WrongAudience),
        (token.clone().not_yet_valid(), AuthErrorKind::NotYetValid),
        (token.clone().oversized(), AuthErrorKind::TokenTooLong),
        (token.clone().duplicate_members(), AuthErrorKind::Malformed),
    ] {
        assert_invalid(&protected.send_token(&bad.sign()).await, reason);
    }
    let expired = protected.send_token(&token.clone().expired().sign()).await;
    assert_refused(&expired, 401, Some(C3X));
    assert_eq!(kind(&expired), Some(AuthErrorKind::Expired));
    assert_eq!(protected.calls(), 0);
    assert_eq!(protected.send_token(&token.sign()).await.status(), 200);
}

/// R-AT-04
#[tokio::test]
async fn an_encrypted_token_is_refused_before_any_key_work() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let header = issuer.token().header("enc", "A256GCM").sign();
    let header = header.split('.').next().unwrap();
    let response = protected.send_token(&format!("{header}.a.b.c.d")).await;
    assert_invalid(&response, AuthErrorKind::Malformed);
}

/// R-AT-04
#[tokio::test]
async fn any_published_key_signs() {
    let issuer = issuer();
    let second = issuer.key().clone().with_id("second").unwrap();
    let trusted = issuer.trusted().keys(second);
    let clock = tower_bearer::time::UnixTime::from_secs(crate::support::NOW);
    let verifier = Verifier::builder().issuer(trusted).clock(clock).build().unwrap();
    for kid in ["test-key", "second"] {
        assert!(verifier.verify_now(&issuer.token().header("kid", kid).sign()).is_ok(), "{kid}");
    }
}

/// R-JWT-19, R-JWT-20
#[test]
fn users_and_clients_are_told_apart() {
    let issuer = issuer();
    let verifier = issuer.verifier();
    let user = verifier.verify_now(&issuer.token().sign()).unwrap();
    assert!(!user.is_client());
    let principal = user.principal().unwrap();
    assert_eq!((principal.issuer, principal.subject), (issuer.name(), "user-1"));

    let client = verifier.verify_now(&issuer.token().subject("client-1").sign()).unwrap();
    assert!(client.is_client());
}

/// R-DPOP-19, R-MTLS-08, R-MTLS-10
#[tokio::test]
async fn a_bound_token_is_refused_whatever_it_is_bound_to() {
    let issuer = issuer();
    for protected in [Protected::by(issuer.verifier()), lenient(&issuer)] {
        for cnf in [
            serde_json::json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
            serde_json::json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
            serde_json::json!({"kid": "1"}),
            serde_json::json!({}),
            serde_json::json!("x"),
            serde_json::json!(null),
        ] {
            let response = protected.send_token(&issuer.token().claim("cnf", cnf).sign()).await;
            assert_invalid(&response, AuthErrorKind::UnsupportedConfirmation);
        }
    }
}
