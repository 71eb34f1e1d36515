//! What everybody may read: the key document and the metadata.

use http::{
    HeaderMap, HeaderValue, Response, StatusCode, Uri,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
};
use serde_json::json;

use super::{
    Body, Shared,
    route::{INTROSPECT, JWKS, METADATA, REVOKE, TOKEN},
};
use crate::{crypto::sha256, jws, scope::ScopeSet};

/// The metadata (RFC 8414 section 2), which never changes, and where it is.
pub(super) struct Documents {
    pub(super) metadata_path: String,
    metadata: String,
}

impl Documents {
    pub(super) fn new(issuer: &str, base_url: &str, scopes: &ScopeSet) -> Self {
        let methods = ["client_secret_basic", "client_secret_post"];
        let mut metadata = json!({
            "issuer": issuer,
            "token_endpoint": format!("{base_url}{TOKEN}"),
            "jwks_uri": format!("{base_url}{JWKS}"),
            // Required, though there is none (RFC 8414 section 2).
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials", "refresh_token"],
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint": format!("{base_url}{REVOKE}"),
            "revocation_endpoint_auth_methods_supported": methods,
            "introspection_endpoint": format!("{base_url}{INTROSPECT}"),
            "introspection_endpoint_auth_methods_supported": methods,
        });
        if let (false, Some(members)) = (scopes.is_empty(), metadata.as_object_mut()) {
            members.insert("scopes_supported".to_owned(), scopes.iter().collect());
        }
        // Between the host and the path of the issuer (RFC 8414 section 3).
        let path = issuer.parse::<Uri>().map(|uri| uri.path().trim_end_matches('/').to_owned());
        Self {
            metadata_path: format!("{METADATA}{}", path.unwrap_or_default()),
            metadata: metadata.to_string(),
        }
    }
}

pub(super) fn jwks(shared: &Shared, headers: &HeaderMap) -> Response<Body> {
    const MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=300");
    document(shared.server.jwks(), "application/jwk-set+json", MAX_AGE, headers)
}

pub(super) fn metadata(shared: &Shared, headers: &HeaderMap) -> Response<Body> {
    const MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=3600");
    document(shared.documents.metadata.clone(), "application/json", MAX_AGE, headers)
}

/// A document for everybody, of every origin, unless the client has it already (RFC 9110 section
/// 13.1.2).
fn document(
    text: String,
    media_type: &'static str,
    cache: HeaderValue,
    request: &HeaderMap,
) -> Response<Body> {
    let digest = sha256(text.as_bytes()).map(jws::encode).unwrap_or_default();
    let tag = format!("\"{digest}\"");
    let is_known = request.get_all(IF_NONE_MATCH).iter().any(|line| names(line, &tag));
    let (status, body) = match is_known {
        true => (StatusCode::NOT_MODIFIED, Body::default()),
        false => (StatusCode::OK, Body::new(text)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, cache);
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    if !is_known {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    response
}

/// Whether a line of `If-None-Match` names this tag, weakly compared.
pub(super) fn names(line: &HeaderValue, tag: &str) -> bool {
    let Ok(line) = line.to_str() else {
        return false;
    };
    let tag = tag.trim_start_matches("W/");
    line.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}
