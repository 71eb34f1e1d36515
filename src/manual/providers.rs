//! What to say of well-known providers: the issuer, the audience, the type of token, and where
//! scopes or roles are. Each description finds and fetches its keys, with the features
//! `remote-keys` and `reqwest`.
//!
//! The identifier of the issuer must be exactly what the tokens say, to the last slash. When in
//! doubt decode one token and look at `iss`, `aud` and the header's `typ`.
//!
//! # Auth0
//!
//! The audience is the identifier of the API. Tokens of the profile "RFC 9068" have the type
//! `at+jwt`; others say `JWT`, and their client is in `azp`. With role-based access control the
//! permissions are an array.
//!
//! ```
//! use tower_bearer::{Algorithm, Issuer, claims::ScopeClaim, policy::TokenType};
//!
//! let issuer = Issuer::discover("https://example.eu.auth0.com/") // the slash belongs to it
//!     .audience("https://api.example.com")
//!     .algorithms([Algorithm::Rs256])
//!     .token_type(TokenType::AnyJwt)
//!     .scope_claim(ScopeClaim::scope())
//!     .scope_claim(ScopeClaim::named("permissions"));
//! # tower_bearer::Verifier::builder().issuer(issuer).build()?;
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! # Okta
//!
//! Tokens of a custom authorization server, such as the one named `default`. Those of the
//! organization itself are for Okta's own APIs and cannot be verified by others. Scopes are the
//! array `scp`.
//!
//! ```
//! use tower_bearer::{Algorithm, Issuer, claims::ScopeClaim, policy::TokenType};
//!
//! let issuer = Issuer::discover("https://example.okta.com/oauth2/default")
//!     .audience("api://default")
//!     .algorithms([Algorithm::Rs256])
//!     .token_type(TokenType::AnyJwt)
//!     .scope_claim(ScopeClaim::named("scp"));
//! # tower_bearer::Verifier::builder().issuer(issuer).build()?;
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! # Microsoft Entra
//!
//! Tokens of version 2: the audience is the application (client) id of the API. What a user
//! consented to is the string `scp`, what the application itself may do the array `roles`: a prefix
//! keeps the two apart.
//!
//! ```
//! use tower_bearer::{Algorithm, Issuer, claims::ScopeClaim, policy::TokenType};
//!
//! let tenant = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
//! let issuer = Issuer::discover(format!("https://login.microsoftonline.com/{tenant}/v2.0"))
//!     .audience("6e74172b-be56-4843-9ff4-e66a39bb12e3")
//!     .algorithms([Algorithm::Rs256])
//!     .token_type(TokenType::AnyJwt)
//!     .scope_claim(ScopeClaim::named("scp"))
//!     .scope_claim(ScopeClaim::named("roles").prefix("role:"));
//! # tower_bearer::Verifier::builder().issuer(issuer).build()?;
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! A service for several tenants says which, and where the keys of all of them are. The key
//! document says of some keys whose tokens they are for (`issuer`), which is heeded:
//!
//! ```
//! use tower_bearer::{Algorithm, Issuer, policy::TokenType, remote_keys::RemoteKeys};
//!
//! let customers = ["8eaef023-2b34-4da1-9baa-8bc8c9d6a490"];
//! let issuer = Issuer::of_tenants(
//!     "https://login.microsoftonline.com/{tenantid}/v2.0",
//!     move |tenant| customers.contains(&tenant),
//! )
//! .keys(RemoteKeys::new("https://login.microsoftonline.com/common/discovery/v2.0/keys"))
//! .audience("6e74172b-be56-4843-9ff4-e66a39bb12e3")
//! .algorithms([Algorithm::Rs256])
//! .token_type(TokenType::AnyJwt);
//! # tower_bearer::Verifier::builder().issuer(issuer).build()?;
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! # Keycloak
//!
//! A realm is an issuer. Its tokens name this service as an audience once the client has an
//! audience mapper, or a client scope with one. Roles of the realm and of a client are nested
//! arrays.
//!
//! ```
//! use tower_bearer::{Algorithm, Issuer, claims::ScopeClaim, policy::TokenType};
//!
//! let issuer = Issuer::discover("https://id.example.com/realms/main")
//!     .audience("reports-api")
//!     .algorithms([Algorithm::Rs256])
//!     .token_type(TokenType::AnyJwt)
//!     .scope_claim(ScopeClaim::scope())
//!     .scope_claim(ScopeClaim::path(["realm_access", "roles"]).prefix("realm:"))
//!     .scope_claim(ScopeClaim::path(["resource_access", "reports-api", "roles"]).prefix("role:"));
//! # tower_bearer::Verifier::builder().issuer(issuer).build()?;
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! # Amazon Cognito
//!
//! Access tokens have no `aud`: the app clients of the pool stand in its place, and `token_use`
//! must be `access`, as ID tokens come from the same issuer. Groups are an array.
//!
//! ```
//! use tower_bearer::{Algorithm, Issuer, claims::ScopeClaim, policy::TokenType};
//!
//! let issuer = Issuer::discover("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI")
//!     .audience_from_client_id(["1example23456789"])
//!     .algorithms([Algorithm::Rs256])
//!     .token_type(TokenType::AnyJwt)
//!     .scope_claim(ScopeClaim::scope())
//!     .scope_claim(ScopeClaim::named("cognito:groups").prefix("group:"));
//! # tower_bearer::Verifier::builder().issuer(issuer).build()?;
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! # Google
//!
//! Google's access tokens are opaque: only Google can tell what they are, so they do not fit here.
//! What services send each other are ID tokens whose audience is the URL of the service; to take
//! them is a decision with a name of its own. They carry no scopes: guard by the subject, with
//! [`Require`](crate::Require).
//!
//! ```
//! use tower_bearer::{Algorithm, Issuer, policy::TokenType};
//!
//! let issuer = Issuer::discover("https://accounts.google.com")
//!     .audience("https://reports-abc123-ew.a.run.app")
//!     .algorithms([Algorithm::Rs256])
//!     .token_type(TokenType::AnyJwt)
//!     .danger_id_tokens();
//! # tower_bearer::Verifier::builder().issuer(issuer).build()?;
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
