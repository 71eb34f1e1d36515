use http::Uri;
use serde::de::MapAccess;

use super::error::RefreshError;
use crate::{
    error::ConfigError,
    json::{Members, Taken, Unique},
    url::{is_loopback, secure_url},
};

/// Where the metadata of an issuer may be: inserted before the path (RFC 8414 section 3), then
/// after it (OpenID Connect Discovery 1.0 section 4).
pub(super) fn locations(issuer: &str) -> Result<[Uri; 2], ConfigError> {
    let invalid = || ConfigError::InvalidUrl {
        name: "issuer",
        value: issuer.into(),
        remedy: "discovery needs an absolute https URL without query and fragment; else name the keys with `RemoteKeys::new(jwks_uri)`",
    };
    let uri = secure_url(issuer).filter(|uri| uri.query().is_none()).ok_or_else(invalid)?;
    let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(invalid)?;
    let path = uri.path().trim_end_matches('/');
    let place = |path: String| {
        let place = Uri::builder().scheme(scheme).authority(authority.clone()).path_and_query(path);
        place.build().map_err(|_| invalid())
    };
    Ok([
        place(format!("/.well-known/oauth-authorization-server{path}"))?,
        place(format!("{path}/.well-known/openid-configuration"))?,
    ])
}

/// The address of the keys in the metadata of exactly this issuer.
pub(super) fn jwks_uri(url: &Uri, text: &str, issuer: &str) -> Result<Uri, RefreshError> {
    let metadata = || RefreshError::Metadata { url: url.to_string() };
    let document = Unique::read(text, Document::default()).map_err(|_| metadata())?;
    let (named, jwks_uri) = document.issuer.zip(document.jwks_uri).ok_or_else(metadata)?;
    if named != issuer {
        let named = bounded(&named);
        return Err(RefreshError::OtherIssuer { url: url.to_string(), named });
    }
    const MAX_URI: usize = 2048;
    // Only an issuer on this machine may send us to another port of this machine in the clear.
    match secure_url(&jwks_uri) {
        Some(uri)
            if jwks_uri.len() <= MAX_URI
                && (uri.scheme_str() == Some("https") || is_loopback(url)) =>
        {
            Ok(uri)
        }
        _ => {
            let jwks_uri = bounded(&jwks_uri);
            Err(RefreshError::InsecureKeys { url: url.to_string(), jwks_uri })
        }
    }
}

/// At most 256 characters: the text comes from a document.
fn bounded(text: &str) -> String {
    text.chars().take(256).collect()
}

/// The members that matter; signed metadata is ignored (RFC 8414 section 2.1).
#[derive(Default)]
struct Document {
    issuer: Option<String>,
    jwks_uri: Option<String>,
}

impl<'de> Members<'de> for Document {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<Taken, A::Error> {
        match name {
            "issuer" => self.issuer = Some(object.next_value()?),
            "jwks_uri" => self.jwks_uri = Some(object.next_value()?),
            _ => return Ok(Taken::No),
        }
        Ok(Taken::Yes)
    }
}
