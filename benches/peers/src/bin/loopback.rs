//! An axum service on loopback that answers at `/bare` and, behind the layer, at `/guarded` and, with
//! tokens remembered, at `/cached`.
//!
//! Prints its address and a good token, and then serves until it is killed; `benches/loopback`
//! drives it. The argument is the algorithm, `HS256` if there is none.

use axum::{Router, routing::get};
use serde::Deserialize;
use tokio::net::TcpListener;
use tower_bearer::{
    Algorithm, AuthLayer, Verifier,
    test_util::TestIssuer,
    verifier::{CacheConfig, VerifierBuilder},
};

/// What a handler would read.
#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "the handler answers the same to everybody")]
struct Caller {
    sub: String,
}

/// An afternoon of measuring.
const LIFETIME: u64 = 6 * 3600;

#[tokio::main]
async fn main() {
    let algorithm = std::env::args().nth(1).unwrap_or_else(|| "HS256".to_owned());
    let algorithm: Algorithm = algorithm.parse().expect("an algorithm");
    let issuer = TestIssuer::named("https://issuer.test", algorithm);
    let verifier = || Verifier::builder().issuer(issuer.trusted());

    let app = Router::new()
        .merge(guarded("/guarded", verifier()))
        .merge(guarded("/cached", verifier().cache(CacheConfig::new())))
        .route("/bare", get(answer));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    println!("http://{}", listener.local_addr().expect("an address"));
    println!("{}", token(&issuer));
    axum::serve(listener, app).await.expect("it serves");
}

fn guarded(path: &str, verifier: VerifierBuilder) -> Router {
    let verifier = verifier.claims::<Caller>().build().expect("a verifier");
    Router::new().route(path, get(answer)).route_layer(AuthLayer::new(verifier))
}

/// The same in front of the layer and behind it.
async fn answer() -> &'static str {
    "an answer"
}

/// The token of the other benchmarks: 8 claims, 5 scopes.
fn token(issuer: &TestIssuer) -> String {
    let expires = issuer.now().as_secs() + LIFETIME;
    let scope = "reports:read reports:write files:read files:write profile";
    issuer.token().scope(scope).claim("exp", expires).sign()
}
