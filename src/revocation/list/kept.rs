//! How a [feed](super::super::feed) fills a list.

use std::{
    error::Error,
    sync::{Arc, Weak, atomic::Ordering},
};

use super::{
    super::{
        entry::{Revocation, RevocationKind},
        feed::Keeper,
    },
    Revocations, Shared,
};
use crate::time::UnixTime;

/// A list that others have.
pub(in super::super) struct WeakRevocations(Weak<Shared>);

impl WeakRevocations {
    pub(in super::super) fn upgrade(&self) -> Option<Revocations> {
        self.0.upgrade().map(Revocations)
    }
}

impl Revocations {
    /// A list of which nothing is known yet: no token can be accepted.
    pub(in super::super) fn unknown() -> Self {
        let list = Self::new();
        list.forget_currency();
        list
    }

    pub(in super::super) fn downgrade(&self) -> WeakRevocations {
        WeakRevocations(Arc::downgrade(&self.0))
    }

    pub(in super::super) fn keep(&self, keeper: Keeper) {
        // There is one, as the list was made for it.
        let _ = self.0.keeper.set(keeper);
    }

    pub(in super::super) fn keeper(&self) -> Option<&Keeper> {
        self.0.keeper.get()
    }

    /// After everything that it is about was put in.
    pub(in super::super) fn set_current_before(&self, time: UnixTime) {
        self.0.current_before.store(time.as_secs().min(u64::MAX - 1), Ordering::Release);
    }

    /// No token can be accepted until it is current again.
    pub(in super::super) fn forget_currency(&self) {
        self.0.current_before.store(0, Ordering::Release);
    }

    /// Whether this would be nothing new, whatever its end.
    pub(in super::super) fn knows(&self, revocation: &Revocation) -> bool {
        let id = revocation.id();
        match revocation.kind() {
            RevocationKind::Token => self.0.tokens.contains(id),
            RevocationKind::Family => self.0.families.contains(id),
            RevocationKind::Client => self.cut_off_of(id) >= revocation.cut_off(),
            RevocationKind::Issuer => self.cut_off_of("") >= revocation.cut_off(),
        }
    }

    /// Waits until everything is known, if a feed keeps the list; fails with its first attempt.
    pub(crate) async fn loaded(&self) -> Result<(), Option<Arc<dyn Error + Send + Sync>>> {
        match self.keeper() {
            Some(keeper) => keeper.first().await,
            None => Ok(()),
        }
    }
}
