mod bucket;
mod counts;
mod external;
mod limiter;
mod passed;
mod permit;
mod shared;
#[cfg(test)]
mod tests;
mod throttled;

use std::time::Duration;

pub use self::external::{Admission, GuessAttempt, GuessLimiter};
#[cfg(test)]
pub(crate) use self::throttled::ThrottledBy;
pub(crate) use self::{
    limiter::Limiter,
    permit::{Guess, Permit},
    throttled::Throttled,
};
use crate::error::ConfigError;

/// How often secrets may be guessed.
///
/// Failures count for the application and the source together, for the source, and for all. So
/// nobody can lock an application out from elsewhere, and no application name tells whether it
/// exists.
///
/// Failures are counted, not work. Each guess at a chosen secret is a slow hash, of which four are
/// computed at once and 64 wait, for everybody together; beyond that it is 429 for a second, even
/// for those who succeeded lately. So guesses from many sources can be in the way of applications
/// whose secrets a person chose. [Generated](super::Applications::add_secret) ones take none of
/// these places.
///
/// Servers of one store count together where the store has a [log](super::GuessLog) for it, if they
/// [run](super::AuthorizationServer::run): what fails at one of them counts at the others within some
/// tenths of a second. Without the log each counts for itself.
///
/// An attempt counts from when its secret is compared. A client that goes away after that failed,
/// whatever its secret is worth; one that goes away before, as when the store does not answer, did
/// nothing.
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::issue::Throttle;
///
/// let throttle = Throttle::default()
///     .with_max_entries(50_000)
///     .with_source_failures(100, Duration::from_secs(1));
/// # let _ = throttle;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Throttle {
    max_entries: u64,
    backoff_from: u32,
    max_backoff: Duration,
    max_pending: u32,
    known_good_for: Duration,
    source_burst: u32,
    source_every: Duration,
    global_burst: u32,
    global_per_second: u32,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            max_entries: 10_000,
            backoff_from: 5,
            max_backoff: Duration::from_secs(15 * 60),
            max_pending: 64,
            known_good_for: Duration::from_secs(24 * 60 * 60),
            source_burst: 30,
            source_every: Duration::from_secs(2),
            global_burst: 1000,
            global_per_second: 100,
        }
    }
}

impl Throttle {
    /// How many pairs of application and source that failed are remembered, how many that
    /// succeeded, and how many sources: 10 000 of each unless said otherwise, 100 to 1 000 000. One
    /// of each takes about 250 bytes. What was used least recently is forgotten first.
    pub fn with_max_entries(self, max_entries: u64) -> Self {
        Self { max_entries, ..self }
    }

    /// From which failure in a row on an application and source have to wait, one attempt at a
    /// time, at first for 1 s and for twice as long after each further failure: the 5th unless said
    /// otherwise, 1st to 100th.
    pub fn with_backoff_from(self, failures: u32) -> Self {
        Self { backoff_from: failures, ..self }
    }

    /// The longest that an application and source, or a source, have to wait, in whole seconds:
    /// 15 min unless said otherwise, 1 min to 15 min.
    pub fn with_max_backoff(self, max_backoff: Duration) -> Self {
        Self { max_backoff, ..self }
    }

    /// How many attempts of an application and source may be under way at a time, unless they
    /// succeeded lately: 64 unless said otherwise, 1 to 1 000.
    pub fn with_max_pending(self, max_pending: u32) -> Self {
        Self { max_pending, ..self }
    }

    /// How long an application and source are trusted after a success, in whole seconds: 24 h
    /// unless said otherwise, 1 min to 30 days. They need not wait for what others do.
    pub fn with_known_good_for(self, known_good_for: Duration) -> Self {
        Self { known_good_for, ..self }
    }

    /// How many failures a source has at once, 30 unless said otherwise, 1 to 10 000; and how long
    /// it takes until it has one more, in whole seconds, 2 s unless said otherwise, 1 s to 60 s.
    pub fn with_source_failures(self, at_once: u32, one_more_every: Duration) -> Self {
        Self { source_burst: at_once, source_every: one_more_every, ..self }
    }

    /// How many failures there may be at once from all sources, 1 000 unless said otherwise, 1 to
    /// 1 000 000; and how many more in each second, 100 unless said otherwise, 1 to 100 000. Beyond
    /// that only those who succeeded lately are let through.
    pub fn with_global_failures(self, at_once: u32, per_second: u32) -> Self {
        Self { global_burst: at_once, global_per_second: per_second, ..self }
    }

    /// Checks the settings.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let seconds = ConfigError::whole_seconds;
        let max_backoff = seconds("max_backoff", self.max_backoff)?;
        let known_good_for = seconds("known_good_for", self.known_good_for)?;
        let one_more_every = seconds("source_failures one more every", self.source_every)?;
        let settings = [
            ("max_entries", self.max_entries, 100..=1_000_000),
            ("backoff_from", self.backoff_from.into(), 1..=100),
            ("max_backoff", max_backoff, 60..=15 * 60),
            ("max_pending", self.max_pending.into(), 1..=1_000),
            ("known_good_for", known_good_for, 60..=30 * 24 * 60 * 60),
            ("source_failures at once", self.source_burst.into(), 1..=10_000),
            ("source_failures one more every", one_more_every, 1..=60),
            ("global_failures at once", self.global_burst.into(), 1..=1_000_000),
            ("global_failures per second", self.global_per_second.into(), 1..=100_000),
        ];
        settings
            .into_iter()
            .try_for_each(|(name, value, range)| ConfigError::in_range(name, value, range))
    }
}
