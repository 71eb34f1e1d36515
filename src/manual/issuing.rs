//! How to run the issuing side. What it does is in [`issue`](crate::issue).
//!
//! # Mount the endpoints
//!
//! As the fallback of a router, see [`endpoints`](crate::issue::endpoints), or below a prefix: the
//! base URL then tells clients where they are, and the metadata stays at the root of the host.
//!
//! ```
//! use std::net::{IpAddr, SocketAddr};
//! use axum::{Router, body::Body, extract::ConnectInfo};
//! use http::{Request, StatusCode};
//! use tower::ServiceExt;
//! use tower_bearer::{issue::{FindSource, endpoints::Endpoints}, token::RequestHead};
//! # use tower_bearer::{issue::{AuthorizationServer, RootKey, ServerKeys}, store::Memory};
//!
//! // Serve it with `into_make_service_with_connect_info::<SocketAddr>()`.
//! fn peer(head: &RequestHead<'_>) -> Option<IpAddr> {
//!     head.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = AuthorizationServer::builder(Memory::new())
//! #     .issuer("https://example.com")
//! #     .keys(ServerKeys::new(&RootKey::from_bytes([7; 32])))
//! #     .open()
//! #     .await?;
//! let metadata = "/.well-known/oauth-authorization-server"; // and the path of the issuer, if it has one
//! let endpoints = Endpoints::builder(server, FindSource::peer(peer))
//!     .base_url("https://example.com/auth")
//!     .build()?;
//! let app = Router::new().nest_service("/auth", endpoints.clone()).route_service(metadata, endpoints);
//!
//! let status = async |path: &str| {
//!     let request = Request::get(path).body(Body::empty()).expect("a request");
//!     app.clone().oneshot(request).await.expect("it never fails").status()
//! };
//! assert_eq!(status("/auth/.well-known/jwks.json").await, StatusCode::OK);
//! assert_eq!(status(metadata).await, StatusCode::OK);
//! assert_eq!(status("/auth/oauth2/token").await, StatusCode::METHOD_NOT_ALLOWED); // POST only
//! assert_eq!(status("/oauth2/token").await, StatusCode::NOT_FOUND);
//! # Ok(())
//! # }
//! ```
//!
//! In plain hyper, whoever accepts the connection says where requests come from:
//!
//! ```no_run
//! use std::net::SocketAddr;
//! use http::Request;
//! use hyper::{body::Incoming, server::conn::http1};
//! use hyper_util::{rt::TokioIo, service::TowerToHyperService};
//! use tower::ServiceBuilder;
//! use tower_bearer::issue::{AuthorizationServer, FindSource, endpoints::Endpoints};
//!
//! async fn serve(server: AuthorizationServer) -> Result<(), Box<dyn std::error::Error>> {
//!     let peer = FindSource::peer(|head| Some(head.extensions().get::<SocketAddr>()?.ip()));
//!     let endpoints = Endpoints::builder(server, peer).build()?;
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     loop {
//!         let (stream, address) = listener.accept().await?;
//!         let service = ServiceBuilder::new()
//!             .map_request(move |mut request: Request<Incoming>| {
//!                 request.extensions_mut().insert(address);
//!                 request
//!             })
//!             .service(endpoints.clone());
//!         let service = TowerToHyperService::new(service);
//!         tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
//!     }
//! }
//! ```
//!
//! # Maintain it, and stop
//!
//! [`run`](crate::issue::AuthorizationServer::run) rotates keys, reads what other servers of the same
//! store did, and forgets what has expired, a day later: a clock that jumps ahead and is set right
//! within that day revives no revoked token. When the last request is answered, close the store.
//!
//! ```
//! use std::future::Future;
//! use axum::Router;
//! use tower_bearer::{issue::AuthorizationServer, store::Sqlite};
//! # use tower_bearer::issue::{RootKey, ServerKeys};
//!
//! async fn run(
//!     (store, server): (Sqlite, AuthorizationServer),
//!     (listener, app): (tokio::net::TcpListener, Router),
//!     stop: impl Future<Output = ()> + Send + 'static, // such as `tokio::signal::ctrl_c()`
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     let maintenance = tokio::spawn(async move { server.run().await });
//!     axum::serve(listener, app).with_graceful_shutdown(stop).await?;
//!     maintenance.abort(); // nothing is left half done
//!     Ok(store.close().await?)
//! }
//! #
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = std::env::temp_dir().join(format!("tower-bearer-doc-run-{}.db", std::process::id()));
//! # let store = Sqlite::open(&path).await?;
//! # let server = AuthorizationServer::builder(store.clone())
//! #     .issuer("https://id.example.com")
//! #     .keys(ServerKeys::new(&RootKey::from_bytes([7; 32])))
//! #     .open()
//! #     .await?;
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # run((store, server.clone()), (listener, Router::new()), std::future::ready(())).await?;
//!
//! // Whoever comes later is told so, and is answered with 503.
//! assert!(server.maintain().await.is_err());
//! # std::fs::remove_file(&path)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Run several servers, and verify elsewhere
//!
//! Any number of servers may have one PostgreSQL database, `store::Postgres`, with the same server keys
//! and clocks that agree within seconds. Give each its `run`: a revocation at one of them is refused by
//! all within a second, and the key document is the same everywhere within a few, long before a new key
//! signs.
//!
//! A refresh token is good for one next pair whichever server is asked: a client that gets no answer asks
//! again with the same token, anywhere, and gets the same next one. It should not use that one while its
//! first request may still arrive, as from a server that stood still: two rotations late it shows a token
//! that was used, which ends the family.
//!
//! A failed guess at one server counts at the others as well, a few tenths of a second later
//! ([`GuessLog`](crate::issue::GuessLog)); while the database is out of reach each counts for itself.
//!
//! A service that only verifies keeps a [feed](crate::revocation::feed) of what was revoked: from the
//! database ([`StoreSource`](crate::issue::StoreSource)), or over HTTP from any of the servers, with
//! `HttpSource`, as an application that was created with
//! [`introspects`](crate::issue::NewApplication::introspects) and is named by its client id. A role for the
//! database needs no more than this, in the schema of the store, which is `tower_bearer` unless said
//! otherwise:
//!
//! ```sql
//! GRANT USAGE ON SCHEMA tower_bearer TO verifying;
//! GRANT SELECT ON tower_bearer.migration, tower_bearer.revocation TO verifying;
//! ```
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")] {
//! use tower_bearer::{Algorithm, Issuer, Verifier, revocation::{RevocationFeed, StalePolicy, feed::HttpSource}};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let secret = "from the environment";
//! let source = HttpSource::new("https://id.example.com/revocations", "app_reports", secret)?;
//! let feed = RevocationFeed::builder(source, StalePolicy::Refuse).start()?;
//! let issuer = Issuer::discover("https://id.example.com")
//!     .audience("https://api.example.com")
//!     .algorithms([Algorithm::Es256])
//!     .revocations(feed.revocations());
//! let verifier: Verifier = Verifier::builder().issuer(issuer).build()?;
//! verifier.ready().await?; // keys, and everything that was revoked
//! # Ok(())
//! # }
//! # }
//! ```
//!
//! `ready` fails if the first attempt does, whatever the policy: with `StalePolicy::Accept` go on then, if
//! an outage of the feed is to be none of the service's. A feed reads everything again when the database was
//! started again, and hears nothing new until that is done, so its bound should be longer than that takes:
//! up to a second for each 10 000 revocations over HTTP. Where other programs write in the
//! same database for minutes in one transaction, everything revoked meanwhile is read again and again until
//! that has ended.
//!
//! To move from a file to a database, stop the servers and [copy](crate::store::copy) the one to the
//! other: applications, families, signing keys and revocations stay what they are.
//!
//! # Create and rotate the server's keys
//!
//! [`RootKey::load_or_create`](crate::issue::RootKey::load_or_create) makes the key file at the first
//! start, when the store has no signing keys; later it is [`load`](crate::issue::RootKey::load), which
//! makes none in the place of one that is lost. From a secret manager it is
//! [`from_bytes`](crate::issue::RootKey::from_bytes). Several servers of one store have the same key.
//!
//! A new root key brings a new key for refresh tokens, a new pepper, and a new key that seals signing
//! keys; with the old one behind it, what there is stays good. Only the throttle begins anew:
//!
//! ```
//! use tower_bearer::issue::{RootKey, ServerKeys};
//! # use tower_bearer::{issue::AuthorizationServer, store::Memory};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let old = RootKey::generate()?; // `RootKey::load("2026.key")?`
//! # let server = AuthorizationServer::builder(Memory::new())
//! #     .issuer("https://id.example.com")
//! #     .keys(ServerKeys::new(&old))
//! #     .open()
//! #     .await?;
//! let new = RootKey::generate()?; // `RootKey::load_or_create("2027.key")?`
//!
//! // Without the old one no signing key opens. So this is refused, and the keys stay as they are.
//! assert!(server.replace_server_keys(ServerKeys::new(&new)).await.is_err());
//!
//! server.replace_server_keys(ServerKeys::new(&new).with_previous(&old)).await?;
//!
//! // After the absolute end of refresh families, 30 days: the old pepper alone.
//! server.replace_server_keys(ServerKeys::new(&new).with_previous_pepper(&old)).await?;
//!
//! // When every secret was used since, or replaced.
//! server.replace_server_keys(ServerKeys::new(&new)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! - The digest of a secret is made anew when it is next used, so a secret whose
//!   [`last_used_at`](crate::issue::SecretInfo::last_used_at) is before the rotation needs the old
//!   pepper. Chosen secrets need none.
//! - With several servers, first give all of them `ServerKeys::new(&old).with_previous(&new)`: each
//!   must read what another has begun to make.
//! - If somebody may have seen the old key, leave it out of the ring: refresh tokens and generated
//!   secrets are then refused. Only
//!   [`with_previous_sealing`](crate::issue::ServerKeys::with_previous_sealing) is needed once more, to
//!   open the signing keys; replace them as below, and give applications new secrets.
//!
//! # Rotate signing keys
//!
//! Maintenance does: every 90 days, published a day before, see
//! [`key_rotation`](crate::issue::ServerBuilder::key_rotation). By hand:
//!
//! ```
//! use tower_bearer::issue::KeyState;
//! # use tower_bearer::{issue::{AuthorizationServer, RootKey, ServerKeys}, store::Memory};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = AuthorizationServer::builder(Memory::new())
//! #     .issuer("https://id.example.com")
//! #     .keys(ServerKeys::new(&RootKey::from_bytes([7; 32])))
//! #     .open()
//! #     .await?;
//! let states = || server.signing_keys().iter().map(|key| key.state).collect::<Vec<_>>();
//! server.rotate_signing_key().await?; // signs in a day, when everybody has it
//! assert_eq!(states(), [KeyState::Active, KeyState::Published]);
//!
//! // Somebody may know a private key: all tokens so far are refused.
//! server.replace_compromised_signing_keys().await?;
//! assert_eq!(states().iter().filter(|state| **state == KeyState::Removed).count(), 2);
//! assert_eq!(states().iter().filter(|state| **state == KeyState::Active).count(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Back up the SQLite file
//!
//! Let SQLite copy it; the service goes on meanwhile, and the copy is whole:
//!
//! ```text
//! umask 077                                          # a file that others can read is refused
//! sqlite3 tokens.db "VACUUM INTO 'backup/tokens.db'"
//! ```
//!
//! - `cp` of the file alone misses what is in `-wal`, and of all three files it may catch different
//!   moments. After [`close`](crate::store::Sqlite::close) the file alone is whole.
//! - The key file goes elsewhere: whoever has both can do all that the server can. Without it the copy
//!   is of no use to you either.
//! - To restore, stop all servers, take `-wal` and `-shm` away, and put the copy in place of the file.
//!
//! A restored store does not know what happened since. Refresh tokens from then count as stolen:
//! their families end, and their applications authenticate anew. But secrets, applications and
//! tokens that were revoked since are good again: revoke them again, or at least
//! [all access tokens](crate::issue::AuthorizationServer::revoke_access_tokens).
//!
//! # Sit behind a proxy
//!
//! Guessing is [throttled](crate::issue::Throttle) by source. Behind a proxy every connection comes
//! from the proxy: with [`FindSource::peer`](crate::issue::FindSource::peer) it would be the one
//! source of all, and thirty failures of somebody would keep everybody waiting who has not succeeded
//! lately. So name the proxies, and let each append its own peer to `X-Forwarded-For` (nginx: `proxy_set_header
//! X-Forwarded-For $proxy_add_x_forwarded_for`):
//!
//! ```
//! use std::net::{IpAddr, SocketAddr};
//! use axum::extract::ConnectInfo;
//! use tower_bearer::{issue::{FindSource, Network}, token::RequestHead};
//!
//! fn peer(head: &RequestHead<'_>) -> Option<IpAddr> {
//!     head.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
//! }
//!
//! let find_source = FindSource::behind_proxies(["10.0.0.0/8".parse()?], peer);
//! # let _ = find_source;
//!
//! // Whoever trusts everybody's header believes what a guesser writes there.
//! assert!("0.0.0.0/0".parse::<Network>().is_err());
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! The proxy ends TLS. If it shows the endpoints below a path, tell them their
//! [base URL](crate::issue::endpoints::EndpointsBuilder::base_url); paths are known with that path
//! and without.
//!
//! # Let people choose secrets
//!
//! [`add_chosen_secret`](crate::issue::Applications::add_chosen_secret). With HTTP Basic both id and
//! secret must be form-encoded before they are put into Base64 (RFC 6749 section 2.3.1), and many
//! clients do not, such as `authlib` and `curl -u`. Letters, digits, `-`, `.` and `_` are the same
//! either way, so generated secrets never notice; a `%` or `+` in a chosen one is read as something
//! else, and refused:
//!
//! ```
//! use base64_simd::STANDARD;
//! use http::{Request, StatusCode};
//! use tower::ServiceExt;
//! # use tower_bearer::{issue::{AuthorizationServer, FindSource, NewApplication, RootKey, ServerKeys, endpoints::Endpoints}, scope::ScopeSet, store::Memory};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = AuthorizationServer::builder(Memory::new())
//! #     .issuer("https://id.example.com")
//! #     .keys(ServerKeys::new(&RootKey::from_bytes([7; 32])))
//! #     .open()
//! #     .await?;
//! # let app = NewApplication::new("App1").audience("https://api.example.com").scopes(ScopeSet::parse("a")?);
//! # let (app, _) = server.applications().create(app).await?;
//! # let endpoints = Endpoints::builder(server.clone(), FindSource::unknown()).build()?;
//! server.applications().add_chosen_secret(app.id(), "by hand", "one + one = 100 %").await?;
//! let ask = async |secret: &str| {
//!     let pair = STANDARD.encode_to_string(format!("{}:{secret}", app.id()));
//!     let request = Request::post("/oauth2/token")
//!         .header("content-type", "application/x-www-form-urlencoded")
//!         .header("authorization", format!("Basic {pair}"))
//!         .body("grant_type=client_credentials".to_owned())
//!         .expect("a request");
//!     endpoints.clone().oneshot(request).await.expect("it never fails").status()
//! };
//! assert_eq!(ask("one+%2B+one+%3D+100+%25").await, StatusCode::OK);
//! assert_eq!(ask("one + one = 100 %").await, StatusCode::UNAUTHORIZED);
//! # Ok(())
//! # }
//! ```
//!
//! In the body (`client_secret_post`) and in the JSON of the product's endpoint any client gets it
//! right.
//!
//! # See what happens
//!
//! With the feature `tracing` every [`IssuingEvent`](crate::event::IssuingEvent) goes to the target
//! `tower_bearer`, at a level by its severity: `RUST_LOG=tower_bearer=info` shows refusals and
//! changes, `debug` every token. [`on_event`](crate::issue::ServerBuilder::on_event) takes a sink
//! instead; give it both to keep the log:
//!
//! ```
//! use tower_bearer::event::{AuthEvent, Severity, Tracing};
//! # use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
//! # use tower_bearer::{issue::{AuthorizationServer, RootKey, ServerKeys}, store::Memory};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let alarms = Arc::new(AtomicUsize::new(0));
//! # let counted = Arc::clone(&alarms);
//! let alarm = move |event: &AuthEvent| match event {
//!     // Reuse of a refresh token, a store that fails, all tokens revoked.
//!     AuthEvent::Issuing(event) if event.action.severity() == Severity::Critical => {
//!         eprintln!("{}: {:?}", event.action.code(), event.application);
//! #       counted.fetch_add(1, Ordering::Relaxed);
//!     }
//!     _ => {}
//! };
//! let server = AuthorizationServer::builder(Memory::new())
//! #   .issuer("https://id.example.com")
//! #   .keys(ServerKeys::new(&RootKey::from_bytes([7; 32])))
//!     // issuer, keys
//!     .on_event((alarm, Tracing))
//!     .open()
//!     .await?;
//! server.revoke_access_tokens().await?;
//! # assert_eq!(alarms.load(Ordering::Relaxed), 1);
//! # Ok(())
//! # }
//! ```
//!
//! Clients are told the same for whatever was wrong with a secret; the `reason` of the event says
//! what it was. `unverified_application` is what somebody wrote, and nobody vouches for it.
