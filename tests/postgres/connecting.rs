//! What is wrong with an address or a setting is said, with the remedy, and no password with it.

use std::time::Duration;

use sqlx::{Connection as _, Executor as _, PgConnection};
use tower_bearer::store::{ConnectError, PostgresBuilder};

use super::*;

async fn refused(builder: PostgresBuilder) -> String {
    chain(&builder.connect().await.unwrap_err())
}

#[tokio::test]
async fn a_wrong_setting_is_named_with_the_remedy() {
    let builder = || Postgres::builder("postgres://localhost/tokens");
    for (builder, text) in [
        (
            builder().schema("Tokens"),
            "schema is Tokens: use at most 63 lower-case letters, digits and `_`, a letter first",
        ),
        (
            builder().schema("a; DROP TABLE b"),
            "schema is a; DROP TABLE b: use at most 63 lower-case letters, digits and `_`, a letter first",
        ),
        (builder().connections(1), "connections is 1: use 2 to 1000"),
        (
            builder().timeout(Duration::from_millis(99)),
            "timeout is 99ms: use 100 ms to 60 s, in whole milliseconds",
        ),
        (
            builder().timeout(Duration::from_micros(100_500)),
            "timeout is 100.5ms: use 100 ms to 60 s, in whole milliseconds",
        ),
    ] {
        assert_eq!(refused(builder).await, text);
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_being_quoted() {
    for url in [
        "mysql://user:s3cr3t@db/tokens",
        "postgres://user:s3cr3t@db:port/tokens",
        "s3cr3t",
        "postgres://user:12?s3cr3t@localhost/tokens",
        "postgres://localhost/tokens?sslpassword=s3cr3t",
    ] {
        let error = refused(Postgres::builder(url)).await;
        assert!(error.starts_with("the address of the database: "), "{error}");
        assert!(!error.contains("s3cr3t"), "{error}");
    }
    let builder = Postgres::builder("postgres://user:s3cr3t@localhost/tokens").password("s3cr3t");
    assert_eq!(format!("{builder:?}"), r#"PostgresBuilder { schema: "tower_bearer", .. }"#);
}

#[tokio::test]
async fn a_server_elsewhere_is_not_spoken_to_in_the_clear() {
    for mode in ["disable", "allow", "prefer", "require", "verify-ca"] {
        let url = format!("postgres://user@db.invalid/tokens?sslmode={mode}");
        let error = Postgres::builder(&url).connect().await.unwrap_err();
        assert!(matches!(error, ConnectError::Unprotected { .. }), "{mode}: {error:?}");
        // Beyond that it is a name that nobody has.
        let quick = Postgres::builder(&url).timeout(Duration::from_millis(100));
        let error = quick.danger_unprotected().connect().await.unwrap_err();
        assert!(matches!(error, ConnectError::Database { .. }), "{mode}: {error:?}");
    }
    let url = "postgres://user@db.invalid/tokens";
    let quick = Postgres::builder(url).timeout(Duration::from_millis(100));
    let error = quick.connect().await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Database { .. }),
        "verified unless said otherwise: {error:?}"
    );
}

#[tokio::test]
async fn servers_that_start_together_make_the_tables_once() {
    let Some(server) = Server::shared() else { return };
    let builder = server.store();
    let starting: Vec<_> =
        (0..8).map(|_| tokio::spawn(builder.clone().connections(2).connect())).collect();
    for (number, store) in starting.into_iter().enumerate() {
        let store = store.await.unwrap().unwrap();
        let _ = store.apply(revoke(&number.to_string())).await.unwrap();
    }
    assert_eq!(revoked(&builder.connect().await.unwrap()).await.len(), 8);
}

#[tokio::test]
async fn tables_of_a_newer_version_are_left_alone() {
    let Some(server) = Server::shared() else { return };
    let builder = server.store().schema("newer");
    builder.clone().connect().await.unwrap();
    let mut raw = PgConnection::connect(&server.url()).await.unwrap();
    raw.execute("INSERT INTO newer.migration (version) VALUES (1000)").await.unwrap();
    let error = refused(builder).await;
    assert!(error.starts_with("the schema newer is of version 1000, and this library"), "{error}");
}

#[tokio::test]
async fn a_role_that_may_create_nothing_does_where_the_tables_are_made() {
    let Some(server) = Server::shared() else { return };
    let builder = server.store().schema("made");
    let url = server.url().replace("postgres@", "clerk@");
    let as_clerk = || Postgres::builder(&url).schema("made");
    let mut raw = PgConnection::connect(&server.url()).await.unwrap();
    raw.execute("CREATE ROLE clerk LOGIN").await.unwrap();
    let error = refused(as_clerk()).await;
    assert!(error.contains("the role may use and create the schema made"), "{error}");
    assert!(error.contains("permission denied"), "{error}");

    builder.connect().await.unwrap();
    raw.execute(
        "GRANT USAGE ON SCHEMA made TO clerk; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA made TO clerk; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA made TO clerk",
    )
    .await
    .unwrap();
    let store = as_clerk().connect().await.unwrap();
    let _ = store.apply(revoke("one")).await.unwrap();
    assert_eq!(revoked(&store).await, ["one"]);
}
