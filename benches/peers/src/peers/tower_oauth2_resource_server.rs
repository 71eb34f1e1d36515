//! `tower-oauth2-resource-server`, one tenant with a key document.

use tower::Layer;
use tower_oauth2_resource_server::{
    server::OAuth2ResourceServer, tenant::TenantConfiguration, validation::ClaimsValidationSpec,
};

use super::{built, keys};
use crate::{
    fixture::{AUDIENCE, Claims},
    path::{Case, Inner},
    shared::Contender,
};

pub(crate) fn layer(case: &Case<'_>) -> Option<Contender> {
    // With `nbf` it would refuse tokens without one.
    let claims = ClaimsValidationSpec::new().exp(true).iss(crate::ISSUER);
    let tenant = TenantConfiguration::static_builder(keys::jwks(case.fixture))
        .claims_validation(claims.aud(&vec![AUDIENCE.to_owned()]))
        .allowed_algorithms(&[case.fixture.algorithm.name().parse().expect("an algorithm")])
        .build();
    let server = OAuth2ResourceServer::<Claims>::builder().add_tenant(tenant.expect("a tenant"));
    let server = built(server.build()).expect("a server");
    Some(case.through::<_, (), ()>(server.into_layer().layer(Inner::<()>::new())))
}
