//! The life of signing keys.

use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use tower_bearer::{
    Algorithm, Verifier,
    event::IssuingAction,
    issue::{
        AuthorizationServer, FindSource, KeyRecord, KeyState, ServerKeys, Store as _, Write,
        endpoints::{Body, Endpoints},
    },
    store::Memory,
    test_util::FrozenClock,
};

use super::world::{API, ISSUER, World, basic, decoded, keys, new_app, root};
use crate::support::NOW;

const DAY: u64 = 24 * 3600;

fn states(world: &World) -> Vec<(KeyState, String)> {
    world.server.signing_keys().into_iter().map(|key| (key.state, key.reason)).collect()
}

fn line(state: KeyState, reason: &str) -> (KeyState, String) {
    (state, reason.to_owned())
}

fn kid(token: &str) -> String {
    decoded(token).0["kid"].as_str().unwrap().to_owned()
}

fn published(world: &World) -> Vec<String> {
    let jwks: serde_json::Value = serde_json::from_str(&world.server.jwks()).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// I-ROT-04, I-ROT-05, I-ROT-06, I-ROT-07, I-ROT-15, I-ROT-17
#[tokio::test]
async fn a_key_is_published_ahead_signs_retires_and_is_removed() {
    use KeyState::{Active, Published, Removed, Retired};
    let world = World::new().await;
    assert_eq!(states(&world), [line(Active, "first")]);
    let first = kid(&world.authenticate().await.access());

    world.advance(89 * DAY - 1);
    world.server.maintain().await.unwrap();
    assert_eq!(states(&world), [line(Active, "first")]);
    world.advance(1);
    world.server.maintain().await.unwrap();
    assert_eq!(states(&world), [line(Active, "first"), line(Published, "scheduled")]);
    assert_eq!(published(&world).len(), 2);
    assert_eq!(kid(&world.authenticate().await.access()), first);

    // It becomes active by itself, at the same moment everywhere.
    world.advance(DAY - 1);
    let last = world.authenticate().await.access();
    assert_eq!(kid(&last), first);
    world.advance(1);
    let next = world.authenticate().await.access();
    assert_ne!(kid(&next), first);
    assert_eq!(states(&world), [line(Retired, "first"), line(Active, "scheduled")]);
    for token in [&last, &next] {
        assert_eq!(world.call(token).await, 200);
    }
    world.server.maintain().await.unwrap();
    assert_eq!(world.count(IssuingAction::KeyRetired), 1, "its private part is destroyed");
    assert_eq!(world.call(&last).await, 200, "what it signed is still verified");

    // One hour of life, five minutes of leeway, and as long as the key document is kept.
    world.advance(3600 + 300 + 300 - 1);
    world.server.maintain().await.unwrap();
    assert_eq!(published(&world).len(), 2);
    world.advance(1);
    world.server.maintain().await.unwrap();
    assert_eq!(states(&world), [line(Removed, "first"), line(Active, "scheduled")]);
    assert_eq!(published(&world), [kid(&next)]);
    let inventory = &world.server.signing_keys()[0];
    assert_eq!(inventory.created_at.as_secs(), NOW);
    assert_eq!(inventory.retired_at.unwrap().as_secs(), NOW + 90 * DAY);
    assert_eq!(inventory.removed_at.unwrap().as_secs(), NOW + 90 * DAY + 4200);
}

/// I-ROT-07: and R-REV-01 for all that it signed.
#[tokio::test]
async fn compromised_keys_are_replaced_at_once() {
    let world = World::new().await;
    let pair = world.authenticate().await;
    world.server.rotate_signing_key().await.unwrap();
    world.server.replace_compromised_signing_keys().await.unwrap();
    assert_eq!(world.call(&pair.access()).await, 401);
    assert_eq!(published(&world).len(), 1);
    assert_ne!(published(&world)[0], kid(&pair.access()));
    assert_eq!(world.count(IssuingAction::KeyRemoved), 2);
    assert_eq!(world.count(IssuingAction::EverythingRevoked), 1);
    world.advance(1);
    let next = world.refresh(&pair.refresh()).await;
    assert_eq!(world.call(&next.access()).await, 200);
    assert_eq!(kid(&next.access()), published(&world)[0]);
}

#[tokio::test]
async fn a_rotation_can_be_asked_for_and_is_asked_for_once() {
    let world = World::new().await;
    world.server.rotate_signing_key().await.unwrap();
    world.server.rotate_signing_key().await.unwrap();
    assert_eq!(
        states(&world),
        [line(KeyState::Active, "first"), line(KeyState::Published, "requested")]
    );
}

#[tokio::test]
async fn a_clock_that_is_set_back_stops_nothing() {
    use KeyState::{Active, Published, Retired};
    let world = World::new().await;
    world.server.rotate_signing_key().await.unwrap();
    let first = kid(&world.authenticate().await.access());
    let before_all = NOW - 3600;
    world.clock.set(before_all);
    world.server.maintain().await.unwrap();
    let access = world.authenticate().await.access();
    assert_eq!((kid(&access), world.call(&access).await.as_u16()), (first.clone(), 200));
    assert_eq!(states(&world), [line(Active, "first"), line(Published, "requested")]);

    // Once the private part of the first is gone, the second signs at whatever time.
    world.clock.set(NOW + DAY);
    world.server.maintain().await.unwrap();
    let second = kid(&world.authenticate().await.access());
    assert_ne!(second, first);
    for time in [NOW + DAY - 1, before_all] {
        world.clock.set(time);
        world.server.maintain().await.unwrap();
        let access = world.authenticate().await.access();
        assert_eq!((kid(&access), world.call(&access).await.as_u16()), (second.clone(), 200));
        assert_eq!(states(&world), [line(Retired, "first"), line(Active, "requested")]);
        assert_eq!(published(&world), [first.clone(), second.clone()]);
    }
    assert_eq!(world.count(IssuingAction::KeyAdded), 2);
}

#[tokio::test]
async fn where_no_key_can_sign_one_is_made_at_once() {
    for time in [NOW + 60, NOW - 60] {
        let store = Memory::new();
        let world = World::over(store.clone(), |server| server, |endpoints| endpoints).await;
        let old = world.authenticate().await.access();
        let key = store.signing_keys().await.unwrap().pop().unwrap();
        let destroyed = KeyRecord { sealed: None, ..key };
        let _ = store.apply(vec![Write::ReplaceKey(destroyed)]).await.unwrap();
        world.clock.set(time);
        world.server.maintain().await.unwrap();
        let event = world.last();
        assert_eq!((event.action, event.reason), (IssuingAction::KeyAdded, Some("missing")));

        for time in [time, NOW + 120] {
            world.clock.set(time);
            world.server.maintain().await.unwrap();
            let both = [line(KeyState::Retired, "first"), line(KeyState::Active, "missing")];
            assert_eq!(states(&world), both);
            let access = world.authenticate().await.access();
            assert_eq!(kid(&access), published(&world)[1]);
            assert_eq!(world.call(&access).await, 200);
        }
        assert_eq!(world.call(&old).await, 200, "what the old one signed is still verified");
    }
}

/// I-ROT-02, I-ROT-11, I-ROT-16
#[tokio::test]
async fn two_servers_of_one_store_agree_and_an_algorithm_is_changed_without_an_outage() {
    let store = Memory::new();
    let clock = FrozenClock::at(NOW);
    let open = |algorithm| {
        AuthorizationServer::builder(store.clone())
            .issuer(ISSUER)
            .keys(keys())
            .algorithm(algorithm)
            .clock(clock.clone())
            .open()
    };
    let old = open(Algorithm::Es256).await.unwrap();
    let again = open(Algorithm::Es256).await.unwrap();
    assert_eq!(again.jwks(), old.jwks());
    let (app, secret) = old.applications().create(new_app("App1")).await.unwrap();
    clock.advance(Duration::from_secs(1));
    let new = open(Algorithm::EdDsa).await.unwrap();
    let states: Vec<_> = new.signing_keys().iter().map(|key| (key.algorithm, key.state)).collect();
    assert_eq!(
        states,
        [(Algorithm::Es256, KeyState::Active), (Algorithm::EdDsa, KeyState::Published)]
    );
    old.maintain().await.unwrap();
    assert_eq!(old.jwks(), new.jwks());
    clock.advance(Duration::from_secs(DAY));
    assert_eq!(new.signing_keys()[1].state, KeyState::Active);
    assert_eq!(old.signing_keys(), new.signing_keys());

    // The old one signs with the new key now, and knows its own tokens.
    let endpoints = Endpoints::builder(old.clone(), FindSource::unknown()).build().unwrap();
    let access = client_credentials(endpoints.clone(), app.id(), secret.expose()).await;
    assert_eq!(decoded(&access).0["alg"], "EdDSA");
    for server in [&old, &new] {
        let verifier = Verifier::builder()
            .issuer(server.trusted().audience(API))
            .clock(clock.clone())
            .build()
            .unwrap();
        assert!(verifier.verify_now(&access).is_ok());
    }
    let asked = form(app.id(), secret.expose(), "/oauth2/introspect", &format!("token={access}"));
    assert!(body(endpoints.oneshot(asked).await.unwrap()).await.contains("\"active\":true"));
    // And wants no other one: the server that was opened last has its way.
    for _ in 0..5 {
        clock.advance(Duration::from_secs(DAY));
        old.maintain().await.unwrap();
        new.maintain().await.unwrap();
    }
    assert_eq!(old.signing_keys().len(), 2);
    assert_eq!(old.jwks(), new.jwks());
}

async fn client_credentials(endpoints: Endpoints, id: &str, secret: &str) -> String {
    let asked = form(id, secret, "/oauth2/token", "grant_type=client_credentials");
    let answer = body(endpoints.oneshot(asked).await.unwrap()).await;
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

fn form(id: &str, secret: &str, path: &str, body: &str) -> Request<String> {
    Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", basic(id, secret))
        .body(body.to_owned())
        .unwrap()
}

async fn body(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
}

/// Of two kinds one has its way, and keys do not pile up.
#[tokio::test]
async fn servers_that_want_secrets_and_public_keys_do_not_take_turns() {
    let store = Memory::new();
    let clock = FrozenClock::at(NOW);
    let open = |algorithm| {
        AuthorizationServer::builder(store.clone())
            .issuer(ISSUER)
            .keys(keys())
            .algorithm(algorithm)
            .clock(clock.clone())
            .open()
    };
    let secret = open(Algorithm::Hs256).await.unwrap();
    clock.advance(Duration::from_secs(1));
    let public = open(Algorithm::Es256).await.unwrap();
    for _ in 0..5 {
        clock.advance(Duration::from_secs(60));
        secret.maintain().await.unwrap();
        public.maintain().await.unwrap();
    }
    let keys = public.signing_keys();
    let states: Vec<_> = keys.iter().map(|key| (key.algorithm, key.state)).collect();
    assert_eq!(
        states,
        [(Algorithm::Hs256, KeyState::Removed), (Algorithm::Es256, KeyState::Active)]
    );
}

#[tokio::test]
async fn between_secrets_and_public_keys_nothing_is_published_ahead() {
    let store = Memory::new();
    let open = |algorithm| {
        let store = store.clone();
        World::over(store, move |server| server.algorithm(algorithm), |endpoints| endpoints)
    };
    let secret = open(Algorithm::Hs256).await;
    let old = secret.authenticate().await.access();
    assert_eq!(decoded(&old).0["alg"], "HS256");
    assert_eq!(secret.call(&old).await, 200);
    secret.server.applications().delete(secret.app.id()).await.unwrap();
    let public = open(Algorithm::Es256).await;
    let new = public.authenticate().await.access();
    assert_eq!(decoded(&new).0["alg"], "ES256");
    assert_eq!(public.call(&new).await, 200);
    assert_eq!(public.call(&old).await, 401);
}

/// I-AT-02
#[tokio::test]
async fn every_algorithm_signs_what_is_verified() {
    for algorithm in [Algorithm::Hs256, Algorithm::Es256, Algorithm::EdDsa, Algorithm::Es384] {
        let world = World::with(|server| server.algorithm(algorithm)).await;
        let access = world.authenticate().await.access();
        assert_eq!(decoded(&access).0["alg"], algorithm.name());
        assert_eq!(world.call(&access).await, 200, "{algorithm}");
    }
}

/// I-ROT-10
#[tokio::test]
async fn the_keys_that_seal_rotate_while_serving() {
    let world = World::new().await;
    let before = world.authenticate().await.access();
    let wrong = world.server.replace_server_keys(ServerKeys::new(&root(2))).await.unwrap_err();
    assert!(wrong.to_string().contains("give the server the root key"), "{wrong}");
    assert_eq!(world.refresh(&world.authenticate().await.refresh()).await.status, 200, "as before");

    let both = ServerKeys::new(&root(2)).with_previous(&root(1));
    world.server.replace_server_keys(both).await.unwrap();
    assert_eq!(world.count(IssuingAction::KeyResealed), 1);
    world.server.replace_server_keys(ServerKeys::new(&root(2))).await.unwrap();
    let after = world.authenticate_with("App1", "x").await;
    assert_eq!(after.status, 401);
    for token in [before] {
        assert_eq!(world.call(&token).await, 200);
    }
}

#[tokio::test]
async fn a_server_without_the_key_that_sealed_does_not_open() {
    let store = Memory::new();
    let open = |byte| {
        AuthorizationServer::builder(store.clone())
            .issuer(ISSUER)
            .keys(ServerKeys::new(&root(byte)))
            .open()
    };
    open(1).await.unwrap();
    let error = open(2).await.unwrap_err().to_string();
    assert!(error.contains("give the server the root key that it was sealed with"), "{error}");
}

#[tokio::test]
async fn a_verifier_follows_the_keys_of_its_server_and_cannot_be_told_others() {
    let world = World::new().await;
    let error = world
        .verifier
        .replace_keys(ISSUER, tower_bearer::key::KeySet::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("its keys come from elsewhere"), "{error}");
    let verifier = Verifier::builder()
        .issuer(world.server.trusted().audience(API))
        .clock(world.clock.clone())
        .build()
        .unwrap();
    world.server.replace_compromised_signing_keys().await.unwrap();
    world.advance(1);
    assert!(verifier.verify_now(&world.authenticate().await.access()).is_ok());
}
