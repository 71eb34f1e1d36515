use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::time::{Clock, UnixTime};

/// A clock that stands still until it is told to move. Clones share the time.
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::test_util::FrozenClock;
/// use tower_bearer::time::Clock;
///
/// let clock = FrozenClock::at(1_000);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().as_secs(), 1_060);
/// ```
#[derive(Clone, Debug)]
pub struct FrozenClock(Arc<AtomicU64>);

impl FrozenClock {
    /// Stands at this time, in seconds since 1970.
    #[must_use]
    pub fn at(seconds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seconds)))
    }

    /// Goes to this time, in seconds since 1970; it may lie in the past.
    pub fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    /// Moves forward by so many whole seconds.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().saturating_add(by).as_secs());
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.load(Ordering::Relaxed))
    }
}
