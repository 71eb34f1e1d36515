//! Revocations in the order of the transactions that wrote them.
//!
//! Transactions end in another order than they begin, so one that is under way may yet write what stands
//! before what is there already. A pass over the revocations therefore begins where everything before is
//! known to be over: at the transaction that was the earliest under way (`pg_snapshot_xmin`) when the pass
//! before it began. What others wrote meanwhile is read again, and nothing is missed.

use sqlx::postgres::PgRow;

use super::{super::values::count, rows, select::Query};
use crate::{
    issue::StoreError,
    revocation::{RevocationCursor, RevocationPage},
};

/// Where a page begins.
#[derive(Clone, Default)]
pub(super) struct Start {
    /// Which table of which cluster it is, on which timeline, and since when that runs: one that was
    /// restored, that a standby took the place of, or that was only started again, is another one.
    epoch: String,
    /// After this transaction and place.
    transaction: i64,
    place: i64,
    /// Where the next pass begins, if this is not the first page of one.
    horizon: Option<i64>,
}

/// What the database says of itself with a page.
pub(super) struct Present {
    pub(super) epoch: String,
    /// The earliest transaction that is under way.
    pub(super) horizon: i64,
}

impl Start {
    /// The start of everything for a cursor that is none.
    pub(super) fn of(after: Option<&RevocationCursor>) -> Self {
        after.and_then(|cursor| Self::parse(cursor.as_str())).unwrap_or_default()
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let epoch = parts.next()?.to_owned();
        let mut numbers = parts.map(str::parse);
        let mut number = || numbers.next()?.ok();
        let (transaction, place, horizon) = (number()?, number()?, number()?);
        Some(Self { epoch, transaction, place, horizon: Some(horizon).filter(|known| *known != 0) })
    }

    fn cursor(&self) -> RevocationCursor {
        let Self { epoch, transaction, place, horizon } = self;
        let horizon = horizon.unwrap_or_default();
        RevocationCursor::of(format_args!("{epoch}-{transaction}-{place}-{horizon}"))
    }

    /// One row more than asked for says that there is more; one without a revocation stands first.
    pub(super) fn query(&self, limit: usize) -> Query<'static> {
        let query = "SELECT now.epoch, now.horizon, r.kind, r.id, r.cut_off, r.until, \
            r.transaction, r.place, \
            (extract(epoch FROM greatest(clock_timestamp() - r.written_at, interval '0')) \
            * 1000)::bigint AS age \
            FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon, \
            concat_ws('.', (SELECT system_identifier FROM pg_control_system()), \
            CASE WHEN pg_is_in_recovery() THEN 'standby' \
            ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END, \
            extract(epoch FROM pg_postmaster_start_time())::bigint, \
            'revocation'::regclass::oid) AS epoch) AS now \
            LEFT JOIN LATERAL (SELECT * FROM revocation WHERE (transaction, place) > ($1, $2) \
            ORDER BY transaction, place LIMIT $3) AS r ON true ORDER BY r.transaction, r.place";
        let limit = count(limit.saturating_add(1));
        sqlx::query(query).bind(self.transaction).bind(self.place).bind(limit)
    }

    /// The page of these rows; nothing if the cursor is of another life of the database.
    pub(super) fn page(
        &self,
        rows: &[PgRow],
        limit: usize,
    ) -> Result<Option<RevocationPage>, StoreError> {
        let Some(first) = rows.first() else {
            return Err(StoreError::corrupt("a page without its first row"));
        };
        let Present { epoch, horizon } = rows::present(first)?;
        let is_start = (self.transaction, self.place) == (0, 0);
        // The earliest transaction that is under way never becomes an earlier one.
        let is_ahead = self.horizon.is_none() && self.transaction > horizon;
        if !is_start && (self.epoch != epoch || is_ahead) {
            return Ok(None);
        }
        let mut placed = Vec::with_capacity(rows.len());
        for row in rows {
            placed.extend(rows::placed(row)?);
        }
        let has_more = placed.len() > limit;
        placed.truncate(limit);
        let begun = self.horizon.filter(|_| self.epoch == epoch).unwrap_or(horizon);
        let next = match placed.last() {
            _ if !has_more => Self { epoch, transaction: begun, place: 0, horizon: None },
            Some(((transaction, place), _)) => {
                Self { epoch, transaction: *transaction, place: *place, horizon: Some(begun) }
            }
            None => Self { epoch, horizon: Some(begun), ..self.clone() },
        };
        let entries = placed.into_iter().map(|(_, entry)| entry).collect();
        Ok(Some(RevocationPage { entries, next: next.cursor(), has_more }))
    }
}
