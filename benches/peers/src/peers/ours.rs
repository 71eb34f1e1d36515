//! This crate, with its defaults.

use tower::Layer;
use tower_bearer::{AuthLayer, Verifier};

use crate::{
    fixture::Claims,
    path::{Case, Inner, Run},
};

pub(crate) fn with_claims(case: &Case<'_>) -> Option<Run> {
    let verifier = Verifier::builder().issuer(case.fixture.trusted(1)).claims::<Claims>().build();
    let layer = AuthLayer::new(verifier.expect("a verifier"));
    Some(case.through::<_, (), _>(layer.layer(Inner::<()>::new())))
}

/// As those are used whose claims are a map.
pub(crate) fn without_claims(case: &Case<'_>) -> Option<Run> {
    let verifier = Verifier::builder().issuer(case.fixture.trusted(1)).build();
    let layer = AuthLayer::new(verifier.expect("a verifier"));
    Some(case.through::<_, (), _>(layer.layer(Inner::<()>::new())))
}
