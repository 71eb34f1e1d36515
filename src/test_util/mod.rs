//! For tests of your own: an in-process issuer that signs real tokens, a frozen clock, and helpers
//! for requests. Feature `test-util`; not for production.
//!
//! ```
//! use http::StatusCode;
//! use tower::{Layer, ServiceExt, service_fn};
//! use tower_bearer::{AuthLayer, test_util::{self, TestIssuer}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = TestIssuer::new();
//! let service = AuthLayer::new(issuer.verifier()).layer(service_fn(|_: http::Request<String>| async {
//!     Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
//! }));
//!
//! let good = test_util::get("/", &issuer.token().scope("reports:read").sign());
//! assert_eq!(service.clone().oneshot(good).await?.status(), StatusCode::OK);
//! let bad = test_util::get("/", &issuer.token().tampered().sign());
//! assert_eq!(service.oneshot(bad).await?.status(), StatusCode::UNAUTHORIZED);
//! # Ok(())
//! # }
//! ```
//!
//! A handler can be tested without a router: [`TestIssuer::authenticated`] gives the argument that
//! an extractor would, from a token that is really signed and verified; `Scoped::try_from` makes it
//! the argument of a handler that demands scopes.
//!
//! The functions here panic when they are used wrongly, as a test should.

mod clock;
mod issuer;
pub mod raw;
mod request;
mod token;

pub use self::{
    clock::FrozenClock,
    issuer::TestIssuer,
    request::{get, request},
    token::TokenBuilder,
};
