//! The store in a file keeps its contract, whatever becomes of the file.

mod damage;
mod file;
mod outages;

use std::{
    error::Error as _,
    fs,
    path::Path,
    task::{Context, Poll, Waker},
    time::Duration,
};

use sqlx::{
    Connection as _, Executor as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions,
};
use tower_bearer::{
    issue::{Applied, Past, Store as _, StoreError, Write},
    revocation::Revocation,
    store::{OpenError, Sqlite},
    test_util::stores,
    time::UnixTime,
};

use crate::folder::Folder;

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds)
}

/// Forgets nothing but revocations that end before this.
fn revocations_before(seconds: u64) -> Past {
    Past { families_before: at(0), revocations_before: at(seconds), keys_before: at(0) }
}

/// A revocation to tell stores apart by.
fn revoke(id: &str) -> Vec<Write> {
    vec![Write::Revoke(Revocation::token(id, at(10)))]
}

async fn revoked(store: &Sqlite) -> Vec<String> {
    let found = store.revocations(at(0)).await.unwrap();
    found.iter().map(|entry| entry.id().to_owned()).collect()
}

/// A connection that is not the store's.
async fn raw(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::ZERO);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// The errors from the outermost to the innermost.
fn chain(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

/// Why this cannot be opened.
async fn refused(path: &Path) -> OpenError {
    let quick = Sqlite::builder().busy_timeout(Duration::from_millis(20));
    quick.open(path).await.expect_err("this is no file to open")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_keeps_the_contract() {
    let dir = Folder::new();
    let number = std::cell::Cell::new(0);
    stores::check(|| {
        number.set(number.get() + 1);
        let path = dir.path().join(format!("{}.db", number.get()));
        async { Sqlite::open(path).await.unwrap() }
    })
    .await;
}

#[tokio::test]
async fn a_file_keeps_the_contract_on_one_thread_with_one_reader() {
    let dir = Folder::new();
    let number = std::cell::Cell::new(0);
    stores::check(|| {
        number.set(number.get() + 1);
        let path = dir.path().join(format!("{}.db", number.get()));
        async { Sqlite::builder().readers(0).open(path).await.unwrap() }
    })
    .await;
}

#[tokio::test]
async fn what_was_answered_is_there_after_opening_again() {
    let dir = Folder::new();
    let store = Sqlite::open(dir.store()).await.unwrap();
    assert_eq!(store.apply(revoke("one")).await.unwrap(), Applied::Done);
    store.close().await.unwrap();
    let beside: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(beside, ["store.db"], "the log is in the file");

    let store = Sqlite::open(dir.store()).await.unwrap();
    assert_eq!(revoked(&store).await, ["one"]);
    assert_eq!(store.apply(revoke("two")).await.unwrap(), Applied::Done);
    // Without being closed, and while it is still open.
    let other = Sqlite::open(dir.store()).await.unwrap();
    assert_eq!(revoked(&other).await, ["one", "two"]);
    assert_eq!(other.apply(revoke("three")).await.unwrap(), Applied::Done);
    assert_eq!(revoked(&store).await, ["one", "two", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_open_a_new_file_at_once() {
    let dir = Folder::new();
    let open = || tokio::spawn(Sqlite::open(dir.store()));
    let opening: Vec<_> = (0..8).map(|_| open()).collect();
    for (number, store) in opening.into_iter().enumerate() {
        let store = store.await.unwrap().unwrap();
        assert_eq!(store.apply(revoke(&number.to_string())).await.unwrap(), Applied::Done);
    }
    let store = Sqlite::open(dir.store()).await.unwrap();
    assert_eq!(revoked(&store).await.len(), 8);
}

#[tokio::test]
async fn the_file_says_what_it_is_and_keeps_a_log() {
    let dir = Folder::new();
    let _store = Sqlite::open(dir.store()).await.unwrap();
    let mut raw = raw(&dir.store()).await;
    for (pragma, expected) in [("application_id", "1416591170"), ("user_version", "2")] {
        let row = raw.fetch_one(format!("PRAGMA {pragma}").as_str()).await.unwrap();
        assert_eq!(row.get::<i64, _>(0).to_string(), expected, "{pragma}");
    }
    let row = raw.fetch_one("PRAGMA journal_mode").await.unwrap();
    assert_eq!(row.get::<&str, _>(0), "wal");
}

#[tokio::test]
async fn a_closed_store_answers_with_an_error_and_keeps_what_was_asked_before() {
    let dir = Folder::new();
    let store = Sqlite::open(dir.store()).await.unwrap();
    let (first, closed) = tokio::join!(store.apply(revoke("one")), store.close());
    closed.unwrap();
    let asked = [store.apply(revoke("two")).await.err(), store.revocations(at(0)).await.err()];
    for error in asked {
        let error = chain(&error.expect("a closed store does nothing"));
        assert!(error.contains("it was closed"), "{error}");
    }
    store.close().await.unwrap();
    let reopened = Sqlite::open(dir.store()).await.unwrap();
    let expected: &[&str] = if first.is_ok() { &["one"] } else { &[] };
    assert_eq!(revoked(&reopened).await, expected);
}

/// On one thread the writer does not run before the test waits for it.
#[tokio::test]
async fn what_nobody_waits_for_is_not_begun() {
    let dir = Folder::new();
    let store = Sqlite::open(dir.store()).await.unwrap();
    let mut given_up = store.apply(revoke("one"));
    let polled = given_up.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(given_up);
    assert_eq!(store.apply(revoke("two")).await.unwrap(), Applied::Done);
    assert_eq!(revoked(&store).await, ["two"]);
}

#[tokio::test]
async fn the_writer_ends_with_the_last_handle() {
    let dir = Folder::new();
    let tasks = tokio::runtime::Handle::current().metrics();
    let store = Sqlite::open(dir.store()).await.unwrap();
    let clone = store.clone();
    drop(store);
    assert_eq!(clone.apply(revoke("one")).await.unwrap(), Applied::Done);
    assert_eq!(tasks.num_alive_tasks(), 1);
    drop(clone);
    // It closes the file first, in a thread of its own.
    for _ in 0..100_000_000 {
        tokio::task::yield_now().await;
        if tasks.num_alive_tasks() == 0 {
            return;
        }
    }
    panic!("the writer goes on with nobody to write for");
}

#[test]
fn a_store_that_outlives_its_runtime_answers_with_an_error() {
    let dir = Folder::new();
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let first = runtime();
    let store = first.block_on(Sqlite::open(dir.store())).unwrap();
    drop(first);
    let error = runtime().block_on(store.apply(revoke("one"))).unwrap_err();
    assert!(chain(&error).contains("the runtime it was opened in"), "{}", chain(&error));
    // Reads need no task, and no timers either.
    assert_eq!(runtime().block_on(revoked(&store)), Vec::<String>::new());
}

#[test]
fn a_store_is_not_opened_without_a_runtime() {
    let dir = Folder::new();
    let mut opening = Box::pin(Sqlite::open(dir.store()));
    let polled = opening.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Err(OpenError::NoRuntime))));
    assert!(!dir.store().exists());
}

#[tokio::test]
async fn numbers_that_the_file_cannot_hold_are_refused() {
    let dir = Folder::new();
    let store = Sqlite::open(dir.store()).await.unwrap();
    let great = Write::Revoke(Revocation::token("great", at(1 << 63)));
    let mut writes = revoke("one");
    writes.push(great);
    let error = chain(&store.apply(writes).await.unwrap_err());
    assert!(error.contains("greater than 2^63 - 1"), "{error}");
    assert_eq!(revoked(&store).await, Vec::<String>::new(), "all is undone");
    assert!(store.live_families("app_1", at(u64::MAX), 0, 1).await.is_err());
    assert!(store.purge(revocations_before(u64::MAX), 1).await.is_err());
}

#[tokio::test]
async fn a_text_with_a_zero_is_kept() {
    let dir = Folder::new();
    let store = Sqlite::open(dir.store()).await.unwrap();
    assert_eq!(store.apply(revoke("a\0b")).await.unwrap(), Applied::Done);
    assert_eq!(store.apply(revoke("a\0c")).await.unwrap(), Applied::Done);
    assert_eq!(revoked(&store).await, ["a\0b", "a\0c"]);
}
