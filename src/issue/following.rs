//! What other servers of the same store did: what they revoked, and their signing keys.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::{Instant, timeout};

use super::{
    maintenance::{self, Wish},
    server::Core,
    signing::SigningRing,
    store::{REVOCATIONS_AT_ONCE, Store, StoreError},
};
use crate::{
    event::{IssuingAction, IssuingEvent},
    revocation::{RevocationCursor, Revocations},
    time::UnixTime,
};

/// How often the store is looked at if no notice comes.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often signing keys are read anew.
const READ_KEYS_EVERY: Duration = Duration::from_secs(5);
/// How often everything is done that time demands.
const MAINTAIN_EVERY: Duration = Duration::from_secs(60);
/// Nothing is signed with keys that were read longer ago than this: another one may sign by now, and
/// this one be no longer known. Less than the shortest time for which a key is published ahead.
const KEYS_HOLD_FOR: Duration = Duration::from_secs(120);

/// How far the revocations of a store are known here.
#[derive(Default)]
pub(super) struct Following(Option<RevocationCursor>);

impl Following {
    /// Reads what was revoked since.
    pub(super) async fn catch_up(
        &mut self,
        store: &dyn Store,
        revocations: &Revocations,
    ) -> Result<(), StoreError> {
        loop {
            let page = store.revocations_after(self.0.as_ref(), REVOCATIONS_AT_ONCE).await?;
            revocations.extend(page.entries.into_iter().map(|entry| entry.revocation));
            self.0 = Some(page.next);
            if !page.has_more {
                return Ok(());
            }
        }
    }
}

impl Core {
    /// Does all that time demands and other servers do, for as long as it is polled.
    pub(super) async fn run(&self) -> Infallible {
        let mut notices = self.store.notices();
        let mut last = Instants::default();
        let mut is_failing = false;
        loop {
            let done = self.look(&mut last).await;
            // Of an outage the first failure is told.
            if let (Err(error), false) = (&done, is_failing) {
                let mut event = IssuingEvent::new(IssuingAction::StoreFailed);
                event.error = Some(Arc::new(error.clone()));
                self.tell(event);
            }
            is_failing = done.is_err();
            let _ = timeout(LOOK_EVERY, notices.next()).await;
        }
    }

    async fn look(&self, last: &mut Instants) -> Result<(), StoreError> {
        self.following.lock().await.catch_up(&*self.store, &self.revocations).await?;
        if last.read_keys.is_none_or(|last| last.elapsed() >= READ_KEYS_EVERY) {
            self.read_keys().await?;
            last.read_keys = Some(Instant::now());
        }
        if last.maintained.is_none_or(|last| last.elapsed() >= MAINTAIN_EVERY) {
            maintenance::run(self, Wish::Nothing).await?;
            last.maintained = Some(Instant::now());
        }
        Ok(())
    }

    /// Reads the signing keys anew if they were read too long ago to sign with them, as after this
    /// process stood still.
    pub(super) async fn freshen_keys(&self, now: UnixTime) -> Result<(), StoreError> {
        let read_at = UnixTime::from_secs(self.keys_read_at.load(Ordering::Acquire));
        // A clock that was set back says nothing about how long ago it was.
        if now >= read_at && now.since(read_at) <= KEYS_HOLD_FOR {
            return Ok(());
        }
        self.read_keys().await
    }

    async fn read_keys(&self) -> Result<(), StoreError> {
        let _turn = self.maintaining.lock().await;
        let now = self.now();
        let records = self.store.signing_keys().await?;
        if !self.ring.load().records().eq(&records) {
            let sealing = &self.keys.load().sealing;
            let ring = SigningRing::open(records, sealing, self.settings.backend)?;
            self.put(ring);
        }
        self.keys_read_at.store(now.as_secs(), Ordering::Release);
        Ok(())
    }

    /// Signs with this ring from now on.
    pub(super) fn put(&self, ring: SigningRing) {
        let verifying = ring.verifying();
        self.ring.store(Arc::new(ring));
        self.live.replace(verifying);
    }
}

/// When things were done last.
#[derive(Default)]
struct Instants {
    read_keys: Option<Instant>,
    maintained: Option<Instant>,
}
