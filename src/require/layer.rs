use std::{fmt, sync::Arc};

use tower_layer::Layer;

use super::{Guard, GuardService};
use crate::{
    error::{AuthError, AuthErrorKind},
    token::RequestHead,
    verified::Grant,
};

/// Lets a request through if a predicate or a guard of the application says so.
///
/// See the [module docs](crate::require) for an example.
#[must_use]
pub struct Require<G> {
    guard: Arc<G>,
}

impl<P> Require<Predicate<P>>
where
    P: Fn(&Grant, &RequestHead<'_>) -> bool + Send + Sync + 'static,
{
    /// Demands that this is true; otherwise the answer is that of
    /// [`PolicyDenied`](AuthErrorKind::PolicyDenied).
    pub fn that(predicate: P) -> Self {
        Self::by(Predicate(predicate))
    }
}

impl<G: Guard> Require<G> {
    /// Lets this guard decide, which can say [why](AuthError::with_source) it refuses.
    pub fn by(guard: G) -> Self {
        Self { guard: Arc::new(guard) }
    }
}

impl<G: Guard> Guard for Require<G> {
    fn check(&self, grant: &Grant, head: &RequestHead<'_>) -> Result<(), AuthError> {
        self.guard.check(grant, head)
    }
}

impl<S, G> Layer<S> for Require<G> {
    type Service = GuardService<S, Self>;

    fn layer(&self, inner: S) -> Self::Service {
        GuardService::new(inner, self.clone())
    }
}

impl<G> Clone for Require<G> {
    fn clone(&self) -> Self {
        Self { guard: Arc::clone(&self.guard) }
    }
}

impl<G> fmt::Debug for Require<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Require")
    }
}

/// The guard of [`Require::that`].
#[derive(Clone, Copy)]
pub struct Predicate<P>(P);

impl<P> Guard for Predicate<P>
where
    P: Fn(&Grant, &RequestHead<'_>) -> bool + Send + Sync + 'static,
{
    fn check(&self, grant: &Grant, head: &RequestHead<'_>) -> Result<(), AuthError> {
        if (self.0)(grant, head) { Ok(()) } else { Err(AuthErrorKind::PolicyDenied.into()) }
    }
}

impl<P> fmt::Debug for Predicate<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Predicate")
    }
}
