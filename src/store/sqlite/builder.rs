use std::{path::Path, sync::Arc, time::Duration};

use tokio::{runtime::Handle, sync::mpsc};

use super::{
    Sqlite, connection::Place, error::OpenError, file, reader::Readers, schema, writer::Writer,
};

/// How many jobs may wait for the writer; the rest waits for a place.
const MOST_WAITING: usize = 1024;
/// SQLite counts milliseconds in 31 bits.
const LONGEST_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

/// Settings for a [`Sqlite`] store.
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::store::Sqlite;
///
/// # async fn example() -> Result<(), tower_bearer::store::OpenError> {
/// let store =
///     Sqlite::builder().busy_timeout(Duration::from_secs(1)).readers(8).open("tokens.db").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteBuilder {
    busy_timeout: Duration,
    readers: usize,
}

impl SqliteBuilder {
    pub(super) const fn new() -> Self {
        Self { busy_timeout: Duration::from_secs(5), readers: 4 }
    }

    /// How long to wait for another process that keeps the file locked; 5 s by default, whole
    /// milliseconds. Those who write wait as long, and then get an error.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// How many reads are under way at a time, at least one; 4 by default. Each has a connection and a
    /// thread, which are made when they are first needed.
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// Opens the file; see [`Sqlite::open`].
    ///
    /// # Errors
    ///
    /// [`OpenError`] names the file and the remedy.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<Sqlite, OpenError> {
        let runtime = Handle::try_current().map_err(|_| OpenError::NoRuntime)?;
        let path = file::prepare(path.as_ref())?;
        let place = Arc::new(Place { path, busy_timeout: self.busy_timeout });
        let connection = schema::open(&place).await?;
        let readers = Readers::new(Arc::clone(&place), self.readers);
        readers.open_one().await.map_err(|error| OpenError::of(place.path.clone(), error))?;
        let (jobs, waiting) = mpsc::channel(MOST_WAITING);
        runtime.spawn(Writer::new(place, connection).run(waiting));
        Ok(Sqlite { readers: Arc::new(readers), jobs, notifier: Arc::default() })
    }
}
