//! Runs the examples that cargo built, and talks HTTP/1.1 to those that serve.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

/// Far more than any answer needs: a server that hangs fails the test instead of stopping it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The command that runs an example, without a log setting of whoever runs the tests.
pub(crate) fn example(name: &str) -> Command {
    let tests = std::env::current_exe().unwrap();
    let built = tests.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let program = built.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        program.is_file(),
        "{} is not there: run `cargo test --features full,test-util`, which builds the examples too, or first `cargo build --features full,test-util --examples`",
        program.display()
    );
    let mut command = Command::new(program);
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// An example that serves, until it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts it and takes the address from its first line.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        let mut command = example(name);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on http://").and_then(|rest| {
            let end = rest.find(|c: char| c != '.' && c != ':' && !c.is_ascii_digit())?;
            rest[..end].parse().ok()
        });
        let Some(address) = address else {
            let _ = child.kill();
            let output = child.wait_with_output().unwrap();
            panic!("{name} {arguments:?}: {line:?} {}", String::from_utf8_lossy(&output.stderr));
        };
        Self { child, address, stdout }
    }

    /// Ends it, and returns what it printed that was not read yet.
    pub(crate) fn end(mut self) -> String {
        let _ = self.child.kill();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        rest
    }

    /// The answer to a GET request with this token.
    pub(crate) fn get(&self, path: &str, token: &str) -> Answer {
        self.send("GET", path, &format!("Authorization: Bearer {token}\r\n"))
    }

    /// The answer to a request with these header lines, each with its end.
    pub(crate) fn send(&self, method: &str, path: &str, lines: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n{lines}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answer { head: head.to_owned(), body: body.to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A response as it came over the wire.
#[derive(Debug)]
pub(crate) struct Answer {
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The status code.
    pub(crate) fn status(&self) -> u16 {
        let status = self.head.split(' ').nth(1).unwrap();
        status.parse().unwrap()
    }

    /// The values of all header lines of this name.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Checks status, the one challenge, an empty body that is announced as such, and that nothing
    /// may store the answer.
    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, challenge: &str) {
        assert_eq!(self.status(), status);
        assert_eq!(self.values("www-authenticate"), [challenge]);
        assert_eq!(self.values("cache-control"), ["no-store"]);
        assert_eq!(self.values("content-length"), ["0"]);
        assert_eq!(self.body, "");
    }
}

/// A file with this content, for one test.
pub(crate) fn file(name: &str, content: impl AsRef<[u8]>) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path.into_os_string().into_string().unwrap()
}
