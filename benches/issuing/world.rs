//! A server with applications, its endpoints, and what they are asked.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower::Service as _;
use tower_bearer::{
    issue::{
        Application, AuthorizationServer, FindSource, GeneratedSecret, NewApplication, RootKey,
        ServerKeys, Store, Throttle, endpoints::Endpoints,
    },
    scope::ScopeSet,
    token::RequestHead,
};

use crate::watched::{Asked, Watched};

const API: &str = "https://api.test";
/// Where a request says that it comes from; a server in real life asks its connection.
const SOURCE: &str = "x-source";

pub(crate) struct World {
    pub(crate) server: AuthorizationServer,
    pub(crate) endpoints: Endpoints,
    pub(crate) asked: Arc<Asked>,
    pub(crate) clients: Vec<Client>,
}

/// An application with its secret.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) secret: String,
}

impl World {
    pub(crate) async fn new(store: impl Store, applications: usize) -> Self {
        let asked = Arc::<Asked>::default();
        let server = AuthorizationServer::builder(Watched { store, asked: Arc::clone(&asked) })
            .issuer("https://id.test")
            .keys(ServerKeys::new(&RootKey::generate().expect("a key")))
            .throttle(
                Throttle::default()
                    .with_source_failures(30, Duration::from_secs(60))
                    .with_global_failures(1_000_000, 100_000),
            )
            .open()
            .await
            .expect("a server");
        let mut known = Vec::new();
        for number in 0..applications {
            let name = format!("App{number}");
            let app = NewApplication::new(&name)
                .audience(API)
                .scopes(ScopeSet::parse("reports:read reports:write files:read").expect("scopes"));
            let (app, secret) = server.applications().create(app).await.expect("an application");
            known.push(Client {
                id: app.id().to_owned(),
                name,
                secret: secret.expose().to_owned(),
            });
        }
        let endpoints = Endpoints::builder(server.clone(), FindSource::peer(source)).build();
        Self { server, endpoints: endpoints.expect("endpoints"), asked, clients: known }
    }

    /// An application that may ask what was revoked.
    pub(crate) async fn service(&self) -> (Application, GeneratedSecret) {
        let service = NewApplication::new("Service").audience(API).introspects();
        self.server.applications().create(service).await.expect("an application")
    }
}

fn source(head: &RequestHead<'_>) -> Option<IpAddr> {
    let named = head.headers().get(SOURCE).map(|value| value.to_str().ok()?.parse().ok());
    named.unwrap_or(Some(IpAddr::from([127, 0, 0, 1])))
}

pub(crate) type Ask = Request<Full<Bytes>>;

pub(crate) fn authenticate(client: &Client) -> Ask {
    let body = json!({ "applicationName": client.name, "applicationSecret": client.secret });
    post("/api/Auth/authenticateApplication", &body)
}

pub(crate) fn refresh(token: &str) -> Ask {
    post("/api/Auth/refreshApplicationToken", &json!({ "refreshToken": token }))
}

#[cfg(feature = "postgres")]
pub(crate) fn revoke(token: &str) -> Ask {
    post("/api/Auth/revokeApplicationToken", &json!({ "refreshToken": token }))
}

fn post(path: &str, body: &Value) -> Ask {
    let request = Request::post(path).header("host", "id.test");
    let request = request.header("content-type", "application/json");
    request.body(body.to_string().into()).expect("a request")
}

/// The same from this address.
pub(crate) fn from(source: IpAddr, mut ask: Ask) -> Ask {
    let value = source.to_string().try_into().expect("a header value");
    ask.headers_mut().insert(SOURCE, value);
    ask
}

/// Sends it through the endpoints, and reads the answer to its end.
pub(crate) async fn answer(endpoints: &mut Endpoints, ask: Ask) -> (StatusCode, Bytes) {
    let Ok(response) = endpoints.call(ask).await;
    let (head, body) = response.into_parts();
    let Ok(body) = body.collect().await;
    (head.status, body.to_bytes())
}

/// The refresh token of a pair.
pub(crate) fn refresh_token(pair: &[u8]) -> String {
    let pair: Value = serde_json::from_slice(pair).expect("a pair of tokens");
    pair["refreshToken"].as_str().expect("a refresh token").to_owned()
}
