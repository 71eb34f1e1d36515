//! One request through the whole Tower path, sent the same way to everybody.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    hint::black_box,
    marker::PhantomData,
    pin::pin,
    task::{Context, Poll, Waker},
};

use http::{HeaderValue, Request, Response, header};
use tower::Service;

use crate::fixture::Fixture;

/// A future that is not ready after so many polls waits for something, which nobody should.
const POLLS: usize = 16;

/// Sends one request and looks at the status of the answer.
pub(crate) type Run = Box<dyn FnMut()>;

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

    /// What sends the request to this service, once it has let a good token in: so nobody refuses
    /// for another reason than the token, and what a service remembers of good ones is there.
    pub(crate) fn through<S, Q, B>(&self, mut service: S) -> Run
    where
        S: Service<Request<Q>, Response = Response<B>, Error = Infallible> + 'static,
        Q: Default,
    {
        let bearer =
            |token: &str| HeaderValue::try_from(format!("Bearer {token}")).expect("a value");
        send(&mut service, Some(&bearer(&self.fixture.valid)), 200);
        let (credentials, expect) = (self.token.map(bearer), self.expect);
        Box::new(move || send(&mut service, credentials.as_ref(), expect))
    }
}

fn send<S, Q, B>(service: &mut S, credentials: Option<&HeaderValue>, expect: u16)
where
    S: Service<Request<Q>, Response = Response<B>, Error = Infallible>,
    Q: Default,
{
    let mut request = Request::new(Q::default());
    if let Some(value) = credentials {
        request.headers_mut().insert(header::AUTHORIZATION, value.clone());
    }
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready(), "the service is ready");
    let mut future = pin!(service.call(request));
    let answer = (0..POLLS).find_map(|_| match future.as_mut().poll(&mut cx) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    });
    let Some(Ok(response)) = answer else {
        panic!("the service waits for something");
    };
    assert_eq!(response.status().as_u16(), expect);
    black_box(response);
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
