#[cfg(feature = "revocation-feed")]
mod kept;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwap;

#[cfg(feature = "revocation-feed")]
pub(super) use self::kept::WeakRevocations;
use super::{
    cut_offs::{CutOff, CutOffs},
    entry::{Revocation, RevocationKind},
    ids::{Batch, Ids},
};
use crate::{time::UnixTime, verified::Grant};

/// What is revoked of one issuer, for [`Issuer::revocations`](crate::Issuer::revocations).
///
/// Cheap to clone; clones share the list. See the [module docs](crate::revocation) for an example.
#[derive(Clone, Default)]
pub struct Revocations(Arc<Shared>);

struct Shared {
    /// How many revocations there are: all that a request looks at while there are none.
    len: AtomicUsize,
    tokens: Ids,
    families: Ids,
    cut_offs: ArcSwap<CutOffs>,
    /// Taken to change the list, never to read it.
    writer: Mutex<()>,
    /// Before when the list is current, in seconds since 1970: always if nobody keeps it, never while
    /// nothing is known.
    current_before: AtomicU64,
    #[cfg(feature = "revocation-feed")]
    keeper: std::sync::OnceLock<super::feed::Keeper>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            len: AtomicUsize::default(),
            tokens: Ids::default(),
            families: Ids::default(),
            cut_offs: ArcSwap::default(),
            writer: Mutex::default(),
            current_before: AtomicU64::new(u64::MAX),
            #[cfg(feature = "revocation-feed")]
            keeper: std::sync::OnceLock::new(),
        }
    }
}

impl Revocations {
    /// A list with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Revokes; every request that begins when this has returned is refused.
    ///
    /// Of several revocations of the same thing the later times count.
    pub fn revoke(&self, revocation: &Revocation) {
        self.extend([revocation.clone()]);
    }

    /// Revokes all of these, as at start from a store: many at once are much cheaper than one by one.
    pub fn extend(&self, revocations: impl IntoIterator<Item = Revocation>) {
        let (mut tokens, mut families) = (Batch::default(), Batch::default());
        let mut cut_offs = Vec::new();
        for revocation in revocations {
            let until = revocation.until();
            match revocation.kind() {
                RevocationKind::Token => {
                    self.0.tokens.prepare(&mut tokens, revocation.into_id(), until);
                }
                RevocationKind::Family => {
                    self.0.families.prepare(&mut families, revocation.into_id(), until);
                }
                RevocationKind::Client | RevocationKind::Issuer => cut_offs.push(revocation),
            }
        }
        let writer = self.write();
        self.0.tokens.add(tokens);
        self.0.families.add(families);
        if !cut_offs.is_empty() {
            self.0.add_cut_offs(cut_offs);
        }
        self.0.count(&writer);
    }

    /// Forgets what need not be remembered after its `until`, and says how much that was. At `until`
    /// itself it is still known.
    ///
    /// Call it now and then, such as once in a minute, with the time of the verifiers' clock.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn purge(&self, now: UnixTime) -> usize {
        let writer = self.write();
        let before = self.len();
        self.0.tokens.purge(now);
        self.0.families.purge(now);
        let mut cut_offs = CutOffs::clone(&self.0.cut_offs.load());
        cut_offs.purge(now);
        self.0.cut_offs.store(Arc::new(cut_offs));
        self.0.count(&writer);
        before.saturating_sub(self.len())
    }

    /// How many revocations are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len.load(Ordering::Relaxed)
    }

    /// Whether nothing is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The latest `iat` that is revoked for this client, by its own cut-off or by that of the issuer.
    #[must_use]
    pub fn cut_off_of(&self, client: &str) -> Option<UnixTime> {
        self.0.cut_offs.load().latest(Some(client))
    }

    /// Whether a token that was accepted is revoked by now: for whoever keeps a grant for longer than
    /// one request, such as a stream. A verifier asks by itself.
    ///
    /// The list is that of one issuer, which must be the one of the grant.
    #[must_use]
    #[inline]
    pub fn is_revoked(&self, grant: &Grant) -> bool {
        !self.is_empty() && self.0.contains(grant)
    }

    /// Whether the list is as current as whoever keeps it wants it to be.
    #[inline]
    pub(crate) fn is_current(&self, now: UnixTime) -> bool {
        let before = self.0.current_before.load(Ordering::Acquire);
        now.as_secs() < before || before == u64::MAX
    }

    fn write(&self) -> MutexGuard<'_, ()> {
        self.0.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn contains(&self, grant: &Grant) -> bool {
        grant.token_id().is_some_and(|id| self.tokens.contains(id))
            || grant.session_id().is_some_and(|id| self.families.contains(id))
            || self.is_cut_off(grant)
    }

    /// A token that does not say when it was issued may be from before the cut-off.
    fn is_cut_off(&self, grant: &Grant) -> bool {
        let latest = self.cut_offs.load().latest(grant.client_id());
        latest.is_some_and(|latest| grant.issued_at().is_none_or(|issued| issued <= latest))
    }

    fn add_cut_offs(&self, revocations: Vec<Revocation>) {
        let mut all = CutOffs::clone(&self.cut_offs.load());
        for revocation in revocations {
            let Some(latest) = revocation.cut_off() else {
                continue;
            };
            let cut_off = CutOff { latest, until: revocation.until() };
            match revocation.kind() {
                RevocationKind::Client => all.add_client(revocation.into_id(), cut_off),
                _ => all.add_issuer(cut_off),
            }
        }
        self.cut_offs.store(Arc::new(all));
    }

    /// Counts anew, as the last step of a change, by whoever is changing the list.
    fn count(&self, _writer: &MutexGuard<'_, ()>) {
        let len = self.tokens.len() + self.families.len() + self.cut_offs.load().len();
        self.len.store(len, Ordering::Relaxed);
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations").field("len", &self.len()).finish_non_exhaustive()
    }
}
