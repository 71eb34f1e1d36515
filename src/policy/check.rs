use super::{Audiences, Policy, TokenType};
use crate::{
    claims::{Registered, SessionId},
    error::{AuthError, AuthErrorKind},
    jws::MediaType,
    time::UnixTime,
};

/// Checks what a token says against the policy of its issuer, after the signature: all but
/// [time](check_time), which comes last, so that "expired" means that nothing else is wrong.
#[inline]
pub(crate) fn check(
    policy: &Policy,
    media_type: MediaType,
    claims: &Registered,
    text: &str,
    key_issuer: Option<&str>,
) -> Result<(), AuthError> {
    check_kind(policy, media_type, claims, text)?;
    check_issuer(policy, claims, text, key_issuer)?;
    check_audience(policy, claims, text)?;
    check_required(policy, claims, text)?;
    // A bound token is worth nothing without its proof, which is not checked here (RFC 7800).
    if claims.confirmation {
        return Err(AuthErrorKind::UnsupportedConfirmation.into());
    }
    Ok(())
}

/// Whether tokens of this type come into question at all.
pub(crate) fn takes_type(policy: &Policy, media_type: MediaType) -> bool {
    match policy.token_type {
        TokenType::AtJwt => media_type == MediaType::AtJwt,
        TokenType::AnyJwt => media_type != MediaType::Other,
    }
}

/// Kinds of JWT exclude each other (RFC 8725 sections 3.11 and 3.12, RFC 9068 section 4).
fn check_kind(
    policy: &Policy,
    media_type: MediaType,
    claims: &Registered,
    text: &str,
) -> Result<(), AuthError> {
    let id_token = claims.id_token.filter(|_| !policy.id_tokens);
    match (policy.token_type, claims.foreign.or(id_token)) {
        (TokenType::AnyJwt, Some(claim)) => {
            Err(AuthError::of_claim(AuthErrorKind::WrongTokenType, claim.of(text)))
        }
        _ if takes_type(policy, media_type) => Ok(()),
        _ => Err(AuthErrorKind::WrongTokenType.into()),
    }
}

/// Where tenants share their keys, a key that says whose tokens it is for signs for no other.
fn check_issuer(
    policy: &Policy,
    claims: &Registered,
    text: &str,
    key_issuer: Option<&str>,
) -> Result<(), AuthError> {
    let issuer = claims.issuer.ok_or_else(|| missing("iss"))?.of(text);
    if !policy.is_of(issuer) {
        return Err(AuthErrorKind::UnknownIssuer.into());
    }
    let is_shared = policy.tenants.is_some();
    match key_issuer {
        Some(own) if is_shared && own != issuer && own != &*policy.issuer => {
            Err(AuthErrorKind::UnknownKey.into())
        }
        _ => Ok(()),
    }
}

/// One of the token's audiences must be one of ours (RFC 7519 section 4.1.3).
fn check_audience(policy: &Policy, claims: &Registered, text: &str) -> Result<(), AuthError> {
    let is_ours = match &policy.audiences {
        Audiences::Any => true,
        Audiences::Named(ours) => {
            let audience = claims.audience.as_ref().ok_or_else(|| missing("aud"))?;
            audience.iter(text).any(|theirs| ours.iter().any(|ours| **ours == *theirs))
        }
        Audiences::Clients(ours) => {
            if claims.token_use.is_none_or(|usage| usage.of(text) != "access") {
                return Err(AuthError::of_claim(AuthErrorKind::WrongTokenType, "token_use"));
            }
            let client = claims.client_id.ok_or_else(|| missing("client_id"))?.of(text);
            ours.iter().any(|ours| **ours == *client)
        }
    };
    if is_ours { Ok(()) } else { Err(AuthErrorKind::WrongAudience.into()) }
}

/// The claims that the type of token must have (RFC 9068 section 2.2), none of them empty.
fn check_required(policy: &Policy, claims: &Registered, text: &str) -> Result<(), AuthError> {
    let required =
        [("sub", claims.subject), ("client_id", claims.client_id), ("jti", claims.token_id)];
    let strict = policy.token_type == TokenType::AtJwt;
    for (name, place) in required {
        match place {
            None if strict => return Err(missing(name)),
            // An empty one tells nobody apart, required or not.
            Some(place) if place.of(text).is_empty() => {
                return Err(AuthError::of_claim(AuthErrorKind::MalformedClaim, name));
            }
            _ => {}
        }
    }
    if policy.revocable && matches!(claims.session_id, SessionId::Odd) {
        return Err(AuthError::of_claim(AuthErrorKind::MalformedClaim, "sid"));
    }
    if claims.issued_at.is_none() && (strict || policy.max_lifetime.is_some()) {
        return Err(missing("iat"));
    }
    if claims.expires_at.is_none() {
        return Err(missing("exp"));
    }
    Ok(())
}

/// Checks the times of a token (RFC 7519 sections 4.1.4 to 4.1.6).
#[inline]
pub(crate) fn check_time(
    policy: &Policy,
    claims: &Registered,
    now: UnixTime,
) -> Result<(), AuthError> {
    let (leeway, latest) = (policy.leeway, now.saturating_add(policy.leeway));
    if claims.not_before.is_some_and(|not_before| not_before > latest) {
        return Err(AuthErrorKind::NotYetValid.into());
    }
    if claims.issued_at.is_some_and(|issued_at| issued_at > latest) {
        return Err(AuthErrorKind::IssuedInFuture.into());
    }
    let Some(expires_at) = claims.expires_at else {
        return Err(missing("exp"));
    };
    if let (Some(max), Some(issued_at)) = (policy.max_lifetime, claims.issued_at)
        && expires_at.since(issued_at) > max
    {
        return Err(AuthErrorKind::LifetimeTooLong.into());
    }
    // The second of `exp` itself is too late (RFC 7519 section 4.1.4: "on or after").
    if now >= expires_at.saturating_add(leeway) {
        return Err(AuthErrorKind::Expired.into());
    }
    Ok(())
}

fn missing(claim: &str) -> AuthError {
    AuthError::of_claim(AuthErrorKind::MissingClaim, claim)
}
