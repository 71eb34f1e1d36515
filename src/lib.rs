//! Bearer-token authorization for any Tower service: typed, verified claims and granular scopes.
//!
//! An [`AuthLayer`] verifies the token of each request once. Handlers get the claims as typed
//! arguments, guards refuse what the token's scopes do not allow, and clients get the exact answers
//! of RFC 6750.
//!
//! ```
//! use axum::{Router, body::Body, routing::get};
//! use http::{Request, StatusCode};
//! use tower::ServiceExt;
//! use tower_bearer::{AuthLayer, Authenticated, RequireScope, Verifier, scope};
//! use tower_bearer::test_util::{self, TestIssuer};
//!
//! #[derive(serde::Deserialize)]
//! struct User { tenant: String } // the application's own claims
//!
//! async fn list(auth: Authenticated<User>) -> String {
//!     format!("reports of {}", auth.custom().tenant)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In a test the issuer is in the process. A real one is described by hand:
//! // Issuer::new("https://id.example.com")
//! //     .audience("https://api.example.com")
//! //     .algorithms([Algorithm::Es256])
//! //     .keys(KeySet::from_jwks(&document)?)
//! let issuer = TestIssuer::new();
//! let verifier = Verifier::builder().issuer(issuer.trusted()).claims::<User>().build()?;
//!
//! let app = Router::new()
//!     .route("/reports", get(list).layer(RequireScope::all([scope!("reports:read")])))
//!     .layer(AuthLayer::new(verifier));
//!
//! let token = issuer.token().claim("tenant", "acme").scope("reports:read").sign();
//! let accepted = app.clone().oneshot(test_util::get::<Body>("/reports", &token)).await?;
//! assert_eq!(accepted.status(), StatusCode::OK);
//!
//! let token = issuer.token().claim("tenant", "acme").sign();
//! let refused = app.clone().oneshot(test_util::get::<Body>("/reports", &token)).await?;
//! assert_eq!(refused.status(), StatusCode::FORBIDDEN);
//!
//! let missing = app.oneshot(Request::get("/reports").body(Body::empty())?).await?;
//! assert_eq!(missing.status(), StatusCode::UNAUTHORIZED);
//! assert_eq!(missing.headers()["www-authenticate"], r#"Bearer realm="api""#);
//! # Ok(())
//! # }
//! ```
//!
//! # The nouns
//!
//! - An [`Issuer`] is one trusted issuer: its keys, algorithms, audiences, token type, and where its
//!   tokens name scopes. Give a [`Verifier`] as many as there are.
//! - A [`Verifier`] verifies tokens, with or without HTTP around it.
//! - An [`AuthLayer`] puts a verifier before a service, [`RequireScope`] and [`Require`] guard what
//!   is inside. [`Authenticated`] and [`Scoped`] are the
//!   same for axum handlers.
//! - [`Verified`] is the proof that a token was verified; nobody but a verifier makes one. Its
//!   [`Grant`] says who the caller is and what is granted.
//! - A [`Requirement`](scope::Requirement) is what a guard demands: all of, any of, nested.
//!
//! # What is checked by default
//!
//! - Exactly one token, in the `Authorization` header, of at most 8 KiB.
//! - A compact JWS with strict base64url and JSON: no repeated members at any depth, no stray bits, at most 32
//!   levels and 256 members.
//! - An algorithm that the issuer is configured with, and a key of that issuer that fits it. `none`
//!   does not exist here; `crit`, nested JWTs and encrypted tokens are refused.
//! - The signature, once, over the bytes as received. Nothing is believed before.
//! - `typ` is `at+jwt`; `iss`, `aud`, `exp`, `sub`, `client_id`, `iat` and `jti` are there (RFC
//!   9068), `iss` and `aud` byte for byte. [`policy::TokenType::AnyJwt`] is for issuers that send
//!   `JWT` or nothing.
//! - `exp`, `nbf` and `iat`, with 60 s for clocks that differ.
//! - A token that is bound to a key (`cnf`) is refused, as its proof is not checked here.
//!
//! A token that was revoked is refused if its issuer is given a list of [`Revocations`](revocation);
//! else it is good until it expires.
//!
//! Leeway and sizes are settings within bounds. What goes below the standards has `danger` in its name.
//!
//! # What it does not do
//!
//! - It does not end TLS, and it reads no token from the query string or the body.
//! - It does not know which object belongs to whom: that check stays in the handler.
//! - It fetches nothing but keys, and those only with the feature `remote-keys`; else keys are given,
//!   and [replaced](Verifier::replace_keys) while serving.
//! - It issues tokens with the feature `issue` only, and to applications only: it knows no users.
//!
//! # Test your own service
//!
//! With `tower-bearer = { version = "0.1", features = ["test-util"] }` under `[dev-dependencies]`,
//! two lines protect a service in a test, with tokens that are really signed:
//!
//! ```
//! let issuer = tower_bearer::test_util::TestIssuer::new();
//! let layer = tower_bearer::AuthLayer::new(issuer.verifier());
//! # let _ = layer;
//! ```
//!
//! Every flaw is one line, such as `issuer.token().expired().sign()`; see [`test_util`].
//!
//! # Features
//!
//! | feature | gives | default |
//! |---|---|---|
//! | `aws-lc-rs` | cryptography by AWS-LC, the fast backend | yes |
//! | `axum` | [`extract`]: extractors for axum handlers | yes |
//! | `tracing` | [`event::Tracing`], which every layer uses unless told otherwise | yes |
//! | `cache` | [`VerifierBuilder::cache`](verifier::VerifierBuilder::cache): verified tokens are remembered | no |
//! | `issue` | [`issue`]: tokens for applications, and the endpoints that give them | no |
//! | `postgres` | `issue` with a store in a PostgreSQL database, for several servers, `store::Postgres` | no |
//! | `remote-keys` | [`remote_keys`]: keys from the network, found, kept fresh, on tokio | no |
//! | `reqwest` | `remote-keys` with an HTTP client, [`HttpFetch`](remote_keys::HttpFetch) | no |
//! | `revocation-feed` | [`revocation::feed`]: lists of revocations that are kept current, on tokio | no |
//! | `rust-crypto` | cryptography in pure Rust; see [`Backend`] for the differences | no |
//! | `sqlite` | `issue` with a store in a file, `store::Sqlite` | no |
//! | `test-util` | [`test_util`]: an issuer, a clock and helpers for tests | no |
//! | `full` | all but `test-util` | no |
//!
//! Without a backend a verifier cannot be built, which is an error and not a panic. With both,
//! `aws-lc-rs` is used unless the builder is told otherwise.
//!
//! # The modules, from the bottom up
//!
//! Vocabulary: [`mod@scope`], [`claims`], [`time`]. Engine: [`key`], [`policy`]. HTTP: [`token`],
//! [`challenge`]. Verification: [`verified`], [`event`], [`authenticate`],
//! [`remote_keys`], [`revocation`], [`issuer`], [`verifier`]. Issuing: [`issue`]. Tower:
//! [`auth`], [`require`], [`require_scope`]. Adapters: [`extract`], [`store`], [`test_util`]. And the
//! [`manual`]: threats, defaults, how-to.
//!
//! # Security
//!
//! The [threat model](manual::threat_model) names each attack with its defence and its place in the
//! code. `unsafe` is forbidden. The minimum supported Rust version is 1.88; raising it is a minor
//! release.

pub mod auth;
pub mod authenticate;
pub mod challenge;
pub mod claims;
mod crypto;
mod error;
pub mod event;
#[cfg(feature = "axum")]
pub mod extract;
#[cfg(feature = "issue")]
pub mod issue;
pub mod issuer;
mod json;
mod jws;
pub mod key;
mod lanes;
pub mod manual;
pub mod policy;
mod ready;
mod refusal;
#[cfg(feature = "remote-keys")]
pub mod remote_keys;
pub mod require;
pub mod require_scope;
pub mod revocation;
pub mod scope;
mod secret;
mod span;
#[cfg(feature = "issue")]
pub mod store;
#[cfg(feature = "test-util")]
pub mod test_util;
pub mod time;
pub mod token;
mod url;
pub mod verified;
pub mod verifier;
#[cfg(any(feature = "remote-keys", feature = "revocation-feed"))]
mod wait;

#[cfg(feature = "axum")]
pub use self::extract::{Authenticated, Scoped};
pub use self::{
    auth::AuthLayer,
    crypto::{Algorithm, Backend},
    error::{AuthError, AuthErrorKind, BoxError, ConfigError},
    issuer::Issuer,
    require::Require,
    require_scope::RequireScope,
    verified::{AuthContext, Grant, Verified},
    verifier::Verifier,
};

/// The example of the README is compiled with the other examples.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
