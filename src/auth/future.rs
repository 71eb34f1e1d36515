use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{response::RefusalResponse, service::admit, settings::Settings};
use crate::{
    error::AuthError,
    lanes::Counted,
    refusal::{Heard, Listening},
    verified::AuthContext,
};

/// Why an attempt is not decided yet.
type Undecided = Pin<Box<dyn Future<Output = Result<AuthContext, AuthError>> + Send>>;

pin_project! {
    /// The response of an [`AuthService`](super::AuthService).
    pub struct ResponseFuture<S, B, A, F, R>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        kind: Kind<S, B, S::Future>,
        settings: Counted<Settings<A, F, R>>,
    }
}

pin_project! {
    #[project = KindProj]
    enum Kind<S, B, T> {
        Inner {
            #[pin]
            future: T,
            caller: AuthContext,
            heard: Option<Box<Heard>>,
        },
        Refused {
            error: Option<AuthError>,
        },
        Later {
            attempt: Undecided,
            waiting: Option<Box<Waiting<S, B>>>,
        },
    }
}

/// A request that waits for its attempt, with the service that was polled ready for it. Boxed, as
/// it would make the future of every other request larger.
struct Waiting<S, B> {
    service: S,
    request: Request<B>,
}

impl<S, B, A, F, R> ResponseFuture<S, B, A, F, R>
where
    S: Service<Request<B>>,
{
    /// Calls the inner service, which must be ready.
    #[inline(always)]
    pub(super) fn inner(
        service: &mut S,
        request: Request<B>,
        caller: AuthContext,
        settings: Counted<Settings<A, F, R>>,
    ) -> Self {
        Self { kind: Kind::inner(service, request, caller, &settings), settings }
    }

    pub(super) fn refused(error: AuthError, settings: Counted<Settings<A, F, R>>) -> Self {
        Self { kind: Kind::Refused { error: Some(error) }, settings }
    }

    pub(super) fn later(
        attempt: Undecided,
        service: S,
        request: Request<B>,
        settings: Counted<Settings<A, F, R>>,
    ) -> Self {
        let waiting = Some(Box::new(Waiting { service, request }));
        Self { kind: Kind::Later { attempt, waiting }, settings }
    }
}

impl<S, B> Kind<S, B, S::Future>
where
    S: Service<Request<B>>,
{
    #[inline(always)]
    fn inner<A, F, R>(
        service: &mut S,
        mut request: Request<B>,
        caller: AuthContext,
        settings: &Settings<A, F, R>,
    ) -> Self {
        admit(settings, &mut request, &caller);
        let listening = Listening::start();
        let future = service.call(request);
        Self::Inner { future, caller, heard: listening.end() }
    }
}

impl<S, B, A, F, R, ResBody> Future for ResponseFuture<S, B, A, F, R>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    R: RefusalResponse<ResBody>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.kind.as_mut().project() {
                KindProj::Inner { future, caller, heard } => {
                    let listening = Listening::start();
                    let polled = future.poll(cx);
                    if let Some(last) = listening.end() {
                        *heard = Some(last);
                    }
                    let response = ready!(polled)?;
                    let mut response = this.settings.complete(response, heard.take(), caller);
                    if this.settings.echo {
                        response.extensions_mut().insert(caller.clone());
                    }
                    return Poll::Ready(Ok(response));
                }
                KindProj::Refused { error } => match error.take() {
                    Some(error) => return Poll::Ready(Ok(this.settings.refuse(error, None))),
                    // Polled again after it was ready: there is nothing left to say.
                    None => return Poll::Pending,
                },
                KindProj::Later { attempt, waiting } => {
                    let decided = ready!(attempt.as_mut().poll(cx));
                    match (this.settings.checked(decided), waiting.take()) {
                        (Ok(caller), Some(waiting)) => {
                            let Waiting { mut service, request } = *waiting;
                            Kind::inner(&mut service, request, caller, this.settings)
                        }
                        (Err(error), _) => Kind::Refused { error: Some(error) },
                        (Ok(_), None) => return Poll::Pending,
                    }
                }
            };
            this.kind.set(next);
        }
    }
}

impl<S, B, A, F, R> fmt::Debug for ResponseFuture<S, B, A, F, R>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
