//! [`AuthLayer`]: lets a request through if its token is verified.
//!
//! The layer puts an [`AuthContext`](crate::AuthContext) into the request extensions, where
//! [`RequireScope`](crate::RequireScope), the extractors and handlers find it. A refusal is a
//! response with the exact status and challenge of RFC 6750 section 3 and with
//! `Cache-Control: no-store`; the inner service is not called then. Refusals of guards and
//! extractors further in are completed on the way out, so that all look alike:
//!
//! - Headers that layers in between added stay, except challenges of the scheme `Bearer`. A body that
//!   one of them made stays if it came with a `Content-Type` and the responder makes none, or if the
//!   response is all its own.
//! - An answer whose status one of them changed is theirs; the event tells what was refused. A 401 gets
//!   a challenge whatever made it of a refusal.
//! - A response of their own is taken for the refusal that was made last while this request was being
//!   worked on, if it has the same status. That fails where what is inside runs outside the polling of
//!   its own request, as behind `tower::buffer::Buffer` or in a future that requests share: a layer that
//!   makes responses of its own there must move the extensions of the refusal over.
//! - A handler's own error type must make its response of the [`AuthError`](crate::AuthError), as [the
//!   how-to](crate::manual::howto#have-an-error-type-of-your-own) shows.
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use tower::{Layer, ServiceExt, service_fn};
//! use tower_bearer::{AuthContext, AuthLayer, test_util::TestIssuer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = TestIssuer::new();
//! let whoami = service_fn(|request: Request<String>| async move {
//!     let context = request.extensions().get::<AuthContext>();
//!     let subject = context.and_then(|context| context.grant()?.subject().map(str::to_owned));
//!     Ok::<_, std::convert::Infallible>(Response::new(subject.unwrap_or_default()))
//! });
//! let service = AuthLayer::new(issuer.verifier()).layer(whoami);
//!
//! let token = issuer.token().subject("alice").sign();
//! let request = Request::get("/")
//!     .header("authorization", format!("Bearer {token}"))
//!     .body(String::new())?;
//! assert_eq!(service.clone().oneshot(request).await?.body(), "alice");
//!
//! let refused = service.oneshot(Request::get("/").body(String::new())?).await?;
//! assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
//! assert_eq!(refused.headers()["www-authenticate"], r#"Bearer realm="api""#);
//! # Ok(())
//! # }
//! ```
//!
//! Put a CORS layer *outside* this one: preflight requests carry no credentials.

mod future;
mod layer;
mod response;
mod service;
mod settings;

pub use self::{
    future::ResponseFuture,
    layer::{AuthLayer, AuthLayerBuilder},
    response::{EmptyBody, GrpcStatus, ProblemJson, Refusal, RefusalResponse},
    service::AuthService,
};
