use std::{fmt, str::FromStr};

use crate::error::ConfigError;

/// Which types of token an issuer's access tokens have, and which claims they must carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenType {
    /// RFC 9068: `typ` is `at+jwt`, and `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and `jti`
    /// are there.
    #[default]
    AtJwt,
    /// For issuers that send `typ` as `JWT` or not at all: `at+jwt`, `JWT` or absent, and `iss`,
    /// `exp` and `aud` are there. Tokens that look like an ID token, a logout token or an
    /// introspection response are refused (RFC 8725 section 3.12).
    AnyJwt,
}

impl TokenType {
    /// The name in configuration: `at+jwt` or `any`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AtJwt => "at+jwt",
            Self::AnyJwt => "any",
        }
    }
}

impl FromStr for TokenType {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "at+jwt" => Ok(Self::AtJwt),
            "any" => Ok(Self::AnyJwt),
            _ => Err(ConfigError::UnknownName {
                setting: "token type",
                name: name.into(),
                known: "at+jwt, any",
            }),
        }
    }
}

impl fmt::Display for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
