use http::{Request, Uri, header::AUTHORIZATION};

/// A GET request with this token and an empty body.
///
/// # Panics
///
/// If the path is no URI or the token cannot stand in a header.
#[must_use]
pub fn get<B: Default>(path: &str, token: &str) -> Request<B> {
    request("GET", path, token)
}

/// A request with this method, path and token, and an empty body.
///
/// # Panics
///
/// If the method or path is none, or the token cannot stand in a header.
#[must_use]
#[expect(clippy::expect_used, reason = "a test with a bad request cannot go on")]
pub fn request<B: Default>(method: &str, path: &str, token: &str) -> Request<B> {
    Request::builder()
        .method(method)
        .uri(path.parse::<Uri>().expect("the path is a URI"))
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(B::default())
        .expect("method and token can stand in a request")
}
