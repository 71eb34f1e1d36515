use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE},
};

use super::response::{Refusal, RefusalResponse};
use crate::{
    challenge::{Challenges, Pending},
    error::{AuthError, AuthErrorKind},
    event::{AuthEvent, Sink},
    token::{FindToken, PresentedToken, RequestHead},
    verified::AuthContext,
};

/// What all services of one layer share.
pub(super) struct Settings<F, R> {
    pub(super) finder: F,
    pub(super) responder: R,
    pub(super) challenges: Challenges,
    pub(super) retry_after: HeaderValue,
    pub(super) events: Sink,
    pub(super) optional: bool,
    pub(super) echo: bool,
    pub(super) is_secure: Option<Box<IsSecure>>,
}

/// Tells whether a request came over TLS.
pub(super) type IsSecure = dyn Fn(&RequestHead<'_>) -> bool + Send + Sync;

impl<F, R> Settings<F, R> {
    /// The one token of a request.
    pub(super) fn find<'a>(&self, head: &RequestHead<'a>) -> Result<PresentedToken<'a>, AuthError>
    where
        F: FindToken,
    {
        if self.is_secure.as_ref().is_some_and(|is_secure| !is_secure(head)) {
            return Err(AuthErrorKind::InsecureTransport.into());
        }
        self.finder.find(head)
    }

    /// Whether a request without a usable token is let through all the same: only if it carries no
    /// credentials of ours at all.
    pub(super) fn admits(&self, error: &AuthError) -> bool {
        self.optional
            && matches!(
                error.kind(),
                AuthErrorKind::NoCredentials | AuthErrorKind::UnsupportedScheme
            )
    }

    pub(super) fn accepted(&self, caller: &AuthContext) {
        self.events.emit(&AuthEvent::Accepted { caller: caller.clone() });
    }

    /// The complete refusal.
    pub(super) fn refuse<B>(&self, error: AuthError, caller: Option<AuthContext>) -> Response<B>
    where
        R: RefusalResponse<B>,
    {
        let refusal = Refusal::new(&error);
        let mut response = self.responder.respond(&refusal);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // A responder with a status of its own, such as gRPC's 200, speaks another language; but a
        // 401 must not go out without a challenge (RFC 9110 section 15.5.2).
        let keeps_status = response.status() == refusal.status();
        let challenge = match response.status() {
            _ if keeps_status => self.challenges.header(&error),
            StatusCode::UNAUTHORIZED => self
                .challenges
                .header(&error)
                .or_else(|| self.challenges.header(&AuthErrorKind::NoCredentials.into())),
            _ => None,
        };
        if let Some(challenge) = challenge {
            response.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }
        if keeps_status && error.kind() == AuthErrorKind::KeysUnavailable {
            response.headers_mut().insert(RETRY_AFTER, self.retry_after.clone());
        }
        self.events.emit(&AuthEvent::Refused { error: error.clone(), caller });
        response.extensions_mut().insert(error);
        response
    }

    /// Completes the refusal of an inner guard; leaves every other response as it is.
    pub(super) fn complete<B>(
        &self,
        response: Response<B>,
        caller: Option<&AuthContext>,
    ) -> Response<B>
    where
        R: RefusalResponse<B>,
    {
        // A response without extensions costs one look.
        if response.extensions().get::<Pending>().is_none() {
            return response;
        }
        let Some(error) = response.extensions().get::<AuthError>().cloned() else {
            return response;
        };
        self.refuse(error, caller.cloned())
    }
}
