use super::{
    counts::Keys,
    external::{GuessAttempt, GuessLimiter},
    limiter::Limiter,
};
use crate::time::UnixTime;

/// An attempt that may be made. It counts as nothing until it has [begun](Self::begin): nothing can
/// be learnt from it by then, and a client that does not wait for the store is no guesser.
#[must_use = "an attempt that does not begin counts as nothing"]
pub(crate) struct Permit<'a>(Open<'a>);

/// An attempt from which something about a secret can be learnt. Dropped without an outcome, as when
/// the client goes away, it counts as failed: nobody escapes by hanging up on a slow hash.
#[must_use = "a guess without an outcome counts as failed"]
pub(crate) struct Guess<'a>(Open<'a>);

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
        Self(Open { limiter, keys, told: None, outcome: Outcome::Withdrawn })
    }

    /// Tells another limiter how it ends, too.
    pub(super) fn telling(
        mut self,
        external: &'a dyn GuessLimiter,
        attempt: GuessAttempt<'a>,
    ) -> Self {
        self.0.told = Some((external, attempt));
        self
    }

    /// From here on the secret is looked at.
    pub(crate) fn begin(self) -> Guess<'a> {
        Guess(self.0.ending(Outcome::Dropped))
    }
}

impl Guess<'_> {
    /// The secret was right.
    pub(crate) fn succeeded(self, now: UnixTime) {
        drop(self.0.ending(Outcome::Succeeded(now)));
    }

    /// The secret was wrong, or there is no such application.
    pub(crate) fn failed(self, now: UnixTime) {
        drop(self.0.ending(Outcome::Failed(now)));
    }

    /// Nobody knows, as in an outage: counts as nothing.
    pub(crate) fn withdrawn(self) {
        drop(self.0.ending(Outcome::Withdrawn));
    }
}

/// An attempt under way. However it ends, it is dropped.
struct Open<'a> {
    limiter: &'a Limiter,
    keys: Option<Keys>,
    told: Option<(&'a dyn GuessLimiter, GuessAttempt<'a>)>,
    outcome: Outcome,
}

impl Open<'_> {
    fn ending(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.limiter.settle(self.keys, self.outcome);
        if let Some((external, attempt)) = self.told {
            match self.outcome {
                Outcome::Succeeded(_) => external.succeeded(attempt),
                Outcome::Failed(_) | Outcome::Dropped => external.failed(attempt),
                Outcome::Withdrawn => {}
            }
        }
    }
}
