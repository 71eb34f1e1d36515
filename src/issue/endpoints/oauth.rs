//! The endpoints of OAuth 2.0: forms in, JSON out.

use http::{Request, Response, StatusCode, Uri};
use serde::Serialize;
use serde_json::json;

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
        store::StoreError,
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
    let refused = |reason| {
        let refusal = Refusal::new(Kind::InvalidRequest, reason);
        oauth_error(shared.server.core.request_refused(refusal, None, source).kind)
    };
    let (head, body) = request.into_parts();
    if has_credentials(&head.uri) {
        return refused("credentials_in_query");
    }
    let text = match body::read(&head.headers, "application/x-www-form-urlencoded", body).await {
        Ok(text) => text,
        Err(unreadable) => {
            let mut response = refused(unreadable.reason());
            if unreadable == Unreadable::TooLarge {
                *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            }
            return response;
        }
    };
    let Ok(form) = Form::parse(&text) else {
        return refused(Unreadable::Broken.reason());
    };
    let client = match ClientSecret::of(&head.headers, &form) {
        Ok(client) => client,
        Err(NoClient::Unauthenticated) => {
            return oauth_error(shared.server.core.no_credentials(source).kind);
        }
        Err(NoClient::Ambiguous) => return refused("several_credentials"),
    };
    let credentials = Credentials { who: Who::Id(&client.id), secret: &client.secret, source };
    let answered = match route {
        OAuth::Token => token(shared, &form, credentials).await,
        OAuth::Revoke => revoke(shared, &form, credentials).await,
        OAuth::Introspect => introspect(shared, &form, credentials).await,
    };
    answered.unwrap_or_else(|refusal| oauth_error(refusal.kind))
}

/// Whether the query holds what belongs into the body: queries are logged by everybody (RFC 6749
/// section 2.3.1).
pub(super) fn has_credentials(uri: &Uri) -> bool {
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
    let mut resources = form.all("resource");
    let wanted = Wanted { scope: form.get("scope"), resource: resources.next() };
    let has_several = resources.next().is_some();
    match form.get("grant_type") {
        Some("client_credentials") if !has_several => {
            let ask = Ask { credentials, door: Door::OAuth, wanted };
            core.issue(ask).await.map(|tokens| granted(&tokens))
        }
        Some("refresh_token") if !has_several => {
            let client = authenticated(shared, credentials).await?;
            let source = credentials.source;
            let refused = |kind, reason| {
                core.request_refused(Refusal::new(kind, reason), Some(&client.id), source)
            };
            if !client.oauth_refresh {
                return Err(refused(Kind::UnauthorizedClient, "no_refresh_tokens"));
            }
            let token = form.get("refresh_token");
            let token = token.ok_or_else(|| refused(Kind::InvalidRequest, "no_token"))?;
            let ask = RefreshAsk { token, client: Some(&client.id), wanted, source };
            core.refresh(ask).await.map(|tokens| granted(&tokens))
        }
        other => {
            // Whoever does not prove who it is learns nothing about grants.
            let client = authenticated(shared, credentials).await?;
            let refusal = match other {
                Some("client_credentials" | "refresh_token") => {
                    Refusal::new(Kind::InvalidTarget, "several_resources")
                }
                Some(_) => Refusal::new(Kind::UnsupportedGrantType, "unsupported_grant_type"),
                None => Refusal::new(Kind::InvalidRequest, "no_grant_type"),
            };
            Err(core.request_refused(refusal, Some(&client.id), credentials.source))
        }
    }
}

async fn revoke(
    shared: &Shared,
    form: &Form,
    credentials: Credentials<'_>,
) -> Result<Response<Body>, Refusal> {
    let (client, token) = asked_about(shared, form, credentials).await?;
    shared.server.core.revoke_of(&client.id, token, credentials.source).await?;
    Ok(empty())
}

async fn introspect(
    shared: &Shared,
    form: &Form,
    credentials: Credentials<'_>,
) -> Result<Response<Body>, Refusal> {
    let (client, token) = asked_about(shared, form, credentials).await?;
    let known = shared.server.core.introspect(&client, token, credentials.source).await?;
    Ok(match known {
        Some(active) => oauth(StatusCode::OK, &active),
        None => oauth(StatusCode::OK, &json!({ "active": false })),
    })
}

/// The client, and the token that it names.
async fn asked_about<'f>(
    shared: &Shared,
    form: &'f Form,
    credentials: Credentials<'_>,
) -> Result<(ApplicationRecord, &'f str), Refusal> {
    let client = authenticated(shared, credentials).await?;
    match form.get("token") {
        Some(token) => Ok((client, token)),
        None => {
            let refusal = Refusal::new(Kind::InvalidRequest, "no_token");
            Err(shared.server.core.request_refused(refusal, Some(&client.id), credentials.source))
        }
    }
}

/// The client, and its last use noted.
pub(super) async fn authenticated(
    shared: &Shared,
    credentials: Credentials<'_>,
) -> Result<ApplicationRecord, Refusal> {
    let (core, source) = (&shared.server.core, credentials.source);
    let caller = core.authenticate(credentials).await?;
    let id = &caller.application.id;
    if let Some(used) = caller.used {
        let noted = core.store.apply(vec![used]).await;
        let failed = |error: StoreError| core.request_refused(error.into(), Some(id), source);
        let _ = noted.map_err(failed)?;
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
