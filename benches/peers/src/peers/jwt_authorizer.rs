//! `jwt-authorizer`, whose layer answers with a body of axum 0.7.

use jwt_authorizer::{IntoLayer, JwtAuthorizer, Validation};
use tower::Layer;

use super::{built, keys};
use crate::{
    fixture::{AUDIENCE, Claims},
    path::{Case, Inner},
    shared::Contender,
};

pub(crate) fn layer(case: &Case<'_>) -> Option<Contender> {
    let validation = Validation::new().iss(&[crate::ISSUER]).aud(&[AUDIENCE]).nbf(true);
    let authorizer = JwtAuthorizer::<Claims>::from_jwks_text(&keys::jwks(case.fixture));
    let authorizer = built(authorizer.validation(validation).build()).expect("an authorizer");
    let inner = Inner::<axum_core_04::body::Body>::new();
    Some(case.through::<_, (), _>(authorizer.into_layer().layer(inner)))
}
