use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use sqlx::Executor as _;

use super::*;
use crate::revocation::Revocation;

/// A file that is gone when the test is over.
struct File(std::path::PathBuf);

impl File {
    fn new() -> Self {
        let name = format!("tower-bearer-{:016x}.db", RandomState::new().hash_one(()));
        Self(std::env::temp_dir().join(name))
    }

    async fn writer(&self) -> writer::Writer {
        let path = file::prepare(&self.0).unwrap();
        let place = connection::Place { path, busy_timeout: Duration::from_secs(5) };
        let connection = schema::open(&place).await.unwrap();
        writer::Writer::new(Arc::new(place), connection)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

fn revoke(id: &str) -> Vec<Write> {
    vec![Write::Revoke(Revocation::token(id, UnixTime::from_secs(10)))]
}

/// Has all of this done in one transaction.
async fn together(
    writer: &mut writer::Writer,
    work: Vec<Vec<Write>>,
) -> Vec<Result<Outcome, StoreError>> {
    let (jobs, answers): (Vec<_>, Vec<_>) = work
        .into_iter()
        .map(|writes| {
            let (answer, answered) = oneshot::channel();
            ((Work::Apply(writes), answer), answered)
        })
        .unzip();
    writer.work(jobs).await;
    let mut outcomes = Vec::new();
    for answer in answers {
        outcomes.push(answer.await.unwrap());
    }
    outcomes
}

async fn value(connection: &mut sqlx::SqliteConnection, pragma: &str) -> String {
    use sqlx::{Row as _, ValueRef as _};
    let query = format!("PRAGMA {pragma}");
    let row = connection.fetch_one(query.as_str()).await.unwrap();
    assert!(!row.try_get_raw(0).unwrap().is_null());
    match row.try_get::<i64, _>(0) {
        Ok(number) => number.to_string(),
        Err(_) => row.get(0),
    }
}

#[tokio::test]
async fn every_connection_is_durable_and_wary() {
    let file = File::new();
    let mut writer = file.writer().await;
    let first = writer.connection.take().unwrap();
    let anew = writer.place.connect().await.unwrap();
    let reader = writer.place.connect_reader().await.unwrap();
    let mut connections = [first, anew, reader];
    for connection in &mut connections {
        for (pragma, expected) in [
            ("journal_mode", "wal"),
            ("synchronous", "2"),
            ("fullfsync", "1"),
            ("foreign_keys", "1"),
            ("trusted_schema", "0"),
            ("cell_size_check", "1"),
            ("temp_store", "2"),
        ] {
            assert_eq!(value(connection, pragma).await, expected, "{pragma}");
        }
    }
    let [.., reader] = &mut connections;
    reader.execute("DELETE FROM revocation").await.unwrap_err();
}

#[tokio::test]
async fn a_file_that_can_only_be_read_is_refused() {
    let file = File::new();
    let writer = file.writer().await;
    let connection = writer.place.connect_reader().await.unwrap();
    let error = schema::prepare(&writer.place, connection).await.unwrap_err();
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error:?}");
}

#[tokio::test]
async fn what_shares_a_transaction_does_not_share_a_conflict() {
    let file = File::new();
    let mut writer = file.writer().await;
    let gone = || Write::DeleteApplication { id: "app_1".to_owned(), version: 1 };
    let undone = [revoke("two"), vec![gone()]].concat();
    let great = Write::Revoke(Revocation::token("great", UnixTime::from_secs(u64::MAX)));
    let refused = [revoke("three"), vec![great]].concat();
    let work = vec![revoke("one"), undone, refused, revoke("four"), vec![gone()]];
    let outcomes = together(&mut writer, work).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::ok).collect();
    let (done, conflict) = (Some(Outcome::Done(0)), Some(Outcome::Conflict));
    assert_eq!(outcomes, [done, conflict, None, done, conflict]);

    let store = Sqlite::open(&file.0).await.unwrap();
    let found = store.revocations(UnixTime::from_secs(0)).await.unwrap();
    let ids: Vec<_> = found.iter().map(Revocation::id).collect();
    assert_eq!(ids, ["one", "four"]);
}

#[tokio::test]
async fn a_full_file_fails_all_that_share_the_transaction_and_then_works_again() {
    let file = File::new();
    let mut writer = file.writer().await;
    let full = writer.connection.as_mut().unwrap();
    let pages = value(full, "page_count").await;
    value(full, &format!("max_page_count = {pages}")).await;
    let long = "long ".repeat(4000);
    let work = vec![revoke("one"), revoke(&long), revoke("two")];
    let outcomes = together(&mut writer, work).await;
    assert_eq!(outcomes.len(), 3);
    assert!(outcomes.iter().all(Result::is_err), "{outcomes:?}");

    let store = Sqlite::open(&file.0).await.unwrap();
    assert_eq!(store.revocations(UnixTime::from_secs(0)).await.unwrap(), []);
    // The connection that was full is gone, as the trouble is.
    let outcomes = together(&mut writer, vec![revoke("one"), revoke(&long)]).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(store.revocations(UnixTime::from_secs(0)).await.unwrap().len(), 2);
}
