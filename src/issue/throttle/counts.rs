use std::num::NonZeroUsize;

use lru::LruCache;

use super::{
    Throttle,
    bucket::{Bucket, Rate},
    passed::Passed,
    permit::Outcome,
    throttled::{Throttled, ThrottledBy},
};
use crate::{issue::Guess, time::UnixTime};

/// How soon failures from everywhere are paid for that were under way together, in seconds. Not
/// longer, as those wait who did nothing.
const LONGEST_GLOBAL_WAIT: u64 = 30;

/// How many tokens that come to nothing an application may ask about at once, and how many more in
/// each second: many, as it hands on what others send it, and too few to find any of 128 bits.
const CALLER_MISSES: u32 = 1000;
const CALLER_MISSES_PER_SECOND: u32 = 100;

/// What failed, and what is under way. All times are in seconds that [passed](Passed).
pub(super) struct Counts {
    limits: Limits,
    passed: Passed,
    /// Those that failed since they last succeeded, or try to.
    pairs: Lru<Pair>,
    /// Pairs and sources that had a success. Not part of `pairs`, where whoever guesses could push them
    /// out.
    known_good: Lru<Success>,
    sources: Lru<Bucket>,
    /// Tokens that came to nothing, by the application that authenticated to ask about them.
    callers: Lru<Bucket>,
    global: Bucket,
}

/// The key is a hash under a random key already.
type Lru<V> = LruCache<u64, V, foldhash::fast::RandomState>;

#[derive(Clone, Copy)]
struct Limits {
    backoff_from: u32,
    max_backoff: u64,
    max_pending: u32,
    known_good_for: u64,
    source: Rate,
    caller: Rate,
    global: Rate,
}

/// Under which keys an attempt counts.
#[derive(Clone, Copy)]
pub(super) struct Keys {
    pub(super) pair: u64,
    pub(super) source: u64,
}

/// An application and a source.
#[derive(Default)]
struct Pair {
    /// Failures in a row.
    failures: u32,
    /// Attempts under way. If the entry was pushed out meanwhile, some are missing.
    pending: u32,
    /// Until when nothing is let through.
    until: u64,
}

/// When the last success was, and when other servers last knew of one.
#[derive(Clone, Copy, Default)]
struct Success {
    at: u64,
    told: Option<u64>,
}

/// How soon it is told again that an application succeeds: often enough that a server that comes later
/// finds it in the log.
const TOLD_EVERY: u64 = 30 * 60;

impl Pair {
    fn failed(&mut self, limits: Limits, times: u32, at: u64) {
        self.failures = self.failures.saturating_add(times);
        self.until = self.until.max(at.saturating_add(limits.backoff(self.failures)));
    }

    fn succeeded(&mut self) {
        (self.failures, self.until) = (0, 0);
    }

    /// Whether there is nothing to remember.
    fn is_nothing(&self) -> bool {
        self.failures == 0 && self.pending == 0
    }
}

impl Counts {
    pub(super) fn new(settings: &Throttle) -> Self {
        let limits = Limits::new(settings);
        Self {
            limits,
            passed: Passed::default(),
            pairs: lru(settings.max_entries),
            known_good: lru(settings.max_entries),
            sources: lru(settings.max_entries),
            callers: lru(settings.max_entries),
            global: Bucket::full(limits.global, 0),
        }
    }

    /// Lets an attempt through, or says how long to wait. What is refused leaves nothing behind.
    pub(super) fn admit(&mut self, keys: Option<Keys>, now: UnixTime) -> Result<(), Throttled> {
        let at = self.passed.until(now);
        let Some(keys) = keys else {
            return Throttled::longest([(ThrottledBy::Global, self.global_wait(at))]);
        };
        let is_known_good = self.is_known_good(keys.pair, at);
        Throttled::longest([
            (ThrottledBy::Global, self.global_wait(at).filter(|_| !is_known_good)),
            (ThrottledBy::Source, self.source_wait(keys.source, at).filter(|_| !is_known_good)),
            (ThrottledBy::Pair, self.pair_wait(keys.pair, is_known_good, at)),
        ])?;
        let pair = self.pairs.get_or_insert_mut(keys.pair, Pair::default);
        pair.pending = pair.pending.saturating_add(1);
        Ok(())
    }

    /// Says how long a source has to wait, if it has to.
    pub(super) fn check(&mut self, source: Option<u64>, now: UnixTime) -> Result<(), Throttled> {
        let at = self.passed.until(now);
        let is_known_good = source.is_some_and(|key| self.is_known_good(key, at));
        Throttled::longest([
            (ThrottledBy::Global, self.global_wait(at).filter(|_| !is_known_good)),
            (ThrottledBy::Source, source.and_then(|key| self.source_wait(key, at))),
        ])
    }

    pub(super) fn note_miss(&mut self, source: Option<u64>, now: UnixTime) {
        let at = self.passed.at_least(now);
        self.count(source, 1, at);
    }

    /// Says how long an application that authenticated has to wait before it asks about another token.
    pub(super) fn check_caller(&mut self, caller: u64, now: UnixTime) -> Result<(), Throttled> {
        let at = self.passed.until(now);
        let rate = self.limits.caller;
        let wait = self.callers.get_mut(&caller).and_then(|bucket| bucket.wait(rate, at));
        Throttled::longest([(ThrottledBy::Pair, wait)])
    }

    /// Counts for nobody else: whoever sends nonsense to a service that asks about it must not keep
    /// others away.
    pub(super) fn note_caller_miss(&mut self, caller: u64, now: UnixTime) {
        let at = self.passed.at_least(now);
        let rate = self.limits.caller;
        self.callers.get_or_insert_mut(caller, || Bucket::full(rate, at)).take(rate, 1, at);
    }

    /// Counts the outcome of an attempt that was let through.
    pub(super) fn settle(&mut self, keys: Option<Keys>, outcome: Outcome) {
        let at = match outcome {
            Outcome::Succeeded(now) | Outcome::Failed(now) => self.passed.at_least(now),
            Outcome::Withdrawn | Outcome::Dropped => self.passed.so_far(),
        };
        match outcome {
            Outcome::Succeeded(_) => {
                for key in keys.into_iter().flat_map(|keys| [keys.pair, keys.source]) {
                    self.succeeded(key).at = at;
                }
            }
            Outcome::Failed(_) | Outcome::Dropped => {
                self.count(keys.map(|keys| keys.source), 1, at);
            }
            Outcome::Withdrawn => {}
        }
        if let Some(keys) = keys {
            self.settle_pair(keys.pair, outcome, at);
        }
    }

    /// Counts what became of attempts at another server, so many seconds ago.
    pub(super) fn learn(&mut self, guess: &Guess, age: u64, now: UnixTime) {
        let at = self.passed.at_least(now).saturating_sub(age);
        match *guess {
            Guess::Failed { pair, source, times } => {
                self.count(source, times, at);
                if let Some(key) = pair {
                    let pair = self.pairs.get_or_insert_mut(key, Pair::default);
                    pair.failed(self.limits, times, at);
                }
            }
            Guess::Succeeded { pair, source } => {
                for key in [pair, source] {
                    let success = self.succeeded(key);
                    success.at = success.at.max(at);
                }
                self.note_told(pair, age);
                if let Some(failed) = self.pairs.peek_mut(&pair) {
                    failed.succeeded();
                    if failed.is_nothing() {
                        self.pairs.pop(&pair);
                    }
                }
            }
        }
    }

    /// Whether other servers should hear that this pair succeeds now: they know of failures, or have not
    /// heard of it lately.
    pub(super) fn is_to_be_told(&mut self, keys: Keys) -> bool {
        let at = self.passed.so_far();
        let has_failed = self.pairs.peek(&keys.pair).is_some_and(|pair| pair.failures > 0);
        let told = self.known_good.peek(&keys.pair).and_then(|success| success.told);
        has_failed || told.is_none_or(|told| at.saturating_sub(told) >= TOLD_EVERY)
    }

    /// Other servers know that this pair succeeded, so many seconds ago.
    pub(super) fn note_told(&mut self, pair: u64, age: u64) {
        let at = self.passed.so_far().saturating_sub(age);
        if let Some(success) = self.known_good.peek_mut(&pair) {
            success.told = success.told.max(Some(at));
        }
    }

    fn succeeded(&mut self, key: u64) -> &mut Success {
        self.known_good.get_or_insert_mut(key, Success::default)
    }

    fn settle_pair(&mut self, key: u64, outcome: Outcome, at: u64) {
        let limits = self.limits;
        let pair = self.pairs.get_or_insert_mut(key, Pair::default);
        pair.pending = pair.pending.saturating_sub(1);
        match outcome {
            Outcome::Succeeded(_) => pair.succeeded(),
            Outcome::Failed(_) | Outcome::Dropped => pair.failed(limits, 1, at),
            Outcome::Withdrawn => {}
        }
        if pair.is_nothing() {
            self.pairs.pop(&key);
        }
    }

    /// Counts failures for the source, if there is one, and for all.
    fn count(&mut self, source: Option<u64>, failures: u32, at: u64) {
        let Limits { source: rate, global, .. } = self.limits;
        self.global.take(global, failures, at);
        if let Some(key) = source {
            let full = || Bucket::full(rate, at);
            self.sources.get_or_insert_mut(key, full).take(rate, failures, at);
        }
    }

    /// Whoever guesses from many places must not keep those away who know their secret.
    fn is_known_good(&mut self, key: u64, at: u64) -> bool {
        let success = self.known_good.get(&key);
        success.is_some_and(|success| at.saturating_sub(success.at) < self.limits.known_good_for)
    }

    fn global_wait(&mut self, at: u64) -> Option<u64> {
        self.global.wait(self.limits.global, at)
    }

    fn source_wait(&mut self, key: u64, at: u64) -> Option<u64> {
        self.sources.get_mut(&key)?.wait(self.limits.source, at)
    }

    fn pair_wait(&mut self, key: u64, is_known_good: bool, at: u64) -> Option<u64> {
        let pair = self.pairs.get(&key)?;
        let most_pending = if pair.failures >= self.limits.backoff_from {
            // Many at a time would make nothing of the waiting before.
            1
        } else if is_known_good {
            u32::MAX
        } else {
            self.limits.max_pending
        };
        let is_crowded = pair.pending >= most_pending;
        let wait = pair.until.saturating_sub(at).max(is_crowded.into());
        (wait > 0).then_some(wait)
    }

    #[cfg(test)]
    pub(super) fn lens(&self) -> [usize; 3] {
        [self.pairs.len(), self.known_good.len(), self.sources.len()]
    }
}

impl Limits {
    fn new(settings: &Throttle) -> Self {
        let max_backoff = settings.max_backoff.as_secs();
        let every = settings.source_every.as_secs();
        let (burst, per_second) = (settings.global_burst, settings.global_per_second);
        Self {
            backoff_from: settings.backoff_from,
            max_backoff,
            max_pending: settings.max_pending,
            known_good_for: settings.known_good_for.as_secs(),
            source: Rate::new(settings.source_burst, 1, every, max_backoff),
            caller: Rate::new(CALLER_MISSES, CALLER_MISSES_PER_SECOND, 1, LONGEST_GLOBAL_WAIT),
            global: Rate::new(burst, per_second, 1, max_backoff.min(LONGEST_GLOBAL_WAIT)),
        }
    }

    /// How many seconds nothing is let through after so many failures in a row.
    fn backoff(self, failures: u32) -> u64 {
        match failures.checked_sub(self.backoff_from) {
            Some(doublings) => {
                1u64.checked_shl(doublings).unwrap_or(u64::MAX).min(self.max_backoff)
            }
            None => 0,
        }
    }
}

fn lru<V>(max_entries: u64) -> Lru<V> {
    let most = usize::try_from(max_entries).ok().and_then(NonZeroUsize::new);
    LruCache::with_hasher(most.unwrap_or(NonZeroUsize::MIN), <_>::default())
}
