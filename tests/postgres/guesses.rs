//! The log of failed guesses: what it forgets, and whom it waits for.

use std::time::Duration;

use sqlx::{Connection as _, Executor as _, PgConnection};
use tower_bearer::issue::{Guess, GuessPage, GuessRecord, Past, Store as _};

use super::*;

async fn connect(server: &Server, schema: &str) -> PgConnection {
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    connection.execute(&*format!("SET search_path = {schema}")).await.unwrap();
    connection
}

async fn add(store: &Postgres, count: u32) {
    let record = |times| GuessRecord {
        server: 1,
        guess: Guess::Failed { pair: None, source: Some(u64::MAX), times },
    };
    store.guess_log().unwrap().add((1..=count).map(record).collect()).await.unwrap();
}

async fn page(store: &Postgres, place: u64) -> GuessPage {
    store.guess_log().unwrap().after(place, 1_000_000).await.unwrap()
}

#[tokio::test]
async fn guesses_of_an_hour_ago_are_forgotten_and_of_very_many_the_first() {
    let Some(server) = Server::shared() else { return };
    let store = server.store().schema("forgotten_guesses").connect().await.unwrap();
    let mut beside = connect(server, "forgotten_guesses").await;
    add(&store, 3).await;
    let hour_ago = "UPDATE guess SET written_at = written_at - interval '1 hour' WHERE place < 3";
    beside.execute(hour_ago).await.unwrap();
    let ages: Vec<_> = page(&store, 0).await.entries.iter().map(|entry| entry.age).collect();
    assert!(ages[1] >= Duration::from_secs(3600) && ages[2] < Duration::from_secs(600), "{ages:?}");
    let nothing = UnixTime::from_secs(0);
    let past = Past { families_before: nothing, revocations_before: nothing, keys_before: nothing };
    assert_eq!(store.purge(past, 100).await.unwrap(), 2);
    add(&store, 1).await;
    assert_eq!(page(&store, 0).await.entries.len(), 2);
    assert_eq!(page(&store, 3).await.entries.len(), 1);

    let many = "INSERT INTO guess (server, failures) SELECT 2, 1 FROM generate_series(1, 200000)";
    beside.execute(many).await.unwrap();
    for forgotten in [1, 1, 0] {
        assert_eq!(store.purge(past, 1).await.unwrap(), forgotten);
    }
    let kept = page(&store, 0).await;
    assert_eq!((kept.entries.len(), kept.next), (200_000, 200_004));
}

#[tokio::test]
async fn guesses_are_told_while_somebody_cleans_the_table_up() {
    let Some(server) = Server::shared() else { return };
    let store = server.store().schema("cleaned_guesses").connect().await.unwrap();
    let mut beside = connect(server, "cleaned_guesses").await;
    let mut cleaning = beside.begin().await.unwrap();
    // As VACUUM does.
    cleaning.execute("LOCK TABLE guess IN SHARE UPDATE EXCLUSIVE MODE").await.unwrap();
    add(&store, 1).await;
    assert_eq!(page(&store, 0).await.entries.len(), 1);
    cleaning.rollback().await.unwrap();
}
