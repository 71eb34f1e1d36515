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
    client: OnceLock<Client>,
}

impl HttpFetch {
    /// A client of its own, which honours the proxy settings of the environment.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A client of the application's, with its own proxy or certificate authority. It must not
    /// follow redirects.
    #[must_use]
    pub fn with_client(client: Client) -> Self {
        Self { client: client.into() }
    }

    fn client(&self) -> Result<Client, BoxError> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let client = Client::builder().redirect(Policy::none()).build()?;
        Ok(self.client.get_or_init(|| client).clone())
    }
}

impl Fetch for HttpFetch {
    fn fetch(&self, request: Request<()>) -> Fetching {
        let client = self.client();
        Box::pin(async move {
            let (parts, ()) = request.into_parts();
            let asked = client?.get(parts.uri.to_string()).headers(parts.headers);
            let mut answer = asked.send().await?;
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
