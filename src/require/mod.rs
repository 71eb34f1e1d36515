//! [`Require`]: lets a request through if a predicate over the verified grant and the request says
//! so; and what all guards share.
//!
//! For policies that are no matter of scopes: the tenant, the client, the resource. A refusal by a
//! predicate is 403 without a challenge, as another scope would not help; a [`Guard`] returns an error
//! of its own.
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_bearer::{AuthLayer, Grant, Require, test_util::TestIssuer, token::RequestHead};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = TestIssuer::new();
//! let own_files_only = |grant: &Grant, head: &RequestHead<'_>| {
//!     // A path of another form and a token without a subject must not meet as two times nothing.
//!     match (head.uri().path().strip_prefix("/files/"), grant.subject()) {
//!         (Some(owner), Some(subject)) => owner == subject,
//!         _ => false,
//!     }
//! };
//! let service = ServiceBuilder::new()
//!     .layer(AuthLayer::new(issuer.verifier()))
//!     .layer(Require::that(own_files_only))
//!     .service(service_fn(|_: Request<String>| async {
//!         Ok::<_, std::convert::Infallible>(Response::new(String::new()))
//!     }));
//! let bearer = format!("Bearer {}", issuer.token().subject("alice").sign());
//! let get = |path: &str| Request::get(path).header("authorization", &bearer).body(String::new());
//!
//! assert_eq!(service.clone().oneshot(get("/files/alice")?).await?.status(), StatusCode::OK);
//! assert_eq!(service.clone().oneshot(get("/files/bob")?).await?.status(), StatusCode::FORBIDDEN);
//! assert_eq!(service.oneshot(get("/elsewhere")?).await?.status(), StatusCode::FORBIDDEN);
//! # Ok(())
//! # }
//! ```
//!
//! Inside an axum route the path is matched already, so a check of a tenant in the path reads
//! best in the handler, with `Path` and [`Grant::require`](crate::Grant::require) or
//! [`AuthErrorKind::PolicyDenied`](crate::AuthErrorKind::PolicyDenied); a nested router strips the
//! prefix from the URI that a predicate sees.

mod future;
mod layer;
mod service;

pub use self::{
    future::ResponseFuture,
    layer::{Predicate, Require},
    service::GuardService,
};
use crate::{error::AuthError, token::RequestHead, verified::Grant};

/// Decides about a request whose token is verified. Synchronous, so that no guard ever boxes. Closures
/// and functions do as well.
///
/// ```
/// use std::collections::HashSet;
/// use tower_bearer::{AuthError, AuthErrorKind, Grant, Require, require::Guard, token::RequestHead};
///
/// struct NotBlocked { clients: HashSet<String> }
///
/// impl Guard for NotBlocked {
///     fn check(&self, grant: &Grant, _head: &RequestHead<'_>) -> Result<(), AuthError> {
///         match grant.client_id() {
///             Some(client) if !self.clients.contains(client) => Ok(()),
///             // The client is told 403 and nothing more; the operator sees the source.
///             _ => Err(AuthError::new(AuthErrorKind::PolicyDenied).with_source("client blocked")),
///         }
///     }
/// }
///
/// let layer = Require::by(NotBlocked { clients: HashSet::from(["client-7".to_owned()]) });
/// # let _ = layer;
/// ```
pub trait Guard: Send + Sync + 'static {
    /// Whether the request may go on.
    ///
    /// # Errors
    ///
    /// Why it is refused.
    fn check(&self, grant: &Grant, head: &RequestHead<'_>) -> Result<(), AuthError>;
}

impl<F> Guard for F
where
    F: Fn(&Grant, &RequestHead<'_>) -> Result<(), AuthError> + Send + Sync + 'static,
{
    fn check(&self, grant: &Grant, head: &RequestHead<'_>) -> Result<(), AuthError> {
        self(grant, head)
    }
}
