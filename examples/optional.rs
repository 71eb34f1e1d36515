//! A service that knows its callers but welcomes everybody: `cargo run --example optional`
//!
//! Behind an optional `AuthLayer` a request without credentials is anonymous, and
//! `Option<Authenticated>` is `None`. Bad credentials are refused all the same: a client that sent
//! a token must learn that it does not work. Guards still keep anonymous callers out.

use axum::{Router, body::Body, http::Request, routing::get};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_bearer::{
    AuthLayer, Authenticated, RequireScope,
    test_util::{self, TestIssuer},
};

async fn greet(auth: Option<Authenticated>) -> String {
    match auth.as_ref().and_then(|auth| auth.subject()) {
        Some(subject) => format!("welcome back, {subject}"),
        None => "welcome, whoever you are".to_owned(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = TestIssuer::new();
    let app = Router::new()
        .route("/", get(greet))
        .route("/account", get(greet).layer(RequireScope::authenticated()))
        .layer(AuthLayer::builder(issuer.verifier()).optional().build()?);

    let token = issuer.token().subject("alice");
    let anonymous = |path: &str| Request::get(path).body(Body::empty());
    for (who, request) in [
        ("anonymous", anonymous("/")?),
        ("alice", test_util::get("/", &token.sign())),
        ("alice, expired", test_util::get("/", &token.clone().expired().sign())),
        ("anonymous", anonymous("/account")?),
        ("alice", test_util::get("/account", &token.sign())),
    ] {
        let path = request.uri().path().to_owned();
        let response = app.clone().oneshot(request).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        println!("{path:<9} {who:<15} {status} {}", String::from_utf8_lossy(&body));
    }
    Ok(())
}
