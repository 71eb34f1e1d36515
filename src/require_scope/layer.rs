use tower_layer::Layer;

use crate::{
    error::AuthError,
    require::{Guard, GuardService},
    scope::{Requirement, ScopeError, ScopeToken},
    token::RequestHead,
    verified::Grant,
};

/// Lets a request through if its verified token grants the scopes.
///
/// See the [module docs](crate::require_scope) for an example.
#[derive(Clone, Debug)]
#[must_use]
pub struct RequireScope {
    requirement: Requirement,
}

impl RequireScope {
    /// Demands what the requirement says.
    pub fn new(requirement: impl Into<Requirement>) -> Self {
        Self { requirement: requirement.into() }
    }

    /// Demands all of these scopes or requirements. An empty list is a compile error.
    pub fn all<T: Into<Requirement>, const N: usize>(parts: [T; N]) -> Self {
        Self::new(Requirement::all(parts))
    }

    /// Demands one of these scopes or requirements. An empty list is a compile error.
    pub fn any<T: Into<Requirement>, const N: usize>(parts: [T; N]) -> Self {
        Self::new(Requirement::any(parts))
    }

    /// Demands a verified token, with whatever scopes: for routes inside an optional `AuthLayer`.
    pub fn authenticated() -> Self {
        Self::new(Requirement::authenticated())
    }

    /// Reads the requirement from configuration; see [`Requirement::parse`].
    ///
    /// # Errors
    ///
    /// [`ScopeError`] if the text is no requirement.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        Requirement::parse(text).map(Self::new)
    }
}

impl From<ScopeToken> for RequireScope {
    fn from(scope: ScopeToken) -> Self {
        Self::new(scope)
    }
}

impl Guard for RequireScope {
    fn check(&self, grant: &Grant, _head: &RequestHead<'_>) -> Result<(), AuthError> {
        grant.require(&self.requirement)
    }
}

impl<S> Layer<S> for RequireScope {
    type Service = GuardService<S, Self>;

    fn layer(&self, inner: S) -> Self::Service {
        GuardService::new(inner, self.clone())
    }
}
