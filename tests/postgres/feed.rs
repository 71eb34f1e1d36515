//! Whoever follows the revocations of a database misses none.

use std::time::Duration;

use sqlx::{Connection as _, Executor as _, PgConnection};
use tower_bearer::revocation::RevocationCursor;

use super::*;

async fn ids_after(store: &Postgres, cursor: &mut Option<RevocationCursor>) -> Vec<String> {
    let page = store.revocations_after(cursor.as_ref(), 10).await.unwrap();
    *cursor = Some(page.next);
    page.entries.iter().map(|entry| entry.revocation.id().to_owned()).collect()
}

#[tokio::test]
async fn a_transaction_that_ends_late_is_not_passed_over() {
    // Of its own, as the transactions of others are seen.
    let Some(server) = Server::start() else { return };
    let store = server.store().schema("late").connect().await.unwrap();
    let mut cursor = None;
    assert_eq!(ids_after(&store, &mut cursor).await, Vec::<String>::new());

    let mut late = PgConnection::connect(&server.url()).await.unwrap();
    late.execute("SET search_path TO late").await.unwrap();
    late.execute("BEGIN").await.unwrap();
    late.execute("INSERT INTO revocation (kind, id, until) VALUES ('token', 'late', 10)")
        .await
        .unwrap();
    let _ = store.apply(revoke("early")).await.unwrap();
    assert_eq!(ids_after(&store, &mut cursor).await, ["early"]);
    // As long as the other one is under way, what is behind it is read again.
    assert_eq!(ids_after(&store, &mut cursor).await, ["early"]);
    late.execute("COMMIT").await.unwrap();
    assert_eq!(ids_after(&store, &mut cursor).await, ["late", "early"]);
    assert_eq!(ids_after(&store, &mut cursor).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_cursor_of_another_life_of_the_database_begins_anew() {
    // Of its own, as the transactions of others are seen.
    let Some(server) = Server::start() else { return };
    let store = server.store().connect().await.unwrap();
    let _ = store.apply(revoke("one")).await.unwrap();
    let mut cursor = None;
    assert_eq!(ids_after(&store, &mut cursor).await, ["one"]);
    let known = cursor.clone().unwrap();
    assert_eq!(ids_after(&store, &mut cursor).await, Vec::<String>::new());

    let (epoch, rest) = known.as_str().split_once('-').unwrap();
    let ahead = format!("{epoch}-{}-0-0", i64::MAX);
    for other in
        [format!("9.9-{rest}"), ahead, epoch.to_owned(), format!("{epoch}-1"), format!("{known:?}")]
    {
        let Some(other) = RevocationCursor::new(&other) else { continue };
        let mut cursor = Some(other);
        assert_eq!(ids_after(&store, &mut cursor).await, ["one"], "{cursor:?}");
    }
}

#[tokio::test]
async fn a_notice_reaches_every_store_of_the_schema_and_no_other() {
    let Some(server) = Server::shared() else { return };
    let builder = server.store();
    let (one, two) = (builder.clone().connect().await.unwrap(), builder.connect().await.unwrap());
    let other = server.store().connect().await.unwrap();
    let waiting = Duration::from_secs(20);
    let (mut heard, mut unheard) = (two.notices(), other.notices());
    // Whether the other one listens already is not to be seen, so it is told until it does.
    let told = async {
        loop {
            let _ = one.apply(revoke("one")).await.unwrap();
            let heard = tokio::time::timeout(Duration::from_millis(200), heard.next());
            if heard.await.is_ok() {
                break;
            }
        }
    };
    tokio::time::timeout(waiting, told).await.unwrap();
    let quiet = tokio::time::timeout(Duration::from_millis(300), unheard.next()).await;
    assert!(quiet.is_err(), "a notice of another schema");
}
