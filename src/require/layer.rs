use std::{fmt, sync::Arc};

use tower_layer::Layer;

use super::{Guard, GuardService};
use crate::{
    error::{AuthError, AuthErrorKind},
    token::RequestHead,
    verified::Grant,
};

/// Lets a request through if a predicate says so.
///
/// See the [module docs](crate::require) for an example.
#[must_use]
pub struct Require<P> {
    predicate: Arc<P>,
}

impl<P> Require<P>
where
    P: Fn(&Grant, &RequestHead<'_>) -> bool + Send + Sync + 'static,
{
    /// Demands that this is true.
    pub fn that(predicate: P) -> Self {
        Self { predicate: Arc::new(predicate) }
    }
}

impl<P> Guard for Require<P>
where
    P: Fn(&Grant, &RequestHead<'_>) -> bool + Send + Sync + 'static,
{
    fn check(&self, grant: &Grant, head: &RequestHead<'_>) -> Result<(), AuthError> {
        if (self.predicate)(grant, head) { Ok(()) } else { Err(AuthErrorKind::PolicyDenied.into()) }
    }
}

impl<S, P> Layer<S> for Require<P> {
    type Service = GuardService<S, Self>;

    fn layer(&self, inner: S) -> Self::Service {
        GuardService::new(inner, self.clone())
    }
}

impl<P> Clone for Require<P> {
    fn clone(&self) -> Self {
        Self { predicate: Arc::clone(&self.predicate) }
    }
}

impl<P> fmt::Debug for Require<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Require")
    }
}
