//! A store that counts what it is asked.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tower_bearer::{
    issue::{
        ApplicationRecord, Applied, FamilyId, FamilyRecord, GuessLog, KeyRecord, Notices, Past,
        Pending, Store, Write,
    },
    revocation::{RevocationCursor, RevocationPage},
    time::UnixTime,
};

/// Another store, and how often it was asked.
pub(crate) struct Watched<S> {
    pub(crate) store: S,
    pub(crate) asked: Arc<Asked>,
}

#[derive(Default)]
pub(crate) struct Asked {
    reads: AtomicU64,
    writes: AtomicU64,
    conflicts: AtomicU64,
}

impl Asked {
    /// Reads, writes, and how many of the writes were conflicts.
    pub(crate) fn so_far(&self) -> [u64; 3] {
        [&self.reads, &self.writes, &self.conflicts].map(|count| count.load(Relaxed))
    }
}

impl<S> Watched<S> {
    fn read(&self) -> &S {
        self.asked.reads.fetch_add(1, Relaxed);
        &self.store
    }
}

impl<S: Store> Store for Watched<S> {
    fn apply(&self, writes: Vec<Write>) -> Pending<'_, Applied> {
        self.asked.writes.fetch_add(1, Relaxed);
        Box::pin(async move {
            let applied = self.store.apply(writes).await?;
            if applied == Applied::Conflict {
                self.asked.conflicts.fetch_add(1, Relaxed);
            }
            Ok(applied)
        })
    }

    fn application<'a>(&'a self, id: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        self.read().application(id)
    }

    fn application_named<'a>(&'a self, name: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        self.read().application_named(name)
    }

    fn applications<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> Pending<'a, Vec<ApplicationRecord>> {
        self.read().applications(after, limit)
    }

    fn family(&self, id: FamilyId) -> Pending<'_, Option<FamilyRecord>> {
        self.read().family(id)
    }

    fn families(&self, after: Option<FamilyId>, limit: usize) -> Pending<'_, Vec<FamilyRecord>> {
        self.read().families(after, limit)
    }

    fn live_families<'a>(
        &'a self,
        application: &'a str,
        now: UnixTime,
        skip: usize,
        limit: usize,
    ) -> Pending<'a, Vec<FamilyRecord>> {
        self.read().live_families(application, now, skip, limit)
    }

    fn signing_keys(&self) -> Pending<'_, Vec<KeyRecord>> {
        self.read().signing_keys()
    }

    fn revocations_after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        limit: usize,
    ) -> Pending<'a, RevocationPage> {
        self.read().revocations_after(after, limit)
    }

    fn notices(&self) -> Notices {
        self.store.notices()
    }

    fn guess_log(&self) -> Option<&dyn GuessLog> {
        self.store.guess_log()
    }

    fn purge(&self, past: Past, limit: usize) -> Pending<'_, u64> {
        self.store.purge(past, limit)
    }
}
