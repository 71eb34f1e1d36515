use http::Method;

use super::Shared;

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Product(Product),
    OAuth(OAuth),
    Revocations,
    Jwks,
    Metadata,
}

/// The endpoints of the product.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    Authenticate,
    Refresh,
    Revoke,
}

/// Those of OAuth 2.0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OAuth {
    Token,
    Revoke,
    Introspect,
}

pub(super) const TOKEN: &str = "/oauth2/token";
pub(super) const REVOKE: &str = "/oauth2/revoke";
pub(super) const INTROSPECT: &str = "/oauth2/introspect";
pub(super) const REVOCATIONS: &str = "/revocations";
pub(super) const JWKS: &str = "/.well-known/jwks.json";
pub(super) const METADATA: &str = "/.well-known/oauth-authorization-server";

impl Route {
    pub(super) fn of(shared: &Shared, path: &str) -> Option<Self> {
        if path == shared.documents.metadata_path {
            return Some(Self::Metadata);
        }
        let below = path.strip_prefix(&*shared.base_path);
        below.and_then(Self::of_path).or_else(|| Self::of_path(path))
    }

    fn of_path(path: &str) -> Option<Self> {
        Some(match path {
            "/api/Auth/authenticateApplication" => Self::Product(Product::Authenticate),
            "/api/Auth/refreshApplicationToken" => Self::Product(Product::Refresh),
            "/api/Auth/revokeApplicationToken" => Self::Product(Product::Revoke),
            TOKEN => Self::OAuth(OAuth::Token),
            REVOKE => Self::OAuth(OAuth::Revoke),
            INTROSPECT => Self::OAuth(OAuth::Introspect),
            REVOCATIONS => Self::Revocations,
            JWKS => Self::Jwks,
            METADATA => Self::Metadata,
            _ => return None,
        })
    }

    pub(super) fn allows(self, method: &Method) -> bool {
        match self {
            Self::Product(_) | Self::OAuth(_) => method == Method::POST,
            Self::Revocations => method == Method::GET,
            Self::Jwks | Self::Metadata => [Method::GET, Method::HEAD].contains(method),
        }
    }

    /// The header `Allow` (RFC 9110 section 10.2.1).
    pub(super) const fn allow(self) -> &'static str {
        match self {
            Self::Product(_) | Self::OAuth(_) => "POST",
            Self::Revocations => "GET",
            Self::Jwks | Self::Metadata => "GET, HEAD",
        }
    }
}
