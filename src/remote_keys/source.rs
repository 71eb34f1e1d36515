use std::{sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Uri,
    header::{ACCEPT, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, USER_AGENT},
};

use super::{
    discovery,
    error::RefreshError,
    fetch::{Fetch, MAX_BODY},
    freshness::fresh_for,
};
use crate::{key::KeySet, time::UnixTime};

/// A checked description: where the keys are and how they are kept.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(super) issuer: Arc<str>,
    pub(super) place: Place,
    pub(super) fetch: Arc<dyn Fetch>,
    pub(super) fresh_for: Duration,
    pub(super) cooldown: Duration,
    pub(super) stale_for: Duration,
    pub(super) timeout: Duration,
}

/// Where the keys are.
#[derive(Clone)]
pub(crate) enum Place {
    KeyDocument(Uri),
    /// The metadata that names the key document is in one of these places.
    Metadata([Uri; 2]),
}

/// What was fetched before, so that it need not be fetched again.
#[derive(Default)]
pub(super) struct Memory {
    /// The address that the metadata named last, and until when that is fresh.
    discovered: Option<(Uri, UnixTime)>,
    /// Where the key document in use is from, and its `ETag` and `Last-Modified`.
    origin: Option<Uri>,
    validators: [Option<HeaderValue>; 2],
    /// The key document that is in use, and for how long it was fresh.
    document: Option<String>,
    fresh_for: Option<Duration>,
}

/// A key document, and for how long it is fresh.
pub(super) struct Fetched {
    /// Nothing if it is still the one in use.
    pub(super) keys: Option<KeySet>,
    pub(super) fresh_for: Duration,
    document: Option<String>,
    origin: Uri,
    validators: [Option<HeaderValue>; 2],
}

impl Memory {
    /// The keys are in use now.
    pub(super) fn keep(&mut self, fetched: Fetched) {
        if fetched.document.is_some() {
            self.document = fetched.document;
        }
        self.fresh_for = Some(fetched.fresh_for);
        (self.origin, self.validators) = (Some(fetched.origin), fetched.validators);
    }

    /// After a failure the issuer is asked anew where its keys are.
    pub(super) fn doubt_place(&mut self) {
        if let Some((_, until)) = &mut self.discovered {
            *until = UnixTime::default();
        }
    }
}

impl Plan {
    /// Fetches the keys.
    pub(super) async fn fetch_keys(
        &self,
        memory: &mut Memory,
        now: UnixTime,
    ) -> Result<Fetched, RefreshError> {
        let origin = self.address(memory, now).await?;
        // What tells one document of an address from the next says nothing of another address.
        let known = match &memory.origin {
            Some(known) if *known == origin => memory.validators.clone(),
            _ => [None, None],
        };
        let (parts, body) = self.get(&origin, &known).await?.into_parts();
        let is_unchanged = parts.status == StatusCode::NOT_MODIFIED;
        // What a 304 does not say is as it was (RFC 9111 section 3.2).
        let otherwise = memory.fresh_for.filter(|_| is_unchanged).unwrap_or(self.fresh_for);
        let fresh_for = fresh_for(&parts.headers, otherwise);
        let validators = validators(&parts.headers);
        if is_unchanged && known.iter().any(Option::is_some) {
            let ([etag, modified], [old_etag, old_modified]) = (validators, known);
            let validators = [etag.or(old_etag), modified.or(old_modified)];
            return Ok(Fetched { keys: None, fresh_for, document: None, origin, validators });
        }
        let document = text(&origin, parts.status, body)?;
        let keys = if memory.document.as_ref() == Some(&document) {
            None
        } else {
            let malformed = |source| RefreshError::Document { url: origin.to_string(), source };
            Some(KeySet::from_jwks(&document).map_err(malformed)?)
        };
        Ok(Fetched { keys, fresh_for, document: Some(document), origin, validators })
    }

    /// Where the keys are.
    async fn address(&self, memory: &mut Memory, now: UnixTime) -> Result<Uri, RefreshError> {
        let places = match &self.place {
            Place::KeyDocument(uri) => return Ok(uri.clone()),
            Place::Metadata(places) => places,
        };
        if let Some((uri, until)) = &memory.discovered
            && now < *until
        {
            return Ok(uri.clone());
        }
        match (self.discover(places).await, &memory.discovered) {
            (Ok((uri, fresh_for)), _) => {
                memory.discovered = Some((uri.clone(), now.saturating_add(fresh_for)));
                Ok(uri)
            }
            // The keys may be there all the same.
            (Err(_), Some((last, _))) => Ok(last.clone()),
            (Err(error), None) => Err(error),
        }
    }

    /// Asks the issuer where its keys are. The first place with metadata counts; there are servers
    /// that answer 200 and a page of theirs to whatever they do not know.
    async fn discover(&self, places: &[Uri; 2]) -> Result<(Uri, Duration), RefreshError> {
        use RefreshError::{Status, Unreachable};
        let [first, second] = places;
        let odd = match self.discover_at(first).await {
            Err(odd) if !matches!(odd, Unreachable { .. }) => odd,
            decided => return decided,
        };
        match self.discover_at(second).await {
            // The more telling one of the two.
            Err(Status { .. }) if !matches!(odd, Status { .. }) => Err(odd),
            decided => decided,
        }
    }

    /// The address that the metadata names, and for how long that is fresh: an hour, if HTTP does
    /// not say.
    async fn discover_at(&self, place: &Uri) -> Result<(Uri, Duration), RefreshError> {
        const FRESH_FOR: Duration = Duration::from_secs(60 * 60);
        let (parts, body) = self.get(place, &[None, None]).await?.into_parts();
        let text = text(place, parts.status, body)?;
        let uri = discovery::jwks_uri(place, &text, &self.issuer)?;
        Ok((uri, fresh_for(&parts.headers, FRESH_FOR)))
    }

    async fn get(
        &self,
        uri: &Uri,
        validators: &[Option<HeaderValue>; 2],
    ) -> Result<Response<Vec<u8>>, RefreshError> {
        const ACCEPTED: HeaderValue =
            HeaderValue::from_static("application/jwk-set+json, application/json");
        const AGENT: HeaderValue =
            HeaderValue::from_static(concat!("tower-bearer/", env!("CARGO_PKG_VERSION")));
        let mut request = Request::new(());
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, ACCEPTED);
        headers.insert(USER_AGENT, AGENT);
        for (name, value) in [IF_NONE_MATCH, IF_MODIFIED_SINCE].into_iter().zip(validators) {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
        let unreachable = |source| RefreshError::Unreachable { url: uri.to_string(), source };
        self.fetch.fetch(request).await.map_err(unreachable)
    }
}

fn validators(headers: &HeaderMap) -> [Option<HeaderValue>; 2] {
    [ETAG, LAST_MODIFIED].map(|name| headers.get(name).cloned())
}

/// The text of a 200.
fn text(url: &Uri, status: StatusCode, body: Vec<u8>) -> Result<String, RefreshError> {
    let url = || url.to_string();
    if status != StatusCode::OK {
        return Err(RefreshError::Status { url: url(), status });
    }
    if body.len() > MAX_BODY {
        return Err(RefreshError::TooLong { url: url() });
    }
    let unreadable = |error: std::string::FromUtf8Error| RefreshError::Unreachable {
        url: url(),
        source: error.into(),
    };
    String::from_utf8(body).map_err(unreadable)
}
