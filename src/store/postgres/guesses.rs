//! Failed guesses, for the other servers.

use sqlx::PgConnection;

use super::{
    super::values::count,
    Postgres,
    database::Work,
    error::Fault,
    rows::{self, Told},
    select::Query,
};
use crate::issue::{GuessLog, GuessPage, GuessRecord, Notices, Pending, StoreError};

/// What the notices of a schema are called, before its name.
pub(super) const CHANNEL: &str = "tower_bearer_guesses:";

impl GuessLog for Postgres {
    fn add(&self, records: Vec<GuessRecord>) -> Pending<'_, ()> {
        Box::pin(async move { self.database.work(Work::Tell(records)).await.map(drop) })
    }

    fn after(&self, place: u64, limit: usize) -> Pending<'_, GuessPage> {
        Box::pin(async move {
            let rows = self.database.rows(behind(place, limit)).await?;
            let told = rows.iter().map(rows::told).collect::<Result<Vec<_>, _>>()?;
            page(told, place, limit)
        })
    }

    fn notices(&self) -> Notices {
        self.listening.guesses()
    }
}

/// One row more than asked for says that there is more; one without a record stands first if there is
/// none.
fn behind(place: u64, limit: usize) -> Query<'static> {
    let query = "SELECT last.place AS last, g.place, g.server, g.pair, g.source, g.failures, \
        extract(epoch FROM greatest(clock_timestamp() - g.written_at, interval '0'))::bigint AS age \
        FROM (SELECT coalesce(max(place), 0) AS place FROM guess) AS last \
        LEFT JOIN LATERAL (SELECT * FROM guess WHERE place > $1 ORDER BY place LIMIT $2) AS g \
        ON true ORDER BY g.place";
    let place = i64::try_from(place).unwrap_or(i64::MAX);
    sqlx::query(query).bind(place).bind(count(limit.saturating_add(1)))
}

fn page(told: Vec<Told>, place: u64, limit: usize) -> Result<GuessPage, StoreError> {
    let Some(Told { last, .. }) = told.first() else {
        return Err(StoreError::corrupt("a page without its first row"));
    };
    // Behind all that are there: of a database that was restored. Without any, nobody knows.
    let place = if *last > 0 { place.min(*last) } else { place };
    let mut placed: Vec<_> = told.into_iter().filter_map(|told| told.record).collect();
    let has_more = placed.len() > limit;
    placed.truncate(limit);
    let next = placed.last().map_or(place, |(place, ..)| *place);
    let records = placed.into_iter().map(|(_, record, age)| (record, age)).collect();
    Ok(GuessPage { records, next, has_more })
}

/// Adds records behind all that are there; others who add some wait meanwhile.
pub(super) async fn tell(conn: &mut PgConnection, records: &[GuessRecord]) -> Result<(), Fault> {
    sqlx::query("LOCK TABLE guess IN SHARE ROW EXCLUSIVE MODE").execute(&mut *conn).await?;
    let insert = "INSERT INTO guess (server, pair, source, failures) \
        SELECT server, pair, source, failures \
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) \
        WITH ORDINALITY AS told(server, pair, source, failures, position) ORDER BY position";
    let all = records.iter();
    sqlx::query(insert)
        .bind(all.clone().map(|record| record.server.cast_signed()).collect::<Vec<_>>())
        .bind(all.clone().map(|record| record.pair.map(u64::cast_signed)).collect::<Vec<_>>())
        .bind(all.clone().map(|record| record.source.map(u64::cast_signed)).collect::<Vec<_>>())
        .bind(all.map(|record| i64::from(record.failures)).collect::<Vec<_>>())
        .execute(&mut *conn)
        .await?;
    // As long as a name may be: where one is listened to, the database cuts it off by itself.
    let notify = sqlx::query("SELECT pg_notify(left($1 || current_schema(), 63), '')");
    notify.bind(CHANNEL).execute(conn).await?;
    Ok(())
}

/// Forgets what is an hour old; returns how many rows that were.
pub(super) async fn purge(conn: &mut PgConnection, limit: usize) -> Result<u64, Fault> {
    let delete = "DELETE FROM guess WHERE ctid = ANY (ARRAY(SELECT ctid FROM guess \
        WHERE written_at < clock_timestamp() - interval '1 hour' \
        ORDER BY written_at LIMIT $1 FOR UPDATE SKIP LOCKED))";
    Ok(sqlx::query(delete).bind(count(limit)).execute(conn).await?.rows_affected())
}
