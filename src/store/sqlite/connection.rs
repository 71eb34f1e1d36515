use std::{path::PathBuf, time::Duration};

use sqlx::{
    ConnectOptions as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};

/// Where the file is, and how it is opened.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) busy_timeout: Duration,
}

impl Place {
    /// Opens a connection that writes. It does not make the file: one that was taken away is an
    /// error, and not an empty store.
    pub(super) async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.options().connect().await
    }

    /// Opens a connection that cannot write.
    pub(super) async fn connect_reader(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.options().read_only(true).connect().await
    }

    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(self.busy_timeout)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            // On macOS `fsync` alone leaves the data in the cache of the disk.
            .pragma("fullfsync", "ON")
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON")
            // Nothing of the store is in files elsewhere.
            .pragma("temp_store", "MEMORY")
            .thread_name(|number| format!("tower-bearer-sqlite-{number}"))
            .disable_statement_logging()
    }
}
