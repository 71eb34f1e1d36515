//! One request through the whole Tower path, sent the same way to everybody.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    marker::PhantomData,
    task::{Context, Poll},
};

use http::{HeaderValue, Request, Response, header};
use tower::Service;

use crate::{fixture::Fixture, shared::Contender};

/// What is sent, and the status that must come back.
pub(crate) struct Case<'f> {
    pub(crate) fixture: &'f Fixture,
    pub(crate) token: Option<&'f str>,
    pub(crate) expect: u16,
}

impl Case<'_> {
    /// The same request to a service that lets everybody in.
    pub(crate) fn unguarded(&self) -> Self {
        Self { expect: 200, ..*self }
    }

    /// Sends the request to this service, once it has let a good token in: so nobody refuses for
    /// another reason than the token, and what a service remembers of good ones is there.
    pub(crate) fn through<S, Q, B>(&self, service: S) -> Contender
    where
        S: Service<Request<Q>, Response = Response<B>, Error = Infallible> + Clone + 'static,
        Q: Default + 'static,
    {
        let good = requests(Some(&self.fixture.valid));
        Contender::service("", service.clone(), 200, good).time(1);
        self.only(service)
    }

    /// Sends the request to this service and no good token before.
    pub(crate) fn only<S, Q, B>(&self, service: S) -> Contender
    where
        S: Service<Request<Q>, Response = Response<B>, Error = Infallible> + 'static,
        Q: Default + 'static,
    {
        Contender::service("", service, self.expect, requests(self.token))
    }
}

/// The same request again and again.
fn requests<Q: Default>(token: Option<&str>) -> impl FnMut() -> Request<Q> + use<Q> {
    let credentials = token
        .map(|token| HeaderValue::try_from(format!("Bearer {token}")).expect("a header value"));
    move || {
        let mut request = Request::new(Q::default());
        if let Some(value) = &credentials {
            request.headers_mut().insert(header::AUTHORIZATION, value.clone());
        }
        request
    }
}

/// The innermost service: an empty 200, in whatever body the layer around it asks for.
pub(crate) struct Inner<B>(PhantomData<fn() -> B>);

impl<B> Inner<B> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<B> Clone for Inner<B> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<Q, B: Default> Service<Request<Q>> for Inner<B> {
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        black_box(&request);
        ready(Ok(Response::new(B::default())))
    }
}
