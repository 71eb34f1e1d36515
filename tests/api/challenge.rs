use std::convert::Infallible;

use http::{HeaderMap, Request, Response, StatusCode};
use proptest::prelude::*;
use tower::{Layer, ServiceBuilder, service_fn};
use tower_bearer::{
    AuthError, AuthErrorKind, AuthLayer, ConfigError, Require, RequireScope,
    auth::{EmptyBody, GrpcStatus, ProblemJson, Refusal, RefusalResponse},
    challenge::{ALLOW_HEADERS, EXPOSE_HEADERS},
    scope,
    scope::{Requirement, ScopeToken},
    test_util::{self, TestIssuer, TokenBuilder},
};

use crate::support::{
    C1, C2, C3, C3X, C5, Decided, Protected, Recorded, assert_refused, at_once, c4, challenges,
    issuer, kind, send, whoami,
};

const METADATA: &str = "https://api.example.com/.well-known/oauth-protected-resource";

/// The whole answer of a layer that always refuses for this reason.
fn refusal<R: RefusalResponse<String>>(
    reason: AuthErrorKind,
    responder: R,
) -> (Response<String>, Recorded) {
    let events = Recorded::default();
    let layer = AuthLayer::builder(Decided(Err(reason))).respond_with(responder);
    let layer = layer.on_event(events.clone()).build().expect("a layer");
    let service = layer.layer(service_fn(whoami));
    (at_once(send(service, test_util::get("/", "any"))), events)
}

/// All header lines, sorted.
fn lines(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let line = |(name, value)| {
        let (name, value): (&http::HeaderName, &http::HeaderValue) = (name, value);
        (name.as_str(), value.to_str().expect("visible ASCII"))
    };
    let mut lines: Vec<_> = headers.iter().map(line).collect();
    lines.sort_unstable();
    lines
}

/// A handler that answers 403 for a reason of its own.
async fn own(_request: Request<String>) -> Result<Response<String>, Infallible> {
    let own = Response::builder().status(403).body("own".to_owned());
    Ok(own.expect("a response"))
}

/// What each kind is answered with: the normative table.
fn expected(kind: AuthErrorKind) -> (u16, Option<&'static str>) {
    use AuthErrorKind as Kind;
    match kind {
        Kind::NoCredentials | Kind::UnsupportedScheme => (401, Some(C1)),
        Kind::TokenMissing => (400, Some(C2)),
        Kind::MultipleCredentials => (400, Some(C5)),
        Kind::InsecureTransport => (400, None),
        Kind::Expired => (401, Some(C3X)),
        Kind::TokenTooLong
        | Kind::Malformed
        | Kind::UnsupportedHeader
        | Kind::AlgorithmNotAllowed
        | Kind::WrongTokenType
        | Kind::UnknownIssuer
        | Kind::UnknownKey
        | Kind::AmbiguousKey
        | Kind::BadSignature
        | Kind::MissingClaim
        | Kind::MalformedClaim
        | Kind::WrongAudience
        | Kind::UnsupportedConfirmation
        | Kind::LifetimeTooLong
        | Kind::NotYetValid
        | Kind::IssuedInFuture
        | Kind::Revoked
        | Kind::ClaimsMismatch => (401, Some(C3)),
        Kind::InsufficientScope => (
            403,
            Some(
                r#"Bearer realm="api", error="insufficient_scope", error_description="The request requires higher privileges than provided by the access token""#,
            ),
        ),
        Kind::PolicyDenied => (403, None),
        Kind::KeysUnavailable | Kind::RevocationsUnavailable => (503, None),
        Kind::LayerMissing | Kind::ClaimsTypeMismatch => (500, None),
        _ => panic!("{kind:?} has no answer"),
    }
}

/// R-CHAL-01, R-CHAL-02, R-CHAL-03, R-CHAL-04, R-CHAL-08, R-CHAL-11, R-CHAL-15, R-CHAL-16,
/// X-LOG-09: every kind, with all header lines of the answer.
#[test]
fn every_kind_has_its_status_and_its_header_lines() {
    for reason in AuthErrorKind::ALL {
        let (response, events) = refusal(*reason, EmptyBody);
        let (status, challenge) = expected(*reason);
        let mut wanted = vec![("cache-control", "no-store")];
        if status == 503 {
            wanted.push(("retry-after", "5"));
        }
        wanted.extend(challenge.map(|challenge| ("www-authenticate", challenge)));
        assert_eq!(response.status().as_u16(), status, "{reason:?}");
        assert_eq!(reason.status(), response.status(), "{reason:?}");
        assert_eq!(lines(response.headers()), wanted, "{reason:?}");
        assert_eq!(response.body(), "", "{reason:?}");
        assert_eq!(kind(&response), Some(*reason));
        assert_eq!(events.codes(), [reason.code()]);
    }
}

/// R-CHAL-01: every 401, in whatever form, has a challenge, and so has one that a responder makes
/// of something else.
#[test]
fn no_401_goes_out_without_a_challenge() {
    let hides = |_: &Refusal<'_>| {
        let mut response = Response::new("sign in".to_owned());
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response
    };
    for reason in AuthErrorKind::ALL {
        let (response, _) = refusal(*reason, hides);
        assert_eq!(response.status(), 401);
        let wanted = expected(*reason).1.unwrap_or(C1);
        assert_eq!(challenges(response.headers()), [wanted], "{reason:?}");
    }
}

/// R-CHAL-16
#[tokio::test]
async fn an_accepted_request_gets_no_challenge() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let response = protected.send_token(&issuer.token().sign()).await;
    assert_eq!(lines(response.headers()), []);
}

/// R-CHAL-16: `Basic` would make browsers ask for a password.
#[test]
fn basic_is_never_offered() {
    for reason in AuthErrorKind::ALL {
        let (response, _) = refusal(*reason, ProblemJson);
        let shown = format!("{:?} {}", response.headers(), response.body());
        assert!(!shown.to_ascii_lowercase().contains("basic"), "{shown}");
    }
}

/// C13: the seconds are configurable.
#[test]
fn an_outage_tells_when_to_come_back() {
    let layer = AuthLayer::builder(Decided(Err(AuthErrorKind::KeysUnavailable)))
        .retry_after(std::time::Duration::from_secs(90));
    let service = layer.build().expect("a layer").layer(service_fn(whoami));
    let response = at_once(send(service, test_util::get("/", "any")));
    assert_eq!(lines(response.headers()), [("cache-control", "no-store"), ("retry-after", "90")]);
}

/// R-CHAL-11: a stranger cannot tell what is wrong with a token, except that it expired.
#[tokio::test]
async fn every_fault_of_a_token_looks_the_same() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let good = issuer.token();
    let bad = [
        good.clone().wrong_audience(),
        good.clone().wrong_issuer(),
        good.clone().wrong_type(),
        good.clone().unknown_key(),
        good.clone().foreign_key(),
        good.clone().unsigned(),
        good.clone().key_confusion(),
        good.clone().tampered(),
        good.clone().not_yet_valid(),
        good.clone().oversized(),
        good.clone().duplicate_members(),
        good.clone().without_claim("exp"),
        good.clone().claim("aud", 7),
        good.claim("cnf", serde_json::json!({"jkt": "x"})),
    ];
    for token in bad {
        let response = protected.send_token(&token.sign()).await;
        assert_refused(&response, 401, Some(C3));
        assert_eq!(response.headers().len(), 2, "{:?}", response.headers());
    }
    let expired = protected.send_token(&issuer.token().expired().sign()).await;
    assert_refused(&expired, 401, Some(C3X));
}

/// R-CHAL-09, C4: all that is needed, in the order of the declaration, though one is granted.
#[tokio::test]
async fn a_missing_scope_is_answered_with_all_that_are_needed() {
    let issuer = issuer();
    let service = AuthLayer::new(issuer.verifier()).layer(
        RequireScope::all([scope!("orders:read"), scope!("orders:write")])
            .layer(service_fn(whoami)),
    );
    for granted in ["orders:read", "orders:write", "other", ""] {
        let token = issuer.token().scope(granted).sign();
        let response = send(service.clone(), test_util::get("/", &token)).await;
        assert_refused(&response, 403, Some(&c4("orders:read orders:write")));
        assert_eq!(response.headers().len(), 2, "{:?}", response.headers());
    }
}

/// C15
#[tokio::test]
async fn another_policy_is_answered_without_a_challenge() {
    let issuer = issuer();
    let inner = Require::that(|_, _| false).layer(service_fn(whoami));
    let service = AuthLayer::new(issuer.verifier()).layer(inner);
    let response = send(service, test_util::get("/", &issuer.token().sign())).await;
    assert_eq!(response.status(), 403);
    assert_eq!(lines(response.headers()), [("cache-control", "no-store")]);
}

/// R-CHAL-12, C1b
#[test]
fn the_metadata_url_stands_in_every_challenge() {
    for reason in AuthErrorKind::ALL {
        let layer = AuthLayer::builder(Decided(Err(*reason))).resource_metadata(METADATA).build();
        let service = layer.expect("a layer").layer(service_fn(whoami));
        let response = at_once(send(service, test_util::get("/", "any")));
        let wanted = expected(*reason)
            .1
            .map(|challenge| format!(r#"{challenge}, resource_metadata="{METADATA}""#));
        assert_eq!(challenges(response.headers()), wanted.iter().collect::<Vec<_>>());
    }
}

/// R-CHAL-12, C1b and C4 with metadata
#[tokio::test]
async fn the_metadata_url_follows_the_scope() {
    let issuer = issuer();
    let layer = AuthLayer::builder(issuer.verifier()).resource_metadata(METADATA).build();
    let inner = RequireScope::from(scope!("a")).layer(service_fn(whoami));
    let service = layer.expect("a layer").layer(inner);
    let response = send(service.clone(), Request::new(String::new())).await;
    let c1b = r#"Bearer realm="api", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource""#;
    assert_refused(&response, 401, Some(c1b));
    let response = send(service, test_util::get("/", &issuer.token().sign())).await;
    let c4b = format!(r#"{}, resource_metadata="{METADATA}""#, c4("a"));
    assert_refused(&response, 403, Some(&c4b));
}

/// The challenge of a layer with this realm for a request without credentials.
fn offer(realm: &str) -> Result<String, ConfigError> {
    let layer = AuthLayer::builder(issuer().verifier()).realm(realm).build()?;
    let response = at_once(send(layer.layer(service_fn(whoami)), Request::new(String::new())));
    Ok(challenges(response.headers()).join("|"))
}

/// R-CHAL-06, R-CHAL-07
#[test]
fn a_realm_is_quoted_and_escaped() {
    let cases = [
        ("api", r#"Bearer realm="api""#),
        ("a b, c=d", r#"Bearer realm="a b, c=d""#),
        (r#"the "api""#, r#"Bearer realm="the \"api\"""#),
        (r"C:\api\", r#"Bearer realm="C:\\api\\""#),
        (r#"\""#, r#"Bearer realm="\\\"""#),
        ("7", r#"Bearer realm="7""#),
    ];
    for (realm, challenge) in cases {
        assert_eq!(offer(realm).as_deref(), Ok(challenge));
    }
}

/// R-CHAL-07
#[test]
fn a_realm_that_cannot_stand_in_a_header_is_a_configuration_error() {
    for realm in ["", "two\nlines", "two\r\nSet-Cookie: a=b", "tab\t", "nul\0", "del\x7f", "käse"]
    {
        let error = offer(realm).expect_err(realm);
        assert!(
            matches!(&error, ConfigError::InvalidChallengeValue { name: "realm", value, .. } if value == realm),
            "{error:?}"
        );
    }
}

/// R-CHAL-07, R-CHAL-12
#[test]
fn only_an_absolute_https_url_can_be_the_metadata_url() {
    let build = |url: &str| {
        let layer = AuthLayer::builder(Decided(Err(AuthErrorKind::NoCredentials)));
        layer.resource_metadata(url).build().map(|_| ())
    };
    for url in [
        METADATA,
        "https://a.test",
        "https://a.test:8443/x?y=z",
        "http://localhost:3000/x",
        "http://127.0.0.1/",
        "http://[::1]:80/",
    ] {
        assert_eq!(build(url), Ok(()), "{url}");
    }
    for url in [
        "",
        "/relative",
        "api.example.com",
        "//api.example.com/x",
        "http://api.example.com/x",
        "http://localhost.example.com/x",
        "ftp://api.example.com/x",
        "https://",
        "https:///x",
        "https://a.test/#fragment",
        "https://user:password@a.test/x",
        "https://a.test:99999/x",
        "https://a.test:x/",
        "https://a.test:/",
        "https://a.test/a b",
        "https://a.test/\"",
        "https://a.test/\\",
        "https://a.test/\r\nx: y",
        "https://a.test/<x>",
        "https://a.test/ä",
        "javascript:alert(1)",
    ] {
        assert!(
            matches!(
                build(url),
                Err(ConfigError::InvalidChallengeValue { name: "resource_metadata", .. })
            ),
            "{url}"
        );
    }
}

/// R-CHAL-14
#[test]
fn there_are_constants_for_cors() {
    assert_eq!(EXPOSE_HEADERS, [http::header::WWW_AUTHENTICATE]);
    assert_eq!(ALLOW_HEADERS, [http::header::AUTHORIZATION]);
}

/// R-CHAL-17
#[tokio::test]
async fn answers_of_the_inner_service_are_left_as_they_are() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    for status in [200, 204, 302, 400, 401, 403, 404, 500, 503] {
        for own in [None, Some(r#"Basic realm="inner""#), Some("Bearer")] {
            let inner = service_fn(move |_: Request<String>| async move {
                let response = Response::builder().status(status).header("x-own", "1");
                let response = own
                    .into_iter()
                    .fold(response, |response, own| response.header("www-authenticate", own));
                Ok::<_, Infallible>(response.body("own".to_owned()).expect("a response"))
            });
            let request = test_util::get("/", &issuer.token().sign());
            let response = send(protected.layer.layer(inner), request).await;
            assert_eq!(response.status(), status);
            let mut wanted: Vec<_> = own.map(|own| ("www-authenticate", own)).into_iter().collect();
            wanted.push(("x-own", "1"));
            assert_eq!(lines(response.headers()), wanted);
            assert_eq!(response.body(), "own");
        }
    }
    assert!(protected.events.codes().iter().all(|code| *code == "accepted"));
}

/// R-CHAL-17: the challenge comes last and is added to what a responder set itself.
#[test]
fn challenges_of_a_responder_are_kept() {
    let responder = |refusal: &Refusal<'_>| {
        let response =
            Response::builder().status(refusal.status()).header("www-authenticate", "X a=\"b\"");
        response.header("cache-control", "public").body("own".to_owned()).expect("a response")
    };
    let (response, _) = refusal(AuthErrorKind::Malformed, responder);
    assert_eq!(challenges(response.headers()), ["X a=\"b\"", C3]);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers().get_all("cache-control").iter().count(), 1);
    assert_eq!(response.body(), "own");
}

/// R-CHAL-17: what layers between a guard and the `AuthLayer` add to a refusal goes out with it,
/// but for what they say of a body that is not sent.
#[tokio::test]
async fn a_refusal_keeps_what_layers_in_between_added() {
    #[derive(Clone, Debug, PartialEq)]
    struct Marked;

    let issuer = issuer();
    let between = |mut response: Response<String>| {
        let headers = response.headers_mut();
        for (name, value) in [
            ("x-request-id", "7"),
            ("www-authenticate", "X a=\"b\""),
            ("www-authenticate", "Y"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("cache-control", "public"),
            ("content-language", "en"),
            ("etag", "\"1\""),
        ] {
            headers.append(name, value.parse().expect("a header value"));
        }
        response.extensions_mut().insert(Marked);
        response
    };
    let service = ServiceBuilder::new()
        .layer(AuthLayer::new(issuer.verifier()))
        .map_response(between)
        .layer(RequireScope::from(scope!("a")))
        .service(service_fn(whoami));
    let response = send(service, test_util::get("/", &issuer.token().sign())).await;
    assert_eq!(response.status(), 403);
    assert_eq!(kind(&response), Some(AuthErrorKind::InsufficientScope));
    assert_eq!(response.extensions().get(), Some(&Marked));
    assert_eq!(
        lines(response.headers()),
        [
            ("cache-control", "no-store"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("www-authenticate", c4("a").as_str()),
            ("www-authenticate", "X a=\"b\""),
            ("www-authenticate", "Y"),
            ("x-request-id", "7"),
        ]
    );
}

/// R-CHAL-17: a layer in between that makes its own response of a refusal keeps its body, and the
/// rest of the refusal is there all the same.
#[tokio::test]
async fn a_refusal_that_was_made_anew_is_still_a_refusal() {
    type Between = fn(Response<String>) -> Response<String>;
    let anew: Between = |response| {
        let json = format!(r#"{{"status":{}}}"#, response.status().as_u16());
        let anew = Response::builder().status(response.status());
        anew.header("content-type", "application/json").body(json).expect("a response")
    };
    let in_place: Between = |response| {
        let mut response = response.map(|_| r#"{"status":403}"#.to_owned());
        let json = "application/json".parse().expect("a header value");
        response.headers_mut().insert("content-type", json);
        response
    };
    for between in [anew, in_place] {
        let (issuer, events) = (issuer(), Recorded::default());
        let layer = AuthLayer::builder(issuer.verifier()).on_event(events.clone()).build();
        let service = ServiceBuilder::new()
            .layer(layer.expect("a layer"))
            .map_response(between)
            .layer(RequireScope::from(scope!("a")))
            .service(service_fn(whoami));
        let response = send(service, test_util::get("/", &issuer.token().sign())).await;
        assert_eq!(response.status(), 403);
        assert_eq!(response.body(), r#"{"status":403}"#);
        assert_eq!(kind(&response), Some(AuthErrorKind::InsufficientScope));
        assert_eq!(
            lines(response.headers()),
            [
                ("cache-control", "no-store"),
                ("content-type", "application/json"),
                ("www-authenticate", c4("a").as_str()),
            ]
        );
        assert_eq!(events.codes(), ["accepted", "insufficient_scope"]);
    }
}

/// R-CHAL-17: also where layers stand in each other. The outer one adds its challenge, and there is
/// one event.
#[tokio::test]
async fn a_refusal_of_an_inner_layer_that_was_made_anew_is_completed_by_the_outer_one() {
    let issuer = issuer();
    let [inner, outer] = ["inner", "outer"].map(|realm| {
        let events = Recorded::default();
        let layer = AuthLayer::builder(issuer.verifier()).realm(realm).on_event(events.clone());
        (layer, events)
    });
    let service = ServiceBuilder::new()
        .layer(outer.0.optional().build().expect("a layer"))
        .map_response(|response: Response<String>| match response.status().is_success() {
            true => response,
            false => Response::builder().status(response.status()).body("anew".into()).unwrap(),
        })
        .layer(inner.0.build().expect("a layer"))
        .layer(RequireScope::from(scope!("a")))
        .service(service_fn(whoami));
    let own = |challenge: &str| challenge.replacen("api", "outer", 1);

    let anonymous = send(service.clone(), Request::default()).await;
    assert_eq!((anonymous.status().as_u16(), anonymous.body().as_str()), (401, "anew"));
    assert_eq!(challenges(anonymous.headers()), [own(C1)]);
    let lacking = send(service, test_util::get("/", &issuer.token().sign())).await;
    assert_eq!((lacking.status().as_u16(), lacking.body().as_str()), (403, "anew"));
    assert_eq!(challenges(lacking.headers()), [own(&c4("a"))]);
    assert_eq!(inner.1.codes(), ["no_credentials", "accepted", "insufficient_scope"]);
    assert_eq!(outer.1.codes(), ["accepted", "accepted"]);
}

/// R-CHAL-01, R-CHAL-02: what layers in between do to a refusal leaves no 401 without a challenge,
/// and none with two of ours.
#[tokio::test]
async fn layers_in_between_cannot_spoil_the_challenge() {
    let issuer = issuer();
    let answer = async |between: fn(&mut Response<String>), request: Request<String>| {
        let layer = AuthLayer::builder(issuer.verifier()).optional().build().expect("a layer");
        let service = ServiceBuilder::new()
            .layer(layer)
            .map_response(move |mut response: Response<String>| {
                between(&mut response);
                response
            })
            .layer(RequireScope::from(scope!("a")))
            .service(service_fn(whoami));
        let response = send(service, request).await;
        let lines = challenges(response.headers()).into_iter().map(str::to_owned);
        (response.status().as_u16(), lines.collect::<Vec<_>>())
    };
    let lacking = || test_util::get("/", &issuer.token().sign());
    let to_401 =
        |response: &mut Response<String>| *response.status_mut() = StatusCode::UNAUTHORIZED;
    assert_eq!(answer(to_401, lacking()).await, (401, vec![C1.to_owned()]));
    let to_404 = |response: &mut Response<String>| *response.status_mut() = StatusCode::NOT_FOUND;
    assert_eq!(answer(to_404, Request::default()).await, (404, vec![]));
    let bearer = |response: &mut Response<String>| {
        for line in ["Bearer", "bearer realm=\"x\"", "BearerX", "Basic realm=\"x\""] {
            response.headers_mut().append("www-authenticate", line.parse().expect("a value"));
        }
    };
    let others = ["BearerX", "Basic realm=\"x\""].map(str::to_owned);
    let (status, lines) = answer(bearer, Request::default()).await;
    assert_eq!((status, lines), (401, [&others[..], &[C1.to_owned()]].concat()));
}

/// A layer in between that names a type for whatever has none does not keep a responder's body back.
#[tokio::test]
async fn a_responder_with_a_body_has_the_last_word() {
    let issuer = issuer();
    let layer = AuthLayer::builder(issuer.verifier()).respond_with(ProblemJson).build();
    let service = ServiceBuilder::new()
        .layer(layer.expect("a layer"))
        .map_response(|mut response: Response<String>| {
            let json = "application/json".parse().expect("a value");
            response.headers_mut().insert("content-type", json);
            response
        })
        .layer(RequireScope::from(scope!("a")))
        .service(service_fn(whoami));
    let response = send(service, test_util::get("/", &issuer.token().sign())).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert!(response.body().contains("insufficient_scope"));
}

/// A layer in between may go on without what was refused, and what one request heard is nothing to
/// the next.
#[tokio::test]
async fn a_refusal_that_came_to_nothing_leaves_no_trace() {
    let (issuer, events) = (issuer(), Recorded::default());
    let layer = AuthLayer::builder(issuer.verifier()).on_event(events.clone()).build();
    let layer = layer.expect("a layer");
    let recovering = ServiceBuilder::new()
        .layer(layer.clone())
        .map_response(|_: Response<String>| Response::new("instead".to_owned()))
        .layer(RequireScope::from(scope!("a")))
        .service(service_fn(whoami));
    let get = || test_util::get("/", &issuer.token().sign());

    let response = send(recovering, get()).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (200, "instead"));
    let response = send(layer.layer(service_fn(own)), get()).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (403, "own"));
    assert_eq!(lines(response.headers()), []);
    assert_eq!(events.codes(), ["accepted", "accepted"]);
}

/// A panic of the inner service does not make the next request hear its refusal.
#[test]
fn a_refusal_is_forgotten_when_the_inner_service_panics() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let panicking = service_fn(|_: Request<String>| async {
        let refused: Response<String> = AuthError::new(AuthErrorKind::PolicyDenied).to_response();
        assert_eq!(refused.status(), 200, "a panic on purpose");
        Ok::<_, Infallible>(refused)
    });
    let get = || test_util::get("/", &issuer.token().sign());
    let panicking = || at_once(send(protected.layer.layer(panicking), get()));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panicking)).is_err());
    let response = at_once(send(protected.layer.layer(service_fn(own)), get()));
    assert_eq!(response.body(), "own");
    assert_eq!(protected.events.codes(), ["accepted", "accepted"]);
}

/// A refusal that a layer in between turned into another answer, such as 404 to hide what is there,
/// goes out as that answer; the operator still sees why.
#[tokio::test]
async fn a_refusal_may_be_hidden_by_a_layer_in_between() {
    let (issuer, events) = (issuer(), Recorded::default());
    let layer = AuthLayer::builder(issuer.verifier()).on_event(events.clone()).build();
    let service = ServiceBuilder::new()
        .layer(layer.expect("a layer"))
        .map_response(|mut response: Response<String>| {
            *response.status_mut() = StatusCode::NOT_FOUND;
            *response.body_mut() = "nothing here".to_owned();
            response
        })
        .layer(RequireScope::from(scope!("a")))
        .service(service_fn(whoami));
    let response = send(service, test_util::get("/", &issuer.token().sign())).await;
    assert_eq!((response.status().as_u16(), response.body().as_str()), (404, "nothing here"));
    assert_eq!(lines(response.headers()), [("cache-control", "no-store")]);
    assert_eq!(events.codes(), ["accepted", "insufficient_scope"]);
}

/// R-CHAL-15: the body is the application's, status and header lines are not.
#[test]
fn a_closure_can_make_the_body() {
    let responder = |refusal: &Refusal<'_>| {
        let (error, scope) = (refusal.error(), refusal.scope());
        Response::new(format!("{error:?} {scope:?} {}", refusal.description()))
    };
    let cases = [
        (AuthErrorKind::NoCredentials, 401, "None None The request carries no access token"),
        (
            AuthErrorKind::TokenMissing,
            400,
            r#"Some("invalid_request") None The access token is missing"#,
        ),
        (AuthErrorKind::Expired, 401, r#"Some("invalid_token") None The access token expired"#),
        (AuthErrorKind::PolicyDenied, 403, "None None The request is not permitted"),
    ];
    for (reason, status, body) in cases {
        let (response, _) = refusal(reason, responder);
        assert_eq!((response.status().as_u16(), response.body().as_str()), (status, body));
        assert_eq!(
            challenges(response.headers()),
            expected(reason).1.into_iter().collect::<Vec<_>>()
        );
        assert_eq!(response.headers()["cache-control"], "no-store");
    }
}

/// A responder that hides what is there may answer with another status; then nothing tells why.
#[test]
fn a_closure_can_hide_a_refusal() {
    let hides = |_: &Refusal<'_>| {
        let response = Response::builder().status(404);
        response.body(String::new()).expect("a response")
    };
    for reason in [AuthErrorKind::InsufficientScope, AuthErrorKind::KeysUnavailable] {
        let (response, events) = refusal(reason, hides);
        assert_eq!(response.status(), 404);
        assert_eq!(lines(response.headers()), [("cache-control", "no-store")]);
        assert_eq!(events.codes(), [reason.code()]);
    }
}

/// R-CHAL-15
#[test]
fn problem_documents_say_what_the_challenge_says() {
    let (response, _) = refusal(AuthErrorKind::BadSignature, ProblemJson);
    assert_eq!(
        lines(response.headers()),
        [
            ("cache-control", "no-store"),
            ("content-type", "application/problem+json"),
            ("www-authenticate", C3)
        ]
    );
    let problem: serde_json::Value = serde_json::from_str(response.body()).expect("JSON");
    let wanted = serde_json::json!({
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "The access token is invalid",
        "error": "invalid_token",
    });
    assert_eq!(problem, wanted);

    for reason in AuthErrorKind::ALL {
        let (response, _) = refusal(*reason, ProblemJson);
        let problem: serde_json::Value = serde_json::from_str(response.body()).expect("JSON");
        assert_eq!(problem["status"], response.status().as_u16(), "{reason:?}");
        assert_eq!(problem["title"], response.status().canonical_reason().unwrap_or_default());
        let challenge = challenges(response.headers()).join("");
        if let Some(error) = problem["error"].as_str() {
            assert!(challenge.contains(&format!("error=\"{error}\"")), "{reason:?}");
            let detail = problem["detail"].as_str().expect("a text");
            assert!(challenge.contains(&format!("error_description=\"{detail}\"")), "{reason:?}");
        } else {
            assert!(!challenge.contains("error"), "{reason:?}");
        }
    }
}

/// R-CHAL-09, R-CHAL-15
#[tokio::test]
async fn a_problem_document_names_the_missing_scope() {
    let issuer = issuer();
    let layer = AuthLayer::builder(issuer.verifier()).respond_with(ProblemJson).build();
    let inner = RequireScope::from(scope!("reports:read")).layer(service_fn(whoami));
    let service = layer.expect("a layer").layer(inner);
    let response = send(service, test_util::get("/", &issuer.token().sign())).await;
    assert_eq!(response.status(), 403);
    assert_eq!(challenges(response.headers()), [c4("reports:read")]);
    let problem: serde_json::Value = serde_json::from_str(response.body()).expect("JSON");
    assert_eq!(problem["scope"], "reports:read");
    assert_eq!(problem["error"], "insufficient_scope");
}

/// gRPC has statuses of its own, in a response with 200.
#[test]
fn grpc_statuses_stand_in_the_headers_of_a_200() {
    for reason in AuthErrorKind::ALL {
        let (response, events) = refusal(*reason, GrpcStatus);
        let (status, challenge) = expected(*reason);
        let code = match status {
            403 => "7",
            503 => "14",
            500 => "13",
            _ => "16",
        };
        assert_eq!(response.status(), 200, "{reason:?}");
        assert_eq!(response.headers()["content-type"], "application/grpc");
        assert_eq!(response.headers()["grpc-status"], code, "{reason:?}");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let message = response.headers()["grpc-message"].to_str().expect("ASCII");
        assert!(!message.is_empty() && !message.contains('%'), "{reason:?}");
        assert_eq!(challenges(response.headers()), [""; 0]);
        let error =
            response.headers().get("auth-error").map(|error| error.to_str().expect("ASCII"));
        let wanted =
            challenge.and_then(|challenge| challenge.split("error=\"").nth(1)?.split('"').next());
        assert_eq!(error, wanted, "{reason:?}");
        assert_eq!(response.body(), "");
        assert_eq!(events.codes(), [reason.code()]);
    }
}

/// R-CHAL-09 for gRPC
#[tokio::test]
async fn a_grpc_status_names_the_missing_scope() {
    let issuer = issuer();
    let layer = AuthLayer::builder(issuer.verifier()).respond_with(GrpcStatus).build();
    let inner = RequireScope::all([scope!("a"), scope!("b")]).layer(service_fn(whoami));
    let service = layer.expect("a layer").layer(inner);
    let response = send(service, test_util::get("/", &issuer.token().sign())).await;
    assert_eq!(
        lines(response.headers()),
        [
            ("auth-error", "insufficient_scope"),
            ("auth-scope", "a b"),
            ("cache-control", "no-store"),
            ("content-type", "application/grpc"),
            (
                "grpc-message",
                "The request requires higher privileges than provided by the access token"
            ),
            ("grpc-status", "7"),
        ]
    );
}

/// All that a client sees of a refusal.
fn on_the_wire(response: &Response<String>) -> String {
    format!("{:?} {:?} {}", response.status(), response.headers(), response.body())
}

/// R-CHAL-19, R-CHAL-07, X-LOG-09: what a client sends never comes back.
#[tokio::test]
async fn nothing_of_the_request_is_reflected() {
    const MARK: &str = "r3fl3ct<script>";
    async fn check<R: RefusalResponse<String> + Clone>(issuer: &TestIssuer, responder: R) {
        let layer = AuthLayer::builder(issuer.verifier()).respond_with(responder).build();
        let inner = Require::that(|_, _| false).layer(service_fn(whoami));
        let service = layer.expect("a layer").layer(inner);
        let good = || issuer.token();
        let mut tokens: Vec<String> = [
            good().subject(MARK),
            good().header("kid", MARK),
            good().header("alg", MARK),
            good().header("typ", MARK),
            good().header(MARK, MARK),
            good().header("crit", vec![MARK]),
            good().claim("aud", MARK),
            good().claim("iss", MARK),
            good().claim("scope", format!("{MARK}\"\\")),
            good().claim("exp", MARK),
            good().claim("cnf", MARK),
            good().claim(MARK, MARK).claim("aud", 7),
        ]
        .map(|token| token.sign())
        .into();
        tokens.push(format!("{MARK}.{MARK}.{MARK}"));
        tokens.push(format!("{MARK}, {MARK}"));
        for token in tokens {
            let mut request: Request<String> = test_util::get("/r3fl3ct?r3fl3ct=r3fl3ct", &token);
            request.headers_mut().insert("x-r3fl3ct", http::HeaderValue::from_static("r3fl3ct"));
            let response = send(service.clone(), request).await;
            let shown = on_the_wire(&response);
            assert!(kind(&response).is_some(), "{shown}");
            for part in ["r3fl3ct", "<", "eyJ", "user-1"] {
                assert!(!shown.contains(part), "{shown}");
            }
        }
    }
    let issuer = issuer();
    check(&issuer, EmptyBody).await;
    check(&issuer, ProblemJson).await;
    check(&issuer, GrpcStatus).await;
}

/// X-LOG-08: codes are for operators. Two of them are words that RFC 6750 itself, or the
/// description of an expired token, puts into the answer.
#[test]
fn reason_codes_are_never_in_a_response() {
    for reason in AuthErrorKind::ALL {
        let code = reason.code();
        let standard = match reason {
            AuthErrorKind::Expired => "The access token expired",
            AuthErrorKind::InsufficientScope => "insufficient_scope",
            _ => "",
        };
        for response in [
            refusal(*reason, EmptyBody).0,
            refusal(*reason, ProblemJson).0,
            refusal(*reason, GrpcStatus).0,
        ] {
            let shown = on_the_wire(&response);
            let shown = if standard.is_empty() { shown } else { shown.replace(standard, "") };
            assert!(!shown.contains(code), "{code}: {shown}");
        }
    }
}

/// X-LOG-08: the codes are part of the API: tools search for them.
#[test]
fn reason_codes_are_stable() {
    let codes: Vec<_> = AuthErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    let wanted = [
        "no_credentials",
        "unsupported_scheme",
        "token_missing",
        "multiple_credentials",
        "insecure_transport",
        "token_too_long",
        "malformed",
        "unsupported_header",
        "algorithm_not_allowed",
        "wrong_token_type",
        "unknown_issuer",
        "unknown_key",
        "ambiguous_key",
        "bad_signature",
        "missing_claim",
        "malformed_claim",
        "wrong_audience",
        "unsupported_confirmation",
        "lifetime_too_long",
        "not_yet_valid",
        "issued_in_future",
        "expired",
        "revoked",
        "claims_mismatch",
        "insufficient_scope",
        "policy_denied",
        "keys_unavailable",
        "revocations_unavailable",
        "layer_missing",
        "claims_type_mismatch",
    ];
    assert_eq!(codes, wanted);
}

/// What an operator reads: lower case, no full stop, and no control characters whatever a token
/// says.
#[test]
fn every_kind_is_described_in_one_tested_phrase() {
    for reason in AuthErrorKind::ALL {
        let text = AuthError::from(*reason).to_string();
        assert!(text.len() > 10 && !text.contains('\n'), "{reason:?}: {text}");
        assert!(text.starts_with(char::is_lowercase), "{text}");
        assert!(!text.ends_with(['.', '!', ':', ' ']), "{text}");
        assert_eq!(
            AuthErrorKind::ALL
                .iter()
                .filter(|kind| AuthError::new(**kind).to_string() == text)
                .count(),
            1
        );
    }
    let exact = [
        (AuthErrorKind::NoCredentials, "the request carries no credentials"),
        (AuthErrorKind::BadSignature, "the token signature does not verify"),
        (AuthErrorKind::Expired, "the token has expired"),
        (AuthErrorKind::KeysUnavailable, "no usable key set is at hand"),
        (AuthErrorKind::LayerMissing, "no AuthLayer ran before this guard or extractor"),
    ];
    for (reason, text) in exact {
        assert_eq!(AuthError::new(reason).to_string(), text);
    }
}

/// The detail of an error names the claim or the scopes, and a source is not repeated in the text.
#[test]
fn errors_name_the_claim_or_the_scopes() {
    let issuer = issuer();
    let verifier = issuer.verifier();
    let refused = |token: TokenBuilder| verifier.verify_now(&token.sign()).expect_err("a refusal");

    let missing = refused(issuer.token().without_claim("jti"));
    assert_eq!(missing.to_string(), r#"a required claim is missing: "jti""#);
    let malformed = refused(issuer.token().claim("exp", "soon"));
    assert_eq!(malformed.to_string(), r#"a claim is malformed: "exp""#);

    let granted = verifier.verify_now(&issuer.token().sign()).expect("a good token");
    let lacking = granted.require(&Requirement::all([scope!("a"), scope!("b")]));
    assert_eq!(lacking.expect_err("a refusal").to_string(), "the token lacks a scope: a b");

    let with_source = AuthError::new(AuthErrorKind::Malformed).with_source("the cause");
    assert_eq!(with_source.to_string(), "the token is not a well-formed compact JWS");
    let source = std::error::Error::source(&with_source).expect("a source");
    assert_eq!(source.to_string(), "the cause");
}

/// One challenge: the scheme, and the parameters with whether they were quoted.
#[derive(Debug, PartialEq)]
struct Challenge {
    scheme: String,
    parameters: Vec<(String, String, bool)>,
}

/// Reads `WWW-Authenticate` as RFC 9110 section 11.6.1 defines it, without token68: nothing here
/// knows about Bearer.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn challenges(value: &str) -> Option<Vec<Challenge>> {
        let mut reader = Reader(value.as_bytes());
        let mut challenges: Vec<Challenge> = Vec::new();
        loop {
            reader.skip(b" \t,");
            if reader.0.is_empty() {
                return Some(challenges);
            }
            let word = reader.token()?;
            let before = reader.0;
            reader.skip(b" \t");
            if reader.0.first() == Some(&b'=') {
                reader.0 = &reader.0[1..];
                reader.skip(b" \t");
                let (value, quoted) = reader.value()?;
                challenges.last_mut()?.parameters.push((word, value, quoted));
                reader.skip(b" \t");
                // Only a comma can stand between two parameters.
                if !matches!(reader.0.first(), None | Some(b',')) {
                    return None;
                }
            } else {
                reader.0 = before;
                if !matches!(reader.0.first(), None | Some(b' ' | b',')) {
                    return None;
                }
                challenges.push(Challenge { scheme: word, parameters: Vec::new() });
            }
        }
    }

    fn skip(&mut self, any_of: &[u8]) {
        let rest = self.0.iter().position(|byte| !any_of.contains(byte)).unwrap_or(self.0.len());
        self.0 = &self.0[rest..];
    }

    fn token(&mut self) -> Option<String> {
        let is_tchar =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        let end = self.0.iter().position(|byte| !is_tchar(byte)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        (end > 0).then(|| String::from_utf8_lossy(token).into_owned())
    }

    fn value(&mut self) -> Option<(String, bool)> {
        if self.0.first() != Some(&b'"') {
            return Some((self.token()?, false));
        }
        let mut value = String::new();
        let mut bytes = self.0.iter().enumerate().skip(1);
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'"' => {
                    self.0 = &self.0[at + 1..];
                    return Some((value, true));
                }
                b'\\' => value.push(char::from(*bytes.next()?.1)),
                b'\t' | b' '..=b'~' => value.push(char::from(*byte)),
                _ => return None,
            }
        }
        None
    }
}

/// The reader of the tests tells good from bad.
#[test]
fn the_reader_of_challenges_knows_the_grammar() {
    let read = Reader::challenges;
    let parameters =
        |value| read(value).map(|all| all.iter().map(|one| one.parameters.len()).collect());
    assert_eq!(parameters(r#"Bearer a="b, c=\"d\"", e=f , Digest g="h""#), Some(vec![2, 1]));
    assert_eq!(parameters("Bearer, Digest a=b"), Some(vec![0, 1]));
    for bad in [
        r#"Bearer a="b"#,
        r#"Bearer a="b"c"#,
        "Bearer a=",
        "a=b",
        r#"Bearer a="b" c="d""#,
        "Bearer(a)",
    ] {
        assert_eq!(read(bad), None, "{bad}");
    }
}

/// One character of a scope token (RFC 6749 section 3.3).
fn nqchar() -> impl Strategy<Value = char> {
    prop_oneof![Just(b'!'), b'#'..=b'[', b']'..=b'~', Just(b','), Just(b'=')].prop_map(char::from)
}

fn text(of: impl Strategy<Value = char>, longest: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(of, 1..=longest).prop_map(String::from_iter)
}

fn url() -> impl Strategy<Value = String> {
    let characters = b"abcXYZ019-._~/?:@!$&'()*+,;=";
    let character = (0..characters.len()).prop_map(|at| char::from(characters[at]));
    text(character, 30).prop_map(|path| format!("https://api.example.com/{path}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// R-CHAL-05, R-CHAL-06, R-CHAL-07, R-CHAL-18
    #[test]
    fn any_challenge_can_be_read_by_a_generic_parser(
        realm in text((b' '..=b'~').prop_map(char::from), 40),
        scopes in prop::collection::vec(text(nqchar(), 20), 1..6),
        metadata in prop::option::of(url()),
        reason in prop::sample::select(AuthErrorKind::ALL),
    ) {
        let mut tokens = Vec::new();
        for scope in &scopes {
            tokens.push(ScopeToken::new(scope).expect("a scope token"));
        }
        let requirement = Requirement::try_all(tokens).expect("scopes");
        let layer = |answer: Decided| {
            let layer = AuthLayer::builder(answer).realm(&realm);
            let layer = match &metadata {
                Some(url) => layer.resource_metadata(url),
                None => layer,
            };
            layer.build().expect("a layer")
        };

        let fixed = layer(Decided(Err(reason))).layer(service_fn(whoami));
        let fixed = at_once(send(fixed, test_util::get("/", "any")));
        let guard = RequireScope::new(requirement).layer(service_fn(whoami));
        let scoped = layer(Decided(Ok(caller()))).layer(guard);
        let scoped = at_once(send(scoped, test_util::get("/", "any")));

        let mut named: Vec<&str> = Vec::new();
        scopes.iter().for_each(|scope| if !named.contains(&&**scope) { named.push(scope) });
        let named = named.join(" ");

        for (response, scope) in [(&fixed, None), (&scoped, Some(&named))] {
            let lines = challenges(response.headers());
            if lines.is_empty() {
                prop_assert_eq!(expected(reason).1, None);
                continue;
            }
            let mut read = Reader::challenges(lines[0]).expect("the grammar of RFC 9110");
            prop_assert_eq!((lines.len(), read.len()), (1, 1));
            let challenge = read.remove(0);
            prop_assert_eq!(challenge.scheme, "Bearer");
            let mut names: Vec<_> = challenge.parameters.iter().map(|(name, ..)| &**name).collect();
            prop_assert_eq!(names[0], "realm");
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            prop_assert_eq!(names.len(), all, "a parameter stands twice");
            prop_assert!(challenge.parameters.iter().all(|(.., quoted)| *quoted));
            let value = |name: &str| {
                let mut parameters = challenge.parameters.iter();
                parameters.find(|(known, ..)| known == name).map(|(_, value, _)| value)
            };
            prop_assert_eq!(value("realm"), Some(&realm));
            prop_assert_eq!(value("scope"), scope);
            prop_assert_eq!(value("resource_metadata"), metadata.as_ref());
            prop_assert_eq!(value("error").is_some(), value("error_description").is_some());
        }
    }
}

/// Somebody without scopes; made once, as it takes a signature.
fn caller() -> tower_bearer::AuthContext {
    static CALLER: std::sync::OnceLock<tower_bearer::AuthContext> = std::sync::OnceLock::new();
    let caller = || Decided::caller(&issuer(), "").0.expect("a caller");
    CALLER.get_or_init(caller).clone()
}
