//! A protected axum service, two minutes after the clone: `cargo run --example quickstart`
//!
//! Starts a service with three routes (public, any verified token, a scope) and an issuer in the
//! same process, and prints `curl` commands with ready-made tokens: paste them into another
//! terminal. Why a request is refused is said here, not to the client.
//!
//! The port is 3000 if that is free, or the argument: `cargo run --example quickstart 8080`

use axum::{Router, routing::get};
use tokio::net::TcpListener;
use tower_bearer::{
    AuthLayer, Authenticated, RequireScope, Verifier, scope, test_util::TestIssuer,
};

async fn me(auth: Authenticated) -> String {
    format!("hello, {}\n", auth.subject().unwrap_or("nobody"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();

    // A real service describes its issuer: `Issuer::new("https://id.example.com")` and so on.
    let issuer = TestIssuer::new();
    let verifier = Verifier::builder().issuer(issuer.trusted()).build()?;

    let reports = get(async || "the reports\n");
    let protected = Router::new()
        .route("/me", get(me))
        .route("/reports", reports.layer(RequireScope::all([scope!("reports:read")])))
        .layer(AuthLayer::new(verifier));
    let app = Router::new().route("/", get(async || "public\n")).merge(protected);

    let listener = match std::env::args().nth(1) {
        Some(port) => TcpListener::bind(format!("127.0.0.1:{port}")).await?,
        None => match TcpListener::bind("127.0.0.1:3000").await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind("127.0.0.1:0").await?,
        },
    };
    let url = format!("http://{}", listener.local_addr()?);
    println!("listening on {url}, end with Ctrl-C; the tokens live for ten minutes\n");

    let token = issuer.token().subject("alice");
    let reader = token.clone().scope("reports:read");
    let bearer = |token: &str| format!(" -H 'Authorization: Bearer {token}'");
    for (outcome, path, authorization) in [
        ("200 public", "/", String::new()),
        ("200 accepted", "/me", bearer(&token.sign())),
        ("200 accepted with the scope", "/reports", bearer(&reader.sign())),
        ("401 missing", "/me", String::new()),
        ("401 expired", "/me", bearer(&token.clone().expired().sign())),
        ("401 wrong audience", "/me", bearer(&token.clone().wrong_audience().sign())),
        ("403 scope missing", "/reports", bearer(&token.sign())),
    ] {
        println!("# {outcome}\ncurl -i {url}{path}{authorization}\n");
    }
    Ok(axum::serve(listener, app).await?)
}
