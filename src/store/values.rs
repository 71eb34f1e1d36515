//! Values as databases keep them: in 63 bits, and whole seconds.

use std::time::Duration;

use crate::{error::BoxError, issue::StoreError, time::UnixTime};

pub(super) fn integer(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number)
        .map_err(|_| StoreError::new("a number was stored", "it is greater than 2^63 - 1"))
}

pub(super) fn time(time: UnixTime) -> Result<i64, StoreError> {
    integer(time.as_secs())
}

pub(super) fn optional_time(time: Option<UnixTime>) -> Result<Option<i64>, StoreError> {
    time.map(self::time).transpose()
}

pub(super) fn lifetime(lifetime: Option<Duration>) -> Result<Option<i64>, StoreError> {
    match lifetime {
        Some(lifetime) if lifetime.subsec_nanos() != 0 => {
            Err(StoreError::new("a lifetime was stored", "it is not in whole seconds"))
        }
        lifetime => lifetime.map(|lifetime| integer(lifetime.as_secs())).transpose(),
    }
}

/// There are never more rows than a database can count.
pub(super) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) const UNKNOWN: &str = "a name that this version does not know";

/// A value that no write has put there.
pub(super) fn odd(column: &'static str, source: impl Into<BoxError>) -> StoreError {
    let source = source.into();
    StoreError::new("a stored value was read", Odd { column, source })
}

#[derive(Debug, thiserror::Error)]
#[error("the column `{column}` holds an odd value")]
struct Odd {
    column: &'static str,
    source: BoxError,
}
