//! Several servers on one database: whichever is asked, and whichever is killed or stands still, no family
//! forks, nothing that was answered is lost, and all publish the same keys.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tower_bearer::{
    AuthErrorKind, Verifier,
    issue::{FamilyId, NewApplication, StoreSource},
    key::KeySet,
    revocation::{RevocationFeed, StalePolicy},
    scope::ScopeSet,
};

use super::*;
use crate::replica::{self, Answer, Exchange, PATIENCE, REFRESH, Replica, SetClock, refreshing};

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 24 * 3600;
const API: &str = "https://api.test";
const FAMILIES: usize = 6;
/// Clients that hold the same token and use it at the same moment.
const RIVALS: usize = 4;
/// How often each family is rotated.
const ROUNDS: usize = 12;

#[test]
#[ignore = "run by other tests, as processes of their own"]
fn a_replica() {
    replica::serve();
}

struct World {
    url: String,
    schema: String,
    replicas: Vec<Replica>,
    secret: String,
    asked: AtomicUsize,
}

impl World {
    async fn new(server: &Server, schema: &str) -> Self {
        let (url, schema) = (server.url(), schema.to_owned());
        let clock = SetClock(Arc::new(AtomicU64::new(NOW)));
        let issuing = replica::open(&url, &schema, clock).await;
        let scopes = ScopeSet::parse("reports:read").unwrap();
        let app = NewApplication::new("App1").audience(API).scopes(scopes);
        let (_, secret) = issuing.applications().create(app).await.unwrap();
        let replicas = (0..3).map(|_| Replica::start(&url, &schema, NOW)).collect();
        let secret = secret.expose().to_owned();
        Self { url, schema, replicas, secret, asked: AtomicUsize::new(0) }
    }

    /// The first answer that says something, from whichever server, and what others may say late: one
    /// that is gone or stands still is passed over, and so is 503, of which nobody can tell what was done.
    fn ask(&self, endpoint: &str, body: &Value) -> (Answer, Vec<Exchange>) {
        let end = Instant::now() + Duration::from_secs(60);
        let mut silent = Vec::new();
        loop {
            let next = self.asked.fetch_add(1, Ordering::Relaxed) % self.replicas.len();
            if let Some(mut exchange) = self.replicas[next].ask(endpoint, body) {
                match exchange.answer(PATIENCE) {
                    Some(answer) if answer.status != 503 => return (answer, silent),
                    Some(_) => {}
                    None => silent.push(exchange),
                }
            }
            assert!(Instant::now() < end, "nobody answers");
        }
    }

    fn authenticate_with(&self, secret: &str) -> Answer {
        let body = json!({ "applicationName": "App1", "applicationSecret": secret });
        self.ask("authenticateApplication", &body).0
    }

    fn refresh(&self, token: &str) -> Answer {
        self.refresh_settled(token).0
    }

    /// The first answer, and what was said late by servers that stood still.
    ///
    /// A client that tries again elsewhere goes on only when nothing is under way any more: a request
    /// that reaches the store two rotations later shows a token that was used, which ends the family.
    fn refresh_settled(&self, token: &str) -> (Answer, Vec<Answer>) {
        let (answer, silent) = self.ask(REFRESH, &refreshing(token));
        // Whoever was killed says nothing.
        let late = silent.into_iter().filter_map(|mut it| it.answer(Duration::from_secs(60)));
        (answer, late.filter(|answer| answer.status != 503).collect())
    }

    fn alive(&self) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().filter(|replica| replica.get("/.well-known/jwks.json").is_some())
    }

    /// Waits until all that answer publish the same keys, so many.
    fn same_keys(&self, count: usize) -> Value {
        until(|| {
            let documents: Vec<_> = self
                .alive()
                .filter_map(|replica| Some(replica.get("/.well-known/jwks.json")?.body))
                .collect();
            let first = documents.first()?.clone();
            let is_same = documents.iter().all(|document| *document == first);
            (is_same && first["keys"].as_array()?.len() == count).then_some(first)
        })
    }
}

/// Looks again until there is something.
#[track_caller]
fn until<T>(look: impl Fn() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "it does not come");
        thread::yield_now();
    }
}

fn claim(token: &str, part: usize, name: &str) -> String {
    let text = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(token.split('.').nth(part).unwrap());
    let claims: Value = serde_json::from_slice(&text.unwrap()).unwrap();
    claims[name].as_str().unwrap().to_owned()
}

fn kids(document: &Value) -> BTreeSet<String> {
    let keys = document["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Which refresh token followed which: one alone, whoever answered.
#[derive(Default)]
struct Line(Mutex<BTreeMap<String, String>>);

impl Line {
    /// The token that follows this one, by whichever server says it.
    fn next(&self, world: &World, token: &str) -> String {
        let (answer, late) = world.refresh_settled(token);
        for answer in iter::once(&answer).chain(&late) {
            assert_eq!(answer.status, 200, "an acknowledged token is lost: {answer:?}");
            self.follows(token, &answer.text("refreshToken"));
        }
        answer.text("refreshToken")
    }

    fn follows(&self, token: &str, next: &str) {
        let mut line = self.0.lock().unwrap();
        let known = line.entry(token.to_owned()).or_insert_with(|| next.to_owned());
        assert_eq!(known, next, "a family forked");
    }
}

/// Rotates a family as often as said, each time by several clients at once; returns the tokens in order.
fn drive(world: &World, first: String) -> Vec<String> {
    let (mut tokens, line) = (vec![first], Line::default());
    for _ in 0..ROUNDS {
        let token = tokens.last().unwrap();
        thread::scope(|scope| {
            for _ in 0..RIVALS {
                scope.spawn(|| line.next(world, token));
            }
        });
        let next = line.0.lock().unwrap()[token].clone();
        // By one client alone, so that the grace is not used in a row for ever.
        let after = line.next(world, &next);
        tokens.extend([next, after]);
    }
    tokens
}

/// Refreshes a family until it is revoked by somebody else: whoever asks after that was answered, and
/// wherever, gets nothing.
fn end_while_used(world: &World, pair: &Answer) {
    let refreshes = AtomicUsize::new(0);
    let is_revoked = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut token = pair.text("refreshToken");
            loop {
                let was_revoked = is_revoked.load(Ordering::SeqCst);
                let answer = world.refresh(&token);
                if answer.status != 200 {
                    assert_eq!(answer.status, 401, "{answer:?}");
                    break;
                }
                assert!(!was_revoked, "a family lives on that was revoked");
                token = answer.text("refreshToken");
                refreshes.fetch_add(1, Ordering::SeqCst);
            }
        });
        scope.spawn(|| {
            until(|| (refreshes.load(Ordering::SeqCst) > 2).then_some(()));
            let body = json!({ "refreshToken": pair.text("refreshToken") });
            let answer = world.ask("revokeApplicationToken", &body).0;
            assert_eq!(answer.status, 200, "{answer:?}");
            is_revoked.store(true, Ordering::SeqCst);
        });
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_servers_of_one_database_are_one_of_which_one_is_killed_and_one_stands_still() {
    let Some(server) = Server::start() else { return };
    let world = World::new(&server, "replicas").await;
    let opened: Vec<_> = (0..FAMILIES).map(|_| world.authenticate_with(&world.secret)).collect();
    let sids: Vec<_> =
        opened.iter().map(|pair| claim(&pair.text("accessToken"), 1, "sid")).collect();

    let before = world.same_keys(1);
    let ended: Vec<_> = (0..FAMILIES).map(|_| world.authenticate_with(&world.secret)).collect();
    let (lines, secret) = thread::scope(|scope| {
        let driven: Vec<_> = opened
            .iter()
            .map(|pair| scope.spawn(|| drive(&world, pair.text("refreshToken"))))
            .collect();
        let revoked: Vec<_> =
            ended.iter().map(|pair| scope.spawn(|| end_while_used(&world, pair))).collect();
        // In the middle of it one stands still for a while, and another one is killed; what all should
        // come to know is done by the third.
        let trouble = scope.spawn(|| {
            world.replicas[1].signal("-STOP");
            let secret = world.replicas[0].order("add-secret App1");
            world.replicas[0].order("rotate-key");
            thread::sleep(Duration::from_secs(3));
            world.replicas[2].kill();
            thread::sleep(Duration::from_secs(1));
            world.replicas[1].signal("-CONT");
            secret
        });
        revoked.into_iter().for_each(|family| family.join().unwrap());
        let lines: Vec<_> = driven.into_iter().map(|line| line.join().unwrap()).collect();
        (lines, trouble.join().unwrap())
    });
    assert!(world.replicas[2].get("/.well-known/jwks.json").is_none(), "it is gone");
    let after = world.same_keys(2);
    for replica in world.alive() {
        let body = json!({ "applicationName": "App1", "applicationSecret": secret });
        let pair = replica.post("authenticateApplication", &body).unwrap();
        assert_eq!(pair.status, 200, "{pair:?}");
        // Everybody has had the time to fetch this one.
        let kid = claim(&pair.text("accessToken"), 0, "kid");
        assert!(kids(&before).contains(&kid) && kids(&after).contains(&kid), "{kid}");
    }

    let store = Postgres::builder(&world.url).schema(&world.schema).connect().await.unwrap();
    for (sid, line) in sids.iter().zip(&lines) {
        let distinct: BTreeSet<_> = line.iter().collect();
        assert_eq!(distinct.len(), line.len(), "every rotation gives another token");
        let id = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(sid).unwrap();
        let id = FamilyId::from_bytes(id.try_into().unwrap());
        let family = store.family(id).await.unwrap().unwrap();
        assert_eq!(family.generation, line.len() as u64 - 1, "each was answered, and no more");
        assert_eq!(family.revoked_at, None);
    }

    // Reuse is found by whichever server it is tried at, and ends the family at all.
    for line in &lines {
        let old = &line[line.len() - 3];
        assert_eq!(world.refresh(old).status, 401, "reuse");
        for replica in world.alive() {
            let current = replica.refresh(line.last().unwrap()).unwrap();
            assert_eq!(current.status, 401, "a family with reuse has ended");
        }
    }
}

/// X-BF-01
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guessed_enough_at_one_server_has_nothing_left_at_the_others() {
    const AT_ONCE: usize = 1000;
    let Some(server) = Server::start() else { return };
    let world = World::new(&server, "guesses").await;
    let guess = |replica: &Replica| replica.refresh("guess").unwrap().status;
    for _ in 0..AT_ONCE {
        assert_eq!(guess(&world.replicas[0]), 401);
    }
    assert_eq!(guess(&world.replicas[0]), 429);
    for other in &world.replicas[1..] {
        let mut more = 0;
        while guess(other) == 401 {
            more += 1;
            assert!(more < AT_ONCE - 100, "it counts for itself");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_and_signing_keys_are_rotated_for_all_servers() {
    let Some(server) = Server::start() else { return };
    let world = World::new(&server, "rotations").await;
    let next = world.replicas[0].order("add-secret App1");
    let next = next.as_str();
    for secret in [world.secret.as_str(), next] {
        for replica in &world.replicas {
            let body = json!({ "applicationName": "App1", "applicationSecret": secret });
            let answer = replica.post("authenticateApplication", &body).unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }

    let before = world.same_keys(1);
    world.replicas[1].order("rotate-key");
    let published = world.same_keys(2);
    // Until its time comes, nobody signs with the new key; then everybody does at once.
    let signs = |replica: &Replica| {
        let body = json!({ "applicationName": "App1", "applicationSecret": world.secret });
        let answer = replica.post("authenticateApplication", &body).unwrap();
        claim(&answer.text("accessToken"), 0, "kid")
    };
    for replica in &world.replicas {
        assert!(kids(&before).contains(&signs(replica)));
    }
    let new: BTreeSet<_> = kids(&published).difference(&kids(&before)).cloned().collect();
    // One stands still, while for the others a day passes.
    world.replicas[2].signal("-STOP");
    for replica in &world.replicas[..2] {
        replica.order(&format!("clock {}", NOW + DAY + 1));
        assert!(new.contains(&signs(replica)));
    }
    world.replicas[2].signal("-CONT");
    world.replicas[2].order(&format!("clock {}", NOW + DAY + 1));
    assert!(new.contains(&signs(&world.replicas[2])));
    world.same_keys(2);
}

/// Says that it is over, also when it fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How long after it was answered a revocation is known to a verifier elsewhere.
fn reach(world: &World, verifier: &Verifier, number: usize) -> Duration {
    let pair = world.authenticate_with(&world.secret);
    let access = pair.text("accessToken");
    assert!(verifier.verify_now(&access).is_ok());
    let body = json!({ "refreshToken": pair.text("refreshToken") });
    let revoking = &world.replicas[number % 3];
    assert_eq!(revoking.post("revokeApplicationToken", &body).unwrap().status, 200);
    let start = Instant::now();
    let error = until(|| verifier.verify_now(&access).err());
    assert_eq!(error.kind(), AuthErrorKind::Revoked);
    let delay = start.elapsed();
    assert_eq!(world.refresh(&pair.text("refreshToken")).status, 401);
    delay
}

/// While families are refreshed all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_at_one_server_reaches_everybody_within_a_second() {
    let Some(server) = Server::start() else { return };
    let world = World::new(&server, "reach").await;
    let store = Postgres::builder(&world.url).schema(&world.schema).connect().await.unwrap();
    let clock = SetClock(Arc::new(AtomicU64::new(NOW)));
    let feed = RevocationFeed::builder(StoreSource::new(store), StalePolicy::Refuse)
        .clock(clock.clone())
        .start()
        .unwrap();
    let keys = world.same_keys(1).to_string();
    let issuer = tower_bearer::Issuer::new("https://id.test")
        .audience(API)
        .algorithms([tower_bearer::Algorithm::Es256])
        .keys(KeySet::from_jwks(&keys).unwrap())
        .revocations(feed.revocations());
    let verifier: Verifier = Verifier::builder().issuer(issuer).clock(clock).build().unwrap();
    verifier.ready().await.unwrap();

    let is_over = AtomicBool::new(false);
    let refreshes = AtomicUsize::new(0);
    let mut delays = thread::scope(|scope| {
        for _ in 0..FAMILIES {
            scope.spawn(|| {
                let mut token = world.authenticate_with(&world.secret).text("refreshToken");
                while !is_over.load(Ordering::Relaxed) {
                    token = world.refresh(&token).text("refreshToken");
                    refreshes.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let _over = Over(&is_over);
        (0..100).map(|number| reach(&world, &verifier, number)).collect::<Vec<_>>()
    });
    delays.sort();
    let most = delays[98];
    println!(
        "revocations reached a feed after {:?} (median), {most:?} (p99), beside {refreshes:?} refreshes",
        delays[50]
    );
    assert!(most <= Duration::from_secs(1), "{delays:?}");
    assert!(feed.status().max_lag.is_some_and(|lag| lag < Duration::from_secs(2)));
}
