use std::{error::Error, sync::Arc, time::Duration};

use tokio::{sync::watch, task::AbortHandle};

use crate::time::UnixTime;

/// How a [`RevocationFeed`](super::RevocationFeed) is doing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FeedStatus {
    /// Whether everything that was revoked became known once.
    pub is_complete: bool,
    /// How many revocations are known.
    pub revocations: usize,
    /// The time up to which everything was known last, by the clock of the feed.
    pub known_until: Option<UnixTime>,
    /// How long the last revocation that came took from the store to the list (`revocation_lag`): its
    /// age by the clock of the store, and the time that it took to put it in.
    pub lag: Option<Duration>,
    /// The longest that any took since everything was known.
    pub max_lag: Option<Duration>,
    /// Whether nothing was heard for too long.
    pub is_stale: bool,
    /// Why the source could not be asked last, if it could not.
    pub last_error: Option<Arc<dyn Error + Send + Sync>>,
}

impl FeedStatus {
    /// How long ago everything was known.
    #[must_use]
    pub fn age(&self, now: UnixTime) -> Option<Duration> {
        self.known_until.map(|known| now.since(known))
    }
}

/// What keeps a list current, for as long as the list is there.
pub(in crate::revocation) struct Keeper {
    pub(super) task: AbortHandle,
    pub(super) status: watch::Receiver<FeedStatus>,
}

impl Keeper {
    pub(super) fn status(&self) -> FeedStatus {
        self.status.borrow().clone()
    }

    pub(super) async fn until(&self, is_reached: impl FnMut(&FeedStatus) -> bool) {
        // It fails if the task ended with its runtime: nothing more will come.
        let reached = self.status.clone().wait_for(is_reached).await.map(drop);
        if reached.is_err() {
            std::future::pending().await
        }
    }

    /// Waits until everything is known, or the first attempt at that has failed.
    pub(in crate::revocation) async fn first(
        &self,
    ) -> Result<(), Option<Arc<dyn Error + Send + Sync>>> {
        let mut status = self.status.clone();
        let decided = status.wait_for(|status| status.is_complete || status.last_error.is_some());
        match decided.await {
            Ok(status) if status.is_complete => Ok(()),
            Ok(status) => Err(status.last_error.clone()),
            Err(_) => Err(None),
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}
