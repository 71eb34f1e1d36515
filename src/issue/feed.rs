//! What was revoked, for whoever asks the store for it with patience.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::store::{REVOCATIONS_AT_ONCE, Store, StoreError};
use crate::revocation::{
    RevocationCursor, RevocationPage,
    feed::{AskedForPage, RevocationSource},
};

/// The revocations of a store, for a [`RevocationFeed`](crate::revocation::RevocationFeed) of a service
/// that may read the store itself.
///
/// It waits for [notices](Store::notices), and looks twice a second whether one was missed.
#[derive(Clone)]
pub struct StoreSource(Arc<dyn Store>);

impl StoreSource {
    /// The revocations of this store.
    pub fn new(store: impl Store) -> Self {
        Self(Arc::new(store))
    }
}

impl RevocationSource for StoreSource {
    fn after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        wait: Duration,
    ) -> AskedForPage<'a> {
        Box::pin(async move {
            let page = awaited(&*self.0, after, REVOCATIONS_AT_ONCE, wait).await;
            page.map_err(Into::into)
        })
    }
}

impl std::fmt::Debug for StoreSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreSource").finish_non_exhaustive()
    }
}

/// How often the store is looked at without a notice.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The page after this place. If there is nothing on it, waits for something, at most so long.
pub(super) async fn awaited(
    store: &dyn Store,
    after: Option<&RevocationCursor>,
    limit: usize,
    wait: Duration,
) -> Result<RevocationPage, StoreError> {
    let end = Instant::now() + wait;
    // Before the first look, so that no notice is missed.
    let mut notices = store.notices();
    let mut has_waited = false;
    loop {
        let page = store.revocations_after(after, limit).await?;
        // What is given once more, because a transaction is under way, is not worth an answer at once:
        // it would be given again and again.
        let is_news = after != Some(&page.next) || has_waited;
        let is_over = Instant::now() >= end;
        if page.has_more || (!page.entries.is_empty() && is_news) || after.is_none() || is_over {
            return Ok(page);
        }
        let next_look = end.min(Instant::now() + LOOK_EVERY);
        let _ = timeout_at(next_look, notices.next()).await;
        has_waited = true;
    }
}
