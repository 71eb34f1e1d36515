//! Tokens for an application that authenticates: the client credentials grant (RFC 6749 section
//! 4.4), and the product's `authenticateApplication`.

use super::{
    access_token::{AccessToken, Granted},
    application::ApplicationRecord,
    authenticate::{Caller, Credentials},
    error::{Kind, Refusal},
    family::{Door, FamilyId, FamilyRecord},
    refresh_token::RefreshToken,
    server::Core,
    store::{Applied, Write},
    turns::Turn,
};
use crate::{
    crypto::random,
    event::{IssuingAction, IssuingEvent},
    revocation::Revocation,
    scope::ScopeSet,
    secret::Secret,
    time::UnixTime,
};

/// What an application asks for.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) credentials: Credentials<'a>,
    pub(super) door: Door,
    pub(super) wanted: Wanted<'a>,
}

/// Less than everything, if it says so.
#[derive(Clone, Copy, Default)]
pub(super) struct Wanted<'a> {
    /// Scope tokens separated by spaces.
    pub(super) scope: Option<&'a str>,
    /// The audience (RFC 8707).
    pub(super) resource: Option<&'a str>,
}

/// What it gets.
pub(super) struct Tokens {
    pub(super) access: AccessToken,
    pub(super) refresh: Option<Refresh>,
}

/// A refresh token as it is handed out.
pub(super) struct Refresh {
    pub(super) token: Secret<String>,
    /// Seconds until it is refused if it is not used.
    pub(super) expires_in: u64,
}

/// How often something may come between before the client is asked to come again.
pub(super) const ATTEMPTS: usize = 16;

/// How many families are ended at once when there are too many: one in the usual case, some when
/// the limit was lowered.
const ENDED_AT_ONCE: usize = 16;

impl Core {
    pub(super) async fn issue(&self, ask: Ask<'_>) -> Result<Tokens, Refusal> {
        let source = ask.credentials.source;
        let mut caller = self.authenticate(ask.credentials).await?;
        let refused = |refusal, caller: &Caller| {
            self.request_refused(refusal, Some(&caller.application.id), source)
        };
        for _ in 0..ATTEMPTS {
            match self.issue_to(&caller, ask).await {
                Ok(Some(tokens)) => return Ok(tokens),
                // The application was changed meanwhile: perhaps it may do less now.
                Ok(None) => caller = self.look_again(caller, ask.credentials).await?,
                Err(refusal) => return Err(refused(refusal, &caller)),
            }
        }
        Err(refused(contended(), &caller))
    }

    async fn issue_to(&self, caller: &Caller, ask: Ask<'_>) -> Result<Option<Tokens>, Refusal> {
        let Caller { application, secret, used, at: now } = caller;
        let now = *now;
        let granted = granted(application, ask)?;
        let mut writes = Vec::new();
        let family = match ask.door == Door::Product || application.oauth_refresh {
            true => Some(self.new_family(application, secret, ask.door, &granted, now)?),
            false => None,
        };
        if let Some(family) = &family {
            writes.push(Write::InsertFamily {
                family: family.clone(),
                application_version: application.version,
            });
        }
        let (room, _turn) = match &family {
            Some(_) => self.room(application, now).await?,
            None => (Vec::new(), None),
        };
        let mut revocations = Vec::new();
        for (revocation, ending) in room {
            revocations.push(revocation);
            writes.extend(ending);
        }
        writes.extend(used.clone());
        self.freshen_keys().await?;
        let access =
            self.mint(application, granted, family.as_ref().map(|family| family.id), now)?;
        if !writes.is_empty() && self.store.apply(writes).await? == Applied::Conflict {
            return Ok(None);
        }
        for revocation in &revocations {
            let mut event = IssuingEvent::new(IssuingAction::FamilyRevoked)
                .of(&application.id)
                .from(ask.credentials.source);
            event.reason = Some("too_many_families");
            event.family = Some(revocation.id().into());
            self.tell(event);
        }
        self.revocations.extend(revocations);
        self.tell_issued(application, &access, family.as_ref(), ask);
        let refresh = family.map(|family| self.hand_out(&family, now));
        Ok(Some(Tokens { access, refresh }))
    }

    fn new_family(
        &self,
        application: &ApplicationRecord,
        secret: &str,
        door: Door,
        granted: &Granted,
        now: UnixTime,
    ) -> Result<FamilyRecord, Refusal> {
        let id = random().map_err(|error| Refusal::unavailable("no_random", error))?;
        Ok(FamilyRecord {
            id: FamilyId::from_bytes(id),
            application: application.id.clone(),
            secret: secret.to_owned(),
            door,
            scopes: granted.scopes.clone(),
            audience: granted.audience.clone(),
            version: 0,
            generation: 0,
            rotated_at: now,
            grace_used: false,
            grace_run: 0,
            opened_at: now,
            expires_at: now.saturating_add(self.settings.absolute),
            revoked_at: None,
        })
    }

    /// The oldest families, ended, where one more would be too many. Whoever ends some in this
    /// process has its turn until they are written, as all would end the same ones. If another
    /// server does, the whole is tried again.
    async fn room(
        &self,
        application: &ApplicationRecord,
        now: UnixTime,
    ) -> Result<(Vec<(Revocation, [Write; 2])>, Option<Turn<'_>>), Refusal> {
        let kept = self.settings.max_families - 1;
        let find = || self.store.live_families(&application.id, now, kept, ENDED_AT_ONCE);
        let mut too_many = find().await?;
        if too_many.is_empty() {
            return Ok((Vec::new(), None));
        }
        let turn = self.turns.take(&application.id).await;
        if turn.has_waited {
            too_many = find().await?;
        }
        let ending = |family| self.ending(family, now);
        Ok((too_many.into_iter().map(ending).collect(), Some(turn)))
    }

    pub(super) fn hand_out(&self, family: &FamilyRecord, now: UnixTime) -> Refresh {
        let token = RefreshToken { family: family.id, generation: family.generation };
        Refresh {
            token: token.write(&self.keys.load().refresh),
            expires_in: self.settings.rules.remaining(family, now).as_secs(),
        }
    }

    fn tell_issued(
        &self,
        application: &ApplicationRecord,
        access: &AccessToken,
        family: Option<&FamilyRecord>,
        ask: Ask<'_>,
    ) {
        let mut event = IssuingEvent::new(IssuingAction::TokenIssued)
            .of(&application.id)
            .from(ask.credentials.source);
        event.reason = Some(ask.door.name());
        event.token_id = Some(access.id.as_str().into());
        event.family = family.map(|family| family.id.to_string().into());
        self.tell(event);
    }
}

pub(super) fn contended() -> Refusal {
    Refusal::unavailable("contended", "others changed the same rows all the time")
}

/// What an application is granted: all that it may have, or what it asks for of that. Asking for
/// more is refused as a whole (RFC 6749 section 3.3).
fn granted(application: &ApplicationRecord, ask: Ask<'_>) -> Result<Granted, Refusal> {
    let scopes = match ask.wanted.scope {
        Some(scope) => narrowed(&application.scopes, scope)?,
        None if application.scopes.is_empty() && ask.door == Door::OAuth => {
            return Err(Refusal::new(Kind::InvalidScope, "no_default_scope"));
        }
        None => application.scopes.clone(),
    };
    let mut audiences = application.audiences.iter();
    let audience = match ask.wanted.resource {
        Some(resource) => audiences.find(|audience| *audience == resource),
        None => audiences.next(),
    };
    let audience =
        audience.cloned().ok_or(Refusal::new(Kind::InvalidTarget, "unknown_resource"))?;
    Ok(Granted { scopes, audience })
}

/// The scopes that are asked for, all of which must be allowed.
pub(super) fn narrowed(allowed: &ScopeSet, scope: &str) -> Result<ScopeSet, Refusal> {
    let scopes =
        ScopeSet::parse(scope).map_err(|_| Refusal::new(Kind::InvalidScope, "malformed_scope"))?;
    if scopes.is_empty() {
        return Err(Refusal::new(Kind::InvalidScope, "malformed_scope"));
    }
    if !allowed.is_superset(&scopes) {
        return Err(Refusal::new(Kind::InvalidScope, "scope_not_allowed"));
    }
    Ok(scopes)
}
