//! What the others are measured against: nobody in front, and the service that one writes by hand.

use axum::{body::Body, handler::Handler};

use crate::{
    path::{Case, Inner},
    shared::Contender,
};

pub(crate) fn service(case: &Case<'_>) -> Option<Contender> {
    Some(case.unguarded().through::<_, (), ()>(Inner::<()>::new()))
}

/// What the path of an extractor costs without one: axum's handler is its smallest service.
pub(crate) fn handler(case: &Case<'_>) -> Option<Contender> {
    async fn empty() {}
    Some(case.unguarded().through::<_, Body, _>(empty.with_state(())))
}

pub(crate) fn by_hand(case: &Case<'_>) -> Option<Contender> {
    Some(case.through(case.fixture.by_hand(Inner::new())))
}
