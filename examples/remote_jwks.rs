//! Keys that are fetched from the issuer, kept fresh, and survive its outages.
//!
//! ```text
//! cargo run --example remote_jwks --features reqwest -- https://id.example.com https://api.example.com
//! ```

use axum::{Router, routing::get};
use tower_bearer::{Algorithm, AuthLayer, Authenticated, BoxError, Issuer, Verifier};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let mut arguments = std::env::args().skip(1);
    let (Some(issuer), Some(audience)) = (arguments.next(), arguments.next()) else {
        return Err("usage: remote_jwks ISSUER AUDIENCE".into());
    };

    let issuer = Issuer::discover(issuer).audience(audience).algorithms([
        Algorithm::Rs256,
        Algorithm::Es256,
        Algorithm::EdDsa,
    ]);
    let verifier = Verifier::builder().issuer(issuer).build()?;
    // Without this line the first request fetches the keys.
    verifier.ready().await?;

    let whoami = async |auth: Authenticated| auth.subject().unwrap_or("nobody").to_owned();
    let app = Router::new().route("/", get(whoami)).layer(AuthLayer::new(verifier));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
