//! Failed guesses, for the other servers.

use std::sync::Arc;

use super::{
    super::values::count,
    database::{Database, Work},
    notices::Listening,
    rows,
    select::Query,
};
use crate::issue::{Guess, GuessLog, GuessPage, GuessRecord, Notices, Pending, StoreError};

/// How many records are kept. They are read by each server that starts.
const MOST: i64 = 200_000;
/// Those who tell each other wait for each other here, in each schema apart. Any number that others do not
/// use.
const TELLING: i32 = 0x746f_7742;

/// The log of the servers of a schema.
pub(super) struct Guesses {
    pub(super) database: Arc<Database>,
    pub(super) listening: Arc<Listening>,
}

impl GuessLog for Guesses {
    fn add(&self, records: Vec<GuessRecord>) -> Pending<'_, ()> {
        Box::pin(async move {
            self.database.work(Work::Tell(records)).await?;
            self.listening.guesses.tell();
            Ok(())
        })
    }

    fn after(&self, place: u64, limit: usize) -> Pending<'_, GuessPage> {
        Box::pin(async move {
            let page = self.page(place, limit).await?;
            match page.entries.is_empty() && place > 0 && self.is_ahead(place).await? {
                true => self.page(0, limit).await,
                false => Ok(page),
            }
        })
    }

    fn notices(&self) -> Notices {
        self.listening.guesses.notices()
    }
}

impl Guesses {
    /// One row more than asked for says that there is more.
    async fn page(&self, place: u64, limit: usize) -> Result<GuessPage, StoreError> {
        let query = "SELECT place, server, pair, source, failures, \
            extract(epoch FROM greatest(clock_timestamp() - written_at, interval '0'))::bigint AS age \
            FROM guess WHERE place > $1 ORDER BY place LIMIT $2";
        let place_there = i64::try_from(place).unwrap_or(i64::MAX);
        let query = sqlx::query(query).bind(place_there).bind(count(limit.saturating_add(1)));
        let rows = self.database.rows(query).await?;
        let mut placed = rows.iter().map(rows::guess).collect::<Result<Vec<_>, _>>()?;
        let has_more = placed.len() > limit;
        placed.truncate(limit);
        let next = placed.last().map_or(place, |(place, _)| *place);
        let entries = placed.into_iter().map(|(_, entry)| entry).collect();
        Ok(GuessPage { entries, next, has_more })
    }

    /// Whether no record has come as far as this, but some are there: those of a database that was
    /// restored, or that a standby took the place of.
    async fn is_ahead(&self, place: u64) -> Result<bool, StoreError> {
        let last = sqlx::query("SELECT place FROM guess ORDER BY place DESC LIMIT 1");
        let rows = self.database.rows(last).await?;
        let last = rows.first().map(rows::place).transpose()?;
        Ok(last.is_some_and(|last| last < place))
    }
}

/// Adds records behind all that are there, and forgets some that are old or too many.
///
/// Others who add some wait until these can be read, so that places are in the order in which they can be:
/// by a lock of its own, as one of the table would be in the way of whoever cleans up. Nothing is waited
/// for on disk, as nobody needs it after a crash.
pub(super) fn tell(records: &[GuessRecord]) -> Query<'static> {
    let tell = "WITH turn AS MATERIALIZED (SELECT \
        pg_advisory_xact_lock($6, 'guess'::regclass::oid::int4), \
        set_config('synchronous_commit', 'off', true)), \
        old AS (DELETE FROM guess WHERE place IN (SELECT place FROM guess \
        ORDER BY place LIMIT $7) AND (written_at < clock_timestamp() - interval '1 hour' \
        OR place <= (SELECT max(place) FROM guess) - $5)) \
        INSERT INTO guess (server, pair, source, failures) \
        SELECT server, pair, source, failures \
        FROM turn CROSS JOIN unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) \
        WITH ORDINALITY AS told(server, pair, source, failures, position) ORDER BY position";
    let (mut servers, mut pairs, mut sources, mut failures) = (vec![], vec![], vec![], vec![]);
    for GuessRecord { server, guess } in records {
        let (pair, source, times) = match *guess {
            Guess::Failed { pair, source, times } => (pair, source, times),
            Guess::Succeeded { pair, source } => (Some(pair), Some(source), 0),
        };
        servers.push(server.cast_signed());
        pairs.push(pair.map(u64::cast_signed));
        sources.push(source.map(u64::cast_signed));
        failures.push(i64::from(times));
    }
    // More than are added, so that it catches up.
    let forgotten = count(records.len().saturating_mul(2));
    let tell = sqlx::query(tell).bind(servers).bind(pairs).bind(sources).bind(failures);
    tell.bind(MOST).bind(TELLING).bind(forgotten)
}
