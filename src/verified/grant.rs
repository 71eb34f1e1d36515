use std::fmt;

use http::Extensions;

use super::AuthContext;
use crate::{
    claims::{Registered, SessionId},
    error::{AuthError, AuthErrorKind},
    scope::{Requirement, ScopeSet},
    span::Span,
    time::UnixTime,
};

/// Who a verified token speaks for and what it grants.
///
/// All texts come from the issuer, signed, and are still input: escape them where they go into a
/// query, a path or a log line (RFC 8725 section 3.10).
pub struct Grant {
    claims: Registered,
    /// Holds the text that the claims are places of.
    scopes: ScopeSet,
    /// The scopes and all that they imply, if that is more.
    effective: Option<Box<ScopeSet>>,
}

/// The issuer and the subject: what identifies a user (RFC 7519 section 4.1.2). Never key users by
/// the subject alone, as two issuers may use the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Principal<'a> {
    /// `iss`
    pub issuer: &'a str,
    /// `sub`
    pub subject: &'a str,
}

impl Grant {
    /// The claims must be places of the text of the scopes.
    #[inline]
    pub(crate) fn new(claims: Registered, scopes: ScopeSet, effective: Option<ScopeSet>) -> Self {
        Self { claims, scopes, effective: effective.map(Box::new) }
    }

    /// The claims that verification reads.
    #[cfg(feature = "cache")]
    pub(crate) fn claims(&self) -> &Registered {
        &self.claims
    }

    /// What it takes beside itself, in bytes.
    #[cfg(feature = "cache")]
    pub(crate) fn heap_bytes(&self) -> usize {
        let effective = self.effective.as_deref();
        let effective = effective.map_or(0, |set| size_of::<ScopeSet>() + set.heap_bytes());
        self.claims.heap_bytes() + self.scopes.heap_bytes() + effective
    }

    /// The grant of a request, as the `AuthLayer` left it in the extensions.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::LayerMissing`] if no layer ran, a wiring mistake;
    /// [`AuthErrorKind::NoCredentials`] if optional authentication let the request through.
    pub fn of(extensions: &Extensions) -> Result<&Self, AuthError> {
        AuthContext::of(extensions)?.grant().ok_or_else(|| AuthErrorKind::NoCredentials.into())
    }

    /// The issuer (`iss`), one of those that are configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.text(self.claims.issuer).unwrap_or_default()
    }

    /// The subject (`sub`). RFC 9068 tokens always have one.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.text(self.claims.subject)
    }

    /// The client that asked for the token (`client_id`). RFC 9068 tokens always have one.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.text(self.claims.client_id)
    }

    /// The unique id of the token (`jti`). RFC 9068 tokens always have one.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.text(self.claims.token_id)
    }

    /// The session that the token belongs to (`sid`), if it names one: that of a sign-in at an OpenID
    /// provider, or the family of refresh tokens that the token came with.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        match self.claims.session_id {
            SessionId::Text(place) => self.text(Some(place)),
            SessionId::Missing | SessionId::Odd => None,
        }
    }

    /// The issuer and the subject, if there is a subject.
    #[must_use]
    pub fn principal(&self) -> Option<Principal<'_>> {
        self.subject().map(|subject| Principal { issuer: self.issuer(), subject })
    }

    /// Whether the token speaks for a client alone and for no user: `sub` is the `client_id` (RFC
    /// 9068 section 2.2). Such a subject must never be taken for a user.
    #[must_use]
    pub fn is_client(&self) -> bool {
        self.subject().is_some() && self.subject() == self.client_id()
    }

    /// The audiences (`aud`) in the order of the token.
    pub fn audience(&self) -> impl Iterator<Item = &str> {
        self.claims.audience.iter().flat_map(|audience| audience.iter(self.scopes.text()))
    }

    /// When the token expires (`exp`).
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        // Verification demands the claim.
        self.claims.expires_at.unwrap_or_default()
    }

    /// From when the token is valid (`nbf`), if it says so.
    #[must_use]
    pub fn not_before(&self) -> Option<UnixTime> {
        self.claims.not_before
    }

    /// When the token was issued (`iat`), if it says so.
    #[must_use]
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.claims.issued_at
    }

    /// The scopes that the token itself grants.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Whether the scopes, and all that they imply, satisfy a requirement.
    #[must_use]
    pub fn allows(&self, requirement: &Requirement) -> bool {
        requirement.is_met_by(self.effective_scopes())
    }

    /// The same as a `Result`, for handlers that end with `?`.
    ///
    /// # Errors
    ///
    /// [`InsufficientScope`](crate::AuthErrorKind::InsufficientScope) with all scopes that the
    /// requirement needs; as the response of a handler it becomes a 403 with the challenge of the
    /// `AuthLayer` around.
    pub fn require(&self, requirement: &Requirement) -> Result<(), AuthError> {
        if self.allows(requirement) { Ok(()) } else { Err(requirement.refusal()) }
    }

    /// The scopes and all that they imply.
    pub(crate) fn effective_scopes(&self) -> &ScopeSet {
        self.effective.as_deref().unwrap_or(&self.scopes)
    }

    fn text(&self, place: Option<Span>) -> Option<&str> {
        place.map(|place| place.of(self.scopes.text()))
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("issuer", &self.issuer())
            .field("subject", &self.subject())
            .field("client_id", &self.client_id())
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}
