//! The endpoints of OAuth 2.0: token and revocation.

use http::Request;
use serde_json::json;
use tower_bearer::{
    event::IssuingAction,
    issue::{GeneratedSecret, NewApplication},
    scope::ScopeSet,
};

use super::world::{API, Answer, World, basic, decoded, new_app};

const TOKEN: &str = "/oauth2/token";
const CLIENT_CREDENTIALS: &str = "grant_type=client_credentials";

/// An answer that nobody may store: I-TOKEN-31.
#[track_caller]
fn is_not_stored(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
}

fn form(path: &str, body: &str) -> Request<String> {
    Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned())
        .unwrap()
}

/// A world whose application gets refresh tokens, and the first pair.
async fn with_refresh() -> (World, Answer) {
    let world = World::new().await;
    world.server.applications().set_oauth_refresh(world.app.id(), true).await.unwrap();
    let pair = world.form(TOKEN, CLIENT_CREDENTIALS).await;
    (world, pair)
}

async fn refreshed(world: &World, token: &str) -> Answer {
    world.form(TOKEN, &format!("grant_type=refresh_token&refresh_token={token}")).await
}

/// I-TOKEN-21, I-TOKEN-22, I-TOKEN-30, I-TOKEN-31, I-AT-04, I-RT-19
#[tokio::test]
async fn client_credentials_give_an_access_token_alone() {
    let world = World::new().await;
    let answer = world.form(TOKEN, CLIENT_CREDENTIALS).await;
    assert_eq!(answer.status, 200);
    is_not_stored(&answer);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let access = answer.text("access_token");
    assert_eq!(
        answer.json(),
        json!({
            "access_token": access, "token_type": "Bearer", "expires_in": 600,
            "scope": "reports:read reports:write",
        })
    );
    assert_eq!(world.call(&access).await, 200);
    let (_, claims) = decoded(&access);
    assert_eq!((claims["sub"].as_str(), claims.get("sid")), (Some(world.app.id()), None));
    let refused = refreshed(&world, "nonsense").await;
    assert_eq!(refused.error(), (400, "unauthorized_client".to_owned()));
}

/// I-TOKEN-10, I-TOKEN-11, I-TOKEN-12, I-TOKEN-16
#[tokio::test]
async fn clients_authenticate_by_basic_or_in_the_body() {
    let world = World::new().await;
    let (id, secret) = (world.app.id(), world.secret.expose());
    let word =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    assert!(word(id) && word(secret));
    let in_body = format!("{CLIENT_CREDENTIALS}&client_id={id}&client_secret={secret}");
    assert_eq!(world.send(form(TOKEN, &in_body)).await.status, 200);
    let with_id = format!("{CLIENT_CREDENTIALS}&client_id={id}");
    assert_eq!(world.form(TOKEN, &with_id).await.status, 200);

    // A secret with characters that Basic wants encoded (RFC 6749 appendix B).
    let chosen = "p%ss+w & a long one";
    world.server.applications().add_chosen_secret(id, "chosen", chosen).await.unwrap();
    let encoded = "p%25ss%2Bw+%26+a+long+one";
    assert_eq!(world.form_by(id, encoded, TOKEN, CLIENT_CREDENTIALS).await.status, 200);
    let raw = world.form_by(id, chosen, TOKEN, CLIENT_CREDENTIALS).await;
    assert_eq!(raw.error(), (401, "invalid_client".to_owned()));
    for odd in ["a\u{7f}", "%C3%A9", "%ff", "%00"] {
        let answer = world.form_by(odd, secret, TOKEN, CLIENT_CREDENTIALS).await;
        assert_eq!(answer.error(), (401, "invalid_client".to_owned()), "{odd}");
    }
}

/// I-TOKEN-14, I-TOKEN-15, I-TOKEN-17, I-SEC-02: C14.
#[tokio::test]
async fn who_is_not_authenticated_gets_the_same_answer_everywhere() {
    let first = World::new().await.send(form(TOKEN, CLIENT_CREDENTIALS)).await;
    assert_eq!(first.error(), (401, "invalid_client".to_owned()));
    assert_eq!(first.text, r#"{"error":"invalid_client"}"#);
    assert_eq!(first.header("www-authenticate"), Some(r#"Basic realm="token", charset="UTF-8""#));
    assert_eq!(first.header("content-type"), Some("application/json"));
    is_not_stored(&first);
    for path in [TOKEN, "/oauth2/revoke", "/oauth2/introspect"] {
        is_not_told_why(path, &first).await;
    }
}

async fn is_not_told_why(path: &str, first: &Answer) {
    let world = World::new().await;
    let (disabled, disabled_secret) = world.another(new_app("Disabled")).await;
    world.server.applications().disable(disabled.id()).await.unwrap();
    let (id, secret) = (world.app.id().to_owned(), world.secret.expose().to_owned());
    let mut mistyped = secret.clone();
    mistyped.replace_range(20..21, if &secret[20..21] == "a" { "b" } else { "a" });
    let body = format!("{CLIENT_CREDENTIALS}&token=x");
    for (id, secret) in [
        ("app_0000000000000000000000", secret.as_str()),
        (&id, &mistyped),
        (&id, disabled_secret.expose()),
        (&id, "some other secret"),
        (disabled.id(), disabled_secret.expose()),
        ("App1", &secret),
        (&id, ""),
    ] {
        let answer = world.form_by(id, secret, path, &body).await;
        assert_eq!(answer.all(), first.all(), "{path} {id} {secret}");
        assert_eq!(world.last().action, IssuingAction::AuthenticationFailed);
    }
    for authorization in ["Bearer x", "Basic", "Basic !", "Basic YWJj", "Basic YQ:b"] {
        let mut request = form(path, &body);
        request.headers_mut().insert("authorization", authorization.parse().unwrap());
        assert_eq!(world.send(request).await.all(), first.all(), "{path} {authorization}");
        assert_eq!(world.last().reason, Some("no_credentials"));
    }
}

/// I-TOKEN-13
#[tokio::test]
async fn more_than_one_way_to_authenticate_is_a_malformed_request() {
    let world = World::new().await;
    let (id, secret) = (world.app.id(), world.secret.expose());
    for body in [
        format!("{CLIENT_CREDENTIALS}&client_secret={secret}"),
        format!("{CLIENT_CREDENTIALS}&client_id={id}&client_secret={secret}"),
        format!("{CLIENT_CREDENTIALS}&client_id=another"),
    ] {
        let answer = world.form(TOKEN, &body).await;
        assert_eq!(answer.error(), (400, "invalid_request".to_owned()), "{body}");
    }
    let mut twice = form(TOKEN, CLIENT_CREDENTIALS);
    let line: http::HeaderValue = basic(id, secret).parse().unwrap();
    twice.headers_mut().append("authorization", line.clone());
    twice.headers_mut().append("authorization", line);
    assert_eq!(world.send(twice).await.error(), (400, "invalid_request".to_owned()));
}

/// I-TOKEN-01, I-TOKEN-03, I-TOKEN-04, I-TOKEN-05, I-TOKEN-06, I-TOKEN-32, I-REV-10, I-INTRO-06
#[tokio::test]
async fn requests_are_posts_of_strict_forms() {
    let world = World::new().await;
    let invalid = (400, "invalid_request".to_owned());
    for path in [TOKEN, "/oauth2/revoke", "/oauth2/introspect"] {
        for method in ["GET", "HEAD", "PUT", "OPTIONS"] {
            let uri = format!("{path}?token=s3cr3t&callback=x");
            let request = Request::builder().method(method).uri(uri).body(String::new()).unwrap();
            let answer = world.send(request).await;
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some("POST")),
                "{method} {path}"
            );
        }
        for body in ["a=%zz", "a=%ff", "grant_type=a&grant_type=a", "token=a&token=b"] {
            assert_eq!(world.form(path, body).await.error(), invalid, "{path} {body}");
        }
        for query in ["client_secret=x", "refresh_token=x", "%74oken=x", "token=x&a=b"] {
            let answer = world.form(&format!("{path}?{query}"), CLIENT_CREDENTIALS).await;
            assert_eq!(answer.error(), invalid, "{path} {query}");
        }
        let large = world.form(path, &format!("x={}", "y".repeat(17 * 1024))).await;
        assert_eq!(large.error(), (413, "invalid_request".to_owned()));
        is_not_stored(&large);
    }
    for media_type in ["application/json", "text/plain", "multipart/form-data"] {
        let mut request = form(TOKEN, CLIENT_CREDENTIALS);
        request.headers_mut().insert("content-type", media_type.parse().unwrap());
        assert_eq!(world.send(request).await.error(), invalid, "{media_type}");
    }
    let (id, secret) = (world.app.id(), world.secret.expose());
    let body = format!("foo=1&scope=&{CLIENT_CREDENTIALS}&client_id={id}&client_secret={secret}&&");
    let mut request = form(TOKEN, &body);
    let media_type = "application/x-www-form-urlencoded;charset=UTF-8";
    request.headers_mut().insert("content-type", media_type.parse().unwrap());
    assert_eq!(world.send(request).await.status, 200);
}

/// I-TOKEN-07, I-TOKEN-08
#[tokio::test]
async fn grants_are_named_to_those_who_authenticate() {
    let world = World::new().await;
    for (body, error) in [
        ("", "invalid_request"),
        ("grant_type=", "invalid_request"),
        ("grant_type=foo", "unsupported_grant_type"),
        ("grant_type=password&username=a&password=b", "unsupported_grant_type"),
        ("grant_type=authorization_code&code=x", "unsupported_grant_type"),
        ("grant_type=refresh_token", "unauthorized_client"),
    ] {
        assert_eq!(world.form(TOKEN, body).await.error(), (400, error.to_owned()), "{body}");
        let answer = world.form_by(world.app.id(), "wrong", TOKEN, body).await;
        assert_eq!(answer.error(), (401, "invalid_client".to_owned()), "{body}");
    }
    let (world, _) = with_refresh().await;
    let answer = world.form(TOKEN, "grant_type=refresh_token").await;
    assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
}

/// I-TOKEN-23, I-TOKEN-38
#[tokio::test]
async fn a_scope_that_is_not_allowed_is_refused_as_a_whole() {
    let world = World::new().await;
    let ask = |scope: &str| format!("{CLIENT_CREDENTIALS}&scope={scope}");
    let narrowed = world.form(TOKEN, &ask("reports%3Awrite+reports%3Awrite")).await;
    assert_eq!(narrowed.json()["scope"], "reports:write");
    for scope in ["admin", "reports:read+admin", "a%22b", "a%5Cb", "%C3%A9", "+"] {
        let answer = world.form(TOKEN, &ask(scope)).await;
        assert_eq!(answer.error(), (400, "invalid_scope".to_owned()), "{scope}");
        assert_eq!(world.last().action, IssuingAction::RequestRefused);
    }
    // Without any scope there is no default to grant.
    let (bare, secret) = world.another(NewApplication::new("Bare").audience(API)).await;
    let answer = world.form_by(bare.id(), secret.expose(), TOKEN, CLIENT_CREDENTIALS).await;
    assert_eq!(answer.error(), (400, "invalid_scope".to_owned()));
}

/// I-TOKEN-25, I-TOKEN-26
#[tokio::test]
async fn a_token_is_for_one_resource_of_those_that_are_allowed() {
    let world = World::new().await;
    let ask = |resource: &str| format!("{CLIENT_CREDENTIALS}&resource={resource}");
    let answer = world.form(TOKEN, &ask("https://other-api.test")).await;
    assert_eq!(decoded(&answer.text("access_token")).1["aud"], "https://other-api.test");
    assert_eq!(world.call(&answer.text("access_token")).await, 401);
    for resource in [
        "https://unknown.test",
        "/relative",
        "https://api.test%23fragment",
        "https://api.test/",
        "https://api.test&resource=https://other-api.test",
    ] {
        let answer = world.form(TOKEN, &ask(resource)).await;
        assert_eq!(answer.error(), (400, "invalid_target".to_owned()), "{resource}");
    }
}

/// I-RT-01, I-RT-02, I-RT-03
#[tokio::test]
async fn a_refresh_token_is_bound_to_its_client_and_its_grant() {
    let (world, pair) = with_refresh().await;
    let (other, other_secret) = world.another(new_app("App2").oauth_refresh()).await;
    let token = pair.text("refresh_token");
    let ask = format!("grant_type=refresh_token&refresh_token={token}");
    let foreign = world.form_by(other.id(), other_secret.expose(), TOKEN, &ask).await;
    assert_eq!(foreign.error(), (400, "invalid_grant".to_owned()));
    assert_eq!(world.last().reason, Some("other_application"));
    let nobody = world.send(form(TOKEN, &ask)).await;
    assert_eq!(nobody.error(), (401, "invalid_client".to_owned()));
    let more = world.form(TOKEN, &format!("{ask}&scope=admin")).await;
    assert_eq!(more.error(), (400, "invalid_scope".to_owned()));
    let elsewhere = world.form(TOKEN, &format!("{ask}&resource=https://other-api.test")).await;
    assert_eq!(elsewhere.error(), (400, "invalid_target".to_owned()));

    // Nothing of that consumed it. Narrowing is for one access token only.
    let narrow = world.form(TOKEN, &format!("{ask}&scope=reports:read&resource={API}")).await;
    assert_eq!(narrow.json()["scope"], "reports:read");
    let full = refreshed(&world, &narrow.text("refresh_token")).await;
    assert_eq!(full.json()["scope"], "reports:read reports:write");
    let replayed = refreshed(&world, &token).await;
    assert_eq!(replayed.all(), foreign.all());
    let dead = refreshed(&world, &full.text("refresh_token")).await;
    assert_eq!(dead.all(), foreign.all());
}

#[tokio::test]
async fn a_family_is_refreshed_only_where_it_was_opened() {
    let (world, pair) = with_refresh().await;
    let product = world.authenticate().await;
    let wrong = refreshed(&world, &product.refresh()).await;
    assert_eq!(wrong.error(), (400, "invalid_grant".to_owned()));
    assert_eq!(world.last().reason, Some("other_door"));
    assert_eq!(world.refresh(&pair.text("refresh_token")).await.status, 401);
    assert_eq!(world.last().reason, Some("other_door"));
    // Neither was consumed.
    assert_eq!(refreshed(&world, &pair.text("refresh_token")).await.status, 200);
    assert_eq!(world.refresh(&product.refresh()).await.status, 200);
}

#[tokio::test]
async fn refresh_tokens_that_an_application_gets_no_more_are_not_refreshed() {
    let (world, pair) = with_refresh().await;
    world.server.applications().set_oauth_refresh(world.app.id(), false).await.unwrap();
    let answer = refreshed(&world, &pair.text("refresh_token")).await;
    assert_eq!(answer.error(), (400, "unauthorized_client".to_owned()));
}

/// I-REV-01, I-REV-02, I-REV-04, I-REV-05, I-REV-06, I-REV-07, I-REV-08
#[tokio::test]
async fn a_client_revokes_what_it_holds() {
    let (world, pair) = with_refresh().await;
    let revoke = |token: &str, hint: &str| format!("token={token}{hint}");
    let (access, refresh) = (pair.text("access_token"), pair.text("refresh_token"));
    let done =
        world.form("/oauth2/revoke", &revoke(&access, "&token_type_hint=refresh_token")).await;
    assert_eq!((done.status, done.text.as_str()), (200, ""));
    is_not_stored(&done);
    assert_eq!(world.call(&access).await, 401);
    // The family goes on without that access token.
    let next = refreshed(&world, &refresh).await;
    assert_eq!(world.call(&next.text("access_token")).await, 200);

    let refresh = next.text("refresh_token");
    let done = world.form("/oauth2/revoke", &revoke(&refresh, "&token_type_hint=foo")).await;
    assert_eq!(done.status, 200);
    assert_eq!(world.call(&next.text("access_token")).await, 401);
    assert_eq!(refreshed(&world, &refresh).await.error(), (400, "invalid_grant".to_owned()));
    for token in [refresh.as_str(), &access, "nonsense", "a.b.c"] {
        let answer = world.form("/oauth2/revoke", &revoke(token, "")).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{token}");
    }
    let missing = world.form("/oauth2/revoke", "token_type_hint=access_token").await;
    assert_eq!(missing.error(), (400, "invalid_request".to_owned()));
}

/// I-REV-03
#[tokio::test]
async fn a_client_cannot_revoke_what_another_holds() {
    let (world, pair) = with_refresh().await;
    let (other, secret): (_, GeneratedSecret) = world.another(new_app("App2")).await;
    for member in ["access_token", "refresh_token"] {
        let body = format!("token={}", pair.text(member));
        let answer = world.form_by(other.id(), secret.expose(), "/oauth2/revoke", &body).await;
        assert_eq!(answer.error(), (400, "invalid_grant".to_owned()), "{member}");
    }
    assert_eq!(world.call(&pair.text("access_token")).await, 200);
    assert_eq!(refreshed(&world, &pair.text("refresh_token")).await.status, 200);
}

/// I-AT-10: nothing but what belongs to the new token changes in it.
#[tokio::test]
async fn a_refreshed_token_says_the_same_of_the_grant() {
    let (world, pair) = with_refresh().await;
    world.advance(60);
    let next = refreshed(&world, &pair.text("refresh_token")).await;
    let (_, mut before) = decoded(&pair.text("access_token"));
    let (_, mut after) = decoded(&next.text("access_token"));
    assert_eq!(after["iat"].as_u64().unwrap(), before["iat"].as_u64().unwrap() + 60);
    for claims in [&mut before, &mut after] {
        for changing in ["iat", "exp", "jti"] {
            claims.as_object_mut().unwrap().remove(changing).unwrap();
        }
    }
    assert_eq!(after, before);
    let scopes = ScopeSet::parse(after["scope"].as_str().unwrap()).unwrap();
    assert_eq!(&scopes, world.app.scopes());
}
