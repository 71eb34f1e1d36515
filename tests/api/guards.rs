use std::{convert::Infallible, error::Error};

use http::{HeaderValue, Method, Request, Response};
use tower::{Layer, Service, ServiceBuilder, service_fn};
use tower_bearer::{
    AuthContext, AuthError, AuthErrorKind, AuthLayer, Grant, Require, RequireScope, Verifier,
    auth::{AuthService, EmptyBody},
    claims::ScopeClaim,
    event::AuthEvent,
    scope,
    scope::{Requirement, ScopeError},
    test_util::{self, TestIssuer},
    token::{BearerHeader, RequestHead},
};

use crate::support::{
    C1, C3, C3X, Recorded, assert_refused, at_once, c4, issuer, kind, send, whoami,
};

/// A service behind the issuer's `AuthLayer` and then this guard.
fn guarded<G, C>(
    verifier: &Verifier<C>,
    guard: &G,
) -> AuthService<G::Service, Verifier<C>, BearerHeader, EmptyBody>
where
    G: Layer<Whoami>,
    Verifier<C>: tower_bearer::authenticate::Authenticate,
{
    AuthLayer::new(verifier.clone()).layer(guard.layer(Whoami))
}

/// Answers who the caller is.
#[derive(Clone)]
struct Whoami;

impl Service<Request<String>> for Whoami {
    type Response = Response<String>;
    type Error = Infallible;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<Response<String>, Infallible>> + Send>>;

    fn poll_ready(
        &mut self,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        Box::pin(whoami(request))
    }
}

/// The answer to a token with these scopes, behind this guard alone.
fn answer(issuer: &TestIssuer, guard: &RequireScope, granted: &str) -> Response<String> {
    let token = issuer.token().scope(granted).sign();
    at_once(send(guarded(&issuer.verifier(), guard), test_util::get("/", &token)))
}

/// R-AT-05, R-SCOPE-05
#[test]
fn the_token_is_judged_before_its_scopes() {
    let issuer = issuer();
    let service = guarded(&issuer.verifier(), &RequireScope::from(scope!("a")));
    let with = |token: &str| at_once(send(service.clone(), test_util::get("/", token)));
    let none = at_once(send(service.clone(), Request::new(String::new())));
    assert_refused(&none, 401, Some(C1));
    assert_refused(&with(&issuer.token().expired().sign()), 401, Some(C3X));
    assert_refused(&with(&issuer.token().scope("a").expired().sign()), 401, Some(C3X));
    assert_refused(&with(&issuer.token().scope("a").tampered().sign()), 401, Some(C3));
    assert_refused(&with(&issuer.token().scope("b").sign()), 403, Some(&c4("a")));
    assert_eq!(with(&issuer.token().scope("a").sign()).body(), "user-1");
}

/// R-SCOPE-06
#[test]
fn a_token_without_a_scope_claim_grants_nothing() {
    let issuer = issuer();
    let service = guarded(&issuer.verifier(), &RequireScope::from(scope!("a")));
    let token = issuer.token().without_claim("scope").sign();
    let response = at_once(send(service, test_util::get("/", &token)));
    assert_refused(&response, 403, Some(&c4("a")));
    assert_eq!(kind(&response), Some(AuthErrorKind::InsufficientScope));
}

/// R-SCOPE-04 at the guard
#[test]
fn a_scope_is_matched_exactly() {
    let issuer = issuer();
    let guard = RequireScope::from(scope!("read"));
    for granted in ["Read", "reads", "read:all", "rea", "READ", "read,", "reads read:all"] {
        assert_refused(&answer(&issuer, &guard, granted), 403, Some(&c4("read")));
    }
    for granted in ["read", "a read", "read z"] {
        assert_eq!(answer(&issuer, &guard, granted).status(), 200, "{granted}");
    }
}

/// R-SCOPE-07
#[test]
fn of_alternatives_the_challenge_names_the_first() {
    let issuer = issuer();
    let guard = RequireScope::any([
        Requirement::from(scope!("a")),
        Requirement::all([scope!("b"), scope!("c")]),
    ]);
    for granted in ["b", "c", ""] {
        assert_refused(&answer(&issuer, &guard, granted), 403, Some(&c4("a")));
    }
    for granted in ["a", "b c", "a b"] {
        assert_eq!(answer(&issuer, &guard, granted).status(), 200, "{granted}");
    }
}

/// R-SCOPE-08
#[test]
fn guards_in_each_other_must_all_agree_and_each_names_its_own() {
    let issuer = issuer();
    let outer = RequireScope::all([scope!("a"), scope!("b")]);
    let inner = RequireScope::from(scope!("c"));
    let both = ServiceBuilder::new().layer(outer).layer(inner).into_inner();
    let service = guarded(&issuer.verifier(), &both);
    for (granted, challenge) in [
        ("", Some("a b")),
        ("c", Some("a b")),
        ("a c", Some("a b")),
        ("a b", Some("c")),
        ("a b c", None),
    ] {
        let token = issuer.token().scope(granted).sign();
        let response = at_once(send(service.clone(), test_util::get("/", &token)));
        match challenge {
            Some(scope) => assert_refused(&response, 403, Some(&c4(scope))),
            None => assert_eq!(response.body(), "user-1"),
        }
    }
}

/// R-SCOPE-09, R-SCOPE-10
#[test]
fn a_guard_without_a_sound_requirement_cannot_be_made() {
    for text in ["", " ", "|", "a|", "| a"] {
        assert!(matches!(RequireScope::parse(text), Err(ScopeError::EmptyRequirement)), "{text:?}");
    }
    for text in ["a\"b", "a\\b", "a\tb", "ä", "a\nb"] {
        assert!(
            matches!(RequireScope::parse(text), Err(ScopeError::InvalidToken { .. })),
            "{text:?}"
        );
    }
    let issuer = issuer();
    let guard = RequireScope::parse("a b | c").expect("a requirement");
    assert_refused(&answer(&issuer, &guard, "a"), 403, Some(&c4("a b")));
    assert_eq!(answer(&issuer, &guard, "c").status(), 200);
}

/// R-SCOPE-10
#[test]
fn merely_authenticated_has_its_own_name() {
    let issuer = issuer();
    let guard = RequireScope::authenticated();
    assert_eq!(answer(&issuer, &guard, "").status(), 200);
    let service = guarded(&issuer.verifier(), &guard);
    assert_refused(&at_once(send(service, Request::new(String::new()))), 401, Some(C1));
}

/// The default requirement lets nobody in, and no scope would help.
#[test]
fn the_default_requirement_denies() {
    let response = answer(&issuer(), &RequireScope::new(Requirement::default()), "a admin *");
    assert_refused(&response, 403, None);
    assert_eq!(kind(&response), Some(AuthErrorKind::PolicyDenied));
}

/// R-SCOPE-11
#[tokio::test]
async fn every_request_of_a_connection_is_checked() {
    let issuer = issuer();
    let mut service = guarded(&issuer.verifier(), &RequireScope::from(scope!("a")));
    for _ in 0..3 {
        let good = test_util::get("/", &issuer.token().scope("a").sign());
        assert_eq!(send(&mut service, good).await.body(), "user-1");
        let lacking = test_util::get("/", &issuer.token().scope("b").sign());
        assert_refused(&send(&mut service, lacking).await, 403, Some(&c4("a")));
        let none = Request::new(String::new());
        assert_refused(&send(&mut service, none).await, 401, Some(C1));
    }
}

/// R-AT-05, R-SCOPE-05, R-TRANS-19
#[tokio::test]
async fn a_guard_behind_optional_authentication_demands_a_token() {
    let issuer = issuer();
    let events = Recorded::default();
    let layer = AuthLayer::builder(issuer.verifier()).optional().on_event(events.clone());
    let layer = layer.build().expect("a layer");
    let service = layer.layer(RequireScope::from(scope!("a")).layer(Whoami));
    let policy = layer.layer(Require::that(|_, _| true).layer(Whoami));

    let mut basic = Request::new(String::new());
    basic.headers_mut().insert("authorization", HeaderValue::from_static("Basic Zm9vOmJhcg=="));
    for request in [Request::new(String::new()), basic] {
        let response = send(service.clone(), request.clone()).await;
        assert_refused(&response, 401, Some(C1));
        assert_eq!(kind(&response), Some(AuthErrorKind::NoCredentials));
        assert_refused(&send(policy.clone(), request).await, 401, Some(C1));
    }
    let lacking = test_util::get("/", &issuer.token().sign());
    assert_refused(&send(service, lacking).await, 403, Some(&c4("a")));
}

/// R-TRANS-23: on its own, outside the layer, and where something in between drops the context.
#[tokio::test]
async fn a_guard_without_the_layer_answers_500() {
    let issuer = issuer();
    let request = || test_util::get("/", &issuer.token().scope("a").sign());
    let forget = ServiceBuilder::new().map_request(|mut request: Request<String>| {
        request.extensions_mut().clear();
        request
    });
    let auth = AuthLayer::new(issuer.verifier());
    let guard = RequireScope::from(scope!("a"));
    let alone = send(guard.layer(Whoami), request()).await;
    let outside = send(guard.layer(auth.layer(Whoami)), request()).await;
    let forgotten = send(auth.layer(forget.service(guard.layer(Whoami))), request()).await;
    let policy = send(Require::that(|_, _| true).layer(Whoami), request()).await;
    for response in [alone, outside, forgotten, policy] {
        assert_eq!(response.status(), 500);
        assert_eq!(kind(&response), Some(AuthErrorKind::LayerMissing));
        assert!(!response.headers().contains_key("www-authenticate"));
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.body(), "");
    }
}

/// R-SCOPE-13, C15
#[tokio::test]
async fn a_policy_that_is_no_matter_of_scopes_is_answered_without_a_challenge() {
    let issuer = issuer();
    let for_client =
        Require::that(|grant: &Grant, _: &RequestHead<'_>| grant.client_id() == Some("billing"));
    let service = guarded(&issuer.verifier(), &for_client);
    let good = issuer.token().claim("client_id", "billing").sign();
    assert_eq!(send(service.clone(), test_util::get("/", &good)).await.body(), "user-1");
    let response = send(service.clone(), test_util::get("/", &issuer.token().sign())).await;
    assert_refused(&response, 403, None);
    assert_eq!(kind(&response), Some(AuthErrorKind::PolicyDenied));
    assert_refused(&send(service.clone(), Request::new(String::new())).await, 401, Some(C1));
    let bad = issuer.token().claim("client_id", "billing").tampered().sign();
    assert_refused(&send(service, test_util::get("/", &bad)).await, 401, Some(C3));
}

/// A guard of the application's own says why, to the operator and not to the client.
#[tokio::test]
async fn a_guard_of_the_application_refuses_with_its_own_reason() {
    let issuer = issuer();
    let events = Recorded::default();
    let layer = AuthLayer::builder(issuer.verifier()).on_event(events.clone()).build();
    let guard = Require::by(|grant: &Grant, _: &RequestHead<'_>| match grant.subject() {
        Some("alice") => grant.require(&scope!("a").into()),
        _ => Err(AuthError::new(AuthErrorKind::PolicyDenied).with_source("not on the list")),
    });
    let service = layer.expect("a layer").layer(guard.layer(Whoami));
    let alice = issuer.token().subject("alice");
    let good = test_util::get("/", &alice.clone().scope("a").sign());
    assert_eq!(send(service.clone(), good).await.body(), "alice");
    let lacking = send(service.clone(), test_util::get("/", &alice.sign())).await;
    assert_refused(&lacking, 403, Some(&c4("a")));
    let other = send(service, test_util::get("/", &issuer.token().sign())).await;
    assert_refused(&other, 403, None);
    assert!(!format!("{:?}{:?}", other.headers(), other.body()).contains("list"));
    let Some(AuthEvent::Refused { error, .. }) = events.all().pop() else { panic!() };
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("not on the list"));
}

#[derive(Clone)]
struct Peer(&'static str);

/// A policy sees the method, the target, the header fields and the extensions.
#[tokio::test]
async fn a_policy_sees_all_of_the_request_but_its_body() {
    let issuer = issuer();
    let guard = Require::that(|grant: &Grant, head: &RequestHead<'_>| {
        head.method() == Method::PUT
            && head.uri().path() == format!("/files/{}", grant.subject().unwrap_or_default())
            && head.headers().get("x-peer").is_some_and(|value| value == "inside")
            && head.extensions().get::<Peer>().is_some_and(|peer| peer.0 == "10.0.0.1")
    });
    let service = guarded(&issuer.verifier(), &guard);
    let token = issuer.token().subject("alice").sign();
    let request = |method: &str, path: &str, header: &'static str, peer: &'static str| {
        let mut request: Request<String> = test_util::request(method, path, &token);
        request.headers_mut().insert("x-peer", HeaderValue::from_static(header));
        request.extensions_mut().insert(Peer(peer));
        request
    };
    let good = request("PUT", "/files/alice", "inside", "10.0.0.1");
    assert_eq!(send(service.clone(), good).await.body(), "alice");
    for bad in [
        request("GET", "/files/alice", "inside", "10.0.0.1"),
        request("PUT", "/files/bob", "inside", "10.0.0.1"),
        request("PUT", "/files/alice", "outside", "10.0.0.1"),
        request("PUT", "/files/alice", "inside", "10.0.0.2"),
    ] {
        assert_refused(&send(service.clone(), bad).await, 403, None);
    }
}

#[derive(serde::Deserialize)]
struct User {
    tenant: String,
    #[serde(default)]
    roles: Vec<String>,
}

/// The application's claims, where the layer put them.
fn user<'a>(head: &RequestHead<'a>) -> Option<tower_bearer::Verified<User>> {
    head.extensions().get::<AuthContext>()?.verified::<User>().ok()?
}

/// R-SCOPE-15
#[tokio::test]
async fn the_tenant_of_the_token_must_be_the_addressed_one() {
    let issuer = issuer();
    let guard = Require::that(|_: &Grant, head: &RequestHead<'_>| {
        let mut steps = head.uri().path().split('/').skip(1);
        let addressed = (steps.next() == Some("t")).then(|| steps.next()).flatten();
        user(head).is_some_and(|user| addressed == Some(&*user.custom().tenant))
    });
    let service = guarded(&issuer.verifier_with::<User>(), &guard);
    let token = issuer.token().claim("tenant", "t1").sign();
    assert_eq!(send(service.clone(), test_util::get("/t/t1/x", &token)).await.status(), 200);
    for path in ["/t/t2/x", "/t/", "/", "/t/T1", "/t/t11", "/x/t1"] {
        let response = send(service.clone(), test_util::get(path, &token)).await;
        assert_refused(&response, 403, None);
    }
}

/// R-SCOPE-14: roles as the application's own claim, and as scopes with a prefix.
#[tokio::test]
async fn roles_are_a_matter_of_policy() {
    let issuer = issuer();
    let guard = Require::that(|_: &Grant, head: &RequestHead<'_>| {
        user(head).is_some_and(|user| user.custom().roles.iter().any(|role| role == "x"))
    });
    let service = guarded(&issuer.verifier_with::<User>(), &guard);
    let token = issuer.token().claim("tenant", "t1");
    let with = token.clone().claim("roles", vec!["y", "x"]).sign();
    assert_eq!(send(service.clone(), test_util::get("/", &with)).await.status(), 200);
    for without in [token.clone(), token.claim("roles", vec!["X", "xx"])] {
        let response = send(service.clone(), test_util::get("/", &without.sign())).await;
        assert_refused(&response, 403, None);
    }

    let trusted = issuer.trusted().scope_claim(ScopeClaim::named("roles").prefix("role:"));
    let clock = test_util::FrozenClock::at(crate::support::NOW);
    let verifier = Verifier::builder().issuer(trusted).clock(clock).build().expect("a verifier");
    let service = guarded(&verifier, &RequireScope::from(scope!("role:x")));
    assert_eq!(send(service.clone(), test_util::get("/", &with)).await.status(), 200);
    let scope_is_no_role = issuer.token().scope("role:x x").sign();
    let response = send(service, test_util::get("/", &scope_is_no_role)).await;
    assert_refused(&response, 403, Some(&c4("role:x")));
}

/// Implied scopes open the guard, and the challenge names what was asked for.
#[test]
fn implied_scopes_satisfy_a_guard() {
    let issuer = issuer();
    let trusted = issuer.trusted().implies(scope!("admin"), [scope!("docs:read")]);
    let clock = test_util::FrozenClock::at(crate::support::NOW);
    let verifier = Verifier::builder().issuer(trusted).clock(clock).build().expect("a verifier");
    let service = guarded(&verifier, &RequireScope::from(scope!("docs:read")));
    let with = |scope: &str| {
        let token = issuer.token().scope(scope).sign();
        at_once(send(service.clone(), test_util::get("/", &token)))
    };
    assert_eq!(with("admin").status(), 200);
    assert_refused(&with("administrator"), 403, Some(&c4("docs:read")));
}

/// The operator learns who was refused.
#[tokio::test]
async fn the_event_of_a_guard_names_the_caller() {
    let issuer = issuer();
    let events = Recorded::default();
    let layer = AuthLayer::builder(issuer.verifier()).on_event(events.clone()).build();
    let service = layer.expect("a layer").layer(RequireScope::from(scope!("a")).layer(Whoami));
    let token = issuer.token().subject("alice").sign();
    assert_refused(&send(service, test_util::get("/", &token)).await, 403, Some(&c4("a")));
    let all = events.all();
    let [AuthEvent::Accepted { .. }, AuthEvent::Refused { error, caller: Some(caller) }] = &*all
    else {
        panic!("{all:?}")
    };
    assert_eq!(error.scope(), Some("a"));
    assert_eq!(caller.grant().and_then(Grant::subject), Some("alice"));
}

/// A guard that refuses does not call what is inside it.
#[tokio::test]
async fn a_refused_request_does_not_reach_what_is_inside_the_guard() {
    let issuer = issuer();
    let inner = service_fn(|_: Request<String>| async {
        if true {
            panic!("the inner service was called");
        }
        Ok::<_, Infallible>(Response::new(String::new()))
    });
    let layer = AuthLayer::new(issuer.verifier());
    let scope = layer.layer(RequireScope::from(scope!("a")).layer(inner));
    let policy = layer.layer(Require::that(|_, _| false).layer(inner));
    let request = || test_util::get("/", &issuer.token().sign());
    assert_eq!(send(scope, request()).await.status(), 403);
    assert_eq!(send(policy, request()).await.status(), 403);
}
