//! Stores for the issuing side: [`Memory`], for tests and for services whose applications may be
//! forgotten when they stop; with the feature `sqlite` `Sqlite`, which keeps everything in a file; and
//! with the feature `postgres` `Postgres`, for servers on several machines.
//!
//! All keep the contract of [`issue::Store`](crate::issue::Store) and pass the suite
//! `test_util::stores`, as one of your own should.

mod copy;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod values;

#[cfg(feature = "postgres")]
pub use self::postgres::{ConnectError, Postgres, PostgresBuilder};
#[cfg(feature = "sqlite")]
pub use self::sqlite::{OpenError, Sqlite, SqliteBuilder};
pub use self::{
    copy::{Copied, CopyError, copy},
    memory::Memory,
};
