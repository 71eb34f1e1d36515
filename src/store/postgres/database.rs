use std::{sync::Arc, time::Duration};

use sqlx::{
    Connection as _, PgConnection, PgPool, Postgres as Driver, pool::PoolConnection,
    postgres::PgRow,
};
use tokio::{
    runtime::Handle,
    sync::RwLock,
    time::{Instant, timeout, timeout_at},
};

use super::{
    error::{Fault, is_given_up, late},
    guesses,
    select::Query,
    writes,
};
use crate::{
    error::BoxError,
    issue::{GuessRecord, Past, StoreError, Write},
};

/// The connections, and how long anything may take.
pub(super) struct Database {
    pub(super) pool: PgPool,
    pub(super) timeout: Duration,
    /// Held by work that was begun.
    pub(super) begun: Arc<RwLock<()>>,
}

/// What is done in one transaction.
pub(super) enum Work {
    Apply(Vec<Write>),
    Purge { past: Past, limit: usize },
    TellGuesses(Vec<GuessRecord>),
    ForgetGuesses { limit: usize },
}

/// What became of it.
pub(super) enum Outcome {
    /// It is done, to so many rows.
    Done(u64),
    /// Nothing is done, as a condition does not hold.
    Conflict,
}

/// How much later than the server somebody gives up here.
const MARGIN: Duration = Duration::from_millis(100);

/// How often a transaction is begun that the database gives up in favour of another one.
const ATTEMPTS: usize = 5;

impl Database {
    /// The rows that a query finds.
    pub(super) async fn rows(&self, query: Query<'_>) -> Result<Vec<PgRow>, StoreError> {
        let found = self.by(self.deadline(), async {
            let mut lent = self.lend().await?;
            // If the caller gives up, what is still to come is read when the connection is given back.
            lent.is_sound = true;
            let found = query.fetch_all(lent.connection()?).await;
            lent.is_sound = found.as_ref().err().is_none_or(is_of_statement);
            found
        });
        found.await.map_err(|error: sqlx::Error| StoreError::new("the database was read", error))
    }

    /// Does all of the work or none. Once this is polled the work goes on to its end, whether or not the
    /// future is dropped: so that a client that goes away costs no connection.
    pub(super) async fn work(self: &Arc<Self>, work: Work) -> Result<Outcome, StoreError> {
        let database = Arc::clone(self);
        let begun = Arc::clone(&self.begun).read_owned().await;
        let done = tokio::spawn(async move {
            let _begun = begun;
            database.transact(&work).await
        });
        match done.await.map_err(not_written)? {
            Err(Fault::Refused(error)) => Err(error),
            Err(Fault::Conflict) => Ok(Outcome::Conflict),
            Err(Fault::Database(error)) => Err(not_written(error)),
            Ok(outcome) => Ok(outcome),
        }
    }

    /// Waits for what was begun, and disconnects.
    pub(super) async fn close(&self) {
        let _nothing = self.begun.write().await;
        let _ = timeout(self.timeout, self.pool.close()).await;
    }

    async fn transact(&self, work: &Work) -> Result<Outcome, Fault> {
        let deadline = self.deadline();
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            match self.by(deadline, self.attempt(work)).await {
                Err(Fault::Database(error)) if left > 0 && is_given_up(&error) => {}
                done => return done,
            }
        }
    }

    async fn attempt(&self, work: &Work) -> Result<Outcome, Fault> {
        let mut lent = self.lend().await?;
        let done = self.transaction(lent.connection()?, work).await;
        lent.is_sound = match &done {
            Err(Fault::Database(error)) => is_of_statement(error),
            _ => true,
        };
        done
    }

    async fn transaction(
        &self,
        connection: &mut PgConnection,
        work: &Work,
    ) -> Result<Outcome, Fault> {
        let is_one_statement = match work {
            Work::Apply(writes) => writes::is_one_statement(writes),
            Work::TellGuesses(_) | Work::ForgetGuesses { .. } => true,
            Work::Purge { .. } => false,
        };
        if is_one_statement {
            return done(connection, work).await;
        }
        let mut transaction = connection.begin().await?;
        let outcome = done(&mut transaction, work).await;
        match outcome {
            Ok(Outcome::Done(_)) => transaction.commit().await?,
            _ => transaction.rollback().await?,
        }
        outcome
    }

    fn deadline(&self) -> Instant {
        // A little later than the server, which says better what it is.
        Instant::now() + self.timeout + MARGIN
    }

    async fn by<T, E: From<sqlx::Error>>(
        &self,
        deadline: Instant,
        done: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let late = |_| Err(late(self.timeout + MARGIN).into());
        timeout_at(deadline, done).await.unwrap_or_else(late)
    }

    async fn lend(&self) -> Result<Lent, sqlx::Error> {
        let connection = self.pool.acquire().await?;
        Ok(Lent { connection: Some(connection), is_sound: false, limit: self.timeout })
    }
}

async fn done(connection: &mut PgConnection, work: &Work) -> Result<Outcome, Fault> {
    match work {
        Work::Apply(writes) => {
            for write in writes {
                if !writes::write(connection, write).await? {
                    return Ok(Outcome::Conflict);
                }
            }
            Ok(Outcome::Done(0))
        }
        Work::Purge { past, limit } => {
            writes::purge(connection, *past, *limit).await.map(Outcome::Done)
        }
        Work::TellGuesses(records) => {
            let told = guesses::tell(records).execute(connection).await?;
            Ok(Outcome::Done(told.rows_affected()))
        }
        Work::ForgetGuesses { limit } => {
            let forgotten = guesses::forget(*limit).execute(connection).await?;
            Ok(Outcome::Done(forgotten.rows_affected()))
        }
    }
}

/// What a statement did wrong says nothing against its connection.
fn is_of_statement(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some()
}

fn not_written(error: impl Into<BoxError>) -> StoreError {
    StoreError::new("the database was written to", error)
}

/// A connection that is in use. However that ends, its place is free again soon.
struct Lent {
    connection: Option<PoolConnection<Driver>>,
    /// Whether it is in a known state.
    is_sound: bool,
    limit: Duration,
}

impl Lent {
    fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.connection.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let Ok(runtime) = Handle::try_current() else {
            drop(connection.detach());
            return;
        };
        if !self.is_sound {
            // Closed within a limit of the pool's own.
            connection.close_on_drop();
            return;
        }
        // The pool asks whether it is still there, and would wait for the answer as long as it takes.
        let (back, limit) = (connection.return_to_pool(), self.limit);
        runtime.spawn(async move { drop(timeout(limit, back).await) });
    }
}
