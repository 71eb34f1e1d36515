//! Bearer-token authorization for any Tower service.
pub mod auth;
pub mod authenticate;
pub mod challenge;
pub mod claims;
mod crypto;
mod error;
pub mod event;
#[cfg(feature = "axum")]
pub mod extract;
mod json;
mod jws;
pub mod key;
pub mod policy;
pub mod require;
pub mod require_scope;
pub mod scope;
mod secret;
#[cfg(feature = "test-util")]
pub mod test_util;
pub mod time;
pub mod token;
pub mod verified;
pub mod verifier;

#[cfg(feature = "axum")]
pub use self::extract::{Authenticated, Scoped};
pub use self::{
    auth::AuthLayer,
    crypto::{Algorithm, Backend},
    error::{AuthError, AuthErrorKind, BoxError, ConfigError},
    policy::Issuer,
    require::Require,
    require_scope::RequireScope,
    verified::{AuthContext, Grant, Verified},
    verifier::Verifier,
};
