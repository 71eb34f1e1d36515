//! `aliri_tower`, whose claims type must be of its own types.

use aliri::{Jwks, jwa, jwt};
use aliri_clock::UnixTime;
use aliri_oauth2::{Authority, HasScope, Scope};
use aliri_tower::Oauth2Authorizer;
use serde::Deserialize;
use tower::Layer;
use tower_bearer::Algorithm;

use super::keys;
use crate::{
    fixture::AUDIENCE,
    path::{Case, Inner},
    shared::Contender,
};

pub(crate) fn layer(case: &Case<'_>) -> Option<Contender> {
    let algorithm = match case.fixture.algorithm {
        Algorithm::Hs256 => jwa::Algorithm::HS256,
        Algorithm::Rs256 => jwa::Algorithm::RS256,
        Algorithm::Es256 => jwa::Algorithm::ES256,
        _ => return None, // It has no EdDSA.
    };
    // With `check_not_before` it would refuse tokens without an `nbf`.
    let validator = jwt::CoreValidator::default()
        .add_approved_algorithm(algorithm)
        .add_allowed_audience(jwt::Audience::from_static(AUDIENCE))
        .require_issuer(jwt::Issuer::from_static(crate::ISSUER))
        .check_expiration();
    let jwks: Jwks = serde_json::from_str(&keys::jwks(case.fixture)).expect("a key document");
    let authority = Authority::new(jwks, validator);
    // Its answers need a body that is one: an empty `String` allocates nothing.
    let authorizer = Oauth2Authorizer::new().with_claims::<Claims>();
    let authorizer = authorizer.with_terse_error_handler::<String>();
    let layer = authorizer.jwt_layer::<()>(authority);
    Some(case.through::<_, (), _>(layer.layer(Inner::<String>::new())))
}

#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "what a handler would read")]
struct Claims {
    iss: jwt::Issuer,
    aud: jwt::Audiences,
    sub: jwt::Subject,
    client_id: String,
    jti: String,
    scope: Scope,
    exp: UnixTime,
    nbf: Option<UnixTime>,
    iat: UnixTime,
}

impl jwt::CoreClaims for Claims {
    fn nbf(&self) -> Option<UnixTime> {
        self.nbf
    }

    fn exp(&self) -> Option<UnixTime> {
        Some(self.exp)
    }

    fn aud(&self) -> &jwt::Audiences {
        &self.aud
    }

    fn iss(&self) -> Option<&jwt::IssuerRef> {
        Some(&self.iss)
    }

    fn sub(&self) -> Option<&jwt::SubjectRef> {
        Some(&self.sub)
    }
}

impl HasScope for Claims {
    fn scope(&self) -> &Scope {
        &self.scope
    }
}
