//! The three endpoints of the product.

use http::Request;
use serde_json::json;
use tower_bearer::event::IssuingAction;

use super::world::{World, decoded};
use crate::support::NOW;

const AUTHENTICATE: &str = "/api/Auth/authenticateApplication";
const REFRESH: &str = "/api/Auth/refreshApplicationToken";
const REVOKE: &str = "/api/Auth/revokeApplicationToken";

fn post(path: &str, media_type: &str, body: &str) -> Request<String> {
    Request::post(path).header("content-type", media_type).body(body.to_owned()).unwrap()
}

/// I-AT-01, I-AT-03, I-AT-06, I-AT-07, I-AT-11, I-AT-13
#[tokio::test]
async fn an_application_gets_a_pair_that_opens_the_service() {
    let world = World::new().await;
    let answer = world.authenticate().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let json = answer.json();
    assert_eq!(json["tokenType"], "Bearer");
    assert_eq!(json["expiresIn"], 600);
    assert_eq!(json["refreshExpiresIn"], 15 * 24 * 3600);
    assert_eq!(json["scope"], "reports:read reports:write");
    assert_eq!(json.as_object().unwrap().len(), 6);

    assert_eq!(world.call(&answer.access()).await, 200);
    let (header, claims) = decoded(&answer.access());
    let key = &world.server.signing_keys()[0];
    assert_eq!(header, json!({ "alg": "ES256", "kid": key.id, "typ": "at+jwt" }));
    let id = world.app.id();
    let (jti, sid) = (claims["jti"].as_str().unwrap(), claims["sid"].as_str().unwrap());
    assert_eq!(
        claims,
        json!({
            "iss": "https://id.test", "sub": id, "client_id": id, "aud": "https://api.test",
            "iat": NOW, "exp": NOW + 600, "jti": jti, "sid": sid,
            "scope": "reports:read reports:write",
        })
    );
    assert!(answer.access().contains('.') && !answer.refresh().contains('.'));
}

/// I-AT-05, I-TOKEN-35
#[tokio::test]
async fn no_two_tokens_are_alike() {
    let world = World::new().await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..100 {
        let answer = world.authenticate().await;
        let (_, claims) = decoded(&answer.access());
        let jti = claims["jti"].as_str().unwrap().to_owned();
        assert!(jti.len() >= 22 && answer.refresh().len() >= 43);
        assert!(seen.insert(jti) && seen.insert(answer.refresh()));
    }
}

#[tokio::test]
async fn an_application_may_ask_for_less() {
    let world = World::new().await;
    let body = |scope: &str| json!({ "applicationName": "App1", "applicationSecret": world.secret.expose(), "scope": scope });
    let answer = world.post(AUTHENTICATE, &body("reports:read")).await;
    assert_eq!(answer.json()["scope"], "reports:read");
    assert_eq!(decoded(&answer.access()).1["scope"], "reports:read");
    // A refreshed token gets no more than that.
    assert_eq!(world.refresh(&answer.refresh()).await.json()["scope"], "reports:read");
    for scope in ["admin", "reports:read admin", "a\"b", "", " "] {
        let refused = world.post(AUTHENTICATE, &body(scope)).await;
        assert_eq!(refused.status, 400, "{scope:?}");
        assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    }
}

/// I-SEC-08, I-SEC-11, I-TOKEN-15: also for chosen secrets, whose hashes are slow.
#[tokio::test]
async fn unknown_wrong_expired_and_disabled_look_the_same() {
    let world = World::new().await;
    let applications = world.server.applications();
    let wrong = world.secret.expose().replace("tbs_", "tbt_");
    let first = world.authenticate_with("App1", "another secret of somebody").await;
    assert_eq!(first.status, 401);
    assert_eq!(first.header("www-authenticate"), Some(r#"ApplicationSecret realm="token""#));
    assert_eq!(first.header("cache-control"), Some("no-store"));
    assert_eq!(first.header("content-type"), Some("application/problem+json"));
    assert_eq!(
        first.json(),
        json!({
            "type": "about:blank", "title": "Unauthorized", "status": 401,
            "detail": "The credentials are not accepted.",
        })
    );

    let (disabled, secret) = world.another(super::world::new_app("Disabled")).await;
    applications.disable(disabled.id()).await.unwrap();
    let mut answers = vec![
        ("wrong_secret", first),
        ("mistyped_secret", world.authenticate_with("App1", &wrong).await),
        ("wrong_secret", world.authenticate_with("App1", secret.expose()).await),
        ("unknown_application", world.authenticate_with("App2", world.secret.expose()).await),
        ("unknown_application", world.authenticate_with("app1", world.secret.expose()).await),
        ("unknown_application", world.authenticate_with("App2", "another secret").await),
        ("disabled_application", world.authenticate_with("Disabled", secret.expose()).await),
    ];
    world.advance(365 * 24 * 3600);
    answers.push(("expired_secret", world.authenticate().await));

    let reasons: Vec<_> = world
        .happened()
        .into_iter()
        .filter(|event| event.action == IssuingAction::AuthenticationFailed)
        .map(|event| event.reason.unwrap())
        .collect();
    assert_eq!(reasons.len(), answers.len());
    for ((reason, answer), told) in answers.iter().zip(reasons) {
        assert_eq!(told, *reason);
        assert_eq!(answer.all(), answers[0].1.all(), "{reason}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_the_endpoint_reads_is_400() {
    let world = World::new().await;
    let secret = world.secret.expose();
    let long = "x".repeat(129);
    for (path, body) in [
        (AUTHENTICATE, String::new()),
        (AUTHENTICATE, "{".into()),
        (AUTHENTICATE, "[]".into()),
        (AUTHENTICATE, "null".into()),
        (AUTHENTICATE, "{} {}".into()),
        (AUTHENTICATE, "{}".into()),
        (AUTHENTICATE, json!({ "applicationName": "App1" }).to_string()),
        (AUTHENTICATE, json!({ "applicationSecret": secret }).to_string()),
        (AUTHENTICATE, json!({ "applicationName": 1, "applicationSecret": secret }).to_string()),
        (
            AUTHENTICATE,
            json!({ "applicationName": "App1", "applicationSecret": [secret] }).to_string(),
        ),
        (AUTHENTICATE, json!({ "applicationName": "App1", "applicationSecret": null }).to_string()),
        (AUTHENTICATE, json!({ "applicationName": "", "applicationSecret": secret }).to_string()),
        (AUTHENTICATE, json!({ "applicationName": long, "applicationSecret": secret }).to_string()),
        (
            AUTHENTICATE,
            json!({ "applicationName": "App1", "applicationSecret": "s".repeat(513) }).to_string(),
        ),
        (
            AUTHENTICATE,
            json!({ "ApplicationName": "App1", "applicationSecret": secret }).to_string(),
        ),
        (
            AUTHENTICATE,
            format!(
                r#"{{"applicationName":"App1","applicationName":"App1","applicationSecret":"{secret}"}}"#
            ),
        ),
        (
            AUTHENTICATE,
            format!(r#"{{"applicationName":"App1","applicationSecret":"{secret}","x":1,"x":2}}"#),
        ),
        (
            AUTHENTICATE,
            format!(r#"{{"applicationName":"App1\ud800","applicationSecret":"{secret}"}}"#),
        ),
        (
            AUTHENTICATE,
            format!(
                r#"{{"applicationName":"App1","applicationSecret":"{secret}","x":{}}}"#,
                "[".repeat(40)
            ),
        ),
        (REFRESH, "{}".into()),
        (REFRESH, json!({ "refreshToken": 1 }).to_string()),
        (REVOKE, "{}".into()),
        (REVOKE, json!({ "refreshToken": "a", "accessToken": "b" }).to_string()),
    ] {
        let answer = world.send(post(path, "application/json", &body)).await;
        assert_eq!(answer.status, 400, "{path} {body}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn unknown_members_and_parameters_of_the_media_type_are_ignored() {
    let world = World::new().await;
    let secret = world.secret.expose();
    let body = format!(
        r#" {{"unknown":{{"a":[1]}},"applicationName":"App1","applicationSecret":"{secret}","scope":null}} "#
    );
    for media_type in
        ["application/json", "Application/JSON; charset=utf-8", "application/json;x=y"]
    {
        let answer = world.send(post(AUTHENTICATE, media_type, &body)).await;
        assert_eq!(answer.status, 200, "{media_type}");
    }
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        let answer = world.send(post(AUTHENTICATE, media_type, &body)).await;
        assert_eq!(answer.status, 415, "{media_type}");
    }
    let untyped = Request::post(AUTHENTICATE).body(body).unwrap();
    assert_eq!(world.send(untyped).await.status, 415);
}

#[tokio::test]
async fn a_body_of_more_than_16_kib_is_413_and_one_of_16_kib_is_read() {
    let world = World::new().await;
    let secret = world.secret.expose();
    let start = format!(r#"{{"applicationName":"App1","applicationSecret":"{secret}","x":""#);
    let of_length = |len: usize| format!("{start}{}\"}}", "x".repeat(len - start.len() - 2));
    let fits = world.send(post(AUTHENTICATE, "application/json", &of_length(16 * 1024))).await;
    assert_eq!(fits.status, 200);
    let large = world.send(post(AUTHENTICATE, "application/json", &of_length(16 * 1024 + 1))).await;
    assert_eq!(large.status, 413);
    let mut announced = post(AUTHENTICATE, "application/json", "{}");
    announced.headers_mut().insert("content-length", 16_385.into());
    assert_eq!(world.send(announced).await.status, 413);
}

#[tokio::test]
async fn another_method_is_405_and_another_path_404() {
    let world = World::new().await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        for path in [AUTHENTICATE, REFRESH, REVOKE] {
            let request = Request::builder().method(method).uri(path).body(String::new()).unwrap();
            let answer = world.send(request).await;
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some("POST")),
                "{method} {path}"
            );
        }
    }
    for path in [
        "/",
        "/api/Auth",
        "/api/auth/authenticateApplication",
        "/api/Auth/authenticateApplication/",
    ] {
        assert_eq!(world.send(post(path, "application/json", "{}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn revoking_either_token_ends_the_family_and_says_nothing() {
    for member in ["refreshToken", "accessToken"] {
        let world = World::new().await;
        let pair = world.authenticate().await;
        let other = world.authenticate().await;
        let answer = world.post(REVOKE, &json!({ member: pair.text(member) })).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "{}"));
        assert_eq!(world.call(&pair.access()).await, 401, "{member}");
        assert_eq!(world.refresh(&pair.refresh()).await.status, 401, "{member}");
        // Another family of the same application goes on.
        assert_eq!(world.call(&other.access()).await, 200);
        let again = world.post(REVOKE, &json!({ member: pair.text(member) })).await;
        let unknown = world.post(REVOKE, &json!({ member: "nonsense" })).await;
        assert_eq!(again.all(), answer.all());
        assert_eq!(unknown.all(), answer.all());
    }
}

#[tokio::test]
async fn the_endpoints_are_found_below_the_path_of_their_base_url_and_without_it() {
    let world =
        World::with_endpoints(|endpoints| endpoints.base_url("https://id.test/auth/")).await;
    let body = json!({ "applicationName": "App1", "applicationSecret": world.secret.expose() });
    for path in ["/auth/api/Auth/authenticateApplication", AUTHENTICATE] {
        assert_eq!(world.post(path, &body).await.status, 200, "{path}");
    }
    assert_eq!(world.post("/other/api/Auth/authenticateApplication", &body).await.status, 404);
}
