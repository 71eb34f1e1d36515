//! The issuing side: applications, short-lived access tokens, and refresh tokens that rotate.
//!
//! An [`AuthorizationServer`] knows applications by their secrets and gives them a pair of tokens:
//! an access token, which verifiers check without asking anybody, and a refresh token, which is
//! good for one next pair. It keeps no session; what it must remember is in a [`Store`].
//!
//! ```
//! use std::time::Duration;
//! use tower_bearer::{
//!     AuthErrorKind, Verifier,
//!     issue::{AuthorizationServer, NewApplication, RootKey, ServerKeys},
//!     scope::ScopeSet,
//!     store::Memory,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = AuthorizationServer::builder(Memory::new()) // or `Sqlite::open("tokens.db")?`
//!     .issuer("https://id.example.com")
//!     .keys(ServerKeys::new(&RootKey::generate()?))          // or a file, or a secret manager
//!     .access_lifetime(Duration::from_secs(300))
//!     .open()
//!     .await?;
//!
//! // In the same process: the keys follow rotations, revocations hold at the next request.
//! let trusted = server.trusted().audience("https://api.example.com");
//! let verifier = Verifier::builder().issuer(trusted).build()?;
//!
//! let app = NewApplication::new("App1")
//!     .audience("https://api.example.com")
//!     .scopes(ScopeSet::parse("reports:read")?);
//! let (app, secret) = server.applications().create(app).await?;
//! # let _ = (app, secret, verifier.verify_now("x").map_err(|error| error.kind() == AuthErrorKind::Malformed));
//! # Ok(())
//! # }
//! ```
//!
//! The [`endpoints`] are the doors of it. How it is run, with backups, proxies and rotations, is in
//! the manual, `manual::issuing`.
//!
//! # Refresh tokens
//!
//! All refresh tokens that follow from one authentication are a family: one row, with the number of
//! the generation that is current. A token is the id of its family, its generation, and an HMAC of
//! both under a key that is not in the store. So no token is stored, a forged one is refused
//! without a look at the store, and the current one can be given again.
//!
//! - The current token is exchanged for the next, by one conditional write.
//! - The one before it, for ten seconds: the current one again, as the answer may have been lost.
//!   Clients that race each other all get the same. If that happens in more than three generations
//!   in a row, two hold tokens of the family.
//! - Anything older: the token was copied. The family ends, with its access tokens, and there is an
//!   event of severity `Critical`.
//!
//! A family ends after 15 days without use, and after 30 days whatever happens. It is refreshed
//! where it was opened: at the product's endpoint, where whoever holds the token may, or at that of
//! OAuth, where the client authenticates as well.
//!
//! # Secrets
//!
//! Secrets are generated, of 256 bits, shown once, and kept as an HMAC under a pepper that is not
//! in the store. Those that a person chose are kept as Argon2id hashes. Unknown name, wrong secret,
//! expired secret and disabled application get the same answer, at the same cost.
//! [Guessing](Throttle) is throttled before anything is looked up or hashed, also by a
//! [limiter of one's own](GuessLimiter) if there is one.

mod access_token;
mod application;
mod applications;
mod argon;
mod authenticate;
mod builder;
pub mod endpoints;
mod error;
mod family;
mod feed;
mod following;
mod guess_log;
mod hashing;
mod introspect;
mod key_file;
mod maintenance;
mod network;
mod notices;
mod refresh;
mod refresh_token;
mod revoke;
mod rotation;
mod secret;
mod server;
mod server_keys;
mod signing;
mod source;
mod store;
mod throttle;
mod tokens;
mod turns;
#[cfg(test)]
mod work;

pub use self::{
    application::{Application, ApplicationRecord, NewApplication, SecretInfo, SecretRecord},
    applications::{AdminError, Applications, Cascade},
    builder::{OpenError, ServerBuilder},
    family::{Door, FamilyId, FamilyRecord},
    feed::StoreSource,
    guess_log::{Guess, GuessEntry, GuessLog, GuessPage, GuessRecord},
    network::Network,
    notices::{Notices, Notifier},
    secret::GeneratedSecret,
    server::AuthorizationServer,
    server_keys::{KeyFileError, RootKey, ServerKeys},
    signing::{KeyInfo, KeyRecord, KeyState},
    source::{FindSource, Source},
    store::{Applied, Past, Pending, Store, StoreError, Write},
    throttle::{Admission, GuessAttempt, GuessLimiter, Throttle},
};
