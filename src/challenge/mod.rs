//! What a client is told: the one place that maps an [`AuthErrorKind`] to a status and a challenge
//! (RFC 6750 section 3).
//!
//! | situation | status | `WWW-Authenticate: Bearer` |
//! |---|---|---|
//! | no credentials, other scheme | 401 | `realm` only |
//! | token missing, several credentials | 400 | `invalid_request` |
//! | token not valid | 401 | `invalid_token` |
//! | scope missing | 403 | `insufficient_scope` with `scope` |
//! | other policy | 403 | none |
//! | insecure transport | 400 | none |
//! | no keys at hand | 503 with `Retry-After` | none |
//! | wired wrongly | 500 | none |
//!
//! Descriptions are fixed words. What exactly is wrong with a token is for the operator, in
//! [events](crate::event), and not for whoever sent it.

mod encode;
mod grpc;

use http::StatusCode;

pub(crate) use self::encode::Challenges;
pub use self::grpc::GrpcRefusal;
use crate::error::AuthErrorKind;

/// Response headers that a browser application of another origin must be allowed to read, for
/// `Access-Control-Expose-Headers`: without it the application cannot see why it was refused.
///
/// The CORS layer belongs outside the `AuthLayer`, as preflight requests carry no credentials.
pub const EXPOSE_HEADERS: [http::HeaderName; 1] = [http::header::WWW_AUTHENTICATE];

/// Request headers that a browser application of another origin must be allowed to send, for
/// `Access-Control-Allow-Headers`.
pub const ALLOW_HEADERS: [http::HeaderName; 1] = [http::header::AUTHORIZATION];

/// What the client gets for a kind of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) challenge: Option<Challenge>,
}

/// The challenge of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// The scheme is offered; nothing was wrong.
    Offer,
    /// RFC 6750 section 3.1: the code and the description.
    Error(ErrorCode, &'static str),
}

/// The error codes of RFC 6750 section 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    InvalidRequest,
    InvalidToken,
    InsufficientScope,
}

impl ErrorCode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

/// The one match from kinds to the wire.
pub(crate) const fn answer(kind: AuthErrorKind) -> Answer {
    use AuthErrorKind as Kind;
    use Challenge::{Error, Offer};
    use ErrorCode::{InsufficientScope, InvalidRequest, InvalidToken};

    let (status, challenge) = match kind {
        Kind::NoCredentials | Kind::UnsupportedScheme => (StatusCode::UNAUTHORIZED, Some(Offer)),
        Kind::TokenMissing => {
            (StatusCode::BAD_REQUEST, Some(Error(InvalidRequest, "The access token is missing")))
        }
        Kind::MultipleCredentials => (
            StatusCode::BAD_REQUEST,
            Some(Error(InvalidRequest, "Multiple methods used to include access token")),
        ),
        Kind::InsecureTransport => (StatusCode::BAD_REQUEST, None),
        Kind::Expired => {
            (StatusCode::UNAUTHORIZED, Some(Error(InvalidToken, "The access token expired")))
        }
        Kind::TokenTooLong
        | Kind::Malformed
        | Kind::UnsupportedHeader
        | Kind::AlgorithmNotAllowed
        | Kind::WrongTokenType
        | Kind::UnknownIssuer
        | Kind::UnknownKey
        | Kind::AmbiguousKey
        | Kind::BadSignature
        | Kind::MissingClaim
        | Kind::MalformedClaim
        | Kind::WrongAudience
        | Kind::UnsupportedConfirmation
        | Kind::LifetimeTooLong
        | Kind::NotYetValid
        | Kind::IssuedInFuture
        | Kind::Revoked
        | Kind::ClaimsMismatch => {
            (StatusCode::UNAUTHORIZED, Some(Error(InvalidToken, "The access token is invalid")))
        }
        Kind::InsufficientScope => (
            StatusCode::FORBIDDEN,
            Some(Error(
                InsufficientScope,
                "The request requires higher privileges than provided by the access token",
            )),
        ),
        Kind::PolicyDenied => (StatusCode::FORBIDDEN, None),
        Kind::KeysUnavailable | Kind::RevocationsUnavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, None)
        }
        Kind::LayerMissing | Kind::ClaimsTypeMismatch => (StatusCode::INTERNAL_SERVER_ERROR, None),
    };
    Answer { status, challenge }
}

impl AuthErrorKind {
    /// The HTTP status that this kind is answered with.
    ///
    /// For a response of it use [`AuthError::to_response`](crate::AuthError::to_response): one that
    /// only has the same status goes out without a challenge and without an event.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        answer(self).status
    }
}
