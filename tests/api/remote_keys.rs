//! Keys that are fetched: found, kept fresh, and not to be had by force. No sockets and no sleeps:
//! the web is in memory, and time moves when it is told to.

use std::{error::Error as _, future::Future, time::Duration};

use tower_bearer::{
    Algorithm, AuthErrorKind as Kind, AuthLayer, ConfigError, Issuer, Verifier,
    event::AuthEvent,
    key::KeySet,
    remote_keys::{Fetching, MAX_BODY, RefreshError, RemoteKeys},
    test_util::{self, Answer, FrozenClock, MemoryFetch, TestIssuer},
    time::{Clock as _, UnixTime},
};

use crate::support::{C3, NOW, Protected, Recorded, assert_refused, kind, watch_traces};

const JWKS: &str = "https://issuer.test/jwks";
const FRESH: u64 = 300;
const HOUR: u64 = 3600;

/// An issuer, its web, a clock for all, and what was told.
struct World {
    clock: FrozenClock,
    web: MemoryFetch,
    issuer: TestIssuer,
    events: Recorded,
}

impl World {
    fn new() -> Self {
        watch_traces();
        let clock = FrozenClock::at(NOW);
        let issuer = TestIssuer::new().with_clock(clock.clone());
        let web = MemoryFetch::new(&clock);
        web.serve(JWKS, Answer::json(issuer.jwks()));
        Self { clock, web, issuer, events: Recorded::default() }
    }

    fn keys(&self) -> RemoteKeys {
        RemoteKeys::new(JWKS).fetch(self.web.clone())
    }

    fn verifier(&self) -> Verifier {
        self.verifier_of([self.issuer.trusted_with(self.keys())])
    }

    fn verifier_of(&self, issuers: impl IntoIterator<Item = Issuer>) -> Verifier {
        let builder = Verifier::builder().clock(self.clock.clone()).on_event(self.events.clone());
        let builder = issuers.into_iter().fold(builder, |all, one| all.issuer(one));
        builder.build().expect("the issuers are sound")
    }

    /// Lets the task that refreshes do what there is to do.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    async fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.settle().await;
    }

    fn fetches(&self) -> usize {
        self.web.count(JWKS)
    }

    /// Codes of the events about keys.
    fn told(&self) -> Vec<&'static str> {
        let codes = self.events.codes().into_iter();
        codes.filter(|code| code.starts_with("key")).collect()
    }

    /// A token that is good for days, by a key of this id.
    fn token(&self) -> String {
        self.long(&self.issuer).sign()
    }

    fn long(&self, issuer: &TestIssuer) -> test_util::TokenBuilder {
        issuer.token().claim("exp", NOW + 100 * HOUR)
    }

    /// Another key of the same issuer.
    fn rotated(&self) -> (TestIssuer, String) {
        let next = TestIssuer::new().with_clock(self.clock.clone());
        let key = next.key().clone().with_id("next").expect("an id");
        (next, test_util::jwks([&key]))
    }
}

async fn refusal(verifier: &Verifier, token: &str) -> Kind {
    verifier.verify(token).await.expect_err("the token is refused").kind()
}

/// R-KEY-22: building does nothing; the first request fetches, and all that come meanwhile wait for
/// the same answer.
#[tokio::test]
async fn the_first_requests_fetch_once() {
    let world = World::new();
    let verifier = world.verifier();
    world.settle().await;
    assert_eq!((world.fetches(), world.told()), (0, vec![]));
    assert_eq!(verifier.verify_now(&world.token()).unwrap_err().kind(), Kind::KeysUnavailable);

    let waiting: Vec<_> = (0..1000)
        .map(|_| {
            let (verifier, token) = (verifier.clone(), world.token());
            tokio::spawn(async move { verifier.verify(&token).await.is_ok() })
        })
        .collect();
    for one in waiting {
        assert!(one.await.unwrap());
    }
    assert_eq!((world.fetches(), world.told()), (1, vec!["keys_replaced"]));
    // From now on the keys are at hand.
    assert!(verifier.verify_now(&world.token()).is_ok());
}

/// R-KEY-29: an eager start, which fails if there are no keys.
#[tokio::test]
async fn a_service_can_wait_for_the_keys_when_it_starts() {
    let world = World::new();
    let verifier = world.verifier();
    verifier.ready().await.unwrap();
    assert!(verifier.verify_now(&world.token()).is_ok());
    let [readiness] = &*verifier.readiness() else { panic!() };
    assert_eq!((&*readiness.issuer, readiness.keys), (world.issuer.name(), 1));
    assert_eq!(readiness.last_success, Some(UnixTime::from_secs(NOW)));
    assert_eq!(readiness.usable_until, Some(UnixTime::from_secs(NOW + FRESH + HOUR)));
    assert!(readiness.last_error.is_none());
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(readiness.age(world.clock.now()), Some(Duration::from_secs(10)));

    let dead = World::new();
    dead.web.serve(JWKS, Answer::unreachable());
    let verifier = dead.verifier();
    let error = verifier.ready().await.unwrap_err();
    assert_eq!((error.kind(), error.issuer()), (Kind::KeysUnavailable, Some(dead.issuer.name())));
    assert!(
        error.source().unwrap().to_string().contains("no answer from https://issuer.test/jwks")
    );
    let [readiness] = &*verifier.readiness() else { panic!() };
    assert_eq!((readiness.keys, readiness.last_success), (0, None));
    assert!(matches!(*readiness.last_error.clone().unwrap(), RefreshError::Unreachable { .. }));
}

/// R-KEY-20, R-KEY-22: fetched again before the keys get old, without anybody asking.
#[tokio::test]
async fn keys_are_refreshed_ahead_of_time_and_off_the_path() {
    let world = World::new();
    world
        .web
        .serve(JWKS, Answer::json(world.issuer.jwks()).header("cache-control", "max-age=1000"));
    let verifier = world.verifier();
    verifier.ready().await.unwrap();
    world.advance(690).await;
    assert_eq!(world.fetches(), 1);
    world.advance(120).await;
    assert_eq!(world.fetches(), 2);
    world.advance(690).await;
    assert_eq!(world.fetches(), 2);
    world.advance(120).await;
    assert_eq!(world.fetches(), 3);
    assert!(verifier.verify_now(&world.token()).is_ok());
    // The document is the same, so the keys were not replaced.
    assert_eq!(world.told(), ["keys_replaced"]);
}

/// R-KEY-20: freshness is what is left of it when the answer arrives.
#[tokio::test]
async fn freshness_is_as_http_says_within_bounds() {
    for (header, value, early, late) in
        [("age", "3500", 69, 81), ("cache-control", "no-store", 41, 49), ("x-none", "", 2519, 2881)]
    {
        let world = World::new();
        let answer = Answer::json(world.issuer.jwks()).header(header, value);
        world.web.serve(JWKS, answer.header("cache-control", "max-age=3600"));
        let verifier = world.verifier();
        verifier.ready().await.unwrap();
        world.advance(early).await;
        assert_eq!(world.fetches(), 1, "{header}");
        world.advance(late - early).await;
        assert_eq!(world.fetches(), 2, "{header}");
    }
}

/// R-KEY-21
#[tokio::test]
async fn an_unchanged_document_is_not_sent_again() {
    let world = World::new();
    let answer = Answer::json(world.issuer.jwks()).header("etag", "\"7\"");
    world.web.serve(JWKS, answer.header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"));
    let verifier = world.verifier();
    verifier.ready().await.unwrap();
    let until = |verifier: &Verifier| verifier.readiness()[0].usable_until.map(UnixTime::as_secs);
    assert_eq!(until(&verifier), Some(NOW + FRESH + HOUR));
    world.advance(FRESH).await;
    let [first, second] = &*world.web.requests() else { panic!() };
    assert!(!first.headers().contains_key("if-none-match"));
    assert_eq!(second.headers()["if-none-match"], "\"7\"");
    assert_eq!(second.headers()["if-modified-since"], "Thu, 01 Jan 2026 00:00:00 GMT");
    assert_eq!(until(&verifier), Some(NOW + 2 * FRESH + HOUR));
    assert!(verifier.verify_now(&world.token()).is_ok());
    assert_eq!(world.told(), ["keys_replaced"]);
}

/// R-KEY-32
#[tokio::test]
async fn requests_say_who_asks_and_bring_no_credentials() {
    let world = World::new();
    world.verifier().ready().await.unwrap();
    let [request] = &*world.web.requests() else { panic!() };
    assert_eq!((request.method().as_str(), request.uri().to_string().as_str()), ("GET", JWKS));
    let mut names: Vec<_> = request.headers().keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "user-agent"]);
    assert_eq!(request.headers()["accept"], "application/jwk-set+json, application/json");
    let agent = request.headers()["user-agent"].to_str().unwrap();
    assert!(agent.starts_with("tower-bearer/"), "{agent}");
}

/// R-KEY-23: a key that is published before it signs never costs a valid token; one that is not is
/// found by the first token that names it.
#[tokio::test]
async fn a_rotation_refuses_no_valid_token() {
    let world = World::new();
    let protected = Protected::by(world.verifier());
    protected.accepts(&world.token(), "the first key").await;
    let (next, both) = {
        let (next, _) = world.rotated();
        let key = next.key().clone().with_id("next").unwrap();
        let both = test_util::jwks([world.issuer.key(), &key]);
        (next, both)
    };
    let by_next = || world.long(&next).header("kid", "next").sign();
    // Published ahead: found without anybody waiting.
    world.web.serve(JWKS, Answer::json(both));
    world.advance(FRESH).await;
    assert_eq!(world.fetches(), 2);
    protected.accepts(&by_next(), "the next key").await;
    protected.accepts(&world.token(), "the first key still").await;
    assert_eq!(world.fetches(), 2);

    // Published with its first token.
    let (surprise, document) = world.rotated();
    world.web.serve(JWKS, Answer::json(document.replace("next", "surprise")));
    world.advance(30).await;
    let token = world.long(&surprise).header("kid", "surprise").sign();
    protected.accepts(&token, "the same request succeeds").await;
    assert_eq!(world.fetches(), 3);
    // R-KEY-25: the others are withdrawn with the same fetch.
    protected.refuses(&by_next(), Kind::UnknownKey, "withdrawn").await;
    protected.refuses(&world.token(), Kind::UnknownKey, "withdrawn").await;
    assert_eq!(world.fetches(), 3);
}

/// R-KEY-25
#[tokio::test]
async fn a_withdrawn_key_stops_verifying_within_one_fresh_time() {
    let world = World::new();
    let verifier = world.verifier();
    assert!(verifier.verify(&world.token()).await.is_ok());
    world.web.serve(JWKS, Answer::json(world.rotated().1));
    world.advance(FRESH).await;
    assert_eq!(verifier.verify_now(&world.token()).unwrap_err().kind(), Kind::UnknownKey);
}

/// R-KEY-23: unknown key ids cannot be used to flood the issuer.
#[tokio::test]
async fn a_thousand_unknown_key_ids_cost_one_fetch_in_half_a_minute() {
    let world = World::new();
    let verifier = world.verifier();
    verifier.ready().await.unwrap();
    world.advance(31).await;
    let bogus =
        |number: usize| world.long(&world.issuer).header("kid", format!("k{number}")).sign();
    for round in 1..=3 {
        for number in 0..1000 {
            assert_eq!(refusal(&verifier, &bogus(1000 * round + number)).await, Kind::UnknownKey);
        }
        assert_eq!(world.fetches(), 1 + round);
        world.advance(31).await;
    }
    assert!(verifier.verify_now(&world.token()).is_ok());

    let many: Vec<_> = (0..1000)
        .map(|number| {
            let (verifier, token) = (verifier.clone(), bogus(number));
            tokio::spawn(async move { refusal(&verifier, &token).await })
        })
        .collect();
    for one in many {
        assert_eq!(one.await.unwrap(), Kind::UnknownKey);
    }
    assert_eq!(world.fetches(), 5);
}

/// R-KEY-24: only what could be a token of this issuer has the keys fetched again.
#[tokio::test]
async fn cheap_checks_come_before_a_fetch() {
    let world = World::new();
    let verifier = world.verifier();
    verifier.ready().await.unwrap();
    world.advance(31).await;
    let unknown = || world.long(&world.issuer).unknown_key();
    for (token, reason) in [
        (unknown().wrong_issuer(), Kind::UnknownIssuer),
        (unknown().without_claim("iss"), Kind::MissingClaim),
        (unknown().claim("iss", 1), Kind::MalformedClaim),
        (unknown().header("alg", "RS256"), Kind::AlgorithmNotAllowed),
        (unknown().unsigned(), Kind::AlgorithmNotAllowed),
        (unknown().wrong_type(), Kind::WrongTokenType),
        (unknown().header("kid", "k".repeat(257)), Kind::UnknownKey),
    ] {
        assert_eq!(refusal(&verifier, &token.sign()).await, reason);
    }
    // A signature that does not hold is no reason to look for keys either.
    let tampered = world.long(&world.issuer).tampered().sign();
    assert_eq!(refusal(&verifier, &tampered).await, Kind::BadSignature);
    assert_eq!(world.fetches(), 1);
    assert_eq!(refusal(&verifier, &unknown().sign()).await, Kind::UnknownKey);
    assert_eq!(world.fetches(), 2);
}

/// R-KEY-26, X-LOG-06: the last keys serve through an outage of an hour; then nothing is known of any
/// token.
#[tokio::test]
async fn keys_outlive_an_outage_by_an_hour() {
    let world = World::new();
    let protected = Protected::by(world.verifier());
    protected.accepts(&world.token(), "before").await;
    world.web.serve(JWKS, Answer::unreachable());
    world.advance(FRESH).await;
    for _ in 0..59 {
        protected.accepts(&world.token(), "in the outage").await;
        world.advance(60).await;
    }
    protected.accepts(&world.token(), "after 59 minutes").await;
    let failures = world.told().iter().filter(|code| **code == "key_refresh_failed").count();
    assert!((59..=125).contains(&failures), "{failures}");
    assert_eq!(world.fetches(), 1 + failures);
    let Some(AuthEvent::KeyRefreshFailed { issuer, error, usable_until }) =
        world.events.all().pop()
    else {
        panic!()
    };
    assert_eq!(&*issuer, world.issuer.name());
    assert!(error.to_string().starts_with("no answer from"), "{error}");
    assert_eq!(usable_until.map(UnixTime::as_secs), Some(NOW + FRESH + HOUR));

    world.advance(120).await;
    let response = protected.send_token(&world.token()).await;
    assert_refused(&response, 503, None);
    assert_eq!(response.headers()["retry-after"], "5");
    assert_eq!(kind(&response), Some(Kind::KeysUnavailable));

    // Over, and nobody has to do anything.
    world.web.serve(JWKS, Answer::json(world.issuer.jwks()));
    world.advance(40).await;
    protected.accepts(&world.token(), "after the outage").await;
}

/// R-KEY-23, R-KEY-28: an unknown key id is only a fault of the token if the issuer was asked.
#[tokio::test]
async fn an_unknown_key_is_no_fault_of_the_token_while_the_issuer_is_down() {
    let world = World::new();
    let protected = Protected::by(world.verifier());
    protected.accepts(&world.token(), "before").await;
    let unknown = world.long(&world.issuer).unknown_key().sign();
    // The issuer said a moment ago that it has no such key.
    let response = protected.send_token(&unknown).await;
    assert_refused(&response, 401, Some(C3));
    assert_eq!(world.fetches(), 1);

    world.advance(31).await;
    world.web.serve(JWKS, Answer::status(500));
    for _ in 0..3 {
        assert_refused(&protected.send_token(&unknown).await, 503, None);
    }
    assert_eq!(world.fetches(), 2);
    protected.accepts(&world.token(), "the known key").await;

    world.web.serve(JWKS, Answer::json(world.issuer.jwks()));
    world.advance(40).await;
    assert_refused(&protected.send_token(&unknown).await, 401, Some(C3));
}

/// R-KEY-28, R-KEY-19: no keys at all is 503, and waiting for them is bounded.
#[tokio::test]
async fn a_first_fetch_that_hangs_holds_nobody_up_for_long() {
    let world = World::new();
    world.web.serve(JWKS, Answer::hanging());
    let protected = Protected::by(world.verifier());
    let waiting = {
        let (protected, token) = (protected.clone(), world.token());
        tokio::spawn(async move { protected.send_token(&token).await })
    };
    world.settle().await;
    world.advance(4).await;
    assert!(!waiting.is_finished());
    world.advance(1).await;
    assert_refused(&waiting.await.unwrap(), 503, None);
    assert_eq!(world.told(), ["key_refresh_failed"]);
    // And the next one is told at once.
    assert_refused(&protected.send_token(&world.token()).await, 503, None);
    assert_eq!(world.fetches(), 1);
    // A token that is none of this issuer's is refused all the same.
    let foreign = world.issuer.token().wrong_issuer().sign();
    protected.refuses(&foreign, Kind::UnknownIssuer, "foreign").await;
}

/// R-KEY-23: requests that are given up leave the fetch to the others.
#[tokio::test]
async fn a_request_that_is_given_up_cancels_nothing() {
    let world = World::new();
    world.web.serve(JWKS, Answer::json(world.issuer.jwks()).after(Duration::from_secs(3)));
    let verifier = world.verifier();
    let start = || {
        let (verifier, token) = (verifier.clone(), world.token());
        tokio::spawn(async move { verifier.verify(&token).await.is_ok() })
    };
    let (first, second) = (start(), start());
    world.settle().await;
    first.abort();
    world.settle().await;
    let third = start();
    world.settle().await;
    world.advance(3).await;
    assert!(second.await.unwrap() && third.await.unwrap());
    assert_eq!(world.fetches(), 1);
}

/// Only so many requests wait; the next ones are told at once.
#[tokio::test]
async fn waiting_is_bounded() {
    let world = World::new();
    world.web.serve(JWKS, Answer::json(world.issuer.jwks()).after(Duration::from_secs(3)));
    let verifier = world.verifier();
    let token = world.token();
    let waiting: Vec<_> = (0..1024)
        .map(|_| {
            let (verifier, token) = (verifier.clone(), token.clone());
            tokio::spawn(async move { verifier.verify(&token).await.is_ok() })
        })
        .collect();
    world.settle().await;
    let error = verifier.verify(&token).await.unwrap_err();
    assert_eq!(error.kind(), Kind::KeysUnavailable);
    assert_eq!(error.source().unwrap().to_string(), "too many requests wait for keys");
    world.advance(3).await;
    for one in waiting {
        assert!(one.await.unwrap());
    }
    assert!(verifier.verify(&token).await.is_ok());
}

/// Many threads, keys that come and go, a clock that runs ahead: nobody waits for ever, no valid token
/// of a key that is there is refused, and the issuer is never asked twice at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_forgotten_among_many() {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    };

    struct Ended(Arc<AtomicUsize>);

    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }

    let world = World::new();
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (jwks, counted, turns) = (world.issuer.jwks(), under_way.clone(), AtomicUsize::new(0));
    let greatest = most.clone();
    let web = move |_: http::Request<()>| -> Fetching {
        let (jwks, under_way) = (jwks.clone(), counted.clone());
        let turn = turns.fetch_add(1, SeqCst);
        greatest.fetch_max(under_way.fetch_add(1, SeqCst) + 1, SeqCst);
        let end = Ended(under_way);
        Box::pin(async move {
            tokio::task::yield_now().await;
            drop(end);
            match turn % 5 {
                3 => Err("down".into()),
                _ => Ok(http::Response::new(jwks.into_bytes())),
            }
        })
    };
    let keys = RemoteKeys::new(JWKS).fetch(web).timeout(Duration::from_secs(60));
    let verifier = world.verifier_of([world.issuer.trusted_with(keys)]);
    let callers: Vec<_> = (0..32)
        .map(|caller| {
            let (verifier, clock) = (verifier.clone(), world.clock.clone());
            let known = world.token();
            let unknown = world.long(&world.issuer).unknown_key().sign();
            tokio::spawn(async move {
                for round in 0..200 {
                    if caller == 0 {
                        clock.advance(Duration::from_secs(7));
                    }
                    let refused = verifier.verify(&unknown).await.unwrap_err().kind();
                    assert!(matches!(refused, Kind::UnknownKey | Kind::KeysUnavailable), "{round}");
                    let outcome = verifier.verify(&known).await.map_err(|error| error.kind());
                    assert!(matches!(outcome, Ok(_) | Err(Kind::KeysUnavailable)), "{outcome:?}");
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(most.load(SeqCst), 1);
    world.clock.advance(Duration::from_secs(100));
    while verifier.ready().await.is_err() {
        world.clock.advance(Duration::from_secs(31));
    }
    assert!(verifier.verify_now(&world.token()).is_ok());
}

/// The task ends with the last verifier.
#[tokio::test]
async fn nothing_is_fetched_for_nobody() {
    let world = World::new();
    let verifier = world.verifier();
    verifier.ready().await.unwrap();
    let layer = AuthLayer::new(verifier);
    world.advance(FRESH).await;
    assert_eq!(world.fetches(), 2);
    drop(layer);
    for _ in 0..10 {
        world.advance(FRESH).await;
    }
    assert_eq!(world.fetches(), 2);
}

/// A runtime that ends takes the task with it; the next request starts another.
#[test]
fn another_runtime_takes_over() {
    let world = World::new();
    let verifier = world.verifier();
    let in_runtime = |verifier: &Verifier| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(verifier.verify(&world.token())).map_err(|error| error.kind())
    };
    assert!(in_runtime(&verifier).is_ok());
    // The keys are at hand until they are too old.
    assert!(verifier.verify_now(&world.token()).is_ok());
    world.clock.advance(Duration::from_secs(FRESH + HOUR));
    assert_eq!(verifier.verify_now(&world.token()).unwrap_err().kind(), Kind::KeysUnavailable);
    assert!(in_runtime(&verifier).is_ok());
    assert_eq!(world.fetches(), 2);
}

/// R-KEY-22: a task that ended, here with its runtime, is started again by the next request, whose own
/// key is at hand; and not sooner than an attempt is allowed.
#[test]
fn keys_do_not_grow_old_because_a_task_ended() {
    let world = World::new();
    let verifier = world.verifier();
    let in_runtime = |steps: &dyn Fn() -> bool| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            assert!(verifier.verify(&world.token()).await.is_ok());
            world.settle().await;
            assert!(steps());
        });
    };
    in_runtime(&|| world.fetches() == 1);
    // Another task, and no attempt yet.
    in_runtime(&|| world.fetches() == 1);
    world.clock.advance(Duration::from_secs(31));
    in_runtime(&|| world.fetches() == 2);
}

/// A client that panics is a failed attempt and no more.
#[tokio::test]
async fn a_client_that_panics_fails_nobody() {
    let world = World::new();
    let (web, asked) = (world.web.clone(), std::sync::Arc::new(std::sync::Mutex::new(0)));
    let panicking = move |request: http::Request<()>| -> Fetching {
        let turn = {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            *asked
        };
        let answer = tower_bearer::remote_keys::Fetch::fetch(&web, request);
        Box::pin(async move {
            assert_eq!(turn % 2, 0, "a panic on purpose");
            answer.await
        })
    };
    let keys = RemoteKeys::new(JWKS).fetch(panicking);
    let verifier = world.verifier_of([world.issuer.trusted_with(keys)]);
    let error = verifier.verify(&world.token()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::KeysUnavailable);
    assert!(error.source().unwrap().to_string().contains("the HTTP client panicked"));
    assert_eq!(world.told(), ["key_refresh_failed"]);
    // Nobody has to ask for the next attempt.
    world.advance(37).await;
    assert!(verifier.verify_now(&world.token()).is_ok());
    // The third one panics again; the keys at hand serve, and the fourth follows.
    world.advance(FRESH).await;
    assert!(verifier.verify_now(&world.token()).is_ok());
    world.advance(37).await;
    assert_eq!(world.fetches(), 4);
    assert!(verifier.verify_now(&world.token()).is_ok());
}

/// R-KEY-19: waiting is bounded even if the runtime of the task stands still.
#[test]
fn a_runtime_that_stands_still_holds_nobody_up_for_ever() {
    let world = World::new();
    let verifier = world.verifier();
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (still, driven) = (runtime(), runtime());
    still.block_on(verifier.ready()).unwrap();
    world.clock.advance(Duration::from_secs(FRESH + HOUR));
    let waiting = async {
        let verifying = tokio::spawn({
            let (verifier, token) = (verifier.clone(), world.token());
            async move { verifier.verify(&token).await.map(drop).map_err(|error| error.kind()) }
        });
        world.settle().await;
        world.advance(10).await;
        verifying.await.unwrap()
    };
    assert_eq!(driven.block_on(waiting), Err(Kind::KeysUnavailable));
    assert_eq!(world.told(), ["keys_replaced", "key_refresh_failed"]);
    // The task was given up, so another one fetches the keys.
    world.clock.advance(Duration::from_secs(31));
    assert!(driven.block_on(verifier.verify(&world.token())).is_ok());
    // And the old one does not come back.
    still.block_on(world.settle());
    assert_eq!(world.fetches(), 2);
}

/// A clock that is set back or forward keeps nobody from the keys.
#[tokio::test]
async fn a_clock_that_jumps_keeps_nobody_from_the_keys() {
    let world = World::new();
    let verifier = world.verifier();
    assert!(verifier.verify(&world.token()).await.is_ok());
    let later =
        |seconds: u64| world.issuer.token().claim("exp", NOW + 1000 * HOUR).claim("iat", seconds);
    world.clock.set(NOW - 50 * HOUR);
    let unknown = later(NOW - 60 * HOUR).unknown_key().sign();
    assert_eq!(refusal(&verifier, &unknown).await, Kind::UnknownKey);
    assert_eq!(world.fetches(), 2);
    world.clock.set(NOW + 500 * HOUR);
    assert!(verifier.verify(&later(NOW).sign()).await.is_ok());
}

/// Without a runtime nothing can be fetched, and nothing panics.
#[test]
fn outside_a_runtime_the_keys_are_unavailable() {
    let world = World::new();
    let verifier = world.verifier();
    let mut verifying = std::pin::pin!(verifier.ready());
    let std::task::Poll::Ready(outcome) =
        verifying.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    else {
        panic!("nothing to wait for")
    };
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), Kind::KeysUnavailable);
    assert!(error.source().unwrap().to_string().contains("no tokio runtime"));
}

/// R-KEY-30
#[tokio::test]
async fn an_issuer_that_is_down_does_not_touch_the_others() {
    let world = World::new();
    let other =
        TestIssuer::named("https://other.test", Algorithm::EdDsa).with_clock(world.clock.clone());
    let dead = RemoteKeys::new("https://other.test/jwks").fetch(world.web.clone());
    world.web.serve("https://other.test/jwks", Answer::hanging());
    let verifier =
        world.verifier_of([world.issuer.trusted_with(world.keys()), other.trusted_with(dead)]);
    let stuck = {
        let (verifier, token) = (verifier.clone(), world.long(&other).sign());
        tokio::spawn(async move { refusal(&verifier, &token).await })
    };
    world.settle().await;
    assert!(verifier.verify(&world.token()).await.is_ok());
    world.advance(5).await;
    assert_eq!(stuck.await.unwrap(), Kind::KeysUnavailable);
    for _ in 0..20 {
        world.advance(FRESH).await;
        assert!(verifier.verify_now(&world.token()).is_ok());
    }
    let ready = verifier.ready().await.unwrap_err();
    assert_eq!(ready.issuer(), Some("https://other.test"));
}

/// R-KEY-15, R-KEY-18, R-KEY-19, R-KEY-27: whatever is no usable key document is a failure that leaves
/// the old keys alone.
#[tokio::test]
async fn an_answer_that_is_no_key_document_is_a_failed_attempt() {
    let world = World::new();
    let verifier = world.verifier();
    verifier.ready().await.unwrap();
    let moved = Answer::status(302).header("location", "https://evil.test/jwks");
    for (answer, reason) in [
        (Answer::status(404), "https://issuer.test/jwks answered 404 Not Found"),
        (Answer::status(500), "https://issuer.test/jwks answered 500 Internal Server Error"),
        (Answer::status(304), "https://issuer.test/jwks answered 304 Not Modified"),
        (moved, "https://issuer.test/jwks answered 302 Found"),
        (Answer::unreachable(), "no answer from https://issuer.test/jwks"),
        (Answer::truncated(), "no answer from https://issuer.test/jwks"),
        (Answer::oversized(), "the answer from https://issuer.test/jwks is longer than 256 KiB"),
        (Answer::json("<html>"), "is no JSON object with an array `keys`"),
        (Answer::json("[]"), "is no JSON object with an array `keys`"),
        (Answer::json(r#"{"keys":{}}"#), "is no JSON object with an array `keys`"),
        (Answer::json(r#"{"keys":[]}"#), "no usable key: there is no key"),
        (Answer::json(r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#), "a secret (kty oct)"),
    ] {
        world.web.serve(JWKS, answer);
        world.advance(FRESH).await;
        let [readiness] = &*verifier.readiness() else { panic!() };
        let error = readiness.last_error.clone().expect(reason).to_string();
        assert!(error.contains(reason), "{error}");
        assert_eq!(readiness.keys, 1);
        assert!(verifier.verify_now(&world.token()).is_ok(), "{reason}");
        world.web.serve(JWKS, Answer::json(world.issuer.jwks()));
        world.advance(40).await;
        assert!(verifier.readiness()[0].last_error.is_none(), "{reason}");
    }
    assert_eq!(MAX_BODY, 256 * 1024);
    // R-KEY-18: the type does not matter.
    let text = Answer::json(world.issuer.jwks()).header("content-type", "text/plain");
    world.web.serve(JWKS, text);
    world.advance(FRESH).await;
    assert!(verifier.readiness()[0].last_error.is_none());
    assert!(
        !world.web.requests().iter().any(|request| request.uri().host() != Some("issuer.test"))
    );
}

/// R-KEY-01, R-KEY-08, R-KEY-09: one bad key is skipped and reported.
#[tokio::test]
async fn one_bad_key_does_not_spoil_the_set() {
    let world = World::new();
    let bad = r#"{"keys":[{},{"kty":"oct","kid":"s","k":"c2VjcmV0"},"#;
    let document = world.issuer.jwks().replacen(r#"{"keys":["#, bad, 1);
    world.web.serve(JWKS, Answer::json(document));
    let verifier = world.verifier();
    verifier.ready().await.unwrap();
    assert!(verifier.verify_now(&world.token()).is_ok());
    assert_eq!(world.told(), ["key_skipped", "key_exposed", "keys_replaced"]);
}

/// A flapping issuer is met with patience.
#[tokio::test]
async fn an_issuer_that_comes_and_goes_is_asked_at_most_every_half_minute() {
    let world = World::new();
    let good = || Answer::json(world.issuer.jwks());
    let turns = (0..40).map(|turn| if turn % 3 == 0 { good() } else { Answer::status(503) });
    world.web.serve_in_turn(JWKS, turns);
    let verifier = world.verifier();
    verifier.ready().await.unwrap();
    for _ in 0..600 {
        world.advance(10).await;
        assert!(verifier.verify_now(&world.token()).is_ok());
    }
    // 6000 s; after each success about 225 s of rest, after each failure 30 s to 36 s.
    assert!((40..=80).contains(&world.fetches()), "{}", world.fetches());
}

/// R-KEY-14, R-META-04: configuration mistakes are told when the verifier is built.
#[test]
fn mistakes_about_remote_keys_are_told_by_build() {
    let world = World::new();
    let built = |issuer: Issuer| {
        let built = Verifier::builder().issuer(issuer).build();
        built.expect_err("a mistake").to_string()
    };
    let trusted = |keys: RemoteKeys| built(world.issuer.trusted_with(keys));
    let remedy = "use an absolute https URL without user and fragment";
    for url in [
        "http://issuer.test/jwks",
        "ftp://issuer.test/jwks",
        "/jwks",
        "issuer.test",
        "https://user@issuer.test/jwks",
        "https://issuer.test/jwks#keys",
        "https://issuer.test:99999/jwks",
        "",
    ] {
        let message = trusted(RemoteKeys::new(url).fetch(world.web.clone()));
        assert_eq!(message, format!("jwks_uri {url:?}: {remedy}"));
    }
    for url in ["http://localhost/jwks", "http://127.0.0.1:8080/jwks", "http://[::1]:1/jwks"] {
        let keys = RemoteKeys::new(url).fetch(world.web.clone());
        let issuer = world.issuer.trusted_with(keys);
        assert!(Verifier::builder().issuer(issuer).build().is_ok(), "{url}");
    }
    for issuer in [
        "http://issuer.test",
        "https://issuer.test?tenant=1",
        "https://issuer.test/#x",
        "issuer.test",
        "urn:issuer",
    ] {
        let issuer = Issuer::new(issuer).audience("a").algorithms([Algorithm::Es256]);
        let message = built(issuer.keys(RemoteKeys::discovered().fetch(world.web.clone())));
        assert!(message.contains("discovery needs an absolute https URL"), "{message}");
    }
    let seconds = Duration::from_secs;
    for (keys, message) in [
        (world.keys().fresh_for(seconds(59)), "fresh_for must be between 60 and 86400, not 59"),
        (world.keys().cooldown(seconds(4)), "cooldown must be between 5 and 3600, not 4"),
        (
            world.keys().stale_for(seconds(86_401)),
            "stale_for must be between 0 and 86400, not 86401",
        ),
        (world.keys().timeout(seconds(0)), "timeout must be between 1 and 60, not 0"),
    ] {
        assert_eq!(trusted(keys), message);
    }
    let half = Duration::from_millis(60_500);
    for (keys, name) in [
        (world.keys().fresh_for(half), "fresh_for"),
        (world.keys().cooldown(half), "cooldown"),
        (world.keys().stale_for(half), "stale_for"),
        (world.keys().timeout(half), "timeout"),
    ] {
        let message = format!("{name} must be whole seconds, not 60.5s: leave the fraction out");
        assert_eq!(trusted(keys), message);
    }
    let several = world.issuer.trusted_with(world.keys()).keys(world.issuer.key().clone());
    assert!(built(several).contains("several sources of keys"));
    assert!(
        built(world.issuer.trusted_with(world.keys()).keys_later()).contains("several sources")
    );
    let secret = Issuer::new("i").audience("a").algorithms([Algorithm::Hs256]).keys(world.keys());
    assert!(built(secret).contains("never fetched"));
    let without = |_: http::Request<()>| -> Fetching { Box::pin(async { Err("offline".into()) }) };
    assert!(
        Verifier::builder()
            .issuer(world.issuer.trusted_with(RemoteKeys::new(JWKS).fetch(without)))
            .build()
            .is_ok()
    );

    let verifier = world.verifier();
    let replaced = verifier.replace_keys(world.issuer.name(), KeySet::default());
    let issuer = world.issuer.name().to_owned();
    assert_eq!(replaced, Err(ConfigError::KeysAreRemote { issuer }));
}

const OAUTH: &str = "https://issuer.test/.well-known/oauth-authorization-server";
const OPENID: &str = "https://issuer.test/.well-known/openid-configuration";

fn metadata(issuer: &str, jwks_uri: &str) -> Answer {
    let odd = serde_json::json!({
        "issuer": issuer,
        "jwks_uri": jwks_uri,
        "scopes_supported": ["a"],
        // R-META-05
        "signed_metadata": "eyJhbGciOiJub25lIn0.eyJpc3N1ZXIiOiJodHRwczovL2V2aWwudGVzdCJ9.",
    });
    Answer::json(odd.to_string())
}

fn discovered(world: &World, issuer: &TestIssuer) -> Verifier {
    let keys = RemoteKeys::discovered().fetch(world.web.clone());
    world.verifier_of([issuer.trusted_with(keys)])
}

/// The addresses that were asked for.
fn asked(world: &World) -> Vec<String> {
    world.web.requests().iter().map(|request| request.uri().to_string()).collect()
}

/// R-KEY-17, R-META-01, R-META-05
#[tokio::test]
async fn an_issuer_tells_where_its_keys_are() {
    let world = World::new();
    world.web.serve(OAUTH, metadata("https://issuer.test", JWKS));
    let verifier = discovered(&world, &world.issuer);
    assert!(verifier.verify(&world.token()).await.is_ok());
    assert_eq!(asked(&world), [OAUTH, JWKS]);
    // Only the keys are fetched again.
    world.advance(FRESH).await;
    assert_eq!(asked(&world), [OAUTH, JWKS, JWKS]);
}

/// R-KEY-17, R-META-02
#[tokio::test]
async fn an_issuer_of_openid_connect_is_found_at_its_own_place() {
    let world = World::new();
    world.web.serve(OPENID, metadata("https://issuer.test", JWKS));
    assert!(discovered(&world, &world.issuer).verify(&world.token()).await.is_ok());
    assert_eq!(asked(&world), [OAUTH, OPENID, JWKS]);
    // Some servers have a page for everything.
    let world = World::new();
    world.web.serve(OAUTH, Answer::json("<html>"));
    world.web.serve(OPENID, metadata("https://issuer.test", JWKS));
    assert!(discovered(&world, &world.issuer).verify(&world.token()).await.is_ok());

    let world = World::new();
    for (issuer, places) in [
        (
            "https://h.test/t1",
            [
                "https://h.test/.well-known/oauth-authorization-server/t1",
                "https://h.test/t1/.well-known/openid-configuration",
            ],
        ),
        (
            "https://h.test:8443/a/b/",
            [
                "https://h.test:8443/.well-known/oauth-authorization-server/a/b",
                "https://h.test:8443/a/b/.well-known/openid-configuration",
            ],
        ),
        (
            "https://h.test/",
            [
                "https://h.test/.well-known/oauth-authorization-server",
                "https://h.test/.well-known/openid-configuration",
            ],
        ),
    ] {
        let issuer = TestIssuer::named(issuer, Algorithm::Es256).with_clock(world.clock.clone());
        let before = asked(&world).len();
        assert!(discovered(&world, &issuer).ready().await.is_err());
        assert_eq!(asked(&world)[before..], places);
    }
}

/// R-KEY-16, R-META-01, R-META-03, R-KEY-14: whatever is not the metadata of exactly this issuer with
/// a secure address gives no keys, which is 503.
#[tokio::test]
async fn metadata_of_anybody_else_gives_no_keys() {
    for (answer, reason) in [
        (
            metadata("https://issuer.test/", JWKS),
            "is that of another issuer, \"https://issuer.test/\"",
        ),
        (metadata("https://evil.test", JWKS), "is that of another issuer, \"https://evil.test\""),
        (metadata("HTTPS://issuer.test", JWKS), "is that of another issuer"),
        (metadata("https://issuer.test", "http://issuer.test/jwks"), "which is no https URL"),
        (metadata("https://issuer.test", "http://127.0.0.1/jwks"), "which is no https URL"),
        (metadata("https://issuer.test", "/jwks"), "which is no https URL"),
        (metadata("https://issuer.test", "https://a@issuer.test/jwks"), "which is no https URL"),
        (Answer::json("[]"), "is no JSON object with `issuer` and `jwks_uri`"),
        (Answer::json("<html>"), "is no JSON object with `issuer` and `jwks_uri`"),
        (Answer::json(r#"{"issuer":"https://issuer.test"}"#), "is no JSON object"),
        (
            Answer::json(r#"{"issuer":1,"jwks_uri":"https://issuer.test/jwks"}"#),
            "is no JSON object",
        ),
        (Answer::oversized(), "is longer than 256 KiB"),
        (Answer::unreachable(), "no answer from"),
        (Answer::status(404), "answered 404"),
        (Answer::status(302).header("location", "https://evil.test"), "answered 404"),
    ] {
        let world = World::new();
        world.web.serve(OAUTH, answer);
        let protected = Protected::by(discovered(&world, &world.issuer));
        assert_refused(&protected.send_token(&world.token()).await, 503, None);
        let Some(AuthEvent::KeyRefreshFailed { error, .. }) = world.events.all().pop() else {
            panic!("{reason}")
        };
        assert!(error.to_string().contains(reason), "{error}: {reason}");
        assert_eq!(world.fetches(), 0, "{reason}");
    }
}

/// An issuer that moves its keys is asked anew when they are not where they were.
#[tokio::test]
async fn keys_that_moved_are_found_again() {
    let world = World::new();
    world.web.serve(OAUTH, metadata("https://issuer.test", JWKS));
    let verifier = discovered(&world, &world.issuer);
    verifier.ready().await.unwrap();
    let moved = "https://issuer.test/keys";
    world.web.serve(OAUTH, metadata("https://issuer.test", moved));
    world.web.serve(moved, Answer::json(world.issuer.jwks()));
    world.web.serve(JWKS, Answer::status(404));
    world.advance(FRESH).await;
    assert!(verifier.readiness()[0].last_error.is_some());
    world.advance(40).await;
    assert!(verifier.readiness()[0].last_error.is_none());
    assert_eq!(world.web.count(moved), 1);
    assert!(verifier.verify_now(&world.token()).is_ok());
}

/// Keys that are where they were are fetched, whatever becomes of the metadata.
#[tokio::test]
async fn keys_outlive_their_metadata() {
    let world = World::new();
    world.web.serve(OAUTH, metadata("https://issuer.test", JWKS));
    let verifier = discovered(&world, &world.issuer);
    verifier.ready().await.unwrap();
    world.web.serve(OAUTH, Answer::status(503));
    let good = || Answer::json(world.issuer.jwks());
    world.web.serve_in_turn(JWKS, [Answer::status(500), good()]);
    for _ in 0..30 {
        world.advance(FRESH).await;
    }
    assert!(verifier.verify_now(&world.token()).is_ok());
    assert!(verifier.readiness()[0].last_error.is_none());
}

/// R-KEY-21: what a 304 does not say is as it was.
#[tokio::test]
async fn a_304_without_freshness_keeps_that_of_the_document() {
    let world = World::new();
    let answer = Answer::json(world.issuer.jwks()).header("etag", "\"1\"");
    let first = answer.clone().header("cache-control", "max-age=1000");
    world.web.serve_in_turn(JWKS, [first, answer]);
    let verifier = world.verifier();
    verifier.ready().await.unwrap();
    world.advance(801).await;
    assert_eq!(world.fetches(), 2);
    world.advance(690).await;
    assert_eq!(world.fetches(), 2);
    world.advance(120).await;
    assert_eq!(world.fetches(), 3);
}

/// R-META-01: metadata is asked for again when it is no longer fresh, and the validators of one address
/// are not those of another.
#[tokio::test]
async fn an_issuer_that_names_another_address_is_followed() {
    let world = World::new();
    let moved = "https://issuer.test/keys";
    world.web.serve(OAUTH, metadata("https://issuer.test", JWKS));
    world.web.serve(JWKS, Answer::json(world.issuer.jwks()).header("etag", "\"1\""));
    let verifier = discovered(&world, &world.issuer);
    verifier.ready().await.unwrap();
    world.web.serve(OAUTH, metadata("https://issuer.test", moved));
    world.web.serve(moved, Answer::json(world.rotated().1).header("etag", "\"1\""));
    for _ in 0..15 {
        world.advance(FRESH).await;
    }
    assert!(world.web.count(moved) > 0);
    let first = |request: &&http::Request<()>| request.uri() == moved;
    let requests = world.web.requests();
    let first = requests.iter().find(first).expect("a request");
    assert!(!first.headers().contains_key("if-none-match"));
    assert_eq!(verifier.verify_now(&world.token()).unwrap_err().kind(), Kind::UnknownKey);
}

/// An issuer on this machine may be asked in the clear, and may name keys beside it.
#[tokio::test]
async fn an_issuer_on_this_machine_needs_no_tls() {
    let world = World::new();
    let local = "http://localhost:3000";
    let issuer = TestIssuer::named(local, Algorithm::Es256).with_clock(world.clock.clone());
    let keys = "http://localhost:3000/jwks";
    let place = "http://localhost:3000/.well-known/oauth-authorization-server";
    world.web.serve(place, metadata(local, keys));
    world.web.serve(keys, Answer::json(issuer.jwks()));
    assert!(discovered(&world, &issuer).verify(&world.long(&issuer).sign()).await.is_ok());
}
