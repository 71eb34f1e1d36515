use std::{
    collections::{HashMap, VecDeque},
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{
    HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{ETAG, IF_NONE_MATCH},
};

use super::FrozenClock;
use crate::{
    remote_keys::{Fetch, Fetching, MAX_BODY},
    wait::sleep,
};

/// The web in memory: answers by address, with whatever faults a test is about. What has no answer is
/// 404. Clones share everything.
///
/// ```
/// use tower_bearer::{Algorithm, Issuer, Verifier, remote_keys::RemoteKeys};
/// use tower_bearer::test_util::{Answer, FrozenClock, MemoryFetch, TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = FrozenClock::at(1_800_000_000);
/// let issuer = TestIssuer::new().with_clock(clock.clone());
/// let web = MemoryFetch::new(&clock);
/// web.serve("https://id.test/jwks", Answer::json(issuer.jwks()).header("etag", "\"1\""));
///
/// let keys = RemoteKeys::new("https://id.test/jwks").fetch(web.clone());
/// let verifier = Verifier::builder()
///     .issuer(issuer.trusted_with(keys))
///     .clock(clock.clone())
///     .build()?;
/// assert!(verifier.verify(&issuer.token().sign()).await.is_ok());
/// assert_eq!(web.requests().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MemoryFetch {
    clock: FrozenClock,
    web: Arc<Mutex<Web>>,
}

#[derive(Debug, Default)]
struct Web {
    answers: HashMap<String, VecDeque<Answer>>,
    requests: Vec<Request<()>>,
}

/// What is answered to a request.
#[derive(Clone, Debug)]
#[must_use]
pub struct Answer {
    outcome: Outcome,
    delay: Duration,
}

#[derive(Clone, Debug)]
enum Outcome {
    Response { status: StatusCode, headers: Vec<(HeaderName, HeaderValue)>, body: Vec<u8> },
    Fault(&'static str),
    Nothing,
}

impl Answer {
    /// 200 with this body.
    pub fn json(body: impl Into<String>) -> Self {
        let body = body.into().into_bytes();
        let headers =
            vec![(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        Self::of(Outcome::Response { status: StatusCode::OK, headers, body })
    }

    /// An empty body with this status.
    ///
    /// # Panics
    ///
    /// If it is no status.
    #[expect(clippy::expect_used, reason = "a test with a bad status cannot go on")]
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("a status");
        Self::of(Outcome::Response { status, headers: Vec::new(), body: Vec::new() })
    }

    /// The server cannot be reached.
    pub fn unreachable() -> Self {
        Self::of(Outcome::Fault("connection refused"))
    }

    /// The connection breaks in the middle of the body.
    pub fn truncated() -> Self {
        Self::of(Outcome::Fault("connection closed before the body ended"))
    }

    /// A body of one byte too many.
    pub fn oversized() -> Self {
        Self::json(" ".repeat(MAX_BODY + 1))
    }

    /// Never answers.
    pub fn hanging() -> Self {
        Self::of(Outcome::Nothing)
    }

    /// Adds a header field.
    ///
    /// # Panics
    ///
    /// If name or value cannot stand in a header.
    #[expect(clippy::expect_used, reason = "a test with a bad header cannot go on")]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Outcome::Response { headers, .. } = &mut self.outcome {
            let name = name.parse().expect("a header name");
            headers.push((name, value.parse().expect("a header value")));
        }
        self
    }

    /// Answers so much later, by the clock of the web.
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    fn of(outcome: Outcome) -> Self {
        Self { outcome, delay: Duration::ZERO }
    }
}

impl MemoryFetch {
    /// A web without a single page, by this clock.
    #[must_use]
    pub fn new(clock: &FrozenClock) -> Self {
        Self { clock: clock.clone(), web: Arc::default() }
    }

    /// From now on this is answered at this address.
    pub fn serve(&self, url: &str, answer: Answer) {
        self.serve_in_turn(url, [answer]);
    }

    /// From now on these are answered at this address, one after the other, and the last one for
    /// ever.
    pub fn serve_in_turn(&self, url: &str, answers: impl IntoIterator<Item = Answer>) {
        self.web().answers.insert(url.to_owned(), answers.into_iter().collect());
    }

    /// All requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request<()>> {
        self.web().requests.clone()
    }

    /// How many requests there were for this address.
    #[must_use]
    pub fn count(&self, url: &str) -> usize {
        self.web().requests.iter().filter(|request| request.uri() == url).count()
    }

    fn web(&self) -> MutexGuard<'_, Web> {
        self.web.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request<()>) -> Answer {
        let mut web = self.web();
        web.requests.push(request.clone());
        let Some(answers) = web.answers.get_mut(&request.uri().to_string()) else {
            return Answer::status(404);
        };
        match answers.len() {
            0 | 1 => answers.front().cloned(),
            _ => answers.pop_front(),
        }
        .unwrap_or_else(|| Answer::status(404))
    }
}

impl Fetch for MemoryFetch {
    fn fetch(&self, request: Request<()>) -> Fetching {
        let (answer, clock) = (self.answer(&request), self.clock.clone());
        Box::pin(async move {
            sleep(&clock, answer.delay).await;
            match answer.outcome {
                Outcome::Fault(fault) => Err(fault.into()),
                Outcome::Nothing => pending().await,
                Outcome::Response { status, headers, body } => {
                    let mut response = Response::new(body);
                    *response.status_mut() = status;
                    response.headers_mut().extend(headers);
                    let etag = response.headers().get(ETAG);
                    if etag.is_some() && etag == request.headers().get(IF_NONE_MATCH) {
                        *response.status_mut() = StatusCode::NOT_MODIFIED;
                        response.body_mut().clear();
                    }
                    Ok(response)
                }
            }
        })
    }
}
