//! `RequireScope` and `Require` around a service, behind an `AuthLayer`.

use std::convert::Infallible;

use http::{Request, Response};
use serde_json::json;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_bearer::{
    AuthErrorKind, AuthLayer, Grant, Require, RequireScope, Verifier,
    claims::ScopeClaim,
    scope,
    scope::{Requirement, ScopeError},
    test_util::{self, FrozenClock},
    token::RequestHead,
};

use crate::support::{C1, C3, C3X, NOW, assert_refused, c4, issuer, kind, send};

/// R-AT-05, R-SCOPE-05
#[tokio::test]
async fn who_the_caller_is_comes_before_what_it_may_do() {
    let issuer = issuer();
    let guard = RequireScope::all([scope!("a")]);
    let ask = async |request| send(service(issuer.verifier(), guard.clone()), request).await;
    let with = |token: String| test_util::get("/", &token);

    let none = Request::get("/").body(String::new()).unwrap();
    assert_refused(&ask(none).await, 401, Some(C1));
    let expired = ask(with(issuer.token().scope("b").expired().sign())).await;
    assert_refused(&expired, 401, Some(C3X));
    assert_eq!(kind(&expired), Some(AuthErrorKind::Expired));
    let forged = ask(with(issuer.token().scope("a").foreign_key().sign())).await;
    assert_refused(&forged, 401, Some(C3));
    let lacking = ask(with(issuer.token().scope("b").sign())).await;
    assert_refused(&lacking, 403, Some(&c4("a")));
    assert_eq!(kind(&lacking), Some(AuthErrorKind::InsufficientScope));
    assert_eq!(ask(with(issuer.token().scope("b a").sign())).await.body(), "ok");
}

/// R-SCOPE-04, R-SCOPE-06, R-SCOPE-07, R-SCOPE-10, R-CHAL-09
#[tokio::test]
async fn a_refusal_names_all_scopes_that_the_guard_needs_in_declared_order() {
    let issuer = issuer();
    let any = || RequireScope::any([scope!("a").into(), Requirement::parse("b c").unwrap()]);
    for (guard, scope, refused) in [
        (RequireScope::all([scope!("read")]), Some("read:all Read reads"), Some("read")),
        (RequireScope::all([scope!("read")]), None, Some("read")),
        (RequireScope::all([scope!("z"), scope!("a")]), Some("a"), Some("z a")),
        (RequireScope::all([scope!("z"), scope!("a")]), Some("a z"), None),
        (any(), Some("b"), Some("a")),
        (any(), Some("c"), Some("a")),
        (any(), Some("b c"), None),
        (any(), Some("a"), None),
        (RequireScope::from(scope!("a")), Some("a"), None),
        (RequireScope::parse("a b | c").unwrap(), Some("c"), None),
        (RequireScope::parse("a b | c").unwrap(), Some("b"), Some("a b")),
        (RequireScope::authenticated(), None, None),
        (RequireScope::authenticated(), Some("x"), None),
    ] {
        let token = scope.into_iter().fold(issuer.token(), |token, scope| token.scope(scope));
        let request = test_util::get("/", &token.sign());
        let response = send(service(issuer.verifier(), guard.clone()), request).await;
        match refused {
            Some(needed) => assert_refused(&response, 403, Some(&c4(needed))),
            None => assert_eq!(response.body(), "ok", "{guard:?} {scope:?}"),
        }
    }
}

/// R-SCOPE-07, R-SCOPE-13: where no scope would help, none is asked for.
#[tokio::test]
async fn a_requirement_that_nothing_meets_is_refused_without_a_challenge() {
    let issuer = issuer();
    for need in [
        Requirement::deny(),
        Requirement::default(),
        Requirement::all([Requirement::deny(), scope!("a").into()]),
    ] {
        let request = test_util::get("/", &issuer.token().scope("a").sign());
        let response = send(service(issuer.verifier(), RequireScope::new(need)), request).await;
        assert_refused(&response, 403, None);
        assert_eq!(kind(&response), Some(AuthErrorKind::PolicyDenied));
    }
}

/// R-SCOPE-08: both must be met, and the first that is not names its own scopes.
#[tokio::test]
async fn two_guards_on_one_route_are_both_checked_from_outside_in() {
    let issuer = issuer();
    for (scope, refused) in
        [("", Some("a")), ("b", Some("a")), ("a", Some("b")), ("a b", None), ("c", Some("a"))]
    {
        let (router, route) = (RequireScope::all([scope!("a")]), RequireScope::all([scope!("b")]));
        let guards = tower::layer::util::Stack::new(route, router);
        let request = test_util::get("/", &issuer.token().scope(scope).sign());
        let response = send(service(issuer.verifier(), guards), request).await;
        match refused {
            Some(needed) => assert_refused(&response, 403, Some(&c4(needed))),
            None => assert_eq!(response.body(), "ok", "{scope:?}"),
        }
    }
}

/// R-SCOPE-11
#[tokio::test]
async fn every_request_of_a_connection_is_checked() {
    let issuer = issuer();
    let mut service = service(issuer.verifier(), RequireScope::all([scope!("a")]));
    for scope in ["a", "b", "a", ""] {
        let request = test_util::get("/", &issuer.token().scope(scope).sign());
        let Ok(response) = service.ready().await.unwrap().call(request).await;
        match scope {
            "a" => assert_eq!(response.body(), "ok"),
            _ => assert_refused(&response, 403, Some(&c4("a"))),
        }
    }
}

/// R-SCOPE-09, R-SCOPE-10
#[test]
fn a_guard_from_configuration_is_checked_when_it_is_made() {
    let bad = RequireScope::parse("a\tb").unwrap_err();
    assert_eq!(bad, ScopeError::InvalidToken { token: "a\tb".to_owned() });
    assert_eq!(RequireScope::parse(" ").unwrap_err(), ScopeError::EmptyRequirement);
}

/// R-SCOPE-13, R-SCOPE-14: a role as a matter of policy: 403 without a challenge.
#[tokio::test]
async fn a_role_can_be_demanded_apart_from_the_scopes() {
    let issuer = issuer();
    let trusted = issuer
        .trusted()
        .scope_claim(ScopeClaim::scope())
        .scope_claim(ScopeClaim::named("roles").prefix("role:"));
    let verifier = Verifier::builder().issuer(trusted).clock(FrozenClock::at(NOW)).build().unwrap();
    let has_role = |grant: &Grant, _: &RequestHead<'_>| grant.scopes().contains("role:x");
    for (roles, passes) in [(json!(["x"]), true), (json!(["y"]), false), (json!([]), false)] {
        let token = issuer.token().scope("x").claim("roles", roles.clone()).sign();
        let request = test_util::get("/", &token);
        let response = send(service(verifier.clone(), Require::that(has_role)), request).await;
        if passes {
            assert_eq!(response.body(), "ok", "{roles}");
        } else {
            assert_refused(&response, 403, None);
            assert_eq!(kind(&response), Some(AuthErrorKind::PolicyDenied), "{roles}");
        }
    }
}

/// A service that answers `ok` inside these guards inside an `AuthLayer`.
fn service<L>(
    verifier: Verifier,
    guards: L,
) -> impl Service<Request<String>, Response = Response<String>, Error = Infallible>
where
    L: Layer<Inner>,
    L::Service: Service<Request<String>, Response = Response<String>, Error = Infallible> + Clone,
{
    fn ok(_: Request<String>) -> std::future::Ready<Result<Response<String>, Infallible>> {
        std::future::ready(Ok(Response::new("ok".to_owned())))
    }
    AuthLayer::new(verifier).layer(guards.layer(service_fn(ok as _)))
}

type Inner = tower::util::ServiceFn<
    fn(Request<String>) -> std::future::Ready<Result<Response<String>, Infallible>>,
>;
