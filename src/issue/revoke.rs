//! Revocation by whoever holds a token (RFC 7009).

use super::{
    error::{Kind, Refusal},
    family::{FamilyId, FamilyRecord},
    refresh_token::RefreshToken,
    server::{Core, MAX_LEEWAY, remembered_until},
    source::Source,
    store::{Applied, StoreError, Write},
    tokens::{ATTEMPTS, contended},
};
use crate::{
    event::{IssuingAction, IssuingEvent},
    jws,
    revocation::Revocation,
    time::UnixTime,
    verified::{Grant, Verified},
};

/// What somebody holds that this server made.
enum Held {
    Refresh(FamilyId),
    Access(Verified),
}

impl Core {
    /// Ends the family of a token, be it a refresh token or an access token; without a family, the
    /// access token. A token that is unknown, forged or ended already is no error.
    pub(super) async fn revoke_with_family(
        &self,
        token: &str,
        source: Source,
    ) -> Result<(), Refusal> {
        let admitted = self.limiter.check_by_all(source, self.now()).await;
        admitted.map_err(|throttled| {
            let event = IssuingEvent::new(IssuingAction::Throttled).from(source);
            self.refused(throttled.into(), event)
        })?;
        match self.held(token, source) {
            Some(Held::Refresh(family)) => self.end_family(family, None, source).await,
            Some(Held::Access(grant)) => match grant.session_id().and_then(family_id) {
                Some(family) => self.end_family(family, None, source).await,
                None => self.end_token(&grant, source).await,
            },
            None => Ok(()),
        }
    }

    /// Ends what an application that authenticated holds: a refresh token with its family, or one
    /// access token.
    pub(super) async fn revoke_of(
        &self,
        client: &str,
        token: &str,
        source: Source,
    ) -> Result<(), Refusal> {
        match self.held(token, source) {
            Some(Held::Refresh(family)) => self.end_family(family, Some(client), source).await,
            Some(Held::Access(grant)) if grant.client_id() == Some(client) => {
                self.end_token(&grant, source).await
            }
            Some(Held::Access(_)) => Err(self.not_yours(client, source)),
            None => Ok(()),
        }
    }

    /// Nothing for what this server did not make or accepts no more, which counts as a failure of
    /// the source.
    fn held(&self, token: &str, source: Source) -> Option<Held> {
        if let Some(token) = RefreshToken::read(&self.keys.load().refresh, token) {
            return Some(Held::Refresh(token.family));
        }
        let grant = self.verifier.verify_now(token);
        if grant.is_err() {
            self.limiter.note_miss(source, self.now());
        }
        grant.ok().map(Held::Access)
    }

    /// RFC 7009 section 2.1: refused, and the client is told.
    fn not_yours(&self, client: &str, source: Source) -> Refusal {
        let refusal = Refusal::new(Kind::InvalidGrant, "other_application");
        self.request_refused(refusal, Some(client), source)
    }

    async fn end_family(
        &self,
        id: FamilyId,
        client: Option<&str>,
        source: Source,
    ) -> Result<(), Refusal> {
        let event = IssuingEvent::new(IssuingAction::FamilyRevoked).from(source);
        for _ in 0..ATTEMPTS {
            let family = self.store.family(id).await;
            let family = family.map_err(|error| self.refused(error.into(), event.clone()))?;
            let Some(family) = family else {
                return Ok(());
            };
            if let Some(client) = client.filter(|client| **client != family.application) {
                return Err(self.not_yours(client, source));
            }
            let done = self.try_end(family, self.now()).await;
            if done.map_err(|error| self.refused(error.into(), event.clone()))? {
                return Ok(());
            }
        }
        Err(self.refused(contended(), event))
    }

    /// Whether the family has ended; if not, somebody came between.
    pub(super) async fn try_end(
        &self,
        family: FamilyRecord,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        if family.revoked_at.is_some() {
            return Ok(true);
        }
        let mut event = IssuingEvent::new(IssuingAction::FamilyRevoked).of(&family.application);
        event.family = Some(family.id.to_string().into());
        let is_done = self.end(family, now).await? == Applied::Done;
        if is_done {
            self.tell(event);
        }
        Ok(is_done)
    }

    /// Ends a family, if nobody changed it meanwhile; its access tokens end in this process at once.
    pub(super) async fn end(
        &self,
        family: FamilyRecord,
        now: UnixTime,
    ) -> Result<Applied, StoreError> {
        let (revocation, writes) = self.ending(family, now);
        self.revocations.revoke(&revocation);
        self.store.apply(writes.into()).await
    }

    /// What revokes the access tokens of a family, and the writes that end it with them.
    pub(super) fn ending(&self, family: FamilyRecord, now: UnixTime) -> (Revocation, [Write; 2]) {
        let revocation = Revocation::family(family.id.to_string(), remembered_until(now));
        let version = family.version.saturating_add(1);
        let ended = FamilyRecord { version, revoked_at: Some(now), ..family };
        (revocation.clone(), [Write::ReplaceFamily(ended), Write::Revoke(revocation)])
    }

    async fn end_token(&self, grant: &Grant, source: Source) -> Result<(), Refusal> {
        let id = grant.token_id().unwrap_or_default();
        let ended = self.revoke_token(id, grant.expires_at()).await;
        ended.map_err(|error| {
            let event = IssuingEvent::new(IssuingAction::TokenRevoked).from(source);
            self.refused(error.into(), event)
        })
    }

    pub(super) async fn revoke_token(
        &self,
        id: &str,
        expires_at: UnixTime,
    ) -> Result<(), StoreError> {
        let until = expires_at.saturating_add(MAX_LEEWAY);
        self.revoke(Revocation::token(id, until), Vec::new()).await?;
        let mut event = IssuingEvent::new(IssuingAction::TokenRevoked);
        event.token_id = Some(id.into());
        self.tell(event);
        Ok(())
    }
}

/// The family that a claim `sid` names.
pub(super) fn family_id(sid: &str) -> Option<FamilyId> {
    let bytes = jws::decode_to_vec(sid)?.try_into().ok()?;
    Some(FamilyId::from_bytes(bytes))
}
