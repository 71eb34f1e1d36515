//! The two families of errors: what is wrong with a configuration, and why a request is refused.
//!
//! [`ConfigError`] is returned when something is built and names the value and the remedy.
//! [`AuthError`] belongs to one request: a [kind](AuthErrorKind) that never changes its
//! [code](AuthErrorKind::code), and a little detail for operators that never reaches the client.

mod auth;
mod config;

pub(crate) use self::auth::Signed;
pub use self::{
    auth::{AuthError, AuthErrorKind},
    config::ConfigError,
};

/// Any error that can be a source.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
