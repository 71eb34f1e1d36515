//! What time demands of a server: its signing keys grow old, and what has expired can be forgotten.

use std::time::Duration;

use super::{
    server::{Core, MAX_ACCESS_LIFETIME, MAX_LEEWAY, Settings, remembered_until},
    server_keys::Ring,
    signing::{self, Change, KeyRecord, SigningRing},
    store::{Applied, Past, Store, StoreError, Write},
};
use crate::{
    crypto::{AeadKey, Algorithm},
    event::{AuthEvent, IssuingAction, IssuingEvent, Sink},
    revocation::{KEPT_BEYOND_END, Revocation},
    time::UnixTime,
};

/// What is to be done beyond what is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    /// The next signing key, published ahead.
    NextKey,
    /// One that signs at once, in the place of all others.
    OtherKeys,
}

/// How long the key document may be kept by whoever fetched it (`max-age`), in seconds.
pub(super) const JWKS_MAX_AGE: Duration = Duration::from_secs(300);

/// How many rows are forgotten at once, so that no write takes long.
const PURGED_AT_ONCE: usize = 1000;
/// How long ended families are kept beyond their absolute end, so that reuse is still told from
/// nonsense.
const FAMILY_MARGIN: Duration = Duration::from_secs(24 * 3600);
/// How long signing keys stay known after they were removed, as somebody may ask which there were.
const KEY_MARGIN: Duration = Duration::from_secs(366 * 24 * 3600);

pub(super) async fn run(core: &Core, wish: Wish) -> Result<(), StoreError> {
    let turn = core.maintaining.lock().await;
    let now = core.now();
    if wish == Wish::OtherKeys {
        core.revocations.revoke(&Revocation::issuer(now, remembered_until(now)));
    }
    let keys = core.keys.load_full();
    let keeping = Keeping {
        settings: &core.settings,
        store: &*core.store,
        sealing: &keys.sealing,
        events: &core.events,
        now,
    };
    keeping.bring_up_to_date(wish).await?;
    // What follows takes its time, and nobody need wait for it.
    drop(turn);
    core.read_keys().await?;

    core.following.lock().await.catch_up(&*core.store, &core.revocations).await?;
    let past = Past {
        families_before: now.saturating_sub(FAMILY_MARGIN),
        revocations_before: now.saturating_sub(KEPT_BEYOND_END),
        keys_before: now.saturating_sub(KEY_MARGIN),
    };
    core.revocations.purge(past.revocations_before);
    while core.store.purge(past, PURGED_AT_ONCE).await? >= PURGED_AT_ONCE as u64 {}
    Ok(())
}

/// Looks after the signing keys of a store.
pub(super) struct Keeping<'a> {
    pub(super) settings: &'a Settings,
    pub(super) store: &'a dyn Store,
    pub(super) sealing: &'a Ring<AeadKey>,
    pub(super) events: &'a Sink,
    pub(super) now: UnixTime,
}

/// How often another server may come first before this one gives up.
const ATTEMPTS: usize = 16;

impl Keeping<'_> {
    /// The signing keys, after all was done that is due.
    pub(super) async fn bring_up_to_date(&self, mut wish: Wish) -> Result<SigningRing, StoreError> {
        for _ in 0..ATTEMPTS {
            let ring = self.open().await?;
            let Some((writes, events)) = self.next(&ring, wish).await? else {
                return Ok(ring);
            };
            if self.store.apply(writes).await? == Applied::Done {
                wish = Wish::Nothing;
                for event in events {
                    self.events.emit(&AuthEvent::Issuing(event));
                }
            }
        }
        Err(StoreError::corrupt("the signing keys change all the time"))
    }

    async fn open(&self) -> Result<SigningRing, StoreError> {
        let records = self.store.signing_keys().await?;
        SigningRing::open(records, self.sealing, self.settings.backend)
    }

    /// What is to be written next, if anything.
    async fn next(&self, ring: &SigningRing, wish: Wish) -> Result<Option<Step>, StoreError> {
        let newest = ring.records().rfind(|key| key.removed_at.is_none());
        let algorithm = self.algorithm(newest);
        if let Some((active_at, reason)) = self.new_key(ring, newest, algorithm, wish) {
            return self.add(ring, wish, algorithm, (active_at, reason)).await.map(Some);
        }
        let due = ring.due(self.sealing, MAX_KEPT, self.now)?;
        if due.is_empty() {
            return Ok(None);
        }
        let event = |(record, change): &(KeyRecord, Change)| {
            about(
                &record.id,
                match change {
                    Change::Retired => IssuingAction::KeyRetired,
                    Change::Removed => IssuingAction::KeyRemoved,
                    Change::Resealed => IssuingAction::KeyResealed,
                },
            )
        };
        let events = due.iter().map(event).collect();
        let writes = due.into_iter().map(|(record, _)| Write::ReplaceKey(record)).collect();
        Ok(Some((writes, events)))
    }

    /// What new keys sign with: as configured, unless a server of the same store chose something
    /// else since this one was opened. So the one that was opened last has its way, and they do not
    /// take turns for ever.
    fn algorithm(&self, newest: Option<&KeyRecord>) -> Algorithm {
        let Settings { algorithm, backend, opened_at, .. } = *self.settings;
        let is_later =
            |key: &&KeyRecord| key.created_at > opened_at && backend.signs(key.algorithm);
        newest.filter(is_later).map_or(algorithm, |key| key.algorithm)
    }

    /// From when on another key is to sign, and why; nothing if none is needed.
    fn new_key(
        &self,
        ring: &SigningRing,
        newest: Option<&KeyRecord>,
        algorithm: Algorithm,
        wish: Wish,
    ) -> Option<(UnixTime, &'static str)> {
        let Settings { rotate_every, publish_ahead, .. } = self.settings;
        let Some(newest) = newest else {
            return Some((self.now, "first"));
        };
        if wish == Wish::OtherKeys {
            return Some((self.now, "compromised"));
        }
        // Verifiers take secrets or public keys of one issuer, never both: there is nothing to
        // publish ahead.
        if newest.algorithm.is_hmac() != algorithm.is_hmac() {
            return Some((self.now, "requested"));
        }
        if !ring.can_sign() {
            // Behind the others even if the clock was set back: the last one is the one that signs.
            let behind = newest.active_at.saturating_add(Duration::from_secs(1));
            return Some((self.now.max(behind), "missing"));
        }
        let ahead = self.now.saturating_add(*publish_ahead);
        if newest.active_at > self.now {
            // One is on its way already.
            return None;
        }
        if wish == Wish::NextKey || newest.algorithm != algorithm {
            return Some((ahead, "requested"));
        }
        let is_due = ahead >= newest.active_at.saturating_add(*rotate_every);
        is_due.then_some((ahead, "scheduled"))
    }

    async fn add(
        &self,
        ring: &SigningRing,
        wish: Wish,
        algorithm: Algorithm,
        (active_at, reason): (UnixTime, &'static str),
    ) -> Result<Step, StoreError> {
        let key = self.generate(algorithm, active_at, reason).await?;
        let last = ring.records().next_back();
        let mut event = about(&key.id, IssuingAction::KeyAdded);
        event.reason = Some(reason);
        let mut events = vec![event];
        let last = last.map(|last| last.id.clone());
        let mut writes = vec![Write::InsertKey { key, last }];
        // One that is published already would sign later; a secret and a public key exclude each
        // other.
        let is_replaced = |record: &&KeyRecord| {
            let other_kind = record.algorithm.is_hmac() != algorithm.is_hmac();
            record.removed_at.is_none() && (wish == Wish::OtherKeys || other_kind)
        };
        for record in ring.records().filter(is_replaced) {
            writes.push(Write::ReplaceKey(signing::removed(record, self.now)));
            events.push(about(&record.id, IssuingAction::KeyRemoved));
        }
        if wish == Wish::OtherKeys {
            let revoked = Revocation::issuer(self.now, remembered_until(self.now));
            writes.push(Write::Revoke(revoked));
            events.push(IssuingEvent::new(IssuingAction::EverythingRevoked));
        }
        Ok((writes, events))
    }

    /// Off the asynchronous threads: an RSA key takes up to seconds.
    async fn generate(
        &self,
        algorithm: Algorithm,
        active_at: UnixTime,
        reason: &'static str,
    ) -> Result<KeyRecord, StoreError> {
        let backend = self.settings.backend;
        let (sealing, now) = (self.sealing.clone(), self.now);
        let made = tokio::task::spawn_blocking(move || {
            signing::generate(algorithm, backend, &sealing, now, active_at, reason)
        });
        let failed = |error| StoreError::new("making a signing key", error);
        made.await.map_err(|error| failed(error.into()))?.map_err(failed)
    }
}

/// Writes, and what is told when they are done.
type Step = (Vec<Write>, Vec<IssuingEvent>);

/// How long a key is kept after it signs no more: until the last token that it signed has expired
/// everywhere, and the key document that names it is fetched anew.
const MAX_KEPT: Duration = Duration::from_secs(
    MAX_ACCESS_LIFETIME.as_secs() + MAX_LEEWAY.as_secs() + JWKS_MAX_AGE.as_secs(),
);

fn about(key: &str, action: IssuingAction) -> IssuingEvent {
    let mut event = IssuingEvent::new(action);
    event.key = Some(key.into());
    event
}
