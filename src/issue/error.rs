//! Why the issuing side refuses.

use std::{sync::Arc, time::Duration};

use super::{store::StoreError, throttle::Throttled};
use crate::error::BoxError;

/// Why a request to the issuing side is refused: what the client is told is [`kind`](Self::kind),
/// the rest is for operators.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    /// A stable code that says more.
    pub(super) reason: &'static str,
    pub(super) error: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What a client is told (RFC 6749 section 5.2, RFC 7009 section 2.2.1, RFC 8707 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    InvalidTarget,
    /// Too many failures; the client may come back after that time.
    Throttled(Duration),
    /// What is issued now would be revoked already: a cut-off has not passed. It will after that time.
    NotYet(Duration),
    /// The store failed, or the server has no key to sign with.
    Unavailable,
}

impl Refusal {
    pub(super) const fn new(kind: Kind, reason: &'static str) -> Self {
        Self { kind, reason, error: None }
    }

    pub(super) fn unavailable(reason: &'static str, error: impl Into<BoxError>) -> Self {
        Self { kind: Kind::Unavailable, reason, error: Some(Arc::from(error.into())) }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::unavailable("store_failed", error)
    }
}

impl From<Throttled> for Refusal {
    fn from(throttled: Throttled) -> Self {
        Self::new(Kind::Throttled(throttled.retry_after), throttled.by.code())
    }
}
