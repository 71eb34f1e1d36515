//! The ready-made client against a server on loopback.

use std::net::SocketAddr;

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect},
    routing::get,
};
use tower_bearer::remote_keys::{Fetch, HttpFetch, MAX_BODY};

/// A server with odd pages.
async fn server() -> SocketAddr {
    async fn headers(headers: HeaderMap) -> String {
        let mut lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        lines.sort_unstable();
        lines.join("\n")
    }
    /// A body without an end, and without a length.
    async fn endless() -> Body {
        let chunks = (0_u64..).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 4096])));
        Body::from_stream(Chunks(chunks))
    }
    let app = Router::new()
        .route("/headers", get(headers))
        .route("/endless", get(endless))
        .route("/full", get(async || " ".repeat(MAX_BODY)))
        .route("/over", get(async || " ".repeat(MAX_BODY + 1)))
        .route("/moved", get(async || Redirect::temporary("/headers")))
        .route("/cookie", get(async || ([(header::SET_COOKIE, "a=1")], "").into_response()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

struct Chunks<I>(I);

impl<I: Iterator + Unpin> futures_core::Stream for Chunks<I> {
    type Item = I::Item;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<I::Item>> {
        std::task::Poll::Ready(self.get_mut().0.next())
    }
}

/// R-KEY-15, R-KEY-19, R-KEY-32: no redirect, no more than the limit, no cookie.
#[tokio::test]
async fn the_client_keeps_its_contract() {
    let server = server().await;
    let client = HttpFetch::new();
    let get = async |path: &str| {
        let request = http::Request::get(format!("http://{server}{path}")).header("accept", "x/y");
        client.fetch(request.body(()).unwrap()).await
    };
    assert_eq!(get("/cookie").await.unwrap().status(), StatusCode::OK);
    let answer = get("/headers").await.unwrap();
    let lines = String::from_utf8(answer.into_body()).unwrap();
    assert_eq!(lines, format!("accept: \"x/y\"\nhost: \"{server}\""));
    let moved = get("/moved").await.unwrap();
    assert_eq!(moved.status(), StatusCode::TEMPORARY_REDIRECT);
    // A client of the application's that follows redirects is noticed.
    let lenient = HttpFetch::with_client(reqwest::Client::new());
    let request = http::Request::get(format!("http://{server}/moved")).body(()).unwrap();
    let error = lenient.fetch(request).await.unwrap_err();
    assert_eq!(error.to_string(), "the client followed a redirect");
    assert_eq!(get("/full").await.unwrap().into_body().len(), MAX_BODY);
    for path in ["/over", "/endless"] {
        let error = get(path).await.unwrap_err();
        assert_eq!(error.to_string(), "the body is longer than 256 KiB", "{path}");
    }
    assert!(
        client.fetch(http::Request::get("http://127.0.0.1:1/").body(()).unwrap()).await.is_err()
    );
}
