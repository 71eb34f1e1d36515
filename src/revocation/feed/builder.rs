use std::{sync::Arc, time::Duration};

use tokio::{runtime::Handle, sync::watch};

use super::{Keeper, RevocationFeed, RevocationSource, status::FeedStatus, task::Task};
use crate::{
    error::ConfigError,
    event::{OnEvent, Sink},
    revocation::Revocations,
    time::{Clock, SystemClock},
};

/// What happens to tokens while nobody can say whether they were revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StalePolicy {
    /// They are refused with 503 and `Retry-After`: a revoked token is never accepted for longer than
    /// the bound, and an outage of the feed is one of the service.
    Refuse,
    /// They are accepted unless they are known to be revoked: an outage of the feed is none of the
    /// service, and what was revoked meanwhile is accepted until it expires.
    Accept,
}

/// Describes a [`RevocationFeed`].
#[must_use]
pub struct FeedBuilder {
    source: Arc<dyn RevocationSource>,
    when_stale: StalePolicy,
    stale_after: Duration,
    clock: Arc<dyn Clock>,
    events: Sink,
}

impl FeedBuilder {
    pub(super) fn new(source: impl RevocationSource, when_stale: StalePolicy) -> Self {
        Self {
            source: Arc::new(source),
            when_stale,
            stale_after: Duration::from_secs(60),
            clock: Arc::new(SystemClock),
            events: Sink::default(),
        }
    }

    /// How long nothing may be heard from the source, in whole seconds: 60 s unless said otherwise,
    /// 5 s to 1 h. The source is asked again in a third of that at the latest.
    pub fn stale_after(self, stale_after: Duration) -> Self {
        Self { stale_after, ..self }
    }

    /// The clock, which is that of the verifiers; the system's unless said otherwise.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Where events go; to `tracing` unless said otherwise, if the feature is on.
    pub fn on_event(self, sink: impl OnEvent) -> Self {
        Self { events: Sink::new(sink), ..self }
    }

    /// Starts the feed, on the tokio runtime that this is called in. Waits for nothing:
    /// [`Verifier::ready`](crate::Verifier::ready) does, or [`RevocationFeed::ready`].
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the value that does not do, or that there is no runtime.
    pub fn start(self) -> Result<RevocationFeed, ConfigError> {
        let seconds = ConfigError::whole_seconds("stale_after", self.stale_after)?;
        ConfigError::in_range("stale_after", seconds, 5..=60 * 60)?;
        let runtime = Handle::try_current().map_err(|_| ConfigError::NoRuntime)?;
        let revocations = match self.when_stale {
            StalePolicy::Refuse => Revocations::unknown(),
            StalePolicy::Accept => Revocations::new(),
        };
        let (sender, status) = watch::channel(FeedStatus::default());
        let task = Task {
            source: self.source,
            refuses: self.when_stale == StalePolicy::Refuse,
            stale_after: self.stale_after,
            clock: self.clock,
            events: self.events,
            status: sender,
            list: revocations.downgrade(),
        };
        let task = runtime.spawn(task.run()).abort_handle();
        revocations.keep(Keeper { task, status });
        Ok(RevocationFeed(revocations))
    }
}

impl std::fmt::Debug for FeedBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeedBuilder").field("when_stale", &self.when_stale).finish_non_exhaustive()
    }
}
