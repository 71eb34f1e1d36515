//! The store in a PostgreSQL database keeps its contract, whatever becomes of the database.
//!
//! The tests start servers of their own and leave others alone.

#![cfg(all(unix, any(feature = "aws-lc-rs", feature = "rust-crypto")))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod connecting;
mod copying;
mod feed;
#[path = "../api/folder.rs"]
#[expect(dead_code, reason = "other programs of tests need more of it")]
mod folder;
mod following;
mod guesses;
mod outages;
mod replica;
mod replicas;
mod server;

use std::error::Error;

use tower_bearer::{
    issue::{Store as _, Write},
    revocation::Revocation,
    store::Postgres,
    test_util::stores,
    time::UnixTime,
};

use self::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_keeps_the_contract() {
    let Some(server) = Server::shared() else { return };
    stores::check(|| async { server.store().connections(8).connect().await.unwrap() }).await;
}

/// A revocation to tell stores apart by.
fn revoke(id: &str) -> Vec<Write> {
    vec![Write::Revoke(Revocation::token(id, UnixTime::from_secs(10)))]
}

async fn revoked(store: &Postgres) -> Vec<String> {
    let found = store.revocations(UnixTime::from_secs(0)).await.unwrap();
    let mut ids: Vec<_> = found.iter().map(|entry| entry.id().to_owned()).collect();
    ids.sort();
    ids
}

/// The errors from the outermost to the innermost.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}
