//! What is in the file, and of which version.

use sqlx::{Connection as _, Executor as _, Row as _, SqliteConnection};

use super::{
    connection::Place,
    error::{OpenError, is_busy},
};

/// Marks the file as ours: `TowB` in ASCII.
const APPLICATION_ID: i64 = 0x546f_7742;

/// Each brings the file from the version of its place to the next one.
const MIGRATIONS: &[&str] =
    &[include_str!("../migrations/sqlite/0001.sql"), include_str!("../migrations/sqlite/0002.sql")];

const VERSION: i64 = MIGRATIONS.len() as i64;

/// How often others may come first when a new file is opened.
const MOST_ATTEMPTS: usize = 50;

/// Opens the connection that writes and brings the file up to date.
pub(super) async fn open(place: &Place) -> Result<SqliteConnection, OpenError> {
    let connection = place.connect().await;
    prepare(place, connection.map_err(|error| OpenError::of(place.path.clone(), error))?).await
}

pub(super) async fn prepare(
    place: &Place,
    mut connection: SqliteConnection,
) -> Result<SqliteConnection, OpenError> {
    let failed = |error| OpenError::of(place.path.clone(), error);
    // Nothing is changed about a file that is not ours, not even how it is journalled.
    accept(place, found(&mut connection).await.map_err(failed)?)?;
    if !has_log(&mut connection).await.map_err(failed)? {
        return Err(OpenError::NoLog { path: place.path.clone() });
    }
    execute(&mut connection, "BEGIN IMMEDIATE").await.map_err(failed)?;
    let version = accept(place, found(&mut connection).await.map_err(failed)?)?;
    migrate(&mut connection, version).await.map_err(failed)?;
    execute(&mut connection, "COMMIT").await.map_err(failed)?;
    Ok(connection)
}

/// Opens a connection for a file that was opened before, and makes sure that it is still the same.
pub(super) async fn checked(
    mut connection: SqliteConnection,
) -> Result<SqliteConnection, sqlx::Error> {
    match found(&mut connection).await? {
        Found::Store(VERSION) => Ok(connection),
        _ => {
            let _ = connection.close().await;
            Err(sqlx::Error::Configuration("another file is in the place of the store".into()))
        }
    }
}

/// What a file is.
#[derive(Clone, Copy)]
enum Found {
    Nothing,
    Store(i64),
    Foreign,
}

async fn found(connection: &mut SqliteConnection) -> Result<Found, sqlx::Error> {
    // In one statement, as another process may be about to make the tables.
    let query = "SELECT (SELECT application_id FROM pragma_application_id), \
        (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)";
    let row = sqlx::query(query).fetch_one(connection).await?;
    let (id, version, objects): (i64, i64, i64) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(match (id, version, objects) {
        (0, 0, 0) => Found::Nothing,
        (APPLICATION_ID, 1.., 1..) => Found::Store(version),
        _ => Found::Foreign,
    })
}

/// The version of the file, 0 if there is nothing in it.
fn accept(place: &Place, found: Found) -> Result<i64, OpenError> {
    let path = place.path.clone();
    match found {
        Found::Nothing => Ok(0),
        Found::Store(version) if version <= VERSION => Ok(version),
        Found::Store(version) => Err(OpenError::Newer { path, version, known: VERSION }),
        Found::Foreign => Err(OpenError::Foreign { path }),
    }
}

/// Puts the write-ahead log in place; it stays with the file.
async fn has_log(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    for _ in 0..MOST_ATTEMPTS {
        match set_log(connection).await {
            // SQLite does not wait here for others who open a new file. It does for this.
            Err(error) if is_busy(&error) => execute(connection, "BEGIN EXCLUSIVE").await?,
            outcome => return outcome,
        }
        execute(connection, "ROLLBACK").await?;
    }
    set_log(connection).await
}

async fn set_log(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("PRAGMA journal_mode = WAL").fetch_one(connection).await?;
    Ok(row.try_get::<&str, _>(0)? == "wal")
}

/// Within a transaction.
async fn migrate(connection: &mut SqliteConnection, version: i64) -> Result<(), sqlx::Error> {
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    for migration in MIGRATIONS.iter().skip(done) {
        connection.execute(*migration).await?;
    }
    // Also if it says so already: SQLite opens a file that it cannot write to for reading, and this
    // is where that shows.
    let mark = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}");
    connection.execute(mark.as_str()).await?;
    // The file may be a backup, whose places were given to other revocations since.
    connection.execute("UPDATE feed SET epoch = lower(hex(randomblob(8)))").await.map(drop)
}

async fn execute(connection: &mut SqliteConnection, statement: &str) -> Result<(), sqlx::Error> {
    sqlx::query(statement).execute(connection).await.map(drop)
}
