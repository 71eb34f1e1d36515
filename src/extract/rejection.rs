use axum_core::response::{IntoResponse, Response};

use crate::error::AuthError;

/// The bare status; the `AuthLayer` around adds the challenge, the body and the event. Without one
/// it goes out as it is.
impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        self.to_response()
    }
}
