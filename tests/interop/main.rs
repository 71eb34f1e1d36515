//! What this project did not write: keys and tokens of an OAuth server, `oidc-provider` for Node.js, on loopback; and
//! clients of the issuing side. `tests/run` installs them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

mod client;
mod clients;
mod installed;
mod service;

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tower_bearer::{
    Algorithm, AuthError, AuthErrorKind, Issuer, Verified, Verifier,
    remote_keys::RemoteKeys,
    time::{Clock, SystemClock, UnixTime},
};

const AUDIENCE: &str = "https://api.test";

/// The clock of the system, and so much later.
#[derive(Clone, Default)]
struct Later(Arc<AtomicU64>);

impl Later {
    /// Lets the time pass in which keys are not fetched again.
    fn cool_down(&self) {
        self.0.fetch_add(31, Ordering::Relaxed);
    }
}

impl Clock for Later {
    fn now(&self) -> UnixTime {
        let later = Duration::from_secs(self.0.load(Ordering::Relaxed));
        SystemClock.now().saturating_add(later)
    }
}

/// The server, and where it keeps its keys.
struct Provider {
    port: u16,
    folder: PathBuf,
    process: Option<Child>,
}

impl Provider {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop").join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { port: free.local_addr().unwrap().port(), folder, process: None }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Publishes these keys, of which the first one signs; starts the server if it does not run.
    fn publish(&mut self, keys: &str) {
        let (port, folder) = (self.port.to_string(), self.folder.clone());
        let process = self.process.get_or_insert_with(|| {
            Command::new(installed::node())
                .arg(installed::file("server.mjs"))
                .args([port.as_ref(), folder.as_os_str()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("node runs")
        });
        writeln!(process.stdin.as_mut().unwrap(), "{keys}").unwrap();
        // One byte at a time, so that nothing of the next answer is taken; notices come in between.
        let output = BufReader::with_capacity(1, process.stdout.as_mut().unwrap());
        let is_ready = output.lines().any(|line| line.unwrap() == "ready");
        assert!(is_ready, "the server answers");
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    async fn token(&self) -> String {
        let answer = reqwest::Client::new()
            .post(format!("{}/token", self.url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!(
                "grant_type=client_credentials&client_id=app&client_secret=of-the-tests&scope=reports:read&resource={AUDIENCE}"
            ))
            .send()
            .await
            .unwrap();
        let answer: serde_json::Value =
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    fn verifier(&self, keys: RemoteKeys, clock: &Later) -> Verifier {
        let issuer = Issuer::new(self.url())
            .audience(AUDIENCE)
            .algorithms([Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa])
            .keys(keys);
        Verifier::builder().issuer(issuer).clock(clock.clone()).build().unwrap()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.kill();
    }
}

fn kind(outcome: Result<Verified, AuthError>) -> AuthErrorKind {
    outcome.expect_err("the token is refused").kind()
}

/// R-KEY-17: found by its metadata, verified with each kind of key, strictly by RFC 9068.
#[tokio::test]
async fn tokens_of_a_discovered_issuer_verify() {
    if !installed::has_node() {
        return;
    }
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let mut provider = Provider::new(algorithm);
        provider.publish(&format!("k={algorithm}"));
        let verifier = provider.verifier(RemoteKeys::discovered(), &Later::default());
        verifier.ready().await.unwrap();
        let token = provider.token().await;
        let verified = verifier.verify_now(&token).unwrap();
        assert_eq!(verified.issuer(), provider.url());
        assert_eq!((verified.subject(), verified.client_id()), (Some("app"), Some("app")));
        assert!(verified.is_client());
        assert_eq!(verified.scopes().to_string(), "reports:read");

        let (signed, signature) = token.rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { "B" } else { "A" };
        let forged = format!("{signed}.{first}{}", &signature[1..]);
        assert_eq!(kind(verifier.verify(&forged).await), AuthErrorKind::BadSignature);
        let other = Issuer::new(provider.url()).audience("https://other.test");
        let other = other.algorithms([Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa]);
        let other =
            Verifier::builder().issuer(other.keys(RemoteKeys::discovered())).build().unwrap();
        assert_eq!(kind(other.verify(&token).await), AuthErrorKind::WrongAudience);
    }
}

/// R-KEY-23, R-KEY-25: the first token of a new key succeeds, and a key that was withdrawn is gone.
#[tokio::test]
async fn keys_rotate_while_tokens_are_verified() {
    if !installed::has_node() {
        return;
    }
    let mut provider = Provider::new("rotation");
    let clock = Later::default();
    provider.publish("old=ES256");
    let jwks = RemoteKeys::new(format!("{}/jwks", provider.url()));
    let verifier = provider.verifier(jwks, &clock);
    let by_old = provider.token().await;
    assert!(verifier.verify(&by_old).await.is_ok());

    // The new key signs, the old one is still there.
    provider.publish("new=ES256 old=ES256");
    clock.cool_down();
    let by_new = provider.token().await;
    assert!(verifier.verify(&by_new).await.is_ok());
    assert!(verifier.verify(&by_old).await.is_ok());

    // The old key is withdrawn; another kind of key signs.
    provider.publish("newest=RS256 new=ES256");
    clock.cool_down();
    assert!(verifier.verify(&provider.token().await).await.is_ok());
    assert!(verifier.verify(&by_new).await.is_ok());
    assert_eq!(kind(verifier.verify(&by_old).await), AuthErrorKind::UnknownKey);
}

/// R-KEY-26, R-KEY-28: known keys serve while the issuer is down, of unknown ones nobody can tell.
#[tokio::test]
async fn a_server_that_is_killed_and_started_again_costs_no_valid_token() {
    if !installed::has_node() {
        return;
    }
    let mut provider = Provider::new("outage");
    let clock = Later::default();
    provider.publish("a=EdDSA");
    let verifier = provider.verifier(RemoteKeys::discovered(), &clock);
    let by_a = provider.token().await;
    verifier.ready().await.unwrap();
    provider.publish("b=EdDSA");
    let by_b = provider.token().await;
    provider.kill();

    clock.cool_down();
    assert!(verifier.verify(&by_a).await.is_ok());
    assert_eq!(kind(verifier.verify(&by_b).await), AuthErrorKind::KeysUnavailable);
    assert!(verifier.verify(&by_a).await.is_ok());
    assert!(verifier.readiness()[0].last_error.is_some());

    provider.publish("b=EdDSA a=EdDSA");
    clock.cool_down();
    assert!(verifier.verify(&by_b).await.is_ok());
    assert!(verifier.verify(&by_a).await.is_ok());
    assert!(verifier.readiness()[0].last_error.is_none());

    // A service that starts while the issuer is down says so.
    provider.kill();
    let late = provider.verifier(RemoteKeys::discovered(), &clock);
    assert_eq!(late.ready().await.unwrap_err().kind(), AuthErrorKind::KeysUnavailable);
}
