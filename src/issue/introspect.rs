//! What a token is worth, for resource servers that cannot tell by themselves (RFC 7662).

use super::{
    application::ApplicationRecord, error::Refusal, refresh::common, refresh_token::RefreshToken,
    server::Core, source::Source,
};
use crate::{
    event::{IssuingAction, IssuingEvent},
    verified::Grant,
};

/// What is told of a token that is good, to whoever may know.
#[derive(serde::Serialize)]
pub(super) struct Active {
    active: bool,
    scope: String,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    exp: u64,
    iat: u64,
    sub: String,
    aud: String,
    iss: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

impl Core {
    /// Nothing for every token that is not good, or not for the caller to ask about: the two look
    /// alike (RFC 7662 section 2.2).
    pub(super) async fn introspect(
        &self,
        caller: &ApplicationRecord,
        token: &str,
        source: Source,
    ) -> Result<Option<Active>, Refusal> {
        self.check_caller(&caller.id, source)?;
        let known = match self.verifier.verify_now(token) {
            Ok(grant) => self.access_token(caller, &grant),
            Err(_) => self.refresh_token(caller, token).await.map_err(|refusal| {
                self.refused(refusal, IssuingEvent::new(IssuingAction::Introspected).of(&caller.id))
            })?,
        };
        let mut event = IssuingEvent::new(IssuingAction::Introspected).of(&caller.id).from(source);
        event.reason = Some(if known.is_some() { "active" } else { "inactive" });
        self.tell(event);
        if known.is_none() {
            self.limiter.note_caller_miss(&caller.id, self.now());
        }
        Ok(known)
    }

    /// The owner may ask, and a resource server that the token is for.
    fn access_token(&self, caller: &ApplicationRecord, grant: &Grant) -> Option<Active> {
        let is_owner = grant.client_id() == Some(&caller.id);
        let is_for_caller = caller.introspects
            && grant.audience().any(|one| caller.audiences.iter().any(|own| own == one));
        if !is_owner && !is_for_caller {
            return None;
        }
        let scopes = match is_owner {
            true => grant.scopes().clone(),
            // Nobody learns what the token is worth elsewhere (RFC 7662 section 2.2).
            false => common(grant.scopes(), &caller.scopes),
        };
        Some(Active {
            active: true,
            scope: scopes.to_string(),
            client_id: grant.client_id().unwrap_or_default().to_owned(),
            token_type: Some("Bearer"),
            exp: grant.expires_at().as_secs(),
            iat: grant.issued_at().unwrap_or_default().as_secs(),
            sub: grant.subject().unwrap_or_default().to_owned(),
            aud: grant.audience().next().unwrap_or_default().to_owned(),
            iss: grant.issuer().to_owned(),
            jti: grant.token_id().map(str::to_owned),
        })
    }

    /// Only the owner may ask about a refresh token.
    async fn refresh_token(
        &self,
        caller: &ApplicationRecord,
        token: &str,
    ) -> Result<Option<Active>, Refusal> {
        let Some(token) = RefreshToken::read(&self.keys.load().refresh, token) else {
            return Ok(None);
        };
        let Some(family) = self.store.family(token.family).await? else {
            return Ok(None);
        };
        let now = self.now();
        let remaining = self.settings.rules.remaining(&family, now);
        let is_current = family.generation == token.generation
            && family.revoked_at.is_none()
            && !remaining.is_zero();
        if family.application != caller.id || !is_current {
            return Ok(None);
        }
        Ok(Some(Active {
            active: true,
            scope: family.scopes.to_string(),
            client_id: family.application.clone(),
            token_type: None,
            exp: now.saturating_add(remaining).as_secs(),
            iat: family.rotated_at.as_secs(),
            sub: family.application,
            aud: family.audience,
            iss: self.settings.issuer.to_string(),
            jti: None,
        }))
    }
}
