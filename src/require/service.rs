use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::{Guard, ResponseFuture};
use crate::{error::AuthError, ready::release, token::RequestHead, verified::Grant};

/// Calls the inner service for requests that a [`Guard`] lets through.
#[derive(Clone, Debug)]
#[must_use]
pub struct GuardService<S, G> {
    inner: S,
    guard: G,
}

impl<S, G> GuardService<S, G> {
    pub(crate) fn new(inner: S, guard: G) -> Self {
        Self { inner, guard }
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

impl<S, G, ReqBody, ResBody> Service<Request<ReqBody>> for GuardService<S, G>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    G: Guard,
    ResBody: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        match check(&self.guard, &request) {
            Ok(()) => ResponseFuture::inner(self.inner.call(request)),
            Err(error) => {
                release(&mut self.inner);
                ResponseFuture::refused(error.to_response())
            }
        }
    }
}

fn check<G: Guard, B>(guard: &G, request: &Request<B>) -> Result<(), AuthError> {
    guard.check(Grant::of(request.extensions())?, &RequestHead::of(request))
}
