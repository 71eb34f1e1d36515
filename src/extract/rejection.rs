use axum_core::response::{IntoResponse, Response};

use crate::error::AuthError;

/// The bare status; the `AuthLayer` around adds the challenge, the body and the event.
impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        self.to_response()
    }
}
