use http::StatusCode;

use super::{Challenge, answer};
use crate::error::AuthError;

/// A refusal in the terms of gRPC: a status code, a message, and metadata.
///
/// A method that checks a grant itself turns it into its own status type, and the layer around
/// cannot see that: no event tells of such a refusal.
///
/// ```
/// use tower_bearer::{AuthError, AuthErrorKind};
///
/// let refusal = AuthError::new(AuthErrorKind::Expired).grpc();
/// assert_eq!(refusal.code(), 16); // UNAUTHENTICATED
/// assert_eq!(refusal.message(), "The access token expired");
/// assert_eq!(refusal.metadata().collect::<Vec<_>>(), [("auth-error", "invalid_token")]);
/// ```
#[derive(Clone, Debug)]
pub struct GrpcRefusal {
    code: i32,
    message: &'static str,
    error: Option<&'static str>,
    scope: Option<String>,
}

impl GrpcRefusal {
    /// The status code: `UNAUTHENTICATED` (16), `PERMISSION_DENIED` (7), `UNAVAILABLE` (14) or
    /// `INTERNAL` (13).
    #[must_use]
    pub fn code(&self) -> i32 {
        self.code
    }

    /// Fixed words; the same that an HTTP client gets as `error_description`.
    #[must_use]
    pub fn message(&self) -> &'static str {
        self.message
    }

    /// `auth-error` with the code of RFC 6750, and `auth-scope` with the scopes that are needed.
    pub fn metadata(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let error = self.error.map(|error| ("auth-error", error));
        let scope = self.scope.as_deref().map(|scope| ("auth-scope", scope));
        error.into_iter().chain(scope)
    }
}

impl AuthError {
    /// This refusal in the terms of gRPC.
    #[must_use]
    pub fn grpc(&self) -> GrpcRefusal {
        let answer = answer(self.kind());
        let code = match answer.status {
            StatusCode::FORBIDDEN => 7,
            StatusCode::SERVICE_UNAVAILABLE => 14,
            StatusCode::INTERNAL_SERVER_ERROR => 13,
            _ => 16,
        };
        let (error, message) = match answer.challenge {
            Some(Challenge::Error(error, description)) => (Some(error.as_str()), description),
            Some(Challenge::Offer) => (None, "The request carries no access token"),
            None if code == 7 => (None, "The request is not permitted"),
            None if code == 14 => (None, "The access token cannot be verified at the moment"),
            None if code == 16 => (None, "The request did not come over a secure transport"),
            None => (None, "The service is not set up correctly"),
        };
        GrpcRefusal { code, message, error, scope: self.scope().map(str::to_owned) }
    }
}
