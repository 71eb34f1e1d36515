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
#[cfg(feature = "remote-keys")]
mod fetch;
mod issuer;
pub mod raw;
mod request;
#[cfg(feature = "issue")]
pub mod stores;
mod token;

use crate::key::VerifyingKey;

#[cfg(feature = "remote-keys")]
pub use self::fetch::{Answer, MemoryFetch};
pub use self::{
    clock::FrozenClock,
    issuer::TestIssuer,
    request::{get, request},
    token::TokenBuilder,
};

/// The key document (JWKS) with these keys; secrets are left out.
///
/// ```
/// use tower_bearer::{key::KeySet, test_util::{self, TestIssuer}};
///
/// let [old, new] = [TestIssuer::new(), TestIssuer::new()];
/// let next = new.key().clone().with_id("next")?;
/// let both = test_util::jwks([old.key(), &next]);
/// assert_eq!(KeySet::from_jwks(&both)?.len(), 2);
/// # Ok::<(), tower_bearer::key::KeyError>(())
/// ```
#[must_use]
pub fn jwks<'k>(keys: impl IntoIterator<Item = &'k VerifyingKey>) -> String {
    let keys: Vec<_> = keys.into_iter().filter_map(VerifyingKey::to_jwk).collect();
    serde_json::json!({ "keys": keys }).to_string()
}
