use http::header::{AUTHORIZATION, COOKIE};

use super::{BearerHeader, FindToken, PresentedToken, RequestHead};
use crate::error::{AuthError, AuthErrorKind, ConfigError};

/// A token from the `Authorization` header or from one cookie, never from both.
///
/// A browser sends cookies with requests that other sites cause, so the application must defend
/// itself against forged requests (SameSite, a token of its own, a check of `Origin`): RFC 6750
/// section 5.3. This finder does not.
#[derive(Clone, Debug)]
pub struct CookieToken {
    name: String,
}

impl CookieToken {
    /// Reads the cookie of this name, which must start with `__Host-` or `__Secure-`, so that
    /// browsers send it over TLS only.
    ///
    /// # Errors
    ///
    /// [`ConfigError::InvalidSourceName`] for any other name.
    pub fn danger_without_csrf_defence(name: impl Into<String>) -> Result<Self, ConfigError> {
        let name = name.into();
        let rest = name.strip_prefix("__Host-").or_else(|| name.strip_prefix("__Secure-"));
        let sound = rest.is_some_and(|rest| {
            !rest.is_empty()
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        });
        if sound {
            Ok(Self { name })
        } else {
            let remedy = "a cookie name must start with `__Host-` or `__Secure-`, followed by letters, digits, `-`, `_` or `.`";
            Err(ConfigError::InvalidSourceName { name, remedy })
        }
    }
}

impl FindToken for CookieToken {
    fn find<'a>(&self, head: &RequestHead<'a>) -> Result<PresentedToken<'a>, AuthError> {
        let mut found = None;
        for line in head.headers().get_all(COOKIE) {
            for pair in line.as_bytes().split(|byte| *byte == b';') {
                let pair = pair.trim_ascii();
                let Some(equals) = memchr::memchr(b'=', pair) else {
                    continue;
                };
                if &pair[..equals] != self.name.as_bytes() {
                    continue;
                }
                if found.replace(&pair[equals + 1..]).is_some() {
                    return Err(AuthErrorKind::MultipleCredentials.into());
                }
            }
        }
        match found {
            None => BearerHeader.find(head),
            Some(_) if head.headers().contains_key(AUTHORIZATION) => {
                Err(AuthErrorKind::MultipleCredentials.into())
            }
            Some([]) => Err(AuthErrorKind::TokenMissing.into()),
            Some(token) => Ok(PresentedToken::new(token)),
        }
    }
}
