use std::{fmt, marker::PhantomData, ops::Deref};

use axum_core::extract::FromRequestParts;
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
/// Dereferences to [`Verified<C>`]. See the [module docs](crate::extract) for an example.
//
// The bound on the struct itself is for the message: in `async fn handler(_: Scoped<u32>)` the
// compiler then names the argument, and not only that the function is no handler.
pub struct Scoped<R: Scopes, C = ()> {
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
        let caller: Authenticated<C> =
            caller(&parts.extensions)?.ok_or(AuthErrorKind::NoCredentials)?;
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
