//! Access tokens (RFC 9068): what is in them, and how they are made.

use std::time::Duration;

use serde::Serialize;

use super::{
    application::ApplicationRecord,
    error::{Kind, Refusal},
    family::FamilyId,
    server::Core,
};
use crate::{
    crypto::random, error::BoxError, jws, scope::ScopeSet, secret::Secret, time::UnixTime,
};

/// A new access token and what is told of it.
pub(super) struct AccessToken {
    pub(super) token: Secret<String>,
    pub(super) id: String,
    /// Seconds.
    pub(super) expires_in: u64,
    pub(super) scopes: ScopeSet,
}

/// What the application is granted.
pub(super) struct Granted {
    pub(super) scopes: ScopeSet,
    pub(super) audience: String,
}

/// The claims of RFC 9068 section 2.2, the granted scopes (section 2.2.3), and the family as `sid`.
/// Nothing else: the client can read the token (section 6).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    client_id: &'a str,
    exp: u64,
    iat: u64,
    jti: &'a str,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
}

impl Core {
    /// Signs an access token for an application. The subject is the application itself, as there is
    /// no user (RFC 9068 section 2.2).
    pub(super) fn mint(
        &self,
        application: &ApplicationRecord,
        granted: Granted,
        family: Option<FamilyId>,
        now: UnixTime,
    ) -> Result<AccessToken, Refusal> {
        self.check_cut_off(&application.id, now)?;
        let no_random = |error| Refusal::unavailable("no_random", error);
        let id = jws::encode(random::<16>().map_err(no_random)?);
        let lifetime = application.access_lifetime.unwrap_or(self.settings.access_lifetime);
        let scope = granted.scopes.to_string();
        let claims = Claims {
            iss: &self.settings.issuer,
            sub: &application.id,
            aud: &granted.audience,
            client_id: &application.id,
            exp: now.saturating_add(lifetime).as_secs(),
            iat: now.as_secs(),
            jti: &id,
            scope: &scope,
            sid: family.map(|family| family.to_string()),
        };
        let unsigned = |error: BoxError| Refusal::unavailable("not_signed", error);
        let payload = serde_json::to_string(&claims).map_err(|error| unsigned(error.into()))?;
        let ring = self.ring.load();
        let signs = ring.active(now).ok_or_else(|| unsigned("there is no signing key".into()))?;
        let token = jws::sign::sign_encoded(&signs.header, &payload, &signs.signer)
            .ok_or_else(|| unsigned("signing failed".into()))?;
        Ok(AccessToken {
            token: Secret::new(token),
            id,
            expires_in: lifetime.as_secs(),
            scopes: granted.scopes,
        })
    }

    /// A token of the second of a cut-off, or before it where the clock was set back, would be
    /// refused for all its life.
    fn check_cut_off(&self, application: &str, now: UnixTime) -> Result<(), Refusal> {
        match self.revocations.cut_off_of(application) {
            Some(cut_off) if now <= cut_off => {
                let wait = cut_off.since(now) + Duration::from_secs(1);
                Err(Refusal::new(Kind::NotYet(wait), "just_revoked"))
            }
            _ => Ok(()),
        }
    }
}
