mod builder;
mod database;
mod error;
mod feed;
mod guesses;
mod notices;
mod rows;
mod schema;
mod select;
mod writes;

use std::{fmt, sync::Arc};

pub use self::{builder::PostgresBuilder, error::ConnectError};
use self::{
    database::{Database, Outcome, Work},
    feed::Start,
    guesses::Guesses,
    notices::Listening,
};
use crate::{
    issue::{
        ApplicationRecord, Applied, FamilyId, FamilyRecord, GuessLog, KeyRecord, Notices, Past,
        Pending, Store, StoreError, Write,
    },
    revocation::{RevocationCursor, RevocationPage},
    time::UnixTime,
};

/// A store in a PostgreSQL database (13 or later), for any number of servers. Clones share its
/// connections.
///
/// ```no_run
/// use tower_bearer::{issue::Store, store::Postgres};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Postgres::connect("postgres://issuer@localhost/tokens").await?;
/// assert!(store.application("app_unknown").await?.is_none());
/// # Ok(())
/// # }
/// ```
///
/// - Each operation is one statement or one short transaction at the isolation level READ COMMITTED,
///   with the rows locked that its condition is about. One that the database gives up for another, as
///   in a deadlock, is begun again.
/// - What was answered is as durable as the database makes a commit: `fsync` and
///   `synchronous_commit` must be on, which they are unless somebody turned them off. A standby that
///   takes over without being synchronous lacks the last commits.
/// - An operation ends within the [timeout](PostgresBuilder::timeout), with a [`StoreError`](crate::issue::StoreError) if the
///   database is out of reach. When it is back the store works again.
/// - To another machine the connection is encrypted and the server's certificate verified, unless the
///   builder is told otherwise.
/// - Numbers and times above 2^63 - 1, lifetimes that are not in whole seconds and texts with U+0000
///   are refused with an error.
/// - Sessions are used: a pooler in between must not hand each transaction to another one.
/// - A [guess](crate::issue::GuessLog) that fails at one server counts at the others as well.
///
/// It needs a tokio runtime with timers.
#[derive(Clone)]
pub struct Postgres {
    database: Arc<Database>,
    schema: Arc<str>,
    listening: Arc<Listening>,
    guesses: Guesses,
}

impl Postgres {
    /// Connects to the database at this address, and makes the tables there or brings them up to date.
    /// [`builder`](Self::builder) has the settings.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong and the remedy.
    pub async fn connect(url: impl Into<String>) -> Result<Self, ConnectError> {
        Self::builder(url).connect().await
    }

    /// Settings for a database at this address, `postgres://user:password@host:port/database`, with
    /// `sslmode`, `sslrootcert` and the like as PostgreSQL's own clients know them.
    pub fn builder(url: impl Into<String>) -> PostgresBuilder {
        PostgresBuilder::new(url.into())
    }

    /// Ends the store, for all its clones: waits for what was begun, and disconnects. Whoever asks
    /// afterwards gets an error.
    pub async fn close(&self) {
        self.database.close().await;
        self.listening.end();
    }
}

impl Store for Postgres {
    fn apply(&self, writes: Vec<Write>) -> Pending<'_, Applied> {
        Box::pin(async move {
            let is_news = writes.iter().any(Write::is_news);
            Ok(match self.database.work(Work::Apply(writes)).await? {
                Outcome::Done(_) => {
                    if is_news {
                        self.listening.changes.tell();
                    }
                    Applied::Done
                }
                Outcome::Conflict => Applied::Conflict,
            })
        })
    }

    fn application<'a>(&'a self, id: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        Box::pin(async move {
            let rows = self.database.rows(select::application(id)).await?;
            Ok(rows::applications(&rows)?.pop())
        })
    }

    fn application_named<'a>(&'a self, name: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        Box::pin(async move {
            let rows = self.database.rows(select::application_named(name)).await?;
            Ok(rows::applications(&rows)?.pop())
        })
    }

    fn applications<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> Pending<'a, Vec<ApplicationRecord>> {
        Box::pin(async move {
            let rows = self.database.rows(select::applications(after, limit)).await?;
            rows::applications(&rows)
        })
    }

    fn family(&self, id: FamilyId) -> Pending<'_, Option<FamilyRecord>> {
        Box::pin(async move {
            let rows = self.database.rows(select::family(&id)).await?;
            rows.first().map(rows::family).transpose()
        })
    }

    fn families(&self, after: Option<FamilyId>, limit: usize) -> Pending<'_, Vec<FamilyRecord>> {
        Box::pin(async move {
            let rows = self.database.rows(select::families(after, limit)).await?;
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
            self.database.rows(live).await?.iter().map(rows::family).collect()
        })
    }

    fn signing_keys(&self) -> Pending<'_, Vec<KeyRecord>> {
        Box::pin(async move {
            let rows = self.database.rows(select::signing_keys()).await?;
            rows.iter().map(rows::key).collect()
        })
    }

    fn revocations_after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        limit: usize,
    ) -> Pending<'a, RevocationPage> {
        Box::pin(async move {
            for start in [Start::of(after), Start::default()] {
                let rows = self.database.rows(start.query(limit)).await?;
                if let Some(page) = start.page(&rows, limit)? {
                    return Ok(page);
                }
            }
            Err(StoreError::corrupt("no page from the start"))
        })
    }

    /// Those of every store of the schema, through the database (`LISTEN` and `NOTIFY`).
    fn notices(&self) -> Notices {
        self.listening.changes.notices()
    }

    fn guess_log(&self) -> Option<&dyn GuessLog> {
        Some(&self.guesses)
    }

    fn purge(&self, past: Past, limit: usize) -> Pending<'_, u64> {
        Box::pin(async move {
            let rows = |outcome| match outcome {
                Outcome::Done(rows) => rows,
                Outcome::Conflict => 0,
            };
            let forgotten = self.database.work(Work::Purge { past, limit }).await.map(rows)?;
            // By itself, so that nothing else depends on it; what is wrong with that table is told by
            // whoever uses it.
            let guesses = self.database.work(Work::ForgetGuesses { limit }).await;
            Ok(forgotten + guesses.map_or(0, rows))
        })
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("schema", &self.schema).finish_non_exhaustive()
    }
}
