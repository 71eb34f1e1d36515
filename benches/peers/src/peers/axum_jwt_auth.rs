//! `axum-jwt-auth`, an extractor of axum 0.8: it verifies in the handler, and there is no layer.

use std::{hint::black_box, sync::Arc};

use axum::{body::Body, handler::Handler};
use axum_jwt_auth::{Decoder, LocalDecoder};
use jsonwebtoken_10::{DecodingKey, Validation};

use super::keys;
use crate::{
    fixture::{AUDIENCE, Claims},
    path::Case,
    shared::Contender,
};

pub(crate) fn extractor(case: &Case<'_>) -> Option<Contender> {
    let algorithm = case.fixture.algorithm.name().parse().expect("an algorithm");
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[crate::ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.validate_nbf = true;
    let key = serde_json::from_value(keys::jwk(case.fixture)).expect("a key");
    let key = DecodingKey::from_jwk(&key).expect("a key");
    let decoder = LocalDecoder::builder().keys(vec![key]).validation(validation).build();
    let decoder: Decoder<Claims> = Arc::new(decoder.expect("a decoder"));
    Some(case.through::<_, Body, _>(handler.with_state(decoder)))
}

async fn handler(claims: axum_jwt_auth::Claims<Claims>) {
    black_box(claims.claims);
}
