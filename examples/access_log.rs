//! Who called, in the access log: `cargo run --example access_log`
//!
//! A log stands outside the `AuthLayer`, so that it sees refusals too, and there the caller of a
//! request is not known yet. With `echo_caller` the layer puts the verified caller into the
//! extensions of the response, where the log finds it afterwards. The reason of a refusal is there
//! in any case; a client never sees either.

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use tower::ServiceExt;
use tower_bearer::{
    AuthContext, AuthError, AuthLayer, RequireScope, scope,
    test_util::{self, TestIssuer},
};

/// Logs the path without the query, which may hold secrets, and the subject with escapes, as it is
/// input like any other.
async fn access_log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let reason = response.extensions().get::<AuthError>().map_or("-", |error| error.kind().code());
    println!("{method} {path} {status} {reason} {:?}", subject(&response).unwrap_or("-"));
    response
}

fn subject(response: &Response) -> Option<&str> {
    response.extensions().get::<AuthContext>()?.grant()?.subject()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = TestIssuer::new();
    let reports = get(async || "the reports");
    let app = Router::new()
        .route("/me", get(async || "you"))
        .route("/reports", reports.layer(RequireScope::all([scope!("reports:read")])))
        .layer(AuthLayer::builder(issuer.verifier()).echo_caller().build()?)
        .layer(from_fn(access_log));

    let token = issuer.token().subject("alice");
    for (path, token) in [
        ("/me", token.sign()),
        ("/me?access_token=s3cr3t", token.clone().subject("mallory\n").sign()),
        ("/me", token.clone().expired().sign()),
        ("/reports", token.sign()),
        ("/reports", token.scope("reports:read").sign()),
    ] {
        app.clone().oneshot(test_util::get::<Body>(path, &token)).await?;
    }
    Ok(())
}
