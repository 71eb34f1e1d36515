//! The endpoints of OAuth 2.0: forms in, JSON out.

use http::{HeaderMap, Request, Response, StatusCode, Uri, header::CONTENT_TYPE};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    Body, Shared, Source,
    basic::{ClientSecret, NoClient},
    body::{self, Unreadable},
    form::Form,
    response::{empty, oauth, oauth_error},
    route::OAuth,
};
use crate::{
    error::BoxError,
    issue::{
        application::ApplicationRecord,
        authenticate::{Credentials, Who},
        error::{Kind, Refusal},
        family::Door,
        refresh::RefreshAsk,
        tokens::{Ask, Tokens, Wanted},
    },
};

pub(super) async fn answer<B>(
    shared: &Shared,
    route: OAuth,
    source: Source,
    request: Request<B>,
) -> Response<Body>
where
    B: http_body::Body,
    B::Error: Into<BoxError>,
{
    let (head, body) = request.into_parts();
    if !is_form(&head.headers) || has_credentials(&head.uri) {
        return oauth_error(Kind::InvalidRequest);
    }
    let text = match body::read(&head.headers, body).await {
        Ok(text) => Zeroizing::new(text),
        Err(Unreadable::TooLarge) => {
            return oauth(StatusCode::PAYLOAD_TOO_LARGE, &json!({ "error": "invalid_request" }));
        }
        Err(Unreadable::Broken) => return oauth_error(Kind::InvalidRequest),
    };
    let Ok(form) = Form::parse(&text) else {
        return oauth_error(Kind::InvalidRequest);
    };
    let client = match ClientSecret::of(&head.headers, &form) {
        Ok(client) => client,
        Err(NoClient::Unauthenticated) => {
            return oauth_error(shared.server.core.no_credentials(source).kind);
        }
        Err(NoClient::Ambiguous) => return oauth_error(Kind::InvalidRequest),
    };
    let credentials = Credentials { who: Who::Id(&client.id), secret: &client.secret, source };
    let answered = match route {
        OAuth::Token => token(shared, &form, credentials).await,
        OAuth::Revoke => revoke(shared, &form, credentials).await,
        OAuth::Introspect => introspect(shared, &form, credentials).await,
    };
    answered.unwrap_or_else(|refusal| oauth_error(refusal.kind))
}

/// The media type, whatever its parameters say.
fn is_form(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    let essence = line.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// Whether the query holds what belongs into the body: queries are logged by everybody (RFC 6749
/// section 2.3.1).
fn has_credentials(uri: &Uri) -> bool {
    const NAMES: [&str; 5] =
        ["client_secret", "client_assertion", "refresh_token", "access_token", "token"];
    let query = uri.query().unwrap_or_default();
    query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        super::form::decode(name).is_none_or(|name| NAMES.contains(&name.as_str()))
    })
}

async fn token(
    shared: &Shared,
    form: &Form,
    credentials: Credentials<'_>,
) -> Result<Response<Body>, Refusal> {
    let core = &shared.server.core;
    let Some(grant_type) = form.get("grant_type") else {
        return Err(Refusal::new(Kind::InvalidRequest, "no_grant_type"));
    };
    let mut resources = form.all("resource");
    let wanted = Wanted { scope: form.get("scope"), resource: resources.next() };
    let has_several = resources.next().is_some();
    match grant_type {
        "client_credentials" if !has_several => {
            let ask = Ask { credentials, door: Door::OAuth, wanted };
            core.issue(ask).await.map(|tokens| granted(&tokens))
        }
        "refresh_token" if !has_several => {
            let client = authenticated(shared, credentials).await?;
            if !client.oauth_refresh {
                return Err(Refusal::new(Kind::UnauthorizedClient, "no_refresh_tokens"));
            }
            let Some(token) = form.get("refresh_token") else {
                return Err(Refusal::new(Kind::InvalidRequest, "no_refresh_token"));
            };
            let source = credentials.source;
            let ask = RefreshAsk { token, client: Some(&client.id), wanted, source };
            core.refresh(ask).await.map(|tokens| granted(&tokens))
        }
        other => {
            // Whoever does not prove who it is learns nothing about grants.
            authenticated(shared, credentials).await?;
            Err(match other {
                "client_credentials" | "refresh_token" => {
                    Refusal::new(Kind::InvalidTarget, "several_resources")
                }
                _ => Refusal::new(Kind::UnsupportedGrantType, "unsupported_grant_type"),
            })
        }
    }
}

async fn revoke(
    shared: &Shared,
    form: &Form,
    credentials: Credentials<'_>,
) -> Result<Response<Body>, Refusal> {
    let client = authenticated(shared, credentials).await?;
    let token = form.get("token").ok_or(Refusal::new(Kind::InvalidRequest, "no_token"))?;
    shared.server.core.revoke_of(&client.id, token, credentials.source).await?;
    Ok(empty())
}

async fn introspect(
    shared: &Shared,
    form: &Form,
    credentials: Credentials<'_>,
) -> Result<Response<Body>, Refusal> {
    let client = authenticated(shared, credentials).await?;
    let token = form.get("token").ok_or(Refusal::new(Kind::InvalidRequest, "no_token"))?;
    let known = shared.server.core.introspect(&client, token, credentials.source).await?;
    Ok(match known {
        Some(active) => oauth(StatusCode::OK, &active),
        None => oauth(StatusCode::OK, &json!({ "active": false })),
    })
}

/// The client, and its last use noted.
async fn authenticated(
    shared: &Shared,
    credentials: Credentials<'_>,
) -> Result<ApplicationRecord, Refusal> {
    let core = &shared.server.core;
    let caller = core.authenticate(credentials).await?;
    if let Some(used) = caller.used {
        let _ = core.store.apply(vec![used]).await?;
    }
    Ok(caller.application)
}

/// The response of RFC 6749 section 5.1.
#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    scope: String,
}

fn granted(tokens: &Tokens) -> Response<Body> {
    let answer = Answer {
        access_token: tokens.access.token.expose(),
        token_type: "Bearer",
        expires_in: tokens.access.expires_in,
        refresh_token: tokens.refresh.as_ref().map(|refresh| refresh.token.expose().as_str()),
        scope: tokens.access.scopes.to_string(),
    };
    oauth(StatusCode::OK, &answer)
}
