use std::sync::Arc;

use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::{connection::Place, error::Fault, schema, writes};
use crate::issue::{Past, StoreError, Write};

/// How many jobs share a transaction at most, so that none waits for too many others.
const MOST_TOGETHER: usize = 256;

/// What the writer is asked.
pub(super) enum Job {
    Work(Work, Answer<Outcome>),
    /// To do what was asked before, and to end.
    Close(Answer<()>),
}

/// Who waits for the outcome.
pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

pub(super) enum Work {
    Apply(Vec<Write>),
    Purge { past: Past, limit: usize },
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Done; for a purge, how many rows there were.
    Done(u64),
    Conflict,
}

/// The task that writes: the only one in the process, so that writers of one process never lock each
/// other out.
pub(super) struct Writer {
    pub(super) place: Arc<Place>,
    /// Nothing after a failure: the next job begins with a connection that is in a known state.
    pub(super) connection: Option<SqliteConnection>,
}

impl Writer {
    pub(super) fn new(place: Arc<Place>, connection: SqliteConnection) -> Self {
        Self { place, connection: Some(connection) }
    }

    /// Works until the last handle is dropped or the store is closed.
    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut asked = Vec::new();
        while jobs.recv_many(&mut asked, MOST_TOGETHER).await > 0 {
            let (mut group, mut closing) = (Vec::new(), None);
            for job in asked.drain(..) {
                match job {
                    // If nobody waits for it any more, it is not begun.
                    Job::Work(work, answer) if !answer.is_closed() => group.push((work, answer)),
                    Job::Work(..) => {}
                    Job::Close(answer) => closing = Some(answer),
                }
            }
            self.work(group).await;
            if let Some(answer) = closing {
                let _ = answer.send(self.close().await.map_err(failed));
                return;
            }
        }
        let _ = self.disconnect().await;
    }

    /// Does all of this in one transaction, and then answers.
    pub(super) async fn work(&mut self, group: Vec<(Work, Answer<Outcome>)>) {
        if group.is_empty() {
            return;
        }
        let (work, answers): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        // Before the commit no outcome is certain, not even a conflict: it may be one with a write
        // of this transaction.
        let outcomes = match self.transact(&work).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                let error = failed(error);
                work.iter().map(|_| Err(error.clone())).collect()
            }
        };
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            let _ = answer.send(outcome);
        }
    }

    async fn transact(&mut self, work: &[Work]) -> Result<Outcomes, sqlx::Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => schema::checked(self.place.connect().await?).await?,
        };
        match transaction(&mut connection, work).await {
            Ok(outcomes) => {
                self.connection = Some(connection);
                Ok(outcomes)
            }
            Err(error) => {
                // This rolls back, if SQLite has not done so already.
                let _ = connection.close().await;
                Err(error)
            }
        }
    }

    /// Moves the log into the file, and disconnects.
    async fn close(&mut self) -> Result<(), sqlx::Error> {
        if let Some(connection) = &mut self.connection {
            execute(connection, "PRAGMA wal_checkpoint(TRUNCATE)").await?;
        }
        self.disconnect().await
    }

    async fn disconnect(&mut self) -> Result<(), sqlx::Error> {
        match self.connection.take() {
            Some(connection) => connection.close().await,
            None => Ok(()),
        }
    }
}

/// One outcome for each of the work.
type Outcomes = Vec<Result<Outcome, StoreError>>;

/// Everything has a savepoint, so that what cannot be done leaves the rest alone.
async fn transaction(
    connection: &mut SqliteConnection,
    work: &[Work],
) -> Result<Outcomes, sqlx::Error> {
    execute(connection, "BEGIN IMMEDIATE").await?;
    let mut outcomes = Vec::with_capacity(work.len());
    for work in work {
        execute(connection, "SAVEPOINT one").await?;
        let outcome = match one(connection, work).await {
            Ok(outcome) => Ok(outcome),
            Err(Fault::Refused(error)) => Err(error),
            Err(Fault::Sqlite(error)) => return Err(error),
        };
        if !matches!(outcome, Ok(Outcome::Done(_))) {
            execute(connection, "ROLLBACK TO one").await?;
        }
        execute(connection, "RELEASE one").await?;
        outcomes.push(outcome);
    }
    execute(connection, "COMMIT").await?;
    Ok(outcomes)
}

async fn one(connection: &mut SqliteConnection, work: &Work) -> Result<Outcome, Fault> {
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

async fn execute(connection: &mut SqliteConnection, statement: &str) -> Result<(), sqlx::Error> {
    sqlx::query(statement).execute(connection).await.map(drop)
}

fn failed(error: sqlx::Error) -> StoreError {
    StoreError::new("the SQLite file was written to", error)
}
