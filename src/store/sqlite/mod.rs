mod builder;
mod connection;
mod error;
mod feed;
mod file;
mod reader;
mod rows;
mod schema;
mod select;
#[cfg(test)]
mod tests;
mod writer;
mod writes;

use std::{fmt, path::Path, sync::Arc};

use tokio::sync::{mpsc, oneshot};

pub use self::{builder::SqliteBuilder, error::OpenError};
use self::{
    feed::Start,
    reader::Readers,
    writer::{Job, Outcome, Work},
};
use crate::{
    issue::{
        ApplicationRecord, Applied, FamilyId, FamilyRecord, KeyRecord, Notices, Notifier, Past,
        Pending, Store, StoreError, Write,
    },
    revocation::{RevocationCursor, RevocationPage},
    time::UnixTime,
};

/// A store in one SQLite file, for one process or for several on one machine. Clones share it.
///
/// ```
/// use tower_bearer::{issue::Store, store::Sqlite};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("tower-bearer-doc-{}.db", std::process::id()));
/// let store = Sqlite::open(&path).await?; // made, if there is none
/// assert!(store.application("app_unknown").await?.is_none());
/// store.close().await?;
/// # std::fs::remove_file(&path)?;
/// # Ok(())
/// # }
/// ```
///
/// - The file is made readable for its owner alone, and one that others may open is refused. Beside it
///   stand `-wal` and `-shm`, which belong to it: a copy of the file alone is none. It must be on a
///   local disk, as network file systems do not keep SQLite's locks.
/// - What was answered is on disk: with `journal_mode=WAL` and `synchronous=FULL` a commit ends with
///   an `fsync` of the log, on macOS with `F_FULLFSYNC`. That is as good as the disk's word.
/// - One connection writes. What waits for it meanwhile shares its next transaction, and so one
///   `fsync`; a conflict of one leaves the others alone. Reads have connections of their own, and neither
///   wait for a write nor keep one waiting.
/// - A file that another process keeps locked, a full disk and the like are a [`StoreError`] for
///   whoever asks meanwhile. When that is over, the store works again.
/// - Numbers and times above 2^63 - 1 and lifetimes that are not in whole seconds are refused with a
///   [`StoreError`].
///
/// It needs the tokio runtime in which it was opened: with it, its writer ends.
#[derive(Clone)]
pub struct Sqlite {
    readers: Arc<Readers>,
    jobs: mpsc::Sender<Job>,
    notifier: Arc<Notifier>,
}

impl Sqlite {
    /// Opens the file, makes it if there is none, and brings it up to date if it is of an older
    /// version of this library. [`builder`](Self::builder) has the settings.
    ///
    /// # Errors
    ///
    /// [`OpenError`] names the file and the remedy.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::builder().open(path).await
    }

    /// Settings for a file that is to be opened.
    pub const fn builder() -> SqliteBuilder {
        SqliteBuilder::new()
    }

    /// Ends the store, for all its clones: waits for what was begun, moves the log into the file, and
    /// closes it. Whoever asks afterwards gets a [`StoreError`].
    ///
    /// Without this nothing is lost either; the log is read when the file is opened again.
    ///
    /// # Errors
    ///
    /// If the log cannot be moved, which loses nothing.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.readers.close().await;
        let (answer, answered) = oneshot::channel();
        if self.jobs.send(Job::Close(answer)).await.is_err() {
            return Ok(());
        }
        answered.await.unwrap_or(Ok(()))
    }

    /// Hands work to the writer. Once it is handed over it is done, whether or not this future is
    /// dropped; or not at all, if it was dropped before its turn came.
    async fn work(&self, work: Work) -> Result<Outcome, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job::Work(work, answer)).await.map_err(|_| error::ended())?;
        answered.await.map_err(|_| error::ended())?
    }
}

impl Store for Sqlite {
    fn apply(&self, writes: Vec<Write>) -> Pending<'_, Applied> {
        Box::pin(async move {
            let is_news = writes.iter().any(Write::is_news);
            Ok(match self.work(Work::Apply(writes)).await? {
                Outcome::Done(_) => {
                    if is_news {
                        self.notifier.notify();
                    }
                    Applied::Done
                }
                Outcome::Conflict => Applied::Conflict,
            })
        })
    }

    fn application<'a>(&'a self, id: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        Box::pin(async move {
            let rows = self.readers.rows(select::application(id)).await?;
            Ok(rows::applications(&rows)?.pop())
        })
    }

    fn application_named<'a>(&'a self, name: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        Box::pin(async move {
            let rows = self.readers.rows(select::application_named(name)).await?;
            Ok(rows::applications(&rows)?.pop())
        })
    }

    fn applications<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> Pending<'a, Vec<ApplicationRecord>> {
        Box::pin(async move {
            let rows = self.readers.rows(select::applications(after, limit)).await?;
            rows::applications(&rows)
        })
    }

    fn family(&self, id: FamilyId) -> Pending<'_, Option<FamilyRecord>> {
        Box::pin(async move {
            let rows = self.readers.rows(select::family(&id)).await?;
            rows.first().map(rows::family).transpose()
        })
    }

    fn families(&self, after: Option<FamilyId>, limit: usize) -> Pending<'_, Vec<FamilyRecord>> {
        Box::pin(async move {
            let rows = self.readers.rows(select::families(after, limit)).await?;
            rows.iter().map(rows::family).collect()
        })
    }

    fn live_families<'a>(
        &'a self,
        application: &'a str,
        now: UnixTime,
        skip: usize,
        limit: usize,
    ) -> Pending<'a, Vec<FamilyRecord>> {
        Box::pin(async move {
            let live = select::live_families(application, now, skip, limit)?;
            self.readers.rows(live).await?.iter().map(rows::family).collect()
        })
    }

    fn signing_keys(&self) -> Pending<'_, Vec<KeyRecord>> {
        Box::pin(async move {
            let rows = self.readers.rows(select::signing_keys()).await?;
            rows.iter().map(rows::key).collect()
        })
    }

    fn revocations_after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        limit: usize,
    ) -> Pending<'a, RevocationPage> {
        Box::pin(async move {
            let start = Start::of(after);
            start.page(&self.readers.rows(start.query(limit)).await?, limit)
        })
    }

    /// Those of this store and its clones; what other processes write is found without.
    fn notices(&self) -> Notices {
        self.notifier.notices()
    }

    fn purge(&self, past: Past, limit: usize) -> Pending<'_, u64> {
        Box::pin(async move {
            Ok(match self.work(Work::Purge { past, limit }).await? {
                Outcome::Done(rows) => rows,
                Outcome::Conflict => 0,
            })
        })
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.readers.path()).finish_non_exhaustive()
    }
}
