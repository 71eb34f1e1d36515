//! What the issuing side keeps, and the contract of whoever keeps it.

use std::{future::Future, pin::Pin, sync::Arc};

use super::{
    application::ApplicationRecord,
    family::{FamilyId, FamilyRecord},
    guess_log::GuessLog,
    notices::Notices,
    signing::KeyRecord,
};
use crate::{
    error::BoxError,
    revocation::{Revocation, RevocationCursor, RevocationPage},
    time::UnixTime,
};

/// What the methods of a [`Store`] return.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps applications, refresh families, signing keys and revocations.
///
/// `store::Memory` and, with the feature `sqlite`, `store::Sqlite` are ready-made. One of your own
/// is right when it passes the suite `test_util::stores`.
///
/// The contract:
///
/// - [`apply`](Self::apply) does all of its writes or none, in one step that no other write comes
///   between, and what it has done is there for every later read of every user of the store. A
///   durable store has it on disk before it answers: whatever a client was given must survive a
///   power loss.
/// - A read sees the writes of one `apply` all or not at all. It takes no lock that a write waits
///   for.
/// - A future that is dropped has done all of its writes or none.
/// - What is kept holds no usable secret: digests, sealed keys, and texts that clients may know. It
///   is still personal and is not logged.
/// - The records are plain: a store keeps every field of them. A field more is a breaking change,
///   as a store that does not know it would lose it.
/// - A failure is a [`StoreError`]; it is answered with 503 and blamed on nobody's credentials.
///   After an error it is unknown whether the writes were done, and the issuing side assumes
///   neither.
pub trait Store: Send + Sync + 'static {
    /// Does all of these writes, if the condition of each holds, or none.
    ///
    /// The conditions are looked at in the order of the writes, each after the writes before it.
    fn apply(&self, writes: Vec<Write>) -> Pending<'_, Applied>;

    /// The application with this client id. The issuing side asks for no id with control
    /// characters.
    fn application<'a>(&'a self, id: &'a str) -> Pending<'a, Option<ApplicationRecord>>;

    /// The application with this name, compared byte for byte. The issuing side asks for no name
    /// with control characters, so a database that refuses U+0000 will do.
    fn application_named<'a>(&'a self, name: &'a str) -> Pending<'a, Option<ApplicationRecord>>;

    /// At most `limit` applications in the order of the bytes of their ids, those after `after`.
    fn applications<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> Pending<'a, Vec<ApplicationRecord>>;

    /// The family with this id, whether it has ended or not.
    fn family(&self, id: FamilyId) -> Pending<'_, Option<FamilyRecord>>;

    /// At most `limit` families in the order of their ids, ended ones too, those after `after`.
    fn families(&self, after: Option<FamilyId>, limit: usize) -> Pending<'_, Vec<FamilyRecord>>;

    /// The families of an application that are neither revoked nor past their absolute end
    /// (`expires_at` is later than `now`), from the one that was opened last to the first, by id
    /// among those of the same second; without the first `skip`, and at most `limit`.
    fn live_families<'a>(
        &'a self,
        application: &'a str,
        now: UnixTime,
        skip: usize,
        limit: usize,
    ) -> Pending<'a, Vec<FamilyRecord>>;

    /// All signing keys in the order of their activation, by id among those of the same second.
    fn signing_keys(&self) -> Pending<'_, Vec<KeyRecord>>;

    /// At most `limit` of what was revoked, in the order of the store, those after `after`; from the
    /// start if that is a cursor that this store does not know, such as from before a backup was
    /// restored.
    ///
    /// Whoever goes on from page to page misses nothing. Pages that follow each other until there is no
    /// more are a pass; a revocation whose [`apply`](Self::apply) ended before the first page of a pass
    /// is asked for is on a page of it or of an earlier pass, unless it was purged. What is revoked once
    /// more comes again, and some may be given twice.
    fn revocations_after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        limit: usize,
    ) -> Pending<'a, RevocationPage>;

    /// When to look for revocations and signing keys again; by a store that many servers share, those of
    /// all of them.
    fn notices(&self) -> Notices {
        Notices::none()
    }

    /// All revocations whose `until` is not before `now`.
    fn revocations(&self, now: UnixTime) -> Pending<'_, Vec<Revocation>> {
        Box::pin(async move {
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let page = self.revocations_after(cursor.as_ref(), REVOCATIONS_AT_ONCE).await?;
                let revocations = page.entries.into_iter().map(|entry| entry.revocation);
                found.extend(revocations.filter(|revocation| now <= revocation.until()));
                if !page.has_more {
                    return Ok(found);
                }
                cursor = Some(page.next);
            }
        })
    }

    /// Where servers that share this store tell each other of failed guesses; nothing if each counts for
    /// itself.
    fn guess_log(&self) -> Option<&dyn GuessLog> {
        None
    }

    /// Forgets what is past, at most `limit` of each kind; returns how many it were in all.
    fn purge(&self, past: Past, limit: usize) -> Pending<'_, u64>;
}

/// Shared with others, whatever kind of store it is.
impl<S: Store + ?Sized> Store for Arc<S> {
    fn apply(&self, writes: Vec<Write>) -> Pending<'_, Applied> {
        (**self).apply(writes)
    }

    fn application<'a>(&'a self, id: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        (**self).application(id)
    }

    fn application_named<'a>(&'a self, name: &'a str) -> Pending<'a, Option<ApplicationRecord>> {
        (**self).application_named(name)
    }

    fn applications<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> Pending<'a, Vec<ApplicationRecord>> {
        (**self).applications(after, limit)
    }

    fn family(&self, id: FamilyId) -> Pending<'_, Option<FamilyRecord>> {
        (**self).family(id)
    }

    fn families(&self, after: Option<FamilyId>, limit: usize) -> Pending<'_, Vec<FamilyRecord>> {
        (**self).families(after, limit)
    }

    fn live_families<'a>(
        &'a self,
        application: &'a str,
        now: UnixTime,
        skip: usize,
        limit: usize,
    ) -> Pending<'a, Vec<FamilyRecord>> {
        (**self).live_families(application, now, skip, limit)
    }

    fn signing_keys(&self) -> Pending<'_, Vec<KeyRecord>> {
        (**self).signing_keys()
    }

    fn revocations_after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        limit: usize,
    ) -> Pending<'a, RevocationPage> {
        (**self).revocations_after(after, limit)
    }

    fn notices(&self) -> Notices {
        (**self).notices()
    }

    fn guess_log(&self) -> Option<&dyn GuessLog> {
        (**self).guess_log()
    }

    fn purge(&self, past: Past, limit: usize) -> Pending<'_, u64> {
        (**self).purge(past, limit)
    }
}

/// How many revocations are read at a time.
pub(super) const REVOCATIONS_AT_ONCE: usize = 10_000;

/// What a store may forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// Families whose absolute end is before this.
    pub families_before: UnixTime,
    /// Revocations whose `until` is before this.
    pub revocations_before: UnixTime,
    /// Signing keys that were removed before this; but never the last one in the order of
    /// [`signing_keys`](Store::signing_keys), behind which the next is put.
    pub keys_before: UnixTime,
}

/// One change, and the condition under which it is done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Write {
    /// Adds an application, if neither its id nor its name is taken.
    InsertApplication(ApplicationRecord),
    /// Puts the record in the place of the one with the same id, if the version there is one less
    /// than that of the record, and the name is not that of another application. The last use of a
    /// secret that is in both is the later one of the two.
    ReplaceApplication(ApplicationRecord),
    /// Removes an application with its families, if it has this version.
    DeleteApplication {
        /// The client id.
        id: String,
        /// The version that it must have.
        version: u64,
    },
    /// Notes the last use of a secret, unless a later one is noted. Without condition: an
    /// application or a secret that is gone is nothing to note. The version stays.
    SecretUsed {
        /// The client id.
        application: String,
        /// The id of the secret.
        secret: String,
        /// When it was used.
        at: UnixTime,
    },
    /// Adds a family, if its id is free and its application has this version.
    InsertFamily {
        /// The family.
        family: FamilyRecord,
        /// The version that the application must have.
        application_version: u64,
    },
    /// Puts the record in the place of the one with the same id, if the version there is one less
    /// than that of the record.
    ReplaceFamily(FamilyRecord),
    /// Revokes the families of an application that are not revoked yet, and raises their versions
    /// by one. Without condition.
    EndFamilies {
        /// The client id.
        application: String,
        /// Only those that this secret opened.
        secret: Option<String>,
        /// When it happened.
        at: UnixTime,
    },
    /// Adds a signing key, if its id is free and the last one in the order of
    /// [`signing_keys`](Store::signing_keys) is this one; none, if there is none yet.
    InsertKey {
        /// The key.
        key: KeyRecord,
        /// The id of the last key.
        last: Option<String>,
    },
    /// Puts the record in the place of the one with the same id, if there is one, and nothing that was
    /// taken from that comes back: one that was removed stays removed, and one without its private part
    /// (`sealed`) gets none.
    ReplaceKey(KeyRecord),
    /// Remembers a revocation. Without condition; of two of the same kind and id the later cut-off
    /// and the later end stay.
    Revoke(Revocation),
}

impl Write {
    /// Whether there is something new in it for whoever follows a store: a revocation, or a signing key.
    #[must_use]
    pub const fn is_news(&self) -> bool {
        matches!(self, Self::Revoke(_) | Self::InsertKey { .. } | Self::ReplaceKey(_))
    }
}

/// What became of the writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    /// All are done.
    Done,
    /// None is done, as a condition does not hold.
    Conflict,
}

/// The store cannot do what was asked. Says nothing about the credentials in question.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store failed: {what}")]
pub struct StoreError {
    what: &'static str,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// The operation that failed, in a few fixed words, and why.
    pub fn new(what: &'static str, source: impl Into<BoxError>) -> Self {
        Self { what, source: Some(Arc::from(source.into())) }
    }

    /// What is stored is not what can have been stored.
    #[must_use]
    pub const fn corrupt(what: &'static str) -> Self {
        Self { what, source: None }
    }
}
