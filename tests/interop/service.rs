//! The issuing side and an API, in one service on loopback.

use std::net::SocketAddr;

use axum::{Router, extract::ConnectInfo, routing::get};
use tokio::net::TcpListener;
use tower_bearer::{
    Algorithm, AuthLayer, RequireScope, Verifier,
    issue::{
        AuthorizationServer, FindSource, GeneratedSecret, NewApplication, RootKey, ServerKeys,
        endpoints::Endpoints,
    },
    scope,
    scope::ScopeSet,
    store::Memory,
};

/// The API, as tokens call it.
pub(crate) const AUDIENCE: &str = "https://api.test";
/// Another secret of the client, with all that forms and Basic credentials write differently.
pub(crate) const CHOSEN_SECRET: &str = "50% of: a+b & \"c=d\"/e?~_";

pub(crate) struct Service {
    pub(crate) issuer: String,
    /// Where the API answers.
    pub(crate) api: String,
    /// May read and write reports, and has refresh tokens.
    pub(crate) client: Credentials,
    /// Knows of reading only, and may ask about tokens.
    pub(crate) resource_server: Credentials,
}

pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: GeneratedSecret,
}

impl Service {
    /// Serves until the test ends. `path` is that of the issuer.
    pub(crate) async fn start(algorithm: Algorithm, path: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("http://{}", listener.local_addr().unwrap());
        let issuer = format!("{host}{path}");
        let server = AuthorizationServer::builder(Memory::new())
            .issuer(&issuer)
            .keys(ServerKeys::new(&RootKey::generate().unwrap()))
            .algorithm(algorithm)
            .open()
            .await
            .unwrap();
        let app = app(&server).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });

        let client = NewApplication::new("client").scopes(scopes("reports:read reports:write"));
        let resource_server = NewApplication::new("API").scopes(scopes("reports:read"));
        let client = create(&server, client.oauth_refresh()).await;
        let resource_server = create(&server, resource_server.introspects()).await;
        let applications = server.applications();
        applications.add_chosen_secret(&client.id, "chosen", CHOSEN_SECRET).await.unwrap();
        Self { issuer, api: format!("{host}/reports"), client, resource_server }
    }
}

fn app(server: &AuthorizationServer) -> Router {
    let trusted = server.trusted().audience(AUDIENCE);
    let verifier = Verifier::builder().issuer(trusted).build().unwrap();
    let source = FindSource::peer(|head| {
        head.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
    });
    let endpoints = Endpoints::builder(server.clone(), source)
        .scopes_supported(scopes("reports:read reports:write"));
    Router::new()
        .route("/reports", get(async || "reports"))
        .route_layer(RequireScope::new(scope!("reports:read")))
        .route_layer(AuthLayer::new(verifier))
        .fallback_service(endpoints.build().unwrap())
}

async fn create(server: &AuthorizationServer, new: NewApplication) -> Credentials {
    let (application, secret) = server.applications().create(new.audience(AUDIENCE)).await.unwrap();
    Credentials { id: application.id().to_owned(), secret }
}

fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}
