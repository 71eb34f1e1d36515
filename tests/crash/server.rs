//! The server: its process, and how a test holds it.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{self, Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use axum::Router;
use tokio::{net::TcpListener, runtime::Runtime};
use tower_bearer::{
    issue::{
        AuthorizationServer, FindSource, NewApplication, RootKey, ServerKeys, endpoints::Endpoints,
    },
    scope::ScopeSet,
    store::Sqlite,
    time::{Clock, UnixTime},
};

use crate::{GRACE, NOW};

pub(crate) const APPLICATION: &str = "App1";

/// Says which file to serve, and at what time.
const FILE: &str = "TOWER_BEARER_CRASH_FILE";
const TIME: &str = "TOWER_BEARER_CRASH_TIME";
/// What the process says when it serves and when its clock was set; the test harness talks as well.
const SERVING: &str = "serving on ";
const SET: &str = "clock set";

const SIGKILL: i32 = 9;

/// A server in a process of its own, until it is killed or dropped.
pub(crate) struct Server {
    child: Mutex<Child>,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(file: &Path, now: u64) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "a_server_to_kill", "--ignored", "--nocapture"]);
        command.env(FILE, file).env(TIME, now.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let address = said(&mut stdout, SERVING).parse().unwrap();
        Self { child: Mutex::new(child), stdin, stdout, address }
    }

    /// Sets its clock, in seconds since 1970.
    pub(crate) fn set_clock(&mut self, now: u64) {
        writeln!(self.stdin, "{now}").unwrap();
        said(&mut self.stdout, SET);
    }

    pub(crate) fn kill(&self) {
        self.child.lock().unwrap().kill().unwrap();
    }

    /// That it ended so, and not by itself.
    pub(crate) fn assert_was_killed(self) {
        let status = self.child.lock().unwrap().wait().unwrap();
        assert_eq!(status.signal(), Some(SIGKILL), "the server ended by itself: {status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What follows these words, once they are said.
fn said(stdout: &mut BufReader<ChildStdout>, words: &str) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "the server ended by itself");
        // The harness does not end its own line before the program speaks.
        if let Some((_, rest)) = line.trim_end().split_once(words) {
            return rest.to_owned();
        }
    }
}

/// What the process does: serves the file until it is killed, or whoever started it is gone.
pub(crate) fn serve() {
    let (Some(file), Ok(time)) = (env::var_os(FILE), env::var(TIME)) else {
        return;
    };
    let clock = SetClock(Arc::new(AtomicU64::new(time.parse().unwrap())));
    Runtime::new().unwrap().block_on(async {
        let server = open(Path::new(&file), clock.clone()).await;
        let endpoints = Endpoints::builder(server, FindSource::unknown()).build().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        println!("{SERVING}{}", listener.local_addr().unwrap());
        thread::spawn(move || obey(&clock));
        axum::serve(listener, Router::new().fallback_service(endpoints)).await.unwrap();
    });
}

/// Each line is a time.
fn obey(clock: &SetClock) {
    for line in std::io::stdin().lines() {
        clock.0.store(line.unwrap().parse().unwrap(), Ordering::SeqCst);
        println!("{SET}");
    }
    process::exit(0);
}

/// Makes the file, with the application in it; returns its secret.
pub(crate) fn create_application(file: &Path) -> String {
    Runtime::new().unwrap().block_on(async {
        let server = open(file, UnixTime::from_secs(NOW)).await;
        let scopes = ScopeSet::parse("reports:read").unwrap();
        let new = NewApplication::new(APPLICATION).audience("https://api.test").scopes(scopes);
        let (_, secret) = server.applications().create(new).await.unwrap();
        secret.expose().to_owned()
    })
}

async fn open(file: &Path, clock: impl Clock) -> AuthorizationServer {
    AuthorizationServer::builder(Sqlite::open(file).await.unwrap())
        .issuer("https://id.test")
        .keys(ServerKeys::new(&RootKey::from_bytes([7; 32])))
        .refresh_grace(std::time::Duration::from_secs(GRACE))
        .max_families(1000)
        .clock(clock)
        .open()
        .await
        .unwrap()
}

/// Stands still until it is set.
#[derive(Clone)]
struct SetClock(Arc<AtomicU64>);

impl Clock for SetClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.load(Ordering::SeqCst))
    }
}
