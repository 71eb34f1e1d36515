//! What this crate answers to a request without a token, made without a look at the request: less than
//! that nobody can take who answers as much.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
};

use http::{HeaderValue, Request, Response, StatusCode, header};
use tower::service_fn;
use tower_bearer::{AuthError, AuthErrorKind};

use crate::{path::Case, shared::Contender};

pub(crate) fn alone(case: &Case<'_>) -> Option<Contender> {
    case.token.is_none().then(|| case.only(service_fn(answer)))
}

fn answer(request: Request<()>) -> Ready<Result<Response<()>, Infallible>> {
    black_box(&request);
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let challenge = HeaderValue::from_static("Bearer realm=\"api\"");
    headers.insert(header::WWW_AUTHENTICATE, challenge);
    response.extensions_mut().insert(AuthError::from(AuthErrorKind::NoCredentials));
    ready(Ok(response))
}
