//! Revocations in the order in which they were written.

use sqlx::sqlite::SqliteRow;

use super::{super::values::count, rows, select::Query};
use crate::{
    issue::StoreError,
    revocation::{RevocationCursor, RevocationPage},
};

/// Where a page begins: a place of an epoch. Every opening of the file begins another epoch, as it may
/// be a backup that was put in its place: then everything is read once more.
pub(super) struct Start<'c> {
    epoch: &'c str,
    place: i64,
}

impl<'c> Start<'c> {
    pub(super) fn of(after: Option<&'c RevocationCursor>) -> Self {
        let known = after.and_then(|cursor| cursor.as_str().split_once('-'));
        let known = known.and_then(|(epoch, place)| Some((epoch, place.parse().ok()?)));
        let (epoch, place) = known.unwrap_or_default();
        Self { epoch, place }
    }

    /// One row more than asked for says that there is more; one without a revocation stands first.
    pub(super) fn query(&self, limit: usize) -> Query<'c> {
        let query = "SELECT feed.epoch, feed.last, r.kind, r.id, r.cut_off, r.until, r.place, \
            max(0, CAST(unixepoch('subsec') * 1000 AS INTEGER) - r.written_at) AS age \
            FROM feed LEFT JOIN (SELECT * FROM revocation \
            WHERE place > iif((SELECT epoch FROM feed) = ?1, ?2, 0) \
            ORDER BY place LIMIT ?3) AS r ORDER BY r.place";
        let limit = count(limit.saturating_add(1));
        sqlx::query(query).bind(self.epoch).bind(self.place).bind(limit)
    }

    pub(super) fn page(
        &self,
        rows: &[SqliteRow],
        limit: usize,
    ) -> Result<RevocationPage, StoreError> {
        let Some(first) = rows.first() else {
            return Err(StoreError::corrupt("the table `feed` is empty"));
        };
        let (epoch, last) = rows::feed(first)?;
        let mut placed = Vec::with_capacity(rows.len());
        for row in rows {
            placed.extend(rows::placed(row)?);
        }
        let has_more = placed.len() > limit;
        placed.truncate(limit);
        let next = match placed.last() {
            _ if !has_more => last,
            Some((place, _)) => *place,
            None if self.epoch == epoch => self.place,
            None => 0,
        };
        let entries = placed.into_iter().map(|(_, entry)| entry).collect();
        Ok(RevocationPage {
            entries,
            next: RevocationCursor::of(format_args!("{epoch}-{next}")),
            has_more,
        })
    }
}
