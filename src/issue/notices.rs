use std::{fmt, future::pending};

use tokio::sync::watch;

/// Says when a store may hold something new: a revocation, a signing key, or guesses.
///
/// A notice may be missed, and one may stand for many, so whoever waits looks again after a while all the
/// same.
#[derive(Clone)]
pub struct Notices(Option<watch::Receiver<()>>);

impl Notices {
    /// Of a store that does not say it.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Waits for the next notice, or for one that came since the last; for ever if there is none any
    /// more.
    pub async fn next(&mut self) {
        if let Some(receiver) = &mut self.0
            && receiver.changed().await.is_ok()
        {
            return;
        }
        pending().await
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notices").finish_non_exhaustive()
    }
}

/// Gives notices; for stores.
#[derive(Debug, Default)]
pub struct Notifier(watch::Sender<()>);

impl Notifier {
    /// Wakes all who wait.
    pub fn notify(&self) {
        self.0.send_replace(());
    }

    /// The notices that are given from now on.
    #[must_use]
    pub fn notices(&self) -> Notices {
        Notices(Some(self.0.subscribe()))
    }
}
