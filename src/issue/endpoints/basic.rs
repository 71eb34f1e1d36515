//! Client authentication on the wire (RFC 6749 section 2.3.1).

use base64_simd::STANDARD;
use http::{HeaderMap, header::AUTHORIZATION};
use zeroize::Zeroizing;

use super::form::{Form, decode};

/// What a client presents: its id and secret, read and unchecked.
pub(super) struct ClientSecret {
    pub(super) id: String,
    pub(super) secret: Zeroizing<String>,
}

/// Why there is no client to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoClient {
    /// Nothing that can be checked: 401.
    Unauthenticated,
    /// More than one way, or the two contradict each other: 400.
    Ambiguous,
}

impl ClientSecret {
    /// The one client of a request.
    pub(super) fn of(headers: &HeaderMap, form: &Form) -> Result<Self, NoClient> {
        let mut lines = headers.get_all(AUTHORIZATION).iter();
        let line = lines.next();
        if lines.next().is_some() {
            return Err(NoClient::Ambiguous);
        }
        let Some(line) = line else {
            return Self::of_form(form);
        };
        if form.has("client_secret") || form.has("client_assertion") {
            return Err(NoClient::Ambiguous);
        }
        let client = Self::of_basic(line.as_bytes()).ok_or(NoClient::Unauthenticated)?;
        match form.get("client_id") {
            Some(id) if id != client.id => Err(NoClient::Ambiguous),
            _ => client.checked(),
        }
    }

    fn of_form(form: &Form) -> Result<Self, NoClient> {
        if form.has("client_assertion") && form.has("client_secret") {
            return Err(NoClient::Ambiguous);
        }
        match (form.get("client_id"), form.get("client_secret")) {
            (Some(id), Some(secret)) => {
                Self { id: id.to_owned(), secret: Zeroizing::new(secret.to_owned()) }.checked()
            }
            _ => Err(NoClient::Unauthenticated),
        }
    }

    /// Base64, a colon, and both sides form-encoded.
    fn of_basic(line: &[u8]) -> Option<Self> {
        let (scheme, encoded) = line.split_at_checked(5)?;
        if !scheme.eq_ignore_ascii_case(b"basic") || !encoded.starts_with(b" ") {
            return None;
        }
        let pair = Zeroizing::new(STANDARD.decode_to_vec(encoded.trim_ascii()).ok()?);
        let (id, secret) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
        Some(Self { id: decode(id)?, secret: Zeroizing::new(decode(secret)?) })
    }

    /// Visible ASCII and spaces only (RFC 6749 appendix A.1 and A.2).
    fn checked(self) -> Result<Self, NoClient> {
        let is_fit = |text: &str, max| {
            (1..=max).contains(&text.len())
                && text.bytes().all(|byte| (0x20..=0x7E).contains(&byte))
        };
        match is_fit(&self.id, 128) && is_fit(&self.secret, 512) {
            true => Ok(self),
            false => Err(NoClient::Unauthenticated),
        }
    }
}
