use axum::{
    Json, Router,
    body::Body,
    extract::Path,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_bearer::{
    AuthContext, AuthError, AuthErrorKind, AuthLayer, Authenticated, Require, RequireScope, Scoped,
    Verified, Verifier,
    auth::ProblemJson,
    event::AuthEvent,
    scope,
    scope::{AnyOf, Requirement},
    test_util::{self, TestIssuer},
};

use crate::support::{C1, C3, C3X, Recorded, c4, challenges, issuer, kind};

#[derive(Debug, serde::Deserialize)]
struct User {
    tenant: String,
}

tower_bearer::scopes! {
    Read = "reports:read";
    Write = "reports:write";
    Admin = "reports:admin";
}

/// Status, challenge and body of the answer.
async fn answer(app: &Router, request: Request<Body>) -> (u16, Option<String>, String) {
    let Ok(response) = app.clone().oneshot(request).await;
    let status = response.status().as_u16();
    let challenge = challenges(response.headers()).first().map(|line| (*line).to_owned());
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (status, challenge, String::from_utf8_lossy(&body).into_owned())
}

fn ok(body: &str) -> (u16, Option<String>, String) {
    (200, None, body.to_owned())
}

fn refused(status: u16, challenge: Option<&str>) -> (u16, Option<String>, String) {
    (status, challenge.map(str::to_owned), String::new())
}

fn without_token() -> Request<Body> {
    Request::new(Body::empty())
}

async fn tenant(auth: Authenticated<User>) -> String {
    format!("{} of {}", auth.subject().unwrap_or("nobody"), auth.custom().tenant)
}

#[tokio::test]
async fn a_handler_gets_the_verified_claims() {
    let issuer = issuer();
    let verifier = issuer.verifier_with::<User>();
    let app = Router::new().route("/", get(tenant)).layer(AuthLayer::new(verifier));
    let token = issuer.token().subject("alice").claim("tenant", "acme");
    assert_eq!(answer(&app, test_util::get("/", &token.sign())).await, ok("alice of acme"));
    assert_eq!(answer(&app, without_token()).await, refused(401, Some(C1)));
    let expired = token.expired().sign();
    assert_eq!(answer(&app, test_util::get("/", &expired)).await, refused(401, Some(C3X)));
    let foreign = issuer.token().sign();
    assert_eq!(answer(&app, test_util::get("/", &foreign)).await, refused(401, Some(C3)));
}

async fn maybe(auth: Option<Authenticated<User>>) -> String {
    auth.map_or("anonymous".to_owned(), |auth| auth.custom().tenant.clone())
}

/// R-TRANS-19
#[tokio::test]
async fn an_optional_caller_is_none_only_without_credentials() {
    let issuer = issuer();
    let layer = AuthLayer::builder(issuer.verifier_with::<User>()).optional().build();
    let app = Router::new()
        .route("/", get(maybe))
        .route("/must", get(tenant))
        .route("/scope", get(async |_: Scoped<Read, User>| "read"))
        .layer(layer.expect("a layer"));
    let token = issuer.token().claim("tenant", "acme");
    assert_eq!(answer(&app, without_token()).await, ok("anonymous"));
    assert_eq!(answer(&app, test_util::get("/", &token.sign())).await, ok("acme"));
    let tampered = token.tampered().sign();
    assert_eq!(answer(&app, test_util::get("/", &tampered)).await, refused(401, Some(C3)));
    for path in ["/must", "/scope"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(answer(&app, request).await, refused(401, Some(C1)), "{path}");
    }
}

/// R-AT-05, R-SCOPE-05, R-SCOPE-06, R-SCOPE-07, R-CHAL-09
#[tokio::test]
async fn a_handler_gets_the_proof_of_its_scopes() {
    let issuer = issuer();
    let app = Router::new()
        .route("/one", get(async |_: Scoped<Read>| "one"))
        .route("/all", get(async |_: Scoped<(Read, Write)>| "all"))
        .route("/any", get(async |_: Scoped<AnyOf<(Admin, Read)>>| "any"))
        .route("/nested", get(async |_: Scoped<AnyOf<(Admin, (Read, Write))>>| "nested"))
        .route("/both", get(async |_: Scoped<(AnyOf<(Admin, Read)>, Write)>| "both"))
        .layer(AuthLayer::new(issuer.verifier()));
    let (read, write, admin) = ("reports:read", "reports:write", "reports:admin");
    let (read_write, admin_write) = ("reports:read reports:write", "reports:admin reports:write");
    let cases = [
        ("one", read, None),
        ("one", "", Some(read)),
        ("one", write, Some(read)),
        ("all", read_write, None),
        ("all", read, Some(read_write)),
        ("all", write, Some(read_write)),
        ("any", admin, None),
        ("any", read, None),
        ("any", write, Some(admin)),
        ("nested", read_write, None),
        ("nested", admin, None),
        ("nested", read, Some(admin)),
        ("both", admin_write, None),
        ("both", read_write, None),
        ("both", read, Some(admin_write)),
        ("both", write, Some(admin_write)),
    ];
    for (path, granted, missing) in cases {
        let token = issuer.token().scope(granted).sign();
        let wanted = match missing {
            None => ok(path),
            Some(scope) => refused(403, Some(&c4(scope))),
        };
        let request = test_util::get(&format!("/{path}"), &token);
        assert_eq!(answer(&app, request).await, wanted, "{path} with {granted:?}");
    }
}

/// `Scoped` gives what `Authenticated` gives.
#[tokio::test]
async fn a_scoped_caller_has_the_claims_too() {
    async fn handler(auth: Scoped<Read, User>) -> String {
        let subject = auth.clone().subject().unwrap_or_default().to_owned();
        let verified: Verified<User> = auth.into_inner();
        format!("{subject} of {}", verified.custom().tenant)
    }
    let issuer = issuer();
    let layer = AuthLayer::new(issuer.verifier_with::<User>());
    let app = Router::new().route("/", post(handler)).layer(layer);
    let token = issuer.token().subject("bob").claim("tenant", "acme").scope("reports:read").sign();
    let request = test_util::request("POST", "/", &token);
    assert_eq!(answer(&app, request).await, ok("bob of acme"));
}

/// Implied scopes count, as they do for the guard.
#[tokio::test]
async fn implied_scopes_satisfy_a_scoped_handler() {
    let issuer = issuer();
    let trusted = issuer.trusted().implies(scope!("reports:admin"), [scope!("reports:read")]);
    let clock = test_util::FrozenClock::at(crate::support::NOW);
    let verifier = Verifier::builder().issuer(trusted).clock(clock).build().expect("a verifier");
    let app = Router::new()
        .route(
            "/",
            get(async |auth: Scoped<Read>| auth.scopes().iter().collect::<Vec<_>>().join(" ")),
        )
        .layer(AuthLayer::new(verifier));
    let token = issuer.token().scope("reports:admin").sign();
    assert_eq!(answer(&app, test_util::get("/", &token)).await, ok("reports:admin"));
}

/// R-TRANS-23: never 200, never 401, and nothing for the client to read.
#[tokio::test]
async fn an_extractor_without_the_layer_answers_500() {
    let app = Router::new()
        .route("/a", get(tenant))
        .route("/b", get(maybe))
        .route("/c", get(async |_: Scoped<Read>| "scoped"))
        .route("/d", get(async || "guarded").layer(RequireScope::authenticated()));
    let token = issuer().token().claim("tenant", "acme").scope("reports:read").sign();
    for path in ["/a", "/b", "/c", "/d"] {
        let Ok(response) = app.clone().oneshot(test_util::get::<Body>(path, &token)).await;
        assert_eq!(kind(&response), Some(AuthErrorKind::LayerMissing), "{path}");
        assert_eq!(answer(&app, test_util::get(path, &token)).await, refused(500, None), "{path}");
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(answer(&app, request).await, refused(500, None), "{path}");
    }
}

/// R-TRANS-23: the wrong claims type is a mistake of the application, not of the client.
#[tokio::test]
async fn the_wrong_claims_type_answers_500() {
    #[derive(Debug, serde::Deserialize)]
    struct Other;
    let issuer = issuer();
    let events = Recorded::default();
    let layer = AuthLayer::builder(issuer.verifier_with::<User>()).on_event(events.clone());
    let app = Router::new()
        .route("/a", get(async |_: Authenticated<Other>| "a"))
        .route("/b", get(async |_: Option<Authenticated<Other>>| "b"))
        .route("/c", get(async |_: Scoped<Read, Other>| "c"))
        .route("/d", get(async |_: Option<Scoped<Read, Other>>| "d"))
        .layer(layer.build().expect("a layer"));
    let token = issuer.token().claim("tenant", "acme").scope("reports:read").sign();
    for path in ["/a", "/b", "/c", "/d"] {
        assert_eq!(answer(&app, test_util::get(path, &token)).await, refused(500, None), "{path}");
    }
    assert_eq!(events.codes(), ["accepted", "claims_type_mismatch"].repeat(4));
}

/// Handlers that do not care for the application's claims need not know their type.
#[tokio::test]
async fn without_a_claims_type_extractors_go_with_every_verifier() {
    async fn subject(auth: Authenticated) -> String {
        auth.subject().unwrap_or_default().to_owned()
    }
    async fn scoped(auth: Scoped<Read>) -> String {
        let () = auth.custom();
        format!("{} may read", auth.clone().into_inner().subject().unwrap_or_default())
    }
    let issuer = issuer();
    let token = issuer.token().subject("alice").claim("tenant", "acme");
    let app = Router::new()
        .route("/me", get(subject))
        .route("/scoped", get(scoped))
        .layer(AuthLayer::new(issuer.verifier_with::<User>()));
    let read = token.clone().scope("reports:read").sign();
    assert_eq!(answer(&app, test_util::get("/me", &read)).await, ok("alice"));
    assert_eq!(answer(&app, test_util::get("/scoped", &read)).await, ok("alice may read"));
    let lacking = answer(&app, test_util::get("/scoped", &token.sign())).await;
    assert_eq!(lacking, refused(403, Some(&c4("reports:read"))));
}

/// A proof that forgot the claims type is still the caller of the same token.
#[tokio::test]
async fn a_proof_without_claims_goes_back_into_a_context_with_them() {
    let issuer = issuer();
    let verifier = issuer.verifier_with::<User>();
    let typed = verifier.verify_now(&issuer.token().claim("tenant", "acme").sign()).unwrap();
    let untyped = AuthContext::from(typed).verified::<()>().unwrap().expect("a caller");
    let context = AuthContext::from(untyped.clone());
    let again = context.verified::<User>().unwrap().expect("a caller");
    assert_eq!(again.custom().tenant, "acme");
    assert_eq!(again.subject(), untyped.subject());
    assert!(!format!("{untyped:?}").contains("acme"));
}

/// R-CHAL-17: a middleware that turns every error into JSON, after waiting for something, leaves a
/// refusal its challenge, whoever refused.
#[tokio::test]
async fn refusals_that_a_middleware_makes_anew_keep_their_challenge() {
    async fn into_json(request: Request<Body>, next: Next) -> Response {
        let response = next.run(request).await;
        tokio::task::yield_now().await;
        let status = response.status();
        if status.is_success() {
            return response;
        }
        (status, Json(serde_json::json!({"status": status.as_u16()}))).into_response()
    }
    async fn by_hand(auth: Authenticated) -> Result<&'static str, AuthError> {
        tokio::task::yield_now().await;
        auth.require(&scope!("reports:read").into())?;
        Ok("in")
    }
    let issuer = issuer();
    let events = Recorded::default();
    let layer = AuthLayer::builder(issuer.verifier()).optional().on_event(events.clone());
    let layer = layer.realm("own");
    let app = Router::new()
        .route("/guard", get(async || "in").layer(RequireScope::from(scope!("reports:read"))))
        .route("/extractor", get(async |_: Scoped<Read>| "in"))
        .route("/handler", get(by_hand))
        .layer(from_fn(into_json))
        .layer(layer.build().expect("a layer"));

    let own = |challenge: &str| challenge.replacen("api", "own", 1);
    let token = issuer.token().sign();
    for path in ["/guard", "/extractor", "/handler"] {
        let c4 = own(&c4("reports:read"));
        let lacking = answer(&app, test_util::get(path, &token)).await;
        assert_eq!(lacking, (403, Some(c4), r#"{"status":403}"#.to_owned()), "{path}");
        let anonymous = answer(&app, Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(anonymous, (401, Some(own(C1)), r#"{"status":401}"#.to_owned()), "{path}");
    }
    let wanted = ["accepted", "insufficient_scope", "accepted", "no_credentials"];
    assert_eq!(events.codes(), wanted.repeat(3));
}

/// R-CHAL-01, R-CHAL-17: an application's own error type, as the how-to has it.
#[tokio::test]
async fn an_error_type_of_the_application_keeps_the_challenge() {
    struct ApiError(AuthError);

    impl From<AuthError> for ApiError {
        fn from(error: AuthError) -> Self {
            Self(error)
        }
    }

    impl IntoResponse for ApiError {
        fn into_response(self) -> Response {
            let status = self.0.into_response().status();
            (status, Json(serde_json::json!({"status": status.as_u16()}))).into_response()
        }
    }

    async fn handler(auth: Option<Authenticated>) -> Result<&'static str, ApiError> {
        let auth = auth.ok_or(AuthError::from(AuthErrorKind::NoCredentials))?;
        auth.require(&scope!("reports:read").into())?;
        Ok("in")
    }

    let issuer = issuer();
    let layer = AuthLayer::builder(issuer.verifier()).optional().build().expect("a layer");
    let app = Router::new().route("/", get(handler)).layer(layer);
    let anonymous = answer(&app, without_token()).await;
    assert_eq!(anonymous, (401, Some(C1.to_owned()), r#"{"status":401}"#.to_owned()));
    let lacking = answer(&app, test_util::get("/", &issuer.token().sign())).await;
    assert_eq!(lacking, (403, Some(c4("reports:read")), r#"{"status":403}"#.to_owned()));
}

/// Behind an optional layer a scope can be asked for if there is a caller.
#[tokio::test]
async fn an_optional_scoped_handler_serves_strangers_but_no_lesser_callers() {
    let issuer = issuer();
    let layer = AuthLayer::builder(issuer.verifier()).optional().build().expect("a layer");
    let app = Router::new()
        .route(
            "/",
            get(async |auth: Option<Scoped<Read>>| if auth.is_some() { "all" } else { "some" }),
        )
        .layer(layer);
    let anonymous = Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(answer(&app, anonymous).await, ok("some"));
    let read = issuer.token().scope("reports:read").sign();
    assert_eq!(answer(&app, test_util::get("/", &read)).await, ok("all"));
    let lacking = answer(&app, test_util::get("/", &issuer.token().sign())).await;
    assert_eq!(lacking, refused(403, Some(&c4("reports:read"))));
}

/// Who is let through by `route_layer`, by a nested router, and by a guard on one method.
#[tokio::test]
async fn layers_and_guards_stand_where_axum_puts_them() {
    let issuer = issuer();
    let auth = AuthLayer::new(issuer.verifier());
    let reports = Router::new()
        .route(
            "/list",
            get(async || "list")
                .layer(RequireScope::from(scope!("reports:read")))
                .post(async || "create"),
        )
        .route_layer(Require::that(|grant, _| grant.client_id() == Some("client-1")));
    let app = Router::new()
        .nest("/reports", reports)
        .route(
            "/me",
            get(async |auth: Authenticated| auth.subject().unwrap_or_default().to_owned()),
        )
        .route_layer(auth)
        .route("/public", get(async || "public"));

    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(answer(&app, get("/public")).await, ok("public"));
    assert_eq!(answer(&app, get("/nowhere")).await, refused(404, None));
    for path in ["/me", "/reports/list"] {
        assert_eq!(answer(&app, get(path)).await, refused(401, Some(C1)), "{path}");
    }
    let token = issuer.token();
    let read = token.clone().scope("reports:read").sign();
    assert_eq!(answer(&app, test_util::get("/me", &read)).await, ok("user-1"));
    assert_eq!(answer(&app, test_util::get("/reports/list", &read)).await, ok("list"));
    let lacking = answer(&app, test_util::get("/reports/list", &token.sign())).await;
    assert_eq!(lacking, refused(403, Some(&c4("reports:read"))));
    let create = answer(&app, test_util::request("POST", "/reports/list", &token.sign())).await;
    assert_eq!(create, ok("create"));
    let other = token.claim("client_id", "other").scope("reports:read").sign();
    assert_eq!(answer(&app, test_util::get("/reports/list", &other)).await, refused(403, None));
}

/// A router that is protected as a whole does not tell strangers which paths it has.
#[tokio::test]
async fn a_layer_around_a_router_covers_unknown_paths() {
    let layer = AuthLayer::new(issuer().verifier());
    let app = Router::new().route("/known", get(async || "known")).layer(layer);
    for path in ["/known", "/unknown"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(answer(&app, request).await, refused(401, Some(C1)), "{path}");
    }
}

/// R-SCOPE-12, R-SCOPE-15: an error that a handler ends with gets the challenge, the body and the event of the layer.
#[tokio::test]
async fn a_handler_can_end_with_an_error() {
    async fn report(
        Path(tenant): Path<String>,
        auth: Authenticated<User>,
    ) -> Result<String, AuthError> {
        auth.require(&Requirement::from(scope!("reports:read")))?;
        // The scope is fine, the object is somebody else's.
        if auth.custom().tenant != tenant {
            return Err(AuthErrorKind::PolicyDenied.into());
        }
        Ok(format!("the report of {tenant}"))
    }
    let issuer = issuer();
    let events = Recorded::default();
    let layer = AuthLayer::builder(issuer.verifier_with::<User>()).on_event(events.clone());
    let app =
        Router::new().route("/t/{tenant}", get(report)).layer(layer.build().expect("a layer"));
    let token = issuer.token().subject("alice").claim("tenant", "t1");
    let good = token.clone().scope("reports:read").sign();
    assert_eq!(answer(&app, test_util::get("/t/t1", &good)).await, ok("the report of t1"));
    assert_eq!(answer(&app, test_util::get("/t/t2", &good)).await, refused(403, None));
    let lacking = answer(&app, test_util::get("/t/t1", &token.sign())).await;
    assert_eq!(lacking, refused(403, Some(&c4("reports:read"))));
    assert_eq!(
        events.codes(),
        ["accepted", "accepted", "policy_denied", "accepted", "insufficient_scope"]
    );
    for event in events.all() {
        let (AuthEvent::Accepted { caller } | AuthEvent::Refused { caller: Some(caller), .. }) =
            &event
        else {
            panic!("{event:?}")
        };
        assert_eq!(caller.grant().and_then(|grant| grant.subject()), Some("alice"));
    }
}

/// Every kind of error, whoever ends with it, is answered as by the layer itself.
#[tokio::test]
async fn every_error_of_a_handler_is_completed() {
    let issuer = issuer();
    for reason in AuthErrorKind::ALL {
        let layer = AuthLayer::new(issuer.verifier());
        let fails = get(async move || Err::<(), AuthError>((*reason).into()));
        let app = Router::new().route("/", fails).layer(layer);
        let token = issuer.token().sign();
        let Ok(response) = app.oneshot(test_util::get::<Body>("/", &token)).await;
        assert_eq!(response.status(), reason.status(), "{reason:?}");
        assert_eq!(response.headers()["cache-control"], "no-store", "{reason:?}");
        let needs_challenge = response.status() == 401;
        assert!(!needs_challenge || challenges(response.headers()).len() == 1, "{reason:?}");
        assert_eq!(
            response.headers().contains_key("retry-after"),
            response.status() == 503,
            "{reason:?}"
        );
    }
}

/// A handler may look at the refusal itself.
#[tokio::test]
async fn a_handler_can_take_the_refusal_as_a_result() {
    let layer = AuthLayer::builder(issuer().verifier()).optional().build();
    let handler = async |auth: Result<Authenticated, AuthError>| match auth {
        Ok(_) => "somebody".to_owned(),
        Err(error) => error.to_string(),
    };
    let app = Router::new().route("/", get(handler)).layer(layer.expect("a layer"));
    let wanted = ok("the request carries no credentials");
    assert_eq!(answer(&app, without_token()).await, wanted);
}

/// One form for all refusals, wherever they come from.
#[tokio::test]
async fn a_responder_makes_the_bodies_of_extractors_and_guards_too() {
    let issuer = issuer();
    let layer = AuthLayer::builder(issuer.verifier()).respond_with(ProblemJson).build();
    let app = Router::new()
        .route("/extractor", get(async |_: Scoped<Read>| "read"))
        .route("/guard", get(async || "read").layer(RequireScope::from(scope!("reports:read"))))
        .layer(layer.expect("a layer"));
    for path in ["/extractor", "/guard"] {
        let request = test_util::get::<Body>(path, &issuer.token().sign());
        let Ok(response) = app.clone().oneshot(request).await;
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let length = response.headers().get("content-length").cloned();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        let problem: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(problem["scope"], "reports:read", "{path}");
        if let Some(length) = length {
            assert_eq!(length, body.len().to_string(), "{path}");
        }
    }
}

/// An empty refusal has `Content-Length: 0` on the way out of axum (R-CHAL-15).
#[tokio::test]
async fn an_empty_refusal_has_no_content() {
    let app = Router::new()
        .route("/", get(tenant))
        .layer(AuthLayer::new(issuer().verifier_with::<User>()));
    let Ok(response) = app.oneshot(without_token()).await;
    assert_eq!(response.headers()["content-length"], "0");
}

/// The same argument without a router.
#[tokio::test]
async fn a_handler_can_be_tested_without_a_router() {
    let auth = TestIssuer::new().authenticated(serde_json::json!({"tenant": "acme", "sub": "eve"}));
    assert_eq!(tenant(auth).await, "eve of acme");

    let lister = |scope: &str| {
        let claims = serde_json::json!({"scope": scope});
        Scoped::<Read>::try_from(TestIssuer::new().authenticated(claims))
    };
    assert!(lister("reports:read").is_ok());
    assert_eq!(lister("other").unwrap_err().scope(), Some("reports:read"));
}

/// R-CHAL-01: without a layer around there is nobody to complete a refusal, so it stays
/// recognisable, and no 401 is without a challenge.
#[test]
fn an_error_alone_becomes_its_bare_status() {
    for reason in AuthErrorKind::ALL {
        let response: Response = AuthError::new(*reason).into_response();
        assert_eq!(response.status(), reason.status());
        assert_eq!(kind(&response), Some(*reason));
        assert_eq!(response.headers()["cache-control"], "no-store");
        let challenge: &[&str] = if reason.status() == 401 { &[C1] } else { &[] };
        assert_eq!(challenges(response.headers()), challenge);
    }
}

/// R-TRANS-24: an extension that only looks like ours is not taken for it.
#[tokio::test]
async fn nothing_but_the_context_of_the_layer_counts() {
    let issuer = issuer();
    let verified = issuer.verifier().verify_now(&issuer.token().sign()).expect("a good token");
    let app = Router::new().route("/", get(async |_: Authenticated| "in"));
    let mut request = without_token();
    request.extensions_mut().insert(verified);
    assert_eq!(answer(&app, request).await, refused(500, None));
    let mut request = without_token();
    request.extensions_mut().insert(AuthContext::anonymous());
    assert_eq!(answer(&app, request).await, refused(401, Some(C1)));
}
