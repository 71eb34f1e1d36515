use std::{fmt, marker::PhantomData, ops::Deref};

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::authenticated::{Authenticated, caller};
use crate::{
    error::{AuthError, AuthErrorKind},
    scope::Scopes,
    verified::Verified,
};

/// The caller, whose token is verified and grants `R`: a type of [`scopes!`](crate::scopes!), a
/// tuple (all of), or [`AnyOf`](crate::scope::AnyOf) a tuple.
///
/// Dereferences to [`Verified<C>`]. As an `Option` it is `None` for an anonymous request, and still
/// a refusal for a caller whose token lacks a scope. See the [module docs](crate::extract) for an
/// example.
//
// The bound on the struct itself is for the message: in `async fn handler(_: Scoped<u32>)` the
// compiler then names the argument, and not only that the function is no handler.
pub struct Scoped<R: Scopes, C: 'static = ()> {
    caller: Authenticated<C>,
    scopes: PhantomData<fn() -> R>,
}

impl<R: Scopes, C> Scoped<R, C> {
    /// The caller without the proof of the scopes.
    #[must_use]
    pub fn into_inner(self) -> Verified<C> {
        self.caller.0
    }
}

impl<R: Scopes, C> Deref for Scoped<R, C> {
    type Target = Verified<C>;

    fn deref(&self) -> &Verified<C> {
        &self.caller
    }
}

impl<S, R, C> FromRequestParts<S> for Scoped<R, C>
where
    S: Sync,
    R: Scopes,
    C: Send + Sync + 'static,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AuthError> {
        caller(&parts.extensions)?.ok_or(AuthErrorKind::NoCredentials)?.try_into()
    }
}

impl<S, R, C> OptionalFromRequestParts<S> for Scoped<R, C>
where
    S: Sync,
    R: Scopes,
    C: Send + Sync + 'static,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, AuthError> {
        caller(&parts.extensions)?.map(Self::try_from).transpose()
    }
}

/// Checks the scopes; outside a handler, as in the test of one.
impl<R: Scopes, C> TryFrom<Authenticated<C>> for Scoped<R, C> {
    type Error = AuthError;

    fn try_from(caller: Authenticated<C>) -> Result<Self, AuthError> {
        if R::are_met_by(caller.effective_scopes()) {
            Ok(Self { caller, scopes: PhantomData })
        } else {
            Err(R::requirement().refusal())
        }
    }
}

impl<R: Scopes, C> Clone for Scoped<R, C> {
    fn clone(&self) -> Self {
        Self { caller: Authenticated(self.caller.0.clone()), scopes: PhantomData }
    }
}

impl<R: Scopes, C> fmt::Debug for Scoped<R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scoped").field(&self.caller.0).finish()
    }
}
