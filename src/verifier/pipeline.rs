//! What happens to a token, from top to bottom.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{Shared, trusted::Trusted};
#[cfg(feature = "cache")]
use crate::verified::AuthContext;
use crate::{
    claims::{self, Noted},
    error::{AuthError, AuthErrorKind, Signed},
    jws::{self, Header, MediaType, Scratch, UntrustedToken},
    policy,
    scope::ScopeSet,
    time::UnixTime,
    verified::{Grant, Verified},
};

/// Bytes of a payload that are decoded on the stack.
const USUAL_PAYLOAD: usize = 1024;

/// Why a token is not accepted.
pub(super) enum Fault<'s> {
    Refused(AuthError),
    /// The issuer has no key for the token at hand. Where keys are fetched, that may change.
    NoKey(
        #[cfg_attr(not(feature = "remote-keys"), expect(dead_code, reason = "nobody to ask"))]
        &'s Arc<Trusted>,
        AuthError,
    ),
}

impl<E: Into<AuthError>> From<E> for Fault<'_> {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Fault<'_> {
    /// The error, with the keys that are at hand.
    pub(super) fn error(self) -> AuthError {
        match self {
            Self::Refused(error) | Self::NoKey(_, error) => error,
        }
    }
}

/// Verifies a token. No claim is believed before the signature holds: until then the issuer only
/// selects among those that are configured.
pub(super) fn verify<'s, C>(shared: &'s Shared, token: &[u8]) -> Result<Verified<C>, Fault<'s>>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    if token.len() > shared.max_token_len {
        return Err(AuthErrorKind::TokenTooLong.into());
    }
    #[cfg(feature = "cache")]
    let whole = token;
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
    let issuer = &trusted.policy.issuer;
    let unsigned = |error: AuthError| error.of_issuer(issuer, Signed::No);
    let now = shared.clock.now();

    if !trusted.policy.algorithms.contains(header.algorithm) {
        return Err(unsigned(AuthErrorKind::AlgorithmNotAllowed.into()).into());
    }
    let keys = trusted.usable_keys(now);
    let key = match &*keys {
        Some(keys) => keys.select(header.key_id.as_deref(), header.algorithm),
        None => Err(AuthErrorKind::KeysUnavailable),
    };
    let key = match key {
        Ok(key) => key,
        Err(kind) => return Err(without_key(trusted, header, payload, kind)),
    };
    jws::verify(token, header.algorithm, &key.prepared).map_err(|kind| unsigned(kind.into()))?;
    if known.is_none() {
        shared.headers.remember(token.header(), header.clone());
    }
    let accepted = accept(trusted, header.media_type, payload, key.issuer.as_deref(), now);
    let verified = accepted.map_err(|error| error.of_issuer(issuer, Signed::Yes))?;
    #[cfg(feature = "cache")]
    if let (Some(cache), Some(keys)) = (&shared.cache, &*keys) {
        let caller = AuthContext::from(verified.clone());
        cache.remember(whole, &caller, trusted.place, keys.epoch);
    }
    Ok(verified)
}

/// What is to be said of a token for which there is no key. Without keys nothing can be said, unless
/// it is none of this issuer's or of another type; and for such tokens no keys are fetched.
#[cold]
fn without_key<'s>(
    trusted: &'s Arc<Trusted>,
    header: &Header,
    payload: &str,
    kind: AuthErrorKind,
) -> Fault<'s> {
    let of_issuer = |error: AuthError| error.of_issuer(&trusted.policy.issuer, Signed::No);
    let is_undecided = kind == AuthErrorKind::KeysUnavailable || trusted.fetches_keys();
    if !is_undecided || kind == AuthErrorKind::AmbiguousKey {
        return of_issuer(kind.into()).into();
    }
    let policy = &trusted.policy;
    let could_be_ours = claims::issuer_of(payload).and_then(|issuer| {
        if !policy.is_of(&issuer) {
            Err(AuthErrorKind::UnknownIssuer.into())
        } else if !policy::takes_type(policy, header.media_type) {
            Err(AuthErrorKind::WrongTokenType.into())
        } else {
            Ok(())
        }
    });
    match could_be_ours {
        Ok(()) => Fault::NoKey(trusted, of_issuer(kind.into())),
        Err(error) => of_issuer(error).into(),
    }
}

/// What comes after the signature: the claims, the policy, and the proof that both were checked.
#[inline(always)]
fn accept<C>(
    trusted: &Trusted,
    media_type: MediaType,
    payload: &str,
    key_issuer: Option<&str>,
    now: UnixTime,
) -> Result<Verified<C>, AuthError>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let policy = &trusted.policy;
    let mut noted = Noted::new();
    let (text, custom) = claims::read(payload, &policy.scope_claims, &mut noted)?;
    let Noted { registered, scopes } = noted;
    policy::check(policy, media_type, &registered, &text, key_issuer)?;
    // Told to the operator only of tokens that are for this service.
    let custom = custom?;
    policy::check_time(policy, &registered, now)?;

    let scopes = ScopeSet::from_parts(text.into(), scopes);
    let effective = policy.implied.expand(&scopes);
    let grant = Grant::new(registered, scopes, effective);
    // Last, as what is past its time may be forgotten there.
    trusted.check_revoked(&grant, now)?;
    Ok(Verified::new(grant, custom))
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
fn select_issuer<'s>(shared: &'s Shared, payload: &str) -> Result<&'s Arc<Trusted>, AuthError> {
    if let Some(only) = shared.issuers.only() {
        return Ok(only);
    }
    let issuer = claims::issuer_of(payload)?;
    shared.issuers.get(&issuer).ok_or_else(|| AuthErrorKind::UnknownIssuer.into())
}
