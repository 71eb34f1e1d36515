//! What other servers of the same store did: what they revoked, and their signing keys.

use std::{
    convert::Infallible,
    future::pending,
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout};

use super::{
    feed::LOOK_EVERY,
    maintenance::{self, Wish},
    server::Core,
    signing::SigningRing,
    store::{REVOCATIONS_AT_ONCE, Store, StoreError},
};
use crate::{
    event::{IssuingAction, IssuingEvent},
    revocation::{RevocationCursor, RevocationEntry, RevocationKind, Revocations},
    time::UnixTime,
    wait::{First, first},
};

/// How often signing keys are read anew.
const READ_KEYS_EVERY: Duration = Duration::from_secs(1);
/// How soon that is tried again which failed.
const RETRY_EVERY: Duration = Duration::from_secs(5);
/// How often everything is done that time demands.
const MAINTAIN_EVERY: Duration = Duration::from_secs(60);
/// One exchange of guesses stands for all that fail within so long, and there is one every so often even
/// if a notice was missed.
const TOLD_TOGETHER: Duration = Duration::from_millis(100);
const EXCHANGE_EVERY: Duration = Duration::from_secs(1);
/// Nothing is signed with keys that were read longer ago than this: another one may sign by now, and
/// this one be no longer known. Less than the shortest time for which a key is published ahead.
const KEYS_HOLD_FOR: Duration = Duration::from_secs(120);

/// How far the revocations of a store are known here.
#[derive(Default)]
pub(super) struct Following(Option<RevocationCursor>);

impl Following {
    /// Reads what was revoked since; says whether everything up to some time was.
    pub(super) async fn catch_up(
        &mut self,
        store: &dyn Store,
        revocations: &Revocations,
    ) -> Result<bool, StoreError> {
        let mut is_cut_off = false;
        loop {
            let page = store.revocations_after(self.0.as_ref(), REVOCATIONS_AT_ONCE).await?;
            let is_of_all =
                |entry: &RevocationEntry| entry.revocation.kind() == RevocationKind::Issuer;
            is_cut_off |= page.entries.iter().any(is_of_all);
            revocations.extend(page.entries.into_iter().map(|entry| entry.revocation));
            self.0 = Some(page.next);
            if !page.has_more {
                return Ok(is_cut_off);
            }
        }
    }
}

impl Core {
    /// Does all that time demands and other servers do, for as long as it is polled.
    pub(super) async fn run(&self) -> Infallible {
        match first(self.follow(), self.keep_exchanging()).await {
            First::One(never) | First::Other(never) => never,
        }
    }

    /// Tells the other servers of failed guesses, and hears of theirs, if the store has a log for that.
    pub(super) async fn exchange_guesses(&self) -> Result<(), StoreError> {
        match self.store.guess_log() {
            Some(log) => self.limiter.exchange(log, self.now()).await,
            None => Ok(()),
        }
    }

    async fn keep_exchanging(&self) -> Infallible {
        let Some(log) = self.store.guess_log() else {
            return pending().await;
        };
        let mut notices = log.notices();
        let mut is_failing = false;
        loop {
            let done = self.exchange_guesses().await;
            self.tell_failure(&done, "guess_log", &mut is_failing);
            sleep(TOLD_TOGETHER).await;
            let something = first(self.limiter.has_untold(), notices.next());
            let _ = timeout(EXCHANGE_EVERY, something).await;
        }
    }

    /// Of an outage the first failure is told.
    pub(super) fn tell_failure(
        &self,
        done: &Result<(), StoreError>,
        reason: &'static str,
        is_failing: &mut bool,
    ) {
        if let (Err(error), false) = (done, *is_failing) {
            let mut event = IssuingEvent::new(IssuingAction::StoreFailed);
            event.reason = Some(reason);
            event.error = Some(Arc::new(error.clone()));
            self.tell(event);
        }
        *is_failing = done.is_err();
    }

    async fn follow(&self) -> Infallible {
        let mut notices = self.store.notices();
        let mut last = Instants::default();
        let mut is_failing = false;
        loop {
            let done = self.look(&mut last).await;
            self.tell_failure(&done, "background", &mut is_failing);
            let _ = timeout(LOOK_EVERY, notices.next()).await;
        }
    }

    /// What one of these cannot do keeps none of the others from being done.
    async fn look(&self, last: &mut Instants) -> Result<(), StoreError> {
        let mut following = self.following.lock().await;
        let caught_up = following.catch_up(&*self.store, &self.revocations).await;
        drop(following);
        // With a cut-off for all often go keys that sign at once.
        let is_cut_off = matches!(caught_up, Ok(true));
        let mut done = caught_up.map(drop);
        if is_cut_off || last.read_keys.is_none_or(|last| last.elapsed() >= READ_KEYS_EVERY) {
            last.read_keys = Some(Instant::now());
            done = done.and(self.read_keys().await);
        }
        if last.maintained.is_none_or(|last| last.elapsed() >= MAINTAIN_EVERY) {
            let maintained = maintenance::run(self, Wish::Nothing).await;
            // What failed is tried again sooner, and not at every look.
            let sooner = MAINTAIN_EVERY - RETRY_EVERY;
            let at = Instant::now();
            last.maintained = match &maintained {
                Ok(()) => Some(at),
                Err(_) => at.checked_sub(sooner),
            };
            done = done.and(maintained);
        }
        done
    }

    /// Reads the signing keys anew if they were read too long ago to sign with them, as after this
    /// process stood still. One reads for all who ask meanwhile.
    pub(super) async fn freshen_keys(&self) -> Result<(), StoreError> {
        if self.has_fresh_keys() {
            return Ok(());
        }
        let _turn = self.freshening.lock().await;
        if self.has_fresh_keys() {
            return Ok(());
        }
        self.read_keys().await
    }

    fn has_fresh_keys(&self) -> bool {
        let read_at = UnixTime::from_secs(self.keys_read_at.load(Ordering::Acquire));
        // A clock that was set back says nothing about how long ago it was.
        let now = self.now();
        now >= read_at && now.since(read_at) <= KEYS_HOLD_FOR
    }

    /// Signs with the keys of the store from now on. Of two who read, the one that began later has its
    /// way.
    pub(super) async fn read_keys(&self) -> Result<(), StoreError> {
        let number = self.reads.fetch_add(1, Ordering::AcqRel) + 1;
        let now = self.now();
        let records = self.store.signing_keys().await?;
        let is_same = |ring: &SigningRing| ring.records().eq(&records);
        let mut last = self.last_read.lock().unwrap_or_else(PoisonError::into_inner);
        if number < *last {
            return Ok(());
        }
        if !is_same(&self.ring.load()) {
            let sealing = &self.keys.load().sealing;
            let ring = SigningRing::open(records, sealing, self.settings.backend)?;
            let verifying = ring.verifying();
            self.ring.store(Arc::new(ring));
            self.live.replace(verifying);
        }
        *last = number;
        self.keys_read_at.store(now.as_secs(), Ordering::Release);
        Ok(())
    }
}

/// When things were done last.
#[derive(Default)]
struct Instants {
    read_keys: Option<Instant>,
    maintained: Option<Instant>,
}
