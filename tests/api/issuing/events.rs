//! What an operator sees.

use std::collections::BTreeSet;

use serde_json::json;
use tower_bearer::{
    event::{AuthEvent, IssuingAction, Severity},
    issue::Cascade,
};

use super::world::{World, new_app, root};
use crate::support::traced;

/// X-LOG-04, X-LOG-05, X-LOG-08
#[tokio::test]
async fn everything_that_happens_is_one_event_with_its_code() {
    let world = World::new().await;
    let (applications, id) = (world.server.applications(), world.app.id().to_owned());
    let pair = world.authenticate().await;
    let next = world.refresh(&pair.refresh()).await;
    world.refresh(&pair.refresh()).await;
    world.refresh(&next.refresh()).await;
    world.refresh(&pair.refresh()).await;
    world.refresh("nonsense").await;
    world.authenticate_with("App1", "wrong secret of mine").await;
    world.form("/oauth2/token", "grant_type=client_credentials&scope=admin").await;
    let alone = world.form("/oauth2/token", "grant_type=client_credentials").await;
    world.form("/oauth2/introspect", "token=x").await;
    world.form("/oauth2/revoke", &format!("token={}", alone.text("access_token"))).await;
    let again = world.authenticate().await;
    let revoke = json!({ "refreshToken": again.refresh() });
    world.post("/api/Auth/revokeApplicationToken", &revoke).await;
    applications.set_introspects(&id, true).await.unwrap();
    applications.add_secret(&id, "second").await.unwrap();
    let keys = tower_bearer::issue::ServerKeys::new(&root(2)).with_previous(&root(1));
    world.server.replace_server_keys(keys).await.unwrap();
    world.authenticate().await;
    let first = applications.get(&id).await.unwrap().secrets().next().unwrap().id().to_owned();
    applications.revoke_secret(&id, &first, Cascade::No).await.unwrap();
    applications.revoke_everything(&id).await.unwrap();
    applications.disable(&id).await.unwrap();
    applications.enable(&id).await.unwrap();
    world.server.rotate_signing_key().await.unwrap();
    world.advance(24 * 3600);
    world.server.maintain().await.unwrap();
    world.server.replace_compromised_signing_keys().await.unwrap();
    applications.delete(&id).await.unwrap();
    for _ in 0..6 {
        world.authenticate().await;
    }

    let seen: BTreeSet<_> = world.happened().iter().map(|event| event.action.code()).collect();
    let all: BTreeSet<_> = IssuingAction::ALL.iter().map(|action| action.code()).collect();
    let unseen: Vec<_> = all.difference(&seen).copied().collect();
    // The outage has a test of its own.
    assert_eq!(unseen, ["store_failed"]);
    assert_eq!(all.len(), IssuingAction::ALL.len(), "no two have the same code");
    for event in world.events.all() {
        assert!(event.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
    }
}

/// X-LOG-04: what is malformed or not granted is told like everything else.
#[tokio::test]
async fn every_refused_request_is_told_with_its_reason_and_whom_it_came_from() {
    const ANYBODY: Option<&str> = None;
    let world = World::new().await;
    let id = Some(world.app.id());
    let (long, token) = ("x=".repeat(9000), "/oauth2/token");
    for (path, form, reason, application) in [
        (token, "a=%zz", "malformed_body", ANYBODY),
        (token, &long, "body_too_large", ANYBODY),
        ("/oauth2/token?token=x", "", "credentials_in_query", ANYBODY),
        (token, "client_secret=x", "several_credentials", ANYBODY),
        (token, "", "no_grant_type", id),
        (token, "grant_type=password", "unsupported_grant_type", id),
        (token, "grant_type=client_credentials&resource=a&resource=b", "several_resources", id),
        (token, "grant_type=client_credentials&resource=a", "unknown_resource", id),
        (token, "grant_type=client_credentials&scope=admin", "scope_not_allowed", id),
        (token, "grant_type=client_credentials&scope=%22", "malformed_scope", id),
        (token, "grant_type=refresh_token&refresh_token=x", "no_refresh_tokens", id),
        ("/oauth2/revoke", "", "no_token", id),
        ("/oauth2/introspect", "", "no_token", id),
    ] {
        world.form(path, form).await;
        is_told(&world, reason, application);
    }
    world.server.applications().set_oauth_refresh(world.app.id(), true).await.unwrap();
    world.form(token, "grant_type=refresh_token").await;
    is_told(&world, "no_token", id);
    for path in ["authenticateApplication", "refreshApplicationToken", "revokeApplicationToken"] {
        let path = &format!("/api/Auth/{path}");
        world.post(path, &json!({ "scope": "x" })).await;
        is_told(&world, "malformed_body", ANYBODY);
        world.post(path, &json!({ "scope": 1 })).await;
        is_told(&world, "malformed_body", ANYBODY);
        world.post(path, &json!({ "other": long })).await;
        is_told(&world, "body_too_large", ANYBODY);
        world.form(path, "").await;
        is_told(&world, "other_media_type", ANYBODY);
    }
}

fn is_told(world: &World, reason: &str, application: Option<&str>) {
    let event = world.last();
    assert_eq!((event.action, event.reason), (IssuingAction::RequestRefused, Some(reason)));
    assert_eq!(event.application.as_deref(), application, "{reason}");
    assert_eq!(event.source, Some("192.0.2.1".parse().unwrap()), "{reason}");
}

/// X-LOG-02, X-LOG-03: what nobody vouches for says so, is cut and escaped.
#[tokio::test]
async fn a_presented_name_is_marked_bounded_and_escaped() {
    let world = World::new().await;
    let name = format!("line\none {}", "x".repeat(100));
    world.authenticate_with(&name, "wrong secret of mine").await;
    let event = world.last();
    assert_eq!((event.application, event.unverified_application.as_deref()), (None, Some(&*name)));
    assert!(
        traced("unverified_application=\"line\\\\none")
            || traced("unverified_application=\"line\\none")
    );
    assert!(!traced("line\none"));
    world
        .form_by(
            &"y".repeat(128),
            "wrong secret of mine",
            "/oauth2/token",
            "grant_type=client_credentials",
        )
        .await;
    assert_eq!(world.last().unverified_application.unwrap().len(), 128);
    // An application that exists is named, though who asked did not prove to be it.
    world.authenticate_with("App1", "wrong secret of mine").await;
    assert_eq!(world.last().application.as_deref(), Some(world.app.id()));
}

/// X-LOG-01: the sink of the tests ends the process if it sees a token or a secret; here is what an
/// event itself shows.
#[tokio::test]
async fn no_event_shows_a_secret_or_a_token() {
    let world = World::new().await;
    let pair = world.authenticate().await;
    let next = world.refresh(&pair.refresh()).await;
    world.authenticate_with("App1", "a wrong s3cr3t of somebody").await;
    world.refresh("a wrong s3cr3t token").await;
    let printed = format!("{:?}", world.events.all());
    for hidden in [
        world.secret.expose(),
        &pair.access(),
        &pair.refresh(),
        &next.access(),
        &next.refresh(),
        "s3cr3t",
    ] {
        assert!(!printed.contains(hidden), "{hidden}");
    }
}

/// X-LOG-09
#[tokio::test]
async fn no_answer_shows_a_reason() {
    let world = World::new().await;
    let pair = world.authenticate().await;
    world.another(new_app("App2")).await;
    let answers = [
        world.authenticate_with("App1", "wrong secret of mine").await,
        world.refresh("nonsense").await,
        world.form("/oauth2/token", "grant_type=client_credentials&scope=admin").await,
        world.form("/oauth2/token", "grant_type=refresh_token").await,
        world.form("/oauth2/introspect", &format!("token={}", pair.refresh())).await,
    ];
    let reasons: BTreeSet<_> = world.happened().iter().filter_map(|event| event.reason).collect();
    for answer in answers {
        let shown = format!("{answer:?}");
        for reason in reasons.iter().filter(|reason| reason.contains('_')) {
            assert!(!shown.contains(reason), "{reason}: {shown}");
        }
    }
}

#[tokio::test]
async fn a_sink_that_panics_harms_nobody() {
    let world = World::with(|server| server.on_event(|_: &AuthEvent| panic!("a sink"))).await;
    assert_eq!(world.authenticate().await.status, 200);
}

#[test]
fn severities_are_in_order() {
    assert!(Severity::Routine < Severity::Notice && Severity::Warning < Severity::Critical);
}
