//! What was revoked, for services that verify tokens elsewhere: over HTTP, and from the store that
//! several servers share.

use std::time::Duration;

use http::Request;
use serde_json::{Value, json};
use tower_bearer::{
    AuthErrorKind, event::IssuingAction, issue::NewApplication, store::Memory, time::UnixTime,
};

use super::world::{API, Answer, World, basic};
use crate::support::NOW;

const PATH: &str = "/revocations";

/// A service that verifies tokens.
async fn service(world: &World) -> String {
    let service = NewApplication::new("Service").audience(API).introspects();
    let (service, secret) = world.another(service).await;
    basic(service.id(), secret.expose())
}

async fn get(world: &World, credentials: &str, query: &str, known: Option<&str>) -> Answer {
    let mut request = Request::get(format!("{PATH}{query}")).header("authorization", credentials);
    if let Some(tag) = known {
        request = request.header("if-none-match", tag);
    }
    world.send(request.body(String::new()).unwrap()).await
}

fn ids(answer: &Answer) -> Vec<Value> {
    let answer = answer.json();
    answer["revocations"].as_array().unwrap().iter().map(|entry| entry["id"].clone()).collect()
}

#[tokio::test]
async fn a_service_reads_what_was_revoked_and_goes_on_from_there() {
    let world = World::new().await;
    let service = service(&world).await;
    let first = get(&world, &service, "", None).await;
    assert_eq!((first.status, ids(&first)), (200, vec![]));
    for (name, value) in [
        ("content-type", "application/json"),
        ("cache-control", "private, no-cache"),
        ("vary", "Authorization"),
    ] {
        assert_eq!(first.header(name), Some(value));
    }
    let next = first.text("next");
    assert_eq!(first.header("etag"), Some(&*format!("W/\"{next}\"")));

    world.server.revoke_token("one", UnixTime::from_secs(NOW + 600)).await.unwrap();
    world.server.revoke_access_tokens().await.unwrap();
    let second = get(&world, &service, &format!("?after={next}"), None).await;
    let mut found = second.json();
    for entry in found["revocations"].as_array_mut().unwrap() {
        assert!(entry.as_object_mut().unwrap().remove("age").unwrap().as_u64().unwrap() < 60_000);
    }
    let next = second.text("next");
    let expected = json!({
        "revocations": [
            {"kind": "token", "id": "one", "until": NOW + 900},
            {"kind": "issuer", "cut_off": NOW, "until": NOW + 3900},
        ],
        "next": next,
        "more": false,
    });
    assert_eq!(found, expected);

    let tag = second.header("etag").unwrap().to_owned();
    let third = get(&world, &service, &format!("?after={next}"), Some(&tag)).await;
    assert_eq!((third.status, third.text.as_str()), (304, ""));
    assert_eq!(third.header("etag"), Some(&*tag));
    // From the start there is something, whatever is known.
    assert_eq!(ids(&get(&world, &service, "", Some(&tag)).await).len(), 2);
}

#[tokio::test]
async fn many_revocations_come_in_several_answers() {
    let world = World::new().await;
    let service = service(&world).await;
    for number in 0..501 {
        let until = UnixTime::from_secs(NOW + 600);
        world.server.revoke_token(&number.to_string(), until).await.unwrap();
    }
    let first = get(&world, &service, "", None).await;
    assert_eq!((ids(&first).len(), &first.json()["more"]), (500, &json!(true)));
    let rest = get(&world, &service, &format!("?after={}", first.text("next")), None).await;
    assert_eq!((ids(&rest), &rest.json()["more"]), (vec![json!("500")], &json!(false)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_waited_for_as_long_as_it_is_asked_to() {
    let world = World::new().await;
    let service = service(&world).await;
    let next = get(&world, &service, "", None).await.text("next");
    let query = format!("?after={next}&wait=20");
    let start = tokio::time::Instant::now();
    assert_eq!(ids(&get(&world, &service, &query, None).await), Vec::<Value>::new());
    assert_eq!(start.elapsed().as_secs(), 20);

    let start = tokio::time::Instant::now();
    let revoke = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        world.server.revoke_token("one", UnixTime::from_secs(NOW + 600)).await.unwrap();
    };
    let (answer, ()) = tokio::join!(get(&world, &service, &query, None), revoke);
    assert_eq!((ids(&answer), start.elapsed().as_secs()), (vec![json!("one")], 3));
}

#[tokio::test]
async fn nobody_else_learns_what_was_revoked() {
    let world = World::new().await;
    let service = service(&world).await;
    let own = basic(world.app.id(), world.secret.expose());
    let answer = get(&world, &own, "", None).await;
    assert_eq!(answer.error(), (400, "unauthorized_client".to_owned()));
    assert_eq!(world.last().reason, Some("may_not_introspect"));

    let wrong = basic(world.app.id(), "wrong");
    let answer = get(&world, &wrong, "", None).await;
    assert_eq!(answer.error(), (401, "invalid_client".to_owned()));
    let request = Request::get(PATH).body(String::new()).unwrap();
    let answer = world.send(request).await;
    assert_eq!(answer.error(), (401, "invalid_client".to_owned()));
    let challenge = Some(r#"Basic realm="token", charset="UTF-8""#);
    assert_eq!(answer.header("www-authenticate"), challenge);
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    for query in
        ["?after=a%20b", "?wait=31", "?wait=-1", "?wait=soon", "?wait=1&wait=2", "?client_secret=x"]
    {
        let answer = get(&world, &service, query, None).await;
        assert_eq!(answer.error(), (400, "invalid_request".to_owned()), "{query}");
    }
    let answer = world.form(PATH, "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET")));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_runs_keeps_up_with_another_one_of_the_store() {
    let store = Memory::new();
    let world = World::over(store.clone(), |server| server, |endpoints| endpoints).await;
    let other = world.open_another(store).await;
    let verifier = super::world::verifier(&other, &world.clock);
    let pair = world.authenticate().await;
    assert!(verifier.verify_now(&pair.access()).is_ok());

    let running = other.clone();
    let running = tokio::spawn(async move { running.run().await });
    world.post("/api/Auth/revokeApplicationToken", &json!({"refreshToken": pair.refresh()})).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let error = verifier.verify_now(&pair.access()).unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Revoked);

    world.server.rotate_signing_key().await.unwrap();
    assert_ne!(other.jwks(), world.server.jwks());
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(other.jwks(), world.server.jwks());
    assert_eq!(other.jwks().matches("kid").count(), 2);
    running.abort();
}

#[tokio::test]
async fn a_server_that_stood_still_signs_with_no_key_that_was_replaced_meanwhile() {
    let store = Memory::new();
    let world = World::over(store.clone(), |server| server, |endpoints| endpoints).await;
    // The world's own server hears nothing of what this one does.
    let other = world.open_another(store).await;
    other.rotate_signing_key().await.unwrap();
    world.advance(24 * 3600);
    other.maintain().await.unwrap();
    let (header, _) = super::world::decoded(&world.authenticate().await.access());
    let keys = other.signing_keys();
    assert_eq!(header["kid"], keys.last().unwrap().id, "the one that signs by now");
    assert_eq!(world.count(IssuingAction::StoreFailed), 0);
}
