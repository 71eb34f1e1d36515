//! What was revoked, for whoever asks the store for it with patience.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

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
pub struct StoreSource {
    store: Arc<dyn Store>,
    pages: Arc<Pages>,
}

impl StoreSource {
    /// The revocations of this store.
    pub fn new(store: impl Store) -> Self {
        Self { store: Arc::new(store), pages: Arc::default() }
    }
}

impl RevocationSource for StoreSource {
    fn after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        wait: Duration,
    ) -> AskedForPage<'a> {
        Box::pin(async move {
            let page = self.pages.awaited(&*self.store, after, REVOCATIONS_AT_ONCE, wait).await;
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

/// The pages of a store for many who wait for them: mostly for the same one, which is read once for all.
#[derive(Default)]
pub(super) struct Pages(Mutex<HashMap<Option<RevocationCursor>, Weak<Place>>>);

/// What was read last after a place, by those who are waiting there.
type Place = tokio::sync::Mutex<Option<Read>>;

struct Read {
    begun: Instant,
    page: Result<RevocationPage, StoreError>,
}

impl Pages {
    /// The page after this place, always with the same limit. If there is nothing on it, waits for
    /// something, at most so long.
    pub(super) async fn awaited(
        &self,
        store: &dyn Store,
        after: Option<&RevocationCursor>,
        limit: usize,
        wait: Duration,
    ) -> Result<RevocationPage, StoreError> {
        let place = self.place(after);
        let end = Instant::now() + wait;
        // Before the first look, so that no notice is missed.
        let mut notices = store.notices();
        let mut has_waited = false;
        loop {
            let page = read_for_all(&place, || store.revocations_after(after, limit)).await?;
            // What is given once more, because a transaction is under way, is not worth an answer at
            // once: it would be given again and again.
            let is_news = after != Some(&page.next) || has_waited;
            let is_over = Instant::now() >= end;
            if page.has_more || (!page.entries.is_empty() && is_news) || after.is_none() || is_over
            {
                return Ok(page);
            }
            let next_look = end.min(Instant::now() + LOOK_EVERY);
            let _ = timeout_at(next_look, notices.next()).await;
            has_waited = true;
        }
    }

    fn place(&self, after: Option<&RevocationCursor>) -> Arc<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = places.get(&after.cloned()).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            places.retain(|_, place| place.strong_count() > 0);
            let place = Arc::new(Place::default());
            places.insert(after.cloned(), Arc::downgrade(&place));
            place
        })
    }
}

/// What is read now, or has been read by somebody else since this was asked for: it holds all that was
/// there then. An outage is shared as well.
async fn read_for_all<F>(
    place: &Arc<Place>,
    read: impl FnOnce() -> F,
) -> Result<RevocationPage, StoreError>
where
    F: Future<Output = Result<RevocationPage, StoreError>>,
{
    let asked = Instant::now();
    let mut last = place.lock().await;
    if let Some(last) = last.as_ref().filter(|last| last.begun > asked) {
        return last.page.clone();
    }
    // Whoever comes while it is read has asked too late for it.
    let is_alone = Arc::strong_count(place) == 1;
    let begun = Instant::now();
    let page = read().await;
    *last = (!is_alone).then(|| Read { begun, page: page.clone() });
    page
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::{JoinSet, yield_now};

    use super::*;

    #[tokio::test]
    async fn many_who_ask_together_have_one_or_two_reads_and_the_next_has_its_own() {
        let (place, reads) = (Arc::new(Place::default()), Arc::new(AtomicUsize::new(0)));
        let read = |place: Arc<Place>, reads: Arc<AtomicUsize>| async move {
            let read = || async {
                let number = reads.fetch_add(1, Ordering::SeqCst);
                // While it is under way, the others ask.
                yield_now().await;
                match number {
                    0 => Err(StoreError::corrupt("as in an outage")),
                    _ => Ok(RevocationPage {
                        entries: Vec::new(),
                        next: RevocationCursor::of(format_args!("{number}")),
                        has_more: false,
                    }),
                }
            };
            read_for_all(&place, read).await.map(|page| page.next)
        };
        let mut asking = JoinSet::new();
        for _ in 0..50 {
            asking.spawn(read(Arc::clone(&place), Arc::clone(&reads)));
        }
        let pages = asking.join_all().await;
        assert_eq!(reads.load(Ordering::SeqCst), 2);
        assert_eq!(pages.iter().filter(|page| page.is_ok()).count(), 49);
        // Whoever asks later may not be told what was known before.
        let next = read(Arc::clone(&place), reads).await.unwrap();
        assert_eq!(next, RevocationCursor::of(format_args!("2")));
    }

    #[tokio::test]
    async fn a_place_is_kept_as_long_as_somebody_waits_there() {
        let pages = Pages::default();
        let (start, one) = (pages.place(None), RevocationCursor::new("1"));
        assert!(Arc::ptr_eq(&start, &pages.place(None)));
        assert!(!Arc::ptr_eq(&start, &pages.place(one.as_ref())));
        drop(pages.place(RevocationCursor::new("2").as_ref()));
        assert_eq!(pages.0.lock().unwrap().len(), 2);
        drop(start);
        drop(pages.place(one.as_ref()));
        assert_eq!(pages.0.lock().unwrap().len(), 1);
    }
}
