//! What a token is worth (RFC 7662).

use serde_json::json;
use tower_bearer::{issue::NewApplication, scope::ScopeSet};

use super::world::{API, Answer, World, new_app};
use crate::support::NOW;

const PATH: &str = "/oauth2/introspect";
const INACTIVE: &str = r#"{"active":false}"#;

/// I-INTRO-02, I-INTRO-07
#[track_caller]
fn is_inactive(answer: &Answer) {
    assert_eq!((answer.status, answer.text.as_str()), (200, INACTIVE));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

/// A resource server that knows `reports:read` only.
fn reports() -> NewApplication {
    let scopes = ScopeSet::parse("reports:read").unwrap();
    NewApplication::new("Reports").audience(API).scopes(scopes).introspects()
}

/// I-INTRO-04, I-INTRO-09
#[tokio::test]
async fn a_resource_server_learns_what_concerns_it() {
    let world = World::new().await;
    let (reports, secret) = world.another(reports()).await;
    let access = world.authenticate().await.access();
    for hint in ["", "&token_type_hint=refresh_token", "&token_type_hint=x"] {
        let body = format!("token={access}{hint}");
        let answer = world.form_by(reports.id(), secret.expose(), PATH, &body).await;
        let (_, claims) = super::world::decoded(&access);
        assert_eq!(
            answer.json(),
            json!({
                "active": true, "scope": "reports:read", "client_id": world.app.id(),
                "token_type": "Bearer", "exp": NOW + 600, "iat": NOW, "sub": world.app.id(),
                "aud": API, "iss": "https://id.test", "jti": claims["jti"],
            })
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    // The owner learns all of it.
    let own = world.form(PATH, &format!("token={access}")).await;
    assert_eq!(own.json()["scope"], "reports:read reports:write");
}

/// I-INTRO-01, I-INTRO-02, I-INTRO-03, I-INTRO-05
#[tokio::test]
async fn everything_else_is_inactive_and_nothing_more() {
    let world = World::new().await;
    let (server, secret) = world.another(reports()).await;
    let ask = |token: String| {
        let (world, server, secret) = (&world, &server, &secret);
        async move { world.form_by(server.id(), secret.expose(), PATH, &format!("token={token}")).await }
    };
    let pair = world.authenticate().await;
    let elsewhere = world
        .form("/oauth2/token", "grant_type=client_credentials&resource=https://other-api.test")
        .await;
    let mut forged = pair.access();
    forged.truncate(forged.len() - 4);
    forged.push_str("AAAA");
    for token in [elsewhere.text("access_token"), forged, "nonsense".to_owned(), pair.refresh()] {
        is_inactive(&ask(token).await);
    }
    // Without the permission there is nothing to learn about others.
    let (other, other_secret) = world.another(new_app("App2")).await;
    let body = format!("token={}", pair.access());
    is_inactive(&world.form_by(other.id(), other_secret.expose(), PATH, &body).await);
    let nobody = world.form_by(other.id(), "wrong", PATH, &body).await;
    assert_eq!(nobody.error(), (401, "invalid_client".to_owned()));
    let missing = world.form(PATH, "").await;
    assert_eq!(missing.error(), (400, "invalid_request".to_owned()));

    assert_eq!(ask(pair.access()).await.json()["active"], true);
    world.server.applications().disable(world.app.id()).await.unwrap();
    is_inactive(&ask(pair.access()).await);
    world.advance(700);
    is_inactive(&ask(pair.access()).await);
}

/// I-INTRO-03: as every verifier in the same process says, whose clock is that of the server.
#[tokio::test]
async fn a_token_is_good_until_it_expires_and_five_seconds_more() {
    let world = World::new().await;
    let access = world.authenticate().await.access();
    let body = format!("token={access}");
    world.advance(600 + 4);
    let active = world.form(PATH, &body).await.json();
    assert_eq!((&active["active"], &active["exp"]), (&json!(true), &json!(NOW + 600)));
    assert_eq!(world.call(&access).await, 200);
    world.advance(1);
    is_inactive(&world.form(PATH, &body).await);
    assert_eq!(world.call(&access).await, 401);
}

/// I-INTRO-08
#[tokio::test]
async fn only_the_owner_asks_about_refresh_tokens() {
    let world = World::new().await;
    let (server, secret) = world.another(reports()).await;
    let pair = world.authenticate().await;
    let body = format!("token={}", pair.refresh());
    is_inactive(&world.form_by(server.id(), secret.expose(), PATH, &body).await);
    let own = world.form(PATH, &body).await.json();
    assert_eq!((&own["active"], &own["exp"]), (&json!(true), &json!(NOW + 15 * 24 * 3600)));
    assert_eq!((own.get("token_type"), own.get("jti")), (None, None));
    let next = world.refresh(&pair.refresh()).await;
    is_inactive(&world.form(PATH, &body).await);
    assert_eq!(world.form(PATH, &format!("token={}", next.refresh())).await.json()["active"], true);
    world.advance(15 * 24 * 3600);
    is_inactive(&world.form(PATH, &format!("token={}", next.refresh())).await);
}
