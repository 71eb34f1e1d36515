use http::HeaderValue;

use super::{Challenge, ErrorCode, answer};
use crate::{
    error::{AuthError, AuthErrorKind, ConfigError},
    url::{SECURE_URL, secure_url},
};

/// The challenges of one layer, encoded when it is built: only the scopes of a refusal are added
/// per request.
#[derive(Clone, Debug)]
pub(crate) struct Challenges {
    /// All kinds with a challenge of their own and without scopes, in the order of
    /// [`AuthErrorKind::ALL`].
    fixed: Vec<Option<HeaderValue>>,
    realm: String,
    metadata: Option<String>,
}

impl Challenges {
    /// Challenges with this realm and perhaps the URL of the resource metadata (RFC 9728 section
    /// 5.1).
    pub(crate) fn new(realm: &str, metadata: Option<&str>) -> Result<Self, ConfigError> {
        let metadata = metadata.map(|url| uri_text("resource_metadata", url)).transpose()?;
        Ok(Self::of_checked(quoted_text("realm", realm)?, metadata))
    }

    /// Challenges with the realm that a layer has unless it is given another.
    pub(crate) fn of_default_realm() -> Self {
        Self::of_checked("api".to_owned(), None)
    }

    fn of_checked(realm: String, metadata: Option<String>) -> Self {
        let mut challenges = Self { fixed: Vec::new(), realm, metadata };
        challenges.fixed = AuthErrorKind::ALL
            .iter()
            .map(|kind| challenges.encode(answer(*kind).challenge?, None))
            .collect();
        challenges
    }

    /// The value of `WWW-Authenticate` for this error, if it has one.
    pub(crate) fn header(&self, error: &AuthError) -> Option<HeaderValue> {
        let challenge = answer(error.kind()).challenge?;
        match (challenge, error.scope()) {
            (Challenge::Error(ErrorCode::InsufficientScope, _), Some(scope)) => {
                self.encode(challenge, Some(scope))
            }
            _ => self.fixed.get(error.kind() as usize)?.clone(),
        }
    }

    /// Every part was checked when it came in, so this cannot fail; if it did, the refusal would
    /// go out without its challenge rather than not at all.
    fn encode(&self, challenge: Challenge, scope: Option<&str>) -> Option<HeaderValue> {
        let mut text = format!("Bearer realm=\"{}\"", self.realm);
        if let Challenge::Error(code, description) = challenge {
            text += &format!(", error=\"{}\", error_description=\"{description}\"", code.as_str());
        }
        if let Some(scope) = scope {
            text += &format!(", scope=\"{scope}\"");
        }
        if let Some(url) = &self.metadata {
            text += &format!(", resource_metadata=\"{url}\"");
        }
        HeaderValue::try_from(text).ok()
    }
}

/// A text as the inside of a quoted-string (RFC 9110 section 5.6.4): printable ASCII, with `"` and
/// `\` escaped.
fn quoted_text(name: &'static str, value: &str) -> Result<String, ConfigError> {
    if value.is_empty() || !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        let remedy = "use one or more printable ASCII characters";
        return Err(ConfigError::InvalidChallengeValue { name, value: value.into(), remedy });
    }
    Ok(value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// An absolute https URL without a fragment, or one on a loopback address (RFC 9728 section 1.2).
fn uri_text(name: &'static str, value: &str) -> Result<String, ConfigError> {
    match secure_url(value) {
        Some(_) => Ok(value.into()),
        None => {
            let (value, remedy) = (value.into(), SECURE_URL);
            Err(ConfigError::InvalidChallengeValue { name, value, remedy })
        }
    }
}
