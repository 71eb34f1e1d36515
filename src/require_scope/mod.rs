//! [`RequireScope`]: lets a request through if its verified token grants the scopes.
//!
//! It stands inside an [`AuthLayer`](crate::AuthLayer), around a router, a route or any service.
//! Guards that stand in each other combine: all must let the request through, and the challenge of
//! a refusal names what the guard that refused needs. Without an `AuthLayer` around it every
//! request gets 500 and an error event: a wiring mistake must not open a door.
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_bearer::{AuthLayer, RequireScope, scope, test_util::TestIssuer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = TestIssuer::new();
//! let service = ServiceBuilder::new()
//!     .layer(AuthLayer::new(issuer.verifier()))
//!     .layer(RequireScope::all([scope!("reports:read"), scope!("tenant:all")]))
//!     .service(service_fn(|_: Request<String>| async {
//!         Ok::<_, std::convert::Infallible>(Response::new(String::new()))
//!     }));
//! let get = |scope: &str| {
//!     let bearer = format!("Bearer {}", issuer.token().scope(scope).sign());
//!     Request::get("/").header("authorization", bearer).body(String::new())
//! };
//!
//! let granted = service.clone().oneshot(get("reports:read tenant:all")?).await?;
//! assert_eq!(granted.status(), StatusCode::OK);
//!
//! let refused = service.oneshot(get("reports:read")?).await?;
//! assert_eq!(refused.status(), StatusCode::FORBIDDEN);
//! let challenge = refused.headers()["www-authenticate"].to_str()?;
//! assert!(challenge.ends_with(r#"scope="reports:read tenant:all""#));
//! # Ok(())
//! # }
//! ```

mod layer;

pub use self::layer::RequireScope;
