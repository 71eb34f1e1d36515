//! A deployment moves from a file to a database, and its tokens stay what they are.

use tower::ServiceExt as _;
use tower_bearer::{
    AuthErrorKind, Verifier,
    issue::{
        AuthorizationServer, FindSource, NewApplication, RootKey, ServerKeys, Store,
        endpoints::Endpoints,
    },
    scope::ScopeSet,
    store::{self, CopyError, Memory, Sqlite},
    time::Clock,
};

use super::*;
use crate::folder::Folder;

const NOW: u64 = 1_800_000_000;
const API: &str = "https://api.test";

async fn open(store: impl Store) -> AuthorizationServer {
    AuthorizationServer::builder(store)
        .issuer("https://id.test")
        .keys(ServerKeys::new(&RootKey::from_bytes([7; 32])))
        .clock(UnixTime::from_secs(NOW))
        .open()
        .await
        .unwrap()
}

fn verifier(server: &AuthorizationServer, clock: impl Clock) -> Verifier {
    Verifier::builder().issuer(server.trusted().audience(API)).clock(clock).build().unwrap()
}

/// The status, the access token and the refresh token of an answer of the product.
async fn post(server: &AuthorizationServer, endpoint: &str, body: &str) -> (u16, String, String) {
    use http_body_util::BodyExt as _;
    let endpoints = Endpoints::builder(server.clone(), FindSource::unknown()).build().unwrap();
    let request = http::Request::post(format!("/api/Auth/{endpoint}"))
        .header("content-type", "application/json")
        .body(body.to_owned())
        .unwrap();
    let (head, body) = endpoints.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    (head.status.as_u16(), text("accessToken"), text("refreshToken"))
}

async fn authenticate(server: &AuthorizationServer, secret: &str) -> (u16, String, String) {
    let body = format!(r#"{{"applicationName": "App1", "applicationSecret": "{secret}"}}"#);
    post(server, "authenticateApplication", &body).await
}

async fn refresh(server: &AuthorizationServer, token: &str) -> (u16, String, String) {
    post(server, "refreshApplicationToken", &format!(r#"{{"refreshToken": "{token}"}}"#)).await
}

#[tokio::test]
async fn tokens_of_before_stay_good_and_what_was_revoked_stays_revoked() {
    let Some(server) = Server::shared() else { return };
    let clock = UnixTime::from_secs(NOW);
    let folder = Folder::new();
    let file = Sqlite::open(folder.path().join("store.db")).await.unwrap();
    let old = open(file.clone()).await;
    let scopes = ScopeSet::parse("reports:read").unwrap();
    let app = NewApplication::new("App1").audience(API).scopes(scopes);
    let (app, secret) = old.applications().create(app).await.unwrap();
    let other = NewApplication::new("App2").audience(API);
    old.applications().create(other).await.unwrap();
    let (_, live, first) = authenticate(&old, secret.expose()).await;
    let (_, _, current) = refresh(&old, &first).await;
    let (_, revoked, ended) = authenticate(&old, secret.expose()).await;
    let body = format!(r#"{{"refreshToken": "{ended}"}}"#);
    assert_eq!(post(&old, "revokeApplicationToken", &body).await.0, 200);
    old.rotate_signing_key().await.unwrap();
    let jwks = old.jwks();
    file.close().await.unwrap();

    let file = Sqlite::open(folder.path().join("store.db")).await.unwrap();
    let database = server.store().connect().await.unwrap();
    let copied = store::copy(&file, &database).await.unwrap();
    let counts = "2 applications, 2 families, 2 signing keys, 1 revocations";
    assert_eq!(copied.to_string(), counts);
    let again = store::copy(&file, &database).await.unwrap_err();
    assert!(matches!(again, CopyError::NotEmpty), "{again:?}");

    let new = open(database.clone()).await;
    assert_eq!(new.jwks(), jwks);
    let verifier = verifier(&new, clock);
    assert!(verifier.verify_now(&live).is_ok());
    assert_eq!(verifier.verify_now(&revoked).unwrap_err().kind(), AuthErrorKind::Revoked);
    assert_eq!(refresh(&new, &ended).await.0, 401);
    let (status, access, _) = refresh(&new, &current).await;
    assert_eq!(status, 200);
    assert!(verifier.verify_now(&access).is_ok());
    assert_eq!(authenticate(&new, secret.expose()).await.0, 200);
    let known = new.applications().named("App1").await.unwrap().unwrap();
    assert_eq!((known.id(), known.name()), (app.id(), "App1"));
    // The token before the first one that was copied is still told from nonsense.
    assert_eq!(refresh(&new, &first).await.0, 401);
    assert_eq!(refresh(&new, &current).await.0, 401, "reuse ended the family");
}

#[tokio::test]
async fn a_copy_of_many_rows_is_the_same() {
    let Some(server) = Server::shared() else { return };
    let from = Memory::new();
    let old = open(from.clone()).await;
    for number in 0..1100 {
        let until = UnixTime::from_secs(NOW + number);
        old.revoke_token(&number.to_string(), until).await.unwrap();
    }
    for number in 0..30 {
        let app = NewApplication::new(format!("App{number}")).audience(API);
        old.applications().create(app).await.unwrap();
    }
    let database = server.store().connect().await.unwrap();
    let copied = store::copy(&from, &database).await.unwrap();
    assert_eq!((copied.revocations, copied.applications), (1100, 30));
    let start = UnixTime::from_secs(0);
    assert_eq!(database.revocations(start).await.unwrap(), from.revocations(start).await.unwrap());
    assert_eq!(
        database.applications(None, 100).await.unwrap(),
        from.applications(None, 100).await.unwrap()
    );
    assert_eq!(database.signing_keys().await.unwrap().len(), 1);
}
