//! Plain hyper, without axum: `cargo run --example hyper_only`
//!
//! The layers work on any Tower service over `http` types. Here `hyper` serves one function behind
//! `AuthLayer` and `RequireScope`; the function finds the caller in the request's extensions.
//!
//! Prints `curl` commands to paste into another terminal. The port is any free one, or the
//! argument: `cargo run --example hyper_only 8080`

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_bearer::{AuthContext, AuthLayer, RequireScope, scope, test_util::TestIssuer};

async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let caller = request.extensions().get::<AuthContext>().and_then(AuthContext::grant);
    let subject = caller.and_then(|grant| grant.subject()).unwrap_or("nobody");
    Ok(Response::new(format!("hello, {subject}\n").into()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = TestIssuer::new();
    let service = ServiceBuilder::new()
        .layer(AuthLayer::new(issuer.verifier()))
        .layer(RequireScope::all([scope!("hello:read")]))
        .service_fn(hello);

    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let url = format!("http://{}", listener.local_addr()?);
    println!("listening on {url}, end with Ctrl-C; the tokens live for ten minutes\n");

    let token = issuer.token().subject("alice");
    let bearer = |token: &str| format!(" -H 'Authorization: Bearer {token}'");
    for (outcome, authorization) in [
        ("200 accepted", bearer(&token.clone().scope("hello:read").sign())),
        ("401 missing", String::new()),
        ("403 scope missing", bearer(&token.sign())),
    ] {
        println!("# {outcome}\ncurl -i {url}/{authorization}\n");
    }

    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                eprintln!("connection: {error}");
            }
        });
    }
}
