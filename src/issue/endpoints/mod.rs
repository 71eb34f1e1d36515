//! The issuing side as a Tower service: the product's endpoints, and their twins of OAuth 2.0.
//!
//! | endpoint | body | follows |
//! |---|---|---|
//! | `POST /api/Auth/authenticateApplication` | JSON `applicationName`, `applicationSecret`, perhaps `scope` | the product |
//! | `POST /api/Auth/refreshApplicationToken` | JSON `refreshToken` | the product |
//! | `POST /api/Auth/revokeApplicationToken` | JSON `refreshToken` or `accessToken` | the product |
//! | `POST /oauth2/token` | form | RFC 6749 sections 4.4 and 6 |
//! | `POST /oauth2/revoke` | form | RFC 7009 |
//! | `POST /oauth2/introspect` | form | RFC 7662 |
//! | `GET /revocations?after=&wait=` | - | [below](#revocations) |
//! | `GET /.well-known/jwks.json` | - | RFC 7517 section 5 |
//! | `GET /.well-known/oauth-authorization-server` | - | RFC 8414 |
//!
//! ```
//! use http::{Request, StatusCode};
//! use tower::ServiceExt;
//! use tower_bearer::issue::{FindSource, endpoints::Endpoints};
//! # use tower_bearer::{issue::{AuthorizationServer, NewApplication, RootKey, ServerKeys}, store::Memory};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = AuthorizationServer::builder(Memory::new())
//! #     .issuer("https://id.example.com")
//! #     .keys(ServerKeys::new(&RootKey::from_bytes([7; 32])))
//! #     .open()
//! #     .await?;
//! # let app = NewApplication::new("App1").audience("https://api.example.com");
//! # let (_, secret) = server.applications().create(app).await?;
//! // Behind a router it is the fallback: `Router::new().fallback_service(endpoints)`.
//! let endpoints = Endpoints::builder(server, FindSource::unknown()).build()?;
//! let ask = |secret: &str| {
//!     Request::post("/api/Auth/authenticateApplication")
//!         .header("content-type", "application/json")
//!         .body(format!(r#"{{"applicationName": "App1", "applicationSecret": "{secret}"}}"#))
//! };
//! let answered = endpoints.clone().oneshot(ask(secret.expose())?).await?;
//! assert_eq!(answered.status(), StatusCode::OK);
//! let refused = endpoints.oneshot(ask("another")?).await?;
//! assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
//! # Ok(())
//! # }
//! ```
//!
//! # Where it is mounted
//!
//! Requests are known by their path, with or without the path of the [base
//! URL](EndpointsBuilder::base_url) before it, so that it works in plain hyper and inside
//! `Router::nest` alike. The metadata is always at the root of the host (RFC 8414 section 3):
//! `/.well-known/oauth-authorization-server`, and behind it the path of the issuer, if it has one.
//!
//! It ends no TLS. Secrets and tokens travel in bodies, so whatever is before it must (RFC 6749
//! section 3.2).
//!
//! Nor does it measure time: a body of at most 16 KiB that comes slowly, or never ends, is waited for
//! as long as the connection lives. Put `tower_http`'s `TimeoutLayer` or one like it around it.
//!
//! # Revocations
//!
//! `GET /revocations` says what was revoked, to applications that may
//! [introspect](crate::issue::NewApplication::introspects) and authenticate with HTTP Basic: for services that
//! verify tokens and cannot read the store, with
//! [`HttpSource`](crate::revocation::feed::HttpSource).
//!
//! ```json
//! {"revocations":[{"kind":"family","id":"...","until":1800000900,"age":12}],"next":"...","more":false}
//! ```
//!
//! - `kind` is one of `token`, `family`, `client` and `issuer`; the latter two have a `cut_off`, the
//!   latest `iat` that is revoked. Times are seconds since 1970, `age` is the milliseconds since it was
//!   written.
//! - `after` is the `next` of an earlier answer; without it everything is given, 500 revocations at a
//!   time, until `more` is false.
//! - `wait` is how many seconds, at most 30, the answer may take if there is nothing yet.
//! - The `ETag` is the place that was reached: with it in `If-None-Match`, nothing new after that place is
//!   304.
//!
//! # Answers
//!
//! Every answer that could hold a token or a refusal has `Cache-Control: no-store`. Refusals of the
//! product's endpoints are problem documents (RFC 9457), those of OAuth the objects of RFC 6749
//! section 5.2. Which of name, secret, expiry and status was wrong is for the operator, in the
//! events; clients get the same bytes for all.

mod basic;
mod body;
mod builder;
mod documents;
mod form;
mod json;
mod oauth;
mod product;
mod response;
mod revocations;
mod route;

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

pub use self::{body::Body, builder::EndpointsBuilder};
use self::{documents::Documents, route::Route};
use super::{
    server::AuthorizationServer,
    source::{FindSource, Source},
};
use crate::{error::BoxError, token::RequestHead};

/// The endpoints of an [`AuthorizationServer`], as a Tower service for any request body.
///
/// Cheap to clone. See the [module docs](crate::issue::endpoints) for an example.
#[derive(Clone)]
pub struct Endpoints(Arc<Shared>);

struct Shared {
    server: AuthorizationServer,
    find_source: FindSource,
    /// The path that may stand before every other one; empty or `/` and more.
    base_path: String,
    documents: Documents,
    /// Places for those who wait for revocations.
    waiting: tokio::sync::Semaphore,
    /// Refused refresh tokens of the product's door get 400 instead of 401.
    refresh_bad_request: bool,
}

impl Endpoints {
    /// Describes the endpoints of a server. Where requests come from is for whoever mounts them to
    /// say: guessing is throttled by it.
    pub fn builder(server: AuthorizationServer, find_source: FindSource) -> EndpointsBuilder {
        EndpointsBuilder::new(server, find_source)
    }
}

impl<B> Service<Request<B>> for Endpoints
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let shared = Arc::clone(&self.0);
        ResponseFuture(Box::pin(async move { shared.answer(request).await }))
    }
}

impl Shared {
    async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let head = RequestHead::of(&request);
        let Some(route) = Route::of(self, head.uri().path()) else {
            return response::not_found();
        };
        if !route.allows(head.method()) {
            return response::method_not_allowed(route);
        }
        let source = self.find_source.find(&head);
        match route {
            Route::Jwks => documents::jwks(self, request.headers()),
            Route::Metadata => documents::metadata(self, request.headers()),
            Route::Product(route) => product::answer(self, route, source, request).await,
            Route::Revocations => revocations::answer(self, source, request).await,
            Route::OAuth(route) => oauth::answer(self, route, source, request).await,
        }
    }
}

/// The response of [`Endpoints`].
pub struct ResponseFuture(Pin<Box<dyn Future<Output = Response<Body>> + Send>>);

impl Future for ResponseFuture {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx).map(Ok)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints").field("server", &self.0.server).finish_non_exhaustive()
    }
}
