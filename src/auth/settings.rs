use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{self, CACHE_CONTROL, CONTENT_TYPE, Entry, RETRY_AFTER, WWW_AUTHENTICATE},
    response::Parts,
};

use super::response::{Refusal, RefusalResponse};
use crate::{
    authenticate::{Attempt, Authenticate},
    challenge::Challenges,
    error::{AuthError, AuthErrorKind},
    event::{AuthEvent, Sink},
    refusal::{Heard, Pending, tell_completed},
    token::{FindToken, PresentedToken, RequestHead},
    verified::AuthContext,
};

/// What all services of one layer share.
pub(super) struct Settings<A, F, R> {
    pub(super) authenticate: A,
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

impl<A, F, R> Settings<A, F, R> {
    /// What becomes of a request, before anything is done with it.
    #[inline]
    pub(super) fn attempt<B>(&self, request: &Request<B>) -> Attempt
    where
        A: Authenticate,
        F: FindToken,
    {
        let head = RequestHead::of(request);
        match self.find(&head) {
            Ok(token) => match self.authenticate.authenticate(token, &head) {
                Attempt::Ready(decided) => Attempt::Ready(self.checked(decided)),
                later @ Attempt::Later(_) => later,
            },
            Err(error) if self.admits(&error) => Attempt::Ready(Ok(AuthContext::anonymous())),
            Err(error) => Attempt::Ready(Err(error)),
        }
    }

    /// The one token of a request.
    fn find<'a>(&self, head: &RequestHead<'a>) -> Result<PresentedToken<'a>, AuthError>
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
    fn admits(&self, error: &AuthError) -> bool {
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

    /// The complete refusal.
    pub(super) fn refuse<B>(&self, error: AuthError, caller: Option<AuthContext>) -> Response<B>
    where
        R: RefusalResponse<B>,
    {
        let mut response = self.responder.respond(&Refusal::new(&error));
        self.dress(&mut response, &error);
        self.refused(&error, caller);
        response.extensions_mut().insert(error);
        response
    }

    /// Adds all that belongs to a refusal but the body.
    fn dress<B>(&self, response: &mut Response<B>, error: &AuthError) {
        // A responder with a status of its own, such as gRPC's 200, speaks another language.
        let keeps_status = response.status() == error.kind().status();
        let is_challenged = keeps_status || response.status() == StatusCode::UNAUTHORIZED;
        let challenge = self.challenges.header(error).filter(|_| is_challenged);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if keeps_status && error.kind().status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, self.retry_after.clone());
        }
        match challenge {
            Some(challenge) => {
                headers.append(WWW_AUTHENTICATE, challenge);
            }
            None => self.offer(response),
        }
    }

    /// No refusal that became a 401 goes out without a challenge (RFC 9110 section 15.5.2).
    fn offer<B>(&self, response: &mut Response<B>) {
        if response.status() == StatusCode::UNAUTHORIZED
            && let Entry::Vacant(none) = response.headers_mut().entry(WWW_AUTHENTICATE)
            && let Some(offer) = self.challenges.header(&AuthErrorKind::NoCredentials.into())
        {
            none.insert(offer);
        }
    }

    fn refused(&self, error: &AuthError, caller: Option<AuthContext>) {
        self.events.emit(&AuthEvent::Refused { error: error.clone(), caller });
        tell_completed(error);
    }

    /// Completes the refusal of an inner guard, extractor or handler; leaves every other response
    /// as it is. `heard` is the last refusal that the inner service made.
    pub(super) fn complete<B>(
        &self,
        mut response: Response<B>,
        heard: Option<Box<Heard>>,
        caller: &AuthContext,
    ) -> Response<B>
    where
        R: RefusalResponse<B>,
    {
        // A response without extensions costs one look.
        let is_marked = response.extensions_mut().remove::<Pending>().is_some();
        let own = response.extensions().get::<AuthError>();
        let (error, is_completed) = match (is_marked, own, heard) {
            (true, Some(error), _) => (error.clone(), false),
            (false, None, Some(heard)) => (heard.error, heard.is_completed),
            // Nothing was refused, or a layer further in has completed it.
            _ => return response,
        };
        let status = response.status();
        let keeps_status = status == error.kind().status();
        if is_marked || keeps_status {
            remove_bearer_challenges(response.headers_mut());
        }
        if keeps_status {
            if is_marked {
                response = self.with_body(response, &error);
            }
            self.dress(&mut response, &error);
            response.extensions_mut().insert(error.clone());
        } else if is_marked || status.is_client_error() || status.is_server_error() {
            // A layer in between made another answer of it, such as 404 to hide what is there.
            self.offer(&mut response);
        } else {
            // A layer in between went on without what was refused.
            return response;
        }
        if !is_completed {
            self.refused(&error, Some(caller.clone()));
        }
        response
    }

    /// The refusal with its body, which is the responder's if that makes one, and else what a layer
    /// in between may have made.
    fn with_body<B>(&self, bare: Response<B>, error: &AuthError) -> Response<B>
    where
        R: RefusalResponse<B>,
    {
        let mut refusal = self.responder.respond(&Refusal::new(error));
        let has_body = |response: &Response<B>| response.headers().contains_key(CONTENT_TYPE);
        if has_body(&bare) && !has_body(&refusal) {
            return bare;
        }
        carry_over(bare.into_parts().0, &mut refusal);
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

/// Takes the challenges of our scheme away, for that of the layer, and leaves those of others.
fn remove_bearer_challenges(headers: &mut HeaderMap) {
    let is_other = |line: &&HeaderValue| {
        let scheme = line.as_bytes().split(|byte| matches!(byte, b' ' | b',')).next();
        !scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
    };
    let others: Vec<_> =
        headers.get_all(WWW_AUTHENTICATE).iter().filter(is_other).cloned().collect();
    headers.remove(WWW_AUTHENTICATE);
    for other in others {
        headers.append(WWW_AUTHENTICATE, other);
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
