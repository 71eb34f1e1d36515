//! The public door: what a service author, a client and an operator see. Each rule of
//! `docs/conformance.md` is named by the test that shows it.

#![cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[cfg(feature = "issue")]
mod folder;
mod support;

mod backends;
#[cfg(feature = "cache")]
mod cache;
mod challenge;
mod claims;
mod config;
mod events;
mod extract;
mod guards;
mod issuers;
#[cfg(feature = "issue")]
mod issuing;
mod jws;
mod keys;
mod layers;
mod profile;
mod providers;
#[cfg(feature = "remote-keys")]
mod remote_keys;
mod revocation;
#[cfg(feature = "issue")]
mod revocation_feed;
mod scopes;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "issue")]
mod stores;
mod tracing_sink;
mod transport;
mod vectors;
