//! This crate, with its defaults, and once with the cache.

use tower::Layer;
use tower_bearer::{AuthLayer, Verifier, verifier::CacheConfig};

use crate::{
    fixture::Claims,
    path::{Case, Inner},
    shared::Contender,
};

pub(crate) fn with_claims(case: &Case<'_>) -> Option<Contender> {
    let verifier = Verifier::builder().issuer(case.fixture.trusted(1)).claims::<Claims>().build();
    let layer = AuthLayer::new(verifier.expect("a verifier"));
    Some(case.through::<_, (), _>(layer.layer(Inner::<()>::new())))
}

/// As those are used whose claims are a map.
pub(crate) fn without_claims(case: &Case<'_>) -> Option<Contender> {
    let verifier = Verifier::builder().issuer(case.fixture.trusted(1)).build();
    let layer = AuthLayer::new(verifier.expect("a verifier"));
    Some(case.through::<_, (), _>(layer.layer(Inner::<()>::new())))
}

/// With the good token remembered, as it has come before; refusals are never remembered.
pub(crate) fn cached(case: &Case<'_>) -> Option<Contender> {
    let verifier = Verifier::builder().issuer(case.fixture.trusted(1)).cache(CacheConfig::new());
    let layer = AuthLayer::new(verifier.claims::<Claims>().build().expect("a verifier"));
    Some(case.through::<_, (), _>(layer.layer(Inner::<()>::new())))
}
