//! Guessing at several servers of one store.

use std::time::Duration;

use tower_bearer::{
    issue::{Guess, GuessEntry, ServerBuilder, Store, Throttle},
    store::Memory,
};

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
}

/// X-BF-02
#[tokio::test]
async fn a_success_at_one_server_makes_up_for_failures_at_the_others() {
    let store = Memory::new();
    let world = first(&store).await;
    let others = [world.beside(store.clone()).await, world.beside(store).await];
    let servers = [&world, &others[0], &others[1]];
    let wrong = wrong(&world).await;
    for server in [servers[0], servers[1], servers[0], servers[1]] {
        assert_eq!(from(server, source(1), "App1", &wrong).await.status, 401);
    }
    exchange(&servers).await;
    assert_eq!(from(servers[2], source(1), "App1", world.secret.expose()).await.status, 200);
    exchange(&servers).await;
    for server in servers {
        for _ in 0..5 {
            assert_eq!(from(server, source(1), "App1", &wrong).await.status, 401);
        }
        assert_eq!(from(server, source(1), "App1", &wrong).await.status, 429);
    }
}

/// X-BF-03: who is known at one server is no stranger at another one, whoever guesses there.
#[tokio::test]
async fn who_succeeded_at_one_server_is_let_through_at_all_whatever_others_guess() {
    let store = Memory::new();
    let throttle = Throttle::default().with_global_failures(10, 1);
    let server = |server: ServerBuilder| server.throttle(throttle.clone());
    let world = World::over(store.clone(), server, |endpoints| endpoints).await;
    // It succeeds all the time, and each half an hour that is told again.
    for _ in 0..3 {
        assert_eq!(from(&world, source(1), "App1", world.secret.expose()).await.status, 200);
        exchange(&[&world]).await;
        world.advance(30 * 60);
    }
    let told = store.guess_log().unwrap().after(0, 100).await.unwrap().entries;
    let is_success = |entry: &GuessEntry| matches!(entry.record.guess, Guess::Succeeded { .. });
    assert_eq!(told.iter().filter(|entry| is_success(entry)).count(), 3, "{told:?}");

    for last in 2..100 {
        from(&world, source(last), "App1", "guess").await;
    }
    exchange(&[&world]).await;
    let later = world.beside_with(store, server).await;
    for server in [&world, &later] {
        assert_eq!(from(server, source(1), "App1", world.secret.expose()).await.status, 200);
        assert_eq!(from(server, source(200), "App1", world.secret.expose()).await.status, 429);
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

/// X-BF-01: an outage of the log is none of the limits of each server, and none of anything else.
#[tokio::test]
async fn without_the_log_each_server_counts_for_itself() {
    let store = Failing::default();
    let world = first(&store).await;
    let other = world.beside(store.clone()).await;
    let wrong = wrong(&world).await;
    exchange(&[&world, &other]).await;
    store.fail_to_log(true);
    for _ in 0..5 {
        assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 401);
        assert_eq!(from(&other, source(2), "App1", &wrong).await.status, 401);
    }
    assert!(world.server.maintain().await.is_err());
    assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 429);
    assert_eq!(from(&other, source(1), "App1", &wrong).await.status, 401);
    // Nothing but the log has failed: keys are rotated, and a server is opened.
    world.server.rotate_signing_key().await.unwrap();
    let later = world.beside(store.clone()).await;
    assert_eq!(from(&later, source(1), "App1", later.secret.expose()).await.status, 200);

    // Those who could not tell have heard what others could, and what fails from now on is told again.
    store.fail_to_log(false);
    other.server.maintain().await.unwrap();
    store.fail_to_log(true);
    from(&world, source(3), "App1", &wrong).await;
    assert!(world.server.maintain().await.is_err());
    store.fail_to_log(false);
    assert_eq!(from(&world, source(2), "App1", &wrong).await.status, 429);
    for _ in 0..5 {
        assert_eq!(from(&world, source(4), "App1", &wrong).await.status, 401);
    }
    exchange(&[&world, &other]).await;
    assert_eq!(from(&other, source(4), "App1", &wrong).await.status, 429);
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
    for _ in 0..5 {
        assert_eq!(from(&world, source(1), "App1", &wrong).await.status, 401);
    }
    // The time of the runtime passes while nobody has anything to do.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(from(&other, source(1), "App1", other.secret.expose()).await.status, 429);

    let told = store.guess_log().unwrap().after(0, 100).await.unwrap();
    let failures = told.entries.iter().map(|entry| match entry.record.guess {
        Guess::Failed { times, .. } => times,
        Guess::Succeeded { .. } => 0,
    });
    assert_eq!(failures.sum::<u32>(), 5);
    let text = format!("{told:?}");
    assert!(!text.contains("192.0.2.1") && !text.contains("App1"), "{text}");
}
