use std::{fmt, sync::Arc, time::Duration};

use base64_simd::STANDARD;
use http::{
    HeaderValue, Request, Response, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION},
};

use super::{
    source::{AskedForPage, RevocationSource},
    wire,
};
#[cfg(feature = "reqwest")]
use crate::remote_keys::HttpFetch;
use crate::{
    error::{BoxError, ConfigError},
    remote_keys::{Fetch, MAX_BODY},
    revocation::{RevocationCursor, RevocationPage},
    url::{SECURE_URL, secure_url},
};

/// The revocations of an issuing side, over HTTP: for services that have no access to its store.
///
/// The endpoint is `GET /revocations` of [`issue::endpoints`](crate::issue::endpoints); the client is an
/// application there that may introspect.
///
/// ```
/// use tower_bearer::revocation::{RevocationFeed, StalePolicy, feed::HttpSource};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = "from the environment";
/// let source = HttpSource::new("https://id.example.com/revocations", "app_reports", secret)?;
/// # let offline = |_: http::Request<()>| -> tower_bearer::remote_keys::Fetching {
/// #     Box::pin(async { Err("offline".into()) })
/// # };
/// # let source = source.fetch(offline);
/// let feed = RevocationFeed::builder(source, StalePolicy::Refuse).start()?;
/// # let _ = feed;
///
/// // Secrets are not sent in the clear.
/// assert!(HttpSource::new("http://id.example.com/revocations", "app_reports", secret).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HttpSource {
    endpoint: Uri,
    credentials: HeaderValue,
    fetch: Option<Arc<dyn Fetch>>,
}

impl HttpSource {
    /// Asks this endpoint, https or http on a loopback address, as this client (RFC 6749 section 2.3.1).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the address is none that a secret is sent to.
    pub fn new(
        endpoint: impl Into<String>,
        client_id: &str,
        client_secret: &str,
    ) -> Result<Self, ConfigError> {
        let value = endpoint.into();
        let uri = secure_url(&value).filter(|uri| uri.query().is_none());
        let Some(endpoint) = uri else {
            // What stands before an `@` may be a secret.
            let value = value.rsplit('@').next().unwrap_or_default().to_owned();
            let (name, remedy) = ("the endpoint of revocations", SECURE_URL);
            return Err(ConfigError::InvalidUrl { name, value, remedy });
        };
        let pair = format!("{}:{}", encoded(client_id), encoded(client_secret));
        let line = format!("Basic {}", STANDARD.encode_to_string(pair));
        // Base64 always fits into a header.
        let mut credentials =
            HeaderValue::try_from(line).unwrap_or_else(|_| HeaderValue::from_static("Basic"));
        credentials.set_sensitive(true);
        Ok(Self { endpoint, credentials, fetch: usual_fetch() })
    }

    /// The HTTP client; `HttpFetch` unless said otherwise, if the feature `reqwest` is on. Without a
    /// client every attempt fails.
    #[must_use]
    pub fn fetch(self, fetch: impl Fetch) -> Self {
        Self { fetch: Some(Arc::new(fetch)), ..self }
    }

    async fn page(
        &self,
        after: Option<&RevocationCursor>,
        wait: Duration,
    ) -> Result<RevocationPage, BoxError> {
        let fetch =
            self.fetch.as_ref().ok_or("no HTTP client: give one with `HttpSource::fetch`")?;
        let mut url = format!("{}?wait={}", self.endpoint, wait.as_secs());
        if let Some(after) = after {
            url.push_str("&after=");
            url.push_str(after.as_str());
        }
        let mut request = Request::get(url).body(())?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, self.credentials.clone());
        let response = fetch.fetch(request).await?;
        if response.status() != StatusCode::OK {
            return Err(refused(&self.endpoint, &response).into());
        }
        if response.body().len() > MAX_BODY {
            return Err(format!("the answer from {} is too long", self.endpoint).into());
        }
        wire::read(std::str::from_utf8(response.body())?)
    }
}

impl RevocationSource for HttpSource {
    fn after<'a>(
        &'a self,
        after: Option<&'a RevocationCursor>,
        wait: Duration,
    ) -> AskedForPage<'a> {
        Box::pin(self.page(after, wait))
    }
}

/// Says nothing of the secret.
impl fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSource").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

#[cfg(feature = "reqwest")]
fn usual_fetch() -> Option<Arc<dyn Fetch>> {
    Some(Arc::new(HttpFetch::new()))
}

#[cfg(not(feature = "reqwest"))]
fn usual_fetch() -> Option<Arc<dyn Fetch>> {
    None
}

/// What the endpoint answered, with what it says of it (RFC 6749 section 5.2).
fn refused(endpoint: &Uri, response: &Response<Vec<u8>>) -> String {
    #[derive(serde::Deserialize)]
    struct Refusal {
        error: String,
    }
    let why = match serde_json::from_slice::<Refusal>(response.body()) {
        Ok(Refusal { error }) if error == "unauthorized_client" => {
            ": the application was not created with `introspects`"
        }
        _ => "",
    };
    format!("{endpoint} answered {}{why}", response.status())
}

/// Form-encoded (RFC 6749 appendix B).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
