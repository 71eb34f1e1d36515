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
    token::FindToken,
    verified::AuthContext,
};

/// Calls the inner service for requests whose token is verified.
///
/// See the [module docs](crate::auth) for an example.
#[must_use]
pub struct AuthService<S, A, F, R> {
    inner: S,
    settings: Spread<Settings<A, F, R>>,
}

impl<S, A, F, R> AuthService<S, A, F, R> {
    pub(super) fn new(inner: S, settings: Spread<Settings<A, F, R>>) -> Self {
        Self { inner, settings }
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
    type Future = ResponseFuture<S, ReqBody, A, F, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let settings = self.settings.reference();
        match settings.attempt(&request) {
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
pub(super) fn admit<A, F, R, B>(
    settings: &Settings<A, F, R>,
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

impl<S: Clone, A, F, R> Clone for AuthService<S, A, F, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), settings: self.settings.clone() }
    }
}

impl<S: fmt::Debug, A: fmt::Debug, F, R> fmt::Debug for AuthService<S, A, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthService")
            .field("inner", &self.inner)
            .field("authenticate", &self.settings.reference().authenticate)
            .finish_non_exhaustive()
    }
}
