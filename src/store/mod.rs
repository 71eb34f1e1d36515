//! Stores for the issuing side: [`Memory`], for tests and for services whose applications may be
//! forgotten when they stop, and with the feature `sqlite` `Sqlite`, which keeps everything in a file.
//!
//! Both keep the contract of [`issue::Store`](crate::issue::Store) and pass the suite
//! `test_util::stores`, as one of your own should.

mod memory;
mod revoked;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use self::memory::Memory;
#[cfg(feature = "sqlite")]
pub use self::sqlite::{OpenError, Sqlite, SqliteBuilder};
