//! Where a request carries its token: [`FindToken`], with the `Authorization` header as the
//! default.
//!
//! Tokens are never read from the query string or the body (RFC 9700 section 4.3.2), and from a
//! cookie only by a finder that is chosen by name.

mod cookie;
mod head;
mod header;

pub use self::{cookie::CookieToken, head::RequestHead, header::BearerHeader};
use crate::error::AuthError;

/// A token as it was presented. `Debug` does not show it.
#[derive(Clone, Copy)]
pub struct PresentedToken<'a> {
    token: &'a [u8],
}

impl<'a> PresentedToken<'a> {
    /// A token that a request carries.
    #[must_use]
    pub fn new(token: &'a [u8]) -> Self {
        Self { token }
    }

    /// The bytes of the token, unchecked.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.token
    }
}

impl std::fmt::Debug for PresentedToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PresentedToken([redacted])")
    }
}

/// Finds the token of a request.
///
/// Implemented by [`BearerHeader`], [`CookieToken`] and functions. An implementation must refuse a
/// request that carries credentials in more than one place
/// ([`MultipleCredentials`](crate::AuthErrorKind::MultipleCredentials), RFC 6750 section 2), and
/// say [`NoCredentials`](crate::AuthErrorKind::NoCredentials) only if there are none.
///
/// The layer hides `Authorization` and `Cookie` from the `Debug` output of the request; a finder
/// that reads another header leaves it to the application to mark that one as sensitive.
///
/// ```
/// use tower_bearer::{AuthError, AuthErrorKind, token::{FindToken, PresentedToken, RequestHead}};
///
/// fn api_key<'a>(head: &RequestHead<'a>) -> Result<PresentedToken<'a>, AuthError> {
///     let mut values = head.headers().get_all("x-api-token").iter();
///     match (values.next(), values.next()) {
///         (None, _) => Err(AuthErrorKind::NoCredentials.into()),
///         (Some(_), Some(_)) => Err(AuthErrorKind::MultipleCredentials.into()),
///         (Some(value), None) => Ok(PresentedToken::new(value.as_bytes())),
///     }
/// }
///
/// let request = http::Request::get("/").header("x-api-token", "abc").body(())?;
/// assert_eq!(api_key.find(&RequestHead::of(&request)).unwrap().as_bytes(), b"abc");
/// # Ok::<(), http::Error>(())
/// ```
pub trait FindToken: Send + Sync + 'static {
    /// The one token of the request.
    ///
    /// # Errors
    ///
    /// Why there is none to use.
    fn find<'a>(&self, head: &RequestHead<'a>) -> Result<PresentedToken<'a>, AuthError>;
}

impl<F> FindToken for F
where
    F: for<'a> Fn(&RequestHead<'a>) -> Result<PresentedToken<'a>, AuthError>
        + Send
        + Sync
        + 'static,
{
    fn find<'a>(&self, head: &RequestHead<'a>) -> Result<PresentedToken<'a>, AuthError> {
        self(head)
    }
}
