use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{self, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    response::Parts,
};

use super::response::{Refusal, RefusalResponse};
use crate::{
    challenge::{Challenges, Pending, answer, remove_bare_challenge},
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

    /// Only an optional layer lets a request through without a caller, whoever decided about it.
    pub(super) fn checked(
        &self,
        decided: Result<AuthContext, AuthError>,
    ) -> Result<AuthContext, AuthError> {
        match decided {
            Ok(caller) if caller.is_anonymous() && !self.optional => {
                Err(AuthErrorKind::NoCredentials.into())
            }
            decided => decided,
        }
    }

    pub(super) fn accepted(&self, caller: &AuthContext) {
        self.events.emit(&AuthEvent::Accepted { caller: caller.clone() });
    }

    /// The complete refusal.
    pub(super) fn refuse<B>(&self, error: AuthError, caller: Option<AuthContext>) -> Response<B>
    where
        R: RefusalResponse<B>,
    {
        let response = self.responder.respond(&Refusal::new(&error));
        self.dress(response, error, caller)
    }

    /// Adds all that belongs to a refusal but the body, and tells the operator.
    fn dress<B>(
        &self,
        mut response: Response<B>,
        error: AuthError,
        caller: Option<AuthContext>,
    ) -> Response<B> {
        // A responder with a status of its own, such as gRPC's 200, speaks another language; but a
        // 401 must not go out without a challenge (RFC 9110 section 15.5.2).
        let keeps_status = response.status() == answer(error.kind()).status;
        let challenge = match response.status() {
            _ if keeps_status => self.challenges.header(&error),
            StatusCode::UNAUTHORIZED => self
                .challenges
                .header(&error)
                .or_else(|| self.challenges.header(&AuthErrorKind::NoCredentials.into())),
            _ => None,
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = challenge {
            headers.append(WWW_AUTHENTICATE, challenge);
        }
        if keeps_status && error.kind() == AuthErrorKind::KeysUnavailable {
            headers.insert(RETRY_AFTER, self.retry_after.clone());
        }
        self.refused(&error, caller);
        response.extensions_mut().insert(error);
        response
    }

    fn refused(&self, error: &AuthError, caller: Option<AuthContext>) {
        self.events.emit(&AuthEvent::Refused { error: error.clone(), caller });
    }

    /// Completes the refusal of an inner guard, extractor or handler; leaves every other response
    /// as it is. `heard` is the error that the inner service made its last refusal of.
    pub(super) fn complete<B>(
        &self,
        mut response: Response<B>,
        heard: Option<Box<AuthError>>,
        caller: &AuthContext,
    ) -> Response<B>
    where
        R: RefusalResponse<B>,
    {
        // A response without extensions costs one look.
        let is_marked = response.extensions().get::<Pending>().is_some();
        let error = if is_marked {
            response.extensions_mut().remove::<Pending>();
            response.extensions().get::<AuthError>().cloned()
        } else {
            heard.map(|error| *error)
        };
        let Some(error) = error else {
            return response;
        };
        remove_bare_challenge(response.headers_mut());
        let status = response.status();
        let caller = caller.clone();
        if status != answer(error.kind()).status {
            // A layer in between made another answer of it, such as 404 to hide what is there, or
            // went on without what was refused.
            if is_marked || status.is_client_error() || status.is_server_error() {
                self.refused(&error, Some(caller));
            }
            return response;
        }
        if !is_marked || response.headers().contains_key(CONTENT_TYPE) {
            // A layer in between gave it a body.
            return self.dress(response, error, Some(caller));
        }
        let mut refusal = self.refuse(error, Some(caller));
        carry_over(response.into_parts().0, &mut refusal);
        refusal
    }
}

/// Keeps what layers between a guard and this one added to the bare refusal, such as a request id,
/// a cookie or the challenge of another scheme. Where both have a header, that of the refusal
/// stands.
fn carry_over<B>(bare: Parts, refusal: &mut Response<B>) {
    let own = std::mem::replace(refusal.extensions_mut(), bare.extensions);
    refusal.extensions_mut().extend(own);

    let headers = refusal.headers_mut();
    for name in bare.headers.keys() {
        let is_kept = !DESCRIBE_THE_BODY.contains(name)
            && (HAVE_SEVERAL_LINES.contains(name) || !headers.contains_key(name));
        if is_kept {
            for value in bare.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
    }
}

/// Headers whose lines add up; one response may carry the challenges of several schemes (RFC 9110
/// section 11.6.1).
const HAVE_SEVERAL_LINES: [HeaderName; 3] = [WWW_AUTHENTICATE, header::SET_COOKIE, header::VARY];

/// Headers of a body that is not sent: that of the bare refusal.
const DESCRIBE_THE_BODY: [HeaderName; 10] = [
    header::ACCEPT_RANGES,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::TRAILER,
    header::TRANSFER_ENCODING,
];
