use std::{future::Future, pin::Pin};

use http::{Request, Response};

use crate::{error::BoxError, key::KeySet};

/// The most bytes that a body may have. A client stops reading there.
pub const MAX_BODY: usize = KeySet::MAX_DOCUMENT;

/// What [`Fetch::fetch`] returns.
pub type Fetching = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, BoxError>> + Send>>;

/// An HTTP client, for GET requests to the addresses of key documents and metadata.
///
/// Bring your own for a proxy, a certificate authority of your own, or a client that the application
/// has anyway. Closures that return a boxed future do as well.
///
/// The contract:
///
/// - Certificates are checked, and no redirect is followed: a redirect is an answer like any other
///   (RFC 8414 section 6.1), and refused here for its status.
/// - The request is sent as it is. In particular no cookie and no `Authorization` is added.
/// - A body that is longer than [`MAX_BODY`] is an error, and reading it stops there.
///
/// The time limit is kept by whoever calls: it drops the future.
///
/// ```
/// use tower_bearer::remote_keys::{Fetch, Fetching};
///
/// struct Files;
///
/// impl Fetch for Files {
///     fn fetch(&self, request: http::Request<()>) -> Fetching {
///         Box::pin(async move {
///             let path = request.uri().path().to_owned();
///             Ok(http::Response::new(std::fs::read(path)?))
///         })
///     }
/// }
/// ```
pub trait Fetch: Send + Sync + 'static {
    /// Sends the request and reads the answer.
    fn fetch(&self, request: Request<()>) -> Fetching;
}

impl<F> Fetch for F
where
    F: Fn(Request<()>) -> Fetching + Send + Sync + 'static,
{
    fn fetch(&self, request: Request<()>) -> Fetching {
        self(request)
    }
}

impl<F: Fetch + ?Sized> Fetch for std::sync::Arc<F> {
    fn fetch(&self, request: Request<()>) -> Fetching {
        (**self).fetch(request)
    }
}
