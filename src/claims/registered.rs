use serde_json::Number;

use super::audience::Audience;
use crate::{
    json::{Plain, Value},
    span::Span,
    time::UnixTime,
};

/// The claims that verification reads, as they stand in the token and unchecked. Texts are places
/// in the text of the token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registered {
    pub(crate) issuer: Option<Span>,
    pub(crate) subject: Option<Span>,
    pub(crate) client_id: Option<Span>,
    pub(crate) token_id: Option<Span>,
    pub(crate) session_id: SessionId,
    pub(crate) audience: Option<Audience>,
    pub(crate) expires_at: Option<UnixTime>,
    pub(crate) not_before: Option<UnixTime>,
    pub(crate) issued_at: Option<UnixTime>,
    /// `cnf` is there: the token is bound to a key (RFC 7800).
    pub(crate) confirmation: bool,
    /// A claim that only other kinds of JWT have (RFC 8725 section 3.12).
    pub(crate) foreign: Option<Span>,
    /// A claim that only ID tokens have.
    pub(crate) id_token: Option<Span>,
    /// `token_use`, with which Amazon Cognito tells access tokens from ID tokens.
    pub(crate) token_use: Option<Span>,
}

#[cfg(feature = "cache")]
impl Registered {
    /// What they take beside themselves, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.audience.as_ref().map_or(0, Audience::heap_bytes)
    }
}

/// `sid`. Issuers mean different things by it, so that what is no string is no fault in itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum SessionId {
    #[default]
    Missing,
    Odd,
    Text(Span),
}

/// The claims that verification reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    Issuer,
    Subject,
    ClientId,
    TokenId,
    Audience,
    ExpiresAt,
    NotBefore,
    IssuedAt,
    Confirmation,
    TokenUse,
    SessionId,
}

impl Claim {
    /// The claim of this name.
    #[inline]
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "iss" => Self::Issuer,
            "sub" => Self::Subject,
            "client_id" => Self::ClientId,
            "jti" => Self::TokenId,
            "aud" => Self::Audience,
            "exp" => Self::ExpiresAt,
            "nbf" => Self::NotBefore,
            "iat" => Self::IssuedAt,
            "cnf" => Self::Confirmation,
            "token_use" => Self::TokenUse,
            "sid" => Self::SessionId,
            _ => return None,
        })
    }
}

/// Whether only other kinds of JWT have a claim of this name: a logout token or security event, an
/// introspection response (RFC 8725 section 3.12).
#[inline]
pub(super) fn is_foreign(name: &str) -> bool {
    matches!(name, "events" | "token_introspection")
}

/// Whether only an ID token has a claim of this name (OpenID Connect Core section 2).
#[inline]
pub(super) fn is_of_id_token(name: &str) -> bool {
    matches!(name, "nonce" | "at_hash" | "c_hash")
}

/// A `NumericDate` (RFC 7519 section 2): seconds, perhaps with a fraction or an exponent. The
/// fraction rounds up, which leaves every comparison with whole seconds as it is.
///
/// Negative values and those beyond `i64` are refused.
#[inline]
pub(super) fn numeric_date(value: Value<'_>) -> Option<UnixTime> {
    let number: Number = match value.plain {
        Plain::Natural(seconds) => return Some(UnixTime::from_secs(seconds)),
        Plain::Text(_) => return None,
        Plain::No => serde_json::from_str(value.raw).ok()?,
    };
    if let Some(seconds) = number.as_u64() {
        return i64::try_from(seconds).ok().map(|_| UnixTime::from_secs(seconds));
    }
    #[expect(clippy::cast_precision_loss, reason = "rounds to 2^63, which is excluded")]
    let limit = i64::MAX as f64;
    let seconds = number.as_f64().filter(|seconds| (0.0..limit).contains(seconds))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range was checked above"
    )]
    Some(UnixTime::from_secs(seconds.ceil() as u64))
}
