//! [`AuthLayer`]: lets a request through if its token is verified.
//!
//! The layer puts an [`AuthContext`](crate::AuthContext) into the request extensions, where
//! [`RequireScope`](crate::RequireScope), the extractors and handlers find it. A refusal is a
//! response with the exact status and challenge of RFC 6750 section 3 and with
//! `Cache-Control: no-store`; the inner service is not called then. Refusals of guards and
//! extractors further in are completed on the way out, so that all look alike:
//!
//! - Headers that layers in between added stay. A body that one of them made stays too, if it came
//!   with a `Content-Type`, or in a response that is all its own.
//! - An answer whose status one of them changed is theirs.
//! - Only where a layer in between runs what is inside in another task, as `tower::buffer::Buffer`
//!   does, *and* makes a response of its own, a refusal is not recognised and lacks its challenge and
//!   its event: such a layer must move the extensions of the response over.
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
