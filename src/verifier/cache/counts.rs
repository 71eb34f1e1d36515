use std::sync::atomic::{AtomicU64, Ordering};

use super::CacheStats;
use crate::lanes::Lanes;

/// Counters of which threads have their own, as one that all share would cost more than the rest of
/// a hit.
#[derive(Default)]
pub(super) struct Counts {
    asked: Lanes<Asked>,
    evictions: AtomicU64,
}

#[derive(Default)]
struct Asked {
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Counts {
    #[inline]
    pub(super) fn hit(&self) {
        self.asked.own().hits.fetch_add(1, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn miss(&self) {
        self.asked.own().misses.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn evicted(&self, tokens: u64) {
        if tokens > 0 {
            self.evictions.fetch_add(tokens, Ordering::Relaxed);
        }
    }

    pub(super) fn stats(&self, entries: u64, bytes: u64) -> CacheStats {
        let sum = |counter: fn(&Asked) -> &AtomicU64| {
            self.asked.iter().map(|asked| counter(asked).load(Ordering::Relaxed)).sum()
        };
        CacheStats {
            hits: sum(|asked| &asked.hits),
            misses: sum(|asked| &asked.misses),
            evictions: self.evictions.load(Ordering::Relaxed),
            entries,
            bytes,
        }
    }
}
