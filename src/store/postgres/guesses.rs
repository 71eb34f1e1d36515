//! Failed guesses, for the other servers.

use std::sync::Arc;

use super::{
    super::values::count,
    database::{Database, Work},
    notices::Listening,
    rows,
    select::Query,
};
use crate::issue::{
    Guess, GuessEntry, GuessLog, GuessPage, GuessRecord, Notices, Pending, StoreError,
};

/// How many records are kept. They are read by each server that starts.
const MOST: i64 = 200_000;
/// Those who tell each other wait for each other here, in each schema apart. Any number that others do not
/// use.
const TELLING: i32 = 0x746f_7742;

/// The log of the servers of a schema.
#[derive(Clone)]
pub(super) struct Guesses {
    pub(super) database: Arc<Database>,
    pub(super) listening: Arc<Listening>,
}

impl GuessLog for Guesses {
    fn add(&self, records: Vec<GuessRecord>) -> Pending<'_, ()> {
        Box::pin(async move {
            self.database.work(Work::TellGuesses(records)).await?;
            self.listening.guesses.tell();
            Ok(())
        })
    }

    fn after(&self, place: u64, limit: usize) -> Pending<'_, GuessPage> {
        Box::pin(async move {
            let mut found = self.from(place, limit).await?;
            // What is forgotten first is what came first. So this place is one of a log that was lost, as
            // when a standby takes over, or there is nothing at all.
            if found.is_empty() && place > 0 {
                found = self.from(0, limit).await?;
            }
            found.retain(|(found, _)| *found != place);
            let has_more = found.len() > limit;
            found.truncate(limit);
            let next = found.last().map_or(place, |(place, _)| *place);
            let entries = found.into_iter().map(|(_, entry)| entry).collect();
            Ok(GuessPage { entries, next, has_more })
        })
    }

    fn notices(&self) -> Notices {
        self.listening.guesses.notices()
    }
}

impl Guesses {
    /// The records from this place on, with their places: one for the place itself, and one more than
    /// asked for, if there are.
    async fn from(&self, place: u64, limit: usize) -> Result<Vec<(u64, GuessEntry)>, StoreError> {
        let query = "SELECT place, server, pair, source, failures, \
            extract(epoch FROM greatest(clock_timestamp() - written_at, interval '0'))::bigint AS age \
            FROM guess WHERE place >= $1 ORDER BY place LIMIT $2";
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        let query = sqlx::query(query).bind(place).bind(count(limit.saturating_add(2)));
        self.database.rows(query).await?.iter().map(rows::guess).collect()
    }
}

/// Adds records behind all that are there.
///
/// Others who add some wait until these can be read, so that places are in the order in which they can be:
/// by a lock of its own, as one of the table would be in the way of whoever cleans up. Nothing is waited
/// for on disk, as nobody needs it after a crash.
pub(super) fn tell(records: &[GuessRecord]) -> Query<'static> {
    let tell = "WITH turn AS MATERIALIZED (SELECT \
        pg_advisory_xact_lock($5, 'guess'::regclass::oid::int4), \
        set_config('synchronous_commit', 'off', true)) \
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
    let tell = sqlx::query(tell).bind(servers).bind(pairs).bind(sources).bind(failures);
    tell.bind(TELLING)
}

/// Forgets what is an hour old, and of too many the first.
pub(super) fn forget(limit: usize) -> Query<'static> {
    let forget = "DELETE FROM guess WHERE place = ANY (ARRAY(SELECT place FROM guess \
        ORDER BY place LIMIT $1)) AND (written_at < clock_timestamp() - interval '1 hour' \
        OR place <= (SELECT max(place) FROM guess) - $2)";
    sqlx::query(forget).bind(count(limit)).bind(MOST)
}
