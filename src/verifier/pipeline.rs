//! What happens to a token, from top to bottom.

use serde::de::DeserializeOwned;

use super::{Shared, issuers::Trusted};
use crate::{
    claims::{self, Noted},
    error::{AuthError, AuthErrorKind, Signed},
    jws::{self, Header, MediaType, Scratch, UntrustedToken},
    policy,
    scope::ScopeSet,
    verified::{Grant, Verified},
};

/// Bytes of a payload that are decoded on the stack.
const USUAL_PAYLOAD: usize = 1024;

/// Verifies a token. No claim is believed before the signature holds: until then the issuer only
/// selects among those that are configured.
pub(super) fn verify<C>(shared: &Shared, token: &[u8]) -> Result<Verified<C>, AuthError>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    if token.len() > shared.max_token_len {
        return Err(AuthErrorKind::TokenTooLong.into());
    }
    let token = UntrustedToken::split(token).ok_or(AuthErrorKind::Malformed)?;

    let known = shared.headers.load();
    let known = known.get(token.header());
    let fresh;
    let header = match known {
        Some(known) => known,
        None => {
            fresh = parse_header(token)?;
            &fresh
        }
    };

    let mut scratch = Scratch::<USUAL_PAYLOAD>::new();
    let payload = decode_payload(token, &mut scratch)?;
    let trusted = select_issuer(shared, payload)?;
    let of_issuer = |error: AuthError, signed| error.of_issuer(&trusted.policy.issuer, signed);
    check_signature(trusted, token, header, payload)
        .map_err(|error| of_issuer(error, Signed::No))?;
    if known.is_none() {
        shared.headers.remember(token.header(), header.clone());
    }
    accept(shared, trusted, header.media_type, payload)
        .map_err(|error| of_issuer(error, Signed::Yes))
}

/// Whether the issuer signed the token, with an algorithm and a key of its own.
fn check_signature(
    trusted: &Trusted,
    token: UntrustedToken<'_>,
    header: &Header,
    payload: &str,
) -> Result<(), AuthError> {
    if !trusted.policy.algorithms.contains(header.algorithm) {
        return Err(AuthErrorKind::AlgorithmNotAllowed.into());
    }
    let keys = trusted.keys.load();
    let Some(keys) = &*keys else {
        return Err(undecided(trusted, payload));
    };
    let key = keys.select(header.key_id.as_deref(), header.algorithm)?;
    Ok(jws::verify(token, header.algorithm, key)?)
}

/// What comes after the signature: the claims, the policy, and the proof that both were checked.
fn accept<C>(
    shared: &Shared,
    trusted: &Trusted,
    media_type: MediaType,
    payload: &str,
) -> Result<Verified<C>, AuthError>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let policy = &trusted.policy;
    let mut noted = Noted::new();
    let (text, custom) = claims::read(payload, &policy.scope_claims, &mut noted)?;
    let Noted { registered, scopes } = noted;
    policy::check(policy, media_type, &registered, &text)?;
    // Told to the operator only of tokens that are for this service.
    let custom = custom?;
    policy::check_time(policy, &registered, shared.clock.now())?;

    let scopes = ScopeSet::from_parts(text.into(), scopes);
    let effective = policy.implied.expand(&scopes);
    Ok(Verified::new(Grant::new(registered, scopes, effective), custom))
}

fn parse_header(token: UntrustedToken<'_>) -> Result<Header, AuthErrorKind> {
    let json = jws::decode_to_vec(token.header()).ok_or(AuthErrorKind::Malformed)?;
    Header::parse(&json)
}

/// The claims as text.
fn decode_payload<'s, const N: usize>(
    token: UntrustedToken<'_>,
    scratch: &'s mut Scratch<N>,
) -> Result<&'s str, AuthErrorKind> {
    let payload = jws::decode(token.payload(), scratch).ok_or(AuthErrorKind::Malformed)?;
    std::str::from_utf8(payload).map_err(|_| AuthErrorKind::Malformed)
}

/// The issuer whose keys decide. With one issuer there is nothing to select: a token of another
/// one fails at the key, the signature or the claim.
fn select_issuer<'s>(shared: &'s Shared, payload: &str) -> Result<&'s Trusted, AuthError> {
    if let Some(only) = shared.issuers.only() {
        return Ok(only);
    }
    let issuer = claims::issuer_of(payload)?;
    let issuer = issuer.ok_or_else(|| AuthError::of_claim(AuthErrorKind::MissingClaim, "iss"))?;
    shared.issuers.get(&issuer).ok_or_else(|| AuthErrorKind::UnknownIssuer.into())
}

/// Without keys nothing can be said about a token, unless it is none of this issuer's.
fn undecided(trusted: &Trusted, payload: &str) -> AuthError {
    match claims::issuer_of(payload) {
        Ok(Some(issuer)) if issuer == *trusted.policy.issuer => {
            AuthErrorKind::KeysUnavailable.into()
        }
        Ok(Some(_)) => AuthErrorKind::UnknownIssuer.into(),
        Ok(None) => AuthError::of_claim(AuthErrorKind::MissingClaim, "iss"),
        Err(fault) => fault,
    }
}
