use http::Response;

use super::answer;
use crate::error::AuthError;

/// Marks a refusal that has no challenge, body or event yet: the `AuthLayer` around adds them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending;

impl AuthError {
    /// The refusal as a response: the bare status, which the `AuthLayer` around completes with the
    /// challenge, the body and the event.
    ///
    /// For handlers without axum; there the error is a response by itself. Without an `AuthLayer`
    /// around it goes out as it is, even a 401 without a challenge.
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
        let mut response = Response::new(B::default());
        *response.status_mut() = answer(self.kind()).status;
        response.extensions_mut().insert(self.clone());
        response.extensions_mut().insert(Pending);
        response
    }
}
