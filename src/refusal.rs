//! A refusal of a guard, an extractor or a handler, on its way out to the `AuthLayer` around, which
//! completes it.
//!
//! The response is marked. But a layer in between may make a new one of it, without our mark, and a
//! refusal must keep its challenge all the same (RFC 9728 section 5.4). So the `AuthLayer` also
//! listens while its inner service runs.

use std::cell::Cell;

use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, WWW_AUTHENTICATE},
};

use crate::{
    error::{AuthError, AuthErrorKind},
    event::report_missing_layer,
};

/// Marks a refusal that has no challenge of its layer, no body and no event yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending;

/// The last refusal that was made of an error while somebody listened.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) error: AuthError,
    /// A layer further in completed it and told the operator.
    pub(crate) is_completed: bool,
}

thread_local! {
    /// Whether a layer that calls or polls its inner service on this thread listens here.
    static EAR: Cell<Ear> = const { Cell::new(Ear::Shut) };
    /// What it heard.
    static HEARD: Cell<Option<Box<Heard>>> = const { Cell::new(None) };
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ear {
    Shut,
    Open,
    Full,
}

/// A layer that listens while a part of its inner service runs. The layer around gets its ear back
/// when this ends, even if the inner service panics.
pub(crate) struct Listening {
    around: Ear,
    heard_around: Option<Box<Heard>>,
}

impl Listening {
    #[inline]
    pub(crate) fn start() -> Self {
        let around = EAR.replace(Ear::Open);
        Self { around, heard_around: if around == Ear::Full { take_heard() } else { None } }
    }

    /// The last refusal that was made since then.
    #[inline]
    pub(crate) fn end(self) -> Option<Box<Heard>> {
        if EAR.get() == Ear::Full { take_heard() } else { None }
    }
}

impl Drop for Listening {
    #[inline]
    fn drop(&mut self) {
        EAR.set(self.around);
        if self.around == Ear::Full {
            let heard = self.heard_around.take();
            HEARD.try_with(|cell| cell.set(heard)).unwrap_or_default();
        }
    }
}

/// Nothing on a thread that is ending: the mark on the response has to do then.
#[cold]
fn take_heard() -> Option<Box<Heard>> {
    HEARD.try_with(Cell::take).unwrap_or_default()
}

/// Tells the layer that listens; `false` if none does.
fn tell(heard: Heard) -> bool {
    if EAR.get() == Ear::Shut {
        return false;
    }
    EAR.set(Ear::Full);
    HEARD.try_with(|cell| cell.set(Some(Box::new(heard)))).unwrap_or_default();
    true
}

/// Tells a layer further out that this refusal is completed.
pub(crate) fn tell_completed(error: &AuthError) {
    tell(Heard { error: error.clone(), is_completed: true });
}

impl AuthError {
    /// The refusal as a response: the bare status, which the `AuthLayer` around completes with its
    /// challenge, the body and the event.
    ///
    /// For handlers without axum; there the error is a response by itself. Without an `AuthLayer`
    /// around it goes out as it is: not to be stored, and a 401 with a challenge of the realm `api`
    /// (RFC 9110 section 15.5.2).
    ///
    /// ```
    /// use http::{Request, Response};
    /// use tower_bearer::{Grant, scope};
    ///
    /// fn handle(request: &Request<String>) -> Response<String> {
    ///     let checked = Grant::of(request.extensions())
    ///         .and_then(|grant| grant.require(&scope!("reports:read").into()));
    ///     match checked {
    ///         Ok(()) => Response::new("the reports".to_owned()),
    ///         Err(error) => error.to_response(),
    ///     }
    /// }
    ///
    /// // No `AuthLayer` ran before it: a wiring mistake.
    /// assert_eq!(handle(&Request::default()).status(), 500);
    /// ```
    #[must_use]
    pub fn to_response<B: Default>(&self) -> Response<B> {
        let is_heard = tell(Heard { error: self.clone(), is_completed: false });
        if !is_heard && self.kind() == AuthErrorKind::LayerMissing {
            report_missing_layer(self);
        }
        let mut response = Response::new(B::default());
        let status = self.kind().status();
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"api\"");
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(self.clone());
        response.extensions_mut().insert(Pending);
        response
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::error::AuthErrorKind::{self, Expired, PolicyDenied};

    fn refuse(kind: AuthErrorKind) {
        let _: Response<String> = AuthError::new(kind).to_response();
    }

    fn heard_while(run: impl FnOnce()) -> Option<AuthErrorKind> {
        let listening = Listening::start();
        run();
        listening.end().map(|heard| heard.error.kind())
    }

    #[test]
    fn each_layer_hears_what_is_directly_inside_it() {
        assert_eq!(heard_while(|| {}), None);
        assert_eq!(heard_while(|| refuse(Expired)), Some(Expired));
        let inner = || assert_eq!(heard_while(|| refuse(Expired)), Some(Expired));
        assert_eq!(heard_while(inner), None);
        let both = || {
            refuse(PolicyDenied);
            inner();
        };
        assert_eq!(heard_while(both), Some(PolicyDenied));
    }

    #[test]
    fn without_a_layer_nobody_hears() {
        refuse(Expired);
        assert_eq!(heard_while(|| {}), None);
    }

    #[test]
    fn a_panic_inside_does_not_leave_the_ear_open() {
        let panicking = || {
            let inner = || {
                refuse(Expired);
                panic!("on purpose");
            };
            assert!(catch_unwind(AssertUnwindSafe(|| heard_while(inner))).is_err());
        };
        assert_eq!(heard_while(panicking), None);
        assert_eq!(EAR.get(), Ear::Shut);
    }
}
