//! Where a token says which scopes it grants.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};
use tower_bearer::{
    AuthErrorKind, ConfigError, Verified, Verifier,
    claims::ScopeClaim,
    scope,
    scope::{Requirement, ScopeToken},
    test_util::{FrozenClock, TestIssuer},
};

use crate::support::{NOW, issuer};

/// R-SCOPE-01, R-SCOPE-02, R-SCOPE-06
#[test]
fn the_scope_claim_is_one_string_of_scopes() {
    for (scope, expected) in [
        (json!("a b"), &["a", "b"][..]),
        (json!("b a b"), &["a", "b"]),
        (json!("a  b "), &["a", "b"]),
        (json!(""), &[]),
        (json!(" "), &[]),
        (json!("urn:x/y?z=1#f"), &["urn:x/y?z=1#f"]),
        (json!("1 2 3 4 5 6 7 8 9"), &["1", "2", "3", "4", "5", "6", "7", "8", "9"]),
    ] {
        assert_eq!(
            granted(&[], &json!({ "scope": scope })).as_deref(),
            Ok(&owned(expected)[..]),
            "{scope}"
        );
    }
    assert_eq!(granted(&[], &json!({})), Ok(vec![]));
    assert_eq!(granted(&[], &json!({ "scp": ["a"], "roles": "a", "scopes": "a" })), Ok(vec![]));
}

/// R-SCOPE-02: what is written with escapes is read without them.
#[test]
fn escapes_in_the_scope_claim_are_read() {
    let issuer = issuer();
    for (claim, expected) in [
        (r#""a\u0020b""#, Ok(vec!["a", "b"])),
        (r#""\u0061 b""#, Ok(vec!["a", "b"])),
        (r#""a\/b""#, Ok(vec!["a/b"])),
        (r#""a\tb""#, Err(AuthErrorKind::MalformedClaim)),
        (r#""a\"b""#, Err(AuthErrorKind::MalformedClaim)),
        (r#""a\\b""#, Err(AuthErrorKind::MalformedClaim)),
        (r#""a\u00e9""#, Err(AuthErrorKind::MalformedClaim)),
        (r#""a\u0000""#, Err(AuthErrorKind::MalformedClaim)),
    ] {
        let token = with_raw_claim(&issuer, "scope", claim);
        let scopes = issuer.verifier().verify_now(&token).map(scopes_of);
        assert_eq!(
            scopes.map_err(|error| error.kind()),
            expected.map(|all| owned(&all)),
            "{claim}"
        );
    }
}

/// R-SCOPE-02, R-SCOPE-03
#[test]
fn a_scope_claim_of_another_type_or_with_other_characters_is_malformed() {
    for scope in [
        json!(["a"]),
        json!([]),
        json!(7),
        json!(true),
        json!(null),
        json!({ "a": true }),
        json!("a\tb"),
        json!("a\nb"),
        json!("a\"b"),
        json!("a\\b"),
        json!("\u{e4}"),
        json!("a \u{7f}"),
    ] {
        let refused = Err(AuthErrorKind::MalformedClaim);
        assert_eq!(granted(&[], &json!({ "scope": scope })), refused, "{scope}");
        // The same if there are more places to look at.
        let two = [ScopeClaim::scope(), ScopeClaim::named("scp")];
        assert_eq!(granted(&two, &json!({ "scope": scope })), refused, "{scope}");
    }
}

/// R-SCOPE-03
#[test]
fn another_claim_is_a_string_or_an_array_with_one_scope_in_each_element() {
    let scp = [ScopeClaim::named("scp")];
    for (value, expected) in [
        (json!("b a"), Ok(&["a", "b"][..])),
        (json!(["b", "a", "b"]), Ok(&["a", "b"])),
        (json!([]), Ok(&[])),
        (json!(""), Ok(&[])),
        (json!(["a b"]), Err(())),
        (json!([""]), Err(())),
        (json!(["a", " "]), Err(())),
        (json!(["a", 1]), Err(())),
        (json!(["a", null]), Err(())),
        (json!([["a"]]), Err(())),
        (json!(["a\"b"]), Err(())),
        (json!({ "a": 1 }), Err(())),
        (json!(null), Err(())),
        (json!(1), Err(())),
    ] {
        let expected = expected.map(owned).map_err(|()| AuthErrorKind::MalformedClaim);
        assert_eq!(granted(&scp, &json!({ "scp": value })), expected, "{value}");
    }
    // An array in `scope` is possible, for whoever asks for it by name.
    let scope = [ScopeClaim::named("scope")];
    assert_eq!(granted(&scope, &json!({ "scope": ["b", "a"] })), Ok(owned(&["a", "b"])));
    // The default is replaced, not extended.
    assert_eq!(granted(&scp, &json!({ "scope": "a" })), Ok(vec![]));
    assert_eq!(granted(&scp, &json!({ "scope": ["a"], "scp": "b" })), Ok(owned(&["b"])));
}

/// R-SCOPE-03
#[test]
fn a_nested_claim_is_found_by_its_path() {
    let roles = [ScopeClaim::path(["realm_access", "roles"])];
    for (value, expected) in [
        (json!({ "realm_access": { "roles": ["b", "a"] } }), Ok(&["a", "b"][..])),
        (json!({ "realm_access": { "roles": "a b", "other": ["c"] } }), Ok(&["a", "b"])),
        (json!({ "realm_access": { "other": { "roles": ["c"] } } }), Ok(&[])),
        (json!({ "realm_access": {} }), Ok(&[])),
        (json!({ "roles": ["c"] }), Ok(&[])),
        (json!({ "realm_access": ["roles"] }), Err(())),
        (json!({ "realm_access": "roles" }), Err(())),
        (json!({ "realm_access": null }), Err(())),
        (json!({ "realm_access": { "roles": { "a": 1 } } }), Err(())),
        (json!({ "realm_access": { "roles": null } }), Err(())),
        (json!({ "realm_access": { "roles": [1] } }), Err(())),
    ] {
        let expected = expected.map(owned).map_err(|()| AuthErrorKind::MalformedClaim);
        assert_eq!(granted(&roles, &value), expected, "{value}");
    }
    let deep = [ScopeClaim::path(["a", "b", "c", "d"])];
    let value = json!({ "a": { "b": { "c": { "d": "x", "e": "y" } } } });
    assert_eq!(granted(&deep, &value), Ok(owned(&["x"])));
    // A dot in a name is part of the name.
    let dotted = [ScopeClaim::path(["https://api.test/roles", "a.b"])];
    let value = json!({ "https://api.test/roles": { "a.b": ["x"] }, "a": { "b": "y" } });
    assert_eq!(granted(&dotted, &value), Ok(owned(&["x"])));
}

/// R-SCOPE-03, R-JWS-06: on the way to the scopes, and beside it, no member may stand twice.
#[test]
fn repeated_members_on_the_path_are_refused() {
    let issuer = issuer();
    let roles = [ScopeClaim::path(["realm_access", "roles"])];
    let verifier = verifier::<()>(&issuer, &roles, &[]);
    for (claim, expected) in [
        (r#"{"roles":["a"]}"#, Ok(owned(&["a"]))),
        (r#"{"roles":["a"],"roles":["b"]}"#, Err(AuthErrorKind::Malformed)),
        (r#"{"roles":["a"],"rol\u0065s":["b"]}"#, Err(AuthErrorKind::Malformed)),
        (r#"{"x":1,"roles":["a"],"x":2}"#, Err(AuthErrorKind::Malformed)),
        (r#"{"roles":["a"],"x":{"y":1,"y":2}}"#, Err(AuthErrorKind::Malformed)),
    ] {
        let token = with_raw_claim(&issuer, "realm_access", claim);
        let scopes = verifier.verify_now(&token).map(scopes_of).map_err(|error| error.kind());
        assert_eq!(scopes, expected, "{claim}");
    }
    let twice = with_raw_claim(&issuer, "scope", r#""a","scope":"b""#);
    let refused = issuer.verifier().verify_now(&twice).unwrap_err();
    assert_eq!(refused.kind(), AuthErrorKind::Malformed);
}

/// R-SCOPE-03, R-SCOPE-14: all places together, roles and scopes kept apart by a prefix.
#[test]
fn several_claims_together_make_the_granted_scopes() {
    let all = [
        ScopeClaim::scope(),
        ScopeClaim::named("roles").prefix("role:"),
        ScopeClaim::path(["realm_access", "roles"]).prefix("realm:"),
        ScopeClaim::path(["realm_access", "groups"]).prefix("group:"),
    ];
    let claims = json!({
        "scope": "b a",
        "roles": ["admin", "a"],
        "realm_access": { "groups": "staff", "roles": ["x"] },
    });
    let expected = ["a", "b", "group:staff", "realm:x", "role:a", "role:admin"];
    assert_eq!(granted(&all, &claims), Ok(owned(&expected)));
    assert_eq!(granted(&all, &json!({ "roles": ["x y"] })), Err(AuthErrorKind::MalformedClaim));
    assert_eq!(granted(&all, &json!({ "roles": "x y" })), Ok(owned(&["role:x", "role:y"])));
    assert_eq!(granted(&all, &json!({ "scope": "a", "realm_access": {} })), Ok(owned(&["a"])));
    // A role never becomes the scope of the same name.
    let issuer = issuer();
    let token = issuer.token().claim("roles", json!(["admin"])).sign();
    let verified = verifier::<()>(&issuer, &all, &[]).verify_now(&token).unwrap();
    assert!(!verified.allows(&scope!("admin").into()));
    assert!(verified.allows(&scope!("role:admin").into()));
}

/// R-SCOPE-03: the same claims reach the application's own type, however the scopes are read.
#[test]
fn the_application_sees_the_claims_that_the_scopes_come_from() {
    #[derive(Deserialize)]
    struct Access {
        roles: Vec<String>,
    }

    #[derive(Deserialize)]
    struct Own {
        scope: String,
        scp: Vec<String>,
        realm_access: Access,
        raw: Box<RawValue>,
    }

    #[derive(Deserialize)]
    struct Borrowing {
        scope: String,
    }

    let issuer = issuer();
    let claims = [
        ScopeClaim::scope(),
        ScopeClaim::named("scp"),
        ScopeClaim::path(["realm_access", "roles"]),
        ScopeClaim::named("raw"),
    ];
    let token = issuer
        .token()
        .scope("b a")
        .claim("scp", json!(["d", "c"]))
        .claim("realm_access", json!({ "roles": ["e"], "more": 1 }))
        .claim("raw", json!(["f"]))
        .sign();
    let verified = verifier::<Own>(&issuer, &claims, &[]).verify_now(&token).unwrap();
    assert_eq!(verified.custom().scope, "b a");
    assert_eq!(verified.custom().scp, ["d", "c"]);
    assert_eq!(verified.custom().realm_access.roles, ["e"]);
    assert_eq!(verified.custom().raw.get(), r#"["f"]"#);
    assert_eq!(scopes_of(verified), ["a", "b", "c", "d", "e", "f"]);

    let verified = issuer.verifier_with::<Borrowing>().verify_now(&token).unwrap();
    assert_eq!(verified.custom().scope, "b a");
    assert_eq!(scopes_of(verified), ["a", "b"]);

    let verified = issuer.verifier_with::<Value>().verify_now(&token).unwrap();
    assert_eq!(verified.custom()["scope"], "b a");
    assert_eq!(verified.custom()["realm_access"]["more"], 1);
}

/// R-JWT-26: the scopes may be fine and the application's type not.
#[test]
fn a_scope_claim_that_does_not_fit_the_application_is_named() {
    #[derive(Debug, Deserialize)]
    struct Own {
        #[serde(rename = "scp")]
        _scp: String,
    }

    let issuer = issuer();
    let token = issuer.token().claim("scp", json!(["a"])).sign();
    let verifier = verifier::<Own>(&issuer, &[ScopeClaim::named("scp")], &[]);
    let refused = verifier.verify_now(&token).unwrap_err();
    assert_eq!((refused.kind(), refused.claim()), (AuthErrorKind::ClaimsMismatch, Some("scp")));
}

/// R-SCOPE-09
#[test]
fn an_impossible_scope_claim_is_a_configuration_error() {
    let none: [&str; 0] = [];
    for claim in [
        ScopeClaim::named(""),
        ScopeClaim::path(none),
        ScopeClaim::path(["a", ""]),
        ScopeClaim::path(["", "a"]),
        ScopeClaim::named("aud"),
        ScopeClaim::named("sub"),
        ScopeClaim::path(["cnf", "scope"]),
        ScopeClaim::scope().prefix("a b"),
        ScopeClaim::scope().prefix("\""),
        ScopeClaim::named("roles").prefix("r\u{f6}le:"),
    ] {
        let issuer = issuer();
        let built = Verifier::builder().issuer(issuer.trusted().scope_claim(claim.clone())).build();
        let expected = ConfigError::InvalidScopeClaim { issuer: issuer.name().to_owned() };
        assert_eq!(built.unwrap_err(), expected, "{claim:?}");
    }
}

/// R-SCOPE-04: `docs:*` is a scope like any other, and what it stands for is said in a table.
#[test]
fn implied_scopes_come_from_the_table_and_never_from_the_spelling() {
    let table = [
        (scope!("docs:*"), vec![scope!("docs:read"), scope!("docs:write")]),
        (scope!("admin"), vec![scope!("docs:*"), scope!("audit")]),
        (scope!("root"), vec![scope!("admin")]),
        // Two rules for one scope add up; circles do no harm.
        (scope!("root"), vec![scope!("shell")]),
        (scope!("ping"), vec![scope!("pong")]),
        (scope!("pong"), vec![scope!("ping"), scope!("pong")]),
    ];
    let issuer = issuer();
    let verifier = verifier::<()>(&issuer, &[], &table);
    let all =
        ["docs:*", "docs:read", "docs:write", "admin", "audit", "root", "shell", "ping", "pong"];
    for (granted, effective) in [
        ("docs:*", &["docs:*", "docs:read", "docs:write"][..]),
        ("admin", &["admin", "audit", "docs:*", "docs:read", "docs:write"]),
        ("root", &["admin", "audit", "docs:*", "docs:read", "docs:write", "root", "shell"]),
        ("ping", &["ping", "pong"]),
        ("pong", &["ping", "pong"]),
        ("docs:read", &["docs:read"]),
        ("docs:", &[]),
        ("docs", &[]),
        ("*", &[]),
        ("Admin", &[]),
        ("", &[]),
        ("docs:read ping", &["docs:read", "ping", "pong"]),
    ] {
        let verified = verifier.verify_now(&issuer.token().scope(granted).sign()).unwrap();
        // What the token itself says stays visible as it is.
        assert_eq!(verified.scopes().to_string(), granted, "{granted}");
        for scope in all {
            let need = Requirement::from(ScopeToken::new(scope).unwrap());
            let expected = effective.contains(&scope);
            assert_eq!(verified.allows(&need), expected, "{granted} and {scope}");
            assert_eq!(verified.require(&need).is_ok(), expected, "{granted} and {scope}");
        }
        let neither = Requirement::from(scope!("docs:delete"));
        assert!(!verified.allows(&neither), "{granted}");
    }
}

/// R-SCOPE-06
#[test]
fn nothing_is_implied_by_nothing() {
    let issuer = issuer();
    let table = [(scope!("a"), vec![scope!("b")])];
    let verifier = verifier::<()>(&issuer, &[], &table);
    let verified = verifier.verify_now(&issuer.token().sign()).unwrap();
    assert!(verified.scopes().is_empty());
    assert!(!verified.allows(&scope!("b").into()));
    assert!(verified.allows(&Requirement::authenticated()));
    assert!(!verified.allows(&Requirement::deny()));
}

/// The scopes that a token with these claims grants, sorted.
fn granted(places: &[ScopeClaim], claims: &Value) -> Result<Vec<String>, AuthErrorKind> {
    let issuer = issuer();
    let token = claims
        .as_object()
        .unwrap()
        .iter()
        .fold(issuer.token(), |token, (name, value)| token.claim(name, value.clone()));
    let verified = verifier::<()>(&issuer, places, &[]).verify_now(&token.sign());
    verified.map(scopes_of).map_err(|error| error.kind())
}

fn verifier<C: DeserializeOwned + Send + Sync + 'static>(
    issuer: &TestIssuer,
    places: &[ScopeClaim],
    implied: &[(ScopeToken, Vec<ScopeToken>)],
) -> Verifier<C> {
    let trusted = places.iter().cloned().fold(issuer.trusted(), tower_bearer::Issuer::scope_claim);
    let trusted = implied
        .iter()
        .cloned()
        .fold(trusted, |trusted, (scope, implied)| trusted.implies(scope, implied));
    let builder = Verifier::builder().issuer(trusted).clock(FrozenClock::at(NOW));
    builder.claims::<C>().build().unwrap()
}

/// A good token with one claim more, as text.
fn with_raw_claim(issuer: &TestIssuer, name: &str, value: &str) -> String {
    let claims = json!({
        "iss": issuer.name(), "sub": "user-1", "aud": issuer.audience(), "client_id": "client-1",
        "iat": NOW, "exp": NOW + 600, "jti": "token-1",
    });
    let text = claims.to_string().replacen('{', &format!("{{\"{name}\":{value},"), 1);
    issuer.sign_raw(r#"{"alg":"ES256","typ":"at+jwt","kid":"test-key"}"#, &text)
}

fn scopes_of<C>(verified: Verified<C>) -> Vec<String>
where
    C: Send + Sync + 'static,
{
    verified.scopes().iter().map(str::to_owned).collect()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
