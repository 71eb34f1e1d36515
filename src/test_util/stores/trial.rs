use std::{fmt::Debug, future::Future, ops::Deref, pin::Pin, sync::Arc};

use crate::{
    issue::{
        ApplicationRecord, Applied, FamilyId, FamilyRecord, Pending, Store, StoreError, Write,
    },
    revocation::Revocation,
    time::UnixTime,
};

/// Gives stores with nothing in them.
pub(super) type Open<'a> = &'a dyn Fn() -> Opening<'a>;
pub(super) type Opening<'a> = Pin<Box<dyn Future<Output = Trial> + 'a>>;

/// A store under trial. Clones share it.
#[derive(Clone)]
pub(super) struct Trial(pub(super) Arc<dyn Store>);

impl Trial {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    /// These writes must be done. `line` is the line of the contract that is at stake.
    pub(super) async fn done(&self, line: &str, writes: impl IntoIterator<Item = Write>) {
        let applied = self.applied(writes).await;
        assert_eq!(applied, Applied::Done, "broken: {line}");
    }

    /// One of these writes must be refused, and all with it.
    pub(super) async fn conflict(&self, line: &str, writes: impl IntoIterator<Item = Write>) {
        let before = Snapshot::of(self).await;
        let applied = self.applied(writes).await;
        assert_eq!(applied, Applied::Conflict, "broken: {line}");
        let unchanged = before == Snapshot::of(self).await;
        assert!(unchanged, "broken: a conflict leaves everything as it was ({line})");
    }

    pub(super) async fn applied(&self, writes: impl IntoIterator<Item = Write>) -> Applied {
        answer(self.0.apply(writes.into_iter().collect())).await
    }

    /// The application with this id, which must be there.
    pub(super) async fn get(&self, id: &str) -> ApplicationRecord {
        let found = answer(self.0.application(id)).await;
        found
            .unwrap_or_else(|| panic!("broken: the application {id:?} was stored and is not found"))
    }

    /// The family with this id, which must be there.
    pub(super) async fn get_family(&self, id: FamilyId) -> FamilyRecord {
        let found = answer(self.0.family(id)).await;
        found.unwrap_or_else(|| panic!("broken: the family {id} was stored and is not found"))
    }

    /// The revocations that must be remembered, by kind and id.
    pub(super) async fn revoked(&self, now: UnixTime) -> Vec<Revocation> {
        let mut revocations = answer(self.0.revocations(now)).await;
        revocations.sort_by_key(|entry| (entry.kind().name(), entry.id().to_owned()));
        revocations
    }
}

impl Deref for Trial {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

/// What a store answers, which must not fail here.
pub(super) async fn answer<T>(pending: Pending<'_, T>) -> T {
    let failed = |error: StoreError| panic!("the store failed where it must not: {error:?}");
    pending.await.unwrap_or_else(failed)
}

/// Both must be equal. `line` is the line of the contract that is at stake.
pub(super) fn same<T: PartialEq + Debug>(line: &str, found: T, expected: T) {
    assert_eq!(found, expected, "broken: {line}");
}

/// What can be read without knowing any id but those of applications.
#[derive(PartialEq)]
pub(super) struct Snapshot {
    applications: Vec<ApplicationRecord>,
    families: Vec<Vec<FamilyRecord>>,
    keys: Vec<crate::issue::KeyRecord>,
    revocations: Vec<Revocation>,
}

impl Snapshot {
    pub(super) async fn of(trial: &Trial) -> Self {
        let start = UnixTime::from_secs(0);
        let applications = answer(trial.applications(None, usize::MAX)).await;
        let mut families = Vec::new();
        for application in &applications {
            let live = trial.live_families(&application.id, start, 0, usize::MAX);
            families.push(answer(live).await);
        }
        let (keys, revocations) = (answer(trial.signing_keys()).await, trial.revoked(start).await);
        Self { applications, families, keys, revocations }
    }
}
