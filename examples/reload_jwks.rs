//! New keys without a restart: `cargo run --example reload_jwks`
//!
//! A task reads a JWKS file again whenever it has changed and replaces the keys of the verifier;
//! requests are served all the while. At first there is no file: nothing can be decided, so the
//! answer is 503 and never 401. A file that cannot be used leaves the old keys in place.
//!
//! Plays the issuer as well: writes a file, damages it, and changes the key.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{Router, body::Body, routing::get};
use tokio::{
    sync::mpsc::{UnboundedSender, unbounded_channel},
    time::{MissedTickBehavior, interval},
};
use tower::ServiceExt;
use tower_bearer::{
    Algorithm, AuthLayer, BoxError, Issuer, Verifier,
    key::KeySet,
    test_util::{self, TestIssuer},
};

const ISSUER: &str = "https://id.example.com";

/// Looks at the file again and again, and tells what became of each change.
async fn watch(file: PathBuf, verifier: Verifier, outcomes: UnboundedSender<String>) {
    let mut seen = None;
    // A service would rather look every half a minute.
    let mut ticks = interval(Duration::from_millis(10));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Ok(document) = tokio::task::block_in_place(|| std::fs::read_to_string(&file)) else {
            continue;
        };
        if seen.as_ref() == Some(&document) {
            continue;
        }
        let outcome = match load(&verifier, &document) {
            Ok(generation) => format!("key set {generation} is in use"),
            Err(error) => format!("the old keys stay: {error}"),
        };
        seen = Some(document);
        if outcomes.send(outcome).is_err() {
            return;
        }
    }
}

fn load(verifier: &Verifier, document: &str) -> Result<u64, BoxError> {
    Ok(verifier.replace_keys(ISSUER, KeySet::from_jwks(document)?)?)
}

/// Readers see the old file or the new one, never half of one.
fn publish(file: &Path, document: &str) -> std::io::Result<()> {
    let next = file.with_extension("next");
    std::fs::write(&next, document)?;
    std::fs::rename(next, file)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let file = std::env::temp_dir().join(format!("reload_jwks-{}.json", std::process::id()));
    let issuer = Issuer::new(ISSUER)
        .audience("https://api.test")
        .algorithms([Algorithm::Es256])
        .keys_later();
    let verifier = Verifier::builder().issuer(issuer).build()?;
    let app = Router::new().route("/", get(async || "ok")).layer(AuthLayer::new(verifier.clone()));
    let (sender, mut outcomes) = unbounded_channel();
    tokio::spawn(watch(file.clone(), verifier, sender));

    let old = TestIssuer::named(ISSUER, Algorithm::Es256);
    let new = TestIssuer::named(ISSUER, Algorithm::Es256);
    let status = async |issuer: &TestIssuer| {
        let request = test_util::get::<Body>("/", &issuer.token().sign());
        app.clone().oneshot(request).await.map(|response| response.status().as_u16())
    };
    println!("no file yet; a token gets {}", status(&old).await?);
    for (document, what) in [
        (old.jwks(), "the first key"),
        ("{".to_owned(), "a damaged file"),
        (new.jwks(), "a new key"),
    ] {
        publish(&file, &document)?;
        let outcome = outcomes.recv().await.unwrap_or_default();
        let (of_old, of_new) = (status(&old).await?, status(&new).await?);
        println!(
            "{what}: {outcome}; a token of the first key gets {of_old}, of the new one {of_new}"
        );
    }
    Ok(std::fs::remove_file(file)?)
}
