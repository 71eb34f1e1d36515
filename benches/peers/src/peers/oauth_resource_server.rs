//! `oauth-resource-server`, its layer for any bodies; its claims are its own struct and a map.

use std::sync::Arc;

use oauth_resource_server::{KeyNaming, OAuthConfig, OAuthValidator, http_layer::HttpAuthLayer};
use tower::Layer;
use tower_bearer::Algorithm;

use super::keys;
use crate::{
    fixture::AUDIENCE,
    path::{Case, Inner},
    shared::Contender,
};

pub(crate) fn layer(case: &Case<'_>) -> Option<Contender> {
    if case.fixture.algorithm == Algorithm::Hs256 {
        return None; // It refuses to verify with a shared secret.
    }
    let config = OAuthConfig {
        enabled: true,
        issuer: crate::ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        resource: AUDIENCE.to_owned(),
        algorithms: vec![case.fixture.algorithm.name().to_owned()],
        allow_unscoped_tokens: true, // it asks for no scope, and neither do the others
        ..OAuthConfig::default()
    };
    let config = config.resolve(KeyNaming::Dotted("oauth")).expect("a configuration");
    let validator = OAuthValidator::builder(&config.expect("it is enabled"))
        .initial_jwks(&keys::jwks(case.fixture))
        .build();
    let validator = Arc::new(validator.expect("a validator"));
    let layer = HttpAuthLayer::builder().oauth(validator).build().expect("a layer");
    Some(case.through::<_, (), ()>(layer.layer(Inner::<()>::new())))
}
