mod guesses;
mod revoked;
mod tables;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use self::{guesses::Guesses, tables::Tables};
use crate::{
    issue::{
        ApplicationRecord, Applied, FamilyId, FamilyRecord, GuessLog, KeyRecord, Notices, Notifier,
        Past, Pending, Store, Write,
    },
    revocation::{RevocationCursor, RevocationPage},
    time::UnixTime,
};

/// A store in memory, which ends with the process. Clones share everything.
///
/// It keeps the contract but for what a power loss leaves. A service that uses it loses its
/// applications when it stops, and several processes do not share it.
#[derive(Clone, Default)]
pub struct Memory(Arc<Shared>);

#[derive(Default)]
struct Shared {
    tables: Mutex<Tables>,
    notifier: Notifier,
    guesses: Guesses,
}

impl Memory {
    /// A store without anything in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing is awaited under this lock, and nothing panics under it.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn apply(&self, writes: Vec<Write>) -> Pending<'_, Applied> {
        Box::pin(async move {
            let is_news = writes.iter().any(Write::is_news);
            let applied = self.tables().apply(writes);
            if is_news {
                self.0.notifier.notify();
            }
            Ok(applied)
        })
    }

    fn application<'a>(&'a self, id: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        Box::pin(async move { Ok(self.tables().application(id).cloned()) })
    }

    fn application_named<'a>(&'a self, name: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        Box::pin(async move { Ok(self.tables().application_named(name).cloned()) })
    }

    fn applications<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> Pending<'a, Vec<ApplicationRecord>> {
        Box::pin(async move { Ok(self.tables().applications(after, limit)) })
    }

    fn family(&self, id: FamilyId) -> Pending<'_, Option<FamilyRecord>> {
        Box::pin(async move { Ok(self.tables().family(id).cloned()) })
    }

    fn families(&self, after: Option<FamilyId>, limit: usize) -> Pending<'_, Vec<FamilyRecord>> {
        Box::pin(async move { Ok(self.tables().families(after, limit)) })
    }

    fn live_families<'a>(
        &'a self,
        application: &'a str,
        now: UnixTime,
        skip: usize,
        limit: usize,
    ) -> Pending<'a, Vec<FamilyRecord>> {
        Box::pin(async move { Ok(self.tables().live_families(application, now, skip, limit)) })
    }

    fn signing_keys(&self) -> Pending<'_, Vec<KeyRecord>> {
        Box::pin(async move { Ok(self.tables().signing_keys()) })
    }

    fn revocations_after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        limit: usize,
    ) -> Pending<'a, RevocationPage> {
        Box::pin(async move { Ok(self.tables().revocations_after(after, limit)) })
    }

    fn notices(&self) -> Notices {
        self.0.notifier.notices()
    }

    fn guess_log(&self) -> Option<&dyn GuessLog> {
        Some(&self.0.guesses)
    }

    fn purge(&self, past: Past, limit: usize) -> Pending<'_, u64> {
        Box::pin(async move { Ok(self.tables().purge(past, limit)) })
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}
