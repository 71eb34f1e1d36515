//! Revocation by whoever holds a token (RFC 7009).

use super::{
    error::{Kind, Refusal},
    family::{FamilyId, FamilyRecord},
    refresh_token::RefreshToken,
    server::Core,
    source::Source,
    store::{Applied, StoreError, Write},
    tokens::{ATTEMPTS, contended, ended},
};
use crate::{
    event::{IssuingAction, IssuingEvent},
    jws,
    revocation::Revocation,
    time::UnixTime,
};

impl Core {
    /// Ends the family of a token, be it a refresh token or an access token; without a family, the
    /// access token. A token that is unknown, forged or ended already is no error.
    pub(super) async fn revoke_with_family(
        &self,
        token: &str,
        source: Source,
    ) -> Result<(), Refusal> {
        self.check_source(source)?;
        if let Some(token) = RefreshToken::read(&self.keys.load().refresh, token) {
            return self.end_family(token.family, None, source).await;
        }
        let Ok(grant) = self.verifier.verify_now(token) else {
            self.limiter.note_miss(source, self.now());
            return Ok(());
        };
        match grant.session_id().and_then(family_id) {
            Some(family) => self.end_family(family, None, source).await,
            None => self.end_token(grant.token_id(), grant.expires_at(), source).await,
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
        if let Some(token) = RefreshToken::read(&self.keys.load().refresh, token) {
            return self.end_family(token.family, Some(client), source).await;
        }
        let Ok(grant) = self.verifier.verify_now(token) else {
            self.limiter.note_miss(source, self.now());
            return Ok(());
        };
        if grant.client_id() != Some(client) {
            return Err(self.not_yours(client, source));
        }
        self.end_token(grant.token_id(), grant.expires_at(), source).await
    }

    fn check_source(&self, source: Source) -> Result<(), Refusal> {
        self.limiter.check(source, self.now()).map_err(|throttled| {
            let kind = Kind::Throttled(throttled.retry_after);
            let refusal = Refusal::new(kind, throttled.by.code());
            self.refused(refusal, IssuingEvent::new(IssuingAction::Throttled).from(source))
        })
    }

    /// RFC 7009 section 2.1: refused, and the client is told.
    fn not_yours(&self, client: &str, source: Source) -> Refusal {
        let event = IssuingEvent::new(IssuingAction::RequestRefused).of(client).from(source);
        self.refused(Refusal::new(Kind::InvalidGrant, "other_application"), event)
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
        let revocation = self.revocation_of(family.id, now);
        self.revocations.revoke(&revocation);
        let writes = vec![Write::ReplaceFamily(ended(family, now)), Write::Revoke(revocation)];
        let is_done = self.store.apply(writes).await? == Applied::Done;
        if is_done {
            self.tell(event);
        }
        Ok(is_done)
    }

    async fn end_token(
        &self,
        id: Option<&str>,
        expires_at: UnixTime,
        source: Source,
    ) -> Result<(), Refusal> {
        let ended = self.revoke_token(id.unwrap_or_default(), expires_at).await;
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
        let until = expires_at.saturating_add(super::server::MAX_LEEWAY);
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
