//! A server of several, in a process of its own, and how a test holds it.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::{self, Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::Router;
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};
use tower_bearer::{
    issue::{AuthorizationServer, FindSource, RootKey, ServerKeys, endpoints::Endpoints},
    store::Postgres,
    time::{Clock, UnixTime},
};

/// Says which database and schema to serve, and at what time.
const DATABASE: &str = "TOWER_BEARER_REPLICA_DATABASE";
/// What the process says; the test harness talks as well.
const SERVING: &str = "serving on ";
const DONE: &str = "done:";

/// How long an answer is waited for before another server is asked.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct Replica {
    child: Mutex<Child>,
    orders: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    pub(crate) address: SocketAddr,
}

impl Replica {
    pub(crate) fn start(url: &str, schema: &str, now: u64) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "replicas::a_replica", "--ignored", "--nocapture"]);
        command.env(DATABASE, format!("{now} {schema} {url}"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let address = said(&mut stdout, SERVING).parse().unwrap();
        Self { child: Mutex::new(child), orders: Mutex::new((stdin, stdout)), address }
    }

    /// Has it do something, and waits for what it says then.
    pub(crate) fn order(&self, order: &str) -> String {
        let (stdin, stdout) = &mut *self.orders.lock().unwrap();
        writeln!(stdin, "{order}").unwrap();
        said(stdout, DONE)
    }

    pub(crate) fn kill(&self) {
        self.child.lock().unwrap().kill().unwrap();
    }

    pub(crate) fn signal(&self, signal: &str) {
        let process = self.child.lock().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
    }

    /// The answer, if there is one in time.
    pub(crate) fn post(&self, endpoint: &str, body: &Value) -> Option<Answer> {
        self.ask(endpoint, body)?.answer(PATIENCE)
    }

    pub(crate) fn get(&self, path: &str) -> Option<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: id.test\r\nConnection: close\r\n\r\n");
        self.send(&request)?.answer(PATIENCE)
    }

    pub(crate) fn refresh(&self, token: &str) -> Option<Answer> {
        self.post(REFRESH, &refreshing(token))
    }

    /// Sends a request, of which the answer may be waited for as long as one likes.
    pub(crate) fn ask(&self, endpoint: &str, body: &Value) -> Option<Exchange> {
        let body = body.to_string();
        self.send(&format!(
            "POST /api/Auth/{endpoint} HTTP/1.1\r\nHost: id.test\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn send(&self, request: &str) -> Option<Exchange> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        Some(Exchange { stream, read: Vec::new() })
    }
}

pub(crate) const REFRESH: &str = "refreshApplicationToken";

pub(crate) fn refreshing(token: &str) -> Value {
    json!({ "refreshToken": token })
}

/// A request that is with a server.
pub(crate) struct Exchange {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Exchange {
    /// The answer, if there is one in that time; it can be asked for again if there is none.
    pub(crate) fn answer(&mut self, patience: Duration) -> Option<Answer> {
        self.stream.set_read_timeout(Some(patience)).ok()?;
        self.stream.read_to_end(&mut self.read).ok()?;
        let answer = str::from_utf8(&self.read).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer { status, body: serde_json::from_str(body).unwrap_or_default() })
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn text(&self, member: &str) -> String {
        let text = self.body[member].as_str();
        text.unwrap_or_else(|| panic!("no {member}: {self:?}")).to_owned()
    }
}

/// What follows these words, once they are said.
fn said(stdout: &mut BufReader<ChildStdout>, words: &str) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "the server ended by itself");
        if let Some((_, rest)) = line.trim_end().split_once(words) {
            return rest.trim().to_owned();
        }
    }
}

/// What the process does: serves until it is killed, or whoever started it is gone.
pub(crate) fn serve() {
    let Ok(database) = env::var(DATABASE) else { return };
    let mut parts = database.splitn(3, ' ');
    let mut part = || parts.next().unwrap().to_owned();
    let clock = SetClock(Arc::new(AtomicU64::new(part().parse().unwrap())));
    let (schema, url) = (part(), part());
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(open(&url, &schema, clock.clone()));
    let background = server.clone();
    runtime.spawn(async move { background.run().await });
    let endpoints = Endpoints::builder(server.clone(), FindSource::unknown()).build().unwrap();
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
    println!("{SERVING}{}", listener.local_addr().unwrap());
    let app = Router::new().fallback_service(endpoints);
    runtime.spawn(async move { axum::serve(listener, app).await });
    for order in std::io::stdin().lines() {
        println!("{DONE} {}", runtime.block_on(obey(&server, &clock, &order.unwrap())));
    }
    process::exit(0);
}

async fn obey(server: &AuthorizationServer, clock: &SetClock, order: &str) -> String {
    let (order, argument) = order.split_once(' ').unwrap_or((order, ""));
    match order {
        "clock" => clock.0.store(argument.parse().unwrap(), Ordering::SeqCst),
        "rotate-key" => server.rotate_signing_key().await.unwrap(),
        "add-secret" => {
            let applications = server.applications();
            let app = applications.named(argument).await.unwrap().unwrap();
            return applications.add_secret(app.id(), "next").await.unwrap().expose().to_owned();
        }
        other => panic!("no such order: {other}"),
    }
    String::new()
}

pub(crate) async fn open(url: &str, schema: &str, clock: impl Clock) -> AuthorizationServer {
    let timeout = Duration::from_secs(1);
    let store = Postgres::builder(url).schema(schema).timeout(timeout).connect().await.unwrap();
    AuthorizationServer::builder(store)
        .issuer("https://id.test")
        .keys(ServerKeys::new(&RootKey::from_bytes([7; 32])))
        .clock(clock)
        .open()
        .await
        .unwrap()
}

/// Stands still until it is set.
#[derive(Clone)]
pub(crate) struct SetClock(pub(crate) Arc<AtomicU64>);

impl Clock for SetClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.load(Ordering::SeqCst))
    }
}
