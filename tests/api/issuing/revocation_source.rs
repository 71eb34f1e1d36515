//! What was revoked, from the endpoint of an issuing side to the feed of a service without the store.

use std::time::Duration;

use http::{Request, Response};
use serde_json::json;
use tower::ServiceExt as _;
use tower_bearer::{
    AuthErrorKind, Verifier,
    issue::NewApplication,
    remote_keys::Fetching,
    revocation::{RevocationFeed, StalePolicy, feed::HttpSource},
};

use super::world::{API, World};

/// Hands requests to the endpoints, without a network between.
fn direct(world: &World) -> impl Fn(Request<()>) -> Fetching + Send + Sync + 'static + use<> {
    let endpoints = world.endpoints.clone();
    move |request| {
        let endpoints = endpoints.clone();
        Box::pin(async move {
            use http_body_util::BodyExt as _;
            let (head, ()) = request.into_parts();
            let asked = Request::from_parts(head, String::new());
            let (head, body) = endpoints.oneshot(asked).await?.into_parts();
            let body = body.collect().await?.to_bytes().to_vec();
            Ok(Response::from_parts(head, body))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_without_the_store_refuses_what_was_revoked() {
    let world = World::new().await;
    let service = NewApplication::new("Service").audience(API).introspects();
    let (service, secret) = world.another(service).await;
    let source = HttpSource::new("https://id.test/revocations", service.id(), secret.expose());
    let source = source.unwrap().fetch(direct(&world));
    assert!(!format!("{source:?}").contains(secret.expose()), "{source:?}");
    let feed = RevocationFeed::builder(source, StalePolicy::Refuse)
        .clock(world.clock.clone())
        .start()
        .unwrap();
    let elsewhere = world.server.trusted().audience(API).revocations(feed.revocations());
    let verifier: Verifier =
        Verifier::builder().issuer(elsewhere).clock(world.clock.clone()).build().unwrap();
    let pair = world.authenticate().await;
    verifier.ready().await.unwrap();
    assert!(verifier.verify_now(&pair.access()).is_ok());

    world.post("/api/Auth/revokeApplicationToken", &json!({"refreshToken": pair.refresh()})).await;
    feed.known(1).await;
    let error = verifier.verify_now(&pair.access()).unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Revoked);
}

#[tokio::test(start_paused = true)]
async fn what_the_endpoint_says_otherwise_is_an_error_and_no_list() {
    let page = |revoked: &str| format!(r#"{{"revocations":[{revoked}],"next":"1","more":false}}"#);
    for (status, body, text) in [
        (401, String::new(), "https://id.test/revocations answered 401 Unauthorized"),
        (400, r#"{"error":"unauthorized_client"}"#.to_owned(), "not created with `introspects`"),
        (200, page(r#"{"kind":"planet","until":1,"age":1}"#), "not known here"),
        (200, page(r#"{"kind":"client","id":"a","until":1,"age":1}"#), "without its cut-off"),
        (200, page("").replace("\"1\"", "\" \""), "a cursor that is none"),
        (200, page("").replace("false", "0"), "invalid type"),
        (200, "x".repeat(300 * 1024), "is too long"),
    ] {
        let answer = move |_: Request<()>| -> Fetching {
            let response = Response::builder().status(status).body(body.clone().into_bytes());
            Box::pin(async move { Ok(response?) })
        };
        let source = HttpSource::new("https://id.test/revocations", "a", "b").unwrap();
        let feed = RevocationFeed::builder(source.fetch(answer), StalePolicy::Refuse)
            .on_event(())
            .start()
            .unwrap();
        while feed.status().last_error.is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let error = feed.status().last_error.unwrap().to_string();
        assert!(error.contains(text), "{error}");
        assert!(!feed.status().is_complete);
    }
    for url in ["http://id.test/revocations", "https://id.test/revocations?x", "id.test"] {
        assert!(HttpSource::new(url, "a", "b").is_err(), "{url}");
    }
}
