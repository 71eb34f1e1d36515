//! A client that goes away before it is answered.

use super::{
    outage::Failing,
    throttle::Noted,
    world::{World, root},
};
use crate::support::poll_once;

const CHOSEN: &str = "correct horse battery staple";

/// A server over a store that can hang, and a limiter of one's own that notes what it is told.
async fn world() -> (World, Failing, Noted) {
    let (store, noted) = (Failing::default(), Noted::default());
    let limiter = noted.clone();
    let server = |server: tower_bearer::issue::ServerBuilder| server.guess_limiter(limiter);
    let world = World::over(store.clone(), server, |endpoints| endpoints).await;
    (world, store, noted)
}

/// Asks, and goes away as soon as there is something to wait for.
async fn give_up(world: &World, name: &str, secret: &str) {
    let mut asking = Box::pin(world.authenticate_with(name, secret));
    assert!(poll_once(&mut asking).is_pending(), "there is an answer");
}

/// X-BF-02: nobody is taken for a guesser because the store is slow.
#[tokio::test]
async fn who_gives_up_while_the_store_is_asked_did_not_guess() {
    let (world, store, noted) = world().await;
    let applications = world.server.applications();
    applications.add_chosen_secret(world.app.id(), "chosen", CHOSEN).await.unwrap();
    for secret in [world.secret.expose(), CHOSEN] {
        store.hang(true, false);
        for _ in 0..200 {
            give_up(&world, "App1", secret).await;
        }
        assert_eq!(noted.notes(), vec!["admit App1"; 200]);
        store.work();
        assert_eq!(world.authenticate_with("App1", secret).await.status, 200);
        assert_eq!(noted.notes(), ["admit App1", "succeeded App1"]);
    }
}

/// X-BF-02: nobody escapes by hanging up while a guess is looked at.
#[tokio::test]
async fn who_gives_up_while_the_secret_is_compared_guessed() {
    let (world, store, noted) = world().await;
    for name in ["App1", "Nobody"] {
        store.asked();
        for _ in 0..5 {
            give_up(&world, name, CHOSEN).await;
        }
        assert_eq!(store.asked(), 5);
        let told = [format!("admit {name}"), format!("failed {name}")];
        assert_eq!(
            noted.notes(),
            [told.clone(), told.clone(), told.clone(), told.clone(), told].concat()
        );
        let next = world.authenticate_with(name, world.secret.expose()).await;
        assert_eq!((next.status, next.header("retry-after")), (429, Some("1")));
        assert_eq!(store.asked(), 0);
    }
}

/// What is left to do after that concerns no throttle.
#[tokio::test]
async fn who_gives_up_when_the_secret_was_right_proved_it() {
    let (world, store, noted) = world().await;
    let rotated = tower_bearer::issue::ServerKeys::new(&root(2)).with_previous(&root(1));
    world.server.replace_server_keys(rotated).await.unwrap();
    // The digest is to be made anew, which is written.
    store.hang(false, true);
    for _ in 0..5 {
        give_up(&world, "App1", world.secret.expose()).await;
        assert_eq!(noted.notes(), ["admit App1", "succeeded App1"]);
    }
    store.work();
    assert_eq!(world.authenticate().await.status, 200);
}
