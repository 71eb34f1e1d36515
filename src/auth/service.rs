use std::{
    fmt,
    task::{Context, Poll},
};

use http::{
    HeaderMap, Request, Response,
    header::{AUTHORIZATION, COOKIE},
};
use tower_service::Service;

use super::{future::ResponseFuture, response::RefusalResponse, settings::Settings};
use crate::{
    authenticate::{Attempt, Authenticate},
    lanes::Spread,
    ready::{release, take_ready},
    token::{FindToken, RequestHead},
    verified::AuthContext,
};

/// Calls the inner service for requests whose token is verified.
///
/// See the [module docs](crate::auth) for an example.
#[must_use]
pub struct AuthService<S, A, F, R> {
    inner: S,
    authenticate: A,
    settings: Spread<Settings<F, R>>,
}

impl<S, A, F, R> AuthService<S, A, F, R> {
    pub(super) fn new(inner: S, authenticate: A, settings: Spread<Settings<F, R>>) -> Self {
        Self { inner, authenticate, settings }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service, to change it.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service alone.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// What becomes of a request, before anything is done with it.
    fn attempt<B>(&self, settings: &Settings<F, R>, request: &Request<B>) -> Attempt
    where
        A: Authenticate,
        F: FindToken,
    {
        let head = RequestHead::of(request);
        match settings.find(&head) {
            Ok(token) => match self.authenticate.authenticate(token, &head) {
                Attempt::Ready(decided) => Attempt::Ready(settings.checked(decided)),
                later @ Attempt::Later(_) => later,
            },
            Err(error) if settings.admits(&error) => Attempt::Ready(Ok(AuthContext::anonymous())),
            Err(error) => Attempt::Ready(Err(error)),
        }
    }
}

impl<S, A, F, R, ReqBody, ResBody> Service<Request<ReqBody>> for AuthService<S, A, F, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    A: Authenticate,
    F: FindToken,
    R: RefusalResponse<ResBody>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody, F, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let settings = self.settings.reference();
        match self.attempt(&settings, &request) {
            Attempt::Ready(Ok(caller)) => {
                ResponseFuture::inner(&mut self.inner, request, caller, settings)
            }
            Attempt::Ready(Err(error)) => {
                release(&mut self.inner);
                ResponseFuture::refused(error, settings)
            }
            Attempt::Later(attempt) => {
                ResponseFuture::later(attempt, take_ready(&mut self.inner), request, settings)
            }
        }
    }
}

/// Puts the caller into the request, in place of whatever was there, and hides the token from logs.
pub(super) fn admit<F, R, B>(
    settings: &Settings<F, R>,
    request: &mut Request<B>,
    caller: &AuthContext,
) {
    settings.events.accepted(caller);
    mark_sensitive(request.headers_mut());
    request.extensions_mut().insert(caller.clone());
}

/// Makes `Debug` of the request show `Sensitive` in place of the token (RFC 9700 section 4.9.3), on
/// every line that can hold one.
fn mark_sensitive(headers: &mut HeaderMap) {
    for (name, line) in headers {
        if name == AUTHORIZATION || name == COOKIE {
            line.set_sensitive(true);
        }
    }
}

impl<S: Clone, A: Clone, F, R> Clone for AuthService<S, A, F, R> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            authenticate: self.authenticate.clone(),
            settings: self.settings.clone(),
        }
    }
}

impl<S: fmt::Debug, A: fmt::Debug, F, R> fmt::Debug for AuthService<S, A, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthService")
            .field("inner", &self.inner)
            .field("authenticate", &self.authenticate)
            .finish_non_exhaustive()
    }
}
