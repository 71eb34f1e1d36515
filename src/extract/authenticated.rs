use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::{Extensions, request::Parts};

use crate::{
    error::{AuthError, AuthErrorKind},
    verified::{AuthContext, Verified},
};

/// The caller, whose token is verified; `C` is the claims type of the verifier.
///
/// Dereferences to [`Verified<C>`]. See the [module docs](crate::extract) for an example.
#[derive(Clone, Debug)]
pub struct Authenticated<C: 'static = ()>(pub Verified<C>);

impl<C> Deref for Authenticated<C> {
    type Target = Verified<C>;

    fn deref(&self) -> &Verified<C> {
        &self.0
    }
}

impl<S, C> FromRequestParts<S> for Authenticated<C>
where
    S: Sync,
    C: Send + Sync + 'static,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AuthError> {
        caller(&parts.extensions)?.ok_or_else(|| AuthErrorKind::NoCredentials.into())
    }
}

impl<S, C> OptionalFromRequestParts<S> for Authenticated<C>
where
    S: Sync,
    C: Send + Sync + 'static,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, AuthError> {
        caller(&parts.extensions)
    }
}

/// The caller that the `AuthLayer` left, or nothing for an anonymous request.
pub(super) fn caller<C>(extensions: &Extensions) -> Result<Option<Authenticated<C>>, AuthError>
where
    C: Send + Sync + 'static,
{
    Ok(AuthContext::of(extensions)?.verified()?.map(Authenticated))
}
