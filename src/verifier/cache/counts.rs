use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::CacheStats;

/// Counters of which threads have their own, as one that all share would cost more than the rest of
/// a hit.
#[derive(Default)]
pub(super) struct Counts {
    lanes: [Lane; LANES],
    evictions: AtomicU64,
}

/// More threads than that share some.
const LANES: usize = 16;

/// A line of the processor's cache, and the one that it fetches along.
#[derive(Default)]
#[repr(align(128))]
struct Lane {
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Counts {
    #[inline]
    pub(super) fn hit(&self) {
        self.lane().hits.fetch_add(1, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn miss(&self) {
        self.lane().misses.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn evicted(&self, tokens: u64) {
        if tokens > 0 {
            self.evictions.fetch_add(tokens, Ordering::Relaxed);
        }
    }

    pub(super) fn stats(&self, entries: u64, bytes: u64) -> CacheStats {
        let sum = |counter: fn(&Lane) -> &AtomicU64| {
            self.lanes.iter().map(|lane| counter(lane).load(Ordering::Relaxed)).sum()
        };
        CacheStats {
            hits: sum(|lane| &lane.hits),
            misses: sum(|lane| &lane.misses),
            evictions: self.evictions.load(Ordering::Relaxed),
            entries,
            bytes,
        }
    }

    #[inline]
    fn lane(&self) -> &Lane {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static LANE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % LANES;
        }
        // Where a thread is at its end, any will do.
        let lane = LANE.try_with(|lane| *lane).unwrap_or_default();
        &self.lanes[lane % LANES]
    }
}
