//! How to do common things. The folder `examples` of the repository has whole programs.
//!
//! # Describe a real issuer
//!
//! ```
//! use tower_bearer::{Algorithm, Issuer, claims::ScopeClaim, key::KeySet, policy::TokenType};
//!
//! # fn document() -> String { r#"{"keys": []}"#.to_owned() }
//! let issuer = Issuer::new("https://id.example.com/realms/main")
//!     .audience("https://api.example.com")
//!     .algorithms([Algorithm::Rs256])
//!     .keys(KeySet::from_jwks(&document())?)
//!     .token_type(TokenType::AnyJwt)                             // it sends `typ: JWT`
//!     .scope_claim(ScopeClaim::scope())
//!     .scope_claim(ScopeClaim::path(["realm_access", "roles"]).prefix("role:"));
//! # let _ = issuer;
//! # Ok::<(), tower_bearer::key::KeyError>(())
//! ```
//!
//! # Give a PEM key its id
//!
//! A token with a `kid` only ever meets keys of that id, so tell the id that the issuer uses:
//!
//! ```no_run
//! use tower_bearer::key::VerifyingKey;
//!
//! let key = VerifyingKey::from_pem(std::fs::read("issuer.pem")?)?.with_id("2026-11")?;
//! # let _ = key;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Let scopes imply others
//!
//! ```
//! use tower_bearer::{scope, test_util::TestIssuer, Verifier};
//!
//! let issuer = TestIssuer::new();
//! let trusted = issuer.trusted().implies(scope!("docs:*"), [scope!("docs:read"), scope!("docs:write")]);
//! let verifier = Verifier::builder().issuer(trusted).build()?;
//!
//! let grant = verifier.verify_now(&issuer.token().scope("docs:*").sign())?;
//! assert!(grant.allows(&scope!("docs:read").into()));
//! assert!(!grant.allows(&scope!("docs:delete").into()));
//! assert!(!grant.scopes().contains("docs:read")); // what the token itself says
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Check the tenant in the path
//!
//! In the handler, where the path is matched: see [`extract`](crate::extract).
//!
//! # Have an error type of your own
//!
//! Let the [`AuthError`](crate::AuthError) make the response, and change what you like but the status:
//! the `AuthLayer` knows it again and adds the challenge and the event. A response that only copies
//! the status would be yours alone.
//!
//! ```
//! use axum::{Json, response::{IntoResponse, Response}};
//! use tower_bearer::AuthError;
//!
//! enum ApiError { Auth(AuthError), NotFound }
//!
//! impl From<AuthError> for ApiError {
//!     fn from(error: AuthError) -> Self { Self::Auth(error) }
//! }
//!
//! impl IntoResponse for ApiError {
//!     fn into_response(self) -> Response {
//!         match self {
//!             Self::Auth(error) => {
//!                 let status = error.into_response().status();
//!                 (status, Json(serde_json::json!({"error": status.as_u16()}))).into_response()
//!             }
//!             Self::NotFound => http::StatusCode::NOT_FOUND.into_response(),
//!         }
//!     }
//! }
//! # let _: fn(AuthError) -> ApiError = Into::into;
//! # let _ = ApiError::NotFound;
//! ```
//!
//! # Combine with CORS
//!
//! The CORS layer goes outside the `AuthLayer`, and exposes
//! [`EXPOSE_HEADERS`](crate::challenge::EXPOSE_HEADERS).
//!
//! # Rotate keys while serving
//!
//! [`Verifier::replace_keys`](crate::Verifier::replace_keys); a request never waits for it.
//!
//! # Revoke a token before it expires
//!
//! A token says by itself that it is valid: whoever has it is let in, and it is good until it expires,
//! even if its issuer has revoked it, unless the service is told (RFC 7009 section 3). So keep lives
//! short, and give the issuer a list:
//!
//! ```
//! use std::time::Duration;
//! use tower_bearer::{Verifier, revocation::{Revocation, Revocations}, test_util::TestIssuer};
//!
//! let issuer = TestIssuer::new();
//! let revocations = Revocations::new();
//! let verifier = Verifier::builder()
//!     .issuer(issuer.trusted().revocations(revocations.clone()))
//!     .build()?;
//!
//! // At start: what was revoked before.
//! revocations.extend([]);
//!
//! // Tokens live for 600 s here, and clocks may differ by 300 s at most.
//! let (now, token) = (issuer.now(), issuer.token().claim("sid", "family-1").sign());
//! let until = now.saturating_add(Duration::from_secs(900));
//! assert!(verifier.verify_now(&token).is_ok());
//! revocations.revoke(&Revocation::token("an-id", until)); // one token, by its `jti`
//! revocations.revoke(&Revocation::client("a-client", now, until)); // its tokens so far
//! revocations.revoke(&Revocation::family("family-1", until)); // a session, by its `sid`
//! assert!(verifier.verify_now(&token).is_err());
//! revocations.revoke(&Revocation::issuer(now, until)); // all so far, if a key was stolen
//!
//! // Once in a minute: what has expired anyway.
//! revocations.purge(now);
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! The list is that of this process. What is revoked elsewhere holds here when it is put into the list.
//!
//! # Remember tokens that were verified
//!
//! Clients send the same token with many requests, and nearly all of what a request costs is its
//! signature. With the feature `cache` a verifier remembers what it accepted:
//!
//! ```
//! # #[cfg(feature = "cache")] {
//! use tower_bearer::{AuthErrorKind, Verifier, key::KeySet, test_util::TestIssuer};
//! use tower_bearer::verifier::CacheConfig;
//!
//! let issuer = TestIssuer::new();
//! let verifier = Verifier::builder().issuer(issuer.trusted()).cache(CacheConfig::new()).build()?;
//! let token = issuer.token().sign();
//! assert!(verifier.verify_now(&token).is_ok()); // one signature
//! assert!(verifier.verify_now(&token).is_ok()); // none
//!
//! // A key that is withdrawn takes the tokens along that are known.
//! let next = TestIssuer::new().key().clone().with_id("next")?;
//! verifier.replace_keys(issuer.name(), KeySet::new([next]))?;
//! let refused = verifier.verify_now(&token).unwrap_err();
//! assert_eq!(refused.kind(), AuthErrorKind::UnknownKey);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Whatever can change is looked at again each time: time, keys, tenants, revocation; guards and
//! handlers decide as ever. What it holds is good tokens, in the memory of the process, so leave it out where
//! the signature costs little, as with HS256, or where others may read that memory. How it does is in
//! [`Verifier::cache_stats`](https://docs.rs/tower-bearer/latest/tower_bearer/struct.Verifier.html#method.cache_stats):
//! many misses and evictions ask for more entries, or bytes.
//!
//! # Tell the caller in an access log
//!
//! [`echo_caller`](crate::auth::AuthLayerBuilder::echo_caller) puts the
//! [`AuthContext`](crate::AuthContext) into the response's extensions, where outer layers find it.
//!
//! # Give applications tokens
//!
//! With the features `issue` and `sqlite`: [`issue`](crate::issue) says how, and
//! [`issuing`](super::issuing) how to run it.
