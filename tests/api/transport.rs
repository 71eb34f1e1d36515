use std::{
    convert::Infallible,
    sync::atomic::{AtomicUsize, Ordering},
};

use http::{HeaderValue, Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_bearer::{
    AuthContext, AuthError, AuthErrorKind, AuthLayer, ConfigError, Verifier,
    authenticate::{Attempt, Authenticate},
    event::Tracing,
    test_util::{self, TestIssuer},
    token::{BearerHeader, CookieToken, FindToken, PresentedToken, RequestHead},
};

use crate::support::{
    C1, C2, C3, C3X, C5, Decided, Protected, Recorded, assert_invalid, assert_refused, at_once,
    issuer, kind, send, traced, whoami,
};

/// A GET request with these header lines.
fn with_lines<B: Default>(lines: &[(&'static str, &[u8])]) -> Request<B> {
    let mut request = Request::new(B::default());
    for (name, value) in lines {
        let value = HeaderValue::from_bytes(value).expect("a header value");
        request.headers_mut().append(*name, value);
    }
    request
}

/// What the default finder makes of one `Authorization` line.
fn found(line: &[u8]) -> Result<Vec<u8>, AuthErrorKind> {
    let request: Request<()> = with_lines(&[("authorization", line)]);
    let token = BearerHeader.find(&RequestHead::of(&request));
    token.map(|token| token.as_bytes().to_vec()).map_err(|error| error.kind())
}

/// The token stands after `scheme` with these spaces.
async fn accepts(issuer: &TestIssuer, scheme: &str) {
    let protected = Protected::by(issuer.verifier());
    let line = format!("{scheme}{}", issuer.token().sign());
    let response = protected.send_lines(&[line.as_bytes()]).await;
    assert_eq!((response.status().as_u16(), protected.calls()), (200, 1), "{scheme:?}");
}

/// Every one of these lines is refused in the same way, before the inner service.
async fn refuses(lines: &[&[u8]], status: u16, challenge: &str, reason: AuthErrorKind) {
    let protected = Protected::by(issuer().verifier());
    for line in lines {
        let shown = String::from_utf8_lossy(line);
        let response = protected.send_lines(&[line]).await;
        assert_eq!(kind(&response), Some(reason), "{shown:?}");
        assert_refused(&response, status, Some(challenge));
    }
    assert_eq!(protected.calls(), 0);
    assert_eq!(protected.events.codes(), vec![reason.code(); lines.len()]);
}

/// R-TRANS-01
#[tokio::test]
async fn the_token_is_what_follows_the_scheme() {
    let all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/==";
    for token in ["mF_9.B5f-4.1JqM", "a", all] {
        let line = format!("Bearer {token}");
        assert_eq!(found(line.as_bytes()), Ok(token.as_bytes().to_vec()), "{token}");
    }
    accepts(&issuer(), "Bearer ").await;
}

/// R-TRANS-02
#[tokio::test]
async fn the_scheme_is_matched_in_any_case() {
    let issuer = issuer();
    for scheme in ["bearer ", "BEARER ", "bEaReR "] {
        accepts(&issuer, scheme).await;
    }
}

/// R-TRANS-03
#[tokio::test]
async fn several_spaces_may_follow_the_scheme() {
    let issuer = issuer();
    for scheme in ["Bearer  ", "Bearer       "] {
        accepts(&issuer, scheme).await;
    }
    assert_eq!(found(b"Bearer  abc"), Ok(b"abc".to_vec()));
}

/// R-TRANS-03: only spaces, no tab and nothing else.
#[tokio::test]
async fn nothing_but_spaces_may_follow_the_scheme() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    for separator in ["\t", " \t", "\t ", "=", ":", "/", "\""] {
        let line = format!("Bearer{separator}{}", issuer.token().sign());
        let response = protected.send_lines(&[line.as_bytes()]).await;
        assert_eq!(response.status(), 401, "{separator:?}");
        assert_invalid(&response, AuthErrorKind::Malformed);
    }
    assert_eq!(protected.calls(), 0);
}

/// R-TRANS-04, R-TRANS-13
#[tokio::test]
async fn another_scheme_counts_as_no_credentials() {
    let lines: [&[u8]; 12] = [
        b"Basic Zm9vOmJhcg==",
        b"Basic",
        b"BearerX abc",
        b"Bearerabc",
        b"Bearer-abc def",
        b"Bearer1 abc",
        b"Beare abc",
        b"DPoP abc",
        b"Token abc",
        b"",
        b" Bearer abc",
        b"\xffBearer abc",
    ];
    refuses(&lines, 401, C1, AuthErrorKind::UnsupportedScheme).await;
}

/// R-TRANS-05
#[tokio::test]
async fn a_scheme_without_a_token_is_a_malformed_request() {
    let lines: [&[u8]; 4] = [b"Bearer", b"Bearer ", b"Bearer  ", b"bearer"];
    refuses(&lines, 400, C2, AuthErrorKind::TokenMissing).await;
}

/// R-TRANS-06, R-TRANS-14
#[tokio::test]
async fn a_token_outside_the_grammar_is_invalid() {
    let lines: [&[u8]; 16] = [
        b"Bearer a b",
        b"Bearer a\"b",
        b"Bearer abc=d",
        b"Bearer =",
        b"Bearer \"abc\"",
        b"Bearer a\tb",
        b"Bearer \t",
        b"Bearer abc\t",
        b"Bearer \xff",
        b"Bearer a.b.\x80",
        b"Bearer \xc3\xa9.\xc3\xa9.\xc3\xa9",
        b"Bearer <script>",
        b"Bearer Bearer abc",
        b"Bearer .",
        b"Bearer ..",
        b"Bearer ....",
    ];
    refuses(&lines, 401, C3, AuthErrorKind::Malformed).await;
}

/// R-TRANS-06: what stands around a good token is not cut away.
#[tokio::test]
async fn a_good_token_with_anything_around_it_is_invalid() {
    let issuer = issuer();
    let token = issuer.token().sign();
    let lines = [
        format!("Bearer {token} "),
        format!("Bearer {token}\t"),
        format!("Bearer {token}="),
        format!("Bearer {token}."),
        format!("Bearer \"{token}\""),
        format!("Bearer {token} {token}"),
        format!("Bearer {token};"),
        format!("Bearer Bearer {token}"),
    ];
    let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    let protected = Protected::by(issuer.verifier());
    for line in lines {
        assert_invalid(&protected.send_lines(&[line]).await, AuthErrorKind::Malformed);
    }
    assert_eq!(protected.calls(), 0);
}

/// R-TRANS-07
#[tokio::test]
async fn a_comma_means_two_merged_credentials() {
    let good = issuer().token().sign();
    let merged = [format!("Bearer {good}, Bearer {good}"), format!("Bearer {good},")];
    let mut lines: Vec<&[u8]> =
        vec![b"Bearer a, Bearer b", b"Bearer a,b", b"Bearer ,", b"Bearer a,Basic b", b"Bearer,a"];
    lines.extend(merged.iter().map(String::as_bytes));
    refuses(&lines, 400, C5, AuthErrorKind::MultipleCredentials).await;
}

/// R-TRANS-08
#[tokio::test]
async fn two_authorization_lines_are_refused() {
    let issuer = issuer();
    let good = format!("Bearer {}", issuer.token().sign());
    let good = good.as_bytes();
    let requests: [&[&[u8]]; 6] = [
        &[good, good],
        &[good, b"Basic Zm9vOmJhcg=="],
        &[b"Basic Zm9vOmJhcg==", good],
        &[good, b""],
        &[b"", good],
        &[good, good, good],
    ];
    let protected = Protected::by(issuer.verifier());
    for lines in requests {
        let response = protected.send_lines(lines).await;
        assert_refused(&response, 400, Some(C5));
        assert_eq!(kind(&response), Some(AuthErrorKind::MultipleCredentials));
    }
    assert_eq!(protected.calls(), 0);
}

/// R-TRANS-10
#[tokio::test]
async fn a_token_in_the_query_is_ignored() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let uri = format!("/r?access_token={}", issuer.token().subject("query").sign());

    let response = protected.send(Request::get(&uri).body(String::new()).unwrap()).await;
    assert_refused(&response, 401, Some(C1));
    assert_eq!(protected.calls(), 0);

    let service = protected.layer.layer(service_fn(whoami));
    let token = issuer.token().subject("header").sign();
    assert_eq!(send(service, test_util::get(&uri, &token)).await.body(), "header");
}

/// R-TRANS-10: neither the traces nor the events have any part of it, whether the request is
/// refused or accepted.
#[tokio::test]
async fn a_token_in_the_query_is_in_no_trace_and_in_no_event() {
    let (issuer, events) = (issuer(), Recorded::default());
    let layer = AuthLayer::builder(issuer.verifier()).on_event((Tracing, events.clone()));
    let protected = Protected::with(layer.build().expect("a layer"), events);
    let in_query = issuer.token().subject("only-in-the-query").sign();
    let uri = format!("/r?access_token={in_query}");
    let in_header = issuer.token().subject("beside-the-query");

    protected.send(Request::get(&uri).body(String::new()).unwrap()).await;
    for token in [&in_header, &in_header.clone().expired()] {
        protected.send(test_util::get(&uri, &token.sign())).await;
    }
    assert_eq!(protected.events.codes(), ["no_credentials", "accepted", "expired"]);

    let events = format!("{:?}", protected.events.all());
    assert!(events.contains("beside-the-query") && traced("beside-the-query"), "{events}");
    for hidden in in_query.split('.').chain(["only-in-the-query"]) {
        assert!(!events.contains(hidden) && !traced(hidden), "{hidden}");
    }
}

/// R-TRANS-15: without keys a token of the issuer is 503, unless its length alone is enough to
/// refuse it.
#[tokio::test]
async fn the_length_is_checked_before_anything_else() {
    let issuer = issuer();
    let trusted = || {
        let issuer = tower_bearer::Issuer::new(issuer.name());
        issuer.audience("https://api.test").algorithms([tower_bearer::Algorithm::Es256])
    };
    let without_keys = |builder: tower_bearer::verifier::VerifierBuilder| {
        Protected::by(builder.issuer(trusted().keys_later()).build().expect("a verifier"))
    };

    let protected = without_keys(Verifier::builder());
    let response = protected.send_token(&issuer.token().sign()).await;
    assert_eq!(kind(&response), Some(AuthErrorKind::KeysUnavailable));
    let response = protected.send_token(&issuer.token().oversized().sign()).await;
    assert_eq!(kind(&response), Some(AuthErrorKind::TokenTooLong));
    assert_refused(&response, 401, Some(C3));

    for (len, reason) in [(8192, AuthErrorKind::Malformed), (8193, AuthErrorKind::TokenTooLong)] {
        assert_eq!(kind(&protected.send_token(&"x".repeat(len)).await), Some(reason), "{len}");
    }
    let protected = without_keys(Verifier::builder().max_token_len(300));
    for (len, reason) in [(300, AuthErrorKind::Malformed), (301, AuthErrorKind::TokenTooLong)] {
        assert_eq!(kind(&protected.send_token(&"x".repeat(len)).await), Some(reason), "{len}");
    }
    assert_eq!(protected.calls(), 0);
}

/// What a server puts into the extensions of a request that came over TLS.
#[derive(Clone)]
struct Tls;

fn https_only(issuer: &TestIssuer) -> Protected<Verifier> {
    let events = Recorded::default();
    let layer = AuthLayer::builder(issuer.verifier())
        .require_https(|head| head.extensions().get::<Tls>().is_some())
        .on_event(events.clone());
    Protected::with(layer.build().expect("a layer"), events)
}

/// R-TRANS-16
#[tokio::test]
async fn plain_http_is_refused_and_never_redirected() {
    let issuer = issuer();
    let protected = https_only(&issuer);
    let token = issuer.token().sign();

    let response = protected.send_token(&token).await;
    assert_refused(&response, 400, None);
    assert!(!response.headers().contains_key("location"));
    assert_eq!(kind(&response), Some(AuthErrorKind::InsecureTransport));
    assert_eq!(protected.events.codes(), ["insecure_transport"]);

    let mut request: Request<String> = test_util::get("/", &token);
    request.extensions_mut().insert(Tls);
    assert_eq!(protected.send(request).await.status(), 200);
    assert_eq!(protected.calls(), 1);
}

/// R-TRANS-16, R-TRANS-19
#[tokio::test]
async fn optional_authentication_does_not_lift_the_demand_for_https() {
    let layer = AuthLayer::builder(issuer().verifier()).require_https(|_| false).optional();
    let protected = Protected::with(layer.build().expect("a layer"), Recorded::default());
    assert_refused(&protected.send_lines(&[]).await, 400, None);
    assert_eq!(protected.calls(), 0);
}

/// R-TRANS-17
#[tokio::test]
async fn forwarding_headers_of_the_client_are_not_believed() {
    let issuer = issuer();
    let protected = https_only(&issuer);
    for (name, value) in [
        ("x-forwarded-proto", "https"),
        ("forwarded", "proto=https"),
        ("x-forwarded-ssl", "on"),
        ("client-cert", ":AAAA:"),
    ] {
        let mut request = test_util::get("/", &issuer.token().sign());
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        assert_refused(&protected.send(request).await, 400, None);
    }
    assert_eq!(protected.calls(), 0);
}

/// R-TRANS-18
#[tokio::test]
async fn an_error_of_any_kind_keeps_the_inner_service_from_being_called() {
    for reason in AuthErrorKind::ALL {
        let events = Recorded::default();
        let layer = AuthLayer::builder(Decided(Err(*reason))).on_event(events.clone()).build();
        let protected = Protected::with(layer.expect("a layer"), events);
        let response = protected.send_token("any").await;
        assert_eq!(kind(&response), Some(*reason));
        assert_eq!(protected.calls(), 0, "{reason:?}");
        assert_eq!(protected.events.codes(), [reason.code()]);
    }
}

/// R-TRANS-18
#[tokio::test]
async fn a_panic_keeps_the_inner_service_from_being_called() {
    #[derive(Clone)]
    struct Panics;
    impl Authenticate for Panics {
        fn authenticate(&self, token: PresentedToken<'_>, _head: &RequestHead<'_>) -> Attempt {
            match token.as_bytes() {
                b"later" => Attempt::Later(Box::pin(async { panic!("of the attempt") })),
                _ => panic!("of the authentication"),
            }
        }
    }
    fn panics<'a>(_head: &RequestHead<'a>) -> Result<PresentedToken<'a>, AuthError> {
        panic!("of the finder")
    }

    let authentication = Protected::with(AuthLayer::new(Panics), Recorded::default());
    for token in ["now", "later"] {
        let protected = authentication.clone();
        let sent = tokio::spawn(async move { protected.send_token(token).await.status() });
        assert!(sent.await.expect_err("a panic").is_panic());
    }
    assert_eq!(authentication.calls(), 0);

    let layer = AuthLayer::builder(issuer().verifier()).find_token(panics).optional();
    let finder = Protected::with(layer.build().expect("a layer"), Recorded::default());
    let protected = finder.clone();
    let sent = tokio::spawn(async move { protected.send_lines(&[]).await.status() });
    assert!(sent.await.expect_err("a panic").is_panic());
    assert_eq!(finder.calls(), 0);
}

fn optional(issuer: &TestIssuer) -> Protected<Verifier> {
    let events = Recorded::default();
    let layer = AuthLayer::builder(issuer.verifier()).optional().on_event(events.clone());
    Protected::with(layer.build().expect("a layer"), events)
}

/// R-TRANS-19
#[tokio::test]
async fn optional_authentication_lets_requests_without_credentials_through() {
    let issuer = issuer();
    let protected = optional(&issuer);
    let service = protected.layer.layer(service_fn(whoami));
    for request in
        [Request::new(String::new()), with_lines(&[("authorization", b"Basic Zm9vOmJhcg==")])]
    {
        assert_eq!(send(service.clone(), request).await.body(), "anonymous");
    }
    let token = issuer.token().subject("alice").sign();
    assert_eq!(send(service, test_util::get("/", &token)).await.body(), "alice");
    assert_eq!(protected.events.codes(), ["accepted"; 3]);
}

/// R-TRANS-19
#[tokio::test]
async fn optional_authentication_refuses_bad_credentials() {
    let issuer = issuer();
    let protected = optional(&issuer);
    let token = |token: test_util::TokenBuilder| format!("Bearer {}", token.sign());
    let cases = [
        (token(issuer.token().expired()), 401, C3X),
        (token(issuer.token().tampered()), 401, C3),
        (token(issuer.token().unsigned()), 401, C3),
        ("Bearer abc".to_owned(), 401, C3),
        ("Bearer".to_owned(), 400, C2),
        ("Bearer a, Bearer b".to_owned(), 400, C5),
    ];
    for (line, status, challenge) in cases {
        let response = protected.send_lines(&[line.as_bytes()]).await;
        assert_refused(&response, status, Some(challenge));
    }
    let response = protected.send_lines(&[b"Basic a", b"Basic b"]).await;
    assert_refused(&response, 400, Some(C5));
    assert_eq!(protected.calls(), 0);
}

/// R-TRANS-20, R-TRANS-25
#[tokio::test]
async fn every_method_is_treated_alike() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    let get = protected.send_lines(&[]).await;
    assert_refused(&get, 401, Some(C1));
    let methods =
        ["HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "X"];
    for method in methods {
        let mut request = Request::new(String::new());
        *request.method_mut() = method.parse().unwrap();
        let response = protected.send(request).await;
        assert_eq!(response.status(), get.status(), "{method}");
        assert_eq!(response.headers(), get.headers(), "{method}");
        assert_eq!(protected.calls(), 0, "{method}");
    }
    for method in methods {
        let request = test_util::request(method, "/", &issuer.token().sign());
        assert_eq!(protected.send(request).await.body(), "ok", "{method}");
    }
    assert_eq!(protected.calls(), methods.len());
}

/// R-TRANS-20: a preflight request with all that a browser sends is no exception.
#[tokio::test]
async fn a_preflight_request_is_refused_by_the_layer_alone() {
    let protected = Protected::by(issuer().verifier());
    let request = Request::options("/")
        .header("origin", "https://app.test")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization");
    let response = protected.send(request.body(String::new()).unwrap()).await;
    assert_refused(&response, 401, Some(C1));
    assert_eq!(protected.calls(), 0);
}

/// Answers with what `Debug` of the request shows.
async fn shown(request: Request<String>) -> Result<Response<String>, Infallible> {
    Ok(Response::new(format!("{request:?} {:?}", RequestHead::of(&request))))
}

/// R-TRANS-21
#[tokio::test]
async fn debug_of_an_accepted_request_hides_the_token() {
    let issuer = issuer();
    let token = issuer.token().sign();
    let finder = || CookieToken::danger_without_csrf_defence("__Host-token").expect("a finder");
    let layer = AuthLayer::builder(issuer.verifier()).find_token(finder()).build();
    let service = layer.expect("a layer").layer(service_fn(shown));

    let cookie = format!("a=b; __Host-token={token}");
    for (name, value) in [("authorization", format!("Bearer {token}")), ("cookie", cookie)] {
        let request = with_lines(&[(name, value.as_bytes())]);
        assert!(format!("{request:?}").contains(&token), "the test would show nothing");
        let response = send(service.clone(), request).await;
        assert!(response.body().contains("Sensitive"), "{}", response.body());
        assert!(!response.body().contains("eyJ"), "{}", response.body());
    }
}

/// R-TRANS-21: whatever finder is used, no `Authorization` line is shown.
#[tokio::test]
async fn debug_of_an_accepted_request_hides_every_line() {
    fn second_line<'a>(head: &RequestHead<'a>) -> Result<PresentedToken<'a>, AuthError> {
        let line = head.headers().get_all("authorization").iter().nth(1);
        line.map(|line| PresentedToken::new(line.as_bytes()))
            .ok_or_else(|| AuthErrorKind::NoCredentials.into())
    }
    let issuer = issuer();
    let token = issuer.token().sign();
    let layer = AuthLayer::builder(issuer.verifier()).find_token(second_line).build();
    let service = layer.expect("a layer").layer(service_fn(shown));
    let request =
        with_lines(&[("authorization", b"Gateway abc"), ("authorization", token.as_bytes())]);
    let response = send(service, request).await;
    assert_eq!(response.status(), 200);
    assert!(!response.body().contains("eyJ"), "{}", response.body());
}

/// R-TRANS-21, X-LOG-01: what finders and policies get to see does not show it either.
#[test]
fn debug_of_a_request_head_shows_no_header_and_no_query() {
    let mut request: Request<()> = with_lines(&[("authorization", b"Bearer s3cr3t")]);
    *request.uri_mut() = "/path?access_token=s3cr3t".parse().unwrap();
    let head = RequestHead::of(&request);
    assert_eq!(format!("{head:?}"), r#"RequestHead { method: GET, path: "/path", .. }"#);
    let token = BearerHeader.find(&head).expect("a token");
    assert_eq!(token.as_bytes(), b"s3cr3t");
    assert_eq!(format!("{token:?}"), "PresentedToken([redacted])");
}

/// R-TRANS-22
#[tokio::test]
async fn cookies_are_not_read_by_default() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    for name in ["access_token", "__Host-token", "Authorization", "token"] {
        let cookie = format!("{name}={}", issuer.token().sign());
        let response = protected.send(with_lines(&[("cookie", cookie.as_bytes())])).await;
        assert_refused(&response, 401, Some(C1));
    }
    assert_eq!(protected.calls(), 0);
}

/// R-TRANS-22
#[test]
fn a_cookie_must_be_one_that_browsers_send_over_tls_only() {
    let finder = CookieToken::danger_without_csrf_defence;
    for name in ["__Host-token", "__Secure-token", "__Host-a.b_c-1"] {
        assert!(finder(name).is_ok(), "{name}");
    }
    for name in [
        "",
        "token",
        "__Host-",
        "__Secure-",
        "__host-token",
        "__Host-a=b",
        "__Host-a;b",
        "__Host-a b",
        "__Host-é",
    ] {
        let error = finder(name).expect_err(name);
        assert!(
            matches!(&error, ConfigError::InvalidSourceName { name: named, .. } if named == name)
        );
    }
}

fn by_cookie(issuer: &TestIssuer) -> Protected<Verifier, CookieToken> {
    let finder = CookieToken::danger_without_csrf_defence("__Host-token").expect("a finder");
    let events = Recorded::default();
    let layer =
        AuthLayer::builder(issuer.verifier()).find_token(finder).on_event(events.clone()).build();
    Protected::with(layer.expect("a layer"), events)
}

/// R-TRANS-22
#[tokio::test]
async fn a_cookie_of_the_chosen_name_carries_the_token() {
    let issuer = issuer();
    let protected = by_cookie(&issuer);
    let token = issuer.token().sign();
    let accepted = [
        vec![("cookie", format!("__Host-token={token}"))],
        vec![("cookie", format!("a=b; __Host-token={token};c=d"))],
        vec![("cookie", "a=b".to_owned()), ("cookie", format!("c; __Host-token={token}"))],
        vec![("authorization", format!("Bearer {token}"))],
        vec![("cookie", "a=b".to_owned()), ("authorization", format!("Bearer {token}"))],
    ];
    for lines in &accepted {
        let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        assert_eq!(protected.send(with_lines(&lines)).await.body(), "ok", "{lines:?}");
    }
    assert_eq!(protected.calls(), accepted.len());
}

/// R-TRANS-09, R-TRANS-22
#[tokio::test]
async fn a_token_in_more_than_one_place_is_refused() {
    let issuer = issuer();
    let protected = by_cookie(&issuer);
    let token = issuer.token().sign();
    let cookie = format!("__Host-token={token}");
    let bearer = format!("Bearer {token}");
    let requests: [&[(&'static str, &str)]; 5] = [
        &[("cookie", &cookie), ("authorization", &bearer)],
        &[("cookie", &cookie), ("authorization", "Basic Zm9vOmJhcg==")],
        &[("cookie", &cookie), ("cookie", &cookie)],
        &[("cookie", &format!("{cookie}; {cookie}"))],
        &[("cookie", "__Host-token="), ("authorization", &bearer)],
    ];
    for lines in requests {
        let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let response = protected.send(with_lines(&lines)).await;
        assert_refused(&response, 400, Some(C5));
    }
    assert_eq!(protected.calls(), 0);
}

/// R-TRANS-22: names are compared whole and in their case.
#[tokio::test]
async fn a_cookie_without_a_usable_token_is_refused() {
    let issuer = issuer();
    let protected = by_cookie(&issuer);
    let token = issuer.token().sign();
    let cases = [
        (format!("__Host-Token={token}"), 401, C1),
        (format!("x__Host-token={token}"), 401, C1),
        (format!("__Host-token2={token}"), 401, C1),
        (format!("a=__Host-token={token}"), 401, C1),
        ("__Host-token".to_owned(), 401, C1),
        ("__Host-token=".to_owned(), 400, C2),
        (format!("__Host-token=\"{token}\""), 401, C3),
        (format!("__Host-token={}", issuer.token().tampered().sign()), 401, C3),
        (format!("__Host-token={}", issuer.token().expired().sign()), 401, C3X),
    ];
    for (cookie, status, challenge) in cases {
        let response = protected.send(with_lines(&[("cookie", cookie.as_bytes())])).await;
        assert_refused(&response, status, Some(challenge));
    }
    assert_eq!(protected.calls(), 0);
}

fn api_token<'a>(head: &RequestHead<'a>) -> Result<PresentedToken<'a>, AuthError> {
    let mut values = head.headers().get_all("x-api-token").iter();
    match (values.next(), values.next()) {
        (None, _) => Err(AuthErrorKind::NoCredentials.into()),
        (Some(value), None) => Ok(PresentedToken::new(value.as_bytes())),
        (Some(_), Some(_)) => Err(AuthErrorKind::MultipleCredentials.into()),
    }
}

/// A finder of one's own is the only place that is looked at, and what it finds is only a token
/// once it is verified.
#[tokio::test]
async fn a_custom_finder_replaces_the_header() {
    let issuer = issuer();
    let layer = AuthLayer::builder(issuer.verifier()).find_token(api_token).build();
    let protected = Protected::with(layer.expect("a layer"), Recorded::default());
    let token = issuer.token().sign();
    let bearer = format!("Bearer {token}");

    let good: &[(&'static str, &[u8])] = &[("x-api-token", token.as_bytes())];
    assert_eq!(protected.send(with_lines(good)).await.body(), "ok");
    type Lines<'a> = &'a [(&'static str, &'a [u8])];
    let cases: [(Lines<'_>, _, _); 4] = [
        (&[("authorization", bearer.as_bytes())], 401, C1),
        (&[good[0], good[0]], 400, C5),
        (&[("x-api-token", bearer.as_bytes())], 401, C3),
        (&[("x-api-token", b"\xff")], 401, C3),
    ];
    for (lines, status, challenge) in cases {
        assert_refused(&protected.send(with_lines(lines)).await, status, Some(challenge));
    }
    assert_eq!(protected.calls(), 1);
}

/// R-TRANS-24
#[tokio::test]
async fn a_planted_context_is_replaced() {
    let issuer = issuer();
    let planted = issuer.verifier().verify_now(&issuer.token().subject("planted").sign());
    let planted = AuthContext::from(planted.expect("a good token"));
    let layer = AuthLayer::builder(issuer.verifier()).optional().build().expect("a layer");
    let service = layer.layer(service_fn(whoami));

    let mut request = test_util::get("/", &issuer.token().subject("alice").sign());
    request.extensions_mut().insert(planted.clone());
    assert_eq!(send(service.clone(), request).await.body(), "alice");

    let mut request = Request::new(String::new());
    request.extensions_mut().insert(planted.clone());
    assert_eq!(send(service.clone(), request).await.body(), "anonymous");

    let mut request = test_util::get("/", "bad");
    request.extensions_mut().insert(planted);
    assert_refused(&send(service, request).await, 401, Some(C3));
}

/// X-BF-09: each request is decided about once, by one call.
#[test]
fn a_request_is_authenticated_once() {
    struct Counts;
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    impl Authenticate for Counts {
        fn authenticate(&self, _token: PresentedToken<'_>, _head: &RequestHead<'_>) -> Attempt {
            CALLS.fetch_add(1, Ordering::Relaxed);
            Attempt::Ready(Err(AuthErrorKind::Malformed.into()))
        }
    }
    let service = AuthLayer::new(Counts).layer(service_fn(whoami::<String>));
    let Ok(response) = at_once(service.oneshot(test_util::get("/", "abc")));
    assert_refused(&response, 401, Some(C3));
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
}
