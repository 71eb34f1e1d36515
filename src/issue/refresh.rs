//! One refresh token for the next (RFC 6749 section 6, RFC 9700 section 4.14).

use super::{
    access_token::{AccessToken, Granted},
    application::ApplicationRecord,
    error::{Kind, Refusal},
    family::{Door, FamilyRecord},
    refresh_token::RefreshToken,
    rotation::{Decision, Ended},
    server::Core,
    source::Source,
    store::{Applied, Write},
    tokens::{ATTEMPTS, Tokens, Wanted, contended, narrowed},
};
use crate::{
    event::{IssuingAction, IssuingEvent},
    scope::{ScopeSet, ScopeToken},
    time::UnixTime,
};

/// A refresh token that is presented.
#[derive(Clone, Copy)]
pub(super) struct RefreshAsk<'a> {
    pub(super) token: &'a str,
    /// Who presents it: an application that authenticated, or nobody at the product's door.
    pub(super) client: Option<&'a str>,
    pub(super) wanted: Wanted<'a>,
    pub(super) source: Source,
}

impl RefreshAsk<'_> {
    const fn door(&self) -> Door {
        match self.client {
            Some(_) => Door::OAuth,
            None => Door::Product,
        }
    }
}

impl Core {
    /// What is refused consumes nothing, except reuse, which ends the family.
    pub(super) async fn refresh(&self, ask: RefreshAsk<'_>) -> Result<Tokens, Refusal> {
        let now = self.now();
        let admitted = self.limiter.check_by_all(ask.source, now).await;
        admitted.map_err(|throttled| self.refresh_refused(throttled.into(), ask, None))?;
        let token = RefreshToken::read(&self.keys.load().refresh, ask.token);
        let Some(token) = token else {
            self.limiter.note_miss(ask.source, now);
            return Err(self.refresh_refused(invalid("forged_token"), ask, None));
        };
        for _ in 0..ATTEMPTS {
            let mut family = None;
            match self.refresh_once(token, ask, now, &mut family).await {
                Ok(Some(tokens)) => return Ok(tokens),
                // Somebody else rotated or ended it: look again.
                Ok(None) => {}
                Err(refusal) => return Err(self.refresh_refused(refusal, ask, family.as_ref())),
            }
        }
        Err(self.refresh_refused(contended(), ask, None))
    }

    fn refresh_refused(
        &self,
        refusal: Refusal,
        ask: RefreshAsk<'_>,
        family: Option<&FamilyRecord>,
    ) -> Refusal {
        let action = match refusal.reason {
            REUSED => IssuingAction::RefreshReused,
            _ => IssuingAction::RefreshRefused,
        };
        let mut event = IssuingEvent::new(action).from(ask.source);
        event.application = family.map(|family| family.application.as_str().into());
        event.unverified_application = ask.client.map(Into::into);
        event.family = family.map(|family| family.id.to_string().into());
        self.refused(refusal, event)
    }

    /// One look at the family and one conditional write; nothing if the condition did not hold.
    async fn refresh_once(
        &self,
        token: RefreshToken,
        ask: RefreshAsk<'_>,
        now: UnixTime,
        seen: &mut Option<FamilyRecord>,
    ) -> Result<Option<Tokens>, Refusal> {
        let family = self.store.family(token.family).await?.ok_or(invalid("unknown_family"))?;
        let family = &*seen.insert(family);
        if family.door != ask.door() {
            return Err(invalid("other_door"));
        }
        if ask.client.is_some_and(|client| client != family.application) {
            return Err(invalid("other_application"));
        }
        let (next, is_grace) = match self.settings.rules.decide(family, token.generation, now) {
            Decision::Rotate(next) => (Some(next), false),
            Decision::Repeat(next) => (next, true),
            Decision::Reused => return self.end_reused(family, now).await,
            Decision::Ended(why) => {
                return Err(invalid(match why {
                    Ended::Revoked => "revoked_family",
                    Ended::Expired => "expired_family",
                    Ended::Idle => "idle_family",
                }));
            }
        };
        let application = self.store.application(&family.application).await?;
        let application = application.ok_or(invalid("unknown_application"))?;
        self.freshen_keys().await?;
        let access = self.next_access(&application, family, ask, now)?;
        if let Some(next) = &next
            && self.store.apply(vec![Write::ReplaceFamily(next.clone())]).await?
                == Applied::Conflict
        {
            return Ok(None);
        }
        // Nothing from here on can fail: the client gets what was committed.
        self.tell_refreshed(family, &access, is_grace, ask);
        let refresh = self.hand_out(next.as_ref().unwrap_or(family), now);
        Ok(Some(Tokens { access, refresh: Some(refresh) }))
    }

    /// Two hold tokens of the family, and which of them is the thief cannot be told: both lose.
    async fn end_reused(
        &self,
        family: &FamilyRecord,
        now: UnixTime,
    ) -> Result<Option<Tokens>, Refusal> {
        match self.end(family.clone(), now).await? {
            Applied::Done => Err(invalid(REUSED)),
            Applied::Conflict => Ok(None),
        }
    }

    /// The access token for what was granted once, as far as the application may still have it, or
    /// less if it asks for less.
    fn next_access(
        &self,
        application: &ApplicationRecord,
        family: &FamilyRecord,
        ask: RefreshAsk<'_>,
        now: UnixTime,
    ) -> Result<AccessToken, Refusal> {
        if !application.enabled {
            return Err(invalid("disabled_application"));
        }
        if family.door == Door::OAuth && !application.oauth_refresh {
            return Err(Refusal::new(Kind::UnauthorizedClient, "no_refresh_tokens"));
        }
        if !application.audiences.contains(&family.audience) {
            return Err(invalid("audience_withdrawn"));
        }
        if ask.wanted.resource.is_some_and(|resource| resource != family.audience) {
            return Err(Refusal::new(Kind::InvalidTarget, "unknown_resource"));
        }
        let wanted = match ask.wanted.scope {
            Some(scope) => narrowed(&family.scopes, scope)?,
            None => family.scopes.clone(),
        };
        let scopes = common(&wanted, &application.scopes);
        if scopes.is_empty() && !wanted.is_empty() {
            return Err(Refusal::new(Kind::InvalidScope, "scope_withdrawn"));
        }
        let granted = Granted { scopes, audience: family.audience.clone() };
        self.mint(application, granted, Some(family.id), now)
    }

    fn tell_refreshed(
        &self,
        family: &FamilyRecord,
        access: &AccessToken,
        is_grace: bool,
        ask: RefreshAsk<'_>,
    ) {
        let action = if is_grace { IssuingAction::GraceUsed } else { IssuingAction::Refreshed };
        let mut event = IssuingEvent::new(action).of(&family.application).from(ask.source);
        event.family = Some(family.id.to_string().into());
        event.token_id = Some(access.id.as_str().into());
        self.tell(event);
    }
}

const REUSED: &str = "reused_token";

/// One answer for all that can be wrong with a refresh token (RFC 6749 section 5.2).
const fn invalid(reason: &'static str) -> Refusal {
    Refusal::new(Kind::InvalidGrant, reason)
}

/// What is in both.
pub(super) fn common(one: &ScopeSet, other: &ScopeSet) -> ScopeSet {
    let both = one.iter().filter(|scope| other.contains(scope));
    both.filter_map(|scope| ScopeToken::new(scope).ok()).collect()
}
