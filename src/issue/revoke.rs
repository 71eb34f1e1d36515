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
    error::{AuthError, AuthErrorKind},
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
    /// An access token that is good no more, and the family that it was of.
    Past(Option<FamilyId>),
}

/// Who ended something: the reason in the event.
const BY_HOLDER: &str = "by_holder";
const BY_CLIENT: &str = "by_client";
const BY_ADMINISTRATOR: &str = "by_administrator";

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
        match self.held(token) {
            Some(Held::Refresh(family) | Held::Past(Some(family))) => {
                self.end_family(family, None, source).await
            }
            Some(Held::Access(grant)) => match grant.session_id().and_then(family_id) {
                Some(family) => self.end_family(family, None, source).await,
                None => self.end_token(&grant, BY_HOLDER, source).await,
            },
            Some(Held::Past(None)) => Ok(()),
            None => {
                self.limiter.note_miss(source, self.now());
                Ok(())
            }
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
        self.check_caller(client, source)?;
        match self.held(token) {
            Some(Held::Refresh(family)) => self.end_family(family, Some(client), source).await,
            Some(Held::Access(grant)) if grant.client_id() == Some(client) => {
                self.end_token(&grant, BY_CLIENT, source).await
            }
            Some(Held::Access(_)) => Err(self.not_yours(client, source)),
            Some(Held::Past(_)) => Ok(()),
            None => {
                self.limiter.note_caller_miss(client, self.now());
                Ok(())
            }
        }
    }

    /// Nothing for what this server did not make.
    fn held(&self, token: &str) -> Option<Held> {
        if let Some(token) = RefreshToken::read(&self.keys.load().refresh, token) {
            return Some(Held::Refresh(token.family));
        }
        match self.verifier.verify_now(token) {
            Ok(verified) => Some(Held::Access(verified)),
            Err(error) if is_past(&error) => Some(Held::Past(family_of(token))),
            Err(_) => None,
        }
    }

    /// Whether an application that authenticated has not asked about too many tokens that are none.
    pub(super) fn check_caller(&self, client: &str, source: Source) -> Result<(), Refusal> {
        let admitted = self.limiter.check_caller(client, self.now());
        admitted.map_err(|throttled| self.request_refused(throttled.into(), Some(client), source))
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
        let mut event = IssuingEvent::new(IssuingAction::FamilyRevoked).from(source);
        event.reason = Some(if client.is_some() { BY_CLIENT } else { BY_HOLDER });
        self.end_family_as(id, client, event).await
    }

    /// Tells this event when it is done.
    async fn end_family_as(
        &self,
        id: FamilyId,
        client: Option<&str>,
        mut event: IssuingEvent,
    ) -> Result<(), Refusal> {
        event.family = Some(id.to_string().into());
        for _ in 0..ATTEMPTS {
            let family = self.store.family(id).await;
            let family = family.map_err(|error| self.refused(error.into(), event.clone()))?;
            let Some(family) = family else {
                return Ok(());
            };
            if let Some(client) = client.filter(|client| **client != family.application) {
                let source = event.source.map_or(Source::Unknown, Source::Address);
                return Err(self.not_yours(client, source));
            }
            if family.revoked_at.is_some() {
                return Ok(());
            }
            event.application = Some(family.application.as_str().into());
            let done = self.end(family, self.now()).await;
            if done.map_err(|error| self.refused(error.into(), event.clone()))? == Applied::Done {
                self.tell(event);
                return Ok(());
            }
        }
        Err(self.refused(contended(), event))
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

    async fn end_token(
        &self,
        grant: &Grant,
        reason: &'static str,
        source: Source,
    ) -> Result<(), Refusal> {
        let id = grant.token_id().unwrap_or_default();
        let mut event = IssuingEvent::new(IssuingAction::TokenRevoked).from(source);
        event.reason = Some(reason);
        event.application = grant.client_id().map(Into::into);
        event.family = grant.session_id().map(Into::into);
        let ended = self.revoke_token_as(id, grant.expires_at(), event.clone()).await;
        ended.map_err(|error| self.refused(error.into(), event))
    }

    /// Ends a family for an administrator; one that is unknown or has ended is none to end.
    pub(super) async fn revoke_family(&self, family: &str) -> Result<(), StoreError> {
        let Some(id) = family_id(family) else {
            return Ok(());
        };
        let mut event = IssuingEvent::new(IssuingAction::FamilyRevoked);
        event.reason = Some(BY_ADMINISTRATOR);
        let ended = self.end_family_as(id, None, event).await;
        ended.map_err(|refusal| match refusal.error {
            Some(error) => StoreError::new("ending a family", error),
            None => StoreError::corrupt("a family changes all the time"),
        })
    }

    pub(super) async fn revoke_token(
        &self,
        id: &str,
        expires_at: UnixTime,
    ) -> Result<(), StoreError> {
        let mut event = IssuingEvent::new(IssuingAction::TokenRevoked);
        event.reason = Some(BY_ADMINISTRATOR);
        self.revoke_token_as(id, expires_at, event).await
    }

    async fn revoke_token_as(
        &self,
        id: &str,
        expires_at: UnixTime,
        mut event: IssuingEvent,
    ) -> Result<(), StoreError> {
        let until = expires_at.saturating_add(MAX_LEEWAY);
        self.revoke(Revocation::token(id, until), Vec::new()).await?;
        event.token_id = Some(id.into());
        self.tell(event);
        Ok(())
    }
}

/// Whether nothing is wrong with a token but that its time is over: these are looked at last.
fn is_past(error: &AuthError) -> bool {
    matches!(error.kind(), AuthErrorKind::Expired | AuthErrorKind::Revoked)
}

/// The family of an access token whose signature holds.
fn family_of(token: &str) -> Option<FamilyId> {
    #[derive(serde::Deserialize)]
    struct Claims {
        sid: String,
    }
    let payload = jws::decode_to_vec(token.split('.').nth(1)?)?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    family_id(&claims.sid)
}

/// The family that a claim `sid` names.
pub(super) fn family_id(sid: &str) -> Option<FamilyId> {
    let bytes = jws::decode_to_vec(sid)?.try_into().ok()?;
    Some(FamilyId::from_bytes(bytes))
}
