//! Guessing at several servers of one store.

use std::time::Duration;

use tower_bearer::{issue::Store, store::Memory};

use super::{
    outage::Failing,
    throttle::{from, source, wait, wrong},
    world::World,
};

async fn first(store: &(impl Store + Clone)) -> World {
    World::over(store.clone(), |server| server, |endpoints| endpoints).await
}

/// What servers do by themselves a few times a second, now: after two rounds all know everything.
async fn exchange(worlds: &[&World]) {
    for world in worlds.iter().chain(worlds) {
        world.server.maintain().await.unwrap();
    }
}

/// X-BF-01: two servers of one store let through as many guesses as one.
#[tokio::test]
async fn what_fails_at_one_server_counts_at_the_others_of_its_store() {
    let store = Memory::new();
    let world = first(&store).await;
    let other = world.beside(store.clone()).await;
    let wrong = wrong(&world).await;
    for _ in 0..5 {
        assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 401);
    }
    // Until they exchange what they know, each counts for itself.
    assert_eq!(from(&other, source(1), "App1", &wrong).await.status, 401);
    exchange(&[&world, &other]).await;
    let answer = from(&other, source(1), "App1", other.secret.expose()).await;
    assert_eq!((answer.status, wait(&answer)), (429, 2), "6 in a row");
    assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 429);
    assert_eq!(from(&other, source(2), "App1", other.secret.expose()).await.status, 200);

    // A server that comes later has read it all.
    let later = world.beside(store).await;
    assert_eq!(from(&later, source(1), "App1", &wrong).await.status, 429);
    // A success at one of them is one at all.
    world.advance(2);
    assert_eq!(from(&later, source(1), "App1", later.secret.expose()).await.status, 200);
    exchange(&[&later, &world, &other]).await;
    for server in [&world, &other, &later] {
        assert_eq!(from(server, source(1), "App1", &wrong).await.status, 401);
    }
}

/// X-BF-01
#[tokio::test]
async fn a_source_has_its_failures_once_however_many_servers_it_asks() {
    let store = Memory::new();
    let world = first(&store).await;
    let others = [world.beside(store.clone()).await, world.beside(store).await];
    let servers = [&world, &others[0], &others[1]];
    let mut failures = 0;
    for number in 0..60 {
        let name = format!("Nobody{number}");
        let answer = from(servers[number % 3], source(1), &name, "guess").await;
        failures += usize::from(answer.status == 401);
        exchange(&servers).await;
    }
    assert_eq!(failures, 30);
    // Nor may it try tokens.
    assert_eq!(others[0].refresh("x").await.status, 429);
}

/// X-BF-01: an outage of the log is none of the limits of each server.
#[tokio::test]
async fn without_the_log_each_server_counts_for_itself_and_tells_later() {
    let store = Failing::default();
    let world = first(&store).await;
    let other = world.beside(store.clone()).await;
    let wrong = wrong(&world).await;
    store.fail(false, true);
    for _ in 0..5 {
        assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 401);
    }
    assert!(world.server.maintain().await.is_err());
    assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 429);
    assert_eq!(from(&other, source(1), "App1", &wrong).await.status, 401);

    store.work();
    exchange(&[&world, &other]).await;
    assert_eq!(from(&other, source(1), "App1", &wrong).await.status, 429);
}

/// What failed is told by itself, and no address is in what is told.
#[tokio::test(start_paused = true)]
async fn servers_that_run_tell_each_other_at_once_and_no_address() {
    let store = Memory::new();
    let world = first(&store).await;
    let other = world.beside(store.clone()).await;
    for server in [world.server.clone(), other.server.clone()] {
        tokio::spawn(async move { server.run().await });
    }
    let wrong = wrong(&world).await;
    let start = tokio::time::Instant::now();
    for _ in 0..5 {
        assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 401);
    }
    while from(&other, source(1), "App1", other.secret.expose()).await.status == 200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());

    let told = store.guess_log().unwrap().after(0, 100).await.unwrap();
    let failures: u32 = told.records.iter().map(|(record, _)| record.failures).sum();
    assert_eq!(failures, 5);
    let text = format!("{told:?}");
    assert!(!text.contains("192.0.2.1") && !text.contains("App1"), "{text}");
}
