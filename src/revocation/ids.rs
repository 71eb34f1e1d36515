use std::{
    collections::BTreeMap,
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use foldhash::quality::RandomState;

use super::shard::{Added, Shard, pack};
use crate::time::UnixTime;

/// A new id has one of so many parts of the whole copied.
const SHARDS: usize = 1024;

/// A set of ids, each with the time until when it is kept.
///
/// Readers see an immutable part of it. Writers must take turns.
pub(super) struct Ids {
    shards: Box<[ArcSwapOption<Shard>]>,
    /// Where an id belongs cannot be told from outside, so that nobody fills one shard.
    hasher: RandomState,
    len: AtomicUsize,
}

/// Ids to add, by the position of their shard.
#[derive(Default)]
pub(super) struct Batch(BTreeMap<usize, Added>);

impl Ids {
    #[inline]
    pub(super) fn contains(&self, id: &str) -> bool {
        self.len() != 0 && self.is_in_shard(id)
    }

    fn is_in_shard(&self, id: &str) -> bool {
        let packed = pack(id);
        let shard = self.shards.get(self.position(packed, id)).map(ArcSwapOption::load);
        let shard = shard.as_ref().and_then(|shard| shard.as_deref());
        shard.is_some_and(|shard| shard.contains(packed, id))
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Puts an id into a batch, which is nothing to readers until it is [added](Self::add).
    pub(super) fn prepare(&self, batch: &mut Batch, id: Box<str>, until: UnixTime) {
        let packed = pack(&id);
        let added = batch.0.entry(self.position(packed, &id)).or_default();
        match packed {
            Some(packed) => added.packed.push((packed, until)),
            None => added.texts.push((id, until)),
        }
    }

    /// Adds a batch of ids, with one copy of each shard that has new ones. Of several times for one id
    /// the latest counts.
    pub(super) fn add(&self, batch: Batch) {
        let mut len = self.len();
        for (position, added) in batch.0 {
            let Some(slot) = self.shards.get(position) else {
                continue;
            };
            let old = slot.load_full().unwrap_or_default();
            let new = old.with(added);
            len = (len + new.len()).saturating_sub(old.len());
            slot.store(Some(Arc::new(new)));
        }
        self.len.store(len, Ordering::Relaxed);
    }

    /// Forgets the ids that are past their time, and says how many.
    pub(super) fn purge(&self, now: UnixTime) -> usize {
        let mut forgotten = 0;
        for slot in &self.shards {
            let Some(old) = slot.load_full() else {
                continue;
            };
            if let Some(new) = old.purged(now) {
                forgotten += old.len().saturating_sub(new.len());
                slot.store(Some(Arc::new(new)).filter(|new| new.len() > 0));
            }
        }
        self.len.store(self.len().saturating_sub(forgotten), Ordering::Relaxed);
        forgotten
    }

    fn position(&self, packed: Option<u128>, id: &str) -> usize {
        let hash = match packed {
            Some(packed) => self.hasher.hash_one(packed),
            None => self.hasher.hash_one(id),
        };
        (hash % SHARDS as u64) as usize
    }
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            shards: std::iter::repeat_with(ArcSwapOption::empty).take(SHARDS).collect(),
            hasher: RandomState::default(),
            len: AtomicUsize::new(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jws;

    const UNTIL: UnixTime = UnixTime::from_secs(1000);

    fn add(ids: &Ids, all: impl IntoIterator<Item = String>) {
        let mut batch = Batch::default();
        all.into_iter().for_each(|id| ids.prepare(&mut batch, id.into(), UNTIL));
        ids.add(batch);
    }

    #[test]
    fn ids_of_both_forms_spread_over_the_shards() {
        let packed = |number: usize| jws::encode((number as u128).to_be_bytes());
        let text = |number: usize| number.to_string();
        for form in [&packed as &dyn Fn(usize) -> String, &text] {
            let ids = Ids::default();
            add(&ids, (0..40 * SHARDS).map(form));
            assert_eq!(ids.len(), 40 * SHARDS);
            for slot in &ids.shards {
                let len = slot.load_full().unwrap_or_default().len();
                assert!((5..=100).contains(&len), "{len}");
            }
        }
    }

    #[test]
    fn a_shard_that_is_empty_again_is_given_up() {
        let ids = Ids::default();
        add(&ids, ["one".to_owned(), "one".to_owned(), "two".to_owned()]);
        assert_eq!((ids.len(), ids.purge(UNTIL), ids.len()), (2, 0, 2));
        assert_eq!((ids.purge(UnixTime::from_secs(1001)), ids.len()), (2, 0));
        assert!(ids.shards.iter().all(|slot| slot.load().is_none()));
        assert!(!ids.contains("one"));
    }
}
