//! What is in the schema, and of which version.

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

use super::error::ConnectError;

/// Each brings the schema from the version of its place to the next one.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/postgres/0001.sql")];

const VERSION: i64 = MIGRATIONS.len() as i64;

/// The first server version that has what is needed.
const LEAST_SERVER: i32 = 13_00_00;

/// Servers that start together wait for each other here. Any number that others do not use.
const MIGRATING: i64 = 0x546f_7742_6d69_6772;

/// Makes the schema, or brings it up to date.
pub(super) async fn prepare(
    connection: &mut PgConnection,
    schema: &str,
) -> Result<(), ConnectError> {
    let failed = |error: sqlx::Error| ConnectError::Database {
        schema: schema.to_owned(),
        source: error.into(),
    };
    let (number, version) = server(connection).await.map_err(failed)?;
    if number < LEAST_SERVER {
        return Err(ConnectError::TooOld { version });
    }
    let path: String = sqlx::query_scalar("SELECT current_setting('search_path')")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if path != format!("\"{schema}\"") {
        return Err(ConnectError::NoSettings);
    }
    // A role that may not create anything does where nothing is to be created.
    let mut found = version_of(connection, schema).await.map_err(failed)?;
    if found < VERSION {
        found = migrate(connection, schema).await.map_err(failed)?;
    }
    if found > VERSION {
        let schema = schema.to_owned();
        return Err(ConnectError::Newer { schema, version: found, known: VERSION });
    }
    Ok(())
}

async fn server(connection: &mut PgConnection) -> Result<(i32, String), sqlx::Error> {
    let query =
        "SELECT current_setting('server_version_num')::int4, current_setting('server_version')";
    let row = sqlx::query(query).fetch_one(connection).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// 0 if there is nothing yet.
async fn version_of(connection: &mut PgConnection, schema: &str) -> Result<i64, sqlx::Error> {
    let table = format!("\"{schema}\".migration");
    let exists = sqlx::query("SELECT to_regclass($1) IS NOT NULL").bind(table);
    if !exists.fetch_one(&mut *connection).await?.try_get::<bool, _>(0)? {
        return Ok(0);
    }
    let version = sqlx::query("SELECT coalesce(max(version), 0) FROM migration");
    version.fetch_one(connection).await?.try_get(0)
}

/// Returns the version that there is then.
async fn migrate(connection: &mut PgConnection, schema: &str) -> Result<i64, sqlx::Error> {
    let mut change = connection.begin().await?;
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATING);
    lock.execute(&mut *change).await?;
    // Who may create tables in a schema need not be allowed to create schemas.
    let exists =
        sqlx::query("SELECT to_regnamespace($1) IS NOT NULL").bind(format!("\"{schema}\""));
    if !exists.fetch_one(&mut *change).await?.try_get::<bool, _>(0)? {
        // The name is checked: nothing of it is more than a name.
        change.execute(&*format!("CREATE SCHEMA \"{schema}\"")).await?;
    }
    let table = "CREATE TABLE IF NOT EXISTS migration (version BIGINT PRIMARY KEY, \
        done_at TIMESTAMPTZ NOT NULL DEFAULT now())";
    change.execute(table).await?;
    let found = version_of(&mut change, schema).await?;
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    for (migration, version) in MIGRATIONS.iter().zip(1_i64..).skip(done) {
        change.execute(*migration).await?;
        let note = sqlx::query("INSERT INTO migration (version) VALUES ($1)").bind(version);
        note.execute(&mut *change).await?;
    }
    change.commit().await?;
    Ok(found.max(VERSION))
}
