//! A connection to a server that may be killed at any time.

use std::{
    hint,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde_json::{Value, json};

use crate::server::{APPLICATION, Server};

/// Far more than any answer needs: a server that hangs fails the test instead of stopping it.
const PATIENCE: Duration = Duration::from_secs(60);

/// HTTP/1.1, one request at a time. What gives nothing does so because the server is gone.
pub(crate) struct Line<'a> {
    stream: BufReader<TcpStream>,
    killer: Option<&'a Killer<'a>>,
}

impl<'a> Line<'a> {
    pub(crate) fn to(server: &Server) -> Option<Self> {
        let stream = TcpStream::connect(server.address).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        Some(Self { stream: BufReader::new(stream), killer: None })
    }

    /// One whose requests and answers lead to the end of the server.
    pub(crate) fn under(killer: &'a Killer<'a>) -> Option<Self> {
        Some(Self { killer: Some(killer), ..Self::to(killer.server)? })
    }

    pub(crate) fn send_refresh(&mut self, token: &str) -> Option<()> {
        self.send("refreshApplicationToken", &json!({ "refreshToken": token }))
    }

    pub(crate) fn send_revoke(&mut self, token: &str) -> Option<()> {
        self.send("revokeApplicationToken", &json!({ "refreshToken": token }))
    }

    pub(crate) fn send_authenticate(&mut self, secret: &str) -> Option<()> {
        let body = json!({ "applicationName": APPLICATION, "applicationSecret": secret });
        self.send("authenticateApplication", &body)
    }

    fn send(&mut self, endpoint: &str, body: &Value) -> Option<()> {
        let body = body.to_string();
        let request = format!(
            "POST /api/Auth/{endpoint} HTTP/1.1\r\nHost: id.test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).ok()?;
        self.killer.inspect(|killer| killer.pass(Passed::Request));
        Some(())
    }

    /// The answer, if all of it arrived.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        match self.read() {
            Ok(answer) => Some(answer),
            Err(error) => {
                let is_late =
                    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
                assert!(!is_late, "the server hangs: {error}");
                None
            }
        }
    }

    fn read(&mut self) -> io::Result<Answer> {
        // The server writes an answer at once: if it is killed at the first byte, the others are there.
        if !self.stream.fill_buf()?.is_empty() {
            self.killer.inspect(|killer| killer.pass(Passed::Answer));
        }
        let status = self.head_line()?.split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            let line = self.head_line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, body: serde_json::from_slice(&body).unwrap() })
    }

    fn head_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let line = line.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(line.to_owned())
    }

    pub(crate) fn refresh(&mut self, token: &str) -> Answer {
        self.send_refresh(token).and_then(|()| self.answer()).unwrap()
    }

    pub(crate) fn revoke(&mut self, token: &str) -> Answer {
        self.send_revoke(token).and_then(|()| self.answer()).unwrap()
    }

    pub(crate) fn authenticate(&mut self, secret: &str) -> Answer {
        self.send_authenticate(secret).and_then(|()| self.answer()).unwrap()
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: Value,
}

impl Answer {
    /// The refresh token of a pair, and the id of its family, which is the `sid` of its access token.
    #[track_caller]
    pub(crate) fn pair(&self) -> (String, String) {
        assert_eq!(self.status, 200, "{self:?}");
        let access = self.body["accessToken"].as_str().unwrap();
        let claims = access.split('.').nth(1).unwrap();
        let claims = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(claims).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&self.body["refreshToken"]), text(&claims["sid"]))
    }
}

/// Kills a server after so many requests and answers of all its clients.
pub(crate) struct Killer<'a> {
    server: &'a Server,
    at: u64,
    turns: u64,
    passed: AtomicU64,
}

/// What a line was used for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passed {
    Request,
    Answer,
}

impl<'a> Killer<'a> {
    /// As soon as an answer arrives, for what is answered before it is done; it is the one with this number.
    pub(crate) const fn at_answer(server: &'a Server, at: u64) -> Self {
        Self::new(server, at, 0)
    }

    /// So many turns of a loop after a request or an answer, so that the server is met at any of its steps.
    pub(crate) const fn new(server: &'a Server, at: u64, turns: u64) -> Self {
        Self { server, at, turns, passed: AtomicU64::new(0) }
    }

    fn pass(&self, passed: Passed) {
        if self.turns == 0 && passed == Passed::Request {
            return;
        }
        if self.passed.fetch_add(1, Ordering::Relaxed) + 1 == self.at {
            (0..self.turns).for_each(|_| hint::spin_loop());
            self.server.kill();
        }
    }
}
