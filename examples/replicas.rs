//! A revocation reaches another process: one issues tokens, another one verifies them and has no access
//! to the store.
//!
//! ```text
//! cargo run --example replicas --features issue,reqwest
//! ```
//!
//! The first process starts the second, gets a token, uses it there, revokes it here, and says how long
//! the other one went on accepting it. With `store::Postgres` in the place of `Memory` any number of
//! processes may issue.

use std::{
    error::Error,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_bearer::{
    Algorithm, AuthLayer, Authenticated, Issuer, Verifier,
    issue::{
        AuthorizationServer, FindSource, NewApplication, RootKey, ServerKeys, endpoints::Endpoints,
    },
    revocation::{RevocationFeed, StalePolicy, feed::HttpSource},
    store::Memory,
};

type Problem = Box<dyn Error + Send + Sync>;

const API: &str = "https://api.example.com";

/// How the second process is told whom to trust: the issuer, and its own name and secret there.
const VARIABLES: [&str; 3] = ["REPLICAS_ISSUER", "REPLICAS_ID", "REPLICAS_SECRET"];

#[tokio::main]
async fn main() -> Result<(), Problem> {
    match VARIABLES.map(std::env::var) {
        [Ok(issuer), Ok(id), Ok(secret)] => verify(issuer, &id, &secret).await,
        _ => issue().await,
    }
}

/// The second process: a service that verifies tokens.
async fn verify(issuer: String, id: &str, secret: &str) -> Result<(), Problem> {
    let source = HttpSource::new(format!("{issuer}/revocations"), id, secret)?;
    let feed = RevocationFeed::builder(source, StalePolicy::Refuse).start()?;
    let trusted = Issuer::discover(issuer)
        .audience(API)
        .algorithms([Algorithm::Es256])
        .revocations(feed.revocations());
    let verifier: Verifier = Verifier::builder().issuer(trusted).build()?;
    verifier.ready().await?; // keys, and everything that was revoked

    let reports = async |auth: Authenticated| auth.client_id().unwrap_or_default().to_owned();
    let app = Router::new().route("/reports", get(reports)).layer(AuthLayer::new(verifier));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

/// The first process: tokens for applications.
async fn issue() -> Result<(), Problem> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let here = format!("http://{}", listener.local_addr()?);
    let server = AuthorizationServer::builder(Memory::new())
        .issuer(&here)
        .keys(ServerKeys::new(&RootKey::generate()?))
        .open()
        .await?;
    let applications = server.applications();
    let (_, secret) = applications.create(NewApplication::new("App1").audience(API)).await?;
    let service = NewApplication::new("Service").audience(API).introspects();
    let (service, of_service) = applications.create(service).await?;
    let endpoints = Endpoints::builder(server.clone(), FindSource::unknown()).build()?;
    tokio::spawn(async move { server.run().await });
    tokio::spawn(
        async move { axum::serve(listener, Router::new().fallback_service(endpoints)).await },
    );
    println!("process {} issues tokens on {here}", std::process::id());

    let other = Other::start([&here, service.id(), of_service.expose()])?;
    println!("process {} verifies them on {}", other.process.id(), other.url);

    let client = reqwest::Client::builder().no_proxy().build()?;
    let post = async |endpoint: &str, body: Value| -> Result<Value, Problem> {
        let request = client.post(format!("{here}/api/Auth/{endpoint}")).body(body.to_string());
        let answer = request.header("content-type", "application/json").send().await?;
        Ok(serde_json::from_str(&answer.error_for_status()?.text().await?)?)
    };
    let ask = json!({ "applicationName": "App1", "applicationSecret": secret.expose() });
    let pair = post("authenticateApplication", ask).await?;
    let token = pair["accessToken"].as_str().unwrap_or_default();
    let call = async || -> Result<u16, Problem> {
        let answer = client.get(format!("{}/reports", other.url)).bearer_auth(token).send().await?;
        Ok(answer.status().as_u16())
    };
    println!("a token, there: {}", call().await?);
    post("revokeApplicationToken", json!({ "refreshToken": pair["refreshToken"] })).await?;
    println!("revoked, here");
    let revoked = Instant::now();
    while call().await? == 200 {
        if revoked.elapsed() > Duration::from_secs(10) {
            return Err("it did not arrive".into());
        }
    }
    println!("the same token, there: {} after {} ms", call().await?, revoked.elapsed().as_millis());
    Ok(())
}

/// The second process, which ends with this value.
struct Other {
    process: Child,
    url: String,
}

impl Other {
    fn start(values: [&str; 3]) -> Result<Self, Problem> {
        let mut command = Command::new(std::env::current_exe()?);
        command.envs(VARIABLES.into_iter().zip(values)).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let said = process.stdout.take().ok_or("the other process says nothing")?;
        let mut url = String::new();
        BufReader::new(said).read_line(&mut url)?;
        Ok(Self { process, url: url.trim().to_owned() })
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
