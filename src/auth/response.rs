use http::{HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};

use crate::{
    challenge::{Challenge, answer},
    error::{AuthError, AuthErrorKind},
};

/// A refusal: what a client may learn of it, and for logs [why](Self::auth_error).
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    error: &'a AuthError,
}

impl<'a> Refusal<'a> {
    pub(super) fn new(error: &'a AuthError) -> Self {
        Self { error }
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        answer(self.error.kind()).status
    }

    /// What happened; not for the client.
    #[must_use]
    pub fn kind(&self) -> AuthErrorKind {
        self.error.kind()
    }

    /// The error code of RFC 6750 section 3.1, if there is one.
    #[must_use]
    pub fn error(&self) -> Option<&'static str> {
        match answer(self.error.kind()).challenge {
            Some(Challenge::Error(code, _)) => Some(code.as_str()),
            _ => None,
        }
    }

    /// Fixed words for the client.
    #[must_use]
    pub fn description(&self) -> &'static str {
        self.error.grpc().message()
    }

    /// The scopes that the operation needs, if one is missing.
    #[must_use]
    pub fn scope(&self) -> Option<&'a str> {
        self.error.scope()
    }

    /// A response with this body and the [status](Self::status).
    #[must_use]
    pub fn response<B>(&self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status();
        response
    }

    /// The error with all its detail, for the gRPC form and for logs.
    #[must_use]
    pub fn auth_error(&self) -> &'a AuthError {
        self.error
    }
}

/// Makes the body of a refusal.
///
/// Status, challenge, `Retry-After` and `Cache-Control` are the layer's: it adds them to whatever
/// comes back, unless the status was changed. A closure does as well.
pub trait RefusalResponse<B>: Send + Sync + 'static {
    /// The response for a refusal. Must not hold anything of the request.
    ///
    /// Start from [`Refusal::response`], which has the right status: a status of your own is sent
    /// as it is and without a challenge (unless it is 401), as gRPC's 200 needs, so a response that
    /// is left at 200 by mistake looks like a success. (A closure cannot make that mistake.)
    fn respond(&self, refusal: &Refusal<'_>) -> Response<B>;
}

impl<F, B> RefusalResponse<B> for F
where
    F: Fn(&Refusal<'_>) -> Response<B> + Send + Sync + 'static,
{
    fn respond(&self, refusal: &Refusal<'_>) -> Response<B> {
        let mut response = self(refusal);
        // `Response::new` has status 200, which would let a refusal look like a success.
        if response.status() == StatusCode::OK {
            *response.status_mut() = refusal.status();
        }
        response
    }
}

/// No body: the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyBody;

impl<B: Default> RefusalResponse<B> for EmptyBody {
    fn respond(&self, refusal: &Refusal<'_>) -> Response<B> {
        refusal.response(B::default())
    }
}

/// A problem document (RFC 9457) with `type`, `title`, `status`, `detail` and, where RFC 6750
/// defines them, `error` and `scope`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProblemJson;

impl<B: From<String>> RefusalResponse<B> for ProblemJson {
    fn respond(&self, refusal: &Refusal<'_>) -> Response<B> {
        let status = refusal.status();
        let mut problem = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": refusal.description(),
        });
        for (name, value) in [("error", refusal.error()), ("scope", refusal.scope())] {
            if let Some(value) = value {
                problem[name] = value.into();
            }
        }
        let mut response = refusal.response(B::from(problem.to_string()));
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}

/// A gRPC status in the headers of an empty response, which is how gRPC refuses a call before it
/// starts; see [`GrpcRefusal`](crate::challenge::GrpcRefusal).
#[derive(Clone, Copy, Debug, Default)]
pub struct GrpcStatus;

impl<B: Default> RefusalResponse<B> for GrpcStatus {
    fn respond(&self, refusal: &Refusal<'_>) -> Response<B> {
        let grpc = refusal.auth_error().grpc();
        let mut response = Response::new(B::default());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(HeaderName::from_static("grpc-status"), grpc.code().into());
        // The messages are plain ASCII, which needs no percent-encoding.
        headers.insert(
            HeaderName::from_static("grpc-message"),
            HeaderValue::from_static(grpc.message()),
        );
        for (name, value) in grpc.metadata() {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}
