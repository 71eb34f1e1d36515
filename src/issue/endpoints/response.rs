//! The answers, one function for each shape.

use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use serde_json::json;

use super::{Body, route::Route};
use crate::issue::error::Kind;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// Seconds after which it is worth trying again when the store failed. A refresh may have been done
/// though the store said nothing of it, so that several more attempts must fit into the grace of the
/// token before.
const RETRY_STORE: u64 = 2;

/// A JSON document that nobody may store.
pub(super) fn json<T: Serialize>(status: StatusCode, value: &T) -> Response<Body> {
    match serde_json::to_string(value) {
        Ok(text) => response(status, JSON, text),
        Err(_) => response(StatusCode::INTERNAL_SERVER_ERROR, JSON, String::new()),
    }
}

/// A JSON text that is written already.
pub(super) fn json_text(status: StatusCode, text: String) -> Response<Body> {
    response(status, JSON, text)
}

/// The same, as OAuth wants it: no cache of HTTP/1.0 may store it either (RFC 6749 section 5.1).
pub(super) fn oauth<T: Serialize>(status: StatusCode, value: &T) -> Response<Body> {
    let mut response = json(status, value);
    response.headers_mut().insert(PRAGMA, NO_CACHE);
    response
}

/// An empty success (RFC 7009 section 2.2).
pub(super) fn empty() -> Response<Body> {
    let mut response = Response::new(Body::default());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(PRAGMA, NO_CACHE);
    response
}

#[derive(Serialize)]
struct Problem<'a> {
    detail: &'a str,
    status: u16,
    title: &'a str,
    #[serde(rename = "type")]
    of_type: &'static str,
}

/// A problem document (RFC 9457) of the product's endpoints: the status, and fixed words.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response<Body> {
    let title = status.canonical_reason().unwrap_or_default();
    let problem = Problem { detail, status: status.as_u16(), title, of_type: "about:blank" };
    let mut response = json(status, &problem);
    response.headers_mut().insert(CONTENT_TYPE, PROBLEM);
    response
}

/// A refusal of OAuth (RFC 6749 section 5.2), by its code alone.
pub(super) fn oauth_error(kind: Kind) -> Response<Body> {
    let (status, code) = match kind {
        Kind::InvalidRequest => (StatusCode::BAD_REQUEST, "invalid_request"),
        Kind::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client"),
        Kind::InvalidGrant => (StatusCode::BAD_REQUEST, "invalid_grant"),
        Kind::UnauthorizedClient => (StatusCode::BAD_REQUEST, "unauthorized_client"),
        Kind::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
        Kind::InvalidScope => (StatusCode::BAD_REQUEST, "invalid_scope"),
        Kind::InvalidTarget => (StatusCode::BAD_REQUEST, "invalid_target"),
        Kind::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"),
        Kind::NotYet(_) | Kind::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
        }
    };
    let mut response = oauth(status, &json!({ "error": code }));
    if kind == Kind::InvalidClient {
        const CHALLENGE: HeaderValue =
            HeaderValue::from_static(r#"Basic realm="token", charset="UTF-8""#);
        response.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
    }
    retry(&mut response, kind);
    response
}

/// Says when to come back, if that makes sense.
pub(super) fn retry(response: &mut Response<Body>, kind: Kind) {
    let seconds = match kind {
        Kind::Throttled(after) | Kind::NotYet(after) => after.as_secs().max(1),
        Kind::Unavailable => RETRY_STORE,
        _ => return,
    };
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
}

pub(super) fn not_found() -> Response<Body> {
    problem(StatusCode::NOT_FOUND, "There is no such endpoint.")
}

pub(super) fn method_not_allowed(route: Route) -> Response<Body> {
    let mut response = match route {
        Route::OAuth(_) | Route::Revocations => {
            oauth(StatusCode::METHOD_NOT_ALLOWED, &json!({ "error": "invalid_request" }))
        }
        _ => problem(StatusCode::METHOD_NOT_ALLOWED, "The endpoint has another method."),
    };
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(route.allow()));
    response
}

fn response(status: StatusCode, media_type: HeaderValue, text: String) -> Response<Body> {
    let mut response = Response::new(Body::new(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CACHE_CONTROL, NO_STORE);
    response
}
