//! What the tests share: an issuer at a frozen time, a protected service that counts its calls and
//! records events, and the exact answers of RFC 6750.

use std::{
    convert::Infallible,
    fmt::Write as _,
    future::Future,
    io,
    pin::pin,
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use http::{HeaderMap, Request, Response, StatusCode};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_bearer::{
    Algorithm, AuthContext, AuthError, AuthErrorKind, AuthLayer, Verifier,
    auth::{EmptyBody, RefusalResponse},
    authenticate::{Attempt, Authenticate},
    event::{AuthEvent, OnEvent},
    test_util::{self, FrozenClock, TestIssuer},
    token::{FindToken, PresentedToken, RequestHead},
};

/// The frozen time, in seconds since 1970.
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) const C1: &str = r#"Bearer realm="api""#;
pub(crate) const C2: &str = r#"Bearer realm="api", error="invalid_request", error_description="The access token is missing""#;
pub(crate) const C3: &str =
    r#"Bearer realm="api", error="invalid_token", error_description="The access token is invalid""#;
pub(crate) const C3X: &str =
    r#"Bearer realm="api", error="invalid_token", error_description="The access token expired""#;
pub(crate) const C5: &str = r#"Bearer realm="api", error="invalid_request", error_description="Multiple methods used to include access token""#;

/// The challenge of a missing scope.
pub(crate) fn c4(scope: &str) -> String {
    format!(
        r#"Bearer realm="api", error="insufficient_scope", error_description="The request requires higher privileges than provided by the access token", scope="{scope}""#
    )
}

/// An issuer that signs with ES256 and stands still at [`NOW`].
pub(crate) fn issuer() -> TestIssuer {
    issuer_with(Algorithm::Es256)
}

/// An issuer that stands still at [`NOW`].
pub(crate) fn issuer_with(algorithm: Algorithm) -> TestIssuer {
    watch_traces();
    TestIssuer::with_algorithm(algorithm).with_clock(FrozenClock::at(NOW))
}

/// Remembers the events that it is given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded(Arc<Mutex<Vec<AuthEvent>>>);

impl Recorded {
    /// The codes of all events so far.
    pub(crate) fn codes(&self) -> Vec<&'static str> {
        self.all().iter().map(AuthEvent::code).collect()
    }

    /// All events so far.
    pub(crate) fn all(&self) -> Vec<AuthEvent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl OnEvent for Recorded {
    fn on_event(&self, event: &AuthEvent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}

/// A service behind an `AuthLayer` that answers `ok` and counts its calls.
#[derive(Clone)]
pub(crate) struct Protected<A, F = tower_bearer::token::BearerHeader, R = EmptyBody> {
    pub(crate) layer: AuthLayer<A, F, R>,
    calls: Arc<AtomicUsize>,
    pub(crate) events: Recorded,
}

impl<C> Protected<Verifier<C>>
where
    Verifier<C>: Authenticate,
{
    /// Protects with this verifier.
    pub(crate) fn by(verifier: Verifier<C>) -> Self {
        let events = Recorded::default();
        // To the default sink as well, so that `watch_traces` reads what it says of every request.
        let sink = (events.clone(), tower_bearer::event::Tracing);
        let layer = AuthLayer::builder(verifier).on_event(sink).build();
        Self::with(layer.expect("the layer is sound"), events)
    }
}

impl<A, F, R> Protected<A, F, R>
where
    A: Authenticate,
    F: FindToken,
    R: RefusalResponse<String>,
{
    /// Protects with this layer; `events` is its sink.
    pub(crate) fn with(layer: AuthLayer<A, F, R>, events: Recorded) -> Self {
        Self { layer, calls: Arc::default(), events }
    }

    /// How often the inner service was called.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: Request<String>) -> Response<String> {
        let calls = Arc::clone(&self.calls);
        let inner = service_fn(move |_: Request<String>| {
            calls.fetch_add(1, Ordering::Relaxed);
            async { Ok::<_, Infallible>(Response::new("ok".to_owned())) }
        });
        send(self.layer.layer(inner), request).await
    }

    /// Sends a GET request with these `Authorization` lines.
    pub(crate) async fn send_lines(&self, lines: &[&[u8]]) -> Response<String> {
        let mut request = Request::get("/").body(String::new()).expect("a request");
        for line in lines {
            let value = http::HeaderValue::from_bytes(line).expect("a header value");
            request.headers_mut().append("authorization", value);
        }
        self.send(request).await
    }

    /// Sends a GET request with this bearer token.
    pub(crate) async fn send_token(&self, token: &str) -> Response<String> {
        self.send(test_util::get("/", token)).await
    }
}

/// Decides without a look at the token.
#[derive(Clone, Debug)]
pub(crate) struct Decided(pub(crate) Result<AuthContext, AuthErrorKind>);

impl Decided {
    /// Always this caller, from a token of the issuer with these scopes.
    pub(crate) fn caller(issuer: &TestIssuer, scope: &str) -> Self {
        let token = issuer.token().scope(scope).sign();
        Self(Ok(issuer.verifier().verify_now(&token).expect("a good token").into()))
    }
}

impl Authenticate for Decided {
    fn authenticate(&self, _token: PresentedToken<'_>, _head: &RequestHead<'_>) -> Attempt {
        Attempt::Ready(self.0.clone().map_err(AuthError::from))
    }
}

/// An inner service that answers who the caller is.
pub(crate) async fn whoami<B>(request: Request<B>) -> Result<Response<String>, Infallible> {
    let caller = match request.extensions().get::<AuthContext>() {
        None => "no context",
        Some(context) => match context.grant() {
            None => "anonymous",
            Some(grant) => grant.subject().unwrap_or("no subject"),
        },
    };
    Ok(Response::new(caller.to_owned()))
}

/// Polls a future once.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// The output of a future that need not wait for anything.
#[track_caller]
pub(crate) fn at_once<F: Future>(future: F) -> F::Output {
    match poll_once(&mut Box::pin(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}

/// Sends one request through a service.
pub(crate) async fn send<S>(service: S, request: Request<String>) -> Response<String>
where
    S: Service<Request<String>, Response = Response<String>, Error = Infallible>,
{
    let Ok(response) = service.oneshot(request).await;
    response
}

impl<A: Authenticate> Protected<A> {
    /// Sends the token, which must be refused for this reason before the inner service is called.
    pub(crate) async fn refuses(&self, token: &str, reason: AuthErrorKind, case: &str) {
        let calls = self.calls();
        let response = self.send_token(token).await;
        assert_eq!(kind(&response), Some(reason), "{case}");
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{case}");
        let challenge = if reason == AuthErrorKind::Expired { C3X } else { C3 };
        assert_eq!(challenges(response.headers()), [challenge], "{case}");
        assert_eq!((response.body().as_str(), self.calls()), ("", calls), "{case}");
    }

    /// Sends the token, which must be let through.
    pub(crate) async fn accepts(&self, token: &str, case: &str) {
        let response = self.send_token(token).await;
        assert_eq!(kind(&response), None, "{case}");
        assert_eq!((response.status(), response.body().as_str()), (StatusCode::OK, "ok"), "{case}");
    }
}

/// Why the verifier refuses the token.
#[track_caller]
pub(crate) fn refusal<C>(verifier: &Verifier<C>, token: &str) -> AuthErrorKind
where
    C: serde::de::DeserializeOwned + Send + Sync + 'static,
{
    verifier.verify_now(token).expect_err("a refusal").kind()
}

/// The claims of a good token as JSON text, with these members set to raw JSON instead, or left
/// out where that is empty.
pub(crate) fn claims_text(issuer: &TestIssuer, changes: &[(&str, &str)]) -> String {
    let quoted = |text: &str| format!("{text:?}");
    let mut members = vec![
        ("iss", quoted(issuer.name())),
        ("sub", quoted("user-1")),
        ("aud", quoted(issuer.audience())),
        ("client_id", quoted("client-1")),
        ("iat", NOW.to_string()),
        ("exp", (NOW + 600).to_string()),
        ("jti", quoted("token-1")),
    ];
    for (name, value) in changes {
        members.retain(|(known, _)| known != name);
        if !value.is_empty() {
            members.push((name, (*value).to_owned()));
        }
    }
    let members: Vec<_> =
        members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// The header of a good token of this issuer.
pub(crate) fn header_text(issuer: &TestIssuer) -> String {
    format!(r#"{{"alg":"{}","kid":"test-key","typ":"at+jwt"}}"#, issuer.algorithm())
}

/// A signed token with these changes to the claims; see [`claims_text`].
pub(crate) fn token_with(issuer: &TestIssuer, changes: &[(&str, &str)]) -> String {
    issuer.sign_raw(&header_text(issuer), &claims_text(issuer, changes))
}

/// Base64url without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// The bytes of a base64url text.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).expect("base64url")
}

/// What was signed, and the signature.
pub(crate) fn split_signature(token: &str) -> (&str, Vec<u8>) {
    let (input, signature) = token.rsplit_once('.').expect("a compact token");
    (input, decode(signature))
}

/// A compact token of this input and signature.
pub(crate) fn with_signature(input: &str, signature: &[u8]) -> String {
    format!("{input}.{}", encode(signature))
}

/// One DER value: the tag, the length, and these parts one after the other.
pub(crate) fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = match body.len() {
        short @ 0..=127 => vec![short as u8],
        medium @ 128..=255 => vec![0x81, medium as u8],
        long => vec![0x82, (long >> 8) as u8, long as u8],
    };
    [&[tag][..], &length, &body].concat()
}

/// A DER integer of this big-endian number.
pub(crate) fn der_integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let number = &number[zeros..];
    let sign: &[u8] = if number.first().is_none_or(|first| *first > 127) { &[0] } else { &[] };
    der(2, &[sign, number])
}

/// A signature by another implementation, with a key of its own kind.
pub(crate) fn sign_elsewhere(
    algorithm: jsonwebtoken::Algorithm,
    key: &jsonwebtoken::EncodingKey,
    input: &[u8],
) -> Vec<u8> {
    let make = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.signer_factory;
    make(&algorithm, key).and_then(|signer| Ok(signer.try_sign(input)?)).expect("a signature")
}

/// The refusal's kind.
pub(crate) fn kind<B>(response: &Response<B>) -> Option<AuthErrorKind> {
    response.extensions().get::<AuthError>().map(AuthError::kind)
}

/// Checks status, the one challenge, an empty body, and that nothing may store the answer.
#[track_caller]
pub(crate) fn assert_refused(response: &Response<String>, status: u16, challenge: Option<&str>) {
    assert_eq!(response.status(), StatusCode::from_u16(status).unwrap());
    assert_eq!(challenges(response.headers()), challenge.into_iter().collect::<Vec<_>>());
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.body(), "");
}

/// Checks the exact refusal `invalid_token` and the reason that the operator sees.
#[track_caller]
pub(crate) fn assert_invalid(response: &Response<String>, reason: AuthErrorKind) {
    assert_refused(response, 401, Some(C3));
    assert_eq!(kind(response), Some(reason));
}

/// All `WWW-Authenticate` lines.
pub(crate) fn challenges(headers: &HeaderMap) -> Vec<&str> {
    let lines = headers.get_all("www-authenticate").iter();
    lines.map(|line| line.to_str().expect("visible ASCII")).collect()
}

/// From now on everything that is traced, at the level TRACE, is searched for tokens. The process
/// ends at once if one is found: a sink's panic would be caught.
pub(crate) fn watch_traces() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(|| Searched)
            .finish();
        // The name of the crate would clash with the module of the same feature, hence the path.
        let _ = tracing_subscriber::util::SubscriberInitExt::try_init(subscriber);
    });
}

/// Everything that was traced so far contains this text.
pub(crate) fn traced(text: &str) -> bool {
    TRACED.lock().unwrap_or_else(PoisonError::into_inner).contains(text)
}

static TRACED: Mutex<String> = Mutex::new(String::new());

struct Searched;

/// The characters of base64url and of secrets.
fn is_of_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_".contains(character)
}

/// A token starts with `{"` in base64url. Secrets and refresh tokens are longer than any id, and random.
fn is_secret(word: &str) -> bool {
    let has = |kind: fn(&char) -> bool| word.chars().any(|character| kind(&character));
    let is_random =
        has(char::is_ascii_digit) && has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase);
    (word.len() > 40 && is_random) || (word.len() > 22 && word.starts_with("eyJ"))
}

impl io::Write for Searched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        if text.contains("s3cr3t") || text.split(|c| !is_of_token(c)).any(is_secret) {
            // Past the test runner, which would lose it.
            let _ = io::Write::write_all(
                &mut io::stderr(),
                format!("a token or a secret was traced: {text}\n").as_bytes(),
            );
            std::process::abort();
        }
        let _ = write!(TRACED.lock().unwrap_or_else(PoisonError::into_inner), "{text}");
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
