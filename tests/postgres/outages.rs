//! What fails for a while, and works again.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use tower_bearer::issue::Applied;

use super::*;

#[tokio::test]
async fn a_database_that_is_stopped_is_an_error_until_it_is_back() {
    let Some(mut server) = Server::start() else { return };
    let builder = server.store().timeout(Duration::from_millis(300));
    let store = builder.connect().await.unwrap();
    let _ = store.apply(revoke("one")).await.unwrap();

    server.stop();
    store.apply(revoke("two")).await.unwrap_err();
    store.revocations(UnixTime::from_secs(0)).await.unwrap_err();

    server.go_on();
    // Connections that were idle are dead, and each is found so when it is first used.
    let mut failures = 0;
    while store.apply(revoke("three")).await.is_err() {
        failures += 1;
        assert!(failures <= 10, "the store does not recover");
    }
    assert_eq!(revoked(&store).await, ["one", "three"]);
}

#[tokio::test]
async fn a_row_that_somebody_keeps_locked_is_waited_for_and_then_an_error() {
    let Some(server) = Server::shared() else { return };
    let builder = server.store().schema("locked").timeout(Duration::from_millis(200));
    let store = builder.connect().await.unwrap();
    let _ = store.apply(revoke("one")).await.unwrap();
    let mut other = PgConnection::connect(&server.url()).await.unwrap();
    other.execute("BEGIN").await.unwrap();
    other.execute("SELECT * FROM locked.revocation FOR UPDATE").await.unwrap();

    let error = store.apply(revoke("one")).await.unwrap_err();
    assert!(chain(&error).contains("timeout"), "{}", chain(&error));
    assert_eq!(revoked(&store).await, ["one"], "reads wait for nobody");

    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(store.apply(revoke("one")).await.unwrap(), Applied::Done);
}

#[tokio::test]
async fn work_that_is_given_up_is_done_all_the_same() {
    let Some(server) = Server::shared() else { return };
    let store = server.store().schema("given_up").connect().await.unwrap();
    let mut other = PgConnection::connect(&server.url()).await.unwrap();
    other.execute("BEGIN").await.unwrap();
    other.execute("LOCK TABLE given_up.revocation").await.unwrap();
    {
        let mut applied = pin!(store.apply(revoke("one")));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(matches!(applied.as_mut().poll(&mut cx), Poll::Pending));
    }
    other.execute("ROLLBACK").await.unwrap();
    store.close().await; // waits for what was begun
    let count = sqlx::query("SELECT count(*) FROM given_up.revocation");
    let count: i64 = count.fetch_one(&mut other).await.unwrap().get(0);
    assert_eq!(count, 1);
    store.apply(revoke("two")).await.unwrap_err();
}

#[tokio::test]
async fn what_the_database_cannot_hold_is_refused_and_leaves_the_rest_alone() {
    let Some(server) = Server::shared() else { return };
    let store = server.store().connect().await.unwrap();
    let both = [revoke("one"), revoke("\0")].concat();
    let error = store.apply(both).await.unwrap_err();
    assert!(chain(&error).contains("0x00"), "{}", chain(&error));
    let late = vec![Write::Revoke(Revocation::token("two", UnixTime::from_secs(u64::MAX)))];
    let error = store.apply(late).await.unwrap_err();
    assert!(chain(&error).contains("greater than 2^63 - 1"), "{}", chain(&error));
    let _ = store.apply(revoke("three")).await.unwrap();
    assert_eq!(revoked(&store).await, ["three"]);
}
