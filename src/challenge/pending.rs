use http::Response;

use super::answer;
use crate::error::AuthError;

/// Marks a refusal that has no challenge, body or event yet: the `AuthLayer` around adds them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending;

/// The refusal of an inner guard: the bare status, with the error in the extensions of the
/// response and the mark that it is to be completed.
pub(crate) fn bare_refusal<B: Default>(error: AuthError) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = answer(error.kind()).status;
    response.extensions_mut().insert(error);
    response.extensions_mut().insert(Pending);
    response
}
