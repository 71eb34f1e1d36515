//! What was revoked, for services that verify and cannot read the store.

use std::time::Duration;

use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY},
};

use super::{
    Body, Shared, Source,
    basic::{ClientSecret, NoClient},
    documents::names,
    form::Form,
    oauth::{authenticated, has_credentials},
    response::{json_text, oauth_error},
};
use crate::{
    issue::{
        authenticate::{Credentials, Who},
        error::{Kind, Refusal},
    },
    revocation::{RevocationCursor, feed::write},
};

/// How many revocations are in one answer: with the longest ids they fit into what a client reads.
const MOST: usize = 500;
/// How many requests wait at a time; beyond that each is answered at once.
pub(super) const MOST_WAITING: usize = 1024;
/// The longest that an answer is waited for, in seconds.
const LONGEST_WAIT: u64 = 30;

pub(super) async fn answer<B>(
    shared: &Shared,
    source: Source,
    request: Request<B>,
) -> Response<Body> {
    let (head, _) = request.into_parts();
    let core = &shared.server.core;
    let refused = |reason| {
        let refusal = Refusal::new(Kind::InvalidRequest, reason);
        oauth_error(core.request_refused(refusal, None, source).kind)
    };
    if has_credentials(&head.uri) {
        return refused("credentials_in_query");
    }
    let client = match ClientSecret::of(&head.headers, &Form::default()) {
        Ok(client) => client,
        Err(NoClient::Unauthenticated) => return oauth_error(core.no_credentials(source).kind),
        Err(NoClient::Ambiguous) => return refused("several_credentials"),
    };
    let Some(asked) = Form::parse(head.uri.query().unwrap_or_default()).ok().and_then(Asked::of)
    else {
        return refused("malformed_query");
    };
    let credentials = Credentials { who: Who::Id(&client.id), secret: &client.secret, source };
    let answered = page(shared, credentials, &asked, &head.headers).await;
    answered.unwrap_or_else(|refusal| oauth_error(refusal.kind))
}

/// What a query asks for.
struct Asked {
    after: Option<RevocationCursor>,
    wait: Duration,
}

impl Asked {
    fn of(query: Form) -> Option<Self> {
        let after = match query.get("after") {
            Some(text) => Some(RevocationCursor::new(text)?),
            None => None,
        };
        let seconds = query.get("wait").map_or(Some(0), |text| text.parse().ok())?;
        let wait = Duration::from_secs(seconds);
        (seconds <= LONGEST_WAIT).then_some(Self { after, wait })
    }
}

async fn page(
    shared: &Shared,
    credentials: Credentials<'_>,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let core = &shared.server.core;
    let client = authenticated(shared, credentials).await?;
    let refused = |refusal| core.request_refused(refusal, Some(&client.id), credentials.source);
    if !client.introspects {
        return Err(refused(Refusal::new(Kind::UnauthorizedClient, "may_not_introspect")));
    }
    let (_place, wait) = match shared.waiting.try_acquire() {
        Ok(place) => (Some(place), asked.wait),
        Err(_) => (None, Duration::ZERO),
    };
    let page = core.pages.awaited(&*core.store, asked.after.as_ref(), MOST, wait).await;
    let page = page.map_err(|error| refused(error.into()))?;
    // Of nothing new the tag is that of what was known before, wherever the next page begins.
    let reached = asked.after.as_ref().filter(|_| page.entries.is_empty()).unwrap_or(&page.next);
    // Weak, as the same page is older the next time.
    let tag = format!("W/\"{}\"", reached.as_str());
    let is_known = headers.get_all(IF_NONE_MATCH).iter().any(|line| names(line, &tag));
    let mut response = match is_known && page.entries.is_empty() {
        true => {
            let mut unchanged = Response::new(Body::default());
            *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
            unchanged
        }
        false => {
            let text = write(&page).map_err(|error| Refusal::unavailable("no_json", error))?;
            json_text(StatusCode::OK, text)
        }
    };
    let headers = response.headers_mut();
    // It may be kept by the client, and is asked for again each time (RFC 9111 section 5.2.2.4).
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(VARY, HeaderValue::from_static("Authorization"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    Ok(response)
}
