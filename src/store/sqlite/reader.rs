use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteRow};
use tokio::sync::Semaphore;

use super::{connection::Place, error::ended, schema, select::Query};
use crate::issue::StoreError;

/// Connections that read.
///
/// Each read is one statement, so that it sees one state of the file, and is read to its end at once,
/// so that it does not keep the log from being moved into the file.
pub(super) struct Readers {
    place: Arc<Place>,
    most: u32,
    places: Semaphore,
    idle: Mutex<Vec<SqliteConnection>>,
}

impl Readers {
    pub(super) fn new(place: Arc<Place>, most: usize) -> Self {
        let most = u32::try_from(most).unwrap_or(u32::MAX).min(MOST_READERS);
        Self { place, most, places: Semaphore::new(most as usize), idle: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.place.path
    }

    /// Shows that the file can be read.
    pub(super) async fn open_one(&self) -> Result<(), sqlx::Error> {
        let connection = self.connect().await?;
        self.idle().push(connection);
        Ok(())
    }

    /// The rows that a query finds. A connection that fails, or whose reader is given up, is not used
    /// again.
    pub(super) async fn rows(&self, query: Query<'_>) -> Result<Vec<SqliteRow>, StoreError> {
        let _place = self.places.acquire().await.map_err(|_| ended())?;
        let failed = |error| StoreError::new("the SQLite file was read", error);
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect().await.map_err(failed)?,
        };
        let rows = query.fetch_all(&mut connection).await.map_err(failed)?;
        self.idle().push(connection);
        Ok(rows)
    }

    /// Waits for the reads that are under way, and closes the connections.
    pub(super) async fn close(&self) {
        let all = self.places.acquire_many(self.most).await;
        self.places.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            let _ = connection.close().await;
        }
    }

    async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        schema::checked(self.place.connect_reader().await?).await
    }

    fn idle(&self) -> MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each has a thread; more than this is a mistake.
const MOST_READERS: u32 = 1024;
