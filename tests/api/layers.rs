use std::{
    convert::Infallible,
    error::Error,
    fmt,
    future::{Ready, ready},
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{Empty, Full, combinators::BoxBody, combinators::UnsyncBoxBody};
use tokio::sync::oneshot;
use tower::{
    Layer, Service, ServiceBuilder, ServiceExt,
    buffer::Buffer,
    limit::ConcurrencyLimit,
    load_shed::{LoadShed, error::Overloaded},
    service_fn,
};
use tower_bearer::{
    AuthContext, AuthError, AuthErrorKind, AuthLayer, ConfigError, Grant, Issuer, Require,
    RequireScope, Verified, Verifier,
    auth::{AuthLayerBuilder, AuthService, EmptyBody, ResponseFuture},
    authenticate::{Attempt, Authenticate},
    event::{AuthEvent, Queued},
    key::{KeySet, VerifyingKey},
    require::GuardService,
    scope,
    scope::{Requirement, ScopeSet, ScopeToken},
    test_util::{self, TestIssuer},
    token::{BearerHeader, CookieToken, PresentedToken, RequestHead},
    verifier::VerifierBuilder,
};
use tower_test::mock;

use crate::support::{
    C1, C3, C3X, Decided, Protected, Recorded, assert_invalid, assert_refused, at_once, c4,
    challenges, issuer, kind, poll_once, send, whoami,
};

type Sent = Request<String>;
type Received = Response<String>;
type Decision = Result<AuthContext, AuthError>;

/// Decides when it is told to, one request only.
struct Waits(Mutex<Option<oneshot::Receiver<Decision>>>);

impl Waits {
    fn new() -> (Self, oneshot::Sender<Decision>) {
        let (decide, decided) = oneshot::channel();
        (Self(Mutex::new(Some(decided))), decide)
    }
}

impl Authenticate for Waits {
    fn authenticate(&self, _token: PresentedToken<'_>, _head: &RequestHead<'_>) -> Attempt {
        let decided = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let decided = decided.expect("one request only");
        Attempt::Later(Box::pin(async { decided.await.expect("a decision") }))
    }
}

fn caller(issuer: &TestIssuer) -> AuthContext {
    Decided::caller(issuer, "").0.expect("a caller")
}

fn with_token() -> Sent {
    test_util::get("/", "any")
}

/// The error of the inner service, exactly.
fn message(error: &(dyn Error + Send + Sync)) -> String {
    error.to_string()
}

#[test]
fn readiness_of_the_inner_service_is_forwarded() {
    assert_forwards_readiness(AuthLayer::new(issuer().verifier()));
}

#[test]
fn readiness_is_forwarded_through_guards() {
    assert_forwards_readiness(
        ServiceBuilder::new()
            .layer(RequireScope::from(scope!("a")))
            .layer(Require::that(|_, _| true))
            .into_inner(),
    );
}

#[track_caller]
fn assert_forwards_readiness<L>(layer: L)
where
    L: Layer<mock::Mock<Sent, Received>>,
    L::Service: Service<Sent, Error = tower::BoxError>,
{
    let (mut service, mut handle) = mock::spawn_layer::<Sent, Received, _>(layer);
    handle.allow(0);
    assert!(service.poll_ready().is_pending());
    handle.allow(1);
    assert!(service.is_woken());
    assert!(matches!(service.poll_ready(), Poll::Ready(Ok(()))));

    handle.send_error("the inner service broke");
    let Poll::Ready(Err(error)) = service.poll_ready() else { panic!("an error was due") };
    assert_eq!(message(&*error), "the inner service broke");
}

/// The mock panics if it is called without having been polled ready.
#[test]
fn the_service_that_was_polled_ready_is_called() {
    let issuer = issuer();
    let layer = AuthLayer::new(issuer.verifier());
    let (mut service, mut handle) = mock::spawn_layer::<Sent, Received, _>(layer);
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
    let mut response = Box::pin(service.call(test_util::get("/", &issuer.token().sign())));
    assert!(poll_once(&mut response).is_pending());

    let Poll::Ready(Some((request, answer))) = handle.poll_request() else {
        panic!("the inner service was not called")
    };
    assert!(request.extensions().get::<AuthContext>().is_some());
    answer.send_response(Response::new("ok".to_owned()));
    let Poll::Ready(Ok(response)) = poll_once(&mut response) else { panic!("no response") };
    assert_eq!(response.body(), "ok");
}

/// As above for an attempt that is decided later: the ready service goes along with the request,
/// and the one that stays must be polled again.
#[test]
fn the_service_that_was_polled_ready_is_called_after_waiting() {
    let issuer = issuer();
    let (waits, decide) = Waits::new();
    let (mut service, mut handle) = mock::spawn_layer::<Sent, Received, _>(AuthLayer::new(waits));
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
    let mut response = Box::pin(service.call(with_token()));
    assert!(poll_once(&mut response).is_pending());
    assert!(handle.poll_request().is_pending(), "called before the decision");
    handle.allow(0);
    assert!(service.poll_ready().is_pending(), "the readiness was used twice");

    decide.send(Ok(caller(&issuer))).expect("the attempt waits");
    assert!(poll_once(&mut response).is_pending());
    let Poll::Ready(Some((request, answer))) = handle.poll_request() else {
        panic!("the inner service was not called")
    };
    let context = request.extensions().get::<AuthContext>().expect("a context");
    assert_eq!(context.grant().and_then(Grant::subject), Some("user-1"));
    assert!(request.headers()["authorization"].is_sensitive());
    answer.send_response(Response::new("ok".to_owned()));
    let Poll::Ready(Ok(response)) = poll_once(&mut response) else { panic!("no response") };
    assert_eq!(response.body(), "ok");
}

/// R-TRANS-18
#[test]
fn a_refused_request_does_not_reach_the_inner_service() {
    let issuer = issuer();
    let events = Recorded::default();
    let layer = AuthLayer::builder(issuer.verifier()).on_event(events.clone()).build();
    let (mut service, mut handle) = mock::spawn_layer::<Sent, Received, _>(layer.expect("a layer"));
    assert!(service.poll_ready().is_ready());
    let mut response =
        Box::pin(service.call(test_util::get("/", &issuer.token().expired().sign())));
    let Poll::Ready(Ok(refused)) = poll_once(&mut response) else { panic!("no response") };
    assert_refused(&refused, 401, Some(C3X));
    assert!(handle.poll_request().is_pending());
    assert_eq!(events.codes(), ["expired"]);
    // Polled again it neither panics nor refuses twice.
    assert!(poll_once(&mut response).is_pending());
    assert_eq!(events.codes(), ["expired"]);
}

/// R-TRANS-18
#[test]
fn a_request_that_is_refused_later_does_not_reach_the_inner_service() {
    let (waits, decide) = Waits::new();
    let events = Recorded::default();
    let layer = AuthLayer::builder(waits).on_event(events.clone()).build().expect("a layer");
    let (mut service, mut handle) = mock::spawn_layer::<Sent, Received, _>(layer);
    assert!(service.poll_ready().is_ready());
    let mut response = Box::pin(service.call(with_token()));
    assert!(poll_once(&mut response).is_pending());
    assert_eq!(events.codes(), [""; 0]);
    decide.send(Err(AuthErrorKind::UnknownKey.into())).expect("the attempt waits");
    let Poll::Ready(Ok(refused)) = poll_once(&mut response) else { panic!("no response") };
    assert_invalid(&refused, AuthErrorKind::UnknownKey);
    assert!(handle.poll_request().is_pending());
    assert_eq!(events.codes(), ["unknown_key"]);
}

/// R-TRANS-18: a caller that gives up, for example by a timeout around the layer.
#[test]
fn dropping_the_response_gives_the_attempt_up() {
    let issuer = issuer();
    let (waits, decide) = Waits::new();
    let (mut service, mut handle) = mock::spawn_layer::<Sent, Received, _>(AuthLayer::new(waits));
    assert!(service.poll_ready().is_ready());
    let mut response = Box::pin(service.call(with_token()));
    assert!(poll_once(&mut response).is_pending());
    drop(response);
    assert!(decide.is_closed());
    assert!(decide.send(Ok(caller(&issuer))).is_err());
    assert!(handle.poll_request().is_pending());
}

/// A decision wakes the task that waits for it.
#[tokio::test]
async fn a_late_decision_wakes_the_request() {
    let (waits, decide) = Waits::new();
    let service = AuthLayer::new(waits).layer(service_fn(whoami));
    let sent = tokio::spawn(send(service, with_token()));
    tokio::task::yield_now().await;
    decide.send(Ok(caller(&issuer()))).expect("the attempt waits");
    assert_eq!(sent.await.expect("no panic").body(), "user-1");
}

/// An inner service that never answers, one request at a time.
fn one_at_a_time() -> ConcurrencyLimit<
    impl Service<Sent, Response = Received, Error = Infallible, Future: Send> + Clone,
> {
    let never = service_fn(|_: Sent| std::future::pending::<Result<Received, Infallible>>());
    ConcurrencyLimit::new(never, 1)
}

/// The permit of the inner service, taken by `poll_ready`, is given back on every way out.
#[test]
fn a_request_that_ends_early_gives_its_permit_back() {
    let issuer = issuer();
    let is_free = |limited: &ConcurrencyLimit<_>| {
        let mut other = limited.clone();
        poll_once(&mut Box::pin(ServiceExt::<Sent>::ready(&mut other))).is_ready()
    };

    // Refused later.
    let limited = one_at_a_time();
    let (waits, decide) = Waits::new();
    let mut response = Box::pin(AuthLayer::new(waits).layer(limited.clone()).oneshot(with_token()));
    assert!(poll_once(&mut response).is_pending());
    assert!(!is_free(&limited));
    decide.send(Err(AuthErrorKind::UnknownKey.into())).expect("the attempt waits");
    assert!(poll_once(&mut response).is_ready());
    assert!(is_free(&limited));

    // Given up while waiting.
    let (waits, _decide) = Waits::new();
    let mut response = Box::pin(AuthLayer::new(waits).layer(limited.clone()).oneshot(with_token()));
    assert!(poll_once(&mut response).is_pending());
    drop(response);
    assert!(is_free(&limited));

    // Given up inside the inner service.
    let service = AuthLayer::new(Decided(Ok(caller(&issuer)))).layer(limited.clone());
    let mut response = Box::pin(service.oneshot(with_token()));
    assert!(poll_once(&mut response).is_pending());
    assert!(!is_free(&limited));
    drop(response);
    assert!(is_free(&limited));

    // Refused at once, by a service that lives on.
    let mut service = AuthLayer::new(Decided(Err(AuthErrorKind::Malformed))).layer(limited.clone());
    let ready = at_once(service.ready()).expect("no error");
    assert!(!is_free(&limited));
    assert!(poll_once(&mut Box::pin(ready.call(with_token()))).is_ready());
    assert!(is_free(&limited));

    // Refused by a guard, which lives on too.
    let mut guard = RequireScope::from(scope!("a")).layer(limited.clone());
    let ready = at_once(guard.ready()).expect("no error");
    assert!(!is_free(&limited));
    assert!(poll_once(&mut Box::pin(ready.call(with_token()))).is_ready());
    assert!(is_free(&limited));
}

/// Nobody but an optional layer lets a request through without a caller.
#[tokio::test]
async fn an_anonymous_caller_passes_an_optional_layer_only() {
    let (waits, decide) = Waits::new();
    decide.send(Ok(AuthContext::anonymous())).expect("the attempt waits");
    let later = AuthLayer::new(waits).layer(service_fn(whoami::<String>));
    assert_refused(&send(later, with_token()).await, 401, Some(C1));

    let decided = Decided(Ok(AuthContext::anonymous()));
    let strict = AuthLayer::new(decided.clone()).layer(service_fn(whoami::<String>));
    assert_refused(&send(strict, with_token()).await, 401, Some(C1));

    let optional = AuthLayer::builder(decided).optional().build().expect("a layer");
    let response = send(optional.layer(service_fn(whoami::<String>)), with_token()).await;
    assert_eq!(response.body(), "anonymous");
}

#[tokio::test]
async fn the_layer_works_under_and_around_a_buffer() {
    let issuer = issuer();
    let (good, bad) = (issuer.token().sign(), issuer.token().tampered().sign());
    let answers = service_fn(whoami::<String>);

    let under = Buffer::new(AuthLayer::new(issuer.verifier()).layer(answers), 4);
    let around = AuthLayer::new(issuer.verifier()).layer(Buffer::new(answers, 4));
    let guarded = AuthLayer::new(issuer.verifier())
        .layer(RequireScope::authenticated().layer(Buffer::new(answers, 4)));
    for _ in 0..10 {
        let response = under.clone().oneshot(test_util::get("/", &good)).await.expect("an answer");
        assert_eq!(response.body(), "user-1");
        let response = around.clone().oneshot(test_util::get("/", &good)).await.expect("an answer");
        assert_eq!(response.body(), "user-1");
        let response =
            guarded.clone().oneshot(test_util::get("/", &good)).await.expect("an answer");
        assert_eq!(response.body(), "user-1");
        let response = under.clone().oneshot(test_util::get("/", &bad)).await.expect("an answer");
        assert_refused(&response, 401, Some(C3));
        let response = around.clone().oneshot(test_util::get("/", &bad)).await.expect("an answer");
        assert_refused(&response, 401, Some(C3));
    }
}

/// A buffer panics if a clone of it is called that was not polled ready.
#[tokio::test]
async fn a_buffer_inside_is_called_ready_after_waiting() {
    let (waits, decide) = Waits::new();
    let service = AuthLayer::new(waits).layer(Buffer::new(service_fn(whoami::<String>), 1));
    decide.send(Ok(caller(&issuer()))).expect("the attempt waits");
    assert_eq!(service.oneshot(with_token()).await.expect("an answer").body(), "user-1");
}

/// Without the layer knowing, an overload is still an error of the inner service.
#[test]
fn overload_of_the_inner_service_is_shed() {
    let issuer = issuer();
    let limited = LoadShed::new(one_at_a_time());
    let service = AuthLayer::new(issuer.verifier()).layer(limited);
    let request = || test_util::get::<String>("/", &issuer.token().sign());
    let mut first = Box::pin(service.clone().oneshot(request()));
    assert!(poll_once(&mut first).is_pending());
    let error = at_once(service.oneshot(request())).expect_err("an overload");
    assert!(error.is::<Overloaded>());
}

#[tokio::test]
async fn the_layer_works_under_load_shed_and_a_limit() {
    let issuer = issuer();
    let service = ServiceBuilder::new()
        .load_shed()
        .concurrency_limit(1)
        .layer(AuthLayer::new(issuer.verifier()))
        .service_fn(whoami::<String>);
    for _ in 0..3 {
        let bad = service.clone().oneshot(test_util::get("/", "bad")).await.expect("an answer");
        assert_refused(&bad, 401, Some(C3));
        let good = test_util::get("/", &issuer.token().sign());
        let good = service.clone().oneshot(good).await.expect("an answer");
        assert_eq!(good.body(), "user-1");
    }
}

/// An error type that is nothing but itself.
#[derive(Debug, PartialEq)]
struct Mine(u8);

#[test]
fn errors_of_the_inner_service_pass_untouched() {
    let issuer = issuer();
    let events = Recorded::default();
    let layer = AuthLayer::builder(issuer.verifier()).on_event(events.clone()).build();
    let inner = service_fn(|_: Sent| async { Err::<Received, _>(Mine(7)) });
    let inner = Require::that(|_, _| true).layer(RequireScope::authenticated().layer(inner));
    let service = layer.expect("a layer").layer(inner);
    let result = at_once(service.oneshot(test_util::get("/", &issuer.token().sign())));
    assert_eq!(result.expect_err("an error"), Mine(7));
    assert_eq!(events.codes(), ["accepted"]);
}

/// A service that answers with an empty body of any type.
fn accepts<B: Default>(_: Request<impl Sized>) -> Ready<Result<Response<B>, Mine>> {
    ready(Ok(Response::new(B::default())))
}

/// Both layers around a service with these bodies.
fn works_with<ReqBody: Default, ResBody: Default + 'static>() {
    let issuer = issuer();
    let service = ServiceBuilder::new()
        .layer(AuthLayer::new(issuer.verifier()))
        .layer(RequireScope::from(scope!("a")))
        .layer(Require::that(|_, _| true))
        .service_fn(accepts::<ResBody>);
    let status = |token: &str| {
        let response = at_once(service.clone().oneshot(test_util::get::<ReqBody>("/", token)));
        response.expect("an answer").status().as_u16()
    };
    assert_eq!(status(&issuer.token().scope("a").sign()), 200);
    assert_eq!(status(&issuer.token().sign()), 403);
    assert_eq!(status("bad"), 401);
}

#[test]
fn any_request_body_and_any_response_body_with_a_default_will_do() {
    works_with::<(), ()>();
    works_with::<String, Vec<u8>>();
    works_with::<Empty<Bytes>, Full<Bytes>>();
    works_with::<Full<Bytes>, Empty<Bytes>>();
    works_with::<Full<Bytes>, BoxBody<Bytes, Mine>>();
    works_with::<Bytes, UnsyncBoxBody<Bytes, Mine>>();
    works_with::<Option<tonic::body::Body>, tonic::body::Body>();
    // Bodies that cannot leave their thread.
    works_with::<Rc<String>, Rc<String>>();
}

/// A body without a default needs a responder of one's own, and no guard.
#[test]
fn a_closure_serves_a_body_without_a_default() {
    struct NoDefault(&'static str);
    let layer = AuthLayer::builder(issuer().verifier())
        .respond_with(|_: &tower_bearer::auth::Refusal<'_>| Response::new(NoDefault("refused")))
        .build()
        .expect("a layer");
    let inner =
        service_fn(|_: Request<()>| async { Ok::<_, Mine>(Response::new(NoDefault("ok"))) });
    let response = at_once(layer.layer(inner).oneshot(Request::new(()))).expect("an answer");
    assert_eq!((response.status().as_u16(), response.body().0), (401, "refused"));
}

/// A service as written for hyper, without any framework.
#[derive(Clone)]
struct Plain;

impl Service<Request<Full<Bytes>>> for Plain {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let context = request.extensions().get::<AuthContext>().expect("a context");
        let caller = context.grant().and_then(Grant::subject).unwrap_or("nobody");
        ready(Ok(Response::new(caller.to_owned().into())))
    }
}

#[tokio::test]
async fn a_plain_hyper_service_can_be_protected() {
    use http_body_util::BodyExt as _;
    use hyper::service::Service as _;

    let issuer = issuer();
    let protected = AuthLayer::new(issuer.verifier()).layer(Plain);
    let service = hyper_util::service::TowerToHyperService::new(protected);
    let Ok(response) = service.call(test_util::get("/", &issuer.token().sign())).await;
    assert_eq!(response.status(), 200);
    let Ok(body) = response.into_body().collect().await;
    assert_eq!(body.to_bytes(), "user-1");
    let Ok(response) = service.call(Request::new(Full::default())).await;
    assert_eq!(response.status(), 401);
    assert_eq!(challenges(response.headers()), [C1]);
}

/// Who the layers outside learn that the caller is.
fn echoed(response: &Received) -> Option<Option<&str>> {
    let context = response.extensions().get::<AuthContext>()?;
    Some(context.grant().and_then(Grant::subject))
}

#[tokio::test]
async fn the_caller_is_echoed_on_demand() {
    let issuer = issuer();
    let layer = AuthLayer::builder(issuer.verifier()).optional();
    let guard = RequireScope::from(scope!("a"));
    let open = layer.echo_caller().build().expect("a layer").layer(service_fn(whoami));
    let guarded = AuthLayer::builder(issuer.verifier()).echo_caller().build().expect("a layer");
    let guarded = guarded.layer(guard.layer(service_fn(whoami)));
    let silent = AuthLayer::new(issuer.verifier()).layer(service_fn(whoami));
    let request = || test_util::get("/", &issuer.token().subject("alice").sign());

    assert_eq!(echoed(&send(open.clone(), request()).await), Some(Some("alice")));
    assert_eq!(echoed(&send(open.clone(), Request::new(String::new())).await), Some(None));
    assert_eq!(echoed(&send(open, test_util::get("/", "bad")).await), None);
    let refused = send(guarded, request()).await;
    assert_refused(&refused, 403, Some(&c4("a")));
    assert_eq!(echoed(&refused), Some(Some("alice")));
    assert_eq!(kind(&refused), Some(AuthErrorKind::InsufficientScope));
    assert_eq!(echoed(&send(silent, request()).await), None);
}

/// X-LOG-09: the error is there for layers outside, but never on an accepted response.
#[tokio::test]
async fn the_error_is_in_the_extensions_of_a_refusal_only() {
    let issuer = issuer();
    let protected = Protected::by(issuer.verifier());
    assert_eq!(kind(&protected.send_token("bad").await), Some(AuthErrorKind::Malformed));
    assert_eq!(kind(&protected.send_token(&issuer.token().sign()).await), None);
}

#[tokio::test]
async fn clones_share_the_keys() {
    let (old, new) = (issuer(), issuer());
    let verifier = old.verifier();
    let layer = AuthLayer::new(verifier.clone());
    let service = layer.clone().layer(service_fn(whoami));
    let (before, after) = (old.token().sign(), new.token().sign());
    assert_eq!(send(service.clone(), test_util::get("/", &before)).await.status(), 200);
    assert_eq!(send(service.clone(), test_util::get("/", &after)).await.status(), 401);
    verifier.replace_keys(old.name(), new.keys()).expect("usable keys");
    assert_eq!(send(service.clone(), test_util::get("/", &before)).await.status(), 401);
    assert_eq!(send(service, test_util::get("/", &after)).await.status(), 200);
}

fn allocations(run: impl FnOnce()) -> u64 {
    allocation_counter::measure(run).count_total
}

#[test]
fn cloning_allocates_nothing() {
    let layer = AuthLayer::new(issuer().verifier());
    let service = layer.layer(Plain);
    let guard = RequireScope::all([scope!("a"), scope!("b")]);
    let policy = Require::that(|_, _| true);
    assert_eq!(allocations(|| drop(layer.clone())), 0);
    assert_eq!(allocations(|| drop(service.clone())), 0);
    assert_eq!(allocations(|| drop(guard.clone())), 0);
    assert_eq!(allocations(|| drop(policy.clone())), 0);
}

/// What is allocated is the one entry in the extensions of the request.
#[test]
fn the_fast_path_boxes_nothing() {
    let inner = service_fn(|_: Request<()>| ready(Ok::<_, Infallible>(Response::new(()))));
    let issuer = issuer();
    let entry = {
        let (context, mut request) = (caller(&issuer), test_util::get::<()>("/", "any"));
        allocations(move || drop(request.extensions_mut().insert(context)))
    };
    let layer = AuthLayer::builder(Decided::caller(&issuer, "a")).on_event(()).build();
    let guards = Require::that(|_, _| true).layer(RequireScope::from(scope!("a")).layer(inner));
    let mut service = layer.expect("a layer").layer(guards);
    let request = test_util::get::<()>("/", "any");
    let whole = allocations(|| {
        let future = std::pin::pin!(service.call(request));
        let waker = std::task::Waker::noop();
        assert!(future.poll(&mut Context::from_waker(waker)).is_ready());
    });
    assert_eq!(whole, entry);
}

/// X-BF-09: garbage costs the same, however many keys there are.
#[test]
fn refusing_a_token_costs_the_same_with_one_key_and_with_a_hundred() {
    let issuer = issuer();
    let token = issuer.token().foreign_key().sign();
    let garbage = "x".repeat(8192);
    let oversized = "x".repeat(100_000);
    let cost = |others: usize| {
        let keys = (0..others).map(|number| {
            issuer.key().clone().with_id(format!("other-{number}")).expect("a key id")
        });
        let trusted = issuer.trusted().keys(KeySet::new(keys));
        let verifier =
            Verifier::builder().issuer(trusted).on_event(()).build().expect("a verifier");
        [&token, &garbage, &oversized].map(|token| {
            let info = allocation_counter::measure(|| {
                assert!(verifier.verify_now(token).is_err());
            });
            (info.count_total, info.bytes_total)
        })
    };
    let one = cost(0);
    assert_eq!(one, cost(99));
    assert_eq!(one[1..], [(0, 0), (0, 0)], "nothing is decoded before the dots are found");
}

#[tokio::test]
async fn of_two_nested_layers_the_inner_one_decides_last() {
    let (partners, everybody) =
        (TestIssuer::named("https://partners.test", tower_bearer::Algorithm::Es256), issuer());
    let both = Verifier::builder().issuer(everybody.trusted()).issuer(partners.trusted());
    let events = (Recorded::default(), Recorded::default());
    let outer = AuthLayer::builder(both.build().expect("a verifier"));
    let outer = outer.realm("outer").on_event(events.0.clone()).build().expect("a layer");
    let inner = AuthLayer::builder(partners.verifier());
    let inner = inner.realm("inner").on_event(events.1.clone()).build().expect("a layer");
    let guard = RequireScope::from(scope!("a"));
    let service = outer.layer(inner.layer(guard.layer(service_fn(whoami))));

    let token = partners.token().subject("partner").scope("a").sign();
    assert_eq!(send(service.clone(), test_util::get("/", &token)).await.body(), "partner");

    let refused = send(service.clone(), test_util::get("/", &partners.token().sign())).await;
    assert_refused(&refused, 403, Some(&c4("a").replace("api", "inner")));

    let stranger = partners.token().claim("iss", "https://stranger.test").sign();
    let refused = send(service.clone(), test_util::get("/", &stranger)).await;
    assert_refused(&refused, 401, Some(&C3.replace("api", "outer")));
    assert_eq!(events.0.codes(), ["accepted", "accepted", "unknown_issuer"]);
    assert_eq!(events.1.codes(), ["accepted", "accepted", "insufficient_scope"]);
}

/// A refusal of the inner of two layers is not touched by the outer one.
#[tokio::test]
async fn of_two_nested_layers_each_answers_its_own_refusals() {
    let issuer = issuer();
    let outer = AuthLayer::builder(issuer.verifier()).realm("outer").build().expect("a layer");
    let inner = AuthLayer::builder(Decided(Err(AuthErrorKind::UnknownKey))).realm("inner");
    let service = outer.layer(inner.build().expect("a layer").layer(service_fn(whoami)));
    let token = issuer.token().sign();
    let refused = send(service.clone(), test_util::get("/", &token)).await;
    assert_refused(&refused, 401, Some(&C3.replace("api", "inner")));
    let refused = send(service, Request::new(String::new())).await;
    assert_refused(&refused, 401, Some(&C1.replace("api", "outer")));
}

/// A choice among verifiers keeps what each of them says.
#[tokio::test]
async fn a_chooser_of_verifiers_is_an_authenticate_too() {
    struct ByPath(Verifier, Verifier);
    impl Authenticate for ByPath {
        fn authenticate(&self, token: PresentedToken<'_>, head: &RequestHead<'_>) -> Attempt {
            let Self(a, b) = self;
            if head.uri().path() == "/a" { a } else { b }.authenticate(token, head)
        }
    }
    let (a, b) = (issuer(), issuer());
    let service = AuthLayer::new(ByPath(a.verifier(), b.verifier())).layer(service_fn(whoami));
    for (path, token, status) in [
        ("/a", a.token().sign(), 200),
        ("/b", a.token().sign(), 401),
        ("/a", b.token().sign(), 401),
        ("/b", b.token().sign(), 200),
    ] {
        let response = send(service.clone(), test_util::get(path, &token)).await;
        assert_eq!(response.status(), status, "{path}");
    }
}

#[test]
fn services_give_their_inner_service_back() {
    let counts = Arc::new(AtomicUsize::new(0));
    let inner = |counts: &Arc<AtomicUsize>| Counting(Arc::clone(counts));
    let mut service = AuthLayer::new(issuer().verifier()).layer(inner(&counts));
    service.get_ref().0.fetch_add(1, Ordering::Relaxed);
    service.get_mut().0.fetch_add(1, Ordering::Relaxed);
    service.into_inner().0.fetch_add(1, Ordering::Relaxed);
    let mut service = RequireScope::authenticated().layer(inner(&counts));
    service.get_ref().0.fetch_add(1, Ordering::Relaxed);
    service.get_mut().0.fetch_add(1, Ordering::Relaxed);
    service.into_inner().0.fetch_add(1, Ordering::Relaxed);
    assert_eq!(counts.load(Ordering::Relaxed), 6);
}

struct Counting(Arc<AtomicUsize>);

const fn thread_safe<T: Send + Sync + 'static>() {}
const fn sendable<T: Send + 'static>() {}
const fn printable<T: fmt::Debug>() {}

/// What users keep in statics, states and tasks. Checked when the test is compiled.
#[test]
fn public_types_can_go_where_users_put_them() {
    thread_safe::<AuthLayer<Verifier>>();
    thread_safe::<AuthLayer<Verifier, CookieToken>>();
    thread_safe::<AuthLayerBuilder<Verifier>>();
    thread_safe::<AuthService<Plain, Verifier, BearerHeader, EmptyBody>>();
    thread_safe::<GuardService<Plain, RequireScope>>();
    thread_safe::<RequireScope>();
    thread_safe::<Require<fn(&Grant, &RequestHead<'_>) -> bool>>();
    thread_safe::<Verifier<String>>();
    thread_safe::<VerifierBuilder>();
    thread_safe::<Issuer>();
    thread_safe::<KeySet>();
    thread_safe::<VerifyingKey>();
    thread_safe::<Verified<String>>();
    thread_safe::<AuthContext>();
    thread_safe::<Grant>();
    thread_safe::<AuthError>();
    thread_safe::<ConfigError>();
    thread_safe::<AuthEvent>();
    thread_safe::<Queued>();
    thread_safe::<Requirement>();
    thread_safe::<ScopeSet>();
    thread_safe::<ScopeToken>();
    thread_safe::<HeaderMap>();
    sendable::<Attempt>();
    sendable::<ResponseFuture<Plain, Full<Bytes>, Verifier, BearerHeader, EmptyBody>>();
    sendable::<tower_bearer::require::ResponseFuture<Ready<Result<Received, Mine>>, String>>();
    printable::<ResponseFuture<Plain, Full<Bytes>, Verifier, BearerHeader, EmptyBody>>();
    printable::<Attempt>();
    // Claims that cannot be shared between threads make no difference to the verifier itself.
    thread_safe::<Verifier<std::cell::Cell<u8>>>();
}
