use std::{io, path::PathBuf};

use crate::{error::BoxError, issue::StoreError};

/// Why a store cannot be opened: the file and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file cannot be made, or not be looked at.
    #[error("{}: the file cannot be opened: give the path of a file in a directory that exists and that this process may write to", .path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is something else in the place of the file, such as a directory.
    #[error("{}: not a file: give the path of a file, which is made if there is none", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Others than its owner may open the file.
    #[error("{}: others can open the file (mode {mode:03o}): run `chmod 600` on it", .path.display())]
    OpenToOthers {
        /// The path of the file, or of its log.
        path: PathBuf,
        /// The permissions.
        mode: u32,
    },
    /// The file is not a store of this library.
    #[error("{}: not a store: give the path of a file of its own", .path.display())]
    Foreign {
        /// The path.
        path: PathBuf,
    },
    /// The file was written by a newer version of this library.
    #[error("{}: the store is of version {version}, and this library knows versions up to {known}: use the newer library, or a backup of before", .path.display())]
    Newer {
        /// The path.
        path: PathBuf,
        /// The version of the file.
        version: i64,
        /// The latest version that is known.
        known: i64,
    },
    /// The file is damaged.
    #[error("{}: the file is damaged: put a backup in its place", .path.display())]
    Corrupt {
        /// The path.
        path: PathBuf,
        /// What SQLite says.
        source: BoxError,
    },
    /// Another process kept the file locked for longer than the busy timeout.
    #[error("{}: another process keeps the file locked: end it, or wait until it has ended", .path.display())]
    Locked {
        /// The path.
        path: PathBuf,
        /// What SQLite says.
        source: BoxError,
    },
    /// The file or its directory cannot be written to.
    #[error("{}: the file is read-only: let this process write to it and to its directory", .path.display())]
    ReadOnly {
        /// The path.
        path: PathBuf,
        /// What SQLite says.
        source: BoxError,
    },
    /// The file system lacks what SQLite needs for its log.
    #[error("{}: the file system cannot keep a write-ahead log: put the file on a local disk", .path.display())]
    NoLog {
        /// The path.
        path: PathBuf,
    },
    /// There is no tokio runtime.
    #[error("a store is opened within a tokio runtime, which its writer runs on")]
    NoRuntime,
    /// SQLite failed otherwise, as on a full disk.
    #[error("{}: SQLite failed", .path.display())]
    Sqlite {
        /// The path.
        path: PathBuf,
        /// What SQLite says.
        source: BoxError,
    },
}

impl OpenError {
    /// Sorts an error of SQLite by its code.
    pub(super) fn of(path: PathBuf, error: sqlx::Error) -> Self {
        let code = primary_code(&error);
        let source = BoxError::from(error);
        match code {
            Some(code::BUSY | code::LOCKED) => Self::Locked { path, source },
            Some(code::READONLY) => Self::ReadOnly { path, source },
            Some(code::CORRUPT) => Self::Corrupt { path, source },
            Some(code::NOTADB) => Self::Foreign { path },
            _ => Self::Sqlite { path, source },
        }
    }
}

/// What stops an operation that was begun.
pub(super) enum Fault {
    /// SQLite failed. The connection may be in any state, and is given up.
    Sqlite(sqlx::Error),
    /// What was asked cannot be done; everything else is as it was.
    Refused(StoreError),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        // These undo the statement and leave the transaction as it was.
        match primary_code(&error) {
            Some(code::CONSTRAINT | code::TOOBIG) => {
                Self::Refused(StoreError::new("the SQLite file cannot hold this", error))
            }
            _ => Self::Sqlite(error),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

/// Whether another connection has the file locked.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::BUSY)
}

pub(super) fn ended() -> StoreError {
    StoreError::new("the SQLite store was used", "it was closed, or the runtime it was opened in")
}

/// Result codes of SQLite.
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const TOOBIG: i32 = 18;
    pub(super) const CONSTRAINT: i32 = 19;
    pub(super) const NOTADB: i32 = 26;
}

/// The result code without what an extended one adds.
fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?.parse::<i32>().ok()?;
    Some(code & 0xff)
}
