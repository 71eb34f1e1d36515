//! Providers whose tokens have ways of their own, which a service has to name.

use tower_bearer::{
    Algorithm, AuthErrorKind as Kind, Issuer, Verifier,
    claims::ScopeClaim,
    key::KeySet,
    policy::TokenType,
    test_util::{FrozenClock, TestIssuer, TokenBuilder},
};

use crate::support::{NOW, issuer};

const TEMPLATE: &str = "https://login.test/{tenantid}/v2.0";
const OURS: &str = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";

fn built(issuer: Issuer) -> Result<Verifier, tower_bearer::ConfigError> {
    Verifier::builder().issuer(issuer).clock(FrozenClock::at(NOW)).build()
}

fn described(issuer: Issuer, keys: &TestIssuer) -> Issuer {
    issuer.algorithms([Algorithm::Es256]).keys(keys.keys())
}

#[track_caller]
fn refused(verifier: &Verifier, token: &TokenBuilder) -> Kind {
    verifier.verify_now(&token.sign()).expect_err("the token is refused").kind()
}

/// R-JWT-08, R-JWT-11: each tenant has an issuer of its own, and nobody has one by imitation.
#[test]
fn tenants_of_one_provider_are_told_apart_by_a_template() {
    let keys = issuer();
    let tenants = Issuer::of_tenants(TEMPLATE, |tenant| tenant == OURS || tenant == "b");
    let verifier = built(described(tenants.audience("https://api.test"), &keys)).unwrap();
    let token = |tenant: &str| keys.token().claim("iss", TEMPLATE.replace("{tenantid}", tenant));
    for tenant in [OURS, "b"] {
        let verified = verifier.verify_now(&token(tenant).sign()).unwrap();
        assert_eq!(verified.issuer(), TEMPLATE.replace("{tenantid}", tenant));
    }
    for tenant in
        ["c", "", "B", "b/v2.0/x", "b%2f", "{tenantid}", "b ", "b\u{e9}", &"b".repeat(200)]
    {
        assert_eq!(refused(&verifier, &token(tenant)), Kind::UnknownIssuer, "{tenant}");
    }
    for other in [
        "https://login.test/b/v2.0/",
        "https://login.test/b/v1.0",
        "https://login.test/b",
        "https://login.test.evil.test/b/v2.0",
        "https://evil.test/https://login.test/b/v2.0",
        TEMPLATE,
    ] {
        let token = keys.token().claim("iss", other);
        assert_eq!(refused(&verifier, &token), Kind::UnknownIssuer, "{other}");
    }
}

/// R-JWT-09: among tenants that share their keys, a key that is for one of them signs for no other.
#[test]
fn a_key_of_one_tenant_signs_for_no_other() {
    let keys = issuer();
    let of = |tenant: &str| TEMPLATE.replace("{tenantid}", tenant);
    let verifier = |key_issuer: &str| {
        let member = format!(r#"[{{"issuer":"{key_issuer}","#);
        let document = keys.jwks().replacen("[{", &member, 1);
        let tenants = Issuer::of_tenants(TEMPLATE, |_| true).audience("https://api.test");
        let set = KeySet::from_jwks(&document).unwrap();
        built(tenants.algorithms([Algorithm::Es256]).keys(set)).unwrap()
    };
    let token = |tenant: &str| keys.token().claim("iss", of(tenant));
    assert!(verifier(TEMPLATE).verify_now(&token("a").sign()).is_ok());
    let of_a = verifier(&of("a"));
    assert!(of_a.verify_now(&token("a").sign()).is_ok());
    assert_eq!(refused(&of_a, &token("b")), Kind::UnknownKey);
    assert_eq!(refused(&of_a, &token("a").tampered()), Kind::BadSignature);
}

/// R-JWT-09: beside other issuers a template only stands for what no other name is.
#[test]
fn an_exact_issuer_goes_before_a_template() {
    let (keys, own) = (issuer(), issuer());
    let tenants = Issuer::of_tenants(TEMPLATE, |_| true).audience("https://api.test");
    let exact = Issuer::new("https://login.test/own/v2.0").audience("https://api.test");
    let verifier = Verifier::builder()
        .issuer(described(tenants, &keys))
        .issuer(described(exact, &own))
        .clock(FrozenClock::at(NOW))
        .build()
        .unwrap();
    let of_own = |issuer: &TestIssuer| issuer.token().claim("iss", "https://login.test/own/v2.0");
    assert!(verifier.verify_now(&of_own(&own).sign()).is_ok());
    assert_eq!(refused(&verifier, &of_own(&keys)), Kind::BadSignature);
    let any = keys.token().claim("iss", "https://login.test/any/v2.0");
    assert!(verifier.verify_now(&any.sign()).is_ok());
}

#[test]
fn a_template_has_one_place_for_the_tenant() {
    let keys = issuer();
    for template in ["https://login.test/v2.0", "{tenantid}", "https://{tenantid}/{tenantid}"] {
        let tenants = Issuer::of_tenants(template, |_| true).audience("a");
        let message = built(described(tenants, &keys)).unwrap_err().to_string();
        assert!(message.contains("a template with one `{tenantid}`"), "{message}");
    }
    let plain = described(Issuer::new(TEMPLATE).audience("a"), &keys);
    assert!(built(plain).unwrap_err().to_string().contains("`Issuer::new` none"));
}

/// R-JWT-13: access tokens of Amazon Cognito name their client and no audience.
#[test]
fn a_client_can_stand_for_the_audience() {
    let keys = issuer();
    let trusted = described(Issuer::new(keys.name()), &keys)
        .audience_from_client_id(["web", "mobile"])
        .token_type(TokenType::AnyJwt);
    let verifier = built(trusted).unwrap();
    let token = keys
        .token()
        .without_claim("aud")
        .without_header("typ")
        .claim("client_id", "web")
        .claim("token_use", "access");
    assert!(verifier.verify_now(&token.sign()).is_ok());
    for (bad, reason) in [
        (token.clone().claim("client_id", "other"), Kind::WrongAudience),
        (token.clone().claim("client_id", "WEB"), Kind::WrongAudience),
        (token.clone().without_claim("client_id"), Kind::MissingClaim),
        (token.clone().claim("token_use", "id").claim("aud", "web"), Kind::WrongTokenType),
        (token.clone().without_claim("token_use"), Kind::WrongTokenType),
        (token.clone().claim("token_use", 1), Kind::WrongTokenType),
        (token.without_claim("exp"), Kind::MissingClaim),
    ] {
        assert_eq!(refused(&verifier, &bad), reason);
    }
    let both = described(Issuer::new("i"), &keys).audience("a").audience_from_client_id(["web"]);
    assert!(built(both).unwrap_err().to_string().contains("keep one of the two"));
    let empty = described(Issuer::new("i"), &keys).audience_from_client_id([""]);
    assert!(built(empty).unwrap_err().to_string().contains("empty audience"));
    // Elsewhere the claim means nothing.
    let plain = keys.token().claim("token_use", ["id"]);
    assert!(keys.verifier().verify_now(&plain.sign()).is_ok());
}

/// R-AT-03: an ID token is no access token, unless that is said with the word for it.
#[test]
fn id_tokens_are_taken_by_name_only() {
    let keys = issuer();
    let any = |issuer: Issuer| {
        let issuer = described(issuer, &keys).audience("https://api.test");
        built(issuer.token_type(TokenType::AnyJwt)).unwrap()
    };
    let (strict, lenient) =
        (any(Issuer::new(keys.name())), any(Issuer::new(keys.name()).danger_id_tokens()));
    for claim in ["nonce", "at_hash", "c_hash"] {
        let token = keys.token().header("typ", "JWT").claim(claim, "x");
        assert_eq!(refused(&strict, &token), Kind::WrongTokenType, "{claim}");
        assert!(lenient.verify_now(&token.sign()).is_ok(), "{claim}");
    }
    // Still neither a logout token nor an introspection response, whatever stands beside.
    for claim in ["events", "token_introspection"] {
        let token = keys.token().header("typ", "JWT").claim(claim, "x").claim("nonce", "x");
        for verifier in [&strict, &lenient] {
            assert_eq!(refused(verifier, &token), Kind::WrongTokenType, "{claim}");
        }
    }
    // And a scope cannot be told from where the kind is told.
    let odd =
        described(Issuer::new("i").audience("a"), &keys).scope_claim(ScopeClaim::named("nonce"));
    assert!(built(odd).is_err());
}
