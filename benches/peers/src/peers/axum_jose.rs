//! `axum-jose`, a layer for axum 0.8 whose claims are a `serde_json::Value`.

use axum::body::Body;
use axum_jose::AuthorizationLayer;
use tower::Layer;
use url::Url;

use super::keys;
use crate::{
    fixture::AUDIENCE,
    path::{Case, Inner},
    shared::Contender,
};

pub(crate) fn layer(case: &Case<'_>) -> Option<Contender> {
    let jwks = serde_json::from_str(&keys::jwks(case.fixture)).expect("a key document");
    let issuer = Url::parse(crate::ISSUER).expect("a URL");
    let layer = AuthorizationLayer::with_local_jwk_set(jwks, issuer, AUDIENCE.to_owned());
    Some(case.through::<_, Body, Body>(layer.layer(Inner::<Body>::new())))
}
