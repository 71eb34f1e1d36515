//! The endpoints of the product: JSON in, JSON out.

use http::{HeaderValue, Request, Response, StatusCode, header::WWW_AUTHENTICATE};
use serde::Serialize;

use super::{
    Body, Shared, Source,
    body::{self, Unreadable},
    json::Asked,
    response::{self, problem},
    route::Product,
};
use crate::{
    error::BoxError,
    issue::{
        applications::checks::MAX_SECRET,
        authenticate::{Credentials, Who},
        error::{Kind, Refusal},
        family::Door,
        refresh::RefreshAsk,
        tokens::{Ask, Tokens, Wanted},
    },
};

pub(super) async fn answer<B>(
    shared: &Shared,
    route: Product,
    source: Source,
    request: Request<B>,
) -> Response<Body>
where
    B: http_body::Body,
    B::Error: Into<BoxError>,
{
    let (head, body) = request.into_parts();
    let text = match body::read(&head.headers, "application/json", body).await {
        Ok(text) => text,
        Err(unreadable) => {
            told(shared, source, unreadable.reason());
            return match unreadable {
                Unreadable::OtherType => {
                    let detail = "The body must be application/json.";
                    problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
                }
                Unreadable::TooLarge => {
                    problem(StatusCode::PAYLOAD_TOO_LARGE, "The body is longer than 16 KiB.")
                }
                Unreadable::Broken => unread(),
            };
        }
    };
    let Some(asked) = Asked::parse(&text) else {
        return malformed(shared, source);
    };
    match route {
        Product::Authenticate => authenticate(shared, &asked, source).await,
        Product::Refresh => refresh(shared, &asked, source).await,
        Product::Revoke => revoke(shared, &asked, source).await,
    }
}

fn malformed(shared: &Shared, source: Source) -> Response<Body> {
    told(shared, source, Unreadable::Broken.reason());
    unread()
}

fn unread() -> Response<Body> {
    problem(StatusCode::BAD_REQUEST, "The body is not what this endpoint reads.")
}

fn told(shared: &Shared, source: Source, reason: &'static str) {
    let refusal = Refusal::new(Kind::InvalidRequest, reason);
    shared.server.core.request_refused(refusal, None, source);
}

async fn authenticate(shared: &Shared, asked: &Asked, source: Source) -> Response<Body> {
    let (Some(name), Some(secret)) = (&asked.application_name, &asked.application_secret) else {
        return malformed(shared, source);
    };
    if !(1..=128).contains(&name.len()) || !(1..=MAX_SECRET).contains(&secret.len()) {
        return malformed(shared, source);
    }
    let ask = Ask {
        credentials: Credentials { who: Who::Named(name), secret, source },
        door: Door::Product,
        wanted: Wanted { scope: asked.scope.as_ref().map(|scope| scope.as_str()), resource: None },
    };
    match shared.server.core.issue(ask).await {
        Ok(tokens) => granted(&tokens),
        Err(refusal) => {
            const CHALLENGE: HeaderValue =
                HeaderValue::from_static(r#"ApplicationSecret realm="token""#);
            refused(refusal.kind, CHALLENGE, StatusCode::UNAUTHORIZED)
        }
    }
}

async fn refresh(shared: &Shared, asked: &Asked, source: Source) -> Response<Body> {
    let Some(token) = &asked.refresh_token else {
        return malformed(shared, source);
    };
    let ask = RefreshAsk { token, client: None, wanted: Wanted::default(), source };
    match shared.server.core.refresh(ask).await {
        Ok(tokens) => granted(&tokens),
        Err(refusal) => {
            const CHALLENGE: HeaderValue =
                HeaderValue::from_static(r#"RefreshToken realm="token""#);
            let status = match shared.refresh_bad_request {
                true => StatusCode::BAD_REQUEST,
                false => StatusCode::UNAUTHORIZED,
            };
            refused(refusal.kind, CHALLENGE, status)
        }
    }
}

async fn revoke(shared: &Shared, asked: &Asked, source: Source) -> Response<Body> {
    let ((Some(token), None) | (None, Some(token))) = (&asked.refresh_token, &asked.access_token)
    else {
        return malformed(shared, source);
    };
    match shared.server.core.revoke_with_family(token, source).await {
        Ok(()) => response::json(StatusCode::OK, &serde_json::json!({})),
        Err(refusal) => {
            const CHALLENGE: HeaderValue =
                HeaderValue::from_static(r#"RefreshToken realm="token""#);
            refused(refusal.kind, CHALLENGE, StatusCode::UNAUTHORIZED)
        }
    }
}

/// The pair, and what a client may want to know of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pair<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    refresh_expires_in: u64,
    scope: String,
}

fn granted(tokens: &Tokens) -> Response<Body> {
    let (refresh_token, refresh_expires_in) = match &tokens.refresh {
        Some(refresh) => (refresh.token.expose().as_str(), refresh.expires_in),
        None => ("", 0),
    };
    let pair = Pair {
        access_token: tokens.access.token.expose(),
        refresh_token,
        token_type: "Bearer",
        expires_in: tokens.access.expires_in,
        refresh_expires_in,
        scope: tokens.access.scopes.to_string(),
    };
    response::json(StatusCode::OK, &pair)
}

/// The same bytes for whatever is wrong with a secret or a token.
fn refused(kind: Kind, challenge: HeaderValue, unproved: StatusCode) -> Response<Body> {
    let (status, detail) = match kind {
        Kind::InvalidClient | Kind::InvalidGrant | Kind::UnauthorizedClient => {
            (unproved, "The credentials are not accepted.")
        }
        Kind::InvalidScope => {
            (StatusCode::BAD_REQUEST, "The scope is not one that can be granted.")
        }
        Kind::InvalidRequest | Kind::UnsupportedGrantType | Kind::InvalidTarget => {
            (StatusCode::BAD_REQUEST, "The request cannot be granted.")
        }
        Kind::Throttled(_) => {
            (StatusCode::TOO_MANY_REQUESTS, "There were too many failures; try again later.")
        }
        Kind::NotYet(_) | Kind::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "The service cannot decide at present.")
        }
    };
    let mut response = problem(status, detail);
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response::retry(&mut response, kind);
    response
}
