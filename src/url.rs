//! Addresses on the web, as configuration and metadata give them.

use http::Uri;

/// What a [`secure_url`] looks like, for whoever gave another.
pub(crate) const SECURE_URL: &str = "use an absolute https URL without user and fragment";

/// An absolute https URL without user and fragment, or an http one on a loopback address (RFC 8414
/// section 2, RFC 9728 section 1.2).
pub(crate) fn secure_url(value: &str) -> Option<Uri> {
    let uri: Uri = value.parse().ok()?;
    let authority = uri.authority()?;
    let host = authority.host();
    // Nothing else: no user, and no port that is none.
    let port = authority.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    if host.is_empty() || authority.as_str() != format!("{host}{port}") {
        return None;
    }
    let is_secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback(&uri),
        _ => false,
    };
    let is_uri_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte);
    (is_secure && value.bytes().all(is_uri_byte)).then_some(uri)
}

/// Whether the host is this machine (for `localhost` RFC 6761 section 6.3 says so).
pub(crate) fn is_loopback(uri: &Uri) -> bool {
    uri.host().is_some_and(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host))
}
