//! Time as an argument: the [`Clock`] that a verifier asks, and [`UnixTime`], what it answers.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted (`NumericDate` of RFC 7519
/// section 2, rounded up).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The time that is this many seconds after 1970 began.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970 began.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// This time and so many whole seconds; the latest possible time instead of an overflow.
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }

    /// This time less so many whole seconds; 1970 instead of an underflow.
    #[must_use]
    pub const fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_secs()))
    }

    /// How long it is from `earlier` to this time; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

/// A time before 1970 reads as 1970.
impl From<SystemTime> for UnixTime {
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Tells the time.
///
/// A verifier asks once per token. An implementation must not block and must not panic; tests
/// use a frozen one.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> UnixTime;

    /// For a clock that is moved by hand: completes when it moves next, so that whoever waits for a
    /// time can look again. `None` for a clock that runs by itself.
    fn moved(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        None
    }
}

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> UnixTime {
        (**self).now()
    }

    fn moved(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        (**self).moved()
    }
}

/// A clock that always tells the same time, for example to verify a token as of its day. By it no
/// keys grow old, and those that are fetched are fetched once.
impl Clock for UnixTime {
    fn now(&self) -> UnixTime {
        *self
    }
}

/// The clock of the operating system. A time before 1970 reads as 1970.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
    fn now(&self) -> UnixTime {
        SystemTime::now().into()
    }
}
