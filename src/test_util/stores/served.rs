//! Requests at the same time, to a server that keeps everything in the store.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use http::{Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower_service::Service as _;

use super::{
    races::{RIVALS, ROUNDS, together},
    samples::{NOW, scopes},
    trial::{Open, same},
};
use crate::{
    issue::{
        AuthorizationServer, FindSource, NewApplication, RootKey, ServerKeys, Store,
        endpoints::Endpoints,
    },
    test_util::FrozenClock,
    verifier::Verifier,
};

pub(super) async fn check(open: Open<'_>) {
    one_refresh_rotates_and_all_get_the_same(&Served::over(open().await.0).await).await;
    a_revoked_family_is_at_its_end(&Served::over(open().await.0).await).await;
    a_disabled_application_has_no_token(&Served::over(open().await.0).await).await;
}

async fn one_refresh_rotates_and_all_get_the_same(served: &Served) {
    let line = "of many who present the same refresh token all get the same successor";
    let mut token = served.authenticate().await.refresh();
    for _ in 0..ROUNDS / 10 {
        let refreshes = (0..RIVALS).map(|_| served.refresh(&token));
        let successors = together(refreshes).await.into_iter().map(|answer| answer.refresh());
        let mut successors: Vec<_> = successors.collect();
        successors.dedup();
        same(line, successors.len(), 1);
        // Nobody shares this one: to share generation after generation would be reuse.
        token = served.refresh(&successors.remove(0)).await.refresh();
    }
}

async fn a_revoked_family_is_at_its_end(served: &Served) {
    let line = "of a family that is revoked while it is refreshed no token is good";
    for _ in 0..ROUNDS {
        let first = served.authenticate().await;
        let token = first.refresh();
        let tasks = [served.refresh(&token), served.revoke(&token), served.refresh(&token)];
        let mut answers = together(tasks).await;
        same("a family can be revoked", answers.remove(1).status, StatusCode::OK);
        answers.push(first);
        served.none_is_good(line, &answers).await;
    }
}

async fn a_disabled_application_has_no_token(served: &Served) {
    let line = "of an application that is disabled while it authenticates no token is good";
    let applications = served.server.applications();
    for _ in 0..ROUNDS {
        let tasks = [served.authenticate(), served.disable(), served.authenticate()];
        served.none_is_good(line, &together(tasks).await).await;
        same(line, served.authenticate().await.status, StatusCode::UNAUTHORIZED);
        let enabled = applications.enable(&served.id).await;
        assert!(enabled.is_ok(), "broken: an application can be enabled: {enabled:?}");
        // What is issued in the second of a cut-off is cut off.
        served.clock.advance(Duration::from_secs(2));
    }
}

/// A server with one application.
struct Served {
    server: AuthorizationServer,
    endpoints: Endpoints,
    verifier: Verifier,
    clock: FrozenClock,
    id: String,
    secret: String,
}

/// A request, begun when it is polled.
type Task = Pin<Box<dyn Future<Output = Answer> + Send>>;

impl Served {
    #[expect(
        clippy::expect_used,
        reason = "the description is sound, and the store is under trial"
    )]
    async fn over(store: Arc<dyn Store>) -> Self {
        const API: &str = "https://api.test";
        let clock = FrozenClock::at(NOW);
        let server = AuthorizationServer::builder(store)
            .issuer("https://id.test")
            .keys(ServerKeys::new(&RootKey::from_bytes([7; 32])))
            .clock(clock.clone());
        let server = server.open().await.expect("broken: a server opens over an empty store");
        let new = NewApplication::new("one").audience(API).scopes(scopes("reports:read"));
        let created = server.applications().create(new).await;
        let (application, secret) = created.expect("broken: an application can be created");
        let endpoints = Endpoints::builder(server.clone(), FindSource::unknown());
        let verifier = Verifier::builder().issuer(server.trusted().audience(API));
        Self {
            endpoints: endpoints.build().expect("the endpoints are sound"),
            verifier: verifier.clock(clock.clone()).build().expect("the verifier is sound"),
            server,
            clock,
            id: application.id().to_owned(),
            secret: secret.expose().to_owned(),
        }
    }

    fn authenticate(&self) -> Task {
        let credentials = json!({ "applicationName": "one", "applicationSecret": self.secret });
        self.post("/api/Auth/authenticateApplication", &credentials)
    }

    fn refresh(&self, token: &str) -> Task {
        self.post("/api/Auth/refreshApplicationToken", &json!({ "refreshToken": token }))
    }

    fn revoke(&self, token: &str) -> Task {
        self.post("/api/Auth/revokeApplicationToken", &json!({ "refreshToken": token }))
    }

    fn post(&self, path: &str, body: &Value) -> Task {
        let mut request = Request::new(Full::<bytes::Bytes>::from(body.to_string()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = path.parse().unwrap_or_default();
        let json = http::HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        let mut endpoints = self.endpoints.clone();
        Box::pin(async move {
            let Ok(response) = endpoints.call(request).await;
            let (head, body) = response.into_parts();
            let Ok(body) = body.collect().await;
            let body = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
            Answer { status: head.status, body }
        })
    }

    fn disable(&self) -> Task {
        let (applications, id) = (self.server.applications(), self.id.clone());
        Box::pin(async move {
            let disabled = applications.disable(&id).await;
            assert!(disabled.is_ok(), "broken: an application can be disabled: {disabled:?}");
            Answer { status: StatusCode::NO_CONTENT, body: Value::Null }
        })
    }

    async fn none_is_good(&self, line: &str, answers: &[Answer]) {
        for answer in answers.iter().filter(|answer| answer.status == StatusCode::OK) {
            let verified = self.verifier.verify_now(&answer.member("accessToken"));
            assert!(verified.is_err(), "broken: {line}");
            let refreshed = self.refresh(&answer.refresh()).await;
            same(line, refreshed.status, StatusCode::UNAUTHORIZED);
        }
    }
}

struct Answer {
    status: StatusCode,
    body: Value,
}

impl Answer {
    fn refresh(&self) -> String {
        self.member("refreshToken")
    }

    fn member(&self, name: &str) -> String {
        let Self { status, body } = self;
        let member = body.get(name).and_then(Value::as_str);
        let lacks = || panic!("broken: a server answers over this store; it said {status}: {body}");
        member.map_or_else(lacks, str::to_owned)
    }
}
