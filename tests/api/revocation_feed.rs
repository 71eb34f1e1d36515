//! Lists of revocations that are kept current: what a verifier says before everything is known, when a
//! feed is stale, and when it is back. Waiting takes no time here: tokio's clock goes on by itself when
//! nobody has anything else to do.

use std::{
    error::Error as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use http::StatusCode;
use tokio::sync::mpsc;
use tower_bearer::{
    AuthErrorKind as Kind, Verifier,
    event::AuthEvent,
    issue::{Applied, Store as _, StoreSource, Write},
    revocation::{
        Revocation, RevocationCursor, RevocationFeed, StalePolicy,
        feed::{AskedForPage, FeedBuilder, RevocationSource},
    },
    store::Memory,
    test_util::{FrozenClock, TestIssuer},
    time::UnixTime,
};

use crate::support::{NOW, Protected, issuer};

/// The revocations of a store in memory, unless the line is cut.
#[derive(Clone, Default)]
struct Line {
    store: Memory,
    is_cut: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl RevocationSource for Line {
    fn after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        wait: Duration,
    ) -> AskedForPage<'a> {
        self.asked.fetch_add(1, SeqCst);
        let source = StoreSource::new(self.store.clone());
        Box::pin(async move {
            if self.is_cut.load(SeqCst) {
                return Err("the line is cut".into());
            }
            source.after(after, wait).await
        })
    }
}

/// A service with a feed, an issuer and a clock that is moved by hand.
struct World {
    line: Line,
    issuer: TestIssuer,
    clock: FrozenClock,
    verifier: Verifier,
    feed: RevocationFeed,
    events: mpsc::UnboundedReceiver<AuthEvent>,
}

impl World {
    fn new(line: Line, policy: StalePolicy) -> Self {
        let clock = FrozenClock::at(NOW);
        let issuer = issuer().with_clock(clock.clone());
        let (sender, events) = mpsc::unbounded_channel();
        let feed = RevocationFeed::builder(line.clone(), policy)
            .stale_after(Duration::from_secs(30))
            .clock(clock.clone())
            .on_event(move |event: &AuthEvent| sender.send(event.clone()).unwrap())
            .start()
            .unwrap();
        let trusted = issuer.trusted().revocations(feed.revocations());
        let verifier = Verifier::builder().issuer(trusted).clock(clock.clone());
        #[cfg(feature = "cache")]
        let verifier = verifier.cache(tower_bearer::verifier::CacheConfig::new());
        let verifier = verifier.build().unwrap();
        Self { line, issuer, clock, verifier, feed, events }
    }

    fn token(&self, id: &str) -> String {
        self.issuer.token().claim("jti", id).sign()
    }

    fn refusal(&self, id: &str) -> Option<Kind> {
        self.verifier.verify_now(&self.token(id)).err().map(|error| error.kind())
    }

    async fn revoke(&self, id: &str) {
        let revoked = Revocation::token(id, UnixTime::from_secs(NOW + 900));
        let applied = self.line.store.apply(vec![Write::Revoke(revoked)]).await.unwrap();
        assert_eq!(applied, Applied::Done);
    }

    async fn event(&mut self) -> AuthEvent {
        self.events.recv().await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_revoked_is_known_before_a_service_is_ready_and_at_once_after() {
    let line = Line::default();
    for id in ["one", "two"] {
        let revoked = Revocation::token(id, UnixTime::from_secs(NOW + 900));
        let _ = line.store.apply(vec![Write::Revoke(revoked)]).await.unwrap();
    }
    let world = World::new(line, StalePolicy::Refuse);
    assert_eq!(world.refusal("one"), Some(Kind::RevocationsUnavailable), "nothing is known yet");
    assert!(!world.feed.status().is_complete);

    world.verifier.ready().await.unwrap();
    assert_eq!((world.refusal("one"), world.refusal("three")), (Some(Kind::Revoked), None));
    assert_eq!(world.feed.status().revocations, 2);
    world.revoke("three").await;
    world.feed.known(3).await;
    assert_eq!(world.refusal("three"), Some(Kind::Revoked));
    let status = world.feed.status();
    assert!(status.lag.is_some_and(|lag| lag < Duration::from_secs(1)), "{status:?}");
    assert_eq!((status.lag, status.known_until), (status.max_lag, Some(UnixTime::from_secs(NOW))));
}

#[tokio::test(start_paused = true)]
async fn a_stale_feed_refuses_with_503_where_that_was_chosen_until_it_is_back() {
    let mut world = World::new(Line::default(), StalePolicy::Refuse);
    world.verifier.ready().await.unwrap();
    let token = world.token("one");
    assert!(world.verifier.verify_now(&token).is_ok(), "and it is remembered");

    world.line.is_cut.store(true, SeqCst);
    world.clock.advance(Duration::from_secs(29));
    assert!(world.verifier.verify_now(&token).is_ok(), "before the bound");
    world.clock.advance(Duration::from_secs(1));
    let service = Protected::by(world.verifier.clone());
    let response = service.send_token(&token).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "5");
    assert_eq!(response.headers().get("www-authenticate"), None, "the client is not to blame");
    let AuthEvent::RevocationsStale { known_until, refuses, error } = world.event().await else {
        panic!("another event");
    };
    assert_eq!((known_until, refuses), (Some(UnixTime::from_secs(NOW)), true));
    assert_eq!(error.to_string(), "the line is cut");
    assert!(world.feed.status().is_stale);
    assert_eq!(world.refusal("one"), Some(Kind::RevocationsUnavailable));

    // What is known to be revoked is, whatever else is not known.
    world.revoke("two").await;
    world.line.is_cut.store(false, SeqCst);
    let AuthEvent::RevocationsCurrent { revocations: 1 } = world.event().await else {
        panic!("another event");
    };
    assert_eq!((world.refusal("one"), world.refusal("two")), (None, Some(Kind::Revoked)));
    assert!(!world.feed.status().is_stale && world.feed.status().last_error.is_none());
    assert_eq!(service.send_token(&token).await.status(), StatusCode::OK);
    world.clock.advance(Duration::from_secs(31));
    assert_eq!(world.refusal("two"), Some(Kind::Revoked));
}

#[tokio::test(start_paused = true)]
async fn a_feed_is_current_soon_after_an_outage_though_nothing_was_revoked() {
    let mut world = World::new(Line::default(), StalePolicy::Refuse);
    world.verifier.ready().await.unwrap();
    world.line.is_cut.store(true, SeqCst);
    world.clock.advance(Duration::from_secs(31));
    assert_eq!(world.event().await.code(), "revocations_stale");
    world.line.is_cut.store(false, SeqCst);
    let mended = tokio::time::Instant::now();
    assert_eq!(world.event().await.code(), "revocations_current");
    assert!(mended.elapsed() <= Duration::from_secs(5), "{:?}", mended.elapsed());
    assert_eq!(world.refusal("one"), None);
}

/// The clock may be set back, or stand still: what passed is measured without it.
#[tokio::test(start_paused = true)]
async fn a_feed_that_hears_nothing_is_stale_whatever_the_clock_says() {
    let mut world = World::new(Line::default(), StalePolicy::Refuse);
    world.verifier.ready().await.unwrap();
    world.line.is_cut.store(true, SeqCst);
    world.clock.set(NOW - 3600);
    let cut = tokio::time::Instant::now();
    assert_eq!(world.event().await.code(), "revocations_stale");
    let passed = cut.elapsed().as_secs();
    assert!((20..=40).contains(&passed), "{passed} s");
    assert_eq!(world.refusal("one"), Some(Kind::RevocationsUnavailable));
    world.line.is_cut.store(false, SeqCst);
    assert_eq!(world.event().await.code(), "revocations_current");
    assert_eq!(world.refusal("one"), None);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_is_asked_again() {
    struct Panics(AtomicBool, Line);

    impl RevocationSource for Panics {
        fn after<'a>(
            &'a self,
            after: Option<&'a RevocationCursor>,
            wait: Duration,
        ) -> AskedForPage<'a> {
            assert!(self.0.swap(true, SeqCst), "a bug of the source");
            self.1.after(after, wait)
        }
    }
    let (sender, mut events) = mpsc::unbounded_channel();
    let source = Panics(AtomicBool::new(false), Line::default());
    let feed = RevocationFeed::builder(source, StalePolicy::Accept)
        .on_event(move |event: &AuthEvent| sender.send(event.code()).unwrap())
        .start()
        .unwrap();
    assert_eq!(events.recv().await, Some("revocations_stale"));
    assert_eq!(feed.status().last_error.unwrap().to_string(), "the source panicked");
    assert_eq!(events.recv().await, Some("revocations_current"));
}

#[tokio::test(start_paused = true)]
async fn a_stale_feed_accepts_what_is_not_known_to_be_revoked_where_that_was_chosen() {
    let mut world = World::new(Line::default(), StalePolicy::Accept);
    world.revoke("one").await;
    assert_eq!(world.refusal("one"), None, "nothing is known yet");
    world.feed.known(1).await;
    world.line.is_cut.store(true, SeqCst);
    world.clock.advance(Duration::from_secs(31));
    let AuthEvent::RevocationsStale { refuses: false, .. } = world.event().await else {
        panic!("another event");
    };
    assert_eq!((world.refusal("one"), world.refusal("two")), (Some(Kind::Revoked), None));
}

#[tokio::test(start_paused = true)]
async fn a_service_whose_source_is_out_of_reach_is_not_ready_and_says_why() {
    let line = Line::default();
    line.is_cut.store(true, SeqCst);
    for policy in [StalePolicy::Refuse, StalePolicy::Accept] {
        let mut world = World::new(line.clone(), policy);
        let error = world.verifier.ready().await.unwrap_err();
        assert_eq!(error.kind(), Kind::RevocationsUnavailable);
        assert_eq!(error.source().unwrap().to_string(), "the line is cut");
        assert_eq!(error.issuer(), Some(world.issuer.name()));
        let AuthEvent::RevocationsStale { known_until: None, .. } = world.event().await else {
            panic!("another event");
        };
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_never_answers_is_given_up_and_asked_again() {
    #[derive(Clone, Default)]
    struct Silent(Arc<AtomicUsize>);

    impl RevocationSource for Silent {
        fn after<'a>(&'a self, _: Option<&'a RevocationCursor>, _: Duration) -> AskedForPage<'a> {
            self.0.fetch_add(1, SeqCst);
            Box::pin(std::future::pending())
        }
    }
    let silent = Silent::default();
    let (sender, mut events) = mpsc::unbounded_channel();
    let feed = RevocationFeed::builder(silent.clone(), StalePolicy::Refuse)
        .on_event(move |event: &AuthEvent| sender.send(event.code()).unwrap())
        .start()
        .unwrap();
    assert_eq!(events.recv().await, Some("revocations_stale"));
    let error = feed.status().last_error.unwrap();
    assert_eq!(error.to_string(), "no answer within 5 s");
    tokio::time::timeout(Duration::from_secs(60), feed.ready()).await.unwrap_err();
    let asked = silent.0.load(SeqCst);
    assert!((6..=13).contains(&asked), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn a_feed_goes_on_with_its_list_and_ends_with_it() {
    let world = World::new(Line::default(), StalePolicy::Refuse);
    world.verifier.ready().await.unwrap();
    let World { line, issuer, verifier, feed, clock: _, events: _events } = world;
    drop(feed);
    let revoked = Revocation::token("one", UnixTime::from_secs(NOW + 900));
    let _ = line.store.apply(vec![Write::Revoke(revoked)]).await.unwrap();
    let token = issuer.token().claim("jti", "one").sign();
    while verifier.verify_now(&token).is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(verifier);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let asked = line.asked.load(SeqCst);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(line.asked.load(SeqCst), asked, "nobody has the list any more");
}

#[tokio::test(start_paused = true)]
async fn a_list_of_any_length_is_read_page_by_page() {
    let line = Line::default();
    let writes = (0..25_000).map(|number| {
        Write::Revoke(Revocation::token(number.to_string(), UnixTime::from_secs(NOW + 900)))
    });
    let _ = line.store.apply(writes.collect()).await.unwrap();
    let world = World::new(line, StalePolicy::Refuse);
    world.verifier.ready().await.unwrap();
    assert_eq!(world.feed.status().revocations, 25_000);
    let asked = world.line.asked.load(SeqCst);
    assert!((3..=4).contains(&asked), "three pages, and perhaps what comes next: {asked}");
}

#[tokio::test(start_paused = true)]
async fn what_is_past_is_forgotten_a_day_later() {
    let world = World::new(Line::default(), StalePolicy::Accept);
    world.revoke("one").await;
    world.feed.known(1).await;
    world.clock.advance(Duration::from_secs(900 + 24 * 3600));
    world.revoke("two").await;
    world.feed.known(2).await;
    world.clock.advance(Duration::from_secs(3600));
    world.revoke("two").await;
    while !world.feed.revocations().is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[test]
fn a_feed_says_what_it_cannot_start_with() {
    let started = |change: fn(FeedBuilder) -> FeedBuilder| {
        let builder = RevocationFeed::builder(Line::default(), StalePolicy::Refuse);
        change(builder).start().unwrap_err().to_string()
    };
    for seconds in [4, 3601] {
        let builder = RevocationFeed::builder(Line::default(), StalePolicy::Refuse);
        let error = builder.stale_after(Duration::from_secs(seconds)).start().unwrap_err();
        assert!(error.to_string().contains("stale_after"), "{error}");
    }
    let fraction = started(|builder| builder.stale_after(Duration::from_millis(5500)));
    assert!(fraction.contains("stale_after"), "{fraction}");
    assert_eq!(started(|builder| builder), "no tokio runtime: start it where one runs");
}

/// Takes so many seconds for each answer, one after the other, and notes how long it was asked to wait.
struct Slow {
    clock: FrozenClock,
    line: Line,
    seconds: Arc<Mutex<Vec<u64>>>,
    waits: mpsc::UnboundedSender<Duration>,
}

impl RevocationSource for Slow {
    fn after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        wait: Duration,
    ) -> AskedForPage<'a> {
        Box::pin(async move {
            self.waits.send(wait).unwrap();
            let seconds = Duration::from_secs(self.seconds.lock().unwrap().pop().unwrap_or(0));
            let page = self.line.after(after, Duration::ZERO).await;
            tokio::time::sleep(seconds).await;
            self.clock.advance(seconds);
            page
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_feed_waits_for_no_longer_than_its_list_is_current() {
    let (clock, (sender, mut waits)) = (FrozenClock::at(NOW), mpsc::unbounded_channel());
    let (events, mut events_told) = mpsc::unbounded_channel();
    // Of 6 s the second answer leaves none, the third 2.
    let seconds = Arc::new(Mutex::new(vec![4, 6, 0]));
    let slow = Slow { clock: clock.clone(), line: Line::default(), seconds, waits: sender };
    let feed = RevocationFeed::builder(slow, StalePolicy::Refuse)
        .stale_after(Duration::from_secs(6))
        .clock(clock)
        .on_event(move |event: &AuthEvent| events.send(event.code()).unwrap())
        .start()
        .unwrap();
    let mut asked = Vec::new();
    for _ in 0..5 {
        asked.push(waits.recv().await.unwrap().as_secs());
    }
    assert_eq!(asked, [0, 2, 0, 1, 2]);
    // It was back once, and not when the answer came that was too late.
    assert_eq!(events_told.recv().await, Some("revocations_stale"));
    assert_eq!(events_told.recv().await, Some("revocations_current"));
    assert!(events_told.try_recv().is_err());
    assert!(!feed.status().is_stale);
}
