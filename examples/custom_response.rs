//! Refusals with a body: `cargo run --example custom_response`
//!
//! Status, challenge and `Cache-Control` of a refusal are always the layer's, whatever the body.
//! The first service answers problem documents (RFC 9457), ready-made; the second has a page of its
//! own. The refusals of guards and handlers further in look the same, with fixed words that tell a
//! client nothing about the token.

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Response, header::CONTENT_TYPE},
    routing::get,
};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_bearer::{
    AuthLayer, RequireScope,
    auth::{ProblemJson, Refusal},
    scope,
    test_util::{self, TestIssuer},
};

/// The body and its type; the layer adds the rest.
fn sorry_page(refusal: &Refusal<'_>) -> Response<Body> {
    let mut response =
        Response::new(format!("<h1>Sorry</h1><p>{}.</p>", refusal.description()).into());
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = TestIssuer::new();
    let routes = Router::new().route(
        "/reports",
        get(async || "the reports").layer(RequireScope::all([scope!("reports:read")])),
    );
    let auth = || AuthLayer::builder(issuer.verifier());
    let problems = routes.clone().layer(auth().respond_with(ProblemJson).build()?);
    let pages = routes.layer(auth().respond_with(sorry_page).build()?);

    for app in [problems, pages] {
        for token in [issuer.token().expired(), issuer.token().scope("reports:write")] {
            let request = test_util::get::<Body>("/reports", &token.sign());
            let (head, body) = app.clone().oneshot(request).await?.into_parts();
            println!("{}", head.status);
            for (name, value) in &head.headers {
                println!("{name}: {}", value.to_str()?);
            }
            println!("\n{}\n", String::from_utf8_lossy(&body.collect().await?.to_bytes()));
        }
    }
    Ok(())
}
