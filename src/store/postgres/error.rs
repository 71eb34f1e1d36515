use std::time::Duration;

use crate::{error::BoxError, issue::StoreError};

/// Why a store cannot be used: what is wrong and the remedy. The password of the database is in none of
/// these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address of the database is none.
    #[error("the address of the database: {problem}: use postgres://user:password@host/database")]
    Address {
        /// What is wrong with it.
        problem: String,
    },
    /// The connection to a server elsewhere would not be protected.
    #[error(
        "{host}: the connection would not be protected: use `sslmode=verify-full`, with `sslrootcert` if the certificate is of an authority of your own"
    )]
    Unprotected {
        /// The host.
        host: String,
    },
    /// A setting is out of its range.
    #[error("{name} is {value}: {remedy}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// The value.
        value: String,
        /// What would do.
        remedy: &'static str,
    },
    /// The database was written by a newer version of this library.
    #[error(
        "the schema {schema} is of version {version}, and this library knows versions up to {known}: use the newer library"
    )]
    Newer {
        /// The schema.
        schema: String,
        /// Its version.
        version: i64,
        /// The latest version that is known.
        known: i64,
    },
    /// The server is too old.
    #[error("the server is PostgreSQL {version}: use 13 or later")]
    TooOld {
        /// Its version.
        version: String,
    },
    /// The settings of the session did not arrive.
    #[error(
        "the settings of a session do not arrive: connect to the server itself, or through a pooler that keeps sessions and takes `options`"
    )]
    NoSettings,
    /// The server cannot be reached, refuses the login, or does not answer in time; or the role may not
    /// make the tables.
    #[error(
        "the database cannot be prepared: see that it runs, that the login is right, and that the role may use and create the schema {schema}"
    )]
    Database {
        /// The schema.
        schema: String,
        /// What the server or the driver says.
        source: BoxError,
    },
}

/// What stops an operation that was begun.
pub(super) enum Fault {
    /// The database failed. The connection may be in any state, and is given up.
    Database(sqlx::Error),
    /// What was asked cannot be done.
    Refused(StoreError),
    /// The condition does not hold, as somebody else came first.
    Conflict,
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

/// Whether somebody else has what was to be unique.
pub(super) fn is_taken(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("23505")
}

/// Whether the database gave the transaction up in favour of another one, and nothing of it is done.
pub(super) fn is_given_up(error: &sqlx::Error) -> bool {
    // A deadlock, and a serialization failure.
    matches!(code(error).as_deref(), Some("40P01" | "40001"))
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

pub(super) fn late(after: Duration) -> sqlx::Error {
    let problem = format!("no answer within {} ms", after.as_millis());
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, problem))
}
