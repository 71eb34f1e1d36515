//! `huskarl-axum`, layers for axum 0.8 over RustCrypto.

use std::sync::Arc;

use axum::body::Body;
use huskarl_axum::layers::ValidatorLayer;
use huskarl_crypto_native::symmetric::SymmetricKey;
use huskarl_resource_server::{
    core::{
        EndpointUrl, Error,
        crypto::verifier::{JwsVerifier, JwsVerifierPlatform},
        jwk::{Jwk, PrivateJwk},
        jwt::validator::ClaimCheck,
        platform::MaybeSendBoxFuture,
    },
    validator::custom::CustomValidator,
};
use serde::Deserialize;
use tower::Layer;

use super::{built, keys};
use crate::{
    fixture::AUDIENCE,
    path::{Case, Inner},
    shared::Contender,
};

/// What is left of the claims: it hands on the registered ones by itself.
#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "what a handler would read")]
struct Claims {
    client_id: String,
    scope: String,
}

pub(crate) fn layer(case: &Case<'_>) -> Option<Contender> {
    let key: Jwk = serde_json::from_value(keys::jwk(case.fixture)).expect("a key");
    let validator = CustomValidator::builder()
        .with_claims::<Claims>()
        .iss(ClaimCheck::required_value(crate::ISSUER))
        .aud(ClaimCheck::required_value(AUDIENCE))
        .typ(ClaimCheck::required_value("at+jwt"))
        .allowed_signing_algorithms([case.fixture.algorithm.name().to_owned()])
        .jws_verifier_factory(move |_: Option<&EndpointUrl>, platform| verifier(&key, platform))
        .build();
    let validator = built(validator).expect("a validator");
    let layer = ValidatorLayer::builder().validator(validator).build().authenticated();
    Some(case.through::<_, Body, Body>(layer.layer(Inner::<Body>::new())))
}

/// One key at hand, also a secret, which a key document of its own could not hold.
fn verifier(
    key: &Jwk,
    platform: Arc<dyn JwsVerifierPlatform>,
) -> MaybeSendBoxFuture<'static, Result<Arc<dyn JwsVerifier>, Error>> {
    if let Some(PrivateJwk::Symmetric(secret)) = key.private_jwk() {
        let verifier = SymmetricKey::from_jwk(secret);
        return Box::pin(async { Ok(Arc::new(verifier?) as Arc<dyn JwsVerifier>) });
    }
    let public = key.public_jwk().expect("a public key");
    Box::pin(async move {
        Ok(platform.create_verifier_from_jwk(public).await.expect("a supported key"))
    })
}
