//! A server with one application, its endpoints, and a service that trusts it.

use std::{convert::Infallible, net::IpAddr, time::Duration};

use base64_simd::STANDARD;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_bearer::{
    AuthContext, AuthLayer, Verifier,
    event::{AuthEvent, IssuingAction, IssuingEvent},
    issue::{
        Application, AuthorizationServer, FindSource, GeneratedSecret, NewApplication, RootKey,
        ServerBuilder, ServerKeys, Store,
        endpoints::{Body, Endpoints, EndpointsBuilder},
    },
    scope::ScopeSet,
    store::Memory,
    test_util::{self, FrozenClock},
    token::RequestHead,
};

use crate::support::{NOW, Recorded, watch_traces};

pub(super) const ISSUER: &str = "https://id.test";
pub(super) const API: &str = "https://api.test";

/// The keys of the server.
pub(super) fn keys() -> ServerKeys {
    ServerKeys::new(&root(1))
}

pub(super) fn root(byte: u8) -> RootKey {
    RootKey::from_bytes([byte; 32])
}

pub(super) struct World {
    pub(super) server: AuthorizationServer,
    pub(super) endpoints: Endpoints,
    pub(super) clock: FrozenClock,
    pub(super) events: Recorded,
    pub(super) app: Application,
    pub(super) secret: GeneratedSecret,
    pub(super) verifier: Verifier,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|server| server).await
    }

    /// A server with other settings.
    pub(super) async fn with(change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        Self::over(Memory::new(), change, |endpoints| endpoints).await
    }

    pub(super) async fn with_endpoints(
        change: impl FnOnce(EndpointsBuilder) -> EndpointsBuilder,
    ) -> Self {
        Self::over(Memory::new(), |server| server, change).await
    }

    pub(super) async fn over(
        store: impl Store,
        server: impl FnOnce(ServerBuilder) -> ServerBuilder,
        endpoints: impl FnOnce(EndpointsBuilder) -> EndpointsBuilder,
    ) -> Self {
        watch_traces();
        let (clock, events) = (FrozenClock::at(NOW), Recorded::default());
        let builder = AuthorizationServer::builder(store)
            .issuer(ISSUER)
            .keys(keys())
            .clock(clock.clone())
            .on_event((events.clone(), tower_bearer::event::Tracing));
        let server = server(builder).open().await.expect("the server is sound");
        let (app, secret) = server.applications().create(new_app("App1")).await.unwrap();
        let endpoints = endpoints(Endpoints::builder(server.clone(), FindSource::peer(peer)))
            .build()
            .expect("the endpoints are sound");
        let verifier = verifier(&server, &clock);
        Self { server, endpoints, clock, events, app, secret, verifier }
    }

    /// A server of the same store that is opened now, with the usual settings.
    pub(super) async fn open_another(&self, store: impl Store) -> AuthorizationServer {
        self.open_another_with(store, |server| server).await
    }

    async fn open_another_with(
        &self,
        store: impl Store,
        change: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> AuthorizationServer {
        let builder = AuthorizationServer::builder(store).issuer(ISSUER).keys(keys());
        let builder = builder.clock(self.clock.clone());
        change(builder).open().await.expect("the server is sound")
    }

    /// Another server of the same store, with the same application.
    pub(super) async fn beside(&self, store: impl Store) -> Self {
        self.beside_with(store, |server| server).await
    }

    /// Another one with other settings.
    pub(super) async fn beside_with(
        &self,
        store: impl Store,
        change: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> Self {
        let server = self.open_another_with(store, change).await;
        let endpoints = Endpoints::builder(server.clone(), FindSource::peer(peer)).build();
        Self {
            endpoints: endpoints.expect("the endpoints are sound"),
            clock: self.clock.clone(),
            events: Recorded::default(),
            app: self.app.clone(),
            secret: self.secret.clone(),
            verifier: verifier(&server, &self.clock),
            server,
        }
    }

    pub(super) async fn authenticate(&self) -> Answer {
        self.authenticate_with("App1", self.secret.expose()).await
    }

    pub(super) async fn authenticate_with(&self, name: &str, secret: &str) -> Answer {
        let body = json!({ "applicationName": name, "applicationSecret": secret });
        self.post("/api/Auth/authenticateApplication", &body).await
    }

    pub(super) async fn refresh(&self, token: &str) -> Answer {
        self.post("/api/Auth/refreshApplicationToken", &json!({ "refreshToken": token })).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(body.to_string()).unwrap()).await
    }

    /// A form, with the application's credentials as Basic.
    pub(super) async fn form(&self, path: &str, body: &str) -> Answer {
        self.form_by(self.app.id(), self.secret.expose(), path, body).await
    }

    pub(super) async fn form_by(&self, id: &str, secret: &str, path: &str, body: &str) -> Answer {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", basic(id, secret));
        self.send(request.body(body.to_owned()).unwrap()).await
    }

    pub(super) async fn send(&self, request: Request<String>) -> Answer {
        self.send_from("192.0.2.1".parse().unwrap(), request).await
    }

    pub(super) async fn send_from(&self, source: IpAddr, request: Request<String>) -> Answer {
        let mut request = request.map(Full::<bytes::Bytes>::from);
        request.extensions_mut().insert(Peer(source));
        Answer::of(self.endpoints.clone().oneshot(request).await).await
    }

    /// How the protected service answers to this token.
    pub(super) async fn call(&self, token: &str) -> StatusCode {
        let inner = service_fn(|request: Request<String>| async move {
            assert!(AuthContext::of(request.extensions()).is_ok());
            Ok::<_, Infallible>(Response::new(String::new()))
        });
        let service = AuthLayer::new(self.verifier.clone()).layer(inner);
        service.oneshot(test_util::get("/", token)).await.unwrap().status()
    }

    /// Another application, with its secret.
    pub(super) async fn another(&self, new: NewApplication) -> (Application, GeneratedSecret) {
        self.server.applications().create(new).await.unwrap()
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// What happened at the issuing side.
    pub(super) fn happened(&self) -> Vec<IssuingEvent> {
        let of_issuing = |event: AuthEvent| match event {
            AuthEvent::Issuing(event) => Some(event),
            _ => None,
        };
        self.events.all().into_iter().filter_map(of_issuing).collect()
    }

    pub(super) fn last(&self) -> IssuingEvent {
        self.happened().pop().expect("something happened")
    }

    pub(super) fn count(&self, action: IssuingAction) -> usize {
        self.happened().iter().filter(|event| event.action == action).count()
    }
}

/// What verifies tokens of this server for the protected service.
pub(super) fn verifier(server: &AuthorizationServer, clock: &FrozenClock) -> Verifier {
    let builder = Verifier::builder().issuer(server.trusted().audience(API));
    builder.clock(clock.clone()).build().expect("the verifier is sound")
}

/// An application that may have the scopes `reports:read` and `reports:write`.
pub(super) fn new_app(name: &str) -> NewApplication {
    NewApplication::new(name)
        .audience(API)
        .audience("https://other-api.test")
        .scopes(ScopeSet::parse("reports:read reports:write").unwrap())
}

#[derive(Clone, Copy)]
struct Peer(IpAddr);

pub(super) fn peer(head: &RequestHead<'_>) -> Option<IpAddr> {
    head.extensions().get::<Peer>().map(|peer| peer.0)
}

pub(super) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode_to_string(format!("{id}:{secret}")))
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    async fn of(response: Result<Response<Body>, Infallible>) -> Self {
        let (head, body) = response.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.into()).unwrap();
        Self { status: head.status.as_u16(), headers: head.headers, text }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// A member that is a text.
    pub(super) fn text(&self, member: &str) -> String {
        let json = self.json();
        json[member].as_str().unwrap_or_else(|| panic!("no {member}: {self:?}")).to_owned()
    }

    pub(super) fn access(&self) -> String {
        self.text("accessToken")
    }

    pub(super) fn refresh(&self) -> String {
        self.text("refreshToken")
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The status, and the `error` of RFC 6749 section 5.2.
    pub(super) fn error(&self) -> (u16, String) {
        (self.status, self.text("error"))
    }

    /// Status and body, and every header: all that a client could tell two answers apart by.
    pub(super) fn all(&self) -> (u16, String, Vec<(String, Vec<u8>)>) {
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect();
        headers.sort();
        (self.status, self.text.clone(), headers)
    }
}

/// The header and the claims of a token.
pub(super) fn decoded(token: &str) -> (Value, Value) {
    let part = |part: &str| {
        let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    let mut parts = token.split('.');
    (part(parts.next().unwrap()), part(parts.next().unwrap()))
}
