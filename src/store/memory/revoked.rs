use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher as _, RandomState},
    ops::Bound,
    time::Instant,
};

use crate::{
    revocation::{Revocation, RevocationCursor, RevocationEntry, RevocationKind, RevocationPage},
    time::UnixTime,
};

/// What was revoked, in the order in which it was.
pub(super) struct Revoked {
    /// Tells the cursors of this store from those of others.
    epoch: u64,
    /// The last place that was given.
    last: u64,
    by_key: HashMap<(RevocationKind, String), Placed>,
    by_place: BTreeMap<u64, (RevocationKind, String)>,
}

/// A revocation, where it stands, and since when.
pub(super) struct Placed {
    revocation: Revocation,
    place: u64,
    written: Instant,
}

impl Default for Revoked {
    fn default() -> Self {
        Self {
            epoch: RandomState::new().hash_one(()),
            last: 0,
            by_key: HashMap::new(),
            by_place: BTreeMap::new(),
        }
    }
}

impl Revoked {
    pub(super) fn get(&self, key: &(RevocationKind, String)) -> Option<&Revocation> {
        self.by_key.get(key).map(|placed| &placed.revocation)
    }

    /// Gives it the next place.
    pub(super) fn place(&mut self, revocation: Revocation) -> Placed {
        self.last += 1;
        Placed { revocation, place: self.last, written: Instant::now() }
    }

    /// Puts it under its key, and returns what was there.
    pub(super) fn put(
        &mut self,
        key: (RevocationKind, String),
        new: Option<Placed>,
    ) -> Option<Placed> {
        let old = self.by_key.remove(&key);
        if let Some(old) = &old {
            self.by_place.remove(&old.place);
        }
        if let Some(new) = new {
            self.by_place.insert(new.place, key.clone());
            self.by_key.insert(key, new);
        }
        old
    }

    pub(super) fn ended_before(
        &self,
        time: UnixTime,
    ) -> impl Iterator<Item = &(RevocationKind, String)> {
        let ended = self.by_key.iter().filter(move |(_, placed)| placed.revocation.until() < time);
        ended.map(|(key, _)| key)
    }

    pub(super) fn after(&self, after: Option<&RevocationCursor>, limit: usize) -> RevocationPage {
        let place = after.and_then(|cursor| self.place_of(cursor)).unwrap_or_default();
        let mut later = self.by_place.range((Bound::Excluded(place), Bound::Unbounded));
        let taken: Vec<_> =
            later.by_ref().take(limit).filter_map(|(_, key)| self.by_key.get(key)).collect();
        let has_more = later.next().is_some();
        let next = match taken.last() {
            Some(last) if has_more => last.place,
            _ if has_more => place,
            _ => self.last,
        };
        let entry = |placed: &Placed| RevocationEntry {
            revocation: placed.revocation.clone(),
            age: placed.written.elapsed(),
        };
        RevocationPage {
            entries: taken.into_iter().map(entry).collect(),
            next: self.cursor(next),
            has_more,
        }
    }

    fn cursor(&self, place: u64) -> RevocationCursor {
        RevocationCursor::of(format_args!("{:016x}-{place}", self.epoch))
    }

    fn place_of(&self, cursor: &RevocationCursor) -> Option<u64> {
        let (epoch, place) = cursor.as_str().split_once('-')?;
        let is_ours = u64::from_str_radix(epoch, 16) == Ok(self.epoch);
        is_ours.then(|| place.parse().ok()).flatten()
    }
}
