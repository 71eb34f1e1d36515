use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;
use pin_project_lite::pin_project;

pin_project! {
    /// The response of a [`GuardService`](super::GuardService).
    pub struct ResponseFuture<T, B> {
        #[pin]
        kind: Kind<T, B>,
    }
}

pin_project! {
    #[project = KindProj]
    enum Kind<T, B> {
        Inner { #[pin] future: T },
        Refused { response: Option<Response<B>> },
    }
}

impl<T, B> ResponseFuture<T, B> {
    pub(super) fn inner(future: T) -> Self {
        Self { kind: Kind::Inner { future } }
    }

    pub(super) fn refused(response: Response<B>) -> Self {
        Self { kind: Kind::Refused { response: Some(response) } }
    }
}

impl<T, B, E> Future for ResponseFuture<T, B>
where
    T: Future<Output = Result<Response<B>, E>>,
{
    type Output = T::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProj::Inner { future } => future.poll(cx),
            // Polled again after it was ready: there is nothing left to say.
            KindProj::Refused { response } => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
            }
        }
    }
}

impl<T, B> fmt::Debug for ResponseFuture<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
