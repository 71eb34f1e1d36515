use std::{fmt, hash, sync::Arc};

/// One scope token, such as `reports:read` (RFC 6749 section 3.3).
///
/// See the [module docs](mod@crate::scope) for an example.
#[derive(Clone)]
pub struct ScopeToken(Text);

/// Tokens in the source code cost nothing to make; all others are shared.
#[derive(Clone)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl ScopeToken {
    /// Checks a scope token that comes from configuration or elsewhere at run time.
    ///
    /// # Errors
    ///
    /// [`ScopeError`] if the text is empty or has a character that a scope token must not have.
    pub fn new(token: impl AsRef<str>) -> Result<Self, ScopeError> {
        let token = token.as_ref();
        if is_scope_token(token.as_bytes()) {
            Ok(Self(Text::Shared(token.into())))
        } else {
            Err(ScopeError::InvalidToken { token: token.into() })
        }
    }

    /// A scope token in the source code; the [`scope!`](crate::scope!) macro makes a mistake a
    /// compile error.
    ///
    /// # Panics
    ///
    /// If the text is no scope token. In a `const` that stops the compilation.
    #[must_use]
    pub const fn from_static(token: &'static str) -> Self {
        assert!(
            is_scope_token(token.as_bytes()),
            "a scope token is one or more printable ASCII characters without space, `\"` and `\\`"
        );
        Self(Text::Static(token))
    }

    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Static(token) => token,
            Text::Shared(token) => token,
        }
    }
}

/// 1*NQCHAR: `%x21 / %x23-5B / %x5D-7E`.
pub(crate) const fn is_scope_token(bytes: &[u8]) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], 0x21 | 0x23..=0x5B | 0x5D..=0x7E) {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty()
}

impl PartialEq for ScopeToken {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ScopeToken {}

impl PartialOrd for ScopeToken {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ScopeToken {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl hash::Hash for ScopeToken {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl AsRef<str> for ScopeToken {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::str::FromStr for ScopeToken {
    type Err = ScopeError;

    fn from_str(token: &str) -> Result<Self, Self::Err> {
        Self::new(token)
    }
}

impl fmt::Debug for ScopeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScopeToken({:?})", self.as_str())
    }
}

impl fmt::Display for ScopeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is wrong with a scope or a requirement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// The text is no scope token.
    #[error(
        "{token:?} is no scope token: one or more printable ASCII characters without space, `\"` and `\\`"
    )]
    InvalidToken {
        /// The text as given.
        token: String,
    },
    /// A requirement without any scope.
    #[error(
        "a requirement needs at least one scope; `Requirement::authenticated()` is satisfied by any verified token"
    )]
    EmptyRequirement,
}
