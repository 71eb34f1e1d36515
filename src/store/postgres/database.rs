use std::{sync::Arc, time::Duration};

use sqlx::{
    Connection as _, PgConnection, PgPool, Postgres as Driver, pool::PoolConnection,
    postgres::PgRow,
};
use tokio::{sync::RwLock, time::timeout};

use super::{
    error::{Fault, is_given_up, late},
    select::Query,
    writes,
};
use crate::issue::{Past, StoreError, Write};

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
}

/// What became of it.
pub(super) enum Outcome {
    /// It is done; so many rows were forgotten.
    Done(u64),
    /// Nothing is done, as a condition does not hold.
    Conflict,
}

/// How often a transaction is begun that the database gives up in favour of another one.
const ATTEMPTS: usize = 5;

impl Database {
    /// The rows that a query finds.
    pub(super) async fn rows(&self, query: Query<'_>) -> Result<Vec<PgRow>, StoreError> {
        let failed = |error| StoreError::new("the database was read", error);
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let found = self.in_time(query.fetch_all(&mut *connection)).await;
        found.map_err(|error| {
            give_up(connection, &error);
            failed(error)
        })
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
        let failed = |error| StoreError::new("the database was written to", error);
        match done.await.map_err(failed)? {
            Ok(outcome) => Ok(outcome),
            Err(Fault::Refused(error)) => Err(error),
            Err(Fault::Conflict) => Ok(Outcome::Conflict),
            Err(Fault::Database(error)) => {
                Err(StoreError::new("the database was written to", error))
            }
        }
    }

    /// Waits for what was begun, and disconnects.
    pub(super) async fn close(&self) {
        let _nothing = self.begun.write().await;
        self.pool.close().await;
    }

    async fn transact(&self, work: &Work) -> Result<Outcome, Fault> {
        let mut attempt = 1;
        loop {
            let mut connection = self.pool.acquire().await?;
            let done = self.in_time(async { Ok(self.attempt(&mut connection, work).await) }).await;
            match done.map_err(Fault::Database).and_then(|done| done) {
                Err(Fault::Database(error)) => {
                    let is_worth_another = is_given_up(&error) && attempt < ATTEMPTS;
                    give_up(connection, &error);
                    if !is_worth_another {
                        return Err(error.into());
                    }
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    async fn attempt(&self, connection: &mut PgConnection, work: &Work) -> Result<Outcome, Fault> {
        if let Work::Apply(writes) = work
            && writes::is_one_statement(writes)
        {
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

    async fn in_time<T>(
        &self,
        done: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        // A little later than the server, which says better what it is.
        let limit = self.timeout + Duration::from_millis(100);
        timeout(limit, done).await.unwrap_or_else(|_| Err(late(limit)))
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
    }
}

/// A connection is in a known state only if it is the statement that failed.
fn give_up(mut connection: PoolConnection<Driver>, error: &sqlx::Error) {
    if error.as_database_error().is_none() {
        connection.close_on_drop();
    }
}
