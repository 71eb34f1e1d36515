//! Guessing.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Request;
use serde_json::json;
use tower_bearer::{
    event::IssuingAction,
    issue::{
        Admission, FindSource, GuessAttempt, GuessLimiter, Source, Throttle, endpoints::Endpoints,
    },
};

use super::world::{Answer, World, basic, new_app, peer};

pub(super) fn source(last: u8) -> IpAddr {
    [192, 0, 2, last].into()
}

pub(super) async fn from(world: &World, source: IpAddr, name: &str, secret: &str) -> Answer {
    let body = json!({ "applicationName": name, "applicationSecret": secret });
    let request = Request::post("/api/Auth/authenticateApplication")
        .header("content-type", "application/json")
        .body(body.to_string())
        .unwrap();
    world.send_from(source, request).await
}

pub(super) fn wait(answer: &Answer) -> u64 {
    answer.header("retry-after").unwrap().parse().unwrap()
}

/// A secret of the right shape, and no more.
pub(super) async fn wrong(world: &World) -> String {
    world.another(new_app("Somebody else")).await.1.expose().to_owned()
}

/// X-BF-01, X-BF-02, X-BF-03: C16 for the product.
#[tokio::test]
async fn failures_in_a_row_make_the_pair_wait_longer_and_longer_and_nobody_else() {
    let world = World::new().await;
    let wrong = wrong(&world).await;
    for _ in 0..5 {
        assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 401);
    }
    let mut waits = Vec::new();
    for _ in 5..8 {
        let answer = from(&world, source(1), "App1", &wrong).await;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        waits.push(wait(&answer));
        world.advance(wait(&answer));
        assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 401);
    }
    assert_eq!(waits, [1, 2, 4]);
    // Not even the right secret from there; from elsewhere nothing has happened.
    assert_eq!(from(&world, source(1), "App1", world.secret.expose()).await.status, 429);
    assert_eq!(from(&world, source(2), "App1", world.secret.expose()).await.status, 200);
    assert_eq!(from(&world, source(1), "Somebody else", &wrong).await.status, 200);
    // A success resets.
    world.advance(8);
    assert_eq!(from(&world, source(1), "App1", world.secret.expose()).await.status, 200);
    assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 401);
    assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 401);
}

/// X-BF-02
#[tokio::test]
async fn the_wait_doubles_up_to_fifteen_minutes() {
    let world = World::new().await;
    let wrong = wrong(&world).await;
    for _ in 0..5 {
        assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 401);
    }
    for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        let throttled = from(&world, source(1), "App1", &wrong).await;
        assert_eq!((throttled.status, wait(&throttled)), (429, expected));
        world.advance(expected - 1);
        let throttled = from(&world, source(1), "App1", &wrong).await;
        assert_eq!((throttled.status, wait(&throttled)), (429, 1), "after {expected} s but one");
        world.advance(1);
        assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 401);
    }
}

/// X-BF-03
#[tokio::test]
async fn a_thousand_failures_from_one_source_do_not_lock_an_application_out() {
    let world = World::new().await;
    let wrong = wrong(&world).await;
    for _ in 0..1000 {
        from(&world, source(1), "App1", &wrong).await;
    }
    assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 429);
    assert_eq!(from(&world, source(2), "App1", world.secret.expose()).await.status, 200);
}

/// X-BF-08
#[tokio::test]
async fn an_unknown_application_is_throttled_like_a_known_one() {
    let world = World::new().await;
    let wrong = wrong(&world).await;
    for turn in 0..8 {
        let known = from(&world, source(1), "App1", &wrong).await;
        let unknown = from(&world, source(2), "App2", &wrong).await;
        assert_eq!(known.all(), unknown.all(), "{turn}");
    }
}

/// X-BF-01, X-BF-04: one source, many applications.
#[tokio::test]
async fn a_source_that_tries_many_names_is_throttled_as_a_whole() {
    let world = World::new().await;
    let wrong = wrong(&world).await;
    let mut refused = 0;
    for number in 0..40 {
        let answer = from(&world, source(1), &format!("App {number}"), &wrong).await;
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 10);
    let event = world.last();
    assert_eq!((event.action, event.reason), (IssuingAction::Throttled, Some("source")));
    assert_eq!(event.unverified_application.as_deref(), Some("App 39"));
    assert_eq!(event.source, Some(source(1)));
}

/// X-BF-01: all sources together; who succeeded lately is let through.
#[tokio::test]
async fn a_distributed_guesser_keeps_only_strangers_out() {
    let throttle = Throttle::default().with_global_failures(20, 1);
    let world = World::with(|server| server.throttle(throttle)).await;
    let wrong = wrong(&world).await;
    assert_eq!(from(&world, source(200), "App1", world.secret.expose()).await.status, 200);
    for number in 0..30 {
        from(&world, source(number), "App1", &wrong).await;
    }
    let stranger = from(&world, source(100), "App1", world.secret.expose()).await;
    assert_eq!((stranger.status, world.last().reason), (429, Some("global")));
    assert_eq!(from(&world, source(200), "App1", world.secret.expose()).await.status, 200);
}

/// X-BF-07, I-INTRO-10, I-SEC-09: C16.
#[tokio::test]
async fn the_endpoints_of_oauth_are_throttled_too() {
    for path in ["/oauth2/token", "/oauth2/revoke", "/oauth2/introspect"] {
        let world = World::new().await;
        let mut last = None;
        for _ in 0..6 {
            last = Some(
                world
                    .form_by(
                        world.app.id(),
                        "wrong secret of mine",
                        path,
                        "grant_type=client_credentials&token=x",
                    )
                    .await,
            );
        }
        let last = last.unwrap();
        assert_eq!(last.error(), (429, "temporarily_unavailable".to_owned()), "{path}");
        assert_eq!(last.text, r#"{"error":"temporarily_unavailable"}"#);
        assert_eq!(last.header("retry-after"), Some("1"));
        assert_eq!(last.header("cache-control"), Some("no-store"));
    }
}

/// X-BF-07: tokens are not guessed either.
#[tokio::test]
async fn a_source_that_scans_for_tokens_is_throttled() {
    for (path, member) in [
        ("/api/Auth/refreshApplicationToken", "refreshToken"),
        ("/api/Auth/revokeApplicationToken", "accessToken"),
    ] {
        let world = World::new().await;
        let mut statuses = Vec::new();
        for number in 0..31 {
            let body = json!({ member: format!("guess {number}") });
            statuses.push(world.post(path, &body).await.status);
        }
        assert_eq!(statuses.last(), Some(&429), "{path}");
        assert!(statuses[..30].iter().all(|status| *status != 429), "{path}");
    }
}

/// R-TRANS-17: a client cannot choose its source.
#[tokio::test]
async fn a_forwarding_header_is_believed_from_a_proxy_only() {
    for (proxies, expected) in [(vec![], "192.0.2.1"), (vec!["192.0.2.0/24"], "203.0.113.7")] {
        let world = World::new().await;
        let proxies =
            proxies.into_iter().map(|network| network.parse().unwrap()).collect::<Vec<_>>();
        let found = FindSource::behind_proxies(proxies, peer);
        let endpoints = Endpoints::builder(world.server.clone(), found).build().unwrap();
        let world = World { endpoints, ..world };
        let request = Request::post("/oauth2/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", basic("somebody", "some secret"))
            .header("x-forwarded-for", "198.51.100.1, 203.0.113.7")
            .body("grant_type=client_credentials".to_owned())
            .unwrap();
        world.send(request).await;
        assert_eq!(world.last().source, Some(expected.parse().unwrap()));
    }
}

#[tokio::test]
async fn from_unknown_sources_all_are_throttled_together_and_no_application_alone() {
    let throttle = Throttle::default().with_global_failures(10, 1);
    let world = World::with(|server| server.throttle(throttle)).await;
    let endpoints =
        Endpoints::builder(world.server.clone(), FindSource::unknown()).build().unwrap();
    let world = World { endpoints, ..world };
    for _ in 0..10 {
        assert_eq!(world.authenticate_with("App1", "some wrong secret").await.status, 401);
    }
    assert_eq!(world.authenticate_with("App2", "some wrong secret").await.status, 429);
    assert_eq!(world.last().source, None);
    world.advance(1);
    assert_eq!(world.authenticate().await.status, 200);
}

/// A limiter of the application's own that notes what it is asked and told.
#[derive(Clone, Default)]
pub(super) struct Noted {
    notes: Arc<Mutex<Vec<String>>>,
    wait: Arc<Mutex<Option<Duration>>>,
}

impl Noted {
    fn note(&self, what: &str, attempt: GuessAttempt<'_>) {
        assert_eq!(attempt.source, Source::Address(source(1)));
        let who = attempt.application.unwrap_or("a token");
        self.notes.lock().unwrap().push(format!("{what} {who}"));
    }

    pub(super) fn notes(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap())
    }
}

impl GuessLimiter for Noted {
    fn admit<'a>(&'a self, attempt: GuessAttempt<'a>) -> Admission<'a> {
        self.note("admit", attempt);
        Box::pin(async { self.wait.lock().unwrap().map_or(Ok(()), Err) })
    }
    fn failed(&self, attempt: GuessAttempt<'_>) {
        self.note("failed", attempt);
    }
    fn succeeded(&self, attempt: GuessAttempt<'_>) {
        self.note("succeeded", attempt);
    }
}

/// X-BF-01, X-BF-04: the hook for a limiter that knows more.
#[tokio::test]
async fn a_limiter_of_ones_own_is_asked_before_anything_is_looked_up_and_told_how_it_ended() {
    let noted = Noted::default();
    let world = World::with(|server| server.guess_limiter(noted.clone())).await;
    let pair = world.authenticate().await;
    world.authenticate_with("Nobody", "wrong secret of mine").await;
    world.refresh(&pair.refresh()).await;
    world.refresh("nonsense").await;
    let expected = ["admit App1", "succeeded App1", "admit Nobody", "failed Nobody"];
    let of_tokens = ["admit a token", "admit a token", "failed a token"];
    assert_eq!(noted.notes(), [&expected[..], &of_tokens].concat());

    *noted.wait.lock().unwrap() = Some(Duration::from_millis(1500));
    let refused = [
        world.authenticate().await,
        world.refresh(&pair.refresh()).await,
        world.post("/api/Auth/revokeApplicationToken", &json!({ "accessToken": "x" })).await,
        world.form("/oauth2/introspect", "token=x").await,
    ];
    for answer in refused {
        assert_eq!((answer.status, wait(&answer)), (429, 2));
        let throttled =
            world.happened().into_iter().filter(|event| event.reason == Some("external"));
        assert_eq!(throttled.last().map(|event| event.action), Some(IssuingAction::Throttled));
    }
    let id = format!("admit {}", world.app.id());
    let expected = ["admit App1", "admit a token", "admit a token", &id];
    assert_eq!(noted.notes(), expected, "who is not let through did not fail");

    *noted.wait.lock().unwrap() = None;
    assert_eq!(world.authenticate().await.status, 200);
}

/// I-INTRO-10, X-BF-07: by the caller, whom nobody else keeps away, and who keeps nobody else away.
#[tokio::test]
async fn a_caller_that_scans_for_tokens_waits_alone() {
    for path in ["/oauth2/introspect", "/oauth2/revoke"] {
        let world = World::new().await;
        let (other, secret) = world.another(new_app("App2")).await;
        let token = world.form("/oauth2/token", "grant_type=client_credentials").await;
        let good = format!("token={}", token.text("access_token"));
        for number in 0..1000 {
            let answer = world.form(path, &format!("token=nonsense{number}")).await;
            assert_eq!(answer.status, 200, "{number}");
        }
        let throttled = world.form(path, &good).await;
        assert_eq!((throttled.status, wait(&throttled)), (429, 1), "{path}");
        assert_eq!(world.last().action, IssuingAction::Throttled);
        // The same source, and the same application elsewhere.
        let of_other = world.form_by(other.id(), secret.expose(), path, "token=x").await;
        assert_eq!(of_other.status, 200);
        assert_eq!(world.authenticate().await.status, 200);
        assert_eq!(world.refresh("nonsense").await.status, 401);
        world.advance(1);
        assert_eq!(world.form(path, &good).await.status, 200);
    }
}

/// X-BF-03: behind one address there may be many.
#[tokio::test]
async fn who_succeeded_lately_does_not_wait_for_others_of_the_same_source() {
    let world = World::new().await;
    assert_eq!(from(&world, source(1), "App1", world.secret.expose()).await.status, 200);
    for number in 0..40 {
        from(&world, source(1), &format!("Nobody{number}"), "guess").await;
    }
    assert_eq!(from(&world, source(1), "Nobody", "guess").await.status, 429);
    let wrong = wrong(&world).await;
    assert_eq!(from(&world, source(1), "Somebody else", &wrong).await.status, 429);
    assert_eq!(from(&world, source(1), "App1", world.secret.expose()).await.status, 200);
    // It is let through with what it knows; as a guesser it waits as ever.
    for _ in 0..5 {
        assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 401);
    }
    assert_eq!(from(&world, source(1), "App1", world.secret.expose()).await.status, 429);
}
