//! Extractors for axum handlers: [`Authenticated<C>`] hands the verified claims over,
//! [`Scoped<R, C>`] demands scopes as well.
//!
//! ```
//! use axum::{Router, body::Body, routing::{get, post}};
//! use http::{Request, StatusCode};
//! use tower::ServiceExt;
//! use tower_bearer::{AuthLayer, Authenticated, Scoped, test_util::TestIssuer};
//!
//! #[derive(serde::Deserialize)]
//! struct User { tenant: String }
//!
//! tower_bearer::scopes! { pub ReportsWrite = "reports:write" }
//!
//! async fn list(auth: Authenticated<User>) -> String {
//!     format!("{} of {}", auth.subject().unwrap_or("nobody"), auth.custom().tenant)
//! }
//!
//! async fn create(_auth: Scoped<ReportsWrite>) {}
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = TestIssuer::new();
//! let verifier = issuer.verifier_with::<User>();
//! let app = Router::new()
//!     .route("/reports", get(list).post(create))
//!     .layer(AuthLayer::new(verifier));
//!
//! let token = issuer.token().subject("alice").claim("tenant", "acme").sign();
//! let request = |method: &str| Request::builder()
//!     .method(method)
//!     .uri("/reports")
//!     .header("authorization", format!("Bearer {token}"))
//!     .body(Body::empty());
//! assert_eq!(app.clone().oneshot(request("GET")?).await?.status(), StatusCode::OK);
//! assert_eq!(app.oneshot(request("POST")?).await?.status(), StatusCode::FORBIDDEN);
//! # Ok(())
//! # }
//! ```
//!
//! `C` is the claims type of the verifier; any other is a wiring mistake, answered with 500 and an
//! error event. A handler that needs no claims of the application leaves it out: `Authenticated` and
//! `Scoped<R>` go with every verifier.
//!
//! In a route without an `AuthLayer` every extraction is 500 with an error event. Behind an
//! [optional](crate::auth::AuthLayerBuilder::optional) layer, an `Option` of one is `None` for a
//! request without credentials.
//!
//! [`AuthError`](crate::AuthError) is a response too, so a handler can end a check with `?`:
//!
//! ```
//! use axum::extract::Path;
//! use tower_bearer::{AuthError, AuthErrorKind, Authenticated, scope};
//!
//! #[derive(serde::Deserialize)]
//! struct User { tenant: String }
//!
//! async fn report(Path(tenant): Path<String>, auth: Authenticated<User>) -> Result<String, AuthError> {
//!     if auth.custom().tenant != tenant {
//!         return Err(AuthErrorKind::PolicyDenied.into()); // 403
//!     }
//!     auth.require(&scope!("reports:read").into())?; // 403 with the scope that is needed
//!     Ok(format!("the report of {tenant}"))
//! }
//! # let _: axum::Router = axum::Router::new().route("/{tenant}", axum::routing::get(report));
//! ```

mod authenticated;
mod rejection;
mod scoped;

pub use self::{authenticated::Authenticated, scoped::Scoped};
