use std::sync::OnceLock;

use http::{Request, Response};
use reqwest::{Client, redirect::Policy};

use super::fetch::{Fetch, Fetching, MAX_BODY};
use crate::error::BoxError;

/// An HTTP client by `reqwest`: TLS by rustls with the certificates of the system, no redirects, no
/// cookies. What remote keys are fetched with unless they are given another client.
///
/// It is made when it is first used, so that building a verifier reads no certificates.
///
/// ```
/// use tower_bearer::remote_keys::{HttpFetch, RemoteKeys};
///
/// let keys = RemoteKeys::new("https://id.example.com/jwks.json").fetch(HttpFetch::new());
/// # let _ = keys;
/// ```
#[derive(Debug, Default)]
pub struct HttpFetch {
    clients: OnceLock<Clients>,
}

#[derive(Clone, Debug)]
struct Clients {
    https: Client,
    /// For addresses on this machine, which no proxy may answer for.
    http: Client,
}

impl HttpFetch {
    /// A client of its own, which honours the proxy settings of the environment.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A client of the application's, with its own proxy or certificate authority. If it follows a
    /// redirect, the answer is refused.
    #[must_use]
    pub fn with_client(client: Client) -> Self {
        Self { clients: Clients { https: client.clone(), http: client }.into() }
    }

    fn clients(&self) -> Result<Clients, BoxError> {
        if let Some(clients) = self.clients.get() {
            return Ok(clients.clone());
        }
        let builder = || Client::builder().redirect(Policy::none());
        let (https, http) = (builder().build()?, builder().no_proxy().build()?);
        Ok(self.clients.get_or_init(|| Clients { https, http }).clone())
    }
}

impl Fetch for HttpFetch {
    fn fetch(&self, request: Request<()>) -> Fetching {
        let clients = self.clients();
        Box::pin(async move {
            let (parts, ()) = request.into_parts();
            let Clients { https, http } = clients?;
            let client = if parts.uri.scheme_str() == Some("http") { http } else { https };
            let asked = client.get(parts.uri.to_string()).headers(parts.headers).build()?;
            let url = asked.url().clone();
            let mut answer = client.execute(asked).await?;
            if *answer.url() != url {
                return Err("the client followed a redirect".into());
            }
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                if body.len() + chunk.len() > MAX_BODY {
                    return Err("the body is longer than 256 KiB".into());
                }
                body.extend_from_slice(&chunk);
            }
            let mut response = Response::new(body);
            *response.status_mut() = answer.status();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            Ok(response)
        })
    }
}
