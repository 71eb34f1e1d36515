use http::header::AUTHORIZATION;

use super::{FindToken, PresentedToken, RequestHead};
use crate::error::{AuthError, AuthErrorKind};

/// `Authorization: Bearer <token>` (RFC 6750 section 2.1), the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct BearerHeader;

impl FindToken for BearerHeader {
    fn find<'a>(&self, head: &RequestHead<'a>) -> Result<PresentedToken<'a>, AuthError> {
        let mut lines = head.headers().get_all(AUTHORIZATION).iter();
        let line = lines.next().ok_or(AuthErrorKind::NoCredentials)?;
        // Taking the first of two would let a proxy and this service see different callers.
        if lines.next().is_some() {
            return Err(AuthErrorKind::MultipleCredentials.into());
        }
        Ok(PresentedToken::new(bearer(line.as_bytes())?))
    }
}

/// The token of `Bearer 1*SP token`, the scheme without regard to case (RFC 9110 section 11.1).
fn bearer(line: &[u8]) -> Result<&[u8], AuthErrorKind> {
    const SCHEME: &[u8] = b"bearer";
    let rest = match line.split_at_checked(SCHEME.len()) {
        Some((scheme, rest))
            if scheme.eq_ignore_ascii_case(SCHEME)
                && !rest.first().is_some_and(|byte| is_tchar(*byte)) =>
        {
            rest
        }
        _ => return Err(AuthErrorKind::UnsupportedScheme),
    };
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    let token = &rest[spaces..];
    if token.is_empty() {
        return Err(AuthErrorKind::TokenMissing);
    }
    // Two header lines that something on the way joined with a comma (RFC 9110 section 5.3).
    if memchr::memchr(b',', token).is_some() {
        return Err(AuthErrorKind::MultipleCredentials);
    }
    match spaces {
        0 => Err(AuthErrorKind::Malformed),
        _ => Ok(token),
    }
}

/// A character of a token in the sense of RFC 9110 section 5.6.2.
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
