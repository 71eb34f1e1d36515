use super::{
    counts::Keys,
    external::{GuessAttempt, GuessLimiter},
    limiter::Limiter,
};
use crate::time::UnixTime;

/// An attempt that may be made. Dropped without an outcome, as when the client goes away, it counts
/// as failed.
#[must_use = "an attempt without an outcome counts as failed"]
pub(crate) struct Permit<'a> {
    limiter: &'a Limiter,
    keys: Option<Keys>,
    told: Option<(&'a dyn GuessLimiter, GuessAttempt<'a>)>,
    is_settled: bool,
}

/// How an attempt ended.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    Succeeded(UnixTime),
    Failed(UnixTime),
    Withdrawn,
    Dropped,
}

impl<'a> Permit<'a> {
    pub(super) fn new(limiter: &'a Limiter, keys: Option<Keys>) -> Self {
        Self { limiter, keys, told: None, is_settled: false }
    }

    /// Tells another limiter how it ends, too.
    pub(super) fn telling(
        mut self,
        external: &'a dyn GuessLimiter,
        attempt: GuessAttempt<'a>,
    ) -> Self {
        self.told = Some((external, attempt));
        self
    }

    /// The secret was right.
    pub(crate) fn succeeded(self, now: UnixTime) {
        self.settle(Outcome::Succeeded(now));
    }

    /// The secret was wrong, or there is no such application.
    pub(crate) fn failed(self, now: UnixTime) {
        self.settle(Outcome::Failed(now));
    }

    /// Nobody knows, as in an outage: counts as nothing.
    pub(crate) fn withdrawn(self) {
        self.settle(Outcome::Withdrawn);
    }

    fn settle(mut self, outcome: Outcome) {
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        self.is_settled = true;
        self.limiter.settle(self.keys, outcome);
        if let Some((external, attempt)) = self.told {
            match outcome {
                Outcome::Succeeded(_) => external.succeeded(attempt),
                Outcome::Failed(_) | Outcome::Dropped => external.failed(attempt),
                Outcome::Withdrawn => {}
            }
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            self.end(Outcome::Dropped);
        }
    }
}
